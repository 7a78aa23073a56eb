// Cycles: the one place where heap, marking and world meet.
#pragma once

#include "base/atomic.h"
#include "base/types.h"
#include "cycle/pacer.h"
#include "cycle/pauses.h"
#include "heap/cache.h"

// Why a collection is asked for.
enum gc_cycle_reason {
  GC_CYCLE_BUDGET,   // allocation reached its budget
  GC_CYCLE_EXPLICIT, // the program asked
  GC_CYCLE_MEMORY,   // the system refused memory, or the heap's limit is reached
  GC_CYCLE_IDLE,     // the background thread, see pacer.h
  GC_CYCLE_STRESS    // a test wants a cycle of any kind, or a slice of one
};

struct gc_cycle_request {
  enum gc_cycle_reason reason;
  int (*stop)(void); // may call it off; NULL: never
};

struct gc_cycle_stats {
  // [gc_cycle_lock; read racily by statistics]
  size_t called_off; // pauses, by a stop function, for want of time or memory, or as a thread did not answer
  uint64_t total_ns; // with the world stopped or being stopped
  uint64_t ended_ns; // the clock at the end of the last cycle
  size_t root_bytes; // searched by the last cycle
  size_t budget_bytes; // the next cycle is due when so much has been allocated
  size_t floor_bytes;  // the least budget that the pacer allows
};

extern struct gc_cycle_stats gc_cycle_stats;

// What the pacer is told about the heap as it is.
struct gc_pacer_heap gc_cycle_pacer_heap(void);

// Is GC_dont_gc, which counts how often collections have been disabled, other than 0?  [atomic]
bool gc_cycle_is_disabled(void);

// Disable once more: when it returns no cycle goes on until the matching enable, which returns false if there
// is none.  A concurrent cycle under way stands still meanwhile, or with `finish` is finished before.
void gc_cycle_disable(bool finish);
bool gc_cycle_enable(void);

// Whether cycles begin because of the budget or from idleness.
void gc_cycle_set_automatic(bool on);
bool gc_cycle_is_automatic(void);

// Once, from GC_init, after the heap and the world.
void gc_cycle_init(void);

// Collect.  false if it was called off or collection is disabled.  No lock may be held.
bool gc_cycle_collect(struct gc_cycle_request request);

// Reports for people after each finished collection, with no lock held; NULL: none.  Set once by api/.
extern void (*gc_cycle_report)(void);

// Looks at the heap between marking and sweeping, when what dies bears no mark: NULL or set once, by debug/.
// [stw]
extern void (*gc_cycle_inspect_stw)(void);

// Is a collection due?  And is it, or does a concurrent cycle want allocating threads to wait?  [racy: hints
// for allocation]
bool gc_cycle_due(void);
bool gc_cycle_wants_attention(void);

// gc_cycle_lock, before the collector's own thread takes it again.  That thread calls gc_cycle_let_others
// between slices.
void gc_cycle_acquire(void);
void gc_cycle_let_others(void);

// Before a cycle: sweep what the last one has left unswept, and give back what nobody has needed since.
// [gc_cycle_lock]
void gc_cycle_finish_last(void);

// Have helpers to mark `bytes` with.  Returns how many markers should take part.  [gc_cycle_lock]
unsigned gc_cycle_prepare_markers(size_t bytes);

// One line to the log for a cycle, if the user wants it.
void gc_cycle_log(const char *kind, const struct gc_pause *pauses, size_t pause_count, uint64_t cycle_ns);

// Run a pause (stopped.h) and count it.  false if it was called off.  [gc_cycle_lock, spilled]
struct gc_stopped;
bool gc_cycle_pause(enum gc_pause_kind kind, void (*stopped)(struct gc_stopped *), struct gc_stopped *state);

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

// Objects of a kind, about a page of the system's worth as libgc gives, linked through their first words:
// *list leads to all of them at each moment at which a collection may come.  NULL when memory is exhausted.
void gc_allocate_many(size_t bytes, unsigned kind, void *volatile *list);

// The calling thread's cache, the thread being attached if need be.  NULL if memory is refused.
struct gc_cache *gc_allocate_cache(void);

// Start the background thread if the heap has become large enough to need it.  (background.c)
void gc_background_ensure(void);
void gc_background_after_fork_child(void);
