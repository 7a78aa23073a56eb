// What the collector knows of an object at the end of marking, and writing where writes may be noticed.
#pragma once

#include "mark/marker.h"

enum gc_ref_state {
  GC_REF_ALIVE,
  GC_REF_DEAD, // an object without the mark: not reached so far
  GC_REF_GONE  // no object, or no longer one
};

// Does an address stand for an object?  If it lies in the first granule: languages put tags into the low bits
// of pointers, and hand them over as they are.
static inline bool
gc_ref_is_of(struct gc_ref ref, uintptr_t address) {
  return ref.start && address - (uintptr_t)ref.start < GC_GRANULE_BYTES;
}

// Likewise, of whatever lies there: a page that is not in use has no slots that are objects.
static inline bool
gc_ref_is_object_at(const void *address) {
  size_t offset = (uintptr_t)address - (uintptr_t)gc_heap.base;
  if (offset >> GC_PAGE_SHIFT >= gc_heap.frontier)
    return false;
  const struct gc_page *page = &gc_heap.pages[offset >> GC_PAGE_SHIFT];
  size_t granule = (offset & (GC_PAGE_BYTES - 1)) >> GC_GRANULE_SHIFT;
  granule += page->span_offset * GC_PAGE_GRANULES;
  size_t slot = granule * page->reciprocal >> GC_RECIPROCAL_SHIFT;
  return slot * page->slot_granules == granule && gc_slot_is_object(gc_heap_slot_bytes(page->line)[slot]);
}

// Of the object that `address` stands for.  Between gc_marker_begin and the sweep.
enum gc_ref_state gc_ref_state_of(const struct gc_marker *marker, uintptr_t address);

// Of the object that a word lies in; what lies in no heap counts as alive.
enum gc_ref_state gc_ref_state_around(const struct gc_marker *marker, uintptr_t word);

// Store a word that may lie in the heap.  With mprotect its page is opened first, since threads of the
// collector's own take no signal; what is stored counts as written.  [gc_lock]
void gc_ref_store(uintptr_t *word, uintptr_t value);
