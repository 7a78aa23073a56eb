// The pacer: its functions one by one, and programs of several shapes simulated.
#include "cycle/pacer.h"

#include "fixture.h"

static struct gc_pacer_heap
heap_with(size_t live_bytes) {
  return (struct gc_pacer_heap){.live_bytes = live_bytes,
                                .resident_bytes = live_bytes,
                                .min_budget_bytes = GC_MIB,
                                .divisor = GC_PACER_DIVISOR};
}

static size_t
budget(size_t live_bytes) {
  return gc_pacer_budget_bytes(heap_with(live_bytes));
}

// ---- Functions -----------------------------------------------------------------------------------------

static void
a_budget_is_never_below_the_least(void **state) {
  (void)state;
  assert_int_equal(budget(0), GC_MIB);
  struct gc_pacer_heap heap = heap_with(0);
  heap.min_budget_bytes = 17 * GC_MIB;
  assert_int_equal(gc_pacer_budget_bytes(heap), 17 * GC_MIB);
}

static void
a_budget_grows_with_what_lives_and_ever_more_slowly(void **state) {
  (void)state;
  for (size_t live = GC_MIB; live <= 64 * GC_GIB; live *= 2) {
    assert_true(budget(2 * live) >= budget(live));
    assert_true(budget(2 * live) <= 2 * budget(live) + 16); // rounding
  }
  assert_in_range(budget(GC_MIB), 2 * GC_MIB, 5 * GC_MIB);
  assert_in_range(budget(GC_GIB), 400 * GC_MIB, 700 * GC_MIB);
  assert_in_range(budget(64 * GC_GIB), 30 * GC_GIB, 36 * GC_GIB);
}

// However fast it is allocated in.
static void
a_lean_budget_is_no_larger_than_what_is_marked(void **state) {
  (void)state;
  struct gc_pacer_heap heap = heap_with(4 * GC_MIB);
  heap.root_bytes = GC_MIB;
  heap.work_bytes = 64 * GC_MIB;
  assert_true(gc_pacer_base_budget_bytes(heap) > 5 * GC_MIB);
  heap.lean = true;
  assert_in_range(gc_pacer_base_budget_bytes(heap), 5 * GC_MIB - GC_PACER_DIVISOR, 5 * GC_MIB);
  heap.live_bytes = GC_MIB; // and may be 2.5 MiB
  assert_in_range(gc_pacer_base_budget_bytes(heap), 5 * GC_MIB / 2 - GC_PACER_DIVISOR, 5 * GC_MIB / 2);
  heap.live_bytes = 4 * GC_MIB;
  heap.work_bytes = GC_MIB; // where less is wanted, no more is given
  size_t lean_bytes = gc_pacer_base_budget_bytes(heap);
  assert_true(lean_bytes < 5 * GC_MIB);
  heap.lean = false;
  assert_int_equal(gc_pacer_base_budget_bytes(heap), lean_bytes);
}

static void
a_larger_divisor_makes_a_smaller_budget(void **state) {
  (void)state;
  struct gc_pacer_heap heap = heap_with(GC_GIB);
  size_t before = gc_pacer_budget_bytes(heap);
  for (heap.divisor = 4; heap.divisor <= 1000; heap.divisor += 83) {
    size_t now = gc_pacer_budget_bytes(heap);
    assert_true(now < before && now >= heap.min_budget_bytes);
    before = now;
  }
  heap.divisor = 1;
  assert_in_range(gc_pacer_budget_bytes(heap), 2 * budget(GC_GIB), 4 * budget(GC_GIB));
}

static void
roots_count_as_work(void **state) {
  (void)state;
  struct gc_pacer_heap heap = heap_with(GC_MIB);
  heap.root_bytes = 100 * GC_MIB;
  assert_in_range(gc_pacer_budget_bytes(heap), 50 * GC_MIB, 100 * GC_MIB);
}

// Where collecting takes little of the time a small heap stays small; where it takes much, and in a large
// heap, the budget is what it is without knowing.
static void
little_work_needs_little_memory(void **state) {
  (void)state;
  struct gc_pacer_heap heap = heap_with(4 * GC_MIB);
  heap.work_bytes = 100 * GC_KIB;
  assert_in_range(gc_pacer_budget_bytes(heap), GC_MIB, 3 * GC_MIB);
  for (size_t before = 0; heap.work_bytes < GC_GIB; heap.work_bytes *= 2) {
    size_t now = gc_pacer_budget_bytes(heap);
    assert_true(now >= before && now <= budget(heap.live_bytes));
    before = now;
  }
  assert_int_equal(gc_pacer_budget_bytes(heap), budget(heap.live_bytes));
  heap = heap_with(GC_GIB);
  heap.work_bytes = GC_MIB;
  assert_int_equal(gc_pacer_budget_bytes(heap), budget(GC_GIB));
}

// 1 ms of each 10 in which 5 MiB are allocated: 0.5 MiB.
static void
work_is_learnt_from_several_cycles(void **state) {
  (void)state;
  size_t work = GC_PACER_WORK_BYTES_MIN;
  for (int i = 0; i < 10; i++) {
    size_t before = work;
    work = gc_pacer_next_work_bytes(work, 5 * GC_MIB, 1000000, 10000000);
    assert_in_range(work, before, 2 * before);
  }
  assert_in_range(work, GC_MIB / 2 - 1, GC_MIB / 2 + 1);
  assert_int_equal(gc_pacer_next_work_bytes(work, 5 * GC_MIB, 100000000, 10000000), 2 * work);
  assert_int_equal(gc_pacer_next_work_bytes(work, 5 * GC_MIB, 0, 10000000), work / 2);
  assert_int_equal(gc_pacer_next_work_bytes(work, SIZE_MAX, UINT64_MAX, 0), 2 * work);
  assert_int_equal(gc_pacer_next_work_bytes(GC_PACER_WORK_BYTES_MIN, 0, 0, 0), GC_PACER_WORK_BYTES_MIN);
}

static void
full_cycles_are_dear_from_a_seventeenth_of_the_time_on(void **state) {
  (void)state;
  assert_true(gc_pacer_is_full_dear(GC_MIB, 16 * GC_MIB));
  assert_false(gc_pacer_is_full_dear(GC_MIB - 1, 16 * GC_MIB));
  assert_false(gc_pacer_is_full_dear(GC_PACER_WORK_BYTES_MIN, GC_MIB));
}

static void
the_floor_rises_only_where_others_are_stopped(void **state) {
  (void)state;
  struct gc_pacer_stop stop = {.stop_ns = 1000000, .pause_ns = 1500000, .mutator_ns = 1000000};
  assert_int_equal(gc_pacer_next_floor_bytes(stop, GC_MIB, GC_MIB), GC_MIB);
  stop.threads = 1;
  assert_int_equal(gc_pacer_next_floor_bytes(stop, GC_MIB, GC_MIB), 2 * GC_MIB);
  assert_int_equal(gc_pacer_next_floor_bytes(stop, 4 * GC_MIB, GC_MIB), 4 * GC_MIB);
  stop.threads = 2;
  assert_int_equal(gc_pacer_next_floor_bytes(stop, 4 * GC_MIB, GC_MIB), 8 * GC_MIB);
  stop.lean = true;
  assert_int_equal(gc_pacer_next_floor_bytes(stop, 4 * GC_MIB, GC_MIB), 4 * GC_MIB);
}

