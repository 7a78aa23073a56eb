// Modes, limits and telling writes, through the public interface.  Each test is a process of its own, since
// much of it is about what is said before the collector is there.
#include "gc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/variables.h"
#include "cycle/pauses.h"
#include "heap/heap.h"
#include "os/writes.h"

#define CHECK(condition)                                        \
  do {                                                          \
    if (!(condition)) {                                         \
      fprintf(stderr, "# line %d: %s\n", __LINE__, #condition); \
      _exit(1);                                                 \
    }                                                           \
  } while (0)

static const char *const variables[] = {
    "GC_MODE",           "GC_ENABLE_INCREMENTAL", "GC_DISABLE_INCREMENTAL",
    "GC_FULL_FREQUENCY", "GC_PAUSE_TIME_TARGET",  "LOAM_WRITES"};

static void
run(void **function_) {
  void (*function)(void) = (void (*)(void))(uintptr_t)*function_;
  int status;
  pid_t child = fork();
  if (child == 0) {
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++)
      unsetenv(variables[i]);
    function();
    _exit(0);
  }
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(status, 0);
}

// ---- Limits --------------------------------------------------------------------------------------------

static void
check_defaults(void) {
  struct GC_timeval_s limit = GC_get_time_limit_tv();
  CHECK(GC_get_time_limit() == GC_TIME_UNLIMITED);
  CHECK(limit.tv_ms == GC_TIME_UNLIMITED && limit.tv_nsec == 0);
  CHECK(gc_pause_target_ns() == 1000000);
  CHECK(GC_get_full_freq() == 19);
  CHECK(GC_get_rate() == 10);
  CHECK(GC_get_max_prior_attempts() == 3);
  CHECK(GC_get_manual_vdb_allowed() == 0);
  CHECK(GC_get_mprotect_vdb_allowed() == 1);
  CHECK(GC_is_incremental_mode() == 0);
  CHECK(GC_get_mode() == GC_MODE_AUTO);
}

static void
defaults_are_those_of_the_manual(void) {
  check_defaults();
  CHECK(!GC_is_init_called());
  GC_INIT();
  check_defaults();
}

static void
setters_before_init_hold(void) {
  GC_set_time_limit(7);
  GC_set_full_freq(5);
  GC_set_rate(3);
  GC_set_max_prior_attempts(8);
  GC_set_mprotect_vdb_allowed(0);
  CHECK(GC_set_mode(GC_MODE_STOP) == GC_MODE_STOP);
  CHECK(!GC_is_init_called());
  for (int i = 0; i < 2; i++) {
    CHECK(GC_get_time_limit() == 7 && GC_get_full_freq() == 5 && GC_get_rate() == 3);
    CHECK(GC_get_max_prior_attempts() == 8 && GC_get_mprotect_vdb_allowed() == 0);
    CHECK(GC_get_mode() == GC_MODE_STOP);
    GC_INIT();
  }
}

static void
time_limit_has_two_parts(void) {
  GC_set_time_limit_tv((struct GC_timeval_s){3, 500000});
  CHECK(GC_get_time_limit() == 3 && GC_get_time_limit_tv().tv_nsec == 500000);
  CHECK(gc_pause_target_ns() == 3500000);
  GC_set_time_limit(4);
  CHECK(GC_get_time_limit_tv().tv_ms == 4 && GC_get_time_limit_tv().tv_nsec == 500000);
  CHECK(gc_pause_target_ns() == 4500000);
  GC_set_time_limit_tv((struct GC_timeval_s){0, 1000000000});
  CHECK(GC_get_time_limit() == 0 && gc_pause_target_ns() == 999999);
  GC_set_time_limit(1);
  CHECK(GC_get_time_limit() == 1);
  GC_set_time_limit((unsigned long)-1);
  CHECK(GC_get_time_limit() == GC_TIME_UNLIMITED && gc_pause_target_ns() == UINT64_MAX);
}

static void
odd_limits_are_survived(void) {
  GC_set_full_freq(0);
  CHECK(GC_get_full_freq() == 0 && gc_variables_full_freq() == 1);
  GC_set_full_freq(-3);
  CHECK(GC_get_full_freq() == -3 && gc_variables_full_freq() == 1);
  GC_set_full_freq(19);
  CHECK(gc_variables_full_freq() == 19);
  GC_set_max_prior_attempts(-1);
  CHECK(GC_get_max_prior_attempts() == 0);
}

