// Counting what is in the heap, in one walk over the page table.
#pragma once

#include "base/types.h"
#include "heap/heap.h"

enum { GC_CENSUS_LARGEST = 10 };

// The spans of one kind and class.
struct gc_census_class {
  size_t pages;
  size_t slots;
  size_t live_slots; // in objects that survived the last collection
  size_t new_slots;  // in objects allocated since
};

struct gc_census {
  struct gc_census_class classes[GC_KINDS][GC_CLASSES];
  size_t large_count;
  size_t large_pages;
  uint32_t largest[GC_CENSUS_LARGEST]; // first pages of the largest objects, in falling order; 0: none
  size_t unused_bytes;                 // handed out to caches and not allocated
  size_t unreported_allocated_bytes;   // that the caches have yet to add to the heap's counts
  size_t unreported_freed_bytes;
};

// [gc_lock; exact only in a stopped world]
void gc_census_take(struct gc_census *census);

// Bytes allocated since the last collection, and bytes given to GC_free.
size_t gc_census_allocated_bytes(const struct gc_census *census);
size_t gc_census_freed_bytes(const struct gc_census *census);
