#include "table.h"

#include <string.h>

#include "error.h"
#include "num.h"
#include "text.h"

enum {
  INITIAL_BUCKETS = 8,
  HASH_DEPTH = 4,  // nesting that hash_equal looks into
  HASH_WIDTH = 16, // elements that hash_equal looks at on each level
};

static uint64_t
hash_mix(uint64_t h) {
  h ^= h >> 33;
  h *= 0xff51afd7ed558ccdU;
  return h ^ (h >> 32);
}

static uint64_t
hash_eq(value v) {
  return hash_mix(bits_of(v) >> 1);
}

static uint64_t
hash_eqv(value v) {
  switch (num_level(v)) {
  case NUM_BIGNUM:
    return hash_mix(integer_hash(v));
  case NUM_RATIO:
    return hash_mix(integer_hash(((struct ratio *)v)->num) * 31 + integer_hash(((struct ratio *)v)->den));
  case NUM_FLONUM: {
    double d = flonum_of(v);
    uint64_t bits;
    memcpy(&bits, &d, sizeof bits);
    return hash_mix(bits);
  }
  default:
    return hash_eq(v);
  }
}

static uint64_t
hash_at_depth(value v, int depth) {
  uint64_t hash = 17;
  if (is_pair(v)) {
    for (int i = 0; is_pair(v) && i < HASH_WIDTH && depth > 0; v = cdr(v), i++)
      hash = hash * 31 + hash_at_depth(car(v), depth - 1);
    return hash_mix(hash + 1);
  }
  if (is_vector(v)) {
    for (size_t i = 0; i < vector_of(v)->length && i < HASH_WIDTH && depth > 0; i++)
      hash = hash * 31 + hash_at_depth(vector_of(v)->items[i], depth - 1);
    return hash_mix(hash + 2);
  }
  if (is_string(v))
    return string_hash(string_of(v));
  if (is_type(v, TYPE_BYTEVECTOR)) {
    for (size_t i = 0; i < bytevector_of(v)->length; i++)
      hash = hash * 31 + bytevector_of(v)->bytes[i];
    return hash_mix(hash + 3);
  }
  return hash_eqv(v);
}

uint64_t
hash_equal(value v) {
  return hash_at_depth(v, HASH_DEPTH);
}

static uint64_t
table_hash(const struct table *table, value key) {
  switch (table->head.flags) {
  case TABLE_EQ:
    return hash_eq(key);
  case TABLE_EQV:
    return hash_eqv(key);
  case TABLE_STRING:
    if (!is_string(key))
      raise_type("hash table of strings", "a string as key", key);
    return string_hash(string_of(key));
  default:
    return hash_equal(key);
  }
}

static bool
keys_match(const struct table *table, value a, value b) {
  if (a == b)
    return true;
  switch (table->head.flags) {
  case TABLE_EQ:
    return false;
  case TABLE_EQV:
    return values_eqv(a, b);
  case TABLE_STRING:
    return string_compare(string_of(a), string_of(b)) == 0;
  default:
    return values_equal(a, b);
  }
}

value
table_new(enum table_kind kind) {
  struct table *table = object_new(TYPE_TABLE, sizeof *table);
  table->head.flags = kind;
  table_clear(table);
  return (value)table;
}

void
table_clear(struct table *table) {
  table->count = 0;
  table->bucket_count = INITIAL_BUCKETS;
  table->buckets = alloc_scanned(INITIAL_BUCKETS * sizeof *table->buckets);
}

// The link that points to key's entry, or the NULL link at the end of its chain.
static struct table_entry **
table_find(const struct table *table, value key, uint64_t hash) {
  struct table_entry **link = &table->buckets[hash & (table->bucket_count - 1)];
  while (*link != NULL && ((*link)->hash != hash || !keys_match(table, (*link)->key, key)))
    link = &(*link)->next;
  return link;
}

value
table_ref(const struct table *table, value key, value otherwise) {
  struct table_entry *entry = *table_find(table, key, table_hash(table, key));
  return entry == NULL ? otherwise : entry->content;
}

static void
table_grow(struct table *table) {
  size_t count = 2 * table->bucket_count;
  struct table_entry **buckets = alloc_scanned(count * sizeof *buckets);
  for (size_t i = 0; i < table->bucket_count; i++) {
    for (struct table_entry *e = table->buckets[i], *next; e != NULL; e = next) {
      next = e->next;
      e->next = buckets[e->hash & (count - 1)];
      buckets[e->hash & (count - 1)] = e;
    }
  }
  table->buckets = buckets;
  table->bucket_count = count;
}

void
table_set(struct table *table, value key, value content) {
  uint64_t hash = table_hash(table, key);
  struct table_entry **link = table_find(table, key, hash);
  if (*link != NULL) {
    (*link)->content = content;
    return;
  }
  struct table_entry *entry = alloc_scanned(sizeof *entry);
  *entry = (struct table_entry){.next = NULL, .hash = hash, .key = key, .content = content};
  *link = entry;
  if (++table->count > table->bucket_count)
    table_grow(table);
}

bool
table_delete(struct table *table, value key) {
  struct table_entry **link = table_find(table, key, table_hash(table, key));
  if (*link == NULL)
    return false;
  *link = (*link)->next;
  table->count--;
  return true;
}

value
table_copy(const struct table *table) {
  value copy = table_new(table->head.flags);
  for (size_t i = 0; i < table->bucket_count; i++)
    for (struct table_entry *e = table->buckets[i]; e != NULL; e = e->next)
      table_set((struct table *)copy, e->key, e->content);
  return copy;
}

value
table_to_alist(const struct table *table) {
  value list = NIL;
  for (size_t i = 0; i < table->bucket_count; i++)
    for (struct table_entry *e = table->buckets[i]; e != NULL; e = e->next)
      list = cons(cons(e->key, e->content), list);
  return list;
}
