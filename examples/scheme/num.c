// Arithmetic over the whole tower: both operands are lifted to the higher of their levels.
#include "num.h"

#include <math.h>

#include "error.h"

static value
numerator(value v) {
  return is_type(v, TYPE_RATIO) ? ((struct ratio *)v)->num : v;
}

static value
denominator(value v) {
  return is_type(v, TYPE_RATIO) ? ((struct ratio *)v)->den : make_fixnum(1);
}

value
ratio_new(value num, value den) {
  if (integer_sign(den) < 0) {
    num = integer_sub(make_fixnum(0), num);
    den = integer_sub(make_fixnum(0), den);
  }
  value common = integer_gcd(num, den);
  num = integer_quotient(num, common);
  den = integer_quotient(den, common);
  if (den == make_fixnum(1))
    return num;
  struct ratio *r = object_new(TYPE_RATIO, sizeof *r);
  r->num = num;
  r->den = den;
  return (value)r;
}

// The level at which a and b meet, raising an error if either is no number.
static enum num_level
common_level(const char *who, value a, value b) {
  enum num_level x = num_level(a), y = num_level(b);
  if (x == NUM_NONE)
    raise_type(who, "a number", a);
  if (y == NUM_NONE)
    raise_type(who, "a number", b);
  return x > y ? x : y;
}

// A ratio as a double, scaled so that huge numerators and denominators do not overflow.
static double
ratio_to_double(value v) {
  value num = numerator(v), den = denominator(v);
  long shift = (long)integer_bit_length(den) - (long)integer_bit_length(num) + 64;
  value scaled = shift >= 0 ? integer_quotient(integer_shift(num, shift), den)
                            : integer_quotient(num, integer_shift(den, -shift));
  return ldexp(integer_to_double(scaled), (int)-shift);
}

double
num_to_double(const char *who, value v) {
  switch (num_level(v)) {
  case NUM_FLONUM:
    return flonum_of(v);
  case NUM_FIXNUM:
  case NUM_BIGNUM:
    return integer_to_double(v);
  case NUM_RATIO:
    return ratio_to_double(v);
  default:
    raise_type(who, "a number", v);
  }
}

static value
exact_from_double(double d) {
  int exponent;
  double fraction = frexp(d, &exponent);
  value mantissa = integer_from_double(ldexp(fraction, 53));
  exponent -= 53;
  if (exponent >= 0)
    return integer_shift(mantissa, exponent);
  return ratio_new(mantissa, integer_shift(make_fixnum(1), -exponent));
}

value
num_to_exact(const char *who, value v) {
  if (!is_flonum(v)) {
    if (!is_number(v))
      raise_type(who, "a number", v);
    return v;
  }
  double d = flonum_of(v);
  if (!isfinite(d))
    raise_type(who, "a finite number", v);
  return d == floor(d) ? integer_from_double(d) : exact_from_double(d);
}

value
num_add(value a, value b) {
  switch (common_level("+", a, b)) {
  case NUM_FLONUM:
    return make_flonum(num_to_double("+", a) + num_to_double("+", b));
  case NUM_RATIO:
    return ratio_new(
        integer_add(integer_mul(numerator(a), denominator(b)), integer_mul(numerator(b), denominator(a))),
        integer_mul(denominator(a), denominator(b)));
  default:
    return integer_add(a, b);
  }
}

value
num_sub(value a, value b) {
  switch (common_level("-", a, b)) {
  case NUM_FLONUM:
    return make_flonum(num_to_double("-", a) - num_to_double("-", b));
  case NUM_RATIO:
    return ratio_new(
        integer_sub(integer_mul(numerator(a), denominator(b)), integer_mul(numerator(b), denominator(a))),
        integer_mul(denominator(a), denominator(b)));
  default:
    return integer_sub(a, b);
  }
}

value
num_mul(value a, value b) {
  switch (common_level("*", a, b)) {
  case NUM_FLONUM:
    return make_flonum(num_to_double("*", a) * num_to_double("*", b));
  case NUM_RATIO:
    return ratio_new(integer_mul(numerator(a), numerator(b)), integer_mul(denominator(a), denominator(b)));
  default:
    return integer_mul(a, b);
  }
}

value
num_div(value a, value b) {
  enum num_level level = common_level("/", a, b);
  if (b == make_fixnum(0))
    raise_error("/: division by zero", list1(a));
  if (level == NUM_FLONUM)
    return make_flonum(num_to_double("/", a) / num_to_double("/", b));
  return ratio_new(integer_mul(numerator(a), denominator(b)), integer_mul(denominator(a), numerator(b)));
}

// Cross-multiplied comparison of exact numbers.
static int
exact_compare(value a, value b) {
  return integer_compare(integer_mul(numerator(a), denominator(b)),
                         integer_mul(numerator(b), denominator(a)));
}

bool
num_equal(value a, value b) {
  if (common_level("=", a, b) == NUM_FLONUM)
    return num_to_double("=", a) == num_to_double("=", b);
  return exact_compare(a, b) == 0;
}

bool
num_less(value a, value b) {
  if (common_level("<", a, b) == NUM_FLONUM)
    return num_to_double("<", a) < num_to_double("<", b);
  return exact_compare(a, b) < 0;
}

bool
num_less_equal(value a, value b) {
  if (common_level("<=", a, b) == NUM_FLONUM)
    return num_to_double("<=", a) <= num_to_double("<=", b);
  return exact_compare(a, b) <= 0;
}

int
num_sign(const char *who, value v) {
  switch (num_level(v)) {
  case NUM_FLONUM:
    return (flonum_of(v) > 0) - (flonum_of(v) < 0);
  case NUM_NONE:
    raise_type(who, "a number", v);
  default:
    return integer_sign(numerator(v));
  }
}
