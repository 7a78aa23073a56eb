// The verifier: walks the whole heap, recomputes what ought to be true, and reports each difference by one
// line to the log that names the invariant (heap.h lists them).
#pragma once

#include "base/types.h"
#include "heap/heap.h"

// Check the page table, the bins and lists, the slot bytes and the caches.  Returns the faults found.  [stw]
size_t gc_verify_heap_stw(const char *when);

// Trace what can be reached, and check each object that is found, and each word in an object that refers to
// another; either check may be NULL.  Returns the faults.  [stw]
typedef bool gc_verify_object(struct gc_ref ref);
typedef bool gc_verify_word(const char *at, struct gc_ref ref);
size_t gc_verify_trace_stw(gc_verify_object *check_object, gc_verify_word *check_word);

// Whether words may refer to this object that were meant for another one, which the program has freed.
bool gc_verify_is_reused(struct gc_ref ref);

// Invariant marked-closed: every object that a second, slow and simple marker reaches bears the current
// mark; in minor and concurrent cycles, of what the program itself may have freed no more than can be said.
// Between marking and sweeping.  Returns the faults found.  [stw]
enum gc_verify_cycle { GC_VERIFY_FULL, GC_VERIFY_MINOR, GC_VERIFY_CONCURRENT };
size_t gc_verify_marks_stw(enum gc_verify_cycle cycle);

// Invariant written-or-searched (remember.h): no marked object that can be reached refers to a white one,
// unless it is grey or may have been written there.  Where writes are noticed: between two slices of a
// concurrent cycle, and while no cycle is under way and all is swept.  Returns the faults found.  [stw]
size_t gc_verify_writes_stw(void);

// Stop the world; check the heap, and that what is reachable can be read.  Returns the faults found.
size_t gc_verify_world(void);