static void
the_floor_falls_where_marking_is_what_takes_time(void **state) {
  (void)state;
  struct gc_pacer_stop stop = {.threads = 3, .stop_ns = 100000, .pause_ns = 1000000, .mutator_ns = 1000000};
  assert_int_equal(gc_pacer_next_floor_bytes(stop, 4 * GC_MIB, GC_MIB), 2 * GC_MIB);
  stop.pause_ns = 500000;
  assert_int_equal(gc_pacer_next_floor_bytes(stop, 4 * GC_MIB, GC_MIB), 4 * GC_MIB);
}

static void
the_floor_falls_when_threads_have_gone(void **state) {
  (void)state;
  struct gc_pacer_stop stop = {.stop_ns = 1000, .pause_ns = 2000, .mutator_ns = 10000};
  assert_int_equal(gc_pacer_next_floor_bytes(stop, 16 * GC_MIB, GC_MIB), GC_MIB);
}

static void
the_initial_heap_is_filled_before_the_first_cycle(void **state) {
  (void)state;
  struct gc_pacer_heap heap = heap_with(10 * GC_MIB);
  heap.initial_heap_bytes = GC_GIB;
  assert_int_equal(gc_pacer_budget_bytes(heap), GC_GIB - 10 * GC_MIB);
  heap.initial_heap_bytes = GC_MIB;
  assert_int_equal(gc_pacer_budget_bytes(heap), budget(10 * GC_MIB));
}

static void
no_heap_is_too_large(void **state) {
  (void)state;
  assert_in_range(budget((size_t)64 * 1024 * GC_GIB), (size_t)16 * 1024 * GC_GIB, (size_t)64 * 1024 * GC_GIB);
}

static void
markers_are_woken_when_they_pay(void **state) {
  (void)state;
  const size_t least = 8 * GC_MIB;
  assert_int_equal(gc_pacer_markers(0, least, 16), 1);
  assert_int_equal(gc_pacer_markers(least - 1, least, 16), 1);
  assert_int_equal(gc_pacer_markers(least, least, 16), 2);
  assert_int_equal(gc_pacer_markers(GC_GIB, least, 16), 16);
  assert_int_equal(gc_pacer_markers(GC_GIB, least, 1), 1);
  assert_in_range(gc_pacer_markers(0, 0, 16), 1, 16);
  for (size_t live = 0; live < 200 * GC_MIB; live += GC_MIB)
    assert_true(gc_pacer_markers(live + GC_MIB, least, 16) >= gc_pacer_markers(live, least, 16));
}

// ---- Idleness ------------------------------------------------------------------------------------------

#define MS UINT64_C(1000000)

static struct gc_pacer_idle
idle_program(void) {
  return (struct gc_pacer_idle){.since_cycle_ns = 5000 * MS,
                                .interval_ns = 1000 * MS,
                                .window_ns = 250 * MS,
                                .window_allocated_bytes = 0,
                                .allocated_bytes = GC_MIB,
                                .budget_bytes = GC_GIB,
                                .live_bytes = GC_GIB};
}

static void
an_idle_program_is_collected(void **state) {
  (void)state;
  assert_true(gc_pacer_idle_cycle_due(idle_program()));
}

static void
not_before_the_interval_is_over(void **state) {
  (void)state;
  struct gc_pacer_idle idle = idle_program();
  idle.since_cycle_ns = 999 * MS;
  assert_false(gc_pacer_idle_cycle_due(idle));
}

static void
not_when_nothing_was_allocated_since_the_last_cycle(void **state) {
  (void)state;
  struct gc_pacer_idle idle = idle_program();
  idle.allocated_bytes = 0;
  assert_false(gc_pacer_idle_cycle_due(idle));
}

static void
not_when_the_budget_is_soon_used_up(void **state) {
  (void)state;
  struct gc_pacer_idle idle = idle_program();
  idle.window_allocated_bytes = 250 * GC_MIB; // 1000 MiB a second: 1.2 s
  assert_false(gc_pacer_idle_cycle_due(idle));
  idle.window_allocated_bytes = 150 * GC_MIB; // 2 s
  assert_true(gc_pacer_idle_cycle_due(idle));
}

static void
fruitless_cycles_grow_rare_and_one_that_pays_resets(void **state) {
  (void)state;
  uint64_t interval = GC_PACER_IDLE_INTERVAL_MS * MS;
  for (int i = 0; i < 20; i++) {
    uint64_t next = gc_pacer_next_idle_interval_ns(interval, 0, GC_GIB);
    assert_true(next == 2 * interval || next == GC_PACER_IDLE_INTERVAL_MS_MAX * MS);
    interval = next;
  }
  assert_int_equal(interval, GC_PACER_IDLE_INTERVAL_MS_MAX * MS);
  assert_int_equal(gc_pacer_next_idle_interval_ns(interval, GC_GIB, GC_GIB), GC_PACER_IDLE_INTERVAL_MS * MS);
}

// ---- Simulation ----------------------------------------------------------------------------------------

// What lives after so many bytes have been allocated.
typedef size_t live_function(size_t allocated_bytes);

struct simulation {
  size_t cycles;
  double overhead_max; // the heap at its largest, just before a cycle, over what lives
  size_t marked_bytes;
};

// The policy alone, without the memory that a peak has left.
static struct simulation
simulate(live_function *live, size_t total_bytes) {
  struct simulation result = {0};
  for (size_t allocated = 0;;) {
    struct gc_pacer_heap heap = heap_with(live(allocated));
    size_t budget_bytes = gc_pacer_budget_bytes(heap);
    allocated += budget_bytes;
    if (allocated > total_bytes)
      return result;
    result.cycles++;
    result.marked_bytes += live(allocated);
    double overhead = (double)(heap.live_bytes + budget_bytes) / (double)gc_max(heap.live_bytes, 1);
    if (overhead > result.overhead_max)
      result.overhead_max = overhead;
  }
}

static size_t
tiny(size_t allocated) {
  (void)allocated;
  return 200 * GC_KIB;
}

// As a program, 100 MiB of objects of 64 bytes through a ring of 3200 of them: libgc 8.2.2 collects 1011
// times, Loam 88.
static void
a_tiny_heap_collects_seldom(void **state) {
  (void)state;
  assert_in_range(simulate(tiny, 100 * GC_MIB).cycles, 1, 100);
}

static size_t
steady(size_t allocated) {
  (void)allocated;
  return 100 * GC_MIB;
}

static void
a_steady_program_pays_a_bounded_price(void **state) {
  (void)state;
  struct simulation result = simulate(steady, 10 * GC_GIB);
  assert_true(result.overhead_max < 1.9);
  assert_true(result.marked_bytes < (size_t)20 * GC_GIB); // two bytes marked for one allocated
}

static size_t
ramp(size_t allocated) {
  return allocated;
}

// A program that only builds: its collections are wasted, so their number may grow with the logarithm only.
static void
a_program_that_only_builds_collects_seldom(void **state) {
  (void)state;
  struct simulation result = simulate(ramp, GC_GIB);
  assert_in_range(result.cycles, 1, 25);
  assert_true(result.marked_bytes < 5 * GC_GIB);
}

// Pages fill unevenly: a heap takes a little more memory than what lives and the budget, and keeps what it
// has. If the budget followed what is held, both would grow for ever.
static void
a_steady_heap_takes_no_more_and_more_memory(void **state) {
  (void)state;
  struct gc_pacer_heap heap = heap_with(GC_MIB);
  size_t used_bytes = 0;
  for (int cycle = 0; cycle < 10000; cycle++) {
    size_t needed_bytes = heap.live_bytes + gc_pacer_budget_bytes(heap);
    used_bytes = gc_max(used_bytes, needed_bytes + needed_bytes / 2);
    heap.free_bytes = used_bytes - heap.live_bytes;
  }
  assert_true(used_bytes < 2 * (heap.live_bytes + gc_pacer_base_budget_bytes(heap)));
}