// ---- Modes ---------------------------------------------------------------------------------------------

static void
environment_chooses_the_mode(void) {
  setenv("GC_MODE", "generational", 1);
  setenv("GC_PAUSE_TIME_TARGET", "20", 1);
  setenv("GC_FULL_FREQUENCY", "6", 1);
  GC_INIT();
  CHECK(GC_get_mode() == GC_MODE_GENERATIONAL);
  CHECK(GC_get_time_limit() == 20 && GC_get_full_freq() == 6);
}

static void
the_environment_overrides_what_was_set_before(void) {
  setenv("GC_MODE", "generational", 1);
  setenv("GC_FULL_FREQUENCY", "6", 1);
  GC_set_mode(GC_MODE_CONCURRENT);
  GC_set_full_freq(7);
  GC_INIT();
  CHECK(GC_get_mode() == GC_MODE_GENERATIONAL && GC_get_full_freq() == 6);
  GC_set_mode(GC_MODE_STOP);
  GC_set_full_freq(7);
  CHECK(GC_get_mode() == GC_MODE_STOP && GC_get_full_freq() == 7);
}

static void
libgc_variables_choose_the_mode(void) {
  setenv("GC_ENABLE_INCREMENTAL", "", 1);
  GC_INIT();
  CHECK(GC_get_mode() == GC_MODE_CONCURRENT);
}

static void
incremental_mode_can_be_forbidden(void) {
  setenv("GC_DISABLE_INCREMENTAL", "1", 1);
  setenv("GC_ENABLE_INCREMENTAL", "1", 1);
  GC_enable_incremental();
  CHECK(GC_is_init_called());
  CHECK(GC_get_mode() == GC_MODE_STOP && !GC_is_incremental_mode());
}

// The promise makes all modes possible, whatever the system grants.
static void
enabling_makes_it_concurrent(void) {
  GC_set_manual_vdb_allowed(1);
  GC_enable_incremental();
  CHECK(GC_is_init_called());
  CHECK(GC_get_mode() == GC_MODE_CONCURRENT && GC_is_incremental_mode());
}

static void
enabling_without_a_limit_makes_it_generational(void) {
  GC_set_manual_vdb_allowed(1);
  GC_set_time_limit(GC_TIME_UNLIMITED);
  GC_enable_incremental();
  CHECK(GC_get_mode() == GC_MODE_GENERATIONAL && GC_is_incremental_mode());
}

static void
modes_come_and_go(void) {
  static const enum GC_Mode modes[] = {GC_MODE_GENERATIONAL, GC_MODE_CONCURRENT, GC_MODE_STOP,
                                       GC_MODE_AUTO,         GC_MODE_CONCURRENT, GC_MODE_GENERATIONAL,
                                       GC_MODE_STOP,         GC_MODE_STOP,       GC_MODE_AUTO};
  GC_set_manual_vdb_allowed(1);
  GC_INIT();
  for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
    CHECK(GC_set_mode(modes[i]) == modes[i]);
    CHECK(GC_get_mode() == modes[i]);
    CHECK(GC_is_incremental_mode() == (modes[i] == GC_MODE_GENERATIONAL || modes[i] == GC_MODE_CONCURRENT));
    for (size_t bytes = 0; bytes < 4 << 20; bytes += 1000)
      GC_malloc(1000);
    GC_gcollect();
  }
}

static void *kept[1000];

static void
a_little_comes_to_an_end(void) {
  GC_INIT();
  GC_set_mode(GC_MODE_STOP);
  CHECK(GC_collect_a_little() == 0);
  GC_set_mode(GC_MODE_CONCURRENT);
  for (int i = 0; i < 1000; i++) {
    kept[i] = GC_malloc(1000);
    memset(kept[i], 0x77, 1000);
    GC_end_stubborn_change(kept[i]);
  }
  for (int round = 0; round < 3; round++) {
    GC_start_incremental_collection();
    while (GC_collect_a_little())
      ;
  }
  for (int i = 0; i < 1000; i++)
    CHECK(GC_base(kept[i]) == kept[i] && *(unsigned char *)kept[i] == 0x77);
  GC_disable();
  GC_start_incremental_collection();
  CHECK(GC_collect_a_little() == 0);
}

