// Hash tables: chained buckets, doubled when full.
#ifndef SCHEME_TABLE_H
#define SCHEME_TABLE_H

#include "value.h"

enum table_kind { TABLE_EQ, TABLE_EQV, TABLE_EQUAL, TABLE_STRING };

struct table_entry {
  struct table_entry *next;
  uint64_t hash;
  value key;
  value content;
};

struct table {
  struct object head; // flags: enum table_kind
  size_t count;
  size_t bucket_count; // power of two
  struct table_entry **buckets;
};

value table_new(enum table_kind kind);
value table_ref(const struct table *table, value key, value otherwise);
void table_set(struct table *table, value key, value content);
bool table_delete(struct table *table, value key);
void table_clear(struct table *table);
value table_copy(const struct table *table);

// The entries as a list of (key . content) pairs, in no order.
value table_to_alist(const struct table *table);

uint64_t hash_equal(value v);

#endif
