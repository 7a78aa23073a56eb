// Pauses: laps, counts by kind, the listener, the target, the line of the log.
#include "cycle/pauses.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/hooks.h"
#include "base/lock.h"

static int
reset(void **state) {
  (void)state;
  gc_tunables_init_defaults(&gc_tunables);
  gc_pause_target_more_ns = 0;
  gc_pauses_listen((struct gc_pause_listener){0});
  return 0;
}

static uint64_t
sum_of(const uint64_t phase_ns[GC_PAUSE_PHASES]) {
  uint64_t sum_ns = 0;
  for (unsigned phase = 0; phase < GC_PAUSE_PHASES; phase++)
    sum_ns += phase_ns[phase];
  return sum_ns;
}

static void
pass_time(void) {
  for (struct gc_pause pause = {0}; pause.phase_ns[GC_PHASE_STOP] == 0;) {
    gc_pause_begin(&pause, GC_PAUSE_FULL);
    gc_pause_lap(&pause, GC_PHASE_STOP);
  }
}

// A pause of one kind that `mark_laps` laps of marking were in.
static struct gc_pause
make_pause(enum gc_pause_kind kind, unsigned mark_laps, bool called_off) {
  struct gc_pause pause;
  gc_pause_begin(&pause, kind);
  for (unsigned i = 0; i < mark_laps; i++) {
    pass_time();
    gc_pause_lap(&pause, GC_PHASE_MARK);
  }
  pause.called_off = called_off;
  gc_pause_end(&pause);
  return pause;
}

// ---- Timing and counting -------------------------------------------------------------------------------

static void
phases_tile_a_pause(void **state) {
  (void)state;
  struct gc_pause pause = make_pause(GC_PAUSE_FULL, 3, false);
  assert_int_equal(sum_of(pause.phase_ns), pause.total_ns);
  assert_true(pause.phase_ns[GC_PHASE_MARK] > 0);
  assert_int_equal(pause.phase_ns[GC_PHASE_MARK] + pause.phase_ns[GC_PHASE_RESUME], pause.total_ns);
  assert_int_equal(pause.lap_ns - pause.began_ns, pause.total_ns);
}

static void
laps_of_one_phase_add_up(void **state) {
  (void)state;
  struct gc_pause pause;
  gc_pause_begin(&pause, GC_PAUSE_MINOR);
  pass_time();
  gc_pause_lap(&pause, GC_PHASE_SWEEP);
  uint64_t once_ns = pause.phase_ns[GC_PHASE_SWEEP];
  gc_pause_lap(&pause, GC_PHASE_ROOTS);
  pass_time();
  gc_pause_lap(&pause, GC_PHASE_SWEEP);
  assert_true(once_ns > 0 && pause.phase_ns[GC_PHASE_SWEEP] > once_ns);
}

static void
kinds_are_counted_apart_and_together(void **state) {
  (void)state;
  static struct gc_pause_totals before[GC_PAUSE_KINDS + 1];
  for (unsigned kind = 0; kind <= GC_PAUSE_KINDS; kind++)
    before[kind] = *gc_pauses_of(kind);
  uint64_t total_ns = 0;
  for (unsigned kind = 0; kind < GC_PAUSE_KINDS; kind++)
    for (unsigned i = 0; i <= kind; i++)
      total_ns += make_pause(kind, 1, i == 1).total_ns;
  for (unsigned kind = 0; kind < GC_PAUSE_KINDS; kind++) {
    const struct gc_pause_totals *after = gc_pauses_of(kind);
    assert_int_equal(after->lengths.count - before[kind].lengths.count, kind + 1);
    assert_int_equal(after->called_off - before[kind].called_off, kind > 0);
    assert_int_equal(sum_of(after->phase_ns), after->lengths.total_ns);
  }
  const struct gc_pause_totals *all = gc_pauses_of(GC_PAUSE_KINDS);
  assert_ptr_equal(&all->lengths, gc_pauses_all());
  assert_int_equal(all->lengths.count - before[GC_PAUSE_KINDS].lengths.count, 1 + 2 + 3 + 4);
  assert_int_equal(all->lengths.total_ns - before[GC_PAUSE_KINDS].lengths.total_ns, total_ns);
  assert_int_equal(all->called_off - before[GC_PAUSE_KINDS].called_off, GC_PAUSE_KINDS - 1);
}

