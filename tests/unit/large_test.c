// Large objects: alignment, growing and shrinking in place, what is cleared.
#include "fixture.h"

static void
begin(void) {
  fixture_heap(256 * GC_MIB);
}

static char *
large(size_t bytes, size_t alignment, unsigned kind) {
  bool clean;
  return gc_large_allocate(bytes, alignment, kind, &clean).start;
}

static uint32_t
page_of(const char *object) {
  return gc_heap_slot_at(object).page;
}

// Walk the page table: spans tile it, free ones are as long as the run of pages that look free, counts add
// up.
static void
check_tiling(void) {
  size_t clean = 0, dirty = 0;
  for (uint32_t page = 1; page < gc_heap.frontier;) {
    uint32_t pages = gc_heap.infos[page].span_pages;
    unsigned state = gc_heap.pages[page].state;
    assert_in_range(pages, 1, gc_heap.frontier - page);
    for (uint32_t i = 0; i < pages; i++)
      assert_int_equal(gc_heap.pages[page + i].state, state);
    if (state <= GC_PAGE_FREE_DIRTY && page + pages < gc_heap.frontier)
      assert_int_not_equal(gc_heap.pages[page + pages].state, state);
    clean += state == GC_PAGE_FREE_CLEAN ? pages : 0;
    dirty += state == GC_PAGE_FREE_DIRTY ? pages : 0;
    page += pages;
  }
  assert_int_equal(clean, gc_heap.clean_pages);
  assert_int_equal(dirty, gc_heap.dirty_pages);
}

static bool
is_zero(const char *bytes, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (bytes[i])
      return false;
  return true;
}

static void
alignments_above_a_page_are_kept_on_new_memory(void **state) {
  (void)state;
  begin();
  for (size_t alignment = GC_PAGE_BYTES; alignment <= 16 * GC_MIB; alignment *= 2) {
    char *object = large(200000, alignment, GC_KIND_NORMAL);
    assert_non_null(object);
    assert_int_equal((uintptr_t)object % alignment, 0);
    check_tiling();
  }
}

// The pages trimmed off on either side used to be free, and lie beside pages that are free no longer.
static void
alignments_above_a_page_are_kept_on_used_memory(void **state) {
  (void)state;
  random_begin("alignment");
  begin();
  enum { OBJECTS = 40 };
  char *objects[OBJECTS] = {0};
  for (int step = 0; step < 2000; step++) {
    size_t at = random_below(OBJECTS);
    if (objects[at]) {
      gc_large_free(page_of(objects[at]));
      objects[at] = NULL;
    } else {
      size_t bytes = 140000 + random_below(1000000), alignment = GC_PAGE_BYTES << random_below(6);
      objects[at] = large(bytes, alignment, GC_KIND_ATOMIC);
      assert_non_null(objects[at]);
      assert_int_equal((uintptr_t)objects[at] % alignment, 0);
      assert_true(gc_heap_slot_at(objects[at]).bytes >= bytes);
    }
    check_tiling();
  }
}

static void
a_pointer_past_the_end_lies_in_no_other_object(void **state) {
  (void)state;
  begin();
  char *object = large(3 * GC_PAGE_BYTES, GC_PAGE_BYTES, GC_KIND_NORMAL);
  assert_int_equal(gc_heap.infos[page_of(object)].span_pages, 4);
}

static void
no_size_overflows(void **state) {
  (void)state;
  begin();
  static const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 65536, PTRDIFF_MAX, (size_t)1 << 48, 257 * GC_MIB};
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
    assert_null(large(sizes[i], GC_PAGE_BYTES, GC_KIND_NORMAL));
  check_tiling();
}

static void
an_object_grows_into_free_pages_and_over_the_frontier(void **state) {
  (void)state;
  begin();
  char *first = large(3 * GC_PAGE_BYTES - 1, GC_PAGE_BYTES, GC_KIND_NORMAL);
  char *second = large(3 * GC_PAGE_BYTES - 1, GC_PAGE_BYTES, GC_KIND_NORMAL);
  char *third = large(3 * GC_PAGE_BYTES - 1, GC_PAGE_BYTES, GC_KIND_NORMAL);
  memset(second, 0x55, 3 * GC_PAGE_BYTES - 1);
  assert_false(gc_large_resize(gc_heap_slot_at(first), 4 * GC_PAGE_BYTES - 1));
  gc_large_free(page_of(second));
  assert_true(gc_large_resize(gc_heap_slot_at(first), 5 * GC_PAGE_BYTES - 1));
  check_tiling();
  assert_true(is_zero(first, 5 * GC_PAGE_BYTES - 1));
  assert_ptr_equal(gc_heap_slot_at(first + 5 * GC_PAGE_BYTES - 1).start, first);
  assert_false(gc_large_resize(gc_heap_slot_at(first), 7 * GC_PAGE_BYTES - 1));
  assert_true(gc_large_resize(gc_heap_slot_at(first), 6 * GC_PAGE_BYTES - 1));
  assert_true(gc_large_resize(gc_heap_slot_at(third), 50 * GC_PAGE_BYTES));
  assert_int_equal(gc_heap_slot_at(third).bytes, 50 * GC_PAGE_BYTES);
  check_tiling();
}

static void
an_object_shrinks_and_gives_its_pages_back(void **state) {
  (void)state;
  begin();
  char *object = large(20 * GC_PAGE_BYTES - 1, GC_PAGE_BYTES, GC_KIND_NORMAL);
  assert_non_null(large(140000, GC_PAGE_BYTES, GC_KIND_NORMAL));
  assert_true(gc_large_resize(gc_heap_slot_at(object), 3 * GC_PAGE_BYTES - 1));
  assert_int_equal(gc_heap.dirty_pages, 17);
  assert_int_equal(gc_heap_slot_at(object).bytes, 3 * GC_PAGE_BYTES);
  assert_null(gc_heap_slot_at(object + 3 * GC_PAGE_BYTES).start);
  check_tiling();
}

static void
bytes_gained_are_zero_unless_pointer_free(void **state) {
  (void)state;
  begin();
  for (unsigned kind = GC_KIND_ATOMIC; kind <= GC_KIND_NORMAL; kind++) {
    char *object = large(200000, GC_PAGE_BYTES, kind);
    memset(object, 0x66, 4 * GC_PAGE_BYTES);
    assert_true(gc_large_resize(gc_heap_slot_at(object), 150000));
    assert_true(gc_large_resize(gc_heap_slot_at(object), 250000));
    assert_int_equal(object[149999], 0x66);
    size_t kept = gc_round_up(150000, GC_GRANULE_BYTES),
           gained = gc_round_up(250000, GC_GRANULE_BYTES) - kept;
    assert_int_equal(is_zero(object + kept, gained), kind == GC_KIND_NORMAL);
  }
}

int
main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(alignments_above_a_page_are_kept_on_new_memory),
      cmocka_unit_test(alignments_above_a_page_are_kept_on_used_memory),
      cmocka_unit_test(a_pointer_past_the_end_lies_in_no_other_object),
      cmocka_unit_test(no_size_overflows),
      cmocka_unit_test(an_object_grows_into_free_pages_and_over_the_frontier),
      cmocka_unit_test(an_object_shrinks_and_gives_its_pages_back),
      cmocka_unit_test(bytes_gained_are_zero_unless_pointer_free),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
