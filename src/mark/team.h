// A team of markers: the collecting thread and its helpers, sharing work.
//
// Each marker works on a stack of its own.  Now and then it looks whether others are hungry, and if so
// moves the oldest half of its stack (the largest subtrees) to a shared pool, from which idle markers take
// (work packets: Ossia et al. 2002).  The cycle is over when every marker is idle and the pool is empty.
//
//   helper thread:  ASLEEP --gc_team_mark wakes it--> marking <--> hungry --all hungry, pool empty--> ASLEEP
//
// Helpers are created when first needed, block all signals, are no threads of the world, and sleep on a
// condition variable between cycles; who waits within one looks for a while before it sleeps.  If they cannot
// be created the collecting thread marks alone.
//
// While the program runs, one thread marks.  Allocating threads that have come to the end of their budget and
// must wait for it lend it a hand: they are guests, with a marker of the team's for as long as a slice takes.
#pragma once

#include "mark/marker.h"
#include "os/memory.h"

enum { GC_MARKERS_MAX = 64 };

struct gc_mark_job {
  const struct gc_range *roots; // pieces of any size
  size_t root_count;
  const struct gc_range *written; // parts of pages where marked objects must be scanned again
  size_t written_count;
  bool minor;        // only new objects are white
  bool continued;    // what gc_team_begin and slices have left on the caller's stack is part of the work
  unsigned markers;  // how many should take part; 1: the caller alone
  int (*stop)(void); // asked now and then by the caller; non-zero calls the job off.  May be NULL
};

// Before all others.  false if memory is refused.
bool gc_team_init(void);

// Trace everything that the roots, the uncollectable objects and nothing else reach, in a minor cycle also
// what old objects in `written` parts of the heap reach.  The caches have been shielded.  false if called off
// or (never else) if there is no memory for the least mark stack.  A continued job that was called off has
// left what is still to be scanned on the caller's stack, save roots.  [stw, gc_cycle_lock]
bool gc_team_mark(const struct gc_mark_job *job);

// Begin marking that slices go on with: mark what roots and uncollectable objects refer to.  false if there
// is no memory for the least mark stack.  [stw, gc_cycle_lock]
bool gc_team_begin(const struct gc_mark_job *job);

// Look at all roots again, and at uncollectable objects in young pages.  false as before: then not all has
// been marked.  [stw, gc_cycle_lock]
bool gc_team_go_on(const struct gc_mark_job *job);

// Create helper threads until there are `wanted`, or the system refuses.  While the world runs.
// [gc_cycle_lock]
void gc_team_prepare_helpers(unsigned wanted);

// The caller's marker, for cycle/ to mark single objects with before gc_team_mark.
struct gc_marker *gc_team_own_marker(void);

// ---- Beside the program ----

// Drain what the caller's marker has, until the clock says `deadline_ns`; guests take part.  false if nothing
// is left, with guests neither; from then on none is let in.  [gc_cycle_lock]
bool gc_team_drain_until(uint64_t deadline_ns);

// Take part as a guest, an allocating thread that would wait for marking otherwise, if guests are let in and
// fewer than `most` are there: while there is work, until `deadline_ns` or until `hurry` is not 0.  What is
// left goes to the others.  Returns the time that it marked, in ns.
//
// The caller is between gc_cache_enter and gc_cache_leave, so that no pause finds a guest at work.  Those of
// the cycle itself come after gc_team_drain_until has returned false, and meet none: what these change,
// guests need not watch.
uint64_t gc_team_mark_as_guest(unsigned most, const volatile int *hurry, uint64_t deadline_ns);

// Let no guests in: there is nothing to mark any more.  [stw]
void gc_team_dismiss_guests(void);

// Note what must not be scanned while the program runs: in gc_marker_put_off.  false: no memory.
bool gc_team_put_off(struct gc_range object);

// What markers have shared and nobody taken.  [stw]
const struct gc_mark_stack *gc_team_pool(void);

// ----

// Move work from a marker's stack to where others find it: half of a long array, which is one entry, or else
// the older half of all entries.
void gc_team_share(struct gc_mark_stack *stack);

// Called by a marker between pieces of work: share if others are hungry.  false: the job has been called off.
bool gc_team_check(struct gc_team *team, struct gc_marker *marker);

// Around fork: no helper is in the middle of anything; in the child there are none.  [gc_cycle_lock]
void gc_team_after_fork_child(void);

unsigned gc_team_helpers(void);
