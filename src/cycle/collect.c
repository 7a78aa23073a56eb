// Cycles from the decision to the end: which kind it is to be, and what surrounds it.  What happens while the
// world is stopped is in stopped.c, what a concurrent cycle does in between in concurrent.c.
#include "cycle/cycle.h"

#include <time.h>

#include "base/hooks.h"
#include "base/lock.h"
#include "base/variables.h"
#include "cycle/concurrent.h"
#include "cycle/pacer.h"
#include "cycle/pauses.h"
#include "cycle/policy.h"
#include "cycle/stopped.h"
#include "heap/gaps.h"
#include "heap/heap.h"
#include "heap/sweep.h"
#include "mark/team.h"
#include "os/clock.h"
#include "os/limits.h"
#include "refs/finalizers.h"
#include "refs/refs.h"
#include "refs/run.h"
#include "world/world.h"

GC_STATE struct gc_cycle_stats gc_cycle_stats;
void (*gc_cycle_report)(void);
void (*gc_cycle_inspect_stw)(void);

// ---- Markers -------------------------------------------------------------------------------------------

unsigned
gc_cycle_markers_max(void) {
  if (gc_tunables.markers)
    return (unsigned)gc_min(gc_tunables.markers, GC_MARKERS_MAX);
  return (unsigned)gc_min(gc_limits_cpus(), 16);
}

unsigned
gc_cycle_prepare_markers(size_t bytes) {
  unsigned markers = gc_pacer_markers(bytes, gc_tunables.parallel_min_bytes, gc_cycle_markers_max());
  gc_team_prepare_helpers(markers - 1);
  return markers;
}

// ---- One cycle -----------------------------------------------------------------------------------------

void
gc_cycle_finish_last(void) {
  enum { SPANS_AT_ONCE = 256 };
  bool more = true;
  while (more) {
    gc_lock_acquire(&gc_lock);
    more = gc_sweep_some(SPANS_AT_ONCE);
    if (!more)
      gc_gaps_look();
    gc_lock_release(&gc_lock);
  }
}

void
gc_cycle_log(const char *kind, const struct gc_pause *pauses, size_t pause_count, uint64_t cycle_ns) {
  struct gc_pause_report report = {
      .cycle = GC_READ(GC_gc_no),
      .kind = kind,
      .finished = !pauses[pause_count - 1].called_off,
      .cycle_ns = cycle_ns,
      .pauses = pauses,
      .pause_count = pause_count,
      .live_bytes = gc_heap.live_bytes,
      .reclaimed_bytes = gc_heap.reclaimed_bytes,
      .heap_bytes = gc_heap_resident_bytes(),
      .root_bytes = gc_cycle_stats.root_bytes,
      .budget_bytes = gc_cycle_stats.budget_bytes,
  };
  if (gc_tunables.print_stats || gc_tunables.print_verbose_stats)
    gc_pauses_log_cycle(&report);
}

bool
gc_cycle_pause(enum gc_pause_kind kind, void (*stopped)(struct gc_stopped *), struct gc_stopped *state) {
  uint64_t mutator_ns = gc_os_now_ns() - gc_cycle_stats.ended_ns;
  if (!gc_stopped_call(kind, stopped, state)) {
    gc_cycle_stats.called_off++;
    return false;
  }
  GC_WRITE(GC_gc_no, GC_READ(GC_gc_no) + (state->finished && kind != GC_PAUSE_START));
  gc_cycle_stats.called_off += !state->finished;
  gc_cycle_stats.total_ns += state->pause.total_ns;
  gc_cycle_stats.ended_ns = gc_os_now_ns();
  gc_policy_learn(&state->pause, mutator_ns);
  return state->finished;
}

// All of the heap, with the world stopped.  What can be done before is.
static bool
run_full(struct gc_cycle_request request) {
  struct gc_stopped state = {
      .stop = request.stop,
      .markers =
          gc_cycle_prepare_markers(gc_pacer_expected_live_bytes(gc_heap.live_bytes, gc_heap.allocated_bytes)),
  };
  gc_cycle_finish_last();
  gc_refs_prepare(request.reason == GC_CYCLE_MEMORY);
  bool asked_for = request.reason != GC_CYCLE_BUDGET;
  bool preferred = !asked_for && gc_policy_prefers_stops();
  if (asked_for)
    gc_concurrent_expect_another_phase();
  bool armed = gc_policy_wants_arming();
  if (armed)
    gc_concurrent_arm();
  bool finished = gc_cycle_pause(GC_PAUSE_FULL, gc_stopped_full, &state);
  if (finished)
    gc_policy_after_full((struct gc_policy_full){
        .mark_ns = state.pause.total_ns,
        .cycle_ns = state.pause.total_ns,
        .ended_ns = gc_cycle_stats.ended_ns,
        .asked_for = asked_for,
        .armed = armed,
    });
  else
    gc_policy_lose_written(); // what was armed has not been searched
  gc_concurrent_settle(SIZE_MAX);
  gc_cycle_log(preferred ? "full, preferred" : "full", &state.pause, 1, 0);
  return finished;
}

static bool
run_minor(void) {
  struct gc_stopped state = {
      .markers = gc_cycle_prepare_markers(gc_heap.allocated_bytes),
      .may_call_off = gc_policy_has_concurrent(),
      .written_bytes = SIZE_MAX,
  };
  size_t allocated_bytes = gc_heap.allocated_bytes;
  gc_cycle_finish_last();
  size_t live_bytes = gc_heap.live_bytes;
  bool finished = gc_cycle_pause(GC_PAUSE_MINOR, gc_stopped_minor, &state);
  if (finished) {
    gc_policy_after_minor(&state, allocated_bytes,
                          gc_heap.live_bytes - gc_min(gc_heap.live_bytes, live_bytes));
    gc_concurrent_settle(
        gc_pacer_expected_written_bytes(gc_cycle_pacer_heap(), state.written_bytes, allocated_bytes));
  } else {
    gc_policy_give_up_minors();
    gc_concurrent_note_written(state.written_bytes);
    gc_concurrent_settle(SIZE_MAX);
  }
  gc_cycle_log("minor", &state.pause, 1, 0);
  return finished;
}

