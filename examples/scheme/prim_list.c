// Primitives on pairs, lists and symbols, and equivalence.
#include "primitives.h"
#include "text.h"

static value
prim_set_car(value pair, value v) {
  if (!is_pair(pair))
    raise_type("set-car!", "a pair", pair);
  pair_of(pair)->car = v;
  return UNSPECIFIED;
}

static value
prim_set_cdr(value pair, value v) {
  if (!is_pair(pair))
    raise_type("set-cdr!", "a pair", pair);
  pair_of(pair)->cdr = v;
  return UNSPECIFIED;
}

// c[ad]+r of the path's letters, applied from right to left.
static value
follow(const char *who, const char *path, size_t length, value v) {
  value at = v;
  while (length > 0) {
    if (!is_pair(at))
      raise_type(who, "a list structure that fits", v);
    at = path[--length] == 'a' ? car(at) : cdr(at);
  }
  return at;
}

#define PATH_FUNCTION(path)                                   \
  static value prim_c##path##r(value v) {                     \
    return follow("c" #path "r", #path, sizeof #path - 1, v); \
  }

PATH_FUNCTION(aa)
PATH_FUNCTION(da)
PATH_FUNCTION(aaa)
PATH_FUNCTION(aad)
PATH_FUNCTION(ada)
PATH_FUNCTION(add)
PATH_FUNCTION(daa)
PATH_FUNCTION(dad)
PATH_FUNCTION(dda)
PATH_FUNCTION(ddd)
PATH_FUNCTION(addd)
PATH_FUNCTION(dddd)

static value
prim_list(uint32_t argc, value *argv) {
  return list_from_array(argv, argc, NIL);
}

static value
prim_cons_star(uint32_t argc, value *argv) {
  return list_from_array(argv, argc - 1, argv[argc - 1]);
}

static value
prim_make_list(uint32_t argc, value *argv) {
  value list = NIL, fill = argc == 2 ? argv[1] : UNSPECIFIED;
  for (size_t n = check_index("make-list", argv[0], SIZE_MAX >> 8); n > 0; n--)
    list = cons(fill, list);
  return list;
}

static value
prim_is_list(value v) {
  return make_bool(list_length(v) >= 0);
}

static value
prim_length(value v) {
  ptrdiff_t length = list_length(v);
  if (length < 0)
    raise_type("length", "a proper list", v);
  return make_fixnum(length);
}

static value
copy_in_front(const char *who, value list, value tail) {
  value head = NIL, last = NIL, rest = list;
  for (; is_pair(rest); rest = cdr(rest)) {
    value cell = cons(car(rest), tail);
    if (last == NIL)
      head = cell;
    else
      pair_of(last)->cdr = cell;
    last = cell;
  }
  if (rest != NIL)
    raise_type(who, "a proper list", list);
  return last == NIL ? tail : head;
}

static value
prim_append(uint32_t argc, value *argv) {
  value result = argc == 0 ? NIL : argv[argc - 1];
  while (argc-- > 1)
    result = copy_in_front("append", argv[argc - 1], result);
  return result;
}

static value
prim_reverse(value list) {
  if (list_length(list) < 0)
    raise_type("reverse", "a proper list", list);
  return list_reverse(list);
}

static value
prim_reverse_in_place(value list) {
  value result = NIL;
  while (is_pair(list)) {
    value next = cdr(list);
    pair_of(list)->cdr = result;
    result = list;
    list = next;
  }
  return result;
}

static value
prim_list_tail(value list, value k) {
  value rest = list;
  for (size_t n = check_index("list-tail", k, SIZE_MAX); n > 0; n--) {
    if (!is_pair(rest))
      raise_range("list-tail", k);
    rest = cdr(rest);
  }
  return rest;
}

static value
prim_list_ref(value list, value k) {
  value rest = prim_list_tail(list, k);
  if (!is_pair(rest))
    raise_range("list-ref", k);
  return car(rest);
}

static value
prim_list_set(value list, value k, value v) {
  return prim_set_car(prim_list_tail(list, k), v);
}

static value
prim_list_copy(value list) {
  value head = list1(NIL), last = head;
  for (; is_pair(list); list = cdr(list))
    last = pair_of(last)->cdr = list1(car(list));
  pair_of(last)->cdr = list;
  return cdr(head);
}

static value
prim_last_pair(value list) {
  if (!is_pair(list))
    raise_type("last-pair", "a pair", list);
  while (is_pair(cdr(list)))
    list = cdr(list);
  return list;
}

static bool
same(value a, value b) {
  return a == b;
}

