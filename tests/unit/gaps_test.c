// Gaps: what is given back of pages in use, when, and that no object loses anything.
#include "fixture.h"

#include <sys/mman.h>

#include "heap/ahead.h"
#include "heap/gaps.h"
#include "os/writes.h"

enum { SLOTS_MAX = 4096 };

static uint32_t
pages_of(uint32_t page) {
  return gc_heap.infos[page].span_pages;
}

// Which of the system's pages of a span have memory.
static size_t
resident(uint32_t page, unsigned char *present) {
  size_t bytes = pages_of(page) * GC_PAGE_BYTES, count = bytes / gc_os_page_bytes(), sum = 0;
  assert_int_equal(mincore(gc_heap_page_address(page), bytes, present), 0);
  for (size_t i = 0; i < count; i++)
    sum += present[i] &= 1;
  return sum;
}

static size_t
resident_pages(uint32_t page) {
  static unsigned char present[SLOTS_MAX];
  return resident(page, present);
}

static size_t
all_pages(uint32_t page) {
  return pages_of(page) * GC_PAGE_BYTES / gc_os_page_bytes();
}

static char *
slot_at(uint32_t page, size_t slot) {
  return gc_heap_page_address(page) + slot * gc_classes[gc_heap.infos[page].class].slot_bytes;
}

// Full pages of a class, each object filled with its number; then what is not `kept` dies.  No cache owns
// them.
static void
make_pages(uint32_t *pages, size_t count, unsigned class, const bool *kept) {
  const size_t slots = gc_classes[class].slots, slot_bytes = gc_classes[class].slot_bytes;
  for (size_t i = 0; i < count; i++) {
    assert_true(gc_cache_take_page(&fixture_cache, GC_KIND_NORMAL, class));
    pages[i] = fixture_cache.runs[GC_KIND_NORMAL][class].page;
    memset(gc_heap_page_address(pages[i]), 0x77, pages_of(pages[i]) * GC_PAGE_BYTES);
  }
  for (size_t i = 0; i < count; i++)
    for (size_t slot = 0; slot < slots; slot++) {
      memset(slot_at(pages[i], slot), (int)slot, slot_bytes);
      gc_heap_slot_bytes(gc_heap.pages[pages[i]].line)[slot] = kept[slot] ? gc_heap.mark : GC_SLOT_NEW;
    }
  gc_cache_give_back(&fixture_cache);
  fixture_sweep(0);
  gc_page_set_clear(gc_heap.young, gc_heap.frontier); // as after another cycle
}

static uint32_t
page_with_gaps(unsigned class, const bool *kept) {
  uint32_t page;
  make_pages(&page, 1, class, kept);
  return page;
}

// As in two cycles, so many ms after each other.
static void
look_for(uint32_t ms) {
  gc_gaps_look();
  gc_heap.now_ms += ms;
  gc_gaps_look();
}

static void
expect_intact(uint32_t page, const bool *kept) {
  size_t slot_bytes = gc_classes[gc_heap.infos[page].class].slot_bytes;
  for (size_t slot = 0; slot < gc_heap.infos[page].slots; slot++)
    for (size_t i = 0; kept[slot] && i < slot_bytes; i++)
      assert_int_equal((unsigned char)slot_at(page, slot)[i], slot & 0xff);
}

// The system's pages that an object that is kept lies in have memory, and no others.
static void
expect_no_gaps(uint32_t page, const bool *kept) {
  static unsigned char wanted[SLOTS_MAX], present[SLOTS_MAX];
  const struct gc_class *class = &gc_classes[gc_heap.infos[page].class];
  memset(wanted, 0, sizeof wanted);
  for (size_t slot = 0; slot < class->slots; slot++)
    for (size_t at = slot * class->slot_bytes; kept[slot] && at < (slot + 1) * class->slot_bytes; at++)
      wanted[at / gc_os_page_bytes()] = 1;
  resident(page, present);
  assert_memory_equal(present, wanted, all_pages(page));
}

