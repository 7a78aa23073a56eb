// Deciding.  See policy.h.
#include "cycle/policy.h"

#include <string.h>

#include "base/hooks.h"
#include "base/lock.h"
#include "base/variables.h"
#include "cycle/pacer.h"
#include "cycle/remember.h"
#include "gc.h"
#include "heap/heap.h"
#include "os/limits.h"
#include "os/writes.h"
#include "refs/finalizers.h"
#include "world/roots.h"
#include "world/stop.h"

// [gc_cycle_lock; read racily by statistics]
static GC_STATE struct {
  enum gc_mode mode;
  bool manual;                 // the program tells its writes
  bool tried;                  // to notice writes, and it cannot be done here
  bool tracks;                 // writes are noticed
  bool full_first;             // minor cycles need a full one before them
  size_t floating_bytes;       // of what counts as alive, probably garbage
  uint64_t next_full_ns;       // what the next full cycle will probably take
  size_t full_live_bytes;      // what lived after the last full cycle
  size_t full_allocated_bytes; // in all until then, and reclaimed
  size_t full_reclaimed_bytes;
  bool growing;             // see pacer.h
  size_t full_budget_bytes; // what was to be allocated until the next
  size_t born_bytes;        // during concurrent cycles, expected
  size_t work_bytes;        // see pacer.h
  uint64_t full_stop_ns;    // to stop the program for the last full cycle in one pause, and to resume it
  size_t learnt_bytes;      // allocated in all when that was last thought about
  size_t keepers;           // dead objects that the last cycle found to keep others for their finalizers
  struct gc_pacer_minors minors;
  struct gc_pacer_way way;
  uint64_t full_ended_ns; // the last full cycle
  bool by_steps;          // the program drives cycles
} policy;

// ---- Noticing writes -----------------------------------------------------------------------------------

static bool
choose_back_end(enum gc_writes_kind kind) {
  gc_lock_acquire(&gc_lock);
  bool chosen = gc_writes_choose(gc_heap.base, gc_heap.reserved_pages << GC_PAGE_SHIFT, kind);
  gc_page_set_clear(gc_heap.armed, gc_heap.frontier);
  gc_lock_release(&gc_lock);
  return chosen;
}

// mprotect makes system calls fail that write to the heap, so it is used only where it was asked for.
static bool
choose_any_back_end(void) {
  if (policy.manual)
    return choose_back_end(GC_WRITES_CARDS);
  const char *only = gc_tunables.writes ? gc_tunables.writes : "";
  bool only_mprotect = strcmp(only, "mprotect") == 0;
  if (!only_mprotect && choose_back_end(GC_WRITES_USERFAULT))
    return true;
  bool asked_for = only_mprotect || policy.mode != GC_MODE_IS_AUTO;
  return asked_for && strcmp(only, "userfault") != 0 && choose_back_end(GC_WRITES_PROTECT);
}

static void
begin_tracking(void) {
  if (policy.tracks || policy.tried)
    return;
  policy.tracks = choose_any_back_end();
  policy.tried = !policy.tracks;
  policy.full_first = true;
}

static void
end_tracking(void) {
  if (policy.tracks)
    choose_back_end(GC_WRITES_NONE);
  policy.tracks = policy.tried = false;
}

// ---- Modes ---------------------------------------------------------------------------------------------

// A full cycle in one pause would stop the program for too long.  With pointer-free data it may not,
// however large the heap.
static bool
are_pauses_long(void) {
  return policy.next_full_ns / 2 > gc_pause_target_ns();
}

// By what a full cycle takes: a byte of roots is searched in a quarter of the time that one of objects is.
static size_t
searched_bytes(void) {
  return gc_heap.live_bytes + gc_cycle_stats.root_bytes / 4;
}

// In AUTO: not for small heaps, nor where full cycles neither stop the program for long nor take much of its
// time.
static bool
wants_minor(void) {
  if (policy.mode != GC_MODE_IS_AUTO)
    return policy.mode != GC_MODE_IS_STOP;
  return searched_bytes() >= gc_tunables.generational_min_bytes &&
         (are_pauses_long() || gc_pacer_is_full_dear(policy.work_bytes, policy.full_budget_bytes));
}

bool
gc_policy_prefers_stops(void) {
  return policy.mode == GC_MODE_IS_AUTO && gc_pacer_way_stops(&policy.way) && !policy.by_steps;
}

void
gc_policy_note_steps(void) {
  policy.by_steps = true;
}

