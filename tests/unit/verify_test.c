// The verifier: each kind of corruption, made by hand and mended, is reported under its invariant's name.
#include "cycle/verify.h"

#include <unistd.h>

#include "fixture.h"
#include "gc.h"
#include "world/world.h"

static int log_fd;
static char said[8192];

static void
catch_log(void) {
  FILE *file = tmpfile();
  assert_non_null(file);
  log_fd = gc_hooks.log_fd;
  gc_hooks.log_fd = fileno(file);
}

static void
release_log(void) {
  ssize_t bytes = pread(gc_hooks.log_fd, said, sizeof said - 1, 0);
  said[bytes > 0 ? bytes : 0] = '\0';
  close(gc_hooks.log_fd);
  gc_hooks.log_fd = log_fd;
}

static size_t
verify_heap(void) {
  catch_log();
  size_t faults = gc_verify_heap_stw("in a test");
  release_log();
  return faults;
}

// The heap must be sound but for what the caller changed.
static void
expect_fault(const char *invariant) {
  size_t faults = verify_heap();
  if (faults == 0 || !strstr(said, invariant))
    fail_msg("%zu faults, no \"%s\" in: %s", faults, invariant, said);
}

static void
expect_soundness(void) {
  size_t faults = verify_heap();
  if (faults)
    fail_msg("%zu faults: %s", faults, said);
}

// Set a field, expect a fault, set it back, expect none.
#define EXPECT_FAULT_WITH(field, value, invariant) \
  do {                                             \
    __typeof__(field) before_ = (field);           \
    (field) = (value);                             \
    expect_fault(invariant);                       \
    (field) = before_;                             \
    expect_soundness();                            \
  } while (0)

static char *small, *large;
static uint32_t small_page, large_page, listed_page;

// Some objects of each sort, half of them garbage, a collection, a free span.
static int
setup(void **state) {
  (void)state;
  static char *objects[4000];
  GC_INIT();
  for (size_t i = 0; i < 4000; i++) {
    char *object = GC_malloc(48);
    objects[i] = i % 2 ? object : NULL;
  }
  small = objects[1];
  large = GC_malloc(300000);
  GC_free(GC_malloc(900000));
  GC_gcollect();
  small_page = gc_heap_slot_at(small).page;
  large_page = gc_heap_slot_at(large).page;
  unsigned kind = gc_kind_of_normal(48), class = gc_class_of(48);
  for (unsigned i = 0; i < GC_EMPTINESS && !listed_page; i++)
    listed_page = gc_heap.lists[kind][class][i];
  return 0;
}

static void
a_sound_heap_has_no_faults(void **state) {
  (void)state;
  expect_soundness();
  assert_int_equal(gc_verify_world(), 0);
}

static void
slot_bytes(void **state) {
  (void)state;
  EXPECT_FAULT_WITH(*fixture_byte(small), 0x83, "slot byte out of range");
  uint8_t *bytes = gc_heap_slot_bytes(gc_heap.pages[small_page].line);
  size_t behind = gc_heap.infos[small_page].slots;
  if (behind % GC_LINE_SLOTS)
    EXPECT_FAULT_WITH(bytes[behind], GC_SLOT_NEW, "slot byte out of range");
}

static void
line_zero(void **state) {
  (void)state;
  EXPECT_FAULT_WITH(gc_heap.slot_bytes[0], GC_SLOT_NEW, "line-own (line 0)");
}

static void
span_lengths(void **state) {
  (void)state;
  EXPECT_FAULT_WITH(gc_heap.infos[small_page].span_pages, 0, "spans-tile");
  EXPECT_FAULT_WITH(gc_heap.infos[small_page].span_pages, gc_heap.frontier + 1, "spans-tile");
  EXPECT_FAULT_WITH(gc_heap.infos[large_page].span_pages, gc_heap.infos[large_page].span_pages - 1,
                    "spans-tile");
  EXPECT_FAULT_WITH(gc_heap.infos[small_page].slots, 7, "spans-tile (span length)");
}

static void
page_descriptors(void **state) {
  (void)state;
  EXPECT_FAULT_WITH(gc_heap.pages[large_page + 1].span_offset, 3, "spans-tile");
  EXPECT_FAULT_WITH(gc_heap.pages[large_page + 1].line, gc_heap.pages[small_page].line, "line-own");
  EXPECT_FAULT_WITH(gc_heap.pages[large_page + 2].kind, GC_KIND_ATOMIC, "spans-tile");
  EXPECT_FAULT_WITH(gc_heap.pages[small_page].slot_granules, 5, "spans-tile (slot size)");
  EXPECT_FAULT_WITH(gc_heap.infos[large_page].object_bytes, GC_GIB, "large object too long");
}