static void
names_differ(void **state) {
  (void)state;
  for (unsigned kind = 0; kind <= GC_PAUSE_KINDS; kind++)
    for (unsigned other = 0; other < kind; other++)
      assert_string_not_equal(gc_pause_kind_name(kind), gc_pause_kind_name(other));
  for (unsigned phase = 0; phase < GC_PAUSE_PHASES; phase++)
    for (unsigned other = 0; other < phase; other++)
      assert_string_not_equal(gc_pause_phase_name(phase), gc_pause_phase_name(other));
}

// ---- The listener --------------------------------------------------------------------------------------

static struct gc_pause heard[200];
static size_t heard_count;

static void
hear(const struct gc_pause *pause, struct gc_pause_listener listener) {
  assert_ptr_equal(listener.data, heard);
  gc_lock_acquire(&gc_cycle_lock); // neither is held
  gc_lock_acquire(&gc_lock);
  heard[heard_count++] = *pause;
  gc_lock_release(&gc_lock);
  gc_lock_release(&gc_cycle_lock);
}

static void
listen_with(void (*tell)(const struct gc_pause *pause, struct gc_pause_listener listener)) {
  heard_count = 0;
  gc_pauses_listen((struct gc_pause_listener){.tell = tell, .data = heard});
}

static void
listener_is_told_in_order_and_not_before_delivery(void **state) {
  (void)state;
  struct gc_pause pauses[3];
  listen_with(hear);
  for (unsigned i = 0; i < 3; i++)
    pauses[i] = make_pause(GC_PAUSE_FINISH, i, i < 2);
  assert_int_equal(heard_count, 0);
  gc_pauses_deliver();
  assert_int_equal(heard_count, 3);
  for (unsigned i = 0; i < 3; i++)
    assert_memory_equal(&heard[i], &pauses[i], sizeof pauses[i]);
  gc_pauses_deliver();
  assert_int_equal(heard_count, 3);
}

static void
nobody_is_told_of_what_was_before(void **state) {
  (void)state;
  make_pause(GC_PAUSE_FULL, 0, false);
  listen_with(hear);
  gc_pauses_deliver();
  assert_int_equal(heard_count, 0);
  make_pause(GC_PAUSE_FULL, 0, false);
  listen_with(hear);
  gc_pauses_deliver();
  assert_int_equal(heard_count, 0);
  listen_with(NULL);
  make_pause(GC_PAUSE_FULL, 0, false);
  gc_pauses_deliver();
  assert_int_equal(heard_count, 0);
}

// Around the ring's end several times.
static void
ring_keeps_the_order(void **state) {
  (void)state;
  uint64_t last_ns = 0;
  listen_with(hear);
  for (unsigned round = 0; round < 20; round++) {
    for (unsigned i = 0; i < 7; i++)
      make_pause(GC_PAUSE_MINOR, 0, false);
    gc_pauses_deliver();
  }
  assert_int_equal(heard_count, 140);
  for (size_t i = 0; i < heard_count; i++) {
    assert_true(heard[i].began_ns >= last_ns);
    last_ns = heard[i].began_ns;
  }
}

static void
what_finds_no_room_is_not_announced(void **state) {
  (void)state;
  listen_with(hear);
  struct gc_pause first = make_pause(GC_PAUSE_FULL, 0, false);
  for (unsigned i = 0; i < 100; i++)
    make_pause(GC_PAUSE_FULL, 0, false);
  gc_pauses_deliver();
  assert_int_equal(heard_count, 64);
  assert_memory_equal(&heard[0], &first, sizeof first);
}

static void
hear_and_pause_again(const struct gc_pause *pause, struct gc_pause_listener listener) {
  hear(pause, listener);
  if (heard_count < 5)
    make_pause(GC_PAUSE_FULL, 0, false);
}

static void
pauses_during_delivery_are_delivered(void **state) {
  (void)state;
  listen_with(hear_and_pause_again);
  make_pause(GC_PAUSE_FULL, 0, false);
  gc_pauses_deliver();
  assert_int_equal(heard_count, 5);
}

// ---- The target ----------------------------------------------------------------------------------------

static void
target_is_in_ms_and_more(void **state) {
  (void)state;
  assert_int_equal(gc_pause_target_ns(), 1000000);
  gc_pause_target_more_ns = 250000;
  assert_int_equal(gc_pause_target_ns(), 1250000);
  gc_tunables.pause_target_ms = 0;
  assert_int_equal(gc_pause_target_ns(), 250000);
  gc_pause_target_more_ns = 1;
  assert_int_equal(gc_pause_target_ns(), GC_PAUSE_TARGET_NS_MIN);
  gc_tunables.pause_target_ms = 999998;
  assert_int_equal(gc_pause_target_ns(), 999998000001);
  gc_tunables.pause_target_ms = GC_PAUSE_UNLIMITED_MS;
  assert_int_equal(gc_pause_target_ns(), UINT64_MAX);
}