// ---- How writes are noticed ----------------------------------------------------------------------------

// Of what is born during a concurrent cycle, what dies while it marks is not kept for the next.
static void
what_dies_young_while_it_marks_goes_with_it(void) {
  enum { NODES = 1000000, GARBAGE_BYTES = 8192, PIECES = 32 };
  setenv("GC_MARKERS", "1", 1);
  if (GC_set_mode(GC_MODE_CONCURRENT) != GC_MODE_CONCURRENT)
    return; // no back end here
  void **list = NULL;
  for (int i = 0; i < NODES; i++) {
    void **node = GC_MALLOC(2 * sizeof *node);
    node[0] = list;
    list = node;
  }
  GC_gcollect();
  size_t live_bytes = gc_heap.live_bytes, born_bytes = 0;
  GC_start_incremental_collection();
  while (GC_collect_a_little())
    for (int i = 0; i < PIECES && gc_heap.birth != gc_heap.mark; i++, born_bytes += GARBAGE_BYTES)
      CHECK(GC_MALLOC(GARBAGE_BYTES));
  CHECK(born_bytes > 2 * GC_MIB);
  CHECK(gc_heap.live_bytes < live_bytes + GC_MIB);
  CHECK(list[0]);
}

static void
name_and_bits_agree(void) {
  const char *reason = NULL;
  GC_enable_incremental();
  const char *name = GC_get_write_tracking(&reason);
  unsigned vdb = GC_get_actual_vdb();
  CHECK(reason && GC_get_write_tracking(NULL) == name);
  CHECK(strcmp(name, vdb == GC_VDB_UFFDWP     ? "userfaultfd"
                     : vdb == GC_VDB_MPROTECT ? "mprotect"
                                              : "none") == 0);
  CHECK(GC_is_incremental_mode() == (vdb != GC_VDB_NONE));
  CHECK(vdb != GC_VDB_NONE || reason[0]);
  CHECK((vdb & GC_get_supported_vdbs()) == vdb);
  CHECK(GC_incremental_protection_needs() ==
        (vdb == GC_VDB_UFFDWP ? GC_PROTECTS_NONE : GC_PROTECTS_POINTER_HEAP));
}

static void
mprotect_can_be_forbidden(void) {
  GC_set_mprotect_vdb_allowed(0);
  CHECK(GC_incremental_protection_needs() == GC_PROTECTS_NONE);
  GC_enable_incremental();
  CHECK(GC_get_actual_vdb() != GC_VDB_MPROTECT);
  GC_set_mode(GC_MODE_STOP);
  GC_set_mprotect_vdb_allowed(1);
  CHECK(GC_get_mprotect_vdb_allowed() == 1);
}

static void
the_promise_is_for_before(void) {
  GC_INIT();
  if (GC_set_mode(GC_MODE_GENERATIONAL) == GC_MODE_GENERATIONAL) {
    GC_set_manual_vdb_allowed(1);
    CHECK(!GC_get_manual_vdb_allowed());
    CHECK(GC_get_actual_vdb() != GC_VDB_MANUAL);
  }
  GC_set_mode(GC_MODE_STOP);
  GC_set_manual_vdb_allowed(1);
  CHECK(GC_get_manual_vdb_allowed());
  CHECK(GC_set_mode(GC_MODE_GENERATIONAL) == GC_MODE_GENERATIONAL);
  CHECK(GC_get_actual_vdb() == GC_VDB_MANUAL && strcmp(GC_get_write_tracking(NULL), "barrier") == 0);
  CHECK(GC_incremental_protection_needs() == GC_PROTECTS_NONE);
  GC_set_mode(GC_MODE_AUTO);
  GC_set_manual_vdb_allowed(0);
  CHECK(!GC_get_manual_vdb_allowed() && GC_get_actual_vdb() != GC_VDB_MANUAL);
  CHECK(GC_barrier_state.bytes == 0);
}

