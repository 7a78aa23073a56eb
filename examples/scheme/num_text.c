// Numbers as text: the reader's number syntax and shortest round-trip printing.
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "num.h"

enum { FLONUM_TEXT_MAX = 40, DOUBLE_DIGITS_MIN = 15, DOUBLE_DIGITS_MAX = 17 };

static int
digit_value(char c) {
  if (isdigit((unsigned char)c))
    return c - '0';
  return isalpha((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10 : 99;
}

// True when text is an optional sign and one or more digits.
static bool
is_integer_text(const char *text, int radix) {
  text += *text == '+' || *text == '-';
  if (*text == '\0')
    return false;
  while (*text != '\0' && digit_value(*text) < radix)
    text++;
  return *text == '\0';
}

// Digits with at most one point and one exponent: what strtod takes, without its hexadecimal, inf and nan.
static bool
is_decimal_text(const char *text) {
  text += *text == '+' || *text == '-';
  size_t whole = strspn(text, "0123456789");
  text += whole;
  size_t fraction = 0;
  if (*text == '.') {
    fraction = strspn(text + 1, "0123456789");
    text += 1 + fraction;
  }
  if (whole + fraction == 0)
    return false;
  if (*text != 'e' && *text != 'E')
    return *text == '\0';
  text++;
  text += *text == '+' || *text == '-';
  size_t exponent = strspn(text, "0123456789");
  return exponent > 0 && text[exponent] == '\0';
}

static value
parse_special(const char *text) {
  if (strcasecmp(text, "+inf.0") == 0)
    return make_flonum(INFINITY);
  if (strcasecmp(text, "-inf.0") == 0)
    return make_flonum(-INFINITY);
  if (strcasecmp(text, "+nan.0") == 0 || strcasecmp(text, "-nan.0") == 0)
    return make_flonum(NAN);
  return FALSE_VALUE;
}

static value
parse_ratio(const char *text, const char *slash, int radix) {
  size_t length = (size_t)(slash - text);
  char *num = alloc_pointer_free(length + 1);
  memcpy(num, text, length);
  num[length] = '\0';
  if (!is_integer_text(num, radix) || !isalnum((unsigned char)slash[1]) || !is_integer_text(slash + 1, radix))
    return FALSE_VALUE;
  value den = integer_from_digits(slash + 1, radix);
  return den == make_fixnum(0) ? FALSE_VALUE : ratio_new(integer_from_digits(num, radix), den);
}

static value
parse_real(const char *text, int radix) {
  if (is_integer_text(text, radix))
    return integer_from_digits(text, radix);
  const char *slash = strchr(text, '/');
  if (slash != NULL)
    return parse_ratio(text, slash, radix);
  if (radix == 10 && is_decimal_text(text))
    return make_flonum(strtod(text, NULL));
  return parse_special(text);
}

value
num_parse(const char *text, int radix) {
  char exactness = 0;
  for (; text[0] == '#' && text[1] != '\0'; text += 2) {
    switch (tolower((unsigned char)text[1])) {
    case 'x':
      radix = 16;
      break;
    case 'b':
      radix = 2;
      break;
    case 'o':
      radix = 8;
      break;
    case 'd':
      radix = 10;
      break;
    case 'e':
    case 'i':
      exactness = (char)tolower((unsigned char)text[1]);
      break;
    default:
      return FALSE_VALUE;
    }
  }
  value v = parse_real(text, radix);
  if (v == FALSE_VALUE || exactness == 0)
    return v;
  return exactness == 'e' ? num_to_exact("#e", v) : make_flonum(num_to_double("#i", v));
}

static char *
flonum_print(double d) {
  char *text = alloc_pointer_free(FLONUM_TEXT_MAX);
  if (isnan(d))
    return strcpy(text, "+nan.0");
  if (isinf(d))
    return strcpy(text, d < 0 ? "-inf.0" : "+inf.0");
  for (int digits = DOUBLE_DIGITS_MIN; digits <= DOUBLE_DIGITS_MAX; digits++) {
    snprintf(text, FLONUM_TEXT_MAX, "%.*g", digits, d);
    if (strtod(text, NULL) == d)
      break;
  }
  char *plus = strchr(text, '+'); // 1e+21 is 1e21
  if (plus != NULL)
    memmove(plus, plus + 1, strlen(plus));
  if (strpbrk(text, ".e") == NULL)
    strcat(text, ".0");
  return text;
}

char *
num_print(value v, int radix) {
  if (is_flonum(v))
    return flonum_print(flonum_of(v));
  if (is_exact_integer(v))
    return integer_to_digits(v, radix);
  struct ratio *r = (struct ratio *)v;
  char *num = integer_to_digits(r->num, radix), *den = integer_to_digits(r->den, radix);
  size_t bytes = strlen(num) + strlen(den) + 2;
  char *text = alloc_pointer_free(bytes);
  snprintf(text, bytes, "%s/%s", num, den);
  return text;
}
