// Thread caches: the runs that they find, what is cleared and when, and what a collection does to them.
#include "fixture.h"

#include "heap/sweep.h"
#include "os/writes.h"

static struct gc_run *
run_of(unsigned kind, size_t bytes) {
  return &fixture_cache.runs[kind][gc_class_of(bytes)];
}

// Fill a page with dirt and give it back to the lists, as after a sweep that left the given slots.
static uint32_t
page_with_holes(unsigned kind, unsigned class, const uint8_t *bytes) {
  assert_true(gc_cache_take_page(&fixture_cache, kind, class));
  struct gc_run *run = &fixture_cache.runs[kind][class];
  uint32_t page = run->page;
  memset(gc_heap_page_address(page), 0xEE, gc_classes[class].span_pages * GC_PAGE_BYTES);
  memcpy(gc_heap_slot_bytes(gc_heap.pages[page].line), bytes, gc_classes[class].slots);
  run->fresh = false;
  return page;
}

static bool
is_filled_with(const char *object, size_t bytes, char value) {
  for (size_t i = 0; i < bytes; i++)
    if (object[i] != value)
      return false;
  return true;
}

// The bytes of slots as a sweep might leave them: the model of what is to be found.
static const uint8_t *
fill_holes(size_t slots) {
  static uint8_t bytes[4096];
  size_t density = 1 + random_below(12);
  for (size_t slot = 0; slot < slots; slot++)
    bytes[slot] = random_below(density) ? GC_SLOT_FREE : (uint8_t)(1 + random_below(4));
  return bytes;
}

static void
expect_others_untouched(uint32_t page, const uint8_t *bytes) {
  for (size_t slot = 0; slot < gc_heap.infos[page].slots; slot++)
    if (bytes[slot] != GC_SLOT_FREE)
      assert_int_equal(gc_heap_slot_bytes(gc_heap.pages[page].line)[slot], bytes[slot]);
}

// Take every slot that the page has left.
static void
check_runs(unsigned kind, unsigned class) {
  size_t slots = gc_classes[class].slots, slot_bytes = gc_classes[class].slot_bytes;
  const uint8_t *bytes = fill_holes(slots);
  uint32_t page = page_with_holes(kind, class, bytes);
  for (size_t slot = 0; slot < slots; slot++) {
    if (bytes[slot] != GC_SLOT_FREE)
      continue;
    char *object = fixture_bump(slot_bytes, kind);
    if (!object)
      object = gc_cache_next(&fixture_cache, kind, class);
    assert_ptr_equal(object, gc_heap_page_address(page) + slot * slot_bytes);
    assert_int_equal(*fixture_byte(object), GC_SLOT_NEW);
    assert_true(is_filled_with(object, slot_bytes, gc_kind_is_pointer_free(kind) ? (char)0xEE : 0));
  }
  assert_null(gc_cache_next(&fixture_cache, kind, class));
  expect_others_untouched(page, bytes);
}

static void
all_holes_of_a_page_are_found_in_order_and_cleared(void **state) {
  (void)state;
  random_begin("holes");
  for (unsigned class = 0; class < GC_CLASSES; class ++) {
    fixture_heap(64 * GC_MIB);
    check_runs(GC_KIND_NORMAL, class);
    check_runs(GC_KIND_ATOMIC, class);
  }
}

// Take the page's slots in chains of any length, and a single one now and then.  Each chain is in order,
// clear, and in front of what was there.
static void
check_chains(unsigned kind, unsigned class) {
  size_t slots = gc_classes[class].slots, slot_bytes = gc_classes[class].slot_bytes;
  const uint8_t *bytes = fill_holes(slots);
  uint32_t page = page_with_holes(kind, class, bytes);
  size_t allocated_bytes = fixture_cache.allocated_bytes, found = 0;
  char filling = gc_kind_is_pointer_free(kind) ? (char)0xEE : 0;
  size_t taken = 1;
  gc_heap.birth = random_below(2) ? GC_SLOT_NEW : gc_heap.mark; // as late in a concurrent cycle
  for (size_t slot = 0; taken > 0;) {
    bool single = random_below(4) == 0;
    size_t most = single ? 1 : 1 + random_below(20);
    void *volatile list = &fixture_cache;
    if (single)
      list = fixture_bump(slot_bytes, kind) ?: gc_cache_next(&fixture_cache, kind, class);
    taken = single ? list != NULL : gc_cache_chain(&fixture_cache, kind, class, most, &list);
    assert_true(taken <= most);
    const char *object = list;
    for (size_t i = 0; i < taken; i++, found++) {
      while (bytes[slot] != GC_SLOT_FREE)
        slot++;
      assert_ptr_equal(object, gc_heap_page_address(page) + slot++ * slot_bytes);
      assert_int_equal(*fixture_byte(object), gc_heap.birth);
      assert_true(is_filled_with(object + GC_WORD_BYTES, slot_bytes - GC_WORD_BYTES, filling));
      object = single ? object : *(char *const *)(const void *)object;
    }
    assert_ptr_equal(object, single ? (const char *)list : (const char *)&fixture_cache);
    while (taken < most && slot < slots)
      assert_int_not_equal(bytes[slot++], GC_SLOT_FREE);
  }
  gc_heap.birth = GC_SLOT_NEW;
  assert_int_equal(fixture_cache.allocated_bytes - allocated_bytes, found * slot_bytes);
  expect_others_untouched(page, bytes);
}