// ---- Telling writes ------------------------------------------------------------------------------------

enum { OBJECT_BYTES = 300000 };

static uint8_t *
note_of(const void *address) {
  return &gc_written[(size_t)((const char *)address - gc_heap.base) >> GC_WRITES_SHIFT];
}

// How many notes there are of an object; they are taken away.
static size_t
take_notes(const char *object) {
  size_t count = 0;
  for (const char *at = object; at < object + OBJECT_BYTES; at += GC_WRITES_BYTES) {
    count += *note_of(at);
    *note_of(at) = 0;
  }
  return count;
}

// An object whose notes nobody else reads or writes, with none at first.
static char *
make_noted_object(void) {
  GC_set_manual_vdb_allowed(1);
  GC_INIT();
  GC_set_mode(GC_MODE_GENERATIONAL);
  char *object = GC_malloc(OBJECT_BYTES);
  CHECK(GC_get_actual_vdb() == GC_VDB_MANUAL && object && gc_written);
  GC_disable();
  take_notes(object);
  return object;
}

static void
a_write_is_noted_where_it_was(void) {
  char *object = make_noted_object();
  GC_write_barrier(object + 5000);
  CHECK(*note_of(object + 5000) && take_notes(object) == 1);
  GC_note_write(object + OBJECT_BYTES - 8);
  CHECK(*note_of(object + OBJECT_BYTES - 8) && take_notes(object) == 1);
  void **place = (void **)(object + 100000);
  GC_PTR_STORE_AND_DIRTY(place, object);
  CHECK(*place == object && *note_of(place) && take_notes(object) == 1);
}

static void
a_change_is_noted_of_the_whole_object(void) {
  char *object = make_noted_object();
  size_t all = OBJECT_BYTES / GC_WRITES_BYTES + 1;
  GC_END_STUBBORN_CHANGE(object);
  CHECK(take_notes(object) == all);
  GC_END_STUBBORN_CHANGE(object + 77777);
  CHECK(take_notes(object) == all);
  GC_CHANGE_STUBBORN(object);
  CHECK(take_notes(object) == 0);
}

// Also what lies just outside of the reservation.
static void
writes_elsewhere_are_of_no_interest(void) {
  int variable = 0;
  char *object = make_noted_object();
  void *stored = NULL;
  const char *limit = gc_heap.base + (gc_heap.reserved_pages << GC_PAGE_SHIFT);
  GC_write_barrier(&variable);
  GC_write_barrier(NULL);
  GC_write_barrier(gc_heap.base - 1);
  GC_write_barrier(limit);
  GC_write_barrier(limit - 1);
  GC_end_stubborn_change(&variable);
  GC_ptr_store_and_dirty(&stored, object);
  CHECK(stored == object && take_notes(object) == 0);
}

static void
without_the_promise_nothing_is_noted(void) {
  GC_INIT();
  char *object = GC_malloc(OBJECT_BYTES);
  GC_disable();
  CHECK(GC_barrier_state.bytes == 0);
  bool noticed = gc_written != NULL;
  if (noticed)
    take_notes(object);
  GC_write_barrier(object);
  GC_end_stubborn_change(object);
  GC_ptr_store_and_dirty(object, object);
  CHECK(*(void **)object == object && (!noticed || take_notes(object) == 0));
}

static void
before_init_a_barrier_is_harmless(void) {
  int variable = 0;
  GC_set_manual_vdb_allowed(1);
  GC_write_barrier(&variable);
  GC_note_write(NULL);
  GC_end_stubborn_change(&variable);
  CHECK(!GC_is_init_called());
}

enum { HOLDERS = 20000 };

// Each holder's object is the only thing that a written page of old objects keeps.
static void
replace_objects(void ***holders) {
  static unsigned random = 1;
  for (int i = 0; i < 400000; i++) {
    void **holder = holders[(random = random * 1103515245 + 12345) / 7 % HOLDERS];
    unsigned *object = GC_malloc(16 + random % 64);
    *object = 0x1234567;
    GC_PTR_STORE_AND_DIRTY(&holder[random % 2], object);
  }
}

