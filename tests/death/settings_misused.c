// Nonsense written into libgc's variables does no harm; what cannot be survived ends in one line.
#define GC_BUILD // our own use of the variables is not deprecated
#include "gc.h"
#include "tests/death/child.h"

extern GC_abort_func GC_on_abort; // exported, and in no header of libgc's

static void
use_collector(void) {
  char *list = NULL;
  for (unsigned i = 0; i < 100000; i++) {
    char *object = GC_malloc(64);
    CHILD_CHECK(object);
    *(char **)object = i % 100 ? list : NULL;
    list = object;
  }
  GC_gcollect();
  CHILD_CHECK(GC_get_gc_no() > 0 && GC_base(list) == list);
  CHILD_CHECK(GC_get_heap_size() < 100u << 20);
}

static void
write_nonsense(void) {
  GC_free_space_divisor = 0;
  GC_full_freq = -5;
  GC_time_limit = (unsigned long)-1;
  GC_java_finalization = -1;
  GC_no_dls = -1;
  GC_oom_fn = NULL;
  GC_on_heap_resize = NULL;
  GC_finalizer_notifier = NULL;
  GC_dont_expand = -1;
}

static void
nonsense_before_init(void) {
  write_nonsense();
  GC_all_interior_pointers = 77;
  use_collector();
}

static void
nonsense_after_init(void) {
  GC_INIT();
  write_nonsense();
  GC_all_interior_pointers = 0; // too late to count
  GC_gc_no = 5;
  GC_parallel = -100;
  use_collector();
  CHILD_CHECK(GC_get_gc_no() > 5);
}

static void
huge_divisor_and_no_time(void) {
  GC_free_space_divisor = (GC_word)-1;
  GC_time_limit = 0;
  GC_full_freq = 0x7fffffff;
  GC_set_manual_vdb_allowed(0);
  GC_enable_incremental();
  use_collector();
}

static void
endless_retries_end(void) {
  GC_set_max_heap_size(4 << 20);
  GC_max_retries = (GC_word)-1;
  GC_oom_fn = NULL;
  GC_INIT();
  CHILD_CHECK(!GC_malloc(64 << 20));
  CHILD_CHECK(GC_get_gc_no() > 50 && GC_get_gc_no() < 200);
}

static void
retries_are_counted(void) {
  GC_set_max_heap_size(4 << 20);
  GC_INIT();
  GC_word before = GC_gc_no;
  CHILD_CHECK(!GC_malloc(64 << 20));
  GC_word without = GC_gc_no - before;
  GC_max_retries = 5;
  before = GC_gc_no;
  CHILD_CHECK(!GC_malloc(64 << 20));
  CHILD_CHECK(GC_gc_no - before == without + 5);
}

static void
enabled_by_hand_too(void) {
  GC_disable();
  GC_dont_gc = 0;
  child_expect("loam: GC_enable without GC_disable\n");
  GC_enable();
}

static void
interior_pointers_too_late(void) {
  GC_INIT();
  child_expect("loam: GC_set_all_interior_pointers: too late, the collector is initialised\n");
  GC_set_all_interior_pointers(0);
}

static void
no_abort_function(void) {
  char *object = GC_malloc(100);
  GC_on_abort = NULL;
  GC_free(object + 8);
}

static void
give_up_for_memory(void) {
  child_expect("loam: memory is exhausted\n");
  GC_abort_on_oom();
}

static void
full_disk(void) {
  setenv("GC_LOG_FILE", "/dev/full", 1);
  child_expect("loam: warning: the log cannot be written (errno %d); it goes on here\n", ENOSPC);
  child_expect("one\ntwo\nthree\n");
  GC_INIT();
  GC_log_printf("one\n");
  GC_err_printf("two\n");
  GC_log_printf("three\n");
}

static void
closed_log(void) {
  GC_INIT();
  GC_set_log_fd(1000);
  child_expect("loam: warning: the log cannot be written (errno %d); it goes on here\n", EBADF);
  child_expect("once\n");
  GC_log_printf("once\n");
}

static void
threshold_zero_keeps_memory(void) {
  setenv("GC_UNMAP_THRESHOLD", "0", 1);
  setenv("GC_IGNORE_GCJ_INFO", "1", 1);
  setenv("GC_NO_BLACKLIST_WARNING", "1", 1);
  setenv("GC_TRACE", "0x1234", 1);
  use_collector();
}

int
main(void) {
  child_check("nonsense in the variables before GC_init", nonsense_before_init, CHILD_EXITS);
  child_check("nonsense in the variables after GC_init", nonsense_after_init, CHILD_EXITS);
  child_check("a huge divisor, and no time at all", huge_divisor_and_no_time, CHILD_EXITS);
  child_check("endless retries come to an end", endless_retries_end, CHILD_EXITS);
  child_check("retries are counted", retries_are_counted, CHILD_EXITS);
  child_check("GC_enable after the counter was written", enabled_by_hand_too, CHILD_ABORTS);
  child_check("interior pointers, too late", interior_pointers_too_late, CHILD_ABORTS);
  child_check("no abort function", no_abort_function, CHILD_ABORTS);
  child_check("GC_abort_on_oom", give_up_for_memory, 1);
  child_check("a log on a full disk", full_disk, CHILD_EXITS);
  child_check("a log that is no file", closed_log, CHILD_EXITS);
  child_check("variables of libgc's that mean nothing here", threshold_zero_keeps_memory, CHILD_EXITS);
  return tap_done();
}
