// One collection, from the decision to the end.  Stop-the-world and not generational so far; the phases
// stand in collect_stw in order.
#include "cycle/cycle.h"

#include <string.h>

#include "base/check.h"
#include "base/hooks.h"
#include "base/lock.h"
#include "base/valgrind.h"
#include "cycle/pacer.h"
#include "cycle/verify.h"
#include "gc.h"
#include "heap/heap.h"
#include "heap/sweep.h"
#include "mark/team.h"
#include "os/clock.h"
#include "os/limits.h"
#include "world/world.h"

GC_STATE struct gc_cycle_stats gc_cycle_stats;
GC_STATE struct gc_atomic gc_cycle_disabled;
void (*gc_cycle_report)(void);

static GC_STATE struct gc_range_array roots;  // as the world gives them [stw]
static GC_STATE struct gc_range_array pieces; // cut up for the markers [stw]

enum { ROOT_PIECE_BYTES = 64 * 1024 };

static void
raise_event(GC_EventType event) {
  if (gc_hooks.collection_event)
    gc_hooks.collection_event((int)event);
}

// Run a check if LOAM_VERIFY asks for it.  A fault ends the program while the evidence is fresh.
static void
verify(const char *when, size_t (*check)(const char *when)) {
  size_t faults = gc_tunables.verify ? check(when) : 0;
  GC_CHECK(faults == 0, "verify %s: %zu faults in the heap", when, faults);
}

static size_t
verify_marks(const char *when) {
  (void)when;
  return gc_verify_marks_stw();
}

// ---- Phases --------------------------------------------------------------------------------------------

static size_t
shield_caches(void) {
  size_t bytes = 0;
  for (struct gc_thread *thread = gc_thread_first(); thread; thread = gc_thread_next(thread))
    bytes += gc_cache_shield_stw(&thread->cache);
  return bytes;
}

static void
unshield_caches(void) {
  for (struct gc_thread *thread = gc_thread_first(); thread; thread = gc_thread_next(thread))
    gc_cache_unshield_stw(&thread->cache);
}

static bool
cut_up(struct gc_range range) {
  while (gc_range_bytes(range) > ROOT_PIECE_BYTES) {
    if (!gc_range_array_push(&pieces, (struct gc_range){range.base, range.base + ROOT_PIECE_BYTES}))
      return false;
    range.base += ROOT_PIECE_BYTES;
  }
  return gc_range_array_push(&pieces, range);
}

static bool
collect_roots(void) {
  size_t bytes = 0;
  gc_range_array_clear(&roots);
  gc_range_array_clear(&pieces);
  if (!gc_roots_collect_stw(&roots))
    return false;
  for (size_t i = 0; i < roots.count; i++) {
    bytes += gc_range_bytes(roots.items[i]);
    if (!cut_up(roots.items[i]))
      return false;
  }
  gc_cycle_stats.root_bytes = bytes;
  return true;
}

static bool
mark(struct gc_cycle_request request, unsigned markers) {
  struct gc_mark_job job = {
      .roots = pieces.items,
      .root_count = pieces.count,
      .markers = markers,
      .stop = request.stop,
  };
  gc_marker_begin(gc_team_own_marker());
  raise_event(GC_EVENT_MARK_START);
  bool finished = gc_team_mark(&job);
  raise_event(GC_EVENT_MARK_END);
  return finished;
}

struct gc_pacer_heap
gc_cycle_pacer_heap(void) {
  return (struct gc_pacer_heap){
      .live_bytes = gc_heap.live_bytes,
      .root_bytes = gc_cycle_stats.root_bytes,
      .resident_bytes = gc_heap_resident_bytes(),
      .free_bytes = (size_t)gc_heap.dirty_pages << GC_PAGE_SHIFT,
      .min_budget_bytes = gc_max(gc_cycle_stats.floor_bytes, gc_tunables.min_budget_bytes),
      .initial_heap_bytes = gc_tunables.initial_heap_bytes,
      .divisor = gc_tunables.free_space_divisor,
  };
}

static void
set_budget(void) {
  gc_cycle_stats.budget_bytes = gc_pacer_budget_bytes(gc_cycle_pacer_heap());
}

// Between stop and resume.  false: called off, and everything is as before.
static bool
collect_stw(struct gc_cycle_request request, unsigned markers) {
  uint8_t previous_mark = gc_heap.mark;
  gc_heap.mark = previous_mark == GC_SLOT_MARK_A ? GC_SLOT_MARK_B : GC_SLOT_MARK_A;
  gc_heap.now_ms = (uint32_t)(gc_os_now_ns() / 1000000);
  size_t shielded_bytes = shield_caches();
  bool finished = collect_roots() && mark(request, markers);
  if (finished) {
    verify("after marking", verify_marks);
    raise_event(GC_EVENT_RECLAIM_START);
    gc_sweep_stw(shielded_bytes);
    raise_event(GC_EVENT_RECLAIM_END);
    set_budget();
  } else {
    gc_sweep_undo_marks_stw(gc_heap.mark, previous_mark);
    gc_heap.mark = previous_mark;
  }
  unshield_caches();
  return finished;
}

// ---- Around them ---------------------------------------------------------------------------------------

