// Exact integers: machine words while they fit 63 bits, GMP beyond.
//
// GMP's limbs come from the collector as pointer-free memory (num_start).  Temporary limbs are given back
// at once, those of a live bignum are found through the pointer in its mpz_t and die with it.
#include <math.h>
#include <string.h>

#include "num.h"

// A read-only view of an exact integer as GMP sees it, needing no memory for fixnums.
struct view {
  mpz_t z;
  mp_limb_t limb;
};

static mpz_srcptr
view_of(struct view *view, value n) {
  if (!is_fixnum(n))
    return ((struct bignum *)n)->z;
  intptr_t word = fixnum_of(n);
  view->limb = word < 0 ? -(mp_limb_t)word : (mp_limb_t)word;
  return mpz_roinit_n(view->z, &view->limb, word < 0 ? -1 : word > 0);
}

static void *
limbs_alloc(size_t bytes) {
  return alloc_pointer_free(bytes);
}

static void *
limbs_resize(void *limbs, size_t old_bytes, size_t bytes) {
  (void)old_bytes;
  return alloc_resize(limbs, bytes);
}

static void
limbs_release(void *limbs, size_t bytes) {
  (void)bytes;
  alloc_release(limbs);
}

void
num_start(void) {
  mp_set_memory_functions(limbs_alloc, limbs_resize, limbs_release);
}

static struct bignum *
bignum_new(void) {
  struct bignum *n = object_new(TYPE_BIGNUM, sizeof *n);
  mpz_init(n->z);
  return n;
}

// The smallest form of a freshly computed result.
static value
bignum_settle(struct bignum *n) {
  if (mpz_fits_slong_p(n->z)) {
    long word = mpz_get_si(n->z);
    if (fits_fixnum(word)) {
      mpz_clear(n->z);
      return make_fixnum(word);
    }
  }
  return (value)n;
}

static value
integer_from_word(intptr_t word) {
  if (fits_fixnum(word))
    return make_fixnum(word);
  struct bignum *n = bignum_new();
  mpz_set_si(n->z, word);
  return (value)n;
}

value
integer_from_mpz(mpz_srcptr z) {
  struct bignum *n = bignum_new();
  mpz_set(n->z, z);
  return bignum_settle(n);
}

value
integer_from_double(double whole) {
  struct bignum *n = bignum_new();
  mpz_set_d(n->z, whole);
  return bignum_settle(n);
}

value
integer_from_digits(const char *digits, int radix) {
  struct bignum *n = bignum_new();
  mpz_set_str(n->z, *digits == '+' ? digits + 1 : digits, radix);
  return bignum_settle(n);
}

char *
integer_to_digits(value n, int radix) {
  struct view view;
  mpz_srcptr z = view_of(&view, n);
  char *digits = alloc_pointer_free(mpz_sizeinbase(z, radix) + 2);
  return mpz_get_str(digits, radix, z);
}

static value
big_binary(void (*operate)(mpz_ptr, mpz_srcptr, mpz_srcptr), value a, value b) {
  struct view x, y;
  struct bignum *result = bignum_new();
  operate(result->z, view_of(&x, a), view_of(&y, b));
  return bignum_settle(result);
}

value
integer_add(value a, value b) {
  if (are_fixnums(a, b))
    return integer_from_word(fixnum_of(a) + fixnum_of(b));
  return big_binary(mpz_add, a, b);
}

value
integer_sub(value a, value b) {
  if (are_fixnums(a, b))
    return integer_from_word(fixnum_of(a) - fixnum_of(b));
  return big_binary(mpz_sub, a, b);
}

value
integer_mul(value a, value b) {
  intptr_t product;
  if (are_fixnums(a, b) && !__builtin_mul_overflow(fixnum_of(a), fixnum_of(b), &product))
    return integer_from_word(product);
  return big_binary(mpz_mul, a, b);
}

