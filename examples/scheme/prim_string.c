// Primitives on strings.
#include <wctype.h>

#include "primitives.h"
#include "text.h"

static struct string *
check_string(const char *who, value v) {
  check_type(who, "a string", v, TYPE_STRING);
  return string_of(v);
}

static uint32_t
check_char(const char *who, value v) {
  if (!is_char(v))
    raise_type(who, "a character", v);
  return char_of(v);
}

static value
prim_is_string(value v) {
  return make_bool(is_string(v));
}

static value
prim_make_string(uint32_t argc, value *argv) {
  size_t length = check_index("make-string", argv[0], SIZE_MAX >> 8);
  return string_new(length, argc == 2 ? check_char("make-string", argv[1]) : ' ');
}

static value
prim_string(uint32_t argc, value *argv) {
  value s = string_new(argc, ' ');
  for (uint32_t i = 0; i < argc; i++)
    string_set(string_of(s), i, check_char("string", argv[i]));
  return s;
}

static value
prim_length(value s) {
  return make_fixnum((intptr_t)check_string("string-length", s)->length);
}

static size_t
check_position(const char *who, struct string *s, value index) {
  if (s->length == 0)
    raise_range(who, index);
  return check_index(who, index, s->length - 1);
}

static value
prim_ref(value v, value index) {
  struct string *s = check_string("string-ref", v);
  return make_char(string_ref(s, check_position("string-ref", s, index)));
}

static value
prim_set(value v, value index, value c) {
  struct string *s = check_string("string-set!", v);
  string_set(s, check_position("string-set!", s, index), check_char("string-set!", c));
  return UNSPECIFIED;
}

static value
prim_append(uint32_t argc, value *argv) {
  size_t length = 0;
  bool wide = false;
  for (uint32_t i = 0; i < argc; i++) {
    struct string *s = check_string("string-append", argv[i]);
    length += s->length;
    wide |= (s->head.flags & STRING_WIDE) != 0;
  }
  value result = string_new(length, wide ? 0x100 : ' ');
  for (uint32_t i = 0, at = 0; i < argc; i++) {
    string_blit(string_of(result), at, string_of(argv[i]), 0, string_of(argv[i])->length);
    at += (uint32_t)string_of(argv[i])->length;
  }
  return result;
}

static value
prim_substring(uint32_t argc, value *argv) {
  struct string *s = check_string("substring", argv[0]);
  struct range r = check_range("substring", argc, argv, 1, s->length);
  return string_copy(s, r.start, r.end);
}

static value
prim_copy_to(uint32_t argc, value *argv) {
  struct string *to = check_string("string-copy!", argv[0]), *from = check_string("string-copy!", argv[2]);
  size_t at = check_index("string-copy!", argv[1], to->length);
  struct range r = check_range("string-copy!", argc, argv, 3, from->length);
  if (r.end - r.start > to->length - at)
    raise_range("string-copy!", argv[1]);
  string_blit(to, at, from, r.start, r.end);
  return UNSPECIFIED;
}

static value
prim_fill(uint32_t argc, value *argv) {
  struct string *s = check_string("string-fill!", argv[0]);
  struct range r = check_range("string-fill!", argc, argv, 2, s->length);
  for (size_t i = r.start; i < r.end; i++)
    string_set(s, i, check_char("string-fill!", argv[1]));
  return UNSPECIFIED;
}

static value
prim_to_list(uint32_t argc, value *argv) {
  struct string *s = check_string("string->list", argv[0]);
  struct range r = check_range("string->list", argc, argv, 1, s->length);
  value list = NIL;
  for (size_t i = r.end; i > r.start; i--)
    list = cons(make_char(string_ref(s, i - 1)), list);
  return list;
}

static value
prim_from_list(value list) {
  ptrdiff_t length = list_length(list);
  if (length < 0)
    raise_type("list->string", "a proper list", list);
  value s = string_new((size_t)length, ' ');
  for (size_t i = 0; is_pair(list); list = cdr(list))
    string_set(string_of(s), i++, check_char("list->string", car(list)));
  return s;
}

static value
prim_to_vector(uint32_t argc, value *argv) {
  struct string *s = check_string("string->vector", argv[0]);
  struct range r = check_range("string->vector", argc, argv, 1, s->length);
  value v = vector_new(TYPE_VECTOR, r.end - r.start, NIL);
  for (size_t i = r.start; i < r.end; i++)
    vector_of(v)->items[i - r.start] = make_char(string_ref(s, i));
  return v;
}

static value
prim_from_vector(uint32_t argc, value *argv) {
  check_type("vector->string", "a vector", argv[0], TYPE_VECTOR);
  struct vector *v = vector_of(argv[0]);
  struct range r = check_range("vector->string", argc, argv, 1, v->length);
  value s = string_new(r.end - r.start, ' ');
  for (size_t i = r.start; i < r.end; i++)
    string_set(string_of(s), i - r.start, check_char("vector->string", v->items[i]));
  return s;
}

