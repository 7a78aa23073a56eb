// What cycles do while the world is stopped: each kind of pause is one function that reads as its phases.
#pragma once

#include "cycle/pauses.h"

// One pause: what it is told, and what it tells.
struct gc_stopped {
  int (*stop)(void);            // asked now and then while marking; may call it off.  NULL: never
  unsigned markers;             // threads that mark
  bool may_call_off;            // a minor cycle that would take too long
  bool at_any_price;            // a finish that cannot be done for want of memory undoes the start
  bool undone;                  // and has done so
  bool looked_ahead;            // old registrations of references need not be looked at
  bool finished;                // all that the pause was to do is done
  struct gc_range_array *later; // roots that may be searched beside the program; NULL: none
  size_t written_bytes;         // noticed to have been written; left alone by pauses that do not ask
  struct gc_pause pause;
};

// Stop the world, run one of the functions below, let it go on, and account for the pause.  false, without a
// call, if the world could not be stopped.  [gc_cycle_lock, spilled]
bool gc_stopped_call(enum gc_pause_kind kind, void (*function)(struct gc_stopped *),
                     struct gc_stopped *state);

// A whole full cycle; a whole minor one; the start of a concurrent one, where its objects begin to be born
// black, and its end.  [stw]
void gc_stopped_full(struct gc_stopped *state);
void gc_stopped_minor(struct gc_stopped *state);
void gc_stopped_start(struct gc_stopped *state);
void gc_stopped_blacken(struct gc_stopped *state);
void gc_stopped_finish(struct gc_stopped *state);

// Give up what a start has begun: all objects are as if it had not.  [stw]
void gc_stopped_undo_start(void);
