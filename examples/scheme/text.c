#include "text.h"

#include <stdio.h>
#include <string.h>

enum { UTF8_MAX = 4, NARROW_LIMIT = 256 };

size_t
utf8_encode(uint32_t c, uint8_t *out) {
  if (c < 0x80) {
    out[0] = (uint8_t)c;
    return 1;
  }
  size_t length = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
  for (size_t i = length - 1; i > 0; i--, c >>= 6)
    out[i] = (uint8_t)(0x80 | (c & 0x3F));
  out[0] = (uint8_t)((0xF00 >> length) | c);
  return length;
}

size_t
utf8_length(uint8_t lead) {
  return lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

uint32_t
utf8_decode(const uint8_t *bytes, size_t length) {
  if (length == 1)
    return bytes[0];
  uint32_t c = bytes[0] & (0x7FU >> length);
  for (size_t i = 1; i < length; i++)
    c = (c << 6) | (bytes[i] & 0x3F);
  return c;
}

static struct string *
string_alloc(size_t length, bool wide) {
  struct string *s = object_new(TYPE_STRING, sizeof *s);
  s->head.flags = wide ? STRING_WIDE : 0;
  s->length = length;
  s->chars = alloc_pointer_free(length * (wide ? sizeof(uint32_t) : 1) + 1);
  return s;
}

value
string_new(size_t length, uint32_t fill) {
  struct string *s = string_alloc(length, fill >= NARROW_LIMIT);
  for (size_t i = 0; i < length; i++)
    string_set(s, i, fill);
  return (value)s;
}

static void
string_widen(struct string *s) {
  uint32_t *wide = alloc_pointer_free(s->length * sizeof *wide + 1);
  for (size_t i = 0; i < s->length; i++)
    wide[i] = string_ref(s, i);
  s->chars = wide;
  s->head.flags |= STRING_WIDE;
}

void
string_set(struct string *s, size_t index, uint32_t c) {
  if (c >= NARROW_LIMIT && !(s->head.flags & STRING_WIDE))
    string_widen(s);
  if (s->head.flags & STRING_WIDE)
    ((uint32_t *)s->chars)[index] = c;
  else
    ((uint8_t *)s->chars)[index] = (uint8_t)c;
}

value
string_from_utf8(const uint8_t *utf8, size_t bytes) {
  size_t length = 0;
  bool wide = false;
  for (size_t i = 0; i < bytes; length++) {
    size_t step = utf8_length(utf8[i]);
    wide |= utf8[i] > 0xC3;
    i += step;
  }
  struct string *s = string_alloc(length, wide);
  for (size_t i = 0, at = 0; at < bytes; i++) {
    size_t step = utf8_length(utf8[at]);
    if (step > bytes - at)
      step = 1;
    string_set(s, i, utf8_decode(utf8 + at, step));
    at += step;
  }
  return (value)s;
}

value
string_from_c(const char *utf8) {
  return string_from_utf8((const uint8_t *)utf8, strlen(utf8));
}

void
string_blit(struct string *to, size_t at, struct string *from, size_t start, size_t end) {
  if ((to->head.flags & STRING_WIDE) == (from->head.flags & STRING_WIDE)) {
    size_t unit = to->head.flags & STRING_WIDE ? sizeof(uint32_t) : 1;
    memmove((char *)to->chars + at * unit, (char *)from->chars + start * unit, (end - start) * unit);
    return;
  }
  for (size_t i = start; i < end; i++)
    string_set(to, at + i - start, string_ref(from, i));
}

value
string_copy(struct string *s, size_t start, size_t end) {
  struct string *copy = string_alloc(end - start, s->head.flags & STRING_WIDE);
  string_blit(copy, 0, s, start, end);
  return (value)copy;
}

int
string_compare(const struct string *a, const struct string *b) {
  size_t common = a->length < b->length ? a->length : b->length;
  for (size_t i = 0; i < common; i++) {
    uint32_t x = string_ref(a, i), y = string_ref(b, i);
    if (x != y)
      return x < y ? -1 : 1;
  }
  return a->length == b->length ? 0 : a->length < b->length ? -1 : 1;
}

uint64_t
string_hash(const struct string *s) {
  uint64_t hash = 14695981039346656037U; // FNV-1a
  for (size_t i = 0; i < s->length; i++)
    hash = (hash ^ string_ref(s, i)) * 1099511628211U;
  return hash ^ (hash >> 32);
}

char *
string_to_c(const struct string *s) {
  uint8_t *utf8 = alloc_pointer_free(s->length * UTF8_MAX + 1);
  size_t at = 0;
  for (size_t i = 0; i < s->length; i++)
    at += utf8_encode(string_ref(s, i), utf8 + at);
  utf8[at] = '\0';
  return (char *)utf8;
}

// The symbol table: buckets of symbols chained through symbol.next, doubled when full.
static struct symbol **symbol_buckets;
static size_t symbol_bucket_count;
static size_t symbol_count;

static value
symbol_new(value name, uint64_t hash) {
  struct symbol *s = object_new(TYPE_SYMBOL, sizeof *s);
  s->name = name;
  s->hash = hash;
  s->global = UNBOUND;
  return (value)s;
}

static void
symbol_table_grow(void) {
  size_t count = symbol_bucket_count ? 2 * symbol_bucket_count : 1024;
  struct symbol **buckets = alloc_scanned(count * sizeof *buckets);
  for (size_t i = 0; i < symbol_bucket_count; i++) {
    for (struct symbol *s = symbol_buckets[i], *next; s != NULL; s = next) {
      next = s->next;
      s->next = buckets[s->hash % count];
      buckets[s->hash % count] = s;
    }
  }
  symbol_buckets = buckets;
  symbol_bucket_count = count;
}

value
symbol_intern(value name) {
  if (symbol_count >= symbol_bucket_count)
    symbol_table_grow();
  uint64_t hash = string_hash(string_of(name));
  struct symbol **bucket = &symbol_buckets[hash % symbol_bucket_count];
  for (struct symbol *s = *bucket; s != NULL; s = s->next)
    if (s->hash == hash && string_compare(string_of(s->name), string_of(name)) == 0)
      return (value)s;
  struct string *own = string_of(name);
  struct symbol *s = symbol_of(symbol_new(string_copy(own, 0, own->length), hash));
  s->next = *bucket;
  *bucket = s;
  symbol_count++;
  return (value)s;
}

value
symbol_from_c(const char *name) {
  return symbol_intern(string_from_c(name));
}

value
symbol_generate(void) {
  static unsigned long serial;
  char name[32];
  snprintf(name, sizeof name, "g%lu", ++serial);
  return symbol_new(string_from_c(name), serial);
}
