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
  idle.window_allocated_bytes = 100 * GC_MIB; // 400 MiB a second: 3 s
  assert_false(gc_pacer_idle_cycle_due(idle));
  idle.window_allocated_bytes = GC_MIB; // 256 s
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

int
main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_budget_is_never_below_the_least),
      cmocka_unit_test(a_budget_grows_with_what_lives_and_ever_more_slowly),
      cmocka_unit_test(a_larger_divisor_makes_a_smaller_budget),
      cmocka_unit_test(roots_count_as_work),
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
      cmocka_unit_test(bursts_do_not_make_it_thrash),
      cmocka_unit_test(after_a_change_of_phase_the_small_heap_is_small),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
