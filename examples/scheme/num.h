// The numeric tower: fixnum, bignum, ratio, flonum.  Exact results are always in their smallest form, so
// that two equal exact numbers have the same type.
#ifndef SCHEME_NUM_H
#define SCHEME_NUM_H

#include "value.h"

enum num_level { NUM_FIXNUM, NUM_BIGNUM, NUM_RATIO, NUM_FLONUM, NUM_NONE };

static inline enum num_level
num_level(value v) {
  if (is_fixnum(v))
    return NUM_FIXNUM;
  if (is_flonum(v))
    return NUM_FLONUM;
  if (is_type(v, TYPE_BIGNUM))
    return NUM_BIGNUM;
  return is_type(v, TYPE_RATIO) ? NUM_RATIO : NUM_NONE;
}

static inline bool
is_number(value v) {
  return num_level(v) != NUM_NONE;
}

static inline bool
is_exact_integer(value v) {
  return num_level(v) <= NUM_BIGNUM;
}

void num_start(void); // hand GMP the collector's allocator

// num_int.c: exact integers.  Operands must be exact integers.
value integer_from_mpz(mpz_srcptr z);
value integer_from_double(double whole);
value integer_from_digits(const char *digits, int radix); // optional sign, then at least one digit; no checks
char *integer_to_digits(value n, int radix);
value integer_add(value a, value b);
value integer_sub(value a, value b);
value integer_mul(value a, value b);
value integer_quotient(value a, value b); // truncates; b is not zero, in all the divisions
value integer_remainder(value a, value b);
value integer_floor_quotient(value a, value b);
value integer_modulo(value a, value b);
value integer_gcd(value a, value b);
value integer_power(value base, unsigned long exponent);
value integer_sqrt(value n, value *remainder); // n >= 0
value integer_and(value a, value b);
value integer_or(value a, value b);
value integer_xor(value a, value b);
value integer_not(value n);
value integer_shift(value n, long bits);
size_t integer_bit_length(value n);
bool integer_is_odd(value n);
int integer_sign(value n);
int integer_compare(value a, value b);
double integer_to_double(value n);
uint64_t integer_hash(value n);

// num.c: the whole tower.  These raise an error when an operand is no number.
value num_add(value a, value b);
value num_sub(value a, value b);
value num_mul(value a, value b);
value num_div(value a, value b);
bool num_equal(value a, value b);
bool num_less(value a, value b);
bool num_less_equal(value a, value b);
int num_sign(const char *who, value v);
double num_to_double(const char *who, value v);
value num_to_exact(const char *who, value v);
value ratio_new(value num, value den); // reduced; den is not zero

// num_text.c
value num_parse(const char *text, int radix); // #f when text is no number
char *num_print(value v, int radix);

#endif
