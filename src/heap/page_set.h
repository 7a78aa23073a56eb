// Sets of pages, as one bit per page of the reservation.
#pragma once

#include "base/atomic.h"

struct gc_page_set {
  struct gc_atomic *words; // 64 pages each; NULL before the heap is made
};

static inline bool
gc_page_set_has(struct gc_page_set set, size_t page) {
  return gc_atomic_load_relaxed(&set.words[page / 64]) >> (page % 64) & 1;
}

// Add and remove one page.  Atomic: for sets that are changed without gc_lock.
static inline void
gc_page_set_add(struct gc_page_set set, size_t page) {
  gc_atomic_or(&set.words[page / 64], (size_t)1 << (page % 64));
}

static inline void
gc_page_set_remove(struct gc_page_set set, size_t page) {
  gc_atomic_and(&set.words[page / 64], ~((size_t)1 << (page % 64)));
}

// Add, remove, or test for any of, the pages [page, page + pages).
void gc_page_set_add_all(struct gc_page_set set, size_t page, size_t pages);
void gc_page_set_remove_all(struct gc_page_set set, size_t page, size_t pages);
bool gc_page_set_has_any(struct gc_page_set set, size_t page, size_t pages);

// Empty the set below page `limit`; copy it up to there.
void gc_page_set_clear(struct gc_page_set set, size_t limit);
void gc_page_set_copy(struct gc_page_set set, struct gc_page_set from, size_t limit);

// The first page in the set from `page` on, or `limit`.
size_t gc_page_set_next(struct gc_page_set set, size_t page, size_t limit);

// The first page not in the set from `page` on, or `limit`.
size_t gc_page_set_next_absent(struct gc_page_set set, size_t page, size_t limit);

// The first page from `page` on that is in `set` and not in `without`, or `limit`.
size_t gc_page_set_next_difference(struct gc_page_set set, struct gc_page_set without, size_t page,
                                   size_t limit);
