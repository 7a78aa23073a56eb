// Primitives on numbers of every kind.
#include <math.h>

#include "num.h"
#include "primitives.h"
#include "text.h"

static value
prim_add(uint32_t argc, value *argv) {
  value sum = make_fixnum(0);
  for (uint32_t i = 0; i < argc; i++)
    sum = num_add(sum, argv[i]);
  return sum;
}

static value
prim_mul(uint32_t argc, value *argv) {
  value product = make_fixnum(1);
  for (uint32_t i = 0; i < argc; i++)
    product = num_mul(product, argv[i]);
  return product;
}

static value
prim_sub(uint32_t argc, value *argv) {
  if (argc == 1)
    return is_flonum(argv[0]) ? make_flonum(-flonum_of(argv[0])) : num_sub(make_fixnum(0), argv[0]);
  value difference = argv[0];
  for (uint32_t i = 1; i < argc; i++)
    difference = num_sub(difference, argv[i]);
  return difference;
}

static value
prim_div(uint32_t argc, value *argv) {
  if (argc == 1)
    return num_div(make_fixnum(1), argv[0]);
  value quotient = argv[0];
  for (uint32_t i = 1; i < argc; i++)
    quotient = num_div(quotient, argv[i]);
  return quotient;
}

static bool
num_greater(value a, value b) {
  return num_less(b, a);
}

static bool
num_greater_equal(value a, value b) {
  return num_less_equal(b, a);
}

// Does the relation hold between all neighbours?  All are looked at, so that wrong types are found.
static value
chain(bool (*relation)(value, value), uint32_t argc, value *argv) {
  bool holds = true;
  if (argc == 1)
    relation(argv[0], argv[0]);
  for (uint32_t i = 0; i + 1 < argc; i++)
    holds &= relation(argv[i], argv[i + 1]);
  return make_bool(holds);
}

static value
prim_equal(uint32_t argc, value *argv) {
  return chain(num_equal, argc, argv);
}

static value
prim_less(uint32_t argc, value *argv) {
  return chain(num_less, argc, argv);
}

static value
prim_less_equal(uint32_t argc, value *argv) {
  return chain(num_less_equal, argc, argv);
}

static value
prim_greater(uint32_t argc, value *argv) {
  return chain(num_greater, argc, argv);
}

static value
prim_greater_equal(uint32_t argc, value *argv) {
  return chain(num_greater_equal, argc, argv);
}

// The extreme of the arguments; inexact when any of them is.
static value
extreme(bool (*better)(value, value), uint32_t argc, value *argv) {
  value best = argv[0];
  bool inexact = is_flonum(best);
  num_sign("max/min", best);
  for (uint32_t i = 1; i < argc; i++) {
    inexact |= is_flonum(argv[i]);
    if (better(argv[i], best))
      best = argv[i];
  }
  return inexact && !is_flonum(best) ? make_flonum(num_to_double("max", best)) : best;
}

static value
prim_max(uint32_t argc, value *argv) {
  return extreme(num_greater, argc, argv);
}

static value
prim_min(uint32_t argc, value *argv) {
  return extreme(num_less, argc, argv);
}

static value
prim_is_number(value v) {
  return make_bool(is_number(v));
}

static value
prim_is_integer(value v) {
  return make_bool(is_exact_integer(v) ||
                   (is_flonum(v) && flonum_of(v) == floor(flonum_of(v)) && isfinite(flonum_of(v))));
}

static value
prim_is_rational(value v) {
  return make_bool(is_number(v) && !(is_flonum(v) && !isfinite(flonum_of(v))));
}

static value
prim_is_exact(value v) {
  num_sign("exact?", v);
  return make_bool(!is_flonum(v));
}

static value
prim_is_inexact(value v) {
  num_sign("inexact?", v);
  return make_bool(is_flonum(v));
}

static value
prim_is_exact_integer(value v) {
  return make_bool(is_exact_integer(v));
}

