#!/bin/sh
# Runs the interpreter's tests and prints TAP.  usage: run.sh SCHEME
#
# Every *_test.scm checks itself and prints unnumbered TAP lines; the cases below are about what only a process shows: exit
# status, messages, the REPL.
set -u

[ $# -eq 1 ] || { echo "usage: $0 SCHEME" >&2; exit 2; }
case $1 in
/*) scheme=$1 ;;
*) scheme=$PWD/$1 ;;
esac
cd "$(dirname "$0")" || exit 2
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
number=0
failed=0

# say ok|"not ok" DESCRIPTION
say() {
  number=$((number + 1))
  [ "$1" = ok ] || failed=$((failed + 1))
  echo "$1 $number - $2"
}

# check DESCRIPTION COMMAND...: the command succeeds.
check() {
  description=$1
  shift
  if "$@"; then say ok "$description"; else say "not ok" "$description"; fi
}

run_suite() {
  "$scheme" "$1" >"$work/out" 2>"$work/err"
  status=$?
  while IFS= read -r line; do
    case $line in
    "ok "*) say ok "${1%_test.scm}: ${line#ok }" ;;
    "not ok "*) say "not ok" "${1%_test.scm}: ${line#not ok }" ;;
    *) echo "# $line" ;;
    esac
  done <"$work/out"
  if [ $status -eq 0 ]; then
    say ok "$1 runs to its end"
  else
    say "not ok" "$1 runs to its end"
    sed 's/^/# /' "$work/err"
  fi
}

# fails DESCRIPTION PROGRAM PATTERN: the program ends with status 1 and a message that matches.
fails() {
  printf '%s\n' "$2" >"$work/bad.scm"
  (cd "$work" && "$scheme" bad.scm >out 2>err </dev/null)
  status=$?
  if [ $status -eq 1 ] && { [ -z "$3" ] || grep -q -- "$3" "$work/err"; }; then
    say ok "$1"
  else
    say "not ok" "$1"
    echo "# status $status; wanted: $3"
    sed 's/^/# /' "$work/err"
  fi
}

# prints DESCRIPTION EXPECTED ARGS...: what the interpreter writes to standard output, with $input as standard input.
prints() {
  description=$1
  expected=$2
  shift 2
  got=$(printf '%s' "$input" | "$scheme" "$@" 2>"$work/err")
  if [ "$got" = "$expected" ]; then
    say ok "$description"
  else
    say "not ok" "$description"
    printf 'wanted:\n%s\ngot:\n%s\n' "$expected" "$got" | sed 's/^/# /'
  fi
}

for suite in *_test.scm; do
  run_suite "$suite"
done

fails "unterminated string" '(display "abc' 'bad.scm:1:10: unterminated string'
fails "unterminated string on a later line" '(define x 1)
  (display "abc' 'bad.scm:2:12: unterminated string'
fails "unbalanced parenthesis" '(define (f x)
  (* x (+ x 1)' 'bad.scm:1:1: unbalanced parenthesis\|bad.scm:2:3: unbalanced parenthesis'
fails "extra closing parenthesis" '(define x 1))' 'bad.scm:1:13: unexpected closing parenthesis'
fails "bad dotted list" '(display (quote (1 . 2 3)))' 'bad.scm:1:2[0-9]: bad dotted list'
fails "lone dot" '.' 'bad.scm:1:1: unexpected dot'
fails "unknown hash syntax" '#foo' 'bad.scm:1:1: unknown syntax'
fails "unknown character name" '(display #\nonsense)' 'bad.scm:1:[0-9]*: unknown character name'
fails "unterminated block comment" '#| never ends' 'bad.scm:1:1: unterminated block comment'
fails "byte out of range" '(display #u8(1 256))' 'no byte'
fails "quote at the end" "'" 'expected a datum after'
fails "wrong type" '(display "x")
(+ 1 "two")' 'bad.scm:2:1: error: +: expected a number, got "two"'
fails "wrong type in a procedure names it" '(define (broken x) (car x))
(broken 5)' 'car: expected a pair, got 5 (in broken)'
fails "undefined variable" '(display no-such-variable)' 'undefined variable: no-such-variable'
fails "undefined procedure" '(no-such-procedure 1 2)' 'undefined variable: no-such-procedure'
fails "assignment to an undefined variable" '(set! no-such-variable 1)' 'undefined variable: no-such-variable'
fails "vector index out of range" '(vector-ref (vector 1 2 3) 3)' 'vector-ref: index out of range: 3'
fails "negative index" '(vector-ref (vector 1 2 3) -1)' 'vector-ref: index out of range: -1'
fails "string index out of range" '(string-ref "abc" 10)' 'string-ref: index out of range: 10'
fails "list-ref past the end" "(list-ref '(1 2) 2)" 'list-ref: index out of range: 2'
fails "division by zero" '(/ 1 0)' 'division by zero'
fails "modulo by zero" '(modulo 10 0)' 'modulo: division by zero'
fails "too many arguments" '(define (f x) x)
(f 1 2)' 'wrong number of arguments: #<procedure f> 2'
fails "too few arguments" '((lambda (a b . c) a) 1)' 'wrong number of arguments'
fails "primitive arity" '(car)' 'wrong number of arguments: #<procedure car> 0'
fails "not a procedure" '("string" 1)' 'not a procedure: "string"'
fails "endless recursion" '(define (f n) (+ 1 (f n)))
(f 0)' 'recursion too deep'
fails "endless mutual recursion" '(define (f n) (cons n (g n))) (define (g n) (cons n (f n))) (f 0)' 'recursion too deep'
fails "deeply nested data" '(define (nest n l) (if (= n 0) l (nest (- n 1) (list l))))
(display (nest 1000000 1))' 'nested too deeply'
fails "equal? of circular lists" "(define a (list 1)) (set-car! a a) (define b (list 1)) (set-car! b b) (equal? a b)" 'nested too deeply'
fails "deeply nested form" "(define (nest n l) (if (= n 0) l (nest (- n 1) (list l l)))) (define l 1) (do ((i 0 (+ i 1))) ((= i 100000)) (set! l (list (quote car) l))) (eval l)" "nested too deeply"
fails "raise of a non-condition" "(raise 'oops)" 'uncaught: oops'
fails "error with irritants" '(error "went wrong:" 1 "two" (quote (3)))' 'went wrong: 1 "two" (3)'
fails "bad special form" '(let ((x 1 2)) x)' 'syntax error: bad bindings'
fails "definition in expression position" '(define (f) (if #t (define x 1)))' 'syntax error: definition'
fails "keyword as a variable" '(display if)' 'keyword used as a variable'
fails "missing file" '(open-input-file "no-such-file")' 'cannot open file: "no-such-file"'
fails "bad hash table key" '(hash-table-ref (make-equal-hash-table) 1)' 'no such key'
fails "exit status" '(exit 1)' ''
fails "exit #f" '(display "x") (exit #f)' ''

input=''
prints "expressions" '3
"a"' -e '(+ 1 2) (define x "a") x'
input='(+ 1 2)
(car 5)
"still here"
(define (f x)
  (* x 2))
(f 21)
)
undefined-thing
(string-append "a" "b")'
prints "the REPL goes on after errors, and forms span lines" '3
"still here"
42
"ab"'
input='(display "x") (raise 1) (+ 1 1)'
prints "the REPL goes on within a line" 'x2'
printf '(display (cdr (command-line)))' >"$work/args.scm"
input=''
prints "arguments" '(one two)' "$work/args.scm" one two
printf '(display 1)\n(exit 7)\n(display 2)' >"$work/exit.scm"
"$scheme" "$work/exit.scm" >"$work/out"
status=$?
check "exit" [ "$status $(cat "$work/out")" = "7 1" ]
"$scheme" /no/such/program.scm 2>/dev/null
check "missing program" [ $? -eq 1 ]
SCHEME_STATS=$work/stats "$scheme" "$work/args.scm" >/dev/null
fields='"allocator": "[a-z]*", "seconds": [0-9.]*, "collections": [0-9]*, "peak_rss_kib": [0-9]*'
check "statistics" grep -q "^{\"program\": \"args\", $fields" "$work/stats"

echo "1..$number"
[ $failed -eq 0 ]