static void
chains_take_all_holes_of_a_page_in_order(void **state) {
  (void)state;
  random_begin("chains");
  for (unsigned class = 0; class <= gc_class_of(GC_LOOKUP_BYTES_MAX); class ++) {
    fixture_heap(64 * GC_MIB);
    for (unsigned i = 0; i < 20; i++) {
      check_chains(GC_KIND_NORMAL, class);
      check_chains(GC_KIND_ATOMIC, class);
    }
  }
}

static void
chains_take_freed_slots_and_memory_that_is_clear(void **state) {
  (void)state;
  fixture_heap(64 * GC_MIB);
  unsigned class = gc_class_of(64);
  char *freed = fixture_allocate(64, GC_KIND_NORMAL), *next = fixture_allocate(64, GC_KIND_NORMAL) + 64;
  memset(freed, 0x77, 64);
  next[8] = 'x'; // as it was mapped, it is not cleared
  gc_cache_free(&fixture_cache, gc_heap_slot_at(freed));
  void *volatile list = NULL;
  size_t left = gc_classes[class].slots - 1; // the page's slots but one
  assert_int_equal(gc_cache_chain(&fixture_cache, GC_KIND_NORMAL, class, left - 1, &list), left - 1);
  assert_ptr_equal(list, next);
  assert_int_equal(next[8], 'x');
  list = NULL;
  assert_int_equal(gc_cache_chain(&fixture_cache, GC_KIND_NORMAL, class, 5, &list), 1);
  assert_ptr_equal(list, freed);
  assert_true(is_filled_with(freed, 64, 0));
  assert_int_equal(*fixture_byte(freed), GC_SLOT_NEW);
  assert_null(gc_cache_next(&fixture_cache, GC_KIND_NORMAL, class));
}

static void
clearing_goes_a_window_ahead_of_use(void **state) {
  (void)state;
  static const uint8_t empty[4096];
  fixture_heap(64 * GC_MIB);
  unsigned class = gc_class_of(64);
  uint32_t page = page_with_holes(GC_KIND_NORMAL, class, empty);
  assert_non_null(gc_cache_next(&fixture_cache, GC_KIND_NORMAL, class));
  const char *base = gc_heap_page_address(page);
  assert_true(is_filled_with(base, GC_CACHE_WINDOW_BYTES, 0));
  assert_true(is_filled_with(base + GC_CACHE_WINDOW_BYTES, GC_CACHE_WINDOW_BYTES, (char)0xEE));
  assert_ptr_equal(run_of(GC_KIND_NORMAL, 64)->limit, base + GC_CACHE_WINDOW_BYTES);
}

static void
fresh_memory_is_not_cleared_again(void **state) {
  (void)state;
  fixture_heap(64 * GC_MIB);
  unsigned class = gc_class_of(64);
  assert_true(gc_cache_take_page(&fixture_cache, GC_KIND_NORMAL, class));
  struct gc_run *run = run_of(GC_KIND_NORMAL, 64);
  assert_true(run->fresh);
  gc_heap_page_address(run->page)[8] = 'x';
  char *object = gc_cache_next(&fixture_cache, GC_KIND_NORMAL, class);
  assert_int_equal(object[8], 'x');
}

static void
a_page_that_was_given_back_is_not_fresh(void **state) {
  (void)state;
  fixture_heap(64 * GC_MIB);
  char *object = fixture_allocate(64, GC_KIND_NORMAL);
  memset(object, 1, 64);
  *fixture_byte(object) = GC_SLOT_FREE;
  gc_cache_give_back(&fixture_cache);
  assert_ptr_equal(fixture_allocate(64, GC_KIND_NORMAL), object);
  assert_true(is_filled_with(object, 64, 0));
}