static size_t
burst(size_t allocated) {
  return allocated % GC_GIB < GC_GIB / 8 ? 200 * GC_MIB : 10 * GC_MIB;
}

static void
bursts_do_not_make_it_thrash(void **state) {
  (void)state;
  struct simulation result = simulate(burst, 10 * GC_GIB);
  assert_in_range(result.cycles, 20, 1000);
  assert_true(result.overhead_max < 3.5);
}

static size_t
phases(size_t allocated) {
  return allocated < GC_GIB ? 400 * GC_MIB : GC_MIB;
}

static void
after_a_change_of_phase_the_small_heap_is_small(void **state) {
  (void)state;
  assert_true(simulate(phases, 2 * GC_GIB).cycles > 200);
}

// ---- Minor cycles --------------------------------------------------------------------------------------

// The pacer's own limits, so that changing them is noticed.
#define NURSERY_LEAST GC_MIB
#define NURSERY_MOST (64 * GC_MIB)
#define NURSERY_CACHED (8 * GC_MIB) // save where that would not pay
enum { WAIT_MOST = 16, TO_GIVE_UP = 4, TO_GIVE_UP_AGAIN = 2, AGAIN_WHERE_IT_IS_CLEAR = 1 };

// Of the bytes that a program allocates, `survive` of 100 are alive at the next minor cycle, and what lives
// has grown by `grow` of 100 at the next full one.
struct shape {
  unsigned survive, grow;
  size_t written_pages; // between two minor cycles
  uint64_t fixed_ns;    // of a minor pause
  double young_ns_per_byte;
  uint64_t target_ns; // 0: 1 ms
  bool called_off;    // so much is written that minor cycles are
};

struct generations {
  struct gc_pacer_minors minors;
  size_t live_bytes;
  size_t promoted_bytes, allocated_bytes; // since the last full cycle
  uint64_t young_ns;                      // of the last minor cycle
  size_t minor_count, full_count;
};

static const struct shape garbage = {.survive = 5, .fixed_ns = 200000, .young_ns_per_byte = 0.045};
static const struct shape growth = {
    .survive = 100, .grow = 100, .fixed_ns = 200000, .young_ns_per_byte = 0.5};
static const struct shape replacement = {.survive = 95, .fixed_ns = 200000, .young_ns_per_byte = 0.5};
static const struct shape costly = {
    .survive = 5, .fixed_ns = 200000, .young_ns_per_byte = 0.045, .written_pages = 100000};

static const struct shape rather_costly = {
    .survive = 5, .fixed_ns = 200000, .young_ns_per_byte = 0.045, .written_pages = 8000};

static void
run_full(struct generations *program, struct shape shape) {
  size_t grown = program->allocated_bytes / 100 * shape.grow;
  program->live_bytes += grown;
  gc_pacer_minors_after_full(&program->minors,
                             (struct gc_pacer_full){
                                 .full_ns = program->live_bytes / 2, // at 2 GB/s
                                 .full_bytes = gc_pacer_base_budget_bytes(heap_with(program->live_bytes)),
                                 .allocated_bytes = program->allocated_bytes,
                                 .reclaimed_bytes = program->allocated_bytes - grown,
                             });
  program->promoted_bytes = program->allocated_bytes = 0;
  program->full_count++;
}

static void
run_minor(struct generations *program, struct shape shape) {
  size_t nursery_bytes = program->minors.nursery_bytes;
  program->allocated_bytes += nursery_bytes;
  if (shape.called_off) {
    gc_pacer_minors_called_off(&program->minors);
    run_full(program, shape);
    return;
  }
  struct gc_pacer_minor minor = {
      .young_ns = (uint64_t)((double)nursery_bytes * shape.young_ns_per_byte),
      .target_ns = shape.target_ns ? shape.target_ns : MS,
      .allocated_bytes = nursery_bytes,
      .promoted_bytes = nursery_bytes / 100 * shape.survive,
      .written_pages = shape.written_pages,
      .most_bytes = gc_pacer_base_budget_bytes(heap_with(program->live_bytes)),
  };
  minor.pause_ns = minor.young_ns + shape.fixed_ns;
  program->young_ns = minor.young_ns;
  program->promoted_bytes += minor.promoted_bytes;
  program->minor_count++;
  gc_pacer_minors_after_minor(&program->minors, minor);
}

// One cycle of either kind, as cycle/policy.c chooses.
static void
run_cycle(struct generations *program, struct shape shape) {
  size_t budget_bytes = gc_pacer_base_budget_bytes(heap_with(program->live_bytes));
  if (gc_pacer_minors_pay(&program->minors) && program->promoted_bytes < budget_bytes) {
    run_minor(program, shape);
    return;
  }
  if (!gc_pacer_minors_pay(&program->minors))
    program->allocated_bytes += budget_bytes;
  run_full(program, shape);
}

static void
run_cycles(struct generations *program, struct shape shape, size_t cycles) {
  while (cycles-- > 0)
    run_cycle(program, shape);
}

// Full cycles from here until minor ones are on.
static size_t
fulls_until_minors_pay(struct generations *program, struct shape shape) {
  size_t before = program->full_count;
  while (!gc_pacer_minors_pay(&program->minors) && program->full_count - before < 1000)
    run_cycle(program, shape);
  return program->full_count - before;
}

// Minor cycles from here until they are given up, or 1000.
static size_t
minors_until_given_up(struct generations *program, struct shape shape) {
  size_t before = program->minor_count;
  while (gc_pacer_minors_pay(&program->minors) && program->minor_count - before < 1000)
    run_cycle(program, shape);
  return program->minor_count - before;
}

// A program after its first full cycle.
static struct generations
program_with(size_t live_bytes) {
  struct generations program = {.live_bytes = live_bytes};
  gc_pacer_minors_init(&program.minors);
  assert_true(gc_pacer_minors_pay(&program.minors));
  run_full(&program, garbage);
  program.full_count = 0;
  return program;
}

static void
with_young_garbage_minor_cycles_stay(void **state) {
  (void)state;
  struct generations program = program_with(200 * GC_MIB);
  for (int cycle = 0; cycle < 5000; cycle++) {
    run_cycle(&program, garbage);
    assert_true(gc_pacer_minors_pay(&program.minors));
  }
  assert_true(program.minor_count > 20 * program.full_count && program.full_count > 0);
}

static void
the_nursery_follows_the_pause(void **state) {
  (void)state;
  for (double ns_per_byte = 0.02; ns_per_byte < 0.3; ns_per_byte *= 1.3) {
    struct generations program = program_with(200 * GC_MIB);
    struct shape shape = garbage;
    shape.young_ns_per_byte = ns_per_byte;
    run_cycles(&program, shape, 60);
    assert_true(gc_pacer_minors_pay(&program.minors));
    if (program.minors.nursery_bytes > NURSERY_LEAST)
      assert_in_range(program.young_ns, program.minors.nursery_bytes < NURSERY_CACHED ? MS / 4 : 0, MS / 2);
    size_t settled = program.minors.nursery_bytes;
    run_cycles(&program, shape, 60);
    assert_int_equal(program.minors.nursery_bytes, settled);
  }
}

static void
the_nursery_grows_to_half_of_a_full_budget_or_what_is_cached(void **state) {
  (void)state;
  struct shape shape = garbage;
  shape.young_ns_per_byte = 1e-6;
  for (size_t live = 4 * GC_MIB; live <= 4 * GC_GIB; live *= 2) {
    struct generations program = program_with(live);
    run_cycles(&program, shape, 100);
    size_t half = gc_pacer_base_budget_bytes(heap_with(live)) / 2;
    assert_int_equal(program.minors.nursery_bytes, gc_max(NURSERY_LEAST, gc_min(half, NURSERY_CACHED)));
  }
}

