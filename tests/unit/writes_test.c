// Noticing writes: every back end against a shadow of the heap, and what each must bear beside.
#include "os/writes.h"

#include "fixture.h"

#include "os/memory.h"

enum { PAGES = 256, WRITES_PER_PAGE = GC_WRITES_ARM_BYTES / GC_WRITES_BYTES };

// ---- A heap with a back end -----------------------------------------------------------------------------

static char *heap;
static const size_t reserved_bytes = GC_GIB, committed_bytes = PAGES * GC_WRITES_ARM_BYTES;
static size_t grain; // bytes that are reported together

static int
reserve(void **state) {
  (void)state;
  heap = gc_os_reserve(reserved_bytes, 2 * GC_MIB);
  return heap && gc_os_commit(heap, committed_bytes) ? 0 : -1;
}

static int
unreserve(void **state) {
  (void)state;
  assert_true(gc_writes_choose(heap, reserved_bytes, GC_WRITES_NONE));
  assert_null(gc_written);
  gc_os_unreserve(heap, reserved_bytes);
  return 0;
}

// false, and a line that tells why, if the back end cannot be had here.
static bool
choose(void **state) {
  enum gc_writes_kind kind = *(enum gc_writes_kind *)*state;
  if (!gc_writes_choose(heap, reserved_bytes, kind)) {
    assert_int_equal(gc_writes_kind(), GC_WRITES_NONE);
    assert_string_not_equal(gc_writes_reason(), "");
    printf("# skipped: %s\n", gc_writes_reason());
    return false;
  }
  assert_int_equal(gc_writes_kind(), kind);
  assert_string_equal(gc_writes_reason(), "");
  grain = kind == GC_WRITES_PROTECT ? GC_WRITES_ARM_BYTES : gc_os_page_bytes();
  return true;
}

static struct gc_range
pages(size_t first, size_t limit) {
  return (struct gc_range){heap + first * GC_WRITES_ARM_BYTES, heap + limit * GC_WRITES_ARM_BYTES};
}

static struct gc_range
everything(void) {
  return pages(0, PAGES);
}

static void
write_at(size_t offset) {
  ((volatile char *)heap)[offset]++;
}

static size_t
count_written(void) {
  size_t count = 0;
  for (size_t i = 0; i < committed_bytes / GC_WRITES_BYTES; i++)
    count += gc_written[i] != 0;
  return count;
}

static void
clear_written(void) {
  memset(gc_written, 0, committed_bytes / GC_WRITES_BYTES);
}

// Populated, armed, and nothing reported.
static void
arm_all(void) {
  for (size_t offset = 0; offset < committed_bytes; offset += GC_WRITES_BYTES)
    write_at(offset);
  assert_true(gc_writes_arm(everything()));
  assert_int_equal(count_written(), 0);
}

// ---- The contract ---------------------------------------------------------------------------------------

static void
a_write_is_reported_once(void **state) {
  if (!choose(state))
    return;
  arm_all();
  write_at(0), write_at(7 * GC_WRITES_ARM_BYTES + 5000), write_at(committed_bytes - 1);
  assert_true(gc_writes_harvest(everything()));
  assert_true(gc_written[0]);
  assert_true(gc_written[7 * WRITES_PER_PAGE + 1]);
  assert_true(gc_written[committed_bytes / GC_WRITES_BYTES - 1]);
  assert_int_equal(count_written(), 3 * grain / GC_WRITES_BYTES);
  clear_written();
  assert_true(gc_writes_harvest(everything()));
  assert_int_equal(count_written(), 0);
}

static enum gc_writes_kind userfault = GC_WRITES_USERFAULT, protect = GC_WRITES_PROTECT;

#define WITH(kind, test) \
  { #test " (" #kind ")", test, reserve, unreserve, &kind }
#define WITH_BOTH(test) WITH(userfault, test), WITH(protect, test)

int
main(void) {
  const struct CMUnitTest tests[] = {
      WITH_BOTH(a_write_is_reported_once),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