static bool
wants_concurrent(void) {
  if (policy.mode != GC_MODE_IS_AUTO)
    return policy.mode == GC_MODE_IS_CONCURRENT;
  return searched_bytes() >= gc_tunables.concurrent_min_bytes && are_pauses_long() &&
         !gc_policy_prefers_stops();
}

static bool
is_generational(void) {
  bool pay = gc_pacer_minors_pay(&policy.minors) || gc_tunables.stress_collect_every > 0;
  return policy.tracks && wants_minor() && pay;
}

// What waits for the finalizers of others is old by the time that these have been called: only a full cycle
// finds it dead, level by level.
static bool
is_much_waiting(void) {
  enum { FEW = 64 };
  return policy.keepers >= FEW && policy.keepers >= gc_finalizers_count() / 16;
}

// Since the last full cycle.
static size_t
grown_bytes(void) {
  return gc_heap.live_bytes - gc_min(gc_heap.live_bytes, policy.full_live_bytes);
}

static bool
is_full_due(void) {
  unsigned full_freq = gc_variables_full_freq();
  size_t room_bytes = are_pauses_long() ? policy.full_budget_bytes : policy.full_budget_bytes / 4;
  return policy.full_first || grown_bytes() >= room_bytes || is_much_waiting() ||
         (full_freq > 0 && policy.minors.since_full >= full_freq);
}

// Each kind in its turn, as far as the mode has it.
static enum gc_policy_choice
choose_for_stress(void) {
  static unsigned turn;
  bool may_be_minor = policy.tracks && wants_minor() && !policy.full_first;
  if (turn++ % 4 != 0 && may_be_minor)
    return GC_POLICY_MINOR;
  return policy.tracks && wants_concurrent() && turn % 3 != 0 ? GC_POLICY_CONCURRENT : GC_POLICY_FULL;
}

bool
gc_policy_wants_arming(void) {
  size_t allocated_total_bytes =
      gc_heap.allocated_before_bytes + gc_heap.allocated_bytes + gc_heap.carried_bytes;
  bool may_pay =
      gc_pacer_minors_may_pay(&policy.minors, allocated_total_bytes - policy.full_allocated_bytes) ||
      gc_tunables.stress_collect_every > 0;
  return policy.tracks && wants_minor() && may_pay;
}

bool
gc_policy_relies_on_writes(void) {
  return !policy.full_first;
}

bool
gc_policy_has_concurrent(void) {
  return policy.tracks && wants_concurrent();
}

// Only how much static data there is can be known before the first cycle.
static void
expect_first(void) {
  gc_cycle_stats.root_bytes = gc_roots_static_bytes();
  policy.next_full_ns = gc_pacer_expected_first_ns(gc_cycle_stats.root_bytes);
}

// Leaks are looked for with the world stopped only: while markers run beside the program an object that it
// frees may get a mark once more, and would seem to have leaked.
enum gc_policy_choice
gc_policy_choose(enum gc_cycle_reason reason) {
  if (GC_READ(GC_find_leak))
    return GC_POLICY_FULL;
  if (policy.full_ended_ns == 0)
    expect_first();
  if (wants_minor() || wants_concurrent())
    begin_tracking();
  if (reason == GC_CYCLE_STRESS)
    return choose_for_stress();
  if (reason == GC_CYCLE_IDLE)
    gc_pacer_way_init(&policy.way); // it has time to spare by now
  if (reason == GC_CYCLE_BUDGET && is_generational() && !is_full_due())
    return GC_POLICY_MINOR;
  bool may_wait = reason == GC_CYCLE_BUDGET || reason == GC_CYCLE_IDLE;
  return may_wait && policy.tracks && wants_concurrent() ? GC_POLICY_CONCURRENT : GC_POLICY_FULL;
}

// ---- Budgets -------------------------------------------------------------------------------------------

struct gc_pacer_heap
gc_cycle_pacer_heap(void) {
  return (struct gc_pacer_heap){
      .live_bytes = gc_heap.live_bytes - gc_min(policy.floating_bytes, gc_heap.live_bytes / 2),
      .root_bytes = gc_cycle_stats.root_bytes,
      .resident_bytes = gc_heap_resident_bytes(),
      .free_bytes = (size_t)gc_heap.dirty_pages << GC_PAGE_SHIFT,
      .min_budget_bytes = gc_max(gc_cycle_stats.floor_bytes, gc_tunables.min_budget_bytes),
      .initial_heap_bytes = gc_tunables.initial_heap_bytes,
      .work_bytes = policy.work_bytes,
      .divisor = gc_variables_divisor(),
      .growing = policy.growing,
      .lean = gc_tunables.lean,
  };
}