static void
the_nursery_shrinks_to_the_least_and_no_further(void **state) {
  (void)state;
  struct generations program = program_with(200 * GC_MIB);
  struct shape shape = garbage;
  shape.young_ns_per_byte = 0.6; // more than half of the target for 1 MiB
  shape.fixed_ns = 1000;
  for (int cycle = 0; cycle < 100; cycle++) {
    run_cycle(&program, shape);
    assert_true(program.minors.nursery_bytes >= NURSERY_LEAST);
  }
  assert_int_equal(program.minors.nursery_bytes, NURSERY_LEAST);
}

// Here a full cycle takes 1 ns for a byte.
static void
check_least_nursery(uint64_t target_ns, unsigned times) {
  size_t before = 0;
  for (uint64_t fixed_ns = 500000; fixed_ns <= 32 * MS; fixed_ns *= 2) {
    struct generations program = program_with(200 * GC_MIB);
    program.minors.full_ns = program.minors.full_bytes = 100 * GC_MIB;
    struct shape shape = garbage;
    shape.young_ns_per_byte = 10;
    shape.fixed_ns = fixed_ns;
    shape.target_ns = target_ns;
    for (int cycle = 0; cycle < 20; cycle++) { // by a quarter each
      size_t nursery = program.minors.nursery_bytes;
      run_minor(&program, shape);
      assert_true(program.minors.nursery_bytes <= nursery + nursery / 4);
    }
    size_t expected = gc_min(gc_max(times * fixed_ns, NURSERY_LEAST), NURSERY_MOST);
    assert_in_range(program.minors.nursery_bytes, expected - 1, expected + 1);
    assert_true(program.minors.nursery_bytes >= before);
    before = program.minors.nursery_bytes;
  }
}

// A quarter of what a full one would take for as much, and half of it for pauses that exceed the target by
// far.
static void
what_a_minor_cycle_costs_in_any_case_sets_the_least_nursery(void **state) {
  (void)state;
  check_least_nursery(UINT64_MAX, 4);
  check_least_nursery(MS, 2);
}

static void
while_the_heap_grows_there_are_no_minor_cycles(void **state) {
  (void)state;
  struct generations program = program_with(20 * GC_MIB);
  assert_int_equal(minors_until_given_up(&program, growth), TO_GIVE_UP);
  size_t minors = program.minor_count;
  run_cycles(&program, growth, 20);
  assert_int_equal(program.minor_count, minors);
  assert_false(gc_pacer_minors_pay(&program.minors));
}

static void
a_heap_that_grows_expects_a_longer_full_cycle(void **state) {
  (void)state;
  static const struct {
    struct gc_pacer_full full;
    uint64_t expected_ns;
  } cases[] = {
      {{.allocated_bytes = 100, .grown_bytes = 100, .marked_bytes = 100}, 1500},
      {{.allocated_bytes = 100, .grown_bytes = 50, .marked_bytes = 100}, 1250},
      {{.allocated_bytes = 100, .grown_bytes = 0, .marked_bytes = 100}, 1000},
      {{.allocated_bytes = 100, .grown_bytes = 100, .marked_bytes = 1000}, 1050}, // most of it roots
      {{.allocated_bytes = 0, .grown_bytes = 0, .marked_bytes = 100}, 1000},
      {{.allocated_bytes = 100, .grown_bytes = 900, .marked_bytes = 100}, 1500}, // it cannot be more
      {{.allocated_bytes = 100, .grown_bytes = 100, .marked_bytes = 0}, 51000},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct gc_pacer_full full = cases[i].full;
    full.full_ns = 1000;
    full.full_bytes = 50;
    assert_int_equal(gc_pacer_expected_full_ns(full), cases[i].expected_ns);
  }
}

// A full cycle that the program asks for, and then another.
static void
after_growth_a_cycle_needs_something_new_to_change_that(void **state) {
  (void)state;
  struct generations program = program_with(20 * GC_MIB);
  assert_true(gc_pacer_minors_may_pay(&program.minors, 0));
  minors_until_given_up(&program, growth);
  run_cycles(&program, growth, 20);
  assert_false(gc_pacer_minors_may_pay(&program.minors, 0));
  assert_true(
      gc_pacer_minors_may_pay(&program.minors, gc_pacer_base_budget_bytes(heap_with(program.live_bytes))));
  fulls_until_minors_pay(&program, garbage);
  assert_true(gc_pacer_minors_may_pay(&program.minors, 0));
}

static void
when_they_cost_too_much_only_the_last_full_cycle_to_wait_for_leads_back(void **state) {
  (void)state;
  struct generations program = program_with(200 * GC_MIB);
  for (int round = 0; round < 3; round++) {
    minors_until_given_up(&program, costly);
    for (; program.minors.waiting > 1; run_cycle(&program, costly))
      assert_false(gc_pacer_minors_may_pay(&program.minors, SIZE_MAX));
    assert_true(gc_pacer_minors_may_pay(&program.minors, 0));
    fulls_until_minors_pay(&program, costly);
  }
}

static void
when_most_have_died_they_are_tried_again(void **state) {
  (void)state;
  struct generations program = program_with(20 * GC_MIB);
  minors_until_given_up(&program, growth);
  run_cycles(&program, growth, 20);
  assert_in_range(fulls_until_minors_pay(&program, garbage), 1, 2);
  run_cycles(&program, garbage, 1000);
  assert_true(gc_pacer_minors_pay(&program.minors));
}

// With 4 GiB alive most of a minor pause is fixed, and the first nursery is too small for it.
static void
the_fixed_part_of_a_pause_is_judged_by_the_nursery_to_come(void **state) {
  (void)state;
  struct generations program = program_with(4096 * GC_MIB);
  struct shape shape = garbage;
  shape.fixed_ns = 5 * MS;
  run_cycles(&program, shape, 200);
  assert_int_equal(program.full_count, 0);
  shape.fixed_ns = 200 * MS; // no nursery is large enough for that
  program = program_with(4096 * GC_MIB);
  assert_int_equal(minors_until_given_up(&program, shape), TO_GIVE_UP);
}

// What it waits each time, before minor cycles are tried again and fail: so many times as much as before.
static void
check_backing_off(struct shape shape, size_t again) {
  struct generations program = program_with(200 * GC_MIB);
  assert_int_equal(minors_until_given_up(&program, shape), TO_GIVE_UP);
  for (size_t expected = 1, round = 0; round < 10; round++) {
    assert_int_equal(fulls_until_minors_pay(&program, shape), expected);
    assert_int_equal(minors_until_given_up(&program, shape), again);
    expected = gc_min(4 * expected, WAIT_MOST);
  }
}

static void
where_nothing_dies_young_tries_grow_rare(void **state) {
  (void)state;
  check_backing_off(replacement, AGAIN_WHERE_IT_IS_CLEAR);
}

static void
where_they_cost_too_much_tries_grow_rare(void **state) {
  (void)state;
  check_backing_off(rather_costly, TO_GIVE_UP_AGAIN);
}

static void
where_they_cost_far_too_much_tries_are_short_too(void **state) {
  (void)state;
  check_backing_off(costly, AGAIN_WHERE_IT_IS_CLEAR);
}