value
integer_quotient(value a, value b) {
  if (are_fixnums(a, b))
    return integer_from_word(fixnum_of(a) / fixnum_of(b));
  return big_binary(mpz_tdiv_q, a, b);
}

value
integer_remainder(value a, value b) {
  if (are_fixnums(a, b))
    return make_fixnum(fixnum_of(a) % fixnum_of(b));
  return big_binary(mpz_tdiv_r, a, b);
}

value
integer_floor_quotient(value a, value b) {
  return big_binary(mpz_fdiv_q, a, b);
}

value
integer_modulo(value a, value b) {
  if (!are_fixnums(a, b))
    return big_binary(mpz_fdiv_r, a, b);
  intptr_t divisor = fixnum_of(b), rest = fixnum_of(a) % divisor;
  return make_fixnum(rest != 0 && (rest < 0) != (divisor < 0) ? rest + divisor : rest);
}

value
integer_gcd(value a, value b) {
  return big_binary(mpz_gcd, a, b);
}

value
integer_power(value base, unsigned long exponent) {
  struct view view;
  struct bignum *result = bignum_new();
  mpz_pow_ui(result->z, view_of(&view, base), exponent);
  return bignum_settle(result);
}

value
integer_sqrt(value n, value *remainder) {
  struct view view;
  struct bignum *root = bignum_new(), *rest = bignum_new();
  mpz_sqrtrem(root->z, rest->z, view_of(&view, n));
  *remainder = bignum_settle(rest);
  return bignum_settle(root);
}

value
integer_and(value a, value b) {
  return big_binary(mpz_and, a, b);
}

value
integer_or(value a, value b) {
  return big_binary(mpz_ior, a, b);
}

value
integer_xor(value a, value b) {
  return big_binary(mpz_xor, a, b);
}

value
integer_not(value n) {
  return integer_sub(make_fixnum(-1), n);
}

value
integer_shift(value n, long bits) {
  struct view view;
  struct bignum *result = bignum_new();
  if (bits >= 0)
    mpz_mul_2exp(result->z, view_of(&view, n), (mp_bitcnt_t)bits);
  else
    mpz_fdiv_q_2exp(result->z, view_of(&view, n), (mp_bitcnt_t)-bits);
  return bignum_settle(result);
}

size_t
integer_bit_length(value n) {
  struct view view;
  value magnitude = integer_sign(n) < 0 ? integer_not(n) : n;
  return magnitude == make_fixnum(0) ? 0 : mpz_sizeinbase(view_of(&view, magnitude), 2);
}

bool
integer_is_odd(value n) {
  struct view view;
  return is_fixnum(n) ? fixnum_of(n) & 1 : mpz_odd_p(view_of(&view, n));
}

int
integer_sign(value n) {
  struct view view;
  return mpz_sgn(view_of(&view, n));
}

int
integer_compare(value a, value b) {
  struct view x, y;
  return mpz_cmp(view_of(&x, a), view_of(&y, b));
}

// Rounds to nearest, where mpz_get_d truncates: adds the half of the last bit that counts before truncating.
double
integer_to_double(value n) {
  if (is_fixnum(n))
    return (double)fixnum_of(n);
  size_t bits = integer_bit_length(n);
  if (bits <= 64)
    return mpz_get_d(((struct bignum *)n)->z);
  if (bits > 1100)
    return integer_sign(n) < 0 ? -INFINITY : INFINITY;
  long shift = (long)bits - 62;
  value top = integer_shift(n, -shift);
  bool exact = integer_compare(integer_shift(top, shift), n) == 0;
  return ldexp((double)(fixnum_of(top) | !exact), (int)shift);
}

uint64_t
integer_hash(value n) {
  if (is_fixnum(n))
    return (uint64_t)fixnum_of(n);
  struct bignum *big = (struct bignum *)n;
  uint64_t hash = 0;
  for (size_t i = 0; i < mpz_size(big->z); i++)
    hash = hash * 31 + mpz_getlimbn(big->z, (mp_size_t)i);
  return hash;
}
