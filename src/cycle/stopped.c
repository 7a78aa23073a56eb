// The pauses.  See stopped.h.
#include "cycle/stopped.h"

#include "base/check.h"
#include "base/hooks.h"
#include "base/valgrind.h"
#include "cycle/cycle.h"
#include "cycle/policy.h"
#include "cycle/remember.h"
#include "cycle/verify.h"
#include "gc.h"
#include "heap/gaps.h"
#include "heap/heap.h"
#include "heap/sweep.h"
#include "mark/team.h"
#include "os/clock.h"
#include "refs/disclaim.h"
#include "refs/refs.h"
#include "world/world.h"

static GC_STATE struct gc_range_array roots;   // as the world gives them [stw]
static GC_STATE struct gc_range_array pieces;  // cut up for the markers [stw]
static GC_STATE struct gc_range_array written; // parts of the heap to search again [stw]

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
verify_marks_of_full(const char *when) {
  (void)when;
  return gc_verify_marks_stw(GC_VERIFY_FULL);
}

static size_t
verify_marks_of_minor(const char *when) {
  (void)when;
  return gc_verify_marks_stw(GC_VERIFY_MINOR);
}

static size_t
verify_marks_of_concurrent(const char *when) {
  (void)when;
  return gc_verify_marks_stw(GC_VERIFY_CONCURRENT);
}

static size_t
verify_writes(const char *when) {
  (void)when;
  return gc_verify_writes_stw();
}

// ---- Caches --------------------------------------------------------------------------------------------

#define FOR_EACH_CACHE(cache)                                                                     \
  for (struct gc_thread *thread_ = gc_thread_first(); thread_; thread_ = gc_thread_next(thread_)) \
    for (struct gc_cache *cache = &thread_->cache; cache; cache = NULL)

static size_t
shield_caches(void) {
  size_t bytes = 0;
  FOR_EACH_CACHE(cache)
  bytes += gc_cache_shield_stw(cache);
  return bytes;
}

static void
unshield_caches(void) {
  FOR_EACH_CACHE(cache)
  gc_cache_unshield_stw(cache);
}

// Slots that were freed to caches go back to their pages.
static void
forget_freed(void) {
  gc_heap.held = gc_heap.held == GC_SLOT_HELD_A ? GC_SLOT_HELD_B : GC_SLOT_HELD_A;
  FOR_EACH_CACHE(cache)
  gc_cache_forget_freed_stw(cache);
}

// If the next nursery is to have no old objects in it, caches do not go back to where there are some.
static void
restart_caches(void) {
  gc_gaps_begin_stw();
  FOR_EACH_CACHE(cache)
  if (gc_heap.roomy_first < GC_EMPTINESS)
    gc_cache_restart_stw(cache);
  else
    gc_cache_go_on_stw(cache);
}

static void
sweep_owned(void) {
  FOR_EACH_CACHE(cache)
  gc_cache_sweep_owned_stw(cache);
}

// ---- Roots ---------------------------------------------------------------------------------------------

// Between whole words: a word that two pieces shared would be in neither.
static bool
cut_up(struct gc_range range) {
  range.base += gc_min(-(uintptr_t)range.base % GC_WORD_BYTES, gc_range_bytes(range));
  while (gc_range_bytes(range) > ROOT_PIECE_BYTES) {
    if (!gc_range_array_push(&pieces, (struct gc_range){range.base, range.base + ROOT_PIECE_BYTES}))
      return false;
    range.base += ROOT_PIECE_BYTES;
  }
  return gc_range_array_push(&pieces, range);
}

static bool
collect_roots(struct gc_stopped *state) {
  size_t bytes = 0;
  gc_range_array_clear(&roots);
  gc_range_array_clear(&pieces);
  gc_range_array_clear(&written);
  bool done = gc_roots_begin_search_stw(&roots, state->later);
  for (size_t i = 0; done && i < roots.count; i++) {
    bytes += gc_range_bytes(roots.items[i]);
    done = cut_up(roots.items[i]);
  }
  gc_cycle_stats.root_bytes = bytes + gc_roots_passed_over_bytes();
  gc_pause_lap(&state->pause, GC_PHASE_ROOTS);
  return done;
}

