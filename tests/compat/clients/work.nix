# Lazy evaluation: attribute sets, lists, strings with context, recursion, fixed points, a small package set with
# overrides.  nix-instantiate --eval --strict --json --arg size N work.nix
{ size }:
let
  inherit (builtins) foldl' genList map filter sort concatStringsSep toString length elemAt listToAttrs attrNames
    mapAttrs hashString stringLength substring groupBy genericClosure match split toJSON fromJSON isList head tail;

  mod = a: b: a - b * (a / b);
  range = n: genList (i: i) n;
  sum = foldl' (a: b: a + b) 0;

  # Primes, by divisors; lazily from a list of attribute sets.
  primes = filter (n: n > 1 && foldl' (prime: d: prime && (d < 2 || d * d > n || mod n d != 0)) true (range 40))
    (range (size * 5));

  # A package set as a fixed point; overlays extend it.
  fix = f: let x = f x; in x;
  extend = overlay: f: self: let super = f self; in super // overlay self super;
  base = self: listToAttrs (map (i: {
    name = "p${toString i}";
    value = {
      inherit i;
      dependencies = filter (d: d != null)
        (map (d: if i >= d && d > 0 then self."p${toString (i / d - 1)}" or null else null) [ 2 3 5 ]);
      weight = 1 + sum (map (d: d.weight) self."p${toString i}".dependencies);
      hash = substring 0 8 (hashString "sha256" "p${toString i}");
    };
  }) (range (size * 2)));
  overlay = k: self: super: mapAttrs (name: p: if mod p.i k == 0 then p // { weight = super.${name}.weight + k; } else p) super;
  packages = fix (extend (overlay 7) (extend (overlay 3) (extend (overlay 2) base)));

  closure = genericClosure {
    startSet = [ { key = size * 2 - 1; } ];
    operator = { key }: map (p: { key = p.i; }) packages."p${toString key}".dependencies;
  };

  # Text.
  words = map (i: "w${toString (mod (i * i) 101)}-${toString (mod i 17)}") (range (size * 10));
  counts = mapAttrs (word: length) (groupBy (w: w) words);
  joined = concatStringsSep " " words;
  again = filter (w: !(isList w) && match "w[0-9]+-1[0-6]?" w != null) (split " " joined);

  # Church numerals and trees.
  tree = depth: if depth == 0 then { leaf = 1; } else { left = tree (depth - 1); right = tree (depth - 1); };
  leaves = t: t.leaf or (leaves t.left + leaves t.right);
  two = f: x: f (f x);
  church = n: if n == 0 then (f: x: x) else (f: x: two f (church (n - 1) f x));
in
{
  primes = [ (length primes) (sum primes) ];
  packages = [ (sum (map (n: packages.${n}.weight) (attrNames packages))) (length closure) packages.p5.hash ];
  words = [ (length (attrNames counts)) (stringLength joined) (length again) ];
  trees = sum (map (i: leaves (tree (5 + mod i 5))) (range (size / 4)));
  church = church 200 (n: n + 1) 0;
  sorted = elemAt (sort (a: b: a < b) (map (i: mod (i * 7919) 10007) (range (size * 10)))) size;
  json = length (fromJSON (toJSON (map (i: { inherit i; text = toString i; list = range (mod i 7); }) (range (size * 2)))));
}