// Once they have paid, a cycle that cost several times as much as it saved counts like any other.
static void
a_long_minor_cycle_now_and_then_does_no_harm(void **state) {
  (void)state;
  struct generations program = program_with(200 * GC_MIB);
  run_cycles(&program, garbage, 50);
  for (int round = 0; round < 1000; round++) {
    run_minor(&program, costly);
    run_minor(&program, garbage);
    run_minor(&program, garbage);
    assert_true(gc_pacer_minors_pay(&program.minors));
  }
}

// They are given up at once.  The full cycle that comes instead is the first of those to wait for.
static void
when_they_are_called_off_tries_grow_rare(void **state) {
  (void)state;
  struct generations program = program_with(200 * GC_MIB);
  struct shape shape = replacement;
  shape.called_off = true;
  for (size_t expected = 1, round = 0; round < 10; round++) {
    size_t before = program.full_count;
    assert_true(gc_pacer_minors_pay(&program.minors));
    run_cycle(&program, shape);
    fulls_until_minors_pay(&program, shape);
    assert_int_equal(program.full_count - before, expected);
    expected = gc_min(4 * expected, WAIT_MOST);
  }
}

static void
a_success_makes_the_next_wait_short_again(void **state) {
  (void)state;
  struct generations program = program_with(200 * GC_MIB);
  for (int round = 0; round < 8; round++) {
    minors_until_given_up(&program, replacement);
    fulls_until_minors_pay(&program, replacement);
  }
  assert_int_equal(program.minors.wait_next, WAIT_MOST);
  run_cycles(&program, garbage, 50);
  assert_true(gc_pacer_minors_pay(&program.minors));
  minors_until_given_up(&program, replacement);
  assert_int_equal(fulls_until_minors_pay(&program, replacement), 1);
}

// While the heap grows nothing is known of what is to come: earlier failures are forgotten.
static void
growth_makes_the_next_wait_short_again(void **state) {
  (void)state;
  struct generations program = program_with(20 * GC_MIB);
  for (int round = 0; round < 8; round++) {
    minors_until_given_up(&program, replacement);
    fulls_until_minors_pay(&program, replacement);
  }
  minors_until_given_up(&program, replacement);
  run_cycles(&program, growth, 20);
  fulls_until_minors_pay(&program, replacement);
  assert_int_equal(minors_until_given_up(&program, replacement), TO_GIVE_UP_AGAIN);
  assert_int_equal(fulls_until_minors_pay(&program, replacement), 1);
}

// A program that is a bit of each keeps what it has: one bad cycle in three does no harm.
static void
a_bad_minor_cycle_now_and_then_does_no_harm(void **state) {
  (void)state;
  struct generations program = program_with(200 * GC_MIB);
  for (int round = 0; round < 1000; round++) {
    run_minor(&program, replacement);
    run_minor(&program, garbage);
    run_minor(&program, garbage);
    assert_true(gc_pacer_minors_pay(&program.minors));
  }
}

static void
after_each_change_of_phase_they_come_and_go(void **state) {
  (void)state;
  struct generations program = program_with(20 * GC_MIB);
  for (int phase = 0; phase < 8; phase++) {
    run_cycles(&program, garbage, 200 + 13 * (size_t)phase);
    assert_true(gc_pacer_minors_pay(&program.minors));
    assert_in_range(minors_until_given_up(&program, growth), 1, 2 * TO_GIVE_UP);
    run_cycles(&program, growth, 5);
    assert_in_range(fulls_until_minors_pay(&program, garbage), 1, 2);
    program.live_bytes /= 8; // the structure is dropped
  }
}

// Bounds that hold whatever is measured.
static void
check_minors(const struct gc_pacer_minors *minors) {
  assert_in_range(minors->nursery_bytes, NURSERY_LEAST, NURSERY_MOST);
  assert_in_range(minors->wait_next, 1, WAIT_MOST);
  assert_in_range(minors->waiting, 0, WAIT_MOST);
  assert_true(minors->score >= -TO_GIVE_UP && minors->score <= TO_GIVE_UP);
  assert_int_equal(gc_pacer_minors_pay(minors), minors->waiting == 0 && !minors->growing);
}

// Of any magnitude; now and then 0 or as large as can be.
static uint64_t
random_measure(void) {
  size_t dice = random_below(10);
  return dice == 0 ? 0 : dice == 1 ? UINT64_MAX : random_next() >> random_below(64);
}

static void
no_measurement_is_too_odd(void **state) {
  (void)state;
  random_begin("pacer");
  struct gc_pacer_minors minors;
  gc_pacer_minors_init(&minors);
  check_minors(&minors);
  for (int step = 0; step < 100000; step++) {
    size_t dice = random_below(10);
    if (dice == 0)
      gc_pacer_minors_called_off(&minors);
    else if (dice < 4)
      gc_pacer_minors_after_full(&minors, (struct gc_pacer_full){.full_ns = random_measure(),
                                                                 .full_bytes = random_measure(),
                                                                 .allocated_bytes = random_measure(),
                                                                 .reclaimed_bytes = random_measure()});
    else
      gc_pacer_minors_after_minor(&minors, (struct gc_pacer_minor){.pause_ns = random_measure(),
                                                                   .young_ns = random_measure(),
                                                                   .target_ns = random_measure(),
                                                                   .allocated_bytes = random_measure(),
                                                                   .promoted_bytes = random_measure(),
                                                                   .written_pages = random_measure(),
                                                                   .most_bytes = random_measure()});
    check_minors(&minors);
  }
}

static void
a_program_of_which_nothing_is_known_has_minor_cycles(void **state) {
  (void)state;
  struct gc_pacer_minors minors;
  gc_pacer_minors_init(&minors);
  for (int cycle = 0; cycle < 100; cycle++) { // no full one has been measured
    gc_pacer_minors_after_minor(&minors, (struct gc_pacer_minor){.pause_ns = 50 * MS,
                                                                 .young_ns = MS / 3,
                                                                 .target_ns = MS,
                                                                 .allocated_bytes = GC_MIB,
                                                                 .most_bytes = 8 * GC_MIB});
    assert_true(gc_pacer_minors_pay(&minors));
  }
  assert_int_equal(minors.since_full, 100);
  gc_pacer_minors_after_full(&minors, (struct gc_pacer_full){0});
  assert_int_equal(minors.since_full, 0);
}

static void
a_minor_cycle_is_too_long_when_much_was_written(void **state) {
  (void)state;
  static const uint64_t targets_ns[] = {0, 1, 999, MS / 2, MS, 5 * MS, 10 * MS, 1000 * MS, UINT64_MAX};
  size_t before = 0;
  for (size_t i = 0; i < sizeof targets_ns / sizeof targets_ns[0]; i++) {
    assert_false(gc_pacer_minor_is_too_long(targets_ns[i], 0));
    assert_true(gc_pacer_minor_is_too_long(targets_ns[i], SIZE_MAX));
    size_t least = 0; // that is too long, to a granule
    for (size_t bit = (size_t)1 << 40; bit > 0; bit >>= 1)
      if (!gc_pacer_minor_is_too_long(targets_ns[i], least + bit))
        least += bit;
    assert_true(least >= before);
    before = least;
  }
  assert_false(gc_pacer_minor_is_too_long(MS, 5 * GC_MIB));
  assert_true(gc_pacer_minor_is_too_long(MS, 7 * GC_MIB));
  assert_false(gc_pacer_minor_is_too_long(UINT64_MAX, 50 * GC_MIB));
  assert_true(gc_pacer_minor_is_too_long(UINT64_MAX, 70 * GC_MIB));
}

// ---- Concurrent cycles ---------------------------------------------------------------------------------

