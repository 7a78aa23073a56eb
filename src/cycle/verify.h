// The verifier: walks the whole heap, recomputes what ought to be true, and reports each difference by one
// line to the log that names the invariant (heap.h lists them).
#pragma once

#include "base/types.h"

// Check the page table, the bins and lists, the slot bytes and the caches.  Returns the faults found.  [stw]
size_t gc_verify_heap_stw(const char *when);

// Invariant marked-closed: every object that a second, slow and simple marker reaches bears the current
// mark.  Between marking and sweeping.  Returns the faults found.  [stw]
size_t gc_verify_marks_stw(void);

// Stop the world; check the heap, and that what is reachable can be read.  Returns the faults found.
size_t gc_verify_world(void);