// What old objects may have been changed.  false if memory is refused; then all counts as written.
static bool
collect_written(struct gc_stopped *state) {
  gc_remember_harvest(0, gc_heap.frontier);
  bool done = gc_remember_gather(0, gc_heap.frontier, true, &written);
  state->written_bytes = 0;
  for (size_t i = 0; i < written.count; i++)
    if (gc_page_set_has(gc_heap.armed, gc_heap_page_of(written.items[i].base)))
      state->written_bytes += gc_range_bytes(written.items[i]);
  if (!done)
    gc_remember_disarm(0, gc_heap.frontier);
  gc_pause_lap(&state->pause, GC_PHASE_HARVEST);
  return done;
}

// ---- Marking and sweeping ------------------------------------------------------------------------------

static struct gc_mark_job
job_of(const struct gc_stopped *state) {
  return (struct gc_mark_job){
      .roots = pieces.items,
      .root_count = pieces.count,
      .written = written.items,
      .written_count = written.count,
      .markers = state->markers,
      .stop = state->stop,
  };
}

static bool
mark(struct gc_stopped *state, struct gc_mark_job job) {
  raise_event(GC_EVENT_MARK_START);
  bool finished = gc_team_mark(&job);
  raise_event(GC_EVENT_MARK_END);
  gc_pause_lap(&state->pause, GC_PHASE_MARK);
  return finished;
}

// Decide about references: `all`, about those also that were made before the last cycle.
static void
settle_references(struct gc_stopped *state, bool all, bool minor) {
  gc_refs_settle_stw(all, minor);
  gc_disclaim_keep_stw(minor);
  gc_pause_lap(&state->pause, GC_PHASE_REFERENCES);
}

static void
flip(void) {
  gc_roots_forget_searched_stw();
  gc_heap.mark = gc_heap.mark == GC_SLOT_MARK_A ? GC_SLOT_MARK_B : GC_SLOT_MARK_A;
}

// After marking: everything that lives bears the mark.  Sweep what is worth it in the pause: all, or only
// what caches own.
static void
begin_sweep(size_t (*check)(const char *when), bool full, bool all) {
  enum { SPANS_AT_ONCE = 1 << 20 };
  verify("after marking", check);
  if (gc_cycle_inspect_stw)
    gc_cycle_inspect_stw();
  raise_event(GC_EVENT_RECLAIM_START);
  gc_heap.now_ms = (uint32_t)(gc_os_now_ns() / 1000000);
  forget_freed();
  restart_caches();
  gc_sweep_begin_stw(full, shield_caches());
  sweep_owned();
  while (all && gc_sweep_some(SPANS_AT_ONCE))
    ;
  raise_event(GC_EVENT_RECLAIM_END);
}

// ---- The pauses ----------------------------------------------------------------------------------------

void
gc_stopped_full(struct gc_stopped *state) {
  flip();
  shield_caches();
  state->finished = collect_roots(state) && mark(state, job_of(state));
  if (state->finished) {
    settle_references(state, true, false);
    gc_page_set_clear(gc_heap.reused,
                      gc_heap.frontier); // the verifier now finds out what is still referred to
    begin_sweep(verify_marks_of_full, true, true);
  } else {
    flip();
    gc_sweep_undo_marks_stw(gc_heap.mark == GC_SLOT_MARK_A ? GC_SLOT_MARK_B : GC_SLOT_MARK_A, gc_heap.mark);
  }
  unshield_caches();
  gc_pause_lap(&state->pause, GC_PHASE_SWEEP);
}

