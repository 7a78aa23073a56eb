// The reservation, the way from an address to its slot, and the chunks of slot bytes.
#include <sys/resource.h>

#include "fixture.h"

// ---- Reservation ---------------------------------------------------------------------------------------

static void
a_small_reservation_is_what_was_asked_for(void **state) {
  (void)state;
  static const size_t sizes[] = {GC_MIB, GC_MIB + 1, 3 * GC_MIB, 64 * GC_MIB, 5 * GC_GIB};
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    fixture_heap(sizes[i]);
    assert_int_equal(gc_heap.reserved_pages, gc_divide_up(sizes[i], GC_PAGE_BYTES));
    assert_int_equal((uintptr_t)gc_heap.base % GC_PAGE_BYTES, 0);
    assert_int_equal(gc_heap.frontier, 1);
    assert_int_equal(gc_heap_resident_bytes(), 0);
  }
}

static void
the_least_heap_gives_all_its_pages(void **state) {
  (void)state;
  fixture_heap(GC_MIB);
  unsigned pages = 0;
  bool clean;
  for (uint32_t page; (page = gc_span_allocate(1, GC_KIND_NORMAL, &clean)) != 0; pages++)
    gc_heap.pages[page].state = GC_PAGE_LARGE;
  assert_int_equal(pages, GC_MIB / GC_PAGE_BYTES - 1); // page 0 stands for "none"
}

static void
without_a_wish_it_is_four_times_memory_and_at_least_256_gib(void **state) {
  (void)state;
  fixture_heap(0);
  assert_int_equal(gc_heap.reserved_pages << GC_PAGE_SHIFT, 256 * GC_GIB);
  gc_os_unreserve(gc_heap.base, gc_heap.reserved_pages << GC_PAGE_SHIFT);
  memset(&gc_heap, 0, sizeof gc_heap);
  assert_true(gc_heap_init(0, 100 * GC_GIB));
  assert_int_equal(gc_heap.reserved_pages << GC_PAGE_SHIFT, 512 * GC_GIB);
}

static void
each_refusal_takes_an_eighth_of_the_reservation(void **state) {
  (void)state;
  for (size_t nth = 1; nth <= 5; nth++) { // the heap, its pages, their infos, the slot bytes, the cells
    gc_os_stress_fail(nth);
    fixture_heap(64 * GC_MIB);
    gc_os_stress_fail(0);
    assert_int_equal(gc_heap.reserved_pages << GC_PAGE_SHIFT, 56 * GC_MIB);
    assert_non_null(fixture_allocate(1000, GC_KIND_NORMAL));
  }
}

static size_t
address_space_bytes(void) {
  unsigned long pages;
  FILE *file = fopen("/proc/self/statm", "r");
  assert_non_null(file);
  assert_int_equal(fscanf(file, "%lu", &pages), 1);
  fclose(file);
  return pages * gc_os_page_bytes();
}

static void
a_limit_on_address_space_leaves_a_smaller_heap(void **state) {
  (void)state;
  fixture_heap(GC_MIB);
  struct rlimit old, small;
  assert_int_equal(getrlimit(RLIMIT_AS, &old), 0);
  small = old;
  small.rlim_cur = address_space_bytes() + 200 * GC_MIB;
  assert_int_equal(setrlimit(RLIMIT_AS, &small), 0);
  fixture_heap(0);
  size_t bytes = gc_heap.reserved_pages << GC_PAGE_SHIFT;
  char *object = fixture_allocate(1000, GC_KIND_NORMAL);
  assert_int_equal(setrlimit(RLIMIT_AS, &old), 0);
  assert_in_range(bytes, 32 * GC_MIB, 200 * GC_MIB);
  assert_non_null(object);
}

static void
when_even_the_least_is_refused_nothing_stays(void **state) {
  (void)state;
  fixture_heap(GC_MIB);
  gc_os_unreserve(gc_heap.base, gc_heap.reserved_pages << GC_PAGE_SHIFT);
  memset(&gc_heap, 0, sizeof gc_heap);
  gc_os_stress_fail(1);
  assert_false(gc_heap_init(GC_MIB, GC_GIB));
  gc_os_stress_fail(0);
  assert_null(gc_heap.base);
}