static void
freed_slots_are_used_again_last_first_and_cleared(void **state) {
  (void)state;
  static const size_t sizes[] = {16, 48, 1024, 1100, 2000, 100000};
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    fixture_heap(64 * GC_MIB);
    unsigned class = gc_class_of(sizes[i]);
    size_t slot_bytes = gc_classes[class].slot_bytes;
    char *objects[2];
    for (int j = 0; j < 2; j++)
      memset(objects[j] = fixture_allocate(slot_bytes, GC_KIND_NORMAL), 0x77, slot_bytes);
    for (int j = 0; j < 2; j++) {
      gc_cache_free(&fixture_cache, gc_heap_slot_at(objects[j]));
      assert_int_equal(*fixture_byte(objects[j]), gc_heap.held);
    }
    assert_int_equal(fixture_cache.freed_bytes, 2 * slot_bytes);
    for (int j = 1; j >= 0;) {
      char *object = fixture_allocate(slot_bytes, GC_KIND_NORMAL);
      assert_true(is_filled_with(object, slot_bytes, 0));
      j -= object == objects[j];
      assert_ptr_not_equal(object, NULL);
    }
    assert_int_equal(*fixture_byte(objects[0]), GC_SLOT_NEW);
  }
}

// Each slot of a span is handed out once before the cache asks for another page.
static void
no_slot_of_a_page_is_passed_over(void **state) {
  (void)state;
  for (unsigned class = 0; class < GC_CLASSES; class ++) {
    fixture_heap(64 * GC_MIB);
    size_t slot_bytes = gc_classes[class].slot_bytes;
    uint32_t page = gc_heap_slot_at(fixture_allocate(slot_bytes, GC_KIND_EXACT)).page;
    size_t taken = 1;
    while (gc_heap_slot_at(fixture_allocate(slot_bytes, GC_KIND_EXACT)).page == page)
      taken++;
    if (taken != gc_classes[class].slots)
      fail_msg("%zu bytes: %zu of %u slots", slot_bytes, taken, gc_classes[class].slots);
  }
}

static void
unused_slots_of_a_shielded_cache_are_held(void **state) {
  (void)state;
  fixture_heap(64 * GC_MIB);
  char *object = fixture_allocate(32, GC_KIND_NORMAL);
  char *freed = fixture_allocate(32, GC_KIND_NORMAL);
  gc_cache_free(&fixture_cache, gc_heap_slot_at(freed));
  struct gc_run *run = run_of(GC_KIND_NORMAL, 32);
  size_t unused = (size_t)(run->run_limit - run->cursor);
  assert_int_equal(gc_cache_unused_bytes(&fixture_cache), unused);
  fixture_flip();
  assert_int_equal(gc_cache_shield_stw(&fixture_cache), unused);
  for (char *slot = run->cursor; slot < run->run_limit; slot += 32)
    assert_int_equal(*fixture_byte(slot), gc_heap.held);
  assert_int_equal(*fixture_byte(object), GC_SLOT_NEW);
  assert_int_equal(*fixture_byte(freed), gc_heap.held); // for the sweep
  gc_cache_forget_freed_stw(&fixture_cache);
  assert_null(run->freed);
  gc_cache_unshield_stw(&fixture_cache);
  for (char *slot = run->cursor; slot < run->run_limit; slot += 32)
    assert_int_equal(*fixture_byte(slot), GC_SLOT_NEW);
  assert_ptr_equal(fixture_allocate(32, GC_KIND_NORMAL), freed + 32);
}

static void
a_cache_gives_everything_back(void **state) {
  (void)state;
  fixture_heap(64 * GC_MIB);
  char *object = fixture_allocate(32, GC_KIND_NORMAL), *freed = fixture_allocate(32, GC_KIND_NORMAL);
  unsigned class = gc_class_of(32);
  gc_cache_free(&fixture_cache, gc_heap_slot_at(freed));
  uint32_t page = gc_heap_slot_at(object).page;
  gc_cache_give_back(&fixture_cache);
  assert_int_equal(*fixture_byte(object), GC_SLOT_NEW);
  for (size_t slot = 1; slot < gc_classes[class].slots; slot++)
    assert_int_equal(gc_heap_slot_bytes(gc_heap.pages[page].line)[slot], GC_SLOT_FREE);
  assert_int_equal(gc_heap.lists[GC_KIND_NORMAL][class][gc_heap.infos[page].listed - 1], page);
  assert_false(gc_heap.infos[page].flags & GC_PAGE_OWNED);
  static const struct gc_cache empty;
  assert_memory_equal(&fixture_cache, &empty, sizeof empty);
  assert_int_equal(gc_heap.freed_bytes, 32);
}

