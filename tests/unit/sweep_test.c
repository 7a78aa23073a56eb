// The sweep against a slow model: the same bytes, looked at one by one.
#include "heap/sweep.h"

#include "fixture.h"

enum { SPANS = 60 };

// Copies of the slot bytes before the sweep, one per span.
static struct {
  uint32_t page;
  uint32_t span_pages;
  unsigned kind, class;
  uint32_t line;
  uint8_t bytes[4096];
  bool owned;
} spans[SPANS];

static const struct gc_page_info *
info_of(size_t i) {
  return &gc_heap.infos[spans[i].page];
}

// A span of a random class with random slot bytes; sometimes none, sometimes all of them bear the mark.
static void
make_span(size_t i) {
  unsigned kind = random_below(GC_KINDS), class = random_below(GC_CLASSES);
  size_t density = random_below(6);
  assert_true(gc_cache_take_page(&fixture_cache, kind, class));
  spans[i].page = fixture_cache.runs[kind][class].page;
  spans[i].kind = kind, spans[i].class = class;
  spans[i].span_pages = gc_classes[class].span_pages;
  spans[i].line = gc_heap.pages[spans[i].page].line;
  uint8_t *bytes = gc_heap_slot_bytes(spans[i].line);
  for (size_t slot = 0; slot < gc_classes[class].slots; slot++)
    bytes[slot] = density == 0   ? (uint8_t)(random_below(2) * GC_SLOT_HELD_B)
                  : density == 1 ? gc_heap.mark
                                 : (uint8_t)random_below(GC_SLOT_HELD_B + 1);
  memcpy(spans[i].bytes, bytes, gc_classes[class].slots);
}

static void
make_spans(void) {
  fixture_heap(256 * GC_MIB);
  if (random_below(2))
    fixture_flip();
  for (size_t i = 0; i < SPANS; i++)
    make_span(i);
  for (size_t i = 0; i < SPANS; i++)
    spans[i].owned = info_of(i)->flags & GC_PAGE_OWNED;
}

static size_t
marked_in(size_t i) {
  size_t marked = 0;
  for (size_t slot = 0; slot < gc_classes[spans[i].class].slots; slot++)
    marked += spans[i].bytes[slot] == gc_heap.mark;
  return marked;
}

static unsigned
times_listed(size_t i, unsigned emptiness) {
  unsigned times = 0;
  uint32_t at = gc_heap.lists[spans[i].kind][spans[i].class][emptiness];
  for (; at; at = gc_heap.infos[at].next)
    times += at == spans[i].page;
  return times;
}

// Quarters of free slots: 3 the emptiest.  -1: in none.
static int
expected_list(size_t i) {
  unsigned slots = gc_classes[spans[i].class].slots, left = slots - (unsigned)marked_in(i);
  return spans[i].owned || left == 0 ? -1 : (int)(left * GC_EMPTINESS / (slots + 1));
}

static bool
is_kept(uint8_t byte) {
  return byte == gc_heap.mark || byte == gc_heap.held;
}

static void
check_survivors(size_t i) {
  const uint8_t *bytes = gc_heap_slot_bytes(spans[i].line);
  size_t slots = gc_classes[spans[i].class].slots;
  for (size_t slot = 0; slot < slots; slot++)
    assert_int_equal(bytes[slot], is_kept(spans[i].bytes[slot]) ? spans[i].bytes[slot] : GC_SLOT_FREE);
  assert_int_equal(info_of(i)->free_slots, slots - marked_in(i));
  for (unsigned emptiness = 0; emptiness < GC_EMPTINESS; emptiness++)
    assert_int_equal(times_listed(i, emptiness), (int)emptiness == expected_list(i));
}

static void
check_freed(size_t i) {
  for (uint32_t page = 0; page < spans[i].span_pages; page++) {
    assert_int_equal(gc_heap.pages[spans[i].page + page].state, GC_PAGE_FREE_DIRTY);
    assert_int_equal(gc_heap.pages[spans[i].page + page].line, 0);
  }
  assert_null(gc_heap_slot_at(gc_heap_page_address(spans[i].page)).start);
}

