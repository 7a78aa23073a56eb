// Primitives on real numbers: rounding, roots and powers, transcendental functions, conversion to text and
// back.
#include <math.h>

#include "num.h"
#include "primitives.h"
#include "text.h"

static value
ratio_floor(value v) {
  return integer_floor_quotient(((struct ratio *)v)->num, ((struct ratio *)v)->den);
}

// Round with the C function; ratios by way of their floor and `exact_round`.
static value
rounding(const char *who, value v, double (*inexact)(double), value (*exact)(value)) {
  if (is_flonum(v))
    return make_flonum(inexact(flonum_of(v)));
  num_sign(who, v);
  return is_type(v, TYPE_RATIO) ? exact(v) : v;
}

static value
ratio_ceiling(value v) {
  return integer_add(ratio_floor(v), make_fixnum(1));
}

static value
ratio_truncate(value v) {
  return integer_quotient(((struct ratio *)v)->num, ((struct ratio *)v)->den);
}

static value
ratio_round(value v) {
  value low = ratio_floor(v), twice = num_mul(num_sub(v, low), make_fixnum(2));
  bool up = num_less(make_fixnum(1), twice) || (num_equal(twice, make_fixnum(1)) && integer_is_odd(low));
  return up ? integer_add(low, make_fixnum(1)) : low;
}

static value
prim_floor(value v) {
  return rounding("floor", v, floor, ratio_floor);
}

static value
prim_ceiling(value v) {
  return rounding("ceiling", v, ceil, ratio_ceiling);
}

static value
prim_truncate(value v) {
  return rounding("truncate", v, trunc, ratio_truncate);
}

static value
prim_round(value v) {
  return rounding("round", v, nearbyint, ratio_round);
}

// Functions of one real that are always inexact.
#define REAL_FUNCTION(name, function)                      \
  static value prim_##name(value v) {                      \
    return make_flonum(function(num_to_double(#name, v))); \
  }

REAL_FUNCTION(sin, sin)
REAL_FUNCTION(cos, cos)
REAL_FUNCTION(tan, tan)
REAL_FUNCTION(asin, asin)
REAL_FUNCTION(acos, acos)

// exp(0) is exactly 1.
static value
prim_exp(value v) {
  return v == make_fixnum(0) ? make_fixnum(1) : make_flonum(exp(num_to_double("exp", v)));
}

static value
prim_log(uint32_t argc, value *argv) {
  double d = log(num_to_double("log", argv[0]));
  return make_flonum(argc == 2 ? d / log(num_to_double("log", argv[1])) : d);
}

static value
prim_atan(uint32_t argc, value *argv) {
  double y = num_to_double("atan", argv[0]);
  return make_flonum(argc == 2 ? atan2(y, num_to_double("atan", argv[1])) : atan(y));
}

static value
exact_sqrt(value v) {
  value rest, root = integer_sqrt(v, &rest);
  return rest == make_fixnum(0) ? root : FALSE_VALUE;
}

static value
prim_sqrt(value v) {
  if (num_sign("sqrt", v) < 0)
    raise_type("sqrt", "a number that is not negative", v);
  value root = FALSE_VALUE;
  if (is_exact_integer(v)) {
    root = exact_sqrt(v);
  } else if (is_type(v, TYPE_RATIO)) {
    value num = exact_sqrt(((struct ratio *)v)->num), den = exact_sqrt(((struct ratio *)v)->den);
    root = is_true(num) && is_true(den) ? ratio_new(num, den) : FALSE_VALUE;
  }
  return is_true(root) ? root : make_flonum(sqrt(num_to_double("sqrt", v)));
}

static value
exact_power(value base, value exponent) {
  intptr_t n = fixnum_of(exponent);
  if (n < 0)
    return num_div(make_fixnum(1), exact_power(base, make_fixnum(-n)));
  if (is_exact_integer(base))
    return integer_power(base, (unsigned long)n);
  struct ratio *r = (struct ratio *)base;
  return ratio_new(integer_power(r->num, (unsigned long)n), integer_power(r->den, (unsigned long)n));
}

static value
prim_expt(value base, value exponent) {
  if (is_number(base) && !is_flonum(base) && is_fixnum(exponent))
    return exact_power(base, exponent);
  return make_flonum(pow(num_to_double("expt", base), num_to_double("expt", exponent)));
}

static int
check_radix(const char *who, uint32_t argc, value *argv) {
  if (argc < 2)
    return 10;
  size_t radix = check_index(who, argv[1], 36);
  if (radix < 2)
    raise_range(who, argv[1]);
  return (int)radix;
}

static value
prim_number_to_string(uint32_t argc, value *argv) {
  num_sign("number->string", argv[0]);
  return string_from_c(num_print(argv[0], check_radix("number->string", argc, argv)));
}

static value
prim_string_to_number(uint32_t argc, value *argv) {
  check_type("string->number", "a string", argv[0], TYPE_STRING);
  return num_parse(string_to_c(string_of(argv[0])), check_radix("string->number", argc, argv));
}

const struct primitive_entry real_primitives[] = {
    PRIMITIVE_1("floor", prim_floor),
    PRIMITIVE_1("ceiling", prim_ceiling),
    PRIMITIVE_1("truncate", prim_truncate),
    PRIMITIVE_1("round", prim_round),
    PRIMITIVE_1("sin", prim_sin),
    PRIMITIVE_1("cos", prim_cos),
    PRIMITIVE_1("tan", prim_tan),
    PRIMITIVE_1("asin", prim_asin),
    PRIMITIVE_1("acos", prim_acos),
    PRIMITIVE_N("atan", prim_atan, 1, 2),
    PRIMITIVE_1("exp", prim_exp),
    PRIMITIVE_N("log", prim_log, 1, 2),
    PRIMITIVE_1("sqrt", prim_sqrt),
    PRIMITIVE_2("expt", prim_expt),
    PRIMITIVE_N("number->string", prim_number_to_string, 1, 2),
    PRIMITIVE_N("string->number", prim_string_to_number, 1, 2),
    PRIMITIVE_END,
};