static const bool *
keep_one_in(size_t slots, size_t share) {
  static bool kept[SLOTS_MAX];
  memset(kept, 0, sizeof kept);
  for (size_t slot = 0; slot < slots; slot++)
    kept[slot] = random_below(share) == 0;
  kept[random_below(slots)] = true;
  return kept;
}

static void
gaps_of_any_page_are_given_back(void **state) {
  (void)state;
  random_begin("gaps");
  for (unsigned class = 0; class < GC_CLASSES; class ++) {
    size_t slots = gc_classes[class].slots;
    if (slots < 8)
      continue; // hardly ever half empty
    fixture_heap(64 * GC_MIB);
    const bool *kept = keep_one_in(slots, 4 + random_below(2 * slots));
    uint32_t page = page_with_gaps(class, kept);
    size_t before = gc_heap.gaps_bytes;
    if (2 * gc_heap.infos[page].free_slots < slots)
      continue;
    look_for(250);
    expect_no_gaps(page, kept);
    expect_intact(page, kept);
    assert_int_equal(gc_heap.gaps_bytes - before,
                     (all_pages(page) - resident_pages(page)) * gc_os_page_bytes());
  }
}

// One object in each page of 64 bytes each: all but one of the system's pages are gaps.
static void
make_pages_with_one(uint32_t *pages, size_t count) {
  static bool kept[SLOTS_MAX];
  kept[700] = true;
  make_pages(pages, count, gc_class_of(64), kept);
}

static uint32_t
page_with_one(void) {
  uint32_t page;
  make_pages_with_one(&page, 1);
  return page;
}

static void
a_page_rests_for_a_quarter_of_the_time_before(void **state) {
  (void)state;
  fixture_heap(64 * GC_MIB);
  uint32_t page = page_with_one();
  look_for(249);
  assert_int_equal(resident_pages(page), all_pages(page));
  look_for(1);
  assert_int_equal(resident_pages(page), 1);
  slot_at(page, 0)[0] = 1; // it is not looked at again
  look_for(500);
  assert_int_equal(resident_pages(page), 2);
}

static void
a_page_that_is_young_or_hardly_empty_does_not_rest(void **state) {
  (void)state;
  fixture_heap(64 * GC_MIB);
  static bool kept[SLOTS_MAX];
  for (size_t slot = 0; slot < 800; slot++)
    kept[slot] = true;
  uint32_t full = page_with_gaps(gc_class_of(48), kept), young = page_with_one();
  gc_page_set_add(gc_heap.young, young);
  look_for(1000);
  assert_int_equal(resident_pages(full), all_pages(full));
  assert_int_equal(resident_pages(young), all_pages(young));
}

// Links in its first word what a thread has freed, and will take again.
static void
a_freed_slot_keeps_its_page(void **state) {
  (void)state;
  fixture_heap(64 * GC_MIB);
  uint32_t page = page_with_one();
  gc_heap_slot_bytes(gc_heap.pages[page].line)[130] = gc_heap.held;
  look_for(250);
  assert_int_equal(resident_pages(page), 2);
  assert_int_equal((unsigned char)slot_at(page, 130)[0], 130);
}

static void
a_page_that_is_used_again_rests_anew(void **state) {
  (void)state;
  fixture_heap(64 * GC_MIB);
  uint32_t page = page_with_one();
  look_for(250);
  for (size_t slot = 0; slot < gc_classes[gc_class_of(64)].slots - 1u; slot++) {
    char *object = fixture_allocate(64, GC_KIND_NORMAL);
    assert_int_equal(gc_heap_slot_at(object).page, page);
    for (unsigned i = 0; i < 64; i++)
      assert_int_equal(object[i], 0);
    memset(object, 1, 64);
  }
  assert_int_equal(gc_heap.infos[page].flags, GC_PAGE_OWNED);
  assert_int_equal(resident_pages(page), all_pages(page));
}