static void
random_bytes_are_swept_as_in_the_model(void **state) {
  (void)state;
  random_begin("sweep");
  for (int round = 0; round < 40; round++) {
    make_spans();
    size_t live_bytes = 0, freed_pages = 0;
    for (size_t i = 0; i < SPANS; i++) {
      live_bytes += marked_in(i) * gc_classes[spans[i].class].slot_bytes;
      freed_pages += !spans[i].owned && marked_in(i) == 0 ? spans[i].span_pages : 0;
    }
    fixture_sweep(0);
    for (size_t i = 0; i < SPANS; i++)
      if (spans[i].owned || marked_in(i) > 0)
        check_survivors(i);
      else
        check_freed(i);
    assert_int_equal(gc_heap.live_bytes, live_bytes);
    assert_int_equal(gc_heap.dirty_pages, freed_pages);
  }
}

static void
large_objects_stay_if_marked(void **state) {
  (void)state;
  fixture_heap(256 * GC_MIB);
  char *kept = fixture_allocate(200000, GC_KIND_NORMAL), *dropped = fixture_allocate(300000, GC_KIND_NORMAL);
  char *old = fixture_allocate(400000, GC_KIND_NORMAL);
  *fixture_byte(old) = gc_heap.mark;
  fixture_flip();
  *fixture_byte(kept) = gc_heap.mark;
  fixture_sweep(0);
  assert_ptr_equal(gc_heap_resolve(kept + 100000).start, kept);
  assert_null(gc_heap_resolve(dropped).start);
  assert_null(gc_heap_resolve(old).start);
  assert_in_range(gc_heap.live_bytes, 200000, 200000 + GC_PAGE_BYTES);
}

static void
shielded_slots_are_kept_and_do_not_count(void **state) {
  (void)state;
  fixture_heap(256 * GC_MIB);
  char *kept = fixture_allocate(64, GC_KIND_NORMAL), *dropped = fixture_allocate(64, GC_KIND_NORMAL);
  fixture_flip();
  size_t shielded_bytes = gc_cache_shield_stw(&fixture_cache);
  *fixture_byte(kept) = gc_heap.mark;
  fixture_sweep(shielded_bytes);
  gc_cache_unshield_stw(&fixture_cache);
  assert_int_equal(gc_heap.live_bytes, 64);
  assert_int_equal(gc_heap.allocated_bytes, 0);
  assert_int_equal(*fixture_byte(dropped), GC_SLOT_FREE);
  assert_ptr_equal(fixture_allocate(64, GC_KIND_NORMAL), dropped + 64);
}

static void
slot_bytes_of_freed_spans_are_used_again(void **state) {
  (void)state;
  uint32_t frontier = 0;
  fixture_heap(64 * GC_MIB);
  for (int round = 0; round < 10; round++) {
    for (int i = 0; i < 10; i++)
      assert_true(gc_cache_take_page(&fixture_cache, GC_KIND_NORMAL, 0));
    gc_cache_give_back(&fixture_cache);
    assert_non_null(fixture_allocate(200000, GC_KIND_NORMAL));
    fixture_sweep(0);
    assert_true(round == 0 || gc_heap.lines_frontier == frontier);
    frontier = gc_heap.lines_frontier;
  }
}

static void
marking_that_was_called_off_leaves_no_trace(void **state) {
  (void)state;
  random_begin("undo");
  make_spans();
  char *large = fixture_allocate(200000, GC_KIND_NORMAL);
  uint8_t previous_mark = gc_heap.mark;
  fixture_flip();
  *fixture_byte(large) = gc_heap.mark;
  gc_sweep_undo_marks_stw(gc_heap.mark, previous_mark);
  assert_int_equal(*fixture_byte(large), previous_mark);
  for (size_t i = 0; i < SPANS; i++)
    for (size_t slot = 0; slot < gc_classes[spans[i].class].slots; slot++) {
      uint8_t before = spans[i].bytes[slot];
      assert_int_equal(gc_heap_slot_bytes(spans[i].line)[slot],
                       before == gc_heap.mark ? previous_mark : before);
    }
}

int
main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(random_bytes_are_swept_as_in_the_model),
      cmocka_unit_test(large_objects_stay_if_marked),
      cmocka_unit_test(shielded_slots_are_kept_and_do_not_count),
      cmocka_unit_test(slot_bytes_of_freed_spans_are_used_again),
      cmocka_unit_test(marking_that_was_called_off_leaves_no_trace),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
