// Hot pages: what a concurrent cycle leaves open for a while.
#include "cycle/remember.h"

#include "fixture.h"
#include "os/writes.h"

enum { PAGES = 64, PARTS = GC_PAGE_BYTES / GC_WRITES_BYTES };

static uint32_t first; // of PAGES pages in use

static void
begin(void) {
  bool clean;
  fixture_heap(256 * GC_PAGE_BYTES);
  assert_true(gc_writes_choose(gc_heap.base, 256 * GC_PAGE_BYTES, GC_WRITES_CARDS));
  struct gc_ref object =
      gc_large_allocate(PAGES * GC_PAGE_BYTES - GC_GRANULE_BYTES, GC_PAGE_BYTES, GC_KIND_NORMAL, &clean);
  assert_non_null(object.start);
  first = object.page;
}

static int
end(void **state) {
  (void)state;
  return gc_writes_choose(gc_heap.base, 256 * GC_PAGE_BYTES, GC_WRITES_NONE) ? 0 : -1;
}

// Parts [from, from + count) of a page were written.
static void
add_written(struct gc_range_array *written, uint32_t page, size_t from, size_t count) {
  const char *base = gc_heap_page_address(page) + from * GC_WRITES_BYTES;
  assert_true(gc_range_array_push(written, (struct gc_range){base, base + count * GC_WRITES_BYTES}));
}

static void
pages_become_hot_when_a_quarter_is_written(void **state) {
  (void)state;
  struct gc_range_array written = {0};
  begin();
  add_written(&written, first, 0, PARTS / 4);         // hot, in one piece
  add_written(&written, first + 1, 1, PARTS / 4 - 1); // not
  for (size_t part = 0; part < PARTS / 2; part += 2)
    add_written(&written, first + 2, part, 1);    // hot, in pieces
  add_written(&written, first + 3, PARTS - 1, 1); // not
  assert_int_equal(gc_remember_take_hot(&written), 2);
  assert_int_equal(written.count, 2);
  assert_ptr_equal(written.items[0].base, gc_heap_page_address(first + 1) + GC_WRITES_BYTES);
  assert_ptr_equal(written.items[1].limit, gc_heap_page_address(first + 4));
  for (uint32_t i = 0; i < 4; i++)
    assert_int_equal(gc_page_set_has(gc_heap.hot, first + i), i % 2 == 0);

  gc_range_array_clear(&written);
  add_written(&written, first + 2, 3, 1); // still hot
  assert_int_equal(gc_remember_take_hot(&written), 0);
  assert_int_equal(written.count, 0);
  gc_remember_forget_hot();
  add_written(&written, first + 2, 3, 1);
  gc_remember_take_hot(&written);
  assert_int_equal(written.count, 1);
}

static void
hot_pages_stay_open_and_others_are_armed(void **state) {
  (void)state;
  struct gc_range_array written = {0};
  begin();
  gc_remember_arm(first, first + PAGES, false);
  add_written(&written, first + 5, 0, PARTS);
  add_written(&written, first + 6, 0, PARTS);
  add_written(&written, first + PAGES - 1, 0, PARTS);
  add_written(&written, first + PAGES, 0, PARTS); // no page in use
  gc_remember_take_hot(&written);
  gc_remember_disarm(first + 10, first + 20);
  assert_int_equal(gc_remember_arm_cool(first, first + PAGES + 1), 3);
  for (uint32_t i = 0; i < PAGES; i++)
    assert_int_equal(gc_page_set_has(gc_heap.armed, first + i), i != 5 && i != 6 && i != PAGES - 1);
  gc_remember_arm(first, first + PAGES, false);
  assert_int_equal(gc_page_set_next_absent(gc_heap.armed, first, 256), first + PAGES);
}

int
main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(pages_become_hot_when_a_quarter_is_written, end),
      cmocka_unit_test_teardown(hot_pages_stay_open_and_others_are_armed, end),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