static void
a_page_is_emptied_again_when_more_of_it_has_died(void **state) {
  (void)state;
  fixture_heap(64 * GC_MIB);
  static bool kept[SLOTS_MAX];
  kept[0] = kept[300] = kept[500] = kept[1000] = true;
  uint32_t page = page_with_gaps(gc_class_of(64), kept);
  uint8_t *bytes = gc_heap_slot_bytes(gc_heap.pages[page].line);
  look_for(250);
  assert_int_equal(resident_pages(page), 4);
  fixture_flip();
  bytes[0] = bytes[300] = bytes[500] = gc_heap.mark;
  fixture_sweep(0);
  look_for(249);
  assert_int_equal(resident_pages(page), 4);
  look_for(1);
  assert_int_equal(resident_pages(page), 3);
}

// The slot that the thread may have in a register stays, and so does what else lives there.
static void
a_page_that_a_cache_idles_in_is_emptied_in_a_pause(void **state) {
  (void)state;
  fixture_heap(64 * GC_MIB);
  unsigned class = gc_class_of(64);
  static char *objects[SLOTS_MAX];
  size_t slots = gc_classes[class].slots;
  for (size_t i = 0; i < slots - 10; i++)
    memset(objects[i] = fixture_allocate(64, GC_KIND_EXACT), (int)i, 64);
  uint32_t page = gc_heap_slot_at(objects[0]).page;
  for (size_t i = 0; i < slots - 10; i++)
    if (i != 5 && i != 200)
      *fixture_byte(objects[i]) = GC_SLOT_FREE;
  gc_cache_flush_counts(&fixture_cache);
  assert_int_equal(*fixture_byte(objects[5]), GC_SLOT_NEW);
  size_t before = resident_pages(page), after[6];
  for (unsigned i = 0; i < 6; i++) {
    gc_gaps_begin_stw();
    gc_cache_restart_stw(&fixture_cache);
    after[i] = resident_pages(page);
    gc_heap.now_ms += 125;
  }
  assert_int_equal(after[3], before); // idle from the second on, resting from the third on
  assert_int_equal(after[4], 3);
  assert_int_equal(after[5], 3);
  for (unsigned i = 0; i < 64; i++) {
    assert_int_equal(objects[5][i], 5);
    assert_int_equal((unsigned char)objects[200][i], 200);
  }
  char *kept = fixture_allocate(64, GC_KIND_EXACT);
  assert_int_equal(gc_heap_slot_at(kept).page, page);
  assert_ptr_equal(fixture_allocate(64, GC_KIND_EXACT), objects[0]);
  gc_gaps_begin_stw();
  gc_cache_restart_stw(&fixture_cache);
  assert_int_equal(gc_heap.infos[page].flags, GC_PAGE_OWNED);
}

static void
only_so_many_calls_are_made_at_once(void **state) {
  (void)state;
  enum { MANY = 100, AT_ONCE = 32, IN_PAUSE = 16, CLASSES = 30 };
  fixture_heap(64 * GC_MIB);
  if (gc_os_page_bytes() != 4096)
    skip();
  uint32_t pages[MANY];
  make_pages_with_one(pages, MANY); // two gaps in each
  gc_gaps_look();
  gc_heap.now_ms += 250;
  for (size_t cycle = 1; cycle <= 5; cycle++) {
    gc_gaps_look();
    assert_int_equal(gc_heap.gaps_bytes, gc_min(cycle * AT_ONCE, MANY) * 15 * 4096);
  }
  fixture_heap(64 * GC_MIB);
  for (unsigned class = 0; class < CLASSES; class ++) // one gap in each
    memset(fixture_allocate(gc_classes[class].slot_bytes, GC_KIND_EXACT), 1, 16);
  gc_cache_flush_counts(&fixture_cache);
  for (unsigned i = 0; i < 7; i++) {
    gc_gaps_begin_stw();
    gc_cache_restart_stw(&fixture_cache);
    gc_heap.now_ms += 125;
    unsigned emptied = 0;
    for (uint32_t page = 1; page < gc_heap.frontier; page += pages_of(page))
      emptied += (gc_heap.infos[page].flags & GC_PAGE_EMPTIED) != 0;
    assert_int_equal(emptied, i < 4 ? 0 : gc_min((i - 3) * IN_PAUSE, CLASSES));
  }
}