// ---- The log -------------------------------------------------------------------------------------------

static const struct gc_pause example[] = {
    {.kind = GC_PAUSE_START, .total_ns = 210400, .phase_ns = {80000, 120400, 0, 0, 0, 0, 10000}},
    {.kind = GC_PAUSE_FINISH,
     .called_off = true,
     .total_ns = 1100000,
     .phase_ns = {100000, 200000, 300000, 500000}},
    {.kind = GC_PAUSE_FINISH, .total_ns = 600600, .phase_ns = {100000, 200000, 100, 300000, 400, 0, 100}},
};

static const struct gc_pause_report report = {
    .cycle = 12,
    .kind = "concurrent",
    .finished = true,
    .cycle_ns = 52000000,
    .pauses = example,
    .pause_count = 3,
    .live_bytes = 100 << 20,
    .reclaimed_bytes = 50 << 20,
    .heap_bytes = 170 << 20,
    .root_bytes = 64 << 10,
    .budget_bytes = 33 << 20,
};

static const char line_of_report[] =
    "collection 12: concurrent, finished after 52000 us, pauses 210 + 1100 (called off) + 601 us "
    "(stop 280, roots 520, harvest 300, mark 800, resume 10), live 102400 KiB, reclaimed 51200 KiB, "
    "heap 174080 KiB, roots 64 KiB, next after 33792 KiB";

static void
a_cycle_has_one_line(void **state) {
  (void)state;
  char line[512];
  assert_int_equal(gc_pauses_format_cycle(line, sizeof line, &report), strlen(line_of_report));
  assert_string_equal(line, line_of_report);
  struct gc_pause_report called_off = report;
  called_off.kind = "full";
  called_off.finished = false;
  called_off.cycle_ns = 0;
  called_off.pauses = &example[1];
  called_off.pause_count = 1;
  gc_pauses_format_cycle(line, sizeof line, &called_off);
  assert_memory_equal(line, "collection 12: full, called off, pause 1100 us (stop 100, roots 200, ", 69);
  called_off.pause_count = 0;
  gc_pauses_format_cycle(line, sizeof line, &called_off);
  assert_memory_equal(line, "collection 12: full, called off, live 102400 KiB, ", 50);
}

static void
a_line_is_cut_to_what_there_is_room_for(void **state) {
  (void)state;
  char line[512];
  for (size_t bytes = 1; bytes <= strlen(line_of_report) + 1; bytes++) {
    memset(line, '#', sizeof line);
    assert_int_equal(gc_pauses_format_cycle(line, bytes, &report), bytes - 1);
    assert_memory_equal(line, line_of_report, bytes - 1);
    assert_int_equal(line[bytes - 1], '\0');
    assert_int_equal(line[bytes], '#');
  }
}

static void
the_line_goes_to_the_log(void **state) {
  (void)state;
  char text[600] = "", expected[600];
  int fd = memfd_create("log", 0);
  gc_hooks.log_fd = fd;
  gc_pauses_log_cycle(&report);
  gc_hooks.log_fd = STDERR_FILENO;
  assert_true(pread(fd, text, sizeof text - 1, 0) > 0);
  close(fd);
  snprintf(expected, sizeof expected, "loam: %s\n", line_of_report);
  assert_string_equal(text, expected);
}

int
main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(phases_tile_a_pause, reset),
      cmocka_unit_test_setup(laps_of_one_phase_add_up, reset),
      cmocka_unit_test_setup(kinds_are_counted_apart_and_together, reset),
      cmocka_unit_test_setup(names_differ, reset),
      cmocka_unit_test_setup(listener_is_told_in_order_and_not_before_delivery, reset),
      cmocka_unit_test_setup(nobody_is_told_of_what_was_before, reset),
      cmocka_unit_test_setup(ring_keeps_the_order, reset),
      cmocka_unit_test_setup(what_finds_no_room_is_not_announced, reset),
      cmocka_unit_test_setup(pauses_during_delivery_are_delivered, reset),
      cmocka_unit_test_setup(target_is_in_ms_and_more, reset),
      cmocka_unit_test_setup(a_cycle_has_one_line, reset),
      cmocka_unit_test_setup(a_line_is_cut_to_what_there_is_room_for, reset),
      cmocka_unit_test_setup(the_line_goes_to_the_log, reset),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