// Where a full cycle would be no long pause a minor one is none either: the nursery may be all that the old
// generation leaves of the budget (Appel 1989), or half of it.  A minor cycle costs less, so it may come
// sooner.
static size_t
nursery_bytes(void) {
  if (gc_tunables.nursery_bytes)
    return gc_tunables.nursery_bytes;
  if (are_pauses_long())
    return policy.minors.nursery_bytes;
  struct gc_pacer_heap heap = gc_cycle_pacer_heap();
  heap.work_bytes = gc_pacer_minor_work_bytes(&policy.minors, heap.work_bytes);
  size_t left_bytes = policy.full_budget_bytes - gc_min(grown_bytes(), policy.full_budget_bytes / 2);
  return gc_min(left_bytes, gc_pacer_budget_bytes(heap));
}

// Where full pauses would be far too long, minor ones must be as short as they can be: old objects are kept
// from the pages that are allocated in.  Else these are used up first, as long as it is not much that has to
// be searched with them.
static uint8_t
roomy_first(bool minor) {
  enum { FAR = 16 };
  if (!minor)
    return GC_ROOMY;
  return policy.next_full_ns / FAR > gc_pause_target_ns() ? GC_EMPTINESS : GC_EMPTINESS / 2;
}

void
gc_policy_set_budget(void) {
  struct gc_pacer_heap heap = gc_cycle_pacer_heap();
  bool minor = is_generational() && !policy.full_first;
  gc_heap.roomy_first = roomy_first(minor);
  if (minor)
    gc_cycle_stats.budget_bytes = nursery_bytes();
  else if (policy.tracks && wants_concurrent())
    gc_cycle_stats.budget_bytes = gc_pacer_start_bytes(heap, policy.born_bytes);
  else
    gc_cycle_stats.budget_bytes = gc_pacer_budget_bytes(heap);
}

void
gc_policy_set_concurrent_budget(void) {
  gc_cycle_stats.budget_bytes = gc_heap.allocated_bytes + gc_pacer_concurrent_bytes(gc_cycle_pacer_heap());
}

// ---- Learning ------------------------------------------------------------------------------------------

// Taken into account from the next cycle on.
void
gc_policy_learn(const struct gc_pause *pause, uint64_t mutator_ns) {
  size_t allocated_total_bytes = gc_heap.allocated_before_bytes;
  size_t allocated_bytes = allocated_total_bytes - policy.learnt_bytes;
  policy.learnt_bytes = allocated_total_bytes;
  if (pause->kind != GC_PAUSE_FULL)
    return;
  uint64_t stop_ns =
      pause->phase_ns[GC_PHASE_STOP] + pause->phase_ns[GC_PHASE_ROOTS] + pause->phase_ns[GC_PHASE_RESUME];
  struct gc_pacer_stop stop = {.threads = gc_min(gc_stop_signalled() + 1, gc_limits_cpus()),
                               .stop_ns = gc_min(stop_ns, policy.full_stop_ns), // one long stop proves little
                               .pause_ns = pause->total_ns,
                               .mutator_ns = mutator_ns,
                               .lean = gc_tunables.lean};
  policy.full_stop_ns = stop_ns;
  gc_cycle_stats.floor_bytes =
      gc_pacer_next_floor_bytes(stop, gc_cycle_stats.floor_bytes, gc_tunables.min_budget_bytes);
  policy.work_bytes =
      gc_pacer_next_work_bytes(policy.work_bytes, allocated_bytes, pause->total_ns, mutator_ns);
}

static void
learn_way(struct gc_policy_full cycle, size_t allocated_bytes) {
  struct gc_pacer_span span = {
      .ns = cycle.ended_ns - policy.full_ended_ns,
      .allocated_bytes = allocated_bytes,
      .cycle_ns = cycle.cycle_ns,
      .born_bytes = cycle.born_bytes,
      .pause_ns = cycle.concurrent ? cycle.mark_ns / 2 : cycle.cycle_ns,
      .stopped = !cycle.concurrent,
      .asked_for = cycle.asked_for,
      .settled = !policy.growing && policy.full_first,
  };
  policy.full_ended_ns = cycle.ended_ns;
  gc_pacer_way_after_full(&policy.way, span);
}