// [gc_cycle_lock, spilled]
static bool
run_cycle(struct gc_cycle_request request) {
  if (gc_concurrent_is_under_way()) {
    if (request.reason != GC_CYCLE_EXPLICIT && request.reason != GC_CYCLE_MEMORY)
      return gc_concurrent_assist();
    if (!gc_concurrent_complete())
      return false;
  }
  switch (gc_policy_choose(request.reason)) {
  case GC_POLICY_MINOR:
    if (request.stop && request.stop())
      return false;
    return run_minor();
  case GC_POLICY_CONCURRENT:
    if ((!request.stop || !request.stop()) && gc_concurrent_start())
      return true;
    break;
  case GC_POLICY_FULL:
    break;
  }
  return run_full(request);
}

static void *
run_spilled(void *argument) {
  struct gc_cycle_request *request = argument;
  if (gc_cycle_is_disabled())
    return NULL; // while this thread waited for the lock
  return run_cycle(*request) ? argument : NULL;
}

bool
gc_cycle_due(void) {
  size_t allocated = gc_heap.allocated_bytes;
  size_t freed = gc_concurrent_is_under_way() ? 0 : gc_heap.freed_bytes; // not to be had before it is swept
  allocated += gc_finalizers_pressure_bytes();
  return gc_cycle_is_automatic() && allocated > freed && allocated - freed >= gc_cycle_stats.budget_bytes;
}

// Is there anything to do for an allocating thread?
bool
gc_cycle_wants_attention(void) {
  return gc_cycle_due() || gc_concurrent_is_throttling();
}

bool
gc_cycle_collect(struct gc_cycle_request request) {
  if (gc_cycle_is_disabled())
    return false;
  if (request.reason == GC_CYCLE_BUDGET && gc_concurrent_wait_for_slice())
    return true;
  gc_cycle_acquire();
  bool finished = true;
  // Another thread may have collected while this one waited for the lock.
  if (request.reason != GC_CYCLE_BUDGET || gc_cycle_wants_attention())
    finished = gc_world_call_spilled(run_spilled, &request) != NULL;
  gc_lock_release(&gc_cycle_lock);
  gc_pauses_deliver();
  if (request.reason != GC_CYCLE_IDLE)
    gc_run_attend();
  if (finished)
    gc_background_ensure();
  if (finished && gc_cycle_report)
    gc_cycle_report();
  return finished;
}

// ---- The lock ------------------------------------------------------------------------------------------

static struct gc_atomic waiting; // threads that want gc_cycle_lock

void
gc_cycle_acquire(void) {
  gc_atomic_add(&waiting, 1);
  gc_lock_acquire(&gc_cycle_lock);
  gc_atomic_sub(&waiting, 1);
}

// Who has just released a mutex gets it again before those who sleep have woken.
void
gc_cycle_let_others(void) {
  const struct timespec moment = {.tv_nsec = 20000};
  for (unsigned tries = 0; tries < 50 && gc_atomic_load_relaxed(&waiting) > 0; tries++)
    nanosleep(&moment, NULL);
}

// ---- Disabling -----------------------------------------------------------------------------------------

bool
gc_cycle_is_disabled(void) {
  return GC_READ(GC_dont_gc) != 0;
}

static void *
finish_spilled(void *unused) {
  gc_concurrent_complete();
  return unused;
}

void
gc_cycle_disable(bool finish) {
  gc_cycle_acquire();
  if (finish && !gc_cycle_is_disabled())
    gc_world_call_spilled(finish_spilled, NULL);
  __atomic_add_fetch(&GC_dont_gc, 1, __ATOMIC_SEQ_CST);
  gc_lock_release(&gc_cycle_lock);
}

bool
gc_cycle_enable(void) {
  int before = GC_READ(GC_dont_gc);
  while (before != 0 && !__atomic_compare_exchange_n(&GC_dont_gc, &before, before - 1, true, __ATOMIC_SEQ_CST,
                                                     __ATOMIC_RELAXED))
    ;
  if (before == 1)
    gc_concurrent_wake();
  return before != 0;
}

static bool not_automatic; // [atomic: setter -> all, relaxed]

void
gc_cycle_set_automatic(bool on) {
  GC_WRITE(not_automatic, !on);
}

bool
gc_cycle_is_automatic(void) {
  return !GC_READ(not_automatic);
}

// ---- Fork and start ------------------------------------------------------------------------------------

static void
fork_prepare(void) {
  gc_cycle_acquire();
}

static void
fork_parent(void) {
  gc_lock_release(&gc_cycle_lock);
}

// The world has made gc_lock anew.
static void
fork_child(void) {
  gc_atomic_store_relaxed(&waiting, 0);
  gc_lock_reinitialize_forked(&gc_cycle_lock);
  gc_team_after_fork_child();
  gc_background_after_fork_child();
  gc_concurrent_after_fork_child();
  gc_run_after_fork_child();
}

void
gc_cycle_init(void) {
  gc_world_on_detach = gc_cache_give_back;
  gc_world_fork_hooks = (struct gc_fork_hooks){fork_prepare, fork_parent, fork_child};
  gc_roots_more_stw = gc_refs_roots_stw;
  gc_policy_init();
}
