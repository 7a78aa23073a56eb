// How the heap is collected: all at once, the young objects first, or while the program runs.
//
//   mode         minor cycles                    full cycles
//   STOP         never                           in one pause
//   GENERATIONAL when the pacer wants them       in one pause
//   CONCURRENT   when the pacer wants them       marked while the program runs
//   AUTO         from generational_min_bytes on  marked while the program runs from concurrent_min_bytes on
//
// AUTO does either only where a full cycle in one pause takes more than twice the target for pauses.
//
// All but STOP need to know where the program writes (os/writes.h).  A program that never asks for a mode has
// AUTO, which is STOP while the heap is small.
#pragma once

#include "base/types.h"
#include "os/writes.h"

enum gc_mode { GC_MODE_IS_STOP, GC_MODE_IS_GENERATIONAL, GC_MODE_IS_CONCURRENT, GC_MODE_IS_AUTO };

enum { GC_MODES = GC_MODE_IS_AUTO + 1 };

// What GC_MODE calls it.
static inline const char *
gc_mode_name(enum gc_mode mode) {
  static const char *const names[GC_MODES] = {
      [GC_MODE_IS_STOP] = "stop",
      [GC_MODE_IS_GENERATIONAL] = "generational",
      [GC_MODE_IS_CONCURRENT] = "concurrent",
      [GC_MODE_IS_AUTO] = "auto",
  };
  return names[mode];
}

// How writes are noticed at present, for people.
static inline const char *
gc_mode_tracking_name(void) {
  static const char *const names[] = {
      [GC_WRITES_NONE] = "none",
      [GC_WRITES_USERFAULT] = "userfaultfd",
      [GC_WRITES_PROTECT] = "mprotect",
      [GC_WRITES_CARDS] = "barrier",
  };
  return names[gc_writes_kind()];
}

// Switch the mode, also while running; once from GC_init, after gc_cycle_init.  A cycle under way is finished
// or abandoned.  Takes gc_cycle_lock.  Returns the mode now in force: STOP if the mode needs to notice writes
// and no back end that `writes` and gc_mode_set_manual allow can be had (gc_writes_reason says why).
enum gc_mode gc_mode_set(enum gc_mode mode);

// The mode as it was set, whether or not it could be had.  [racy]
enum gc_mode gc_mode_wanted(void);

// Do one slice of the work of a cycle, of about the pause target.  true while a cycle is under way
// afterwards; false at once if none was.  Does nothing while collection is disabled.  No lock may be held,
// and the calling thread is attached.
bool gc_mode_collect_a_little(void);

// Begin a cycle that runs beside the program, if none is under way.  false if the mode does not allow it, or
// collection is disabled.  No lock may be held, and the calling thread is attached.
bool gc_mode_start_cycle(void);

// The program promises to tell its writes (GC_set_manual_vdb_allowed), or takes the promise back.  With it
// the back end CARDS is chosen by the gc_mode_set that follows.  May come before GC_init.
void gc_mode_set_manual(bool on);