unsigned
gc_cycle_markers_max(void) {
  if (gc_tunables.markers)
    return (unsigned)gc_min(gc_tunables.markers, GC_MARKERS_MAX);
  return (unsigned)gc_min(gc_limits_cpus(), 16);
}

static unsigned
prepare_markers(void) {
  size_t bytes = gc_pacer_expected_live_bytes(gc_heap.live_bytes, gc_heap.allocated_bytes);
  unsigned markers = gc_pacer_markers(bytes, gc_tunables.parallel_min_bytes, gc_cycle_markers_max());
  gc_team_prepare_helpers(markers - 1);
  return markers;
}

static void
log_cycle(uint64_t pause_ns, bool finished) {
  if (!gc_tunables.print_stats && !gc_tunables.print_verbose_stats)
    return;
  gc_log("collection %zu: %s, pause %lu us, live %zu KiB, reclaimed %zu KiB, heap %zu KiB, roots %zu KiB, "
         "next after %zu KiB",
         gc_cycle_stats.cycles, finished ? "finished" : "called off", (unsigned long)(pause_ns / 1000),
         gc_heap.live_bytes / GC_KIB, gc_heap.reclaimed_bytes / GC_KIB, gc_heap_resident_bytes() / GC_KIB,
         gc_cycle_stats.root_bytes / GC_KIB, gc_cycle_stats.budget_bytes / GC_KIB);
}

// Taken into account from the next cycle on.
static void
learn(uint64_t pause_ns, uint64_t mutator_ns) {
  gc_cycle_stats.floor_bytes = gc_pacer_next_floor_bytes(
      gc_cycle_stats.floor_bytes, gc_tunables.min_budget_bytes, gc_thread_count(), pause_ns, mutator_ns);
}

struct pause {
  struct gc_cycle_request request;
  unsigned markers;
  bool finished;
};

// The pause itself.
static void
pause_stw(void *pause_) {
  struct pause *pause = pause_;
  raise_event(GC_EVENT_POST_STOP_WORLD);
  GC_VALGRIND_BEGIN_CONSERVATIVE();
  verify("before a collection", gc_verify_heap_stw);
  pause->finished = collect_stw(pause->request, pause->markers);
  verify("after a collection", gc_verify_heap_stw);
  GC_VALGRIND_END_CONSERVATIVE();
  raise_event(GC_EVENT_PRE_START_WORLD);
}

// [gc_cycle_lock, spilled]
static bool
run_cycle(struct gc_cycle_request request) {
  struct pause pause = {.request = request, .markers = prepare_markers()};
  if (gc_hooks.start)
    gc_hooks.start();
  raise_event(GC_EVENT_START);
  raise_event(GC_EVENT_PRE_STOP_WORLD);
  uint64_t began_ns = gc_os_now_ns();
  if (!gc_world_call_stopped(pause_stw, &pause)) {
    gc_cycle_stats.called_off++;
    return false;
  }
  uint64_t ended_ns = gc_os_now_ns();
  raise_event(GC_EVENT_POST_START_WORLD);
  gc_cycle_stats.cycles += pause.finished;
  gc_cycle_stats.called_off += !pause.finished;
  gc_cycle_stats.total_ns += ended_ns - began_ns;
  learn(ended_ns - began_ns, began_ns - gc_cycle_stats.ended_ns);
  gc_cycle_stats.ended_ns = ended_ns;
  gc_histogram_record(&gc_cycle_stats.pauses, ended_ns - began_ns);
  raise_event(GC_EVENT_END);
  log_cycle(ended_ns - began_ns, pause.finished);
  return pause.finished;
}

static void *
run_spilled(void *argument) {
  struct gc_cycle_request *request = argument;
  return run_cycle(*request) ? argument : NULL;
}

bool
gc_cycle_due(void) {
  size_t allocated = gc_heap.allocated_bytes, freed = gc_heap.freed_bytes;
  return allocated > freed && allocated - freed >= gc_cycle_stats.budget_bytes;
}

bool
gc_cycle_collect(struct gc_cycle_request request) {
  if (gc_atomic_load_relaxed(&gc_cycle_disabled))
    return false;
  gc_lock_acquire(&gc_cycle_lock);
  bool finished = true;
  // Another thread may have collected while this one waited for the lock.
  if (request.reason != GC_CYCLE_BUDGET || gc_cycle_due())
    finished = gc_world_call_spilled(run_spilled, &request) != NULL;
  gc_lock_release(&gc_cycle_lock);
  if (finished)
    gc_background_ensure();
  if (finished && gc_cycle_report)
    gc_cycle_report();
  return finished;
}

static void
fork_prepare(void) {
  gc_lock_acquire(&gc_cycle_lock);
}

static void
fork_parent(void) {
  gc_lock_release(&gc_cycle_lock);
}

// The world has made gc_lock anew.
static void
fork_child(void) {
  gc_lock_reinitialize_forked(&gc_cycle_lock);
  gc_team_after_fork_child();
  gc_background_after_fork_child();
}

void
gc_cycle_init(void) {
  gc_world_on_detach = gc_cache_give_back;
  gc_world_fork_hooks = (struct gc_fork_hooks){fork_prepare, fork_parent, fork_child};
  gc_atomic_store_relaxed(&gc_cycle_disabled, gc_tunables.dont_gc);
  set_budget();
}