// Its owner was copied by a fork while it was at work.
static void
of_a_busy_cache_only_the_pages_are_given_back(void **state) {
  (void)state;
  fixture_heap(64 * GC_MIB);
  char *object = fixture_allocate(32, GC_KIND_NORMAL), *freed = fixture_allocate(48, GC_KIND_NORMAL);
  gc_cache_free(&fixture_cache, gc_heap_slot_at(freed));
  memset(freed, 0xEE, 48); // where the next freed slot would be found
  struct gc_run *run = run_of(GC_KIND_NORMAL, 32);
  uint32_t page = run->page;
  char *unused = run->cursor;
  run->run_limit = gc_heap_page_address(page - 1);
  memset(fixture_cache.used, 0, sizeof fixture_cache.used);
  gc_cache_enter(&fixture_cache);
  gc_cache_give_back(&fixture_cache);
  static const struct gc_cache empty;
  assert_memory_equal(&fixture_cache, &empty, sizeof empty);
  assert_int_equal(*fixture_byte(object), GC_SLOT_NEW);
  assert_int_equal(*fixture_byte(unused), GC_SLOT_NEW);
  assert_int_equal(*fixture_byte(freed), gc_heap.held);
  assert_int_equal(gc_heap.infos[page].flags, 0);
  assert_true(gc_heap.infos[page].listed > 0);
  *fixture_byte(object) = gc_heap.mark;
  gc_sweep_begin_stw(true, 0);
  while (gc_sweep_some(1))
    ;
  assert_int_equal(*fixture_byte(unused), GC_SLOT_FREE);
  assert_int_equal(gc_heap.live_bytes, 32);
}

static int stops;

static void
count_stop(void) {
  stops++;
  fixture_cache.stop_pending = 0;
}

static void
a_stop_that_was_put_off_comes_on_leaving(void **state) {
  (void)state;
  gc_cache_stop_now = count_stop;
  gc_cache_enter(&fixture_cache);
  fixture_cache.stop_pending = 1;
  assert_int_equal(stops, 0);
  gc_cache_leave(&fixture_cache);
  assert_int_equal(stops, 1);
  assert_int_equal(fixture_cache.busy, 0);
}

static void
emptier_pages_come_first_and_nearly_full_ones_before_new_memory(void **state) {
  (void)state;
  fixture_heap(64 * GC_MIB);
  unsigned class = gc_class_of(512);
  uint32_t pages[4];
  for (int i = 0; i < 4; i++) {
    assert_true(gc_cache_take_page(&fixture_cache, GC_KIND_NORMAL, class));
    pages[i] = fixture_cache.runs[GC_KIND_NORMAL][class].page;
  }
  gc_cache_give_back(&fixture_cache);
  for (unsigned i = 0; i < 4; i++) {
    struct gc_page_info *info = &gc_heap.infos[pages[i]];
    gc_page_unlist(pages[i]);
    info->free_slots = (uint16_t)(info->slots * (2 * i + 1) / 8); // in the middle of a quarter
    gc_page_list(pages[i]);
  }
  for (int i = 3; i >= 0; i--) {
    assert_true(gc_cache_take_page(&fixture_cache, GC_KIND_NORMAL, class));
    assert_int_equal(fixture_cache.runs[GC_KIND_NORMAL][class].page, pages[i]);
  }
}

// Of each class: the slot at the cursor, then the first free one of the page.
static void
a_cache_that_is_restarted_uses_the_same_slots_again(void **state) {
  (void)state;
  for (unsigned class = 0; class < GC_CLASSES; class ++) {
    fixture_heap(64 * GC_MIB);
    size_t slot_bytes = gc_classes[class].slot_bytes;
    char *first = fixture_allocate(slot_bytes, GC_KIND_EXACT);
    uint32_t page = gc_heap_slot_at(first).page;
    if (gc_classes[class].slots < 4)
      continue;
    memset(first, 0x77, slot_bytes);
    assert_non_null(fixture_allocate(slot_bytes, GC_KIND_EXACT));
    *fixture_byte(first) = GC_SLOT_FREE; // it has died
    gc_cache_flush_counts(&fixture_cache);
    gc_cache_restart_stw(&fixture_cache);
    gc_cache_restart_stw(&fixture_cache);
    size_t taken = 0, taken_before_first = SIZE_MAX;
    char *slot;
    for (; gc_heap_slot_at(slot = fixture_allocate(slot_bytes, GC_KIND_EXACT)).page == page; taken++) {
      assert_true(is_filled_with(slot, slot_bytes, 0));
      taken_before_first = slot == first ? taken : taken_before_first;
    }
    assert_true(taken_before_first <= 1);
    assert_int_equal(taken, gc_classes[class].slots - 1);
  }
}

