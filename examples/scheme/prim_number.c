// Primitives on numbers of every kind: arithmetic, comparison, classification.
#include <math.h>

#include "num.h"
#include "primitives.h"

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
    PRIMITIVE_END,
};