static void
a_concurrent_cycle_starts_before_the_budget_is_used_up(void **state) {
  (void)state;
  for (size_t live = 0; live <= 64 * GC_GIB; live = live ? 2 * live : GC_KIB) {
    size_t start = gc_pacer_start_bytes(heap_with(live), SIZE_MAX), whole = budget(live);
    assert_true(start < whole && start >= whole / 6);
    assert_true(start >= gc_pacer_start_bytes(heap_with(live / 2), SIZE_MAX));
  }
}

static void
it_starts_the_later_the_less_is_born_meanwhile(void **state) {
  (void)state;
  for (size_t live = GC_MIB; live <= 64 * GC_GIB; live *= 2) {
    size_t whole = budget(live), before = whole;
    for (size_t born = 0; born < whole; born += whole / 64) {
      size_t start = gc_pacer_start_bytes(heap_with(live), born);
      assert_true(start <= before && start < whole);
      assert_true(start + born < whole || start == gc_pacer_start_bytes(heap_with(live), SIZE_MAX));
      before = start;
    }
    assert_true(gc_pacer_start_bytes(heap_with(live), 0) >= whole / 3 * 2);
  }
}

// The system is asked for less than where the program stops; but what the heap holds is used.
static void
concurrent_cycles_use_memory_that_is_held(void **state) {
  (void)state;
  for (size_t live = 64 * GC_MIB; live <= 64 * GC_GIB; live *= 2) {
    struct gc_pacer_heap heap = heap_with(live);
    size_t fresh = gc_pacer_start_bytes(heap, SIZE_MAX) + gc_pacer_concurrent_bytes(heap);
    assert_in_range(fresh, budget(live) / 2, budget(live) / 4 * 3);
    heap.growing = true;
    size_t growing = gc_pacer_start_bytes(heap, SIZE_MAX) + gc_pacer_concurrent_bytes(heap);
    assert_in_range(growing, fresh / 4 * 3, fresh - 1);
    heap.free_bytes = budget(live) * 2;
    assert_true(gc_pacer_start_bytes(heap, SIZE_MAX) >= budget(live) / 4);
    assert_int_equal(gc_pacer_concurrent_bytes(heap), budget(live));
    heap.initial_heap_bytes = 4 * live;
    assert_true(gc_pacer_start_bytes(heap, 0) >= 2 * live);
  }
}

// What is born during a cycle is kept; where that is little, as when the program is held back, a heap that
// grows may be given nearly as much as others.
static void
a_growing_heap_is_given_the_less_the_more_is_born(void **state) {
  (void)state;
  for (size_t live = 64 * GC_MIB; live <= 64 * GC_GIB; live *= 2) {
    struct gc_pacer_heap heap = heap_with(live), growing = heap;
    growing.growing = true;
    assert_int_equal(gc_pacer_start_bytes(growing, 0), gc_pacer_start_bytes(heap, 0));
    for (size_t born = 0, before = SIZE_MAX; born < budget(live); born += budget(live) / 64) {
      size_t start = gc_pacer_start_bytes(growing, born), other = gc_pacer_start_bytes(heap, born);
      assert_true(start <= before && start <= other && start >= other - gc_min(2 * born, other / 5 * 3));
      before = start;
    }
  }
}

static void
a_heap_grows_unless_most_of_what_is_allocated_dies(void **state) {
  (void)state;
  assert_false(gc_pacer_is_growing(0, 0));
  assert_true(gc_pacer_is_growing(GC_MIB, 0));
  assert_true(gc_pacer_is_growing(64 * GC_MIB, 40 * GC_MIB));
  assert_false(gc_pacer_is_growing(64 * GC_MIB, 60 * GC_MIB));
  assert_false(gc_pacer_is_growing(GC_MIB, 64 * GC_MIB)); // a peak is over
}

static void
more_is_written_while_more_is_allocated(void **state) {
  (void)state;
  struct gc_pacer_heap heap = heap_with(256 * GC_MIB);
  size_t base = gc_pacer_base_budget_bytes(heap);
  assert_int_equal(gc_pacer_expected_written_bytes(heap, 0, GC_MIB), 0);
  assert_int_equal(gc_pacer_expected_written_bytes(heap, 10, base), 10);
  assert_int_equal(gc_pacer_expected_written_bytes(heap, 10, base / 8), 80);
  assert_int_equal(gc_pacer_expected_written_bytes(heap, 10, 4 * base), 10);
  assert_int_equal(gc_pacer_expected_written_bytes(heap, SIZE_MAX, 0), SIZE_MAX);
  assert_int_equal(gc_pacer_expected_written_bytes(heap, SIZE_MAX, base), SIZE_MAX);
}

static void
what_is_born_is_expected_again(void **state) {
  (void)state;
  size_t expected = gc_pacer_expected_born_bytes(SIZE_MAX, 10 * GC_MIB);
  assert_int_equal(expected, 10 * GC_MIB);
  assert_int_equal(gc_pacer_expected_born_bytes(expected, 40 * GC_MIB), 40 * GC_MIB); // more: at once
  for (int cycle = 0; cycle < 30; cycle++) {                                          // less: by and by
    size_t next = gc_pacer_expected_born_bytes(expected, GC_MIB);
    assert_true(next >= GC_MIB && next <= expected);
    expected = next;
  }
  assert_in_range(expected, GC_MIB, GC_MIB + 1);
}

static void
most_of_what_is_born_during_a_cycle_is_garbage(void **state) {
  (void)state;
  assert_int_equal(gc_pacer_floating_bytes(0), 0);
  for (size_t born = GC_KIB; born <= 64 * GC_GIB; born *= 2)
    assert_in_range(gc_pacer_floating_bytes(born), born / 2, born);
}

static void
faults_are_cheaper_than_arming_where_little_is_written(void **state) {
  (void)state;
  assert_true(gc_pacer_faults_are_cheaper(0, 64 * GC_MIB));
  assert_true(gc_pacer_faults_are_cheaper(4 * GC_MIB, 64 * GC_MIB));
  assert_false(gc_pacer_faults_are_cheaper(16 * GC_MIB, 64 * GC_MIB));
  assert_false(gc_pacer_faults_are_cheaper(64 * GC_MIB, 64 * GC_MIB));
}

static void
while_it_marks_allocation_goes_on_for_a_while(void **state) {
  (void)state;
  size_t least = gc_pacer_concurrent_bytes(heap_with(0));
  assert_in_range(least, GC_MIB, 16 * GC_MIB);
  for (size_t live = GC_KIB; live <= 64 * GC_GIB; live *= 2) {
    size_t bytes = gc_pacer_concurrent_bytes(heap_with(live));
    assert_true(bytes >= least && bytes <= gc_max(least, budget(live)));
    assert_true(bytes >= gc_pacer_concurrent_bytes(heap_with(live / 2)));
  }
}

// ---- Beside the program, or with it stopped -------------------------------------------------------------

// A program, and what it costs on some machine to mark its heap.
struct burden {
  double ns_per_byte;  // to allocate
  double slowdown;     // of that, beside a marker
  double beside_ns;    // that a concurrent cycle takes
  double stop_ns;      // that a full one stops it for
  size_t budget_bytes; // between cycles
  bool unsettled;
};

static const struct burden shared_core = {
    .ns_per_byte = 0.1, .slowdown = 3, .beside_ns = 35e6, .stop_ns = 18e6, .budget_bytes = 100 << 20};
static const struct burden own_core = {
    .ns_per_byte = 0.1, .slowdown = 1.1, .beside_ns = 9e6, .stop_ns = 18e6, .budget_bytes = 100 << 20};
static const struct burden very_slow = {
    .ns_per_byte = 0.1, .slowdown = 6, .beside_ns = 35e6, .stop_ns = 12e6, .budget_bytes = 100 << 20};
