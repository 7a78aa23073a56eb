// Which registrations a pause looks at: all, or the young ones, when those are known to be enough.
#pragma once

#include "refs/table.h"

struct gc_ref_scope {
  bool all;
  bool minor; // in a minor cycle, which decides nothing about soft references
};

// The next registration after *position in a table, 0 at the end; *position is 0 at first.  Registrations
// may be removed meanwhile.
static inline uint32_t
gc_ref_scope_next(struct gc_ref_scope scope, const struct gc_ref_table *table, size_t *position) {
  size_t limit = scope.all ? gc_ref_table_limit(table) : gc_ref_table_young_count(table);
  while (*position < limit) {
    size_t at = (*position)++;
    uint32_t index = scope.all ? (uint32_t)at : gc_ref_table_young(table, at);
    if (index != 0 && gc_ref_table_is_linked(table, index))
      return index;
  }
  return 0;
}