static value
member_by(const char *who, bool (*equal)(value, value), value v, value list) {
  value rest = list;
  for (; is_pair(rest); rest = cdr(rest))
    if (equal(v, car(rest)))
      return rest;
  if (rest != NIL)
    raise_type(who, "a proper list", list);
  return FALSE_VALUE;
}

static value
assoc_by(const char *who, bool (*equal)(value, value), value v, value list) {
  value rest = list;
  for (; is_pair(rest); rest = cdr(rest)) {
    if (!is_pair(car(rest)))
      raise_type(who, "a list of pairs", list);
    if (equal(v, car(car(rest))))
      return car(rest);
  }
  if (rest != NIL)
    raise_type(who, "a proper list", list);
  return FALSE_VALUE;
}

static value
prim_memq(value v, value list) {
  return member_by("memq", same, v, list);
}

static value
prim_memv(value v, value list) {
  return member_by("memv", values_eqv, v, list);
}

static value
prim_member(value v, value list) {
  return member_by("member", values_equal, v, list);
}

static value
prim_assq(value v, value list) {
  return assoc_by("assq", same, v, list);
}

static value
prim_assv(value v, value list) {
  return assoc_by("assv", values_eqv, v, list);
}

static value
prim_assoc(value v, value list) {
  return assoc_by("assoc", values_equal, v, list);
}

static value
prim_equal(value a, value b) {
  return make_bool(values_equal(a, b));
}

static value
prim_is_boolean(value v) {
  return make_bool(v == TRUE_VALUE || v == FALSE_VALUE);
}

static value
prim_symbol_to_string(value v) {
  check_type("symbol->string", "a symbol", v, TYPE_SYMBOL);
  struct string *name = string_of(symbol_of(v)->name);
  return string_copy(name, 0, name->length);
}

static value
prim_string_to_symbol(value v) {
  check_type("string->symbol", "a string", v, TYPE_STRING);
  return symbol_intern(v);
}

const struct primitive_entry list_primitives[] = {
    PRIMITIVE_2("set-car!", prim_set_car),
    PRIMITIVE_2("set-cdr!", prim_set_cdr),
    PRIMITIVE_1("caar", prim_caar),
    PRIMITIVE_1("cdar", prim_cdar),
    PRIMITIVE_1("caaar", prim_caaar),
    PRIMITIVE_1("caadr", prim_caadr),
    PRIMITIVE_1("cadar", prim_cadar),
    PRIMITIVE_1("caddr", prim_caddr),
    PRIMITIVE_1("cdaar", prim_cdaar),
    PRIMITIVE_1("cdadr", prim_cdadr),
    PRIMITIVE_1("cddar", prim_cddar),
    PRIMITIVE_1("cdddr", prim_cdddr),
    PRIMITIVE_1("cadddr", prim_cadddr),
    PRIMITIVE_1("cddddr", prim_cddddr),
    PRIMITIVE_N("list", prim_list, 0, ANY_ARGUMENTS),
    PRIMITIVE_N("cons*", prim_cons_star, 1, ANY_ARGUMENTS),
    PRIMITIVE_N("make-list", prim_make_list, 1, 2),
    PRIMITIVE_1("list?", prim_is_list),
    PRIMITIVE_1("length", prim_length),
    PRIMITIVE_N("append", prim_append, 0, ANY_ARGUMENTS),
    PRIMITIVE_1("reverse", prim_reverse),
    PRIMITIVE_1("reverse!", prim_reverse_in_place),
    PRIMITIVE_2("list-tail", prim_list_tail),
    PRIMITIVE_2("list-ref", prim_list_ref),
    PRIMITIVE_3("list-set!", prim_list_set),
    PRIMITIVE_1("list-copy", prim_list_copy),
    PRIMITIVE_1("last-pair", prim_last_pair),
    PRIMITIVE_2("memq", prim_memq),
    PRIMITIVE_2("memv", prim_memv),
    PRIMITIVE_2("%member", prim_member),
    PRIMITIVE_2("assq", prim_assq),
    PRIMITIVE_2("assv", prim_assv),
    PRIMITIVE_2("%assoc", prim_assoc),
    PRIMITIVE_2("equal?", prim_equal),
    PRIMITIVE_1("boolean?", prim_is_boolean),
    PRIMITIVE_1("symbol->string", prim_symbol_to_string),
    PRIMITIVE_1("string->symbol", prim_string_to_symbol),
    PRIMITIVE_0("generate-symbol", symbol_generate),
    PRIMITIVE_END,
};
