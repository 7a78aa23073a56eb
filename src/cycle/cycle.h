// Cycles: the one place where heap, marking and world meet.
#pragma once

#include "base/atomic.h"
#include "base/histogram.h"
#include "base/types.h"
#include "cycle/pacer.h"
#include "heap/cache.h"

// Why a collection is asked for.
enum gc_cycle_reason {
  GC_CYCLE_BUDGET,   // allocation reached its budget
  GC_CYCLE_EXPLICIT, // the program asked
  GC_CYCLE_MEMORY,   // the system refused memory, or the heap's limit is reached
  GC_CYCLE_IDLE      // the background thread, see pacer.h
};

struct gc_cycle_request {
  enum gc_cycle_reason reason;
  int (*stop)(void); // may call it off; NULL: never
};

struct gc_cycle_stats {
  // [gc_cycle_lock; read racily by statistics]
  size_t cycles;       // finished
  size_t called_off;   // by a stop function, a thread that did not answer, or memory refused
  uint64_t total_ns;   // with the world stopped or being stopped
  uint64_t ended_ns;   // the clock at the end of the last cycle
  size_t root_bytes;   // searched by the last cycle
  size_t budget_bytes; // the next cycle is due when so much has been allocated
  size_t floor_bytes;  // the least budget that the pacer allows
  struct gc_histogram pauses;
};

extern struct gc_cycle_stats gc_cycle_stats;

// What the pacer is told about the heap as it is.
struct gc_pacer_heap gc_cycle_pacer_heap(void);

// Collections disabled so many times; GC_DONT_GC counts as one.  Changed with atomic adds.
extern struct gc_atomic gc_cycle_disabled;

// Once, from GC_init, after the heap and the world.
void gc_cycle_init(void);

// Collect.  false if it was called off or collection is disabled.  No lock may be held.
bool gc_cycle_collect(struct gc_cycle_request request);

// Reports for people after each finished collection, with no lock held; NULL: none.  Set once by api/.
extern void (*gc_cycle_report)(void);

// Is a collection due?  [racy: a hint for allocation]
bool gc_cycle_due(void);

// Helpers that may mark beside the collecting thread.
unsigned gc_cycle_markers_max(void);

// Give free memory back to the system, all of it or what has been free for release_ms.  Takes gc_lock a
// little at a time.
void gc_cycle_release_all(void);
void gc_cycle_release_aged(void);

// The slow path of every allocation of at most GC_CLASS_BYTES_MAX bytes, and of large ones.  NULL when
// memory is exhausted: then the out-of-memory function has been asked.
void *gc_allocate_slow(size_t bytes, unsigned kind);
void *gc_allocate_large(size_t bytes, size_t alignment, unsigned kind);

// The calling thread's cache, the thread being attached if need be.  NULL if memory is refused.
struct gc_cache *gc_allocate_cache(void);

// Start the background thread if the heap has become large enough to need it.  (background.c)
void gc_background_ensure(void);
void gc_background_after_fork_child(void);
