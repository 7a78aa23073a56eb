// Strings and symbols.  A string holds one byte a character while all are below 256, else four; the rest of
// the interpreter sees code points, and UTF-8 at its borders.
#ifndef SCHEME_TEXT_H
#define SCHEME_TEXT_H

#include "value.h"

value string_new(size_t length, uint32_t fill);
value string_from_c(const char *utf8);
value string_from_utf8(const uint8_t *utf8, size_t bytes);
value string_copy(struct string *s, size_t start, size_t end);
void string_blit(struct string *to, size_t at, struct string *from, size_t start, size_t end); // may overlap
void string_set(struct string *s, size_t index, uint32_t code_point);
int string_compare(const struct string *a, const struct string *b);
uint64_t string_hash(const struct string *s);

// NUL-terminated UTF-8 copy.
char *string_to_c(const struct string *s);

static inline uint32_t
string_ref(const struct string *s, size_t index) {
  if (s->head.flags & STRING_WIDE)
    return ((const uint32_t *)s->chars)[index];
  return ((const uint8_t *)s->chars)[index];
}

// Write code_point as UTF-8 to out (at most 4 bytes); returns the number of bytes.
size_t utf8_encode(uint32_t code_point, uint8_t *out);

// The number of bytes of the sequence that starts with lead.
size_t utf8_length(uint8_t lead);

// Decode the sequence of the given length.
uint32_t utf8_decode(const uint8_t *bytes, size_t length);

value symbol_intern(value name);
value symbol_from_c(const char *name);
value symbol_generate(void); // an uninterned symbol, different from all others

#endif
