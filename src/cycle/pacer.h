// When to collect: pure functions, tested in simulation.  All policy about *when* is here; nothing here acts.
#pragma once

#include "base/types.h"

// What a cycle left behind, and the settings in force.
struct gc_pacer_heap {
  size_t live_bytes;
  size_t root_bytes;     // searched by the cycle
  size_t resident_bytes; // memory that the heap holds
  size_t free_bytes;     // of it, in pages that are wholly free
  size_t min_budget_bytes;
  size_t initial_heap_bytes;
  unsigned divisor; // free_space_divisor
};

enum { GC_PACER_DIVISOR = 3 }; // the free_space_divisor that leaves the pacer's own rule as it is

// Bytes to allocate until the next cycle: by what lives, and by what memory is held besides.
size_t gc_pacer_base_budget_bytes(struct gc_pacer_heap heap);
size_t gc_pacer_budget_bytes(struct gc_pacer_heap heap);

// The least budget, after a cycle that stopped the world for `pause_ns` when the program had run for
// `mutator_ns` since the one before. It is doubled while collecting costs more than a twentieth of the
// time, as when many threads must be stopped and next to nothing lives, up to 8 times `least_bytes` for
// each thread; and halved when it costs less than a hundredth.
size_t gc_pacer_next_floor_bytes(size_t floor_bytes, size_t least_bytes, size_t threads, uint64_t pause_ns,
                                 uint64_t mutator_ns);

// What the next cycle may find alive: most objects die young.
size_t gc_pacer_expected_live_bytes(size_t live_bytes, size_t allocated_bytes);

// How many markers should take part, given how many there may be.
unsigned gc_pacer_markers(size_t live_bytes, size_t parallel_min_bytes, unsigned markers_max);

// Bytes of free memory to give back at a tick of the background thread, besides what has been free for
// long: a peak is forgotten in some seconds, even by a program that keeps using all the memory it holds.
size_t gc_pacer_release_bytes(struct gc_pacer_heap heap);

// A program that drops much and then allocates little would never reach its budget.  A background thread
// asks now and then:
struct gc_pacer_idle {
  uint64_t since_cycle_ns;       // since the last cycle ended
  uint64_t interval_ns;          // least time between the last cycle and one started from idleness
  uint64_t window_ns;            // time since it last asked
  size_t window_allocated_bytes; // allocated in that time
  size_t allocated_bytes;        // since the last cycle
  size_t budget_bytes;
  size_t live_bytes; // after the last cycle
};

enum {
  GC_PACER_IDLE_INTERVAL_MS = 1000,      // at first
  GC_PACER_IDLE_INTERVAL_MS_MAX = 120000 // after doubling for want of success
};

// Collect, because otherwise no collection is in sight and it might pay.
bool gc_pacer_idle_cycle_due(struct gc_pacer_idle idle);

// The interval after a cycle started from idleness: back to the least if it reclaimed much, doubled if not.
uint64_t gc_pacer_next_idle_interval_ns(uint64_t interval_ns, size_t reclaimed_bytes, size_t live_bytes);