static void
expect_idle(uint32_t page, bool idle) {
  gc_cache_flush_counts(&fixture_cache);
  gc_cache_restart_stw(&fixture_cache);
  assert_int_equal((gc_heap.infos[page].flags & GC_PAGE_IDLE) != 0, idle);
  assert_true(gc_heap.infos[page].flags & GC_PAGE_OWNED);
}

static void
a_cache_is_idle_in_a_page_until_it_takes_from_it_again(void **state) {
  (void)state;
  fixture_heap(64 * GC_MIB);
  assert_true(gc_writes_choose(gc_heap.base, 64 * GC_MIB, GC_WRITES_CARDS));
  uint32_t page = gc_heap_slot_at(fixture_allocate(64, GC_KIND_EXACT)).page;
  expect_idle(page, false);
  expect_idle(page, true);
  gc_page_set_add(gc_heap.armed, page);
  expect_idle(page, true);
  assert_true(gc_page_set_has(gc_heap.armed, page));
  for (unsigned i = 0; i < 2; i++) // the slot that it kept, and the first of another run
    assert_int_equal(gc_heap_slot_at(fixture_allocate(64, GC_KIND_EXACT)).page, page);
  expect_idle(page, false);
  assert_false(gc_page_set_has(gc_heap.armed, page));
  expect_idle(page, true);
  assert_true(gc_writes_choose(gc_heap.base, 64 * GC_MIB, GC_WRITES_NONE));
}

static void
a_cache_that_goes_on_is_idle_until_it_has_allocated(void **state) {
  (void)state;
  fixture_heap(64 * GC_MIB);
  assert_true(gc_writes_choose(gc_heap.base, 64 * GC_MIB, GC_WRITES_CARDS));
  uint32_t page = gc_heap_slot_at(fixture_allocate(64, GC_KIND_EXACT)).page;
  expect_idle(page, false);
  expect_idle(page, true);
  gc_page_set_add(gc_heap.armed, page);
  gc_cache_go_on_stw(&fixture_cache);
  assert_true(gc_heap.infos[page].flags & GC_PAGE_IDLE);
  assert_true(gc_page_set_has(gc_heap.armed, page));
  for (unsigned i = 0; i < 2; i++)
    assert_int_equal(gc_heap_slot_at(fixture_allocate(64, GC_KIND_EXACT)).page, page);
  gc_cache_go_on_stw(&fixture_cache);
  assert_int_equal(gc_heap.infos[page].flags, GC_PAGE_OWNED);
  assert_false(gc_page_set_has(gc_heap.armed, page));
  assert_true(gc_writes_choose(gc_heap.base, 64 * GC_MIB, GC_WRITES_NONE));
}

int
main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_cache_that_is_restarted_uses_the_same_slots_again),
      cmocka_unit_test(a_cache_is_idle_in_a_page_until_it_takes_from_it_again),
      cmocka_unit_test(a_cache_that_goes_on_is_idle_until_it_has_allocated),
      cmocka_unit_test(all_holes_of_a_page_are_found_in_order_and_cleared),
      cmocka_unit_test(chains_take_all_holes_of_a_page_in_order),
      cmocka_unit_test(chains_take_freed_slots_and_memory_that_is_clear),
      cmocka_unit_test(clearing_goes_a_window_ahead_of_use),
      cmocka_unit_test(fresh_memory_is_not_cleared_again),
      cmocka_unit_test(a_page_that_was_given_back_is_not_fresh),
      cmocka_unit_test(freed_slots_are_used_again_last_first_and_cleared),
      cmocka_unit_test(no_slot_of_a_page_is_passed_over),
      cmocka_unit_test(unused_slots_of_a_shielded_cache_are_held),
      cmocka_unit_test(a_cache_gives_everything_back),
      cmocka_unit_test(of_a_busy_cache_only_the_pages_are_given_back),
      cmocka_unit_test(a_stop_that_was_put_off_comes_on_leaving),
      cmocka_unit_test(emptier_pages_come_first_and_nearly_full_ones_before_new_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