static void
free_page_counts(void **state) {
  (void)state;
  EXPECT_FAULT_WITH(gc_heap.dirty_pages, gc_heap.dirty_pages + 1, "free page counts");
  EXPECT_FAULT_WITH(gc_heap.clean_pages, gc_heap.clean_pages + 1, "free page counts");
}

static void
free_spans(void **state) {
  (void)state;
  struct gc_span_bins *bins = &gc_heap.bins[GC_PAGE_FREE_DIRTY];
  unsigned bin = 0;
  while (bins->heads[bin] == 0)
    assert_true(++bin < GC_BINS);
  EXPECT_FAULT_WITH(bins->heads[bin], 0, "free-in-bin");
}

static void
page_lists(void **state) {
  (void)state;
  assert_int_not_equal(listed_page, 0);
  struct gc_page_info *info = &gc_heap.infos[listed_page];
  unsigned kind = gc_heap.pages[listed_page].kind, class = info->class;
  EXPECT_FAULT_WITH(info->next, listed_page, "slots-listed (broken list)");
  EXPECT_FAULT_WITH(info->flags, GC_PAGE_OWNED, "slots-listed (owned)");
  EXPECT_FAULT_WITH(info->next, large_page, "slots-listed");
  EXPECT_FAULT_WITH(gc_heap.lists[kind][class + 1][0], listed_page, "slots-listed");
}

static void
a_page_in_two_lists_of_its_class(void **state) {
  (void)state;
  unsigned kind = gc_heap.pages[listed_page].kind, class = gc_heap.infos[listed_page].class;
  uint32_t *lists = gc_heap.lists[kind][class];
  unsigned empty = 0;
  while (lists[empty])
    assert_true(++empty < GC_EMPTINESS);
  EXPECT_FAULT_WITH(lists[empty], listed_page, "slots-listed (in two lists)");
}

static void
caches(void **state) {
  (void)state;
  assert_non_null(GC_malloc(80));
  struct gc_run *run = &gc_cache_current->runs[gc_kind_of_normal(80)][gc_class_of(80)];
  assert_int_not_equal(run->page, 0);
  EXPECT_FAULT_WITH(run->limit, run->run_limit + 80, "run bounds");
  EXPECT_FAULT_WITH(gc_heap.infos[run->page].flags, 0, "slots-listed (cache)");
  EXPECT_FAULT_WITH(*fixture_byte(run->cursor), GC_SLOT_FREE, "run slots are handed out");
}

// ---- Reachability --------------------------------------------------------------------------------------

static void *
verify_marks(void *faults) {
  catch_log();
  *(size_t *)faults = gc_verify_marks_stw(GC_VERIFY_FULL);
  release_log();
  return NULL;
}

static void
a_reachable_object_without_the_mark(void **state) {
  (void)state;
  size_t faults = 1;
  GC_gcollect();
  uint8_t *byte = fixture_byte(small);
  assert_int_equal(*byte, gc_heap.mark);
  gc_world_call_spilled(verify_marks, &faults);
  if (faults)
    fail_msg("%zu faults: %s", faults, said);
  *byte = GC_SLOT_NEW;
  gc_world_call_spilled(verify_marks, &faults);
  *byte = gc_heap.mark;
  assert_int_equal(faults, 1);
  assert_non_null(strstr(said, "marked-closed"));
  char address[32];
  snprintf(address, sizeof address, "%p", (void *)small);
  assert_non_null(strstr(said, address));
}

int
main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_sound_heap_has_no_faults),
      cmocka_unit_test(a_reachable_object_without_the_mark),
      cmocka_unit_test(slot_bytes),
      cmocka_unit_test(line_zero),
      cmocka_unit_test(span_lengths),
      cmocka_unit_test(page_descriptors),
      cmocka_unit_test(free_page_counts),
      cmocka_unit_test(free_spans),
      cmocka_unit_test(page_lists),
      cmocka_unit_test(a_page_in_two_lists_of_its_class),
      cmocka_unit_test(caches),
  };
  return cmocka_run_group_tests(tests, setup, NULL);
}
