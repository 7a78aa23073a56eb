// Primitives on characters.
#include <wctype.h>

#include "primitives.h"

static uint32_t
check_char(const char *who, value v) {
  if (!is_char(v))
    raise_type(who, "a character", v);
  return char_of(v);
}

static value
prim_is_char(value v) {
  return make_bool(is_char(v));
}

static value
prim_char_to_integer(value v) {
  return make_fixnum(check_char("char->integer", v));
}

static value
prim_integer_to_char(value v) {
  return make_char((uint32_t)check_index("integer->char", v, 0x10FFFF));
}

static value
prim_upcase(value v) {
  return make_char((uint32_t)towupper(check_char("char-upcase", v)));
}

static value
prim_downcase(value v) {
  return make_char((uint32_t)towlower(check_char("char-downcase", v)));
}

static value
prim_is_alphabetic(value v) {
  return make_bool(iswalpha(check_char("char-alphabetic?", v)));
}

static value
prim_is_numeric(value v) {
  uint32_t c = check_char("char-numeric?", v);
  return make_bool(c >= '0' && c <= '9');
}

static value
prim_is_whitespace(value v) {
  return make_bool(iswspace(check_char("char-whitespace?", v)));
}

static value
prim_is_upper(value v) {
  return make_bool(iswupper(check_char("char-upper-case?", v)));
}

static value
prim_is_lower(value v) {
  return make_bool(iswlower(check_char("char-lower-case?", v)));
}

static value
prim_digit_value(value v) {
  return is_true(prim_is_numeric(v)) ? make_fixnum(char_of(v) - '0') : FALSE_VALUE;
}

static bool
less(int64_t a, int64_t b) {
  return a < b;
}

static bool
less_equal(int64_t a, int64_t b) {
  return a <= b;
}

static bool
equal(int64_t a, int64_t b) {
  return a == b;
}

// Does the relation hold between all neighbours, or between their swapped pairs?
static value
chain(const char *who, bool (*relation)(int64_t, int64_t), bool swapped, uint32_t argc, value *argv) {
  bool holds = true;
  for (uint32_t i = 0; i < argc; i++)
    check_char(who, argv[i]);
  for (uint32_t i = 0; i + 1 < argc; i++) {
    uint32_t a = char_of(argv[i]), b = char_of(argv[i + 1]);
    holds &= swapped ? relation(b, a) : relation(a, b);
  }
  return make_bool(holds);
}

static value
prim_equal(uint32_t argc, value *argv) {
  return chain("char=?", equal, false, argc, argv);
}

static value
prim_less(uint32_t argc, value *argv) {
  return chain("char<?", less, false, argc, argv);
}

static value
prim_less_equal(uint32_t argc, value *argv) {
  return chain("char<=?", less_equal, false, argc, argv);
}

static value
prim_greater(uint32_t argc, value *argv) {
  return chain("char>?", less, true, argc, argv);
}

static value
prim_greater_equal(uint32_t argc, value *argv) {
  return chain("char>=?", less_equal, true, argc, argv);
}

static value
prim_equal_ci(value a, value b) {
  return make_bool(prim_downcase(a) == prim_downcase(b));
}

const struct primitive_entry char_primitives[] = {
    PRIMITIVE_1("char?", prim_is_char),
    PRIMITIVE_1("char->integer", prim_char_to_integer),
    PRIMITIVE_1("integer->char", prim_integer_to_char),
    PRIMITIVE_1("char-upcase", prim_upcase),
    PRIMITIVE_1("char-downcase", prim_downcase),
    PRIMITIVE_1("char-foldcase", prim_downcase),
    PRIMITIVE_1("char-alphabetic?", prim_is_alphabetic),
    PRIMITIVE_1("char-numeric?", prim_is_numeric),
    PRIMITIVE_1("char-whitespace?", prim_is_whitespace),
    PRIMITIVE_1("char-upper-case?", prim_is_upper),
    PRIMITIVE_1("char-lower-case?", prim_is_lower),
    PRIMITIVE_1("digit-value", prim_digit_value),
    PRIMITIVE_N("char=?", prim_equal, 1, ANY_ARGUMENTS),
    PRIMITIVE_N("char<?", prim_less, 1, ANY_ARGUMENTS),
    PRIMITIVE_N("char<=?", prim_less_equal, 1, ANY_ARGUMENTS),
    PRIMITIVE_N("char>?", prim_greater, 1, ANY_ARGUMENTS),
    PRIMITIVE_N("char>=?", prim_greater_equal, 1, ANY_ARGUMENTS),
    PRIMITIVE_2("char-ci=?", prim_equal_ci),
    PRIMITIVE_END,
};
