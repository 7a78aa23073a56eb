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
  size_t work_bytes; // what could have been allocated in the time that a full cycle takes; 0: unknown
  unsigned divisor;  // free_space_divisor
  bool growing;      // gc_pacer_is_growing
  bool lean;         // however fast it is allocated in, no more than what is marked, or 2.5 MiB
};

enum { GC_PACER_DIVISOR = 3 }; // the free_space_divisor that leaves the pacer's own rule as it is

// Bytes to allocate until the next cycle: by what lives, and by what memory is held besides.
size_t gc_pacer_base_budget_bytes(struct gc_pacer_heap heap);
size_t gc_pacer_budget_bytes(struct gc_pacer_heap heap);

// Of what was allocated until the last full cycle, did as much stay as makes the heap grow?
bool gc_pacer_is_growing(size_t allocated_bytes, size_t reclaimed_bytes);

struct gc_pacer_stop {
  size_t threads;      // that were stopped, of those that can run at once
  uint64_t stop_ns;    // what it took to stop them, to ask them for their roots and to let them go on
  uint64_t pause_ns;   // and all in all
  uint64_t mutator_ns; // for so long the program had run since the cycle before
  bool lean;           // the least budget is half as large at most
};

// The least budget after a cycle.  It is doubled while stopping threads costs more than a fiftieth of the
// time and a quarter of the pause, up to 4 times `least_bytes` for each thread, 2 times if `lean`; and halved
// when it costs less than a two-hundredth or an eighth.  What marking costs is the base budget's business.
size_t gc_pacer_next_floor_bytes(struct gc_pacer_stop stop, size_t floor_bytes, size_t least_bytes);

// The work_bytes after a full cycle that took `pause_ns`, when the program had run for `mutator_ns` since the
// one before and allocated `allocated_bytes`.  It changes by a factor of 2 at most, since one pause may be
// long because the machine is busy.
#define GC_PACER_WORK_BYTES_MIN (16 * GC_KIB)
size_t gc_pacer_next_work_bytes(size_t work_bytes, size_t allocated_bytes, uint64_t pause_ns,
                                uint64_t mutator_ns);

// What the next cycle may find alive: most objects die young.
size_t gc_pacer_expected_live_bytes(size_t live_bytes, size_t allocated_bytes);

// How many markers should take part, given how many there may be.
unsigned gc_pacer_markers(size_t live_bytes, size_t parallel_min_bytes, unsigned markers_max);

// Bytes of free memory to give back at a tick of the background thread, besides what has been free for
// long: a peak is forgotten in some seconds, even by a program that keeps using all the memory it holds.
size_t gc_pacer_release_bytes(struct gc_pacer_heap heap);

// ---- Generations ---------------------------------------------------------------------------------------

// A minor cycle pays if it reclaims the better part of what was allocated for less than a full one would take
// for it.  What it is known by:
struct gc_pacer_minor {
  uint64_t pause_ns;
  uint64_t young_ns;      // of it, for what follows the nursery's size: marking and sweeping
  uint64_t target_ns;     // for pauses; UINT64_MAX: none
  size_t allocated_bytes; // since the cycle before
  size_t promoted_bytes;  // of these, alive
  size_t written_pages;   // OS pages that were searched because the program may have written there
  size_t most_bytes;      // what a full cycle would have been due after
};

// What has been learnt from them.
struct gc_pacer_minors {
  size_t nursery_bytes; // to allocate between two minor cycles
  size_t since_full;    // minor cycles since the last full one
  int score;            // of late, how many paid less how many did not, within limits
  bool growing;         // given up because most objects survived
  unsigned waiting;     // given up because they cost too much: full cycles to wait before the next try
  unsigned wait_next;   // how long to wait the next time
  uint64_t full_ns;     // what the last full cycle took
  size_t full_bytes;    // and was due after
  uint64_t minor_ns; // what minor ones take of late, the faults of the program's writes included; 0: unknown
};

void gc_pacer_minors_init(struct gc_pacer_minors *minors);

// Minor cycles are worth doing.  When several in a row were not they are given up: for one full cycle, the
// next time for four, then 16; and if most objects survived, until a full cycle finds that most have died.
bool gc_pacer_minors_pay(const struct gc_pacer_minors *minors);

// Whether they may be after a full cycle that comes now, `allocated_bytes` after the last one.  Where most
// objects survived, next to none since then change nothing, mostly.
bool gc_pacer_minors_may_pay(const struct gc_pacer_minors *minors, size_t allocated_bytes);

// After a minor cycle.  The nursery follows the part of the pause that follows it: it shrinks when that takes
// more than half of the target, and grows, up to half of `most_bytes`, when less than a quarter.
void gc_pacer_minors_after_minor(struct gc_pacer_minors *minors, struct gc_pacer_minor minor);

// Of what could have been allocated in the time of a full cycle, what could have been in that of a minor one.
size_t gc_pacer_minor_work_bytes(const struct gc_pacer_minors *minors, size_t work_bytes);