static void
refused_memory_for_the_first_pages_is_a_failure_too(void **state) {
  (void)state;
  fixture_heap(GC_MIB);
  gc_os_unreserve(gc_heap.base, gc_heap.reserved_pages << GC_PAGE_SHIFT);
  memset(&gc_heap, 0, sizeof gc_heap);
  struct rlimit old, small;
  assert_int_equal(getrlimit(RLIMIT_DATA, &old), 0);
  small = old;
  small.rlim_cur = gc_os_page_bytes();
  assert_int_equal(setrlimit(RLIMIT_DATA, &small), 0);
  bool initialized = gc_heap_init(GC_MIB, GC_GIB);
  assert_int_equal(setrlimit(RLIMIT_DATA, &old), 0);
  assert_false(initialized);
  assert_null(gc_heap.base);
}

// ---- From an address to its slot -----------------------------------------------------------------------

// Every granule of the span that `first` lies in, inside a granule as well as at its start.
static void
check_span(const char *first, unsigned kind, size_t slot_bytes, size_t slots, size_t span_pages) {
  const char *base = gc_heap_page_address(gc_heap_slot_at(first).page);
  for (size_t offset = 0; offset < span_pages * GC_PAGE_BYTES; offset += offset % 16 ? 9 : 7) {
    struct gc_ref ref = gc_heap_slot_at(base + offset);
    if (offset / slot_bytes >= slots) {
      assert_null(ref.start);
      continue;
    }
    assert_ptr_equal(ref.start, base + offset / slot_bytes * slot_bytes);
    assert_int_equal(ref.bytes, slot_bytes);
    assert_int_equal(ref.kind, kind);
    assert_ptr_equal(ref.byte, gc_heap_slot_bytes(gc_heap.pages[ref.page].line) + offset / slot_bytes);
  }
}

static void
every_granule_of_a_span_finds_its_slot(void **state) {
  (void)state;
  fixture_heap(256 * GC_MIB);
  for (unsigned class = 0; class < GC_CLASSES; class ++) {
    unsigned kind = class % GC_KINDS;
    const struct gc_class *c = &gc_classes[class];
    char *object = fixture_allocate(c->slot_bytes, kind);
    check_span(object, kind, c->slot_bytes, c->slots, c->span_pages);
  }
}

static void
every_granule_of_a_large_object_finds_its_start(void **state) {
  (void)state;
  fixture_heap(256 * GC_MIB);
  static const size_t sizes[] = {GC_CLASS_BYTES_MAX + 1, 3 * GC_PAGE_BYTES, 5 * GC_PAGE_BYTES - 16};
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    char *object = fixture_allocate(sizes[i], GC_KIND_ATOMIC);
    size_t bytes = gc_round_up(sizes[i], GC_GRANULE_BYTES);
    for (size_t offset = 0; offset < bytes; offset += GC_GRANULE_BYTES) {
      struct gc_ref ref = gc_heap_slot_at(object + offset);
      assert_ptr_equal(ref.start, object);
      assert_int_equal(ref.bytes, bytes);
      assert_int_equal(ref.kind, GC_KIND_ATOMIC);
    }
    assert_int_equal(*fixture_byte(object), GC_SLOT_NEW);
  }
}

static void
free_pages_and_all_outside_hold_nothing(void **state) {
  (void)state;
  fixture_heap(GC_MIB * 16);
  int local;
  char *object = fixture_allocate(10 * GC_PAGE_BYTES, GC_KIND_NORMAL);
  assert_non_null(fixture_allocate(GC_CLASS_BYTES_MAX + 1, GC_KIND_NORMAL));
  gc_large_free(gc_heap_slot_at(object).page);
  for (size_t offset = 0; offset < 11 * GC_PAGE_BYTES; offset += GC_GRANULE_BYTES)
    assert_null(gc_heap_slot_at(object + offset).start);
  const void *outside[] = {NULL,
                           &local,
                           (void *)UINTPTR_MAX,
                           gc_heap.base - 1,
                           gc_heap.base,
                           gc_heap.base + GC_PAGE_BYTES - 1,
                           gc_heap_page_address(gc_heap.frontier),
                           gc_heap_page_address(gc_heap.reserved_pages) - 1,
                           gc_heap_page_address(gc_heap.reserved_pages)};
  for (size_t i = 0; i < sizeof outside / sizeof outside[0]; i++)
    assert_null(gc_heap_slot_at(outside[i]).start);
}