static value
map_chars(const char *who, value v, wint_t (*convert)(wint_t)) {
  struct string *s = check_string(who, v);
  value result = string_copy(s, 0, s->length);
  for (size_t i = 0; i < s->length; i++)
    string_set(string_of(result), i, (uint32_t)convert(string_ref(s, i)));
  return result;
}

static value
prim_upcase(value s) {
  return map_chars("string-upcase", s, towupper);
}

static value
prim_downcase(value s) {
  return map_chars("string-downcase", s, towlower);
}

// Does `test` accept the comparison of all neighbours?
static value
chain(const char *who, bool (*test)(int), uint32_t argc, value *argv) {
  bool holds = true;
  for (uint32_t i = 0; i < argc; i++)
    check_string(who, argv[i]);
  for (uint32_t i = 0; i + 1 < argc; i++)
    holds &= test(string_compare(string_of(argv[i]), string_of(argv[i + 1])));
  return make_bool(holds);
}

static bool
is_equal(int order) {
  return order == 0;
}

static bool
is_less(int order) {
  return order < 0;
}

static bool
is_greater(int order) {
  return order > 0;
}

static bool
is_less_equal(int order) {
  return order <= 0;
}

static bool
is_greater_equal(int order) {
  return order >= 0;
}

static value
prim_equal(uint32_t argc, value *argv) {
  return chain("string=?", is_equal, argc, argv);
}

static value
prim_less(uint32_t argc, value *argv) {
  return chain("string<?", is_less, argc, argv);
}

static value
prim_greater(uint32_t argc, value *argv) {
  return chain("string>?", is_greater, argc, argv);
}

static value
prim_less_equal(uint32_t argc, value *argv) {
  return chain("string<=?", is_less_equal, argc, argv);
}

static value
prim_greater_equal(uint32_t argc, value *argv) {
  return chain("string>=?", is_greater_equal, argc, argv);
}

static value
prim_equal_ci(value a, value b) {
  return make_bool(string_compare(string_of(prim_downcase(a)), string_of(prim_downcase(b))) == 0);
}

// (string-search pattern text start): index of the first occurrence, or #f.
static value
prim_search(uint32_t argc, value *argv) {
  struct string *pattern = check_string("string-search", argv[0]),
                *text = check_string("string-search", argv[1]);
  size_t start = argc == 3 ? check_index("string-search", argv[2], text->length) : 0;
  for (size_t i = start; i + pattern->length <= text->length; i++) {
    size_t j = 0;
    while (j < pattern->length && string_ref(pattern, j) == string_ref(text, i + j))
      j++;
    if (j == pattern->length)
      return make_fixnum((intptr_t)i);
  }
  return FALSE_VALUE;
}

const struct primitive_entry string_primitives[] = {
    PRIMITIVE_1("string?", prim_is_string),
    PRIMITIVE_N("make-string", prim_make_string, 1, 2),
    PRIMITIVE_N("string", prim_string, 0, ANY_ARGUMENTS),
    PRIMITIVE_1("string-length", prim_length),
    PRIMITIVE_2("string-ref", prim_ref),
    PRIMITIVE_3("string-set!", prim_set),
    PRIMITIVE_N("string-append", prim_append, 0, ANY_ARGUMENTS),
    PRIMITIVE_N("substring", prim_substring, 2, 3),
    PRIMITIVE_N("string-copy", prim_substring, 1, 3),
    PRIMITIVE_N("string-copy!", prim_copy_to, 3, 5),
    PRIMITIVE_N("string-fill!", prim_fill, 2, 4),
    PRIMITIVE_N("string->list", prim_to_list, 1, 3),
    PRIMITIVE_1("list->string", prim_from_list),
    PRIMITIVE_N("string->vector", prim_to_vector, 1, 3),
    PRIMITIVE_N("vector->string", prim_from_vector, 1, 3),
    PRIMITIVE_1("string-upcase", prim_upcase),
    PRIMITIVE_1("string-downcase", prim_downcase),
    PRIMITIVE_1("string-foldcase", prim_downcase),
    PRIMITIVE_N("string=?", prim_equal, 1, ANY_ARGUMENTS),
    PRIMITIVE_N("string<?", prim_less, 1, ANY_ARGUMENTS),
    PRIMITIVE_N("string>?", prim_greater, 1, ANY_ARGUMENTS),
    PRIMITIVE_N("string<=?", prim_less_equal, 1, ANY_ARGUMENTS),
    PRIMITIVE_N("string>=?", prim_greater_equal, 1, ANY_ARGUMENTS),
    PRIMITIVE_2("string-ci=?", prim_equal_ci),
    PRIMITIVE_N("string-search", prim_search, 2, 3),
    PRIMITIVE_END,
};
