// Switching modes.  See mode.h.
#include "cycle/mode.h"

#include "base/lock.h"
#include "cycle/concurrent.h"
#include "cycle/policy.h"
#include "world/world.h"

static void *
set_spilled(void *mode_) {
  enum gc_mode *mode = mode_;
  if (gc_concurrent_complete())
    *mode = gc_policy_set_mode(*mode);
  return NULL;
}

enum gc_mode
gc_mode_set(enum gc_mode mode) {
  gc_cycle_acquire();
  gc_world_call_spilled(set_spilled, &mode);
  gc_lock_release(&gc_cycle_lock);
  return mode;
}

enum gc_mode
gc_mode_wanted(void) {
  return gc_policy_mode();
}

void
gc_mode_set_manual(bool on) {
  gc_policy_set_manual(on);
}

static void *
slice_spilled(void *more) {
  *(bool *)more = !gc_cycle_is_disabled() && gc_concurrent_slice();
  return NULL;
}

bool
gc_mode_collect_a_little(void) {
  bool more = false;
  gc_cycle_acquire();
  gc_policy_note_steps();
  gc_world_call_spilled(slice_spilled, &more);
  gc_lock_release(&gc_cycle_lock);
  return more;
}

static void *
start_spilled(void *started) {
  *(bool *)started = !gc_cycle_is_disabled() && !gc_concurrent_is_under_way() &&
                     gc_policy_choose(GC_CYCLE_IDLE) == GC_POLICY_CONCURRENT && gc_concurrent_start();
  return NULL;
}

bool
gc_mode_start_cycle(void) {
  bool started = false;
  gc_cycle_acquire();
  gc_policy_note_steps();
  gc_world_call_spilled(start_spilled, &started);
  gc_lock_release(&gc_cycle_lock);
  return started;
}
