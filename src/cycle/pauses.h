// Pauses: how long the world was stopped, for what, and in which phases.
//
//   struct gc_pause pause;
//   gc_pause_begin(&pause, GC_PAUSE_MINOR);   just before the stop is asked for
//   gc_pause_lap(&pause, GC_PHASE_STOP);      the threads stand still
//   ...                                       a lap at the end of each phase, in any order, also repeatedly
//   gc_pause_end(&pause);                     the world runs: the rest is GC_PHASE_RESUME
//
// A pause lies in its owner's frame until its end, where it is counted.  A stop that did not come about is
// not ended.
//
// Invariant `phases-tile`: the phases of a pause add up to its length, and so do those of a kind.
#pragma once

#include "base/histogram.h"
#include "base/types.h"

enum gc_pause_kind {
  GC_PAUSE_FULL,   // a whole cycle of the whole heap
  GC_PAUSE_MINOR,  // a whole cycle of the young objects
  GC_PAUSE_START,  // a concurrent cycle begins, or looks at the roots a second time
  GC_PAUSE_FINISH, // its marking ends, or is called off and goes on
  GC_PAUSE_KINDS
};

enum gc_pause_phase {
  GC_PHASE_STOP,       // until all threads stand still
  GC_PHASE_ROOTS,      // finding out what to search
  GC_PHASE_HARVEST,    // asking where the program has written
  GC_PHASE_MARK,       // tracing
  GC_PHASE_REFERENCES, // finalizers, weak links
  GC_PHASE_SWEEP,      // freeing
  GC_PHASE_RESUME,     // until all may run
  GC_PAUSE_PHASES
};

struct gc_pause {
  enum gc_pause_kind kind;
  bool called_off;   // set by the owner: the work was given up, by a stop function or for want of time
  uint64_t began_ns; // of the monotonic clock
  uint64_t lap_ns;   // where the phase at hand began
  uint64_t total_ns;
  uint64_t phase_ns[GC_PAUSE_PHASES];
};

void gc_pause_begin(struct gc_pause *pause, enum gc_pause_kind kind);

// The time since the beginning or the last lap belongs to `phase`.  Reads the clock and nothing else: for a
// stopped world.
void gc_pause_lap(struct gc_pause *pause, enum gc_pause_phase phase);

// The world runs: count the pause, and keep it for the listener.  Takes gc_lock, so it may not be held.
void gc_pause_end(struct gc_pause *pause);

// ---- What is kept of them: all of it [gc_lock] ---------------------------------------------------------

struct gc_pause_totals {
  struct gc_histogram lengths;
  uint64_t called_off; // of lengths.count
  uint64_t phase_ns[GC_PAUSE_PHASES];
};

// Of one kind; for GC_PAUSE_KINDS, of all.
const struct gc_pause_totals *gc_pauses_of(enum gc_pause_kind kind);

// The lengths of all pauses.
const struct gc_histogram *gc_pauses_all(void);

const char *gc_pause_kind_name(enum gc_pause_kind kind);
const char *gc_pause_phase_name(enum gc_pause_phase phase);

// ---- The listener --------------------------------------------------------------------------------------

struct gc_pause_listener {
  void (*tell)(const struct gc_pause *pause, struct gc_pause_listener listener); // NULL: nobody listens
  void (*function)(void);                                                        // for `tell` to use
  void *data;                                                                    // the same; kept alive
};

// Who is told of each pause.  Pauses that the last listener was not yet told of are forgotten.  Takes
// gc_lock.
void gc_pauses_listen(struct gc_pause_listener told);

// Tell the listener of the pauses that have ended since.  To be called soon after gc_pause_end, by whoever
// has released all locks; costs one load when there is nothing to tell.  No lock may be held.
void gc_pauses_deliver(void);

// ---- The target ----------------------------------------------------------------------------------------

#define GC_PAUSE_UNLIMITED_MS 999999 // libgc's number for a target that is none

// How long a pause, or a slice of work done by an allocating thread, ought to be at most: pause_target_ms and
// gc_pause_target_more_ns, but at least GC_PAUSE_TARGET_NS_MIN, without which a slice would get nothing done.
// UINT64_MAX: as long as it takes.
uint64_t gc_pause_target_ns(void);

#define GC_PAUSE_TARGET_NS_MIN 50000

// A part of a millisecond beyond pause_target_ms, which the tunable cannot express.  [api/; read racily]
extern uint64_t gc_pause_target_more_ns;

// ---- The log -------------------------------------------------------------------------------------------

// A cycle, for the one line that GC_PRINT_STATS gives it.
struct gc_pause_report {
  size_t cycle;      // its number
  const char *kind;  // "full", "minor", "concurrent" ...
  bool finished;     // or called off
  uint64_t cycle_ns; // from its beginning to its end; 0 if that was its pause
  const struct gc_pause *pauses;
  size_t pause_count;
  size_t live_bytes;
  size_t reclaimed_bytes;
  size_t heap_bytes;
  size_t root_bytes;
  size_t budget_bytes; // until the next
};

// Log the line.
void gc_pauses_log_cycle(const struct gc_pause_report *report);

// The line in `text`, without its newline and cut to `bytes`.  Returns its length.
size_t gc_pauses_format_cycle(char *text, size_t bytes, const struct gc_pause_report *report);