static value
prim_is_nan(value v) {
  return make_bool(isnan(num_to_double("nan?", v)));
}

static value
prim_is_infinite(value v) {
  return make_bool(isinf(num_to_double("infinite?", v)));
}

static value
prim_is_finite(value v) {
  return make_bool(isfinite(num_to_double("finite?", v)));
}

static value
prim_is_positive(value v) {
  return make_bool(num_sign("positive?", v) > 0);
}

static value
prim_is_negative(value v) {
  return make_bool(num_sign("negative?", v) < 0);
}

static value
prim_abs(value v) {
  if (is_flonum(v))
    return make_flonum(fabs(flonum_of(v)));
  return num_sign("abs", v) < 0 ? num_sub(make_fixnum(0), v) : v;
}

static value
prim_exact(value v) {
  return num_to_exact("exact", v);
}

static value
prim_inexact(value v) {
  return is_flonum(v) ? v : make_flonum(num_to_double("inexact", v));
}

static value
prim_numerator(value v) {
  value exact = num_to_exact("numerator", v);
  value part = is_type(exact, TYPE_RATIO) ? ((struct ratio *)exact)->num : exact;
  return is_flonum(v) ? prim_inexact(part) : part;
}

static value
prim_denominator(value v) {
  value exact = num_to_exact("denominator", v);
  value part = is_type(exact, TYPE_RATIO) ? ((struct ratio *)exact)->den : make_fixnum(1);
  return is_flonum(v) ? prim_inexact(part) : part;
}

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

const struct primitive_entry number_primitives[] = {
    PRIMITIVE_N("+", prim_add, 0, ANY_ARGUMENTS),
    PRIMITIVE_N("*", prim_mul, 0, ANY_ARGUMENTS),
    PRIMITIVE_N("-", prim_sub, 1, ANY_ARGUMENTS),
    PRIMITIVE_N("/", prim_div, 1, ANY_ARGUMENTS),
    PRIMITIVE_N("=", prim_equal, 1, ANY_ARGUMENTS),
    PRIMITIVE_N("<", prim_less, 1, ANY_ARGUMENTS),
    PRIMITIVE_N("<=", prim_less_equal, 1, ANY_ARGUMENTS),
    PRIMITIVE_N(">", prim_greater, 1, ANY_ARGUMENTS),
    PRIMITIVE_N(">=", prim_greater_equal, 1, ANY_ARGUMENTS),
    PRIMITIVE_N("max", prim_max, 1, ANY_ARGUMENTS),
    PRIMITIVE_N("min", prim_min, 1, ANY_ARGUMENTS),
    PRIMITIVE_1("number?", prim_is_number),
    PRIMITIVE_1("complex?", prim_is_number),
    PRIMITIVE_1("real?", prim_is_number),
    PRIMITIVE_1("rational?", prim_is_rational),
    PRIMITIVE_1("integer?", prim_is_integer),
    PRIMITIVE_1("exact?", prim_is_exact),
    PRIMITIVE_1("inexact?", prim_is_inexact),
    PRIMITIVE_1("exact-integer?", prim_is_exact_integer),
    PRIMITIVE_1("nan?", prim_is_nan),
    PRIMITIVE_1("infinite?", prim_is_infinite),
    PRIMITIVE_1("finite?", prim_is_finite),
    PRIMITIVE_1("positive?", prim_is_positive),
    PRIMITIVE_1("negative?", prim_is_negative),
    PRIMITIVE_1("abs", prim_abs),
    PRIMITIVE_1("magnitude", prim_abs),
    PRIMITIVE_1("exact", prim_exact),
    PRIMITIVE_1("inexact->exact", prim_exact),
    PRIMITIVE_1("inexact", prim_inexact),
    PRIMITIVE_1("exact->inexact", prim_inexact),
    PRIMITIVE_1("numerator", prim_numerator),
    PRIMITIVE_1("denominator", prim_denominator),
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