static const struct burden own_memory_too_slow = {
    .ns_per_byte = 0.1, .slowdown = 1.8, .beside_ns = 30e6, .stop_ns = 30e6, .budget_bytes = 100 << 20};

struct ways {
  struct gc_pacer_way way;
  double ns;
  size_t bytes, stops, cycles;
};

static struct gc_pacer_span
span_of(struct burden burden, bool stopped) {
  double outside_bytes = (double)burden.budget_bytes, born_bytes = 0;
  if (!stopped) {
    born_bytes = burden.beside_ns / burden.ns_per_byte / burden.slowdown;
    born_bytes = born_bytes < outside_bytes ? born_bytes : outside_bytes;
    outside_bytes -= born_bytes;
  }
  double cycle_ns = stopped ? burden.stop_ns : burden.beside_ns;
  return (struct gc_pacer_span){.ns = (uint64_t)(cycle_ns + outside_bytes * burden.ns_per_byte),
                                .allocated_bytes = burden.budget_bytes,
                                .cycle_ns = (uint64_t)cycle_ns,
                                .born_bytes = (size_t)born_bytes,
                                .pause_ns = (uint64_t)burden.stop_ns,
                                .stopped = stopped,
                                .settled = !burden.unsettled};
}

static void
run_ways(struct ways *program, struct burden burden, size_t cycles) {
  for (; cycles > 0; cycles--) {
    bool stopped = gc_pacer_way_stops(&program->way);
    struct gc_pacer_span span = span_of(burden, stopped);
    gc_pacer_way_after_full(&program->way, span);
    program->ns += (double)span.ns;
    program->bytes += span.allocated_bytes;
    program->stops += stopped;
    program->cycles++;
  }
}

static struct ways
ways_after(struct burden burden, size_t cycles) {
  struct ways program = {.ns = 0};
  gc_pacer_way_init(&program.way);
  run_ways(&program, burden, cycles);
  return program;
}

// How much longer it takes than with all cycles of the better sort.
static double
against_better(struct ways program, struct burden burden) {
  double stopped = (double)span_of(burden, true).ns, beside = (double)span_of(burden, false).ns;
  return program.ns / (double)program.cycles / (stopped < beside ? stopped : beside);
}

static void
where_markers_slow_it_down_the_program_is_stopped(void **state) {
  (void)state;
  assert_true(span_of(shared_core, true).ns < span_of(shared_core, false).ns);
  assert_int_equal(ways_after(shared_core, 2).stops, 0); // one dear cycle does not prove much
  assert_int_equal(ways_after(very_slow, 2).stops, 1);   // unless it is very dear
  struct ways program = ways_after(shared_core, 300);
  assert_true(program.stops > 280);
  assert_true(against_better(program, shared_core) < 1.03);
}

static void
where_they_do_not_it_never_is(void **state) {
  (void)state;
  assert_int_equal(ways_after(own_core, 10000).stops, 0);
}

// Dear as it is, to stop would be dearer: that is tried ever more seldom.
static void
where_stops_do_not_help_trials_grow_rare(void **state) {
  (void)state;
  assert_true(span_of(own_memory_too_slow, true).ns > span_of(own_memory_too_slow, false).ns);
  struct ways program = ways_after(own_memory_too_slow, 100);
  assert_in_range(program.stops, 3, 12);
  run_ways(&program, own_memory_too_slow, 3000);
  size_t stops = program.stops;
  run_ways(&program, own_memory_too_slow, 1000);
  assert_in_range(program.stops - stops, 3, 12);
  assert_true(against_better(program, own_memory_too_slow) < 1.01);
}

static void
a_program_that_calms_down_is_not_stopped_any_more(void **state) {
  (void)state;
  struct ways program = ways_after(shared_core, 10);
  assert_true(gc_pacer_way_stops(&program.way));
  struct burden calm = shared_core;
  calm.ns_per_byte *= 20;
  size_t stops = program.stops;
  run_ways(&program, calm, 1000);
  assert_int_equal(program.stops - stops, 1);
}

static void
long_pauses_are_never_preferred(void **state) {
  (void)state;
  struct burden large = shared_core;
  large.beside_ns *= 10, large.stop_ns *= 10, large.budget_bytes *= 10;
  assert_int_equal(ways_after(large, 1000).stops, 0);
  struct ways program = ways_after(shared_core, 10); // and when they become so, no longer
  assert_true(gc_pacer_way_stops(&program.way));
  run_ways(&program, large, 1);
  assert_false(gc_pacer_way_stops(&program.way));
}

static void
growing_heaps_and_those_with_minor_cycles_are_not_stopped(void **state) {
  (void)state;
  struct burden growing = shared_core;
  growing.unsettled = true;
  assert_int_equal(ways_after(growing, 1000).stops, 0);
}

// It was expected to be shorter, or to take more of the time.
static void
after_a_stop_that_was_not_as_expected_trials_grow_rare(void **state) {
  (void)state;
  struct burden longer = shared_core, shorter = shared_core;
  longer.beside_ns *= 5, longer.stop_ns *= 5, longer.budget_bytes *= 5;
  shorter.stop_ns = 1e6;
  for (int i = 0; i < 2; i++) {
    struct ways program = ways_after(shared_core, 0);
    for (int cycle = 0; cycle < 3000; cycle++) {
      bool stopped = gc_pacer_way_stops(&program.way);
      struct gc_pacer_span span = span_of(i == 0 ? longer : shorter, stopped);
      if (i == 0 && stopped)
        span.cycle_ns = span.pause_ns = 130 * MS;
      gc_pacer_way_after_full(&program.way, span);
      program.stops += stopped;
    }
    assert_in_range(program.stops, 1, 25);
  }
}

static void
what_is_asked_for_meanwhile_does_not_count(void **state) {
  (void)state;
  struct ways program = ways_after(shared_core, 10);
  struct gc_pacer_way before = program.way;
  struct gc_pacer_span span = span_of(shared_core, true);
  span.asked_for = true;
  for (int i = 0; i < 1000; i++)
    gc_pacer_way_after_full(&program.way, span);
  assert_memory_equal(&program.way, &before, sizeof before);
}

static void
cycles_that_were_asked_for_prove_nothing(void **state) {
  (void)state;
  struct ways program = ways_after(shared_core, 0);
  for (int i = 0; i < 100; i++) {
    run_ways(&program, shared_core, 1);
    struct gc_pacer_span span = span_of(shared_core, true);
    span.asked_for = i % 2;
    gc_pacer_way_after_full(&program.way, span);
  }
  assert_int_equal(program.stops, 0);
}

// Nothing allocated, no time, all the time, and the longest.
static void
no_span_is_too_odd(void **state) {
  (void)state;
  static const uint64_t numbers[] = {0, 1, 1 << 20, UINT64_MAX / 4, UINT64_MAX};
  struct gc_pacer_way way;
  random_begin("spans");
  gc_pacer_way_init(&way);
  for (int i = 0; i < 100000; i++) {
    struct gc_pacer_span span = {.ns = numbers[random_below(5)],
                                 .allocated_bytes = numbers[random_below(5)],
                                 .cycle_ns = numbers[random_below(5)],
                                 .born_bytes = numbers[random_below(5)],
                                 .pause_ns = numbers[random_below(3)],
                                 .stopped = gc_pacer_way_stops(&way),
                                 .settled = random_below(8) > 0};
    gc_pacer_way_after_full(&way, span);
    assert_true(way.stopped <= 256 && way.on_trial <= way.stopped && way.patience <= 256);
  }
}

