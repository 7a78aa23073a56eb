// Which registrations a pause looks at: all, or the young ones, when those are known to be enough.
#pragma once

#include "refs/table.h"

struct gc_ref_scope {
  bool all;
  bool minor; // in a minor cycle, which decides nothing about soft references
};

struct gc_ref_item {
  struct gc_ref_node *node; // NULL: none
  uint32_t index;
};

// The next registration after *position in a table, none at the end; *position is 0 at first.  Registrations
// may be removed meanwhile.
static inline struct gc_ref_item
gc_ref_scope_next_item(struct gc_ref_scope scope, const struct gc_ref_table *table, size_t *position) {
  size_t limit = scope.all ? gc_ref_table_limit(table) : gc_ref_table_young_count(table);
  while (*position < limit) {
    uint32_t at = (uint32_t)(*position)++;
    uint32_t index = scope.all ? at : *gc_ref_table_entry(table, at, GC_REF_YOUNG_AT);
    if (index == 0)
      continue;
    struct gc_ref_node *node = gc_ref_table_node(table, index);
    if (node->bits & GC_REF_LINKED)
      return (struct gc_ref_item){node, index};
  }
  return (struct gc_ref_item){NULL, 0};
}

// Its index; 0: none.
static inline uint32_t
gc_ref_scope_next(struct gc_ref_scope scope, const struct gc_ref_table *table, size_t *position) {
  return gc_ref_scope_next_item(scope, table, position).index;
}