void
gc_policy_after_full(struct gc_policy_full cycle) {
  size_t before_bytes = policy.full_live_bytes;
  policy.keepers = gc_finalizers_take_keepers();
  policy.floating_bytes = gc_pacer_floating_bytes(cycle.black_bytes);
  if (cycle.concurrent)
    policy.born_bytes = gc_pacer_expected_born_bytes(policy.born_bytes, cycle.born_bytes);
  policy.full_live_bytes = gc_cycle_pacer_heap().live_bytes;
  policy.full_budget_bytes = gc_pacer_budget_bytes(gc_cycle_pacer_heap());
  struct gc_pacer_full full = {
      .full_ns = cycle.mark_ns,
      .full_bytes = policy.full_budget_bytes,
      .allocated_bytes = gc_heap.allocated_before_bytes - policy.full_allocated_bytes,
      .reclaimed_bytes =
          gc_heap.reclaimed_before_bytes + gc_heap.reclaimed_bytes - policy.full_reclaimed_bytes,
      .grown_bytes = policy.full_live_bytes - gc_min(policy.full_live_bytes, before_bytes),
      .marked_bytes = policy.full_live_bytes + gc_cycle_stats.root_bytes,
  };
  policy.full_allocated_bytes += full.allocated_bytes;
  policy.full_reclaimed_bytes += full.reclaimed_bytes;
  if (full.allocated_bytes >= full.full_bytes / 4)
    policy.growing = gc_pacer_is_growing(full.allocated_bytes, full.reclaimed_bytes);
  learn_way(cycle, full.allocated_bytes);
  gc_pacer_minors_after_full(&policy.minors, full);
  policy.next_full_ns = gc_pacer_expected_full_ns(full);
  policy.full_first = !cycle.armed || !is_generational();
  gc_policy_set_budget();
}

void
gc_policy_after_minor(const struct gc_stopped *state, size_t allocated_bytes, size_t promoted_bytes) {
  struct gc_pacer_minor minor = {
      .pause_ns = state->pause.total_ns,
      .young_ns = state->pause.phase_ns[GC_PHASE_MARK] + state->pause.phase_ns[GC_PHASE_SWEEP],
      .target_ns = gc_pause_target_ns(),
      .allocated_bytes = allocated_bytes,
      .promoted_bytes = promoted_bytes,
      .written_pages = state->written_bytes / GC_WRITES_BYTES,
      .most_bytes = gc_pacer_base_budget_bytes(gc_cycle_pacer_heap()),
  };
  gc_pacer_minors_after_minor(&policy.minors, minor);
  policy.keepers = gc_finalizers_take_keepers();
  policy.full_first = !is_generational();
  gc_policy_set_budget();
}

// ---- Changes -------------------------------------------------------------------------------------------

enum gc_mode
gc_policy_set_mode(enum gc_mode mode) {
  bool other_back_end = policy.tracks && policy.manual != (gc_writes_kind() == GC_WRITES_CARDS);
  if (mode != policy.mode || other_back_end)
    end_tracking(); // another mode may allow another back end
  policy.mode = mode;
  policy.tried = false;
  if (mode == GC_MODE_IS_GENERATIONAL || mode == GC_MODE_IS_CONCURRENT)
    begin_tracking();
  gc_policy_set_budget();
  return policy.tried ? GC_MODE_IS_STOP : mode;
}

enum gc_mode
gc_policy_mode(void) {
  return policy.mode;
}

void
gc_policy_set_manual(bool on) {
  policy.manual = on;
}

void
gc_policy_give_up_minors(void) {
  gc_policy_lose_written();
  gc_pacer_minors_called_off(&policy.minors);
  gc_policy_set_budget();
}

void
gc_policy_lose_written(void) {
  policy.full_first = true;
}

void
gc_policy_after_fork_child(void) {
  gc_writes_after_fork_child();
  gc_remember_after_fork_child();
  policy.tracks = gc_writes_kind() != GC_WRITES_NONE;
  policy.full_first = true;
  gc_policy_set_budget();
}

void
gc_policy_init(void) {
  policy.work_bytes = GC_PACER_WORK_BYTES_MIN;
  policy.full_first = true;
  policy.born_bytes = SIZE_MAX;
  gc_pacer_minors_init(&policy.minors);
  gc_pacer_way_init(&policy.way);
  gc_policy_set_budget();
}