// Called off, it leaves nothing that minor cycles could rely on: the next one must be full.
void
gc_stopped_minor(struct gc_stopped *state) {
  shield_caches();
  verify("before a minor cycle", verify_writes);
  bool found = collect_roots(state) && collect_written(state);
  if (state->may_call_off && gc_pacer_minor_is_too_long(gc_pause_target_ns(), state->written_bytes))
    found = false;
  struct gc_mark_job job = job_of(state);
  job.minor = true;
  state->finished = found && mark(state, job);
  if (state->finished) {
    settle_references(state, false, true);
    begin_sweep(verify_marks_of_minor, false, true);
    gc_remember_arm(0, gc_heap.frontier, true);
  } else {
    gc_roots_forget_searched_stw();
  }
  unshield_caches();
  gc_pause_lap(&state->pause, GC_PHASE_SWEEP);
}

static bool
mark_roots(struct gc_stopped *state, bool begin) {
  if (!collect_roots(state))
    return false;
  struct gc_mark_job job = job_of(state);
  return begin ? gc_team_begin(&job) : gc_team_go_on(&job);
}

// Objects are still born white.
void
gc_stopped_start(struct gc_stopped *state) {
  flip();
  shield_caches();
  state->finished = mark_roots(state, true);
  gc_heap.marking = true;
  if (!state->finished)
    gc_stopped_undo_start();
  unshield_caches();
  gc_pause_lap(&state->pause, GC_PHASE_MARK);
}

// From here on objects are born black, and so are the unused slots of runs.
void
gc_stopped_blacken(struct gc_stopped *state) {
  shield_caches();
  state->finished = mark_roots(state, false);
  if (state->finished)
    gc_heap.birth = gc_heap.mark;
  else
    gc_roots_call_off_search_stw();
  unshield_caches();
  gc_pause_lap(&state->pause, GC_PHASE_MARK);
}

void
gc_stopped_undo_start(void) {
  uint8_t mark = gc_heap.mark;
  gc_team_dismiss_guests();
  flip();
  gc_sweep_undo_marks_stw(mark, gc_heap.mark);
  gc_heap.birth = GC_SLOT_NEW;
  gc_heap.marking = false;
}

void
gc_stopped_finish(struct gc_stopped *state) {
  shield_caches();
  bool found = collect_roots(state) && collect_written(state);
  struct gc_mark_job job = job_of(state);
  job.continued = true;
  state->finished = found && mark(state, job);
  if (state->finished) {
    settle_references(state, !state->looked_ahead, false);
    gc_heap.birth = GC_SLOT_NEW;
    gc_heap.marking = false;
    begin_sweep(verify_marks_of_concurrent, true, false);
  } else {
    gc_roots_call_off_search_stw();
    state->undone = state->at_any_price;
    if (state->undone)
      gc_stopped_undo_start();
  }
  unshield_caches();
  gc_pause_lap(&state->pause, GC_PHASE_SWEEP);
}

// ---- Around them ---------------------------------------------------------------------------------------

struct call {
  void (*function)(struct gc_stopped *);
  struct gc_stopped *state;
};

static void
call_stw(void *call_) {
  struct call *call = call_;
  gc_pause_lap(&call->state->pause, GC_PHASE_STOP);
  raise_event(GC_EVENT_POST_STOP_WORLD);
  GC_VALGRIND_BEGIN_CONSERVATIVE();
  verify("before a pause", gc_verify_heap_stw);
  call->function(call->state);
  verify("after a pause", gc_verify_heap_stw);
  GC_VALGRIND_END_CONSERVATIVE();
  raise_event(GC_EVENT_PRE_START_WORLD);
}

bool
gc_stopped_call(enum gc_pause_kind kind, void (*function)(struct gc_stopped *), struct gc_stopped *state) {
  struct call call = {function, state};
  if (gc_hooks.start)
    gc_hooks.start();
  raise_event(GC_EVENT_START);
  raise_event(GC_EVENT_PRE_STOP_WORLD);
  gc_pause_begin(&state->pause, kind);
  state->pause.called_off = true;
  if (!gc_world_call_stopped(call_stw, &call))
    return false;
  gc_pause_lap(&state->pause, GC_PHASE_RESUME);
  raise_event(GC_EVENT_POST_START_WORLD);
  state->pause.called_off = !state->finished;
  gc_pause_end(&state->pause);
  raise_event(GC_EVENT_END);
  return true;
}