// A minor cycle has found so much written that it would stop the program for more than twice the target:
// better a concurrent one; and then this.
bool gc_pacer_minor_is_too_long(uint64_t target_ns, size_t written_bytes);
void gc_pacer_minors_called_off(struct gc_pacer_minors *minors);

// After a full cycle.
struct gc_pacer_full {
  uint64_t full_ns;       // it took
  size_t full_bytes;      // what the next is due after
  size_t allocated_bytes; // since the last full one
  size_t reclaimed_bytes; // since then, by this one and minor ones
  size_t grown_bytes;     // more lives than after the last
  size_t marked_bytes;    // lives, with roots
};
void gc_pacer_minors_after_full(struct gc_pacer_minors *minors, struct gc_pacer_full full);

// Full cycles take a seventeenth of the time or more, where `work_bytes` (see above) are as much to a budget.
bool gc_pacer_is_full_dear(size_t work_bytes, size_t budget_bytes);

// What the next one will take, if as large a part of what is allocated until then stays: a heap that grows is
// stopped for longer each time.
uint64_t gc_pacer_expected_full_ns(struct gc_pacer_full full);

// What the first of all will take at least, as far as can be known before it.
uint64_t gc_pacer_expected_first_ns(size_t root_bytes);

// ---- Concurrent cycles ---------------------------------------------------------------------------------

// Bytes to allocate before a concurrent cycle starts: less than the budget by a quarter more than what will
// probably be born while it marks (SIZE_MAX: not known yet), within limits.  And while it marks, before
// allocating threads must wait for it.  Both are less where no free memory is held.
size_t gc_pacer_start_bytes(struct gc_pacer_heap heap, size_t born_bytes);
size_t gc_pacer_concurrent_bytes(struct gc_pacer_heap heap);

// What will probably be born during the next concurrent cycle, given what was expected of the last and what
// was born: less is believed by and by.
size_t gc_pacer_expected_born_bytes(size_t expected_bytes, size_t born_bytes);

// Objects born black during a concurrent cycle survive it, though most will have died young: how much of them
// is probably garbage.
size_t gc_pacer_floating_bytes(size_t born_bytes);

// What will probably be written while a whole budget is allocated, given what was while so much was.
size_t gc_pacer_expected_written_bytes(struct gc_pacer_heap heap, size_t written_bytes,
                                       size_t allocated_bytes);

// Whether the faults of so much that is written between concurrent cycles are cheaper than to disarm all and
// arm it again: that takes 0.18 us for an OS page, the fault of its first write 1 us.
bool gc_pacer_faults_are_cheaper(size_t written_bytes, size_t live_bytes);

// ---- Beside the program, or with it stopped -------------------------------------------------------------

// To mark beside the program takes more work than while it is stopped, and slows it down: by how much depends
// on the machine and on what it does.  So where concurrent cycles take much of its time, some full ones are
// tried that stop it; and if it gets more done then, there are more of them.
//
//      a very dear cycle, or two that are dear,
//             after some patience                           it gets more done
//   BESIDE -----------------------------------> ON TRIAL ---------------------> STOPPED
//    ^  ^                                          |                               |
//    |  +------------------------------------------+                               |
//    |           it does not                                                       |
//    +-----------------------------------------------------------------------------+
//               now and then, to see whether that still holds
//
// And from both when a pause was long, or took little of the time.  Then and when it does not get more done
// patience is needed before the next trial, the more the oftener that has been so.
struct gc_pacer_way {
  unsigned stopped;       // full cycles to come that stop the program
  unsigned on_trial;      // of these, before it is judged
  unsigned stopped_next;  // how many, when it pays the next time
  unsigned dear;          // concurrent cycles of late, in a row; a very dear one counts for enough
  unsigned patience;      // concurrent cycles before there may be a trial
  unsigned patience_next; // how many, when it does not pay the next time
  struct gc_pacer_rate {  // what it took to allocate so much
    uint64_t ns;
    size_t bytes;
  } beside, with_stops; // in dear cycles, and on trial
};

// From the end of a full cycle to the end of the next one.
struct gc_pacer_span {
  uint64_t ns;
  size_t allocated_bytes;
  uint64_t cycle_ns; // of it, the cycle
  size_t born_bytes; // of these, during the cycle
  uint64_t pause_ns; // for which a full cycle would probably stop the program, or did
  bool stopped;      // it did
  bool asked_for;    // not due
  bool settled;      // the heap does not grow, and there are no minor cycles
};

void gc_pacer_way_init(struct gc_pacer_way *way);
void gc_pacer_way_after_full(struct gc_pacer_way *way, struct gc_pacer_span span);

static inline bool
gc_pacer_way_stops(const struct gc_pacer_way *way) {
  return way->stopped > 0;
}

// ---- Idleness ------------------------------------------------------------------------------------------

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
