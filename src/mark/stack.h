// The mark stack: grey work, each entry a range of heap memory to scan.
//
//   63                    20 19          0
//   | first granule in heap | granules   |     a range of up to 16 MiB; longer objects are several
//   | first granule in heap | 0          |     an object whose kind has a descriptor; or 16 MiB at most of a
//                                              large one that may not have been touched there
//
// The stack grows by doubling.  When it cannot, entries are dropped and `overflowed` says that marked
// objects remain which were not scanned; gc_team_mark finds them again page by page.
#pragma once

#include "base/types.h"

typedef uint64_t gc_mark_entry;

enum { GC_ENTRY_SIZE_BITS = 20, GC_ENTRY_DESCRIBED = 0 };
#define GC_ENTRY_GRANULES_MAX (((size_t)1 << GC_ENTRY_SIZE_BITS) - 1)

//
//   memory        base             top                 limit
//     | given away | oldest ... newest | room ...........|

struct gc_mark_stack {
  gc_mark_entry *memory;
  gc_mark_entry *base; // the oldest entry; what lay below has been given to other markers
  gc_mark_entry *top;  // one above the newest entry
  gc_mark_entry *limit;
  bool overflowed;
};

static inline gc_mark_entry
gc_mark_entry_make(size_t granule, size_t granules) {
  return (gc_mark_entry)granule << GC_ENTRY_SIZE_BITS | granules;
}

static inline size_t
gc_mark_entry_granule(gc_mark_entry entry) {
  return entry >> GC_ENTRY_SIZE_BITS;
}

static inline size_t
gc_mark_entry_granules(gc_mark_entry entry) {
  return entry & GC_ENTRY_GRANULES_MAX;
}

static inline size_t
gc_mark_stack_count(const struct gc_mark_stack *stack) {
  return (size_t)(stack->top - stack->base);
}

// Make room for `entries` more.  false, and `overflowed` set, if memory is refused or the limit reached.
bool gc_mark_stack_reserve(struct gc_mark_stack *stack, size_t entries);

static inline void
gc_mark_stack_clear(struct gc_mark_stack *stack) {
  stack->base = stack->top = stack->memory;
}

// Give back the memory of a stack that has grown beyond what most collections need.
void gc_mark_stack_trim(struct gc_mark_stack *stack);

// What a stack begins with: several times what marking wants room for, so that a stack which cannot grow
// has entries to drop.
#define GC_MARK_STACK_BYTES_MIN (256 * GC_KIB)

// The most bytes a stack may take, GC_MARK_STACK_BYTES_MIN or more; for tests of the overflow path.
extern size_t gc_mark_stack_bytes_max;
