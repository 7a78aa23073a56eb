// Primitives on integers: the divisions, and bits.
#include <math.h>

#include "num.h"
#include "primitives.h"

// Flonums with whole values take part in integer division; the result is then inexact.
struct whole {
  value a;
  value b;
  bool inexact;
};

static value
whole_of(const char *who, value v) {
  if (is_flonum(v) && isfinite(flonum_of(v)) && flonum_of(v) == floor(flonum_of(v)))
    return integer_from_double(flonum_of(v));
  if (!is_exact_integer(v))
    raise_type(who, "an integer", v);
  return v;
}

static struct whole
check_division(const char *who, value a, value b) {
  struct whole w = {.a = whole_of(who, a), .b = whole_of(who, b), .inexact = is_flonum(a) || is_flonum(b)};
  if (w.b == make_fixnum(0)) {
    char message[64];
    snprintf(message, sizeof message, "%s: division by zero", who);
    raise_error(message, list1(a));
  }
  return w;
}

static value
divide(const char *who, value a, value b, value (*operate)(value, value)) {
  struct whole w = check_division(who, a, b);
  value result = operate(w.a, w.b);
  return w.inexact ? make_flonum(integer_to_double(result)) : result;
}

static value
prim_quotient(value a, value b) {
  return divide("quotient", a, b, integer_quotient);
}

static value
prim_remainder(value a, value b) {
  return divide("remainder", a, b, integer_remainder);
}

static value
prim_modulo(value a, value b) {
  return divide("modulo", a, b, integer_modulo);
}

static value
prim_floor_quotient(value a, value b) {
  return divide("floor-quotient", a, b, integer_floor_quotient);
}

static value
two_values(value a, value b) {
  value v = vector_new(TYPE_VALUES, 2, a);
  vector_of(v)->items[1] = b;
  return v;
}

static value
prim_floor_both(value a, value b) {
  return two_values(prim_floor_quotient(a, b), prim_modulo(a, b));
}

static value
prim_truncate_both(value a, value b) {
  return two_values(prim_quotient(a, b), prim_remainder(a, b));
}

static value
absolute(value n) {
  return integer_sign(n) < 0 ? integer_sub(make_fixnum(0), n) : n;
}

static value
prim_gcd(uint32_t argc, value *argv) {
  value result = make_fixnum(0);
  for (uint32_t i = 0; i < argc; i++)
    result = integer_gcd(result, whole_of("gcd", argv[i]));
  return result;
}

static value
prim_lcm(uint32_t argc, value *argv) {
  value result = make_fixnum(1);
  for (uint32_t i = 0; i < argc; i++) {
    value n = whole_of("lcm", argv[i]);
    if (n == make_fixnum(0))
      return n;
    result = integer_mul(result, integer_quotient(absolute(n), integer_gcd(result, n)));
  }
  return result;
}

static value
prim_is_odd(value v) {
  return make_bool(integer_is_odd(whole_of("odd?", v)));
}

static value
prim_is_even(value v) {
  return make_bool(!integer_is_odd(whole_of("even?", v)));
}

static value
prim_exact_integer_sqrt(value v) {
  if (!is_exact_integer(v) || integer_sign(v) < 0)
    raise_type("exact-integer-sqrt", "an exact integer that is not negative", v);
  value rest, root = integer_sqrt(v, &rest);
  return two_values(root, rest);
}

static value
exact_of(const char *who, value v) {
  if (!is_exact_integer(v))
    raise_type(who, "an exact integer", v);
  return v;
}

static value
prim_and(uint32_t argc, value *argv) {
  value result = make_fixnum(-1);
  for (uint32_t i = 0; i < argc; i++)
    result = integer_and(result, exact_of("bitwise-and", argv[i]));
  return result;
}

static value
prim_or(uint32_t argc, value *argv) {
  value result = make_fixnum(0);
  for (uint32_t i = 0; i < argc; i++)
    result = integer_or(result, exact_of("bitwise-ior", argv[i]));
  return result;
}

static value
prim_xor(uint32_t argc, value *argv) {
  value result = make_fixnum(0);
  for (uint32_t i = 0; i < argc; i++)
    result = integer_xor(result, exact_of("bitwise-xor", argv[i]));
  return result;
}

static value
prim_not(value v) {
  return integer_not(exact_of("bitwise-not", v));
}

static value
prim_shift(value v, value bits) {
  enum { SHIFT_MAX = 1 << 30 };
  if (!is_fixnum(bits) || fixnum_of(bits) > SHIFT_MAX || fixnum_of(bits) < -SHIFT_MAX)
    raise_range("arithmetic-shift", bits);
  return integer_shift(exact_of("arithmetic-shift", v), fixnum_of(bits));
}

static value
prim_bit_length(value v) {
  return make_fixnum((intptr_t)integer_bit_length(exact_of("integer-length", v)));
}

const struct primitive_entry integer_primitives[] = {
    PRIMITIVE_2("quotient", prim_quotient),
    PRIMITIVE_2("remainder", prim_remainder),
    PRIMITIVE_2("modulo", prim_modulo),
    PRIMITIVE_2("truncate-quotient", prim_quotient),
    PRIMITIVE_2("truncate-remainder", prim_remainder),
    PRIMITIVE_2("floor-quotient", prim_floor_quotient),
    PRIMITIVE_2("floor-remainder", prim_modulo),
    PRIMITIVE_2("floor/", prim_floor_both),
    PRIMITIVE_2("truncate/", prim_truncate_both),
    PRIMITIVE_N("gcd", prim_gcd, 0, ANY_ARGUMENTS),
    PRIMITIVE_N("lcm", prim_lcm, 0, ANY_ARGUMENTS),
    PRIMITIVE_1("odd?", prim_is_odd),
    PRIMITIVE_1("even?", prim_is_even),
    PRIMITIVE_1("exact-integer-sqrt", prim_exact_integer_sqrt),
    PRIMITIVE_N("bitwise-and", prim_and, 0, ANY_ARGUMENTS),
    PRIMITIVE_N("bitwise-ior", prim_or, 0, ANY_ARGUMENTS),
    PRIMITIVE_N("bitwise-xor", prim_xor, 0, ANY_ARGUMENTS),
    PRIMITIVE_1("bitwise-not", prim_not),
    PRIMITIVE_2("arithmetic-shift", prim_shift),
    PRIMITIVE_1("integer-length", prim_bit_length),
    PRIMITIVE_END,
};