static void
a_heap_of_nothing_and_one_of_everything(void **state) {
  (void)state;
  struct gc_pacer_heap none = {.divisor = 1}, most = heap_with((size_t)1 << 61);
  assert_int_equal(gc_pacer_start_bytes(none, SIZE_MAX), 0);
  assert_true(gc_pacer_concurrent_bytes(none) >= GC_MIB);
  assert_in_range(gc_pacer_start_bytes(most, SIZE_MAX), (size_t)1 << 57, (size_t)1 << 61);
  assert_in_range(gc_pacer_concurrent_bytes(most), (size_t)1 << 58, (size_t)1 << 61);
}

static void
what_could_be_allocated_during_minor_cycles_follows_what_they_cost(void **state) {
  (void)state;
  struct gc_pacer_minors minors;
  gc_pacer_minors_init(&minors);
  assert_int_equal(gc_pacer_minor_work_bytes(&minors, GC_MIB), GC_MIB); // nothing is known
  gc_pacer_minors_after_full(&minors, (struct gc_pacer_full){.full_ns = 2 * MS, .full_bytes = 4 * GC_MIB});
  struct gc_pacer_minor minor = {.pause_ns = MS / 2 - 80000, .allocated_bytes = GC_MIB, .written_pages = 100};
  gc_pacer_minors_after_minor(&minors, minor);
  assert_int_equal(gc_pacer_minor_work_bytes(&minors, GC_MIB), GC_MIB / 4);
  minor.pause_ns = UINT64_MAX / 8; // one that was disturbed
  for (int i = 0; i < 100; i++)
    gc_pacer_minors_after_minor(&minors, minor);
  assert_int_equal(gc_pacer_minor_work_bytes(&minors, GC_MIB), GC_MIB);
  minor.pause_ns = 0;
  for (int i = 0; i < 300; i++)
    gc_pacer_minors_after_minor(&minors, minor);
  assert_in_range(gc_pacer_minor_work_bytes(&minors, GC_MIB), GC_MIB / 26, GC_MIB / 24); // the faults
}

int
main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_budget_is_never_below_the_least),
      cmocka_unit_test(a_budget_grows_with_what_lives_and_ever_more_slowly),
      cmocka_unit_test(a_lean_budget_is_no_larger_than_what_is_marked),
      cmocka_unit_test(a_larger_divisor_makes_a_smaller_budget),
      cmocka_unit_test(roots_count_as_work),
      cmocka_unit_test(little_work_needs_little_memory),
      cmocka_unit_test(work_is_learnt_from_several_cycles),
      cmocka_unit_test(full_cycles_are_dear_from_a_seventeenth_of_the_time_on),
      cmocka_unit_test(what_could_be_allocated_during_minor_cycles_follows_what_they_cost),
      cmocka_unit_test(the_floor_rises_only_where_others_are_stopped),
      cmocka_unit_test(the_floor_falls_where_marking_is_what_takes_time),
      cmocka_unit_test(the_floor_falls_when_threads_have_gone),
      cmocka_unit_test(the_initial_heap_is_filled_before_the_first_cycle),
      cmocka_unit_test(no_heap_is_too_large),
      cmocka_unit_test(markers_are_woken_when_they_pay),
      cmocka_unit_test(an_idle_program_is_collected),
      cmocka_unit_test(not_before_the_interval_is_over),
      cmocka_unit_test(not_when_nothing_was_allocated_since_the_last_cycle),
      cmocka_unit_test(not_when_the_budget_is_soon_used_up),
      cmocka_unit_test(fruitless_cycles_grow_rare_and_one_that_pays_resets),
      cmocka_unit_test(a_tiny_heap_collects_seldom),
      cmocka_unit_test(a_steady_program_pays_a_bounded_price),
      cmocka_unit_test(a_program_that_only_builds_collects_seldom),
      cmocka_unit_test(a_steady_heap_takes_no_more_and_more_memory),
      cmocka_unit_test(bursts_do_not_make_it_thrash),
      cmocka_unit_test(after_a_change_of_phase_the_small_heap_is_small),
      cmocka_unit_test(with_young_garbage_minor_cycles_stay),
      cmocka_unit_test(the_nursery_follows_the_pause),
      cmocka_unit_test(the_nursery_grows_to_half_of_a_full_budget_or_what_is_cached),
      cmocka_unit_test(the_nursery_shrinks_to_the_least_and_no_further),
      cmocka_unit_test(what_a_minor_cycle_costs_in_any_case_sets_the_least_nursery),
      cmocka_unit_test(while_the_heap_grows_there_are_no_minor_cycles),
      cmocka_unit_test(a_heap_that_grows_expects_a_longer_full_cycle),
      cmocka_unit_test(after_growth_a_cycle_needs_something_new_to_change_that),
      cmocka_unit_test(when_they_cost_too_much_only_the_last_full_cycle_to_wait_for_leads_back),
      cmocka_unit_test(when_most_have_died_they_are_tried_again),
      cmocka_unit_test(the_fixed_part_of_a_pause_is_judged_by_the_nursery_to_come),
      cmocka_unit_test(where_nothing_dies_young_tries_grow_rare),
      cmocka_unit_test(where_they_cost_too_much_tries_grow_rare),
      cmocka_unit_test(where_they_cost_far_too_much_tries_are_short_too),
      cmocka_unit_test(a_long_minor_cycle_now_and_then_does_no_harm),
      cmocka_unit_test(when_they_are_called_off_tries_grow_rare),
      cmocka_unit_test(a_success_makes_the_next_wait_short_again),
      cmocka_unit_test(growth_makes_the_next_wait_short_again),
      cmocka_unit_test(a_bad_minor_cycle_now_and_then_does_no_harm),
      cmocka_unit_test(after_each_change_of_phase_they_come_and_go),
      cmocka_unit_test(no_measurement_is_too_odd),
      cmocka_unit_test(a_program_of_which_nothing_is_known_has_minor_cycles),
      cmocka_unit_test(a_minor_cycle_is_too_long_when_much_was_written),
      cmocka_unit_test(a_concurrent_cycle_starts_before_the_budget_is_used_up),
      cmocka_unit_test(it_starts_the_later_the_less_is_born_meanwhile),
      cmocka_unit_test(concurrent_cycles_use_memory_that_is_held),
      cmocka_unit_test(a_growing_heap_is_given_the_less_the_more_is_born),
      cmocka_unit_test(a_heap_grows_unless_most_of_what_is_allocated_dies),
      cmocka_unit_test(more_is_written_while_more_is_allocated),
      cmocka_unit_test(what_is_born_is_expected_again),
      cmocka_unit_test(most_of_what_is_born_during_a_cycle_is_garbage),
      cmocka_unit_test(faults_are_cheaper_than_arming_where_little_is_written),
      cmocka_unit_test(while_it_marks_allocation_goes_on_for_a_while),
      cmocka_unit_test(where_markers_slow_it_down_the_program_is_stopped),
      cmocka_unit_test(where_they_do_not_it_never_is),
      cmocka_unit_test(where_stops_do_not_help_trials_grow_rare),
      cmocka_unit_test(a_program_that_calms_down_is_not_stopped_any_more),
      cmocka_unit_test(long_pauses_are_never_preferred),
      cmocka_unit_test(growing_heaps_and_those_with_minor_cycles_are_not_stopped),
      cmocka_unit_test(after_a_stop_that_was_not_as_expected_trials_grow_rare),
      cmocka_unit_test(what_is_asked_for_meanwhile_does_not_count),
      cmocka_unit_test(cycles_that_were_asked_for_prove_nothing),
      cmocka_unit_test(no_span_is_too_odd),
      cmocka_unit_test(a_heap_of_nothing_and_one_of_everything),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