static void
none_are_given_back_where_memory_is_kept_or_huge(void **state) {
  (void)state;
  fixture_heap(64 * GC_MIB);
  uint32_t page = page_with_one();
  gc_tunables.unmap_threshold = 0;
  look_for(1000);
  gc_tunables.unmap_threshold = 6;
  for (enum gc_huge_state huge = GC_HUGE_ON_TRIAL; huge <= GC_HUGE_QUICK; huge++) {
    gc_heap.huge_state = (uint8_t)huge;
    look_for(1000);
  }
  assert_int_equal(resident_pages(page), all_pages(page));
}

static void
all_are_given_back_when_the_program_asks(void **state) {
  (void)state;
  fixture_heap(64 * GC_MIB);
  uint32_t pages[2], from = 1;
  make_pages_with_one(pages, 2);
  const char *object = fixture_allocate(4096, GC_KIND_NORMAL);
  uint32_t owned = gc_heap_slot_at(object).page;
  memset(gc_heap_page_address(owned), 1, GC_PAGE_BYTES);
  memset(gc_heap_slot_bytes(gc_heap.pages[owned].line), GC_SLOT_FREE, gc_heap.infos[owned].slots);
  while (gc_gaps_release_some(&from, 1))
    ;
  assert_int_equal(resident_pages(pages[0]), 1);
  assert_int_equal(resident_pages(pages[1]), 1);
  assert_int_equal(resident_pages(owned), all_pages(owned));
  size_t before = gc_heap.gaps_bytes;
  from = 1;
  while (gc_gaps_release_some(&from, 64))
    ;
  assert_int_equal(gc_heap.gaps_bytes, before);
}

// Where they are asked about, that is: the kernel finds what was never touched, and what was released.
static void
what_was_given_back_is_found_by_no_harvest(void **state) {
  (void)state;
  fixture_heap(64 * GC_MIB);
  if (!gc_writes_choose(gc_heap.base, 64 * GC_MIB, GC_WRITES_USERFAULT))
    skip();
  uint32_t page = page_with_one();
  char *base = gc_heap_page_address(page);
  struct gc_range range = {base, base + GC_PAGE_BYTES};
  struct gc_range_array found = {0};
  assert_true(gc_writes_arm(range));
  gc_page_set_add(gc_heap.armed, page);
  look_for(250);
  assert_int_equal(resident_pages(page), 1);
  assert_true(gc_writes_find(range, &found));
  assert_int_equal(found.count, 0);
  base[5 * 4096] = 1;
  assert_true(gc_writes_find(range, &found));
  assert_int_equal(found.count, 1);
  assert_ptr_equal(found.items[0].base, base + 5 * 4096);
  gc_page_set_remove(gc_heap.armed, page);
  assert_true(gc_writes_choose(gc_heap.base, 64 * GC_MIB, GC_WRITES_NONE));
}

int
main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(gaps_of_any_page_are_given_back),
      cmocka_unit_test(a_page_rests_for_a_quarter_of_the_time_before),
      cmocka_unit_test(a_page_that_is_young_or_hardly_empty_does_not_rest),
      cmocka_unit_test(a_freed_slot_keeps_its_page),
      cmocka_unit_test(a_page_that_is_used_again_rests_anew),
      cmocka_unit_test(a_page_is_emptied_again_when_more_of_it_has_died),
      cmocka_unit_test(a_page_that_a_cache_idles_in_is_emptied_in_a_pause),
      cmocka_unit_test(only_so_many_calls_are_made_at_once),
      cmocka_unit_test(none_are_given_back_where_memory_is_kept_or_huge),
      cmocka_unit_test(all_are_given_back_when_the_program_asks),
      cmocka_unit_test(what_was_given_back_is_found_by_no_harvest),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