static void
only_objects_resolve(void **state) {
  (void)state;
  fixture_heap(GC_MIB * 16);
  char *object = fixture_allocate(48, GC_KIND_NORMAL);
  static const struct {
    uint8_t byte;
    bool object;
  } cases[] = {{GC_SLOT_FREE, false},  {GC_SLOT_NEW, true},     {GC_SLOT_MARK_A, true},
               {GC_SLOT_MARK_B, true}, {GC_SLOT_HELD_A, false}, {GC_SLOT_HELD_B, false}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    *fixture_byte(object) = cases[i].byte;
    assert_ptr_equal(gc_heap_resolve(object + 5).start, cases[i].object ? object : NULL);
  }
}

// ---- Chunks of slot bytes ------------------------------------------------------------------------------

enum { CHUNKS_MAX = 400, CHUNK_STEPS = 40000, LINES_MODEL = 1 << 16 };

static struct {
  uint32_t line;
  size_t slots, lines;
} chunks[CHUNKS_MAX];
static size_t chunk_count;
static uint8_t line_taken[LINES_MODEL];

static void
take_chunk(void) {
  size_t slots = 1 + random_below((size_t)64 << random_below(GC_LINE_SIZES));
  uint32_t line = gc_line_allocate(slots);
  size_t lines = gc_divide_up(slots, GC_LINE_SLOTS);
  assert_int_not_equal(line, 0);
  assert_true(line + lines <= gc_heap.lines_frontier && gc_heap.lines_frontier <= gc_heap.lines_committed);
  for (size_t i = 0; i < lines; i++) {
    assert_false(line_taken[line + i]);
    line_taken[line + i] = 1;
  }
  uint8_t *bytes = gc_heap_slot_bytes(line);
  for (size_t i = 0; i < lines * GC_LINE_SLOTS; i++)
    assert_int_equal(bytes[i], GC_SLOT_FREE);
  memset(bytes, GC_SLOT_MARK_B, lines * GC_LINE_SLOTS);
  chunks[chunk_count].line = line, chunks[chunk_count].slots = slots, chunks[chunk_count++].lines = lines;
}

static void
give_chunk_back(size_t index) {
  gc_line_free(chunks[index].line, chunks[index].slots);
  memset(line_taken + chunks[index].line, 0, chunks[index].lines);
  chunks[index] = chunks[--chunk_count];
}

static void
chunks_of_slot_bytes_never_overlap(void **state) {
  (void)state;
  fixture_heap(64 * GC_MIB);
  random_begin("slot bytes");
  memset(line_taken, 0, sizeof line_taken);
  line_taken[0] = 1;
  chunk_count = 0;
  for (int step = 0; step < CHUNK_STEPS; step++) {
    if (chunk_count < CHUNKS_MAX && (chunk_count == 0 || random_below(2)))
      take_chunk();
    else
      give_chunk_back(random_below(chunk_count));
  }
  for (size_t i = 0; i < chunk_count; i++)
    for (size_t byte = 0; byte < chunks[i].lines * GC_LINE_SLOTS; byte++)
      assert_int_equal(gc_heap_slot_bytes(chunks[i].line)[byte], GC_SLOT_MARK_B);
}

static void
freed_chunks_are_used_before_new_ones(void **state) {
  (void)state;
  fixture_heap(64 * GC_MIB);
  uint32_t long_chunk = gc_line_allocate(4096);
  gc_line_free(long_chunk, 4096);
  uint32_t frontier = gc_heap.lines_frontier;
  for (int i = 0; i < 64; i++)
    assert_in_range(gc_line_allocate(64), long_chunk, long_chunk + 63);
  assert_int_equal(gc_heap.lines_frontier, frontier);
  assert_in_range(gc_line_allocate(64), frontier, frontier);
}

int
main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_small_reservation_is_what_was_asked_for),
      cmocka_unit_test(the_least_heap_gives_all_its_pages),
      cmocka_unit_test(without_a_wish_it_is_four_times_memory_and_at_least_256_gib),
      cmocka_unit_test(each_refusal_takes_an_eighth_of_the_reservation),
      cmocka_unit_test(a_limit_on_address_space_leaves_a_smaller_heap),
      cmocka_unit_test(when_even_the_least_is_refused_nothing_stays),
      cmocka_unit_test(refused_memory_for_the_first_pages_is_a_failure_too),
      cmocka_unit_test(every_granule_of_a_span_finds_its_slot),
      cmocka_unit_test(every_granule_of_a_large_object_finds_its_start),
      cmocka_unit_test(free_pages_and_all_outside_hold_nothing),
      cmocka_unit_test(only_objects_resolve),
      cmocka_unit_test(chunks_of_slot_bytes_never_overlap),
      cmocka_unit_test(freed_chunks_are_used_before_new_ones),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