static void
replace_objects_in(enum GC_Mode mode) {
  setenv("LOAM_NURSERY", "1M", 1);
  setenv("LOAM_VERIFY", "1", 1);
  GC_set_manual_vdb_allowed(1);
  GC_set_mode(mode);
  GC_INIT();
  void ***holders = NULL;
  for (int i = 0; i < HOLDERS; i++) {
    if (i % 1000 == 0)
      holders = GC_realloc(holders, (i + 1000) * sizeof *holders);
    GC_PTR_STORE_AND_DIRTY(&holders[i], GC_malloc(32));
  }
  replace_objects(holders);
  while (GC_collect_a_little())
    ;
  for (int i = 0; i < HOLDERS; i++)
    for (int j = 0; j < 2; j++)
      CHECK(!holders[i][j] || *(unsigned *)holders[i][j] == 0x1234567);
}

static void
minor_collections_see_told_writes(void) {
  struct GC_pause_kind_stats minor;
  replace_objects_in(GC_MODE_GENERATIONAL);
  GC_get_pause_kind_stats(GC_PAUSE_KIND_MINOR, &minor);
  CHECK(minor.pauses.count > 0);
}

static void
concurrent_collections_see_told_writes(void) {
  struct GC_pause_kind_stats finish;
  setenv("GC_FULL_FREQUENCY", "2", 1);
  replace_objects_in(GC_MODE_CONCURRENT);
  GC_get_pause_kind_stats(GC_PAUSE_KIND_FINISH, &finish);
  CHECK(finish.pauses.count > 0);
}

// ---- The listener --------------------------------------------------------------------------------------

static unsigned heard, wrong;
static char *const data = (char *)&heard;

static void
hear(const struct GC_pause *pause, void *given) {
  struct GC_pause_kind_stats stats;
  uint64_t sum_ns = 0;
  for (unsigned phase = 0; phase < GC_PAUSE_PHASE_COUNT; phase++)
    sum_ns += pause->phase_ns[phase];
  GC_get_pause_kind_stats(pause->kind, &stats); // locks
  wrong += sum_ns != pause->total_ns || pause->total_ns > stats.pauses.max_ns || given != data;
  heard++;
}

static int
stop_at_once(void) {
  return 1;
}

static void
listener_hears_of_each_pause(void) {
  struct GC_pause_stats before, after;
  GC_INIT();
  GC_get_pause_stats(&before);
  GC_set_pause_listener(hear, data);
  GC_gcollect();
  CHECK(heard >= 1);
  GC_try_to_collect(stop_at_once);
  for (int i = 0; i < 100000; i++)
    GC_malloc(1000);
  GC_gcollect();
  GC_get_pause_stats(&after);
  CHECK(heard == after.count - before.count && wrong == 0);
  GC_set_pause_listener(NULL, NULL);
  GC_gcollect();
  CHECK(heard == after.count - before.count);
}

#define TEST(function) \
  { #function, run, NULL, NULL, (void *)(uintptr_t)function }

int
main(void) {
  const struct CMUnitTest tests[] = {
      TEST(defaults_are_those_of_the_manual),
      TEST(setters_before_init_hold),
      TEST(time_limit_has_two_parts),
      TEST(odd_limits_are_survived),
      TEST(environment_chooses_the_mode),
      TEST(the_environment_overrides_what_was_set_before),
      TEST(libgc_variables_choose_the_mode),
      TEST(incremental_mode_can_be_forbidden),
      TEST(enabling_makes_it_concurrent),
      TEST(enabling_without_a_limit_makes_it_generational),
      TEST(modes_come_and_go),
      TEST(a_little_comes_to_an_end),
      TEST(what_dies_young_while_it_marks_goes_with_it),
      TEST(name_and_bits_agree),
      TEST(mprotect_can_be_forbidden),
      TEST(the_promise_is_for_before),
      TEST(a_write_is_noted_where_it_was),
      TEST(a_change_is_noted_of_the_whole_object),
      TEST(writes_elsewhere_are_of_no_interest),
      TEST(without_the_promise_nothing_is_noted),
      TEST(before_init_a_barrier_is_harmless),
      TEST(minor_collections_see_told_writes),
      TEST(concurrent_collections_see_told_writes),
      TEST(listener_hears_of_each_pause),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
