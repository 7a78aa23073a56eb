// Memory from the system: the stress counter, reserve and commit, remap, arrays of ranges.
#include <unistd.h>

#include "fixture.h"

static void
the_nth_call_fails_and_no_other(void **state) {
  (void)state;
  for (size_t nth = 1; nth <= 4; nth++) {
    gc_os_stress_fail(nth);
    for (size_t call = 1; call <= 6; call++) {
      void *base = gc_os_map(1);
      assert_int_equal(base == NULL, call == nth);
      if (base)
        gc_os_unmap(base, 1);
    }
  }
}

static void
zero_turns_the_stress_off(void **state) {
  (void)state;
  gc_os_stress_fail(1);
  gc_os_stress_fail(0);
  void *base = gc_os_map(1);
  assert_non_null(base);
  gc_os_unmap(base, 1);
}

// What can fail for want of memory counts; what gives memory back does not.
static void
every_request_counts(void **state) {
  (void)state;
  char *base = gc_os_reserve(GC_MIB, GC_MIB), *mapped = gc_os_map(1);
  gc_os_stress_fail(1);
  assert_false(gc_os_commit(base, GC_PAGE_BYTES));
  gc_os_stress_fail(1);
  assert_null(gc_os_reserve(GC_MIB, GC_MIB));
  gc_os_stress_fail(1);
  assert_null(gc_os_remap(mapped, 1, GC_MIB));
  gc_os_stress_fail(1);
  assert_true(gc_os_release(mapped, gc_os_page_bytes()));
  assert_null(gc_os_map(1));
  gc_os_unmap(mapped, 1);
  gc_os_unreserve(base, GC_MIB);
}

static void
reservations_are_aligned(void **state) {
  (void)state;
  for (size_t alignment = gc_os_page_bytes(); alignment <= 64 * GC_MIB; alignment *= 2) {
    void *base = gc_os_reserve(3 * gc_os_page_bytes(), alignment);
    assert_non_null(base);
    assert_int_equal((uintptr_t)base % alignment, 0);
    gc_os_unreserve(base, 3 * gc_os_page_bytes());
  }
  assert_null(gc_os_reserve(SIZE_MAX & ~(GC_PAGE_BYTES - 1), GC_MIB));
}

// A page that the process may not touch cannot be written from: the system call tells, without a signal.
static bool
is_readable(const char *address) {
  int ends[2];
  assert_int_equal(pipe(ends), 0);
  bool readable = write(ends[1], address, 1) == 1;
  close(ends[0]), close(ends[1]);
  return readable;
}

static void
only_what_is_committed_can_be_touched(void **state) {
  (void)state;
  size_t page = gc_os_page_bytes();
  char *base = gc_os_reserve(4 * page, page);
  assert_false(is_readable(base));
  assert_true(gc_os_commit(base, 2 * page));
  assert_true(is_readable(base + 2 * page - 1));
  assert_false(is_readable(base + 2 * page));
  base[page] = 'x';
  assert_true(gc_os_release(base, 2 * page));
  assert_int_equal(base[page], 0);
  gc_os_unreserve(base, 4 * page);
}

static void
remapped_memory_keeps_its_contents(void **state) {
  (void)state;
  size_t page = gc_os_page_bytes(), before = gc_os_obtained_bytes();
  unsigned *words = gc_os_map(page);
  for (size_t i = 0; i < page / sizeof *words; i++)
    words[i] = (unsigned)i;
  words = gc_os_remap(words, page, 100 * page);
  assert_non_null(words);
  assert_int_equal(gc_os_obtained_bytes() - before, 100 * page);
  for (size_t i = 0; i < page / sizeof *words; i++)
    assert_int_equal(words[i], i);
  assert_int_equal(words[100 * page / sizeof *words - 1], 0);
  words = gc_os_remap(words, 100 * page, page);
  assert_int_equal(gc_os_obtained_bytes() - before, page);
  gc_os_unmap(words, page);
  assert_int_equal(gc_os_obtained_bytes(), before);
}

static struct gc_range
range_of(size_t i) {
  return (struct gc_range){(const char *)(i * 16), (const char *)(i * 16 + 8)};
}

static void
range_arrays_grow(void **state) {
  (void)state;
  struct gc_range_array array = {0};
  for (size_t i = 0; i < 10000; i++)
    assert_true(gc_range_array_push(&array, range_of(i)));
  assert_int_equal(array.count, 10000);
  for (size_t i = 0; i < 10000; i++) {
    assert_ptr_equal(array.items[i].base, range_of(i).base);
    assert_int_equal(gc_range_bytes(array.items[i]), 8);
  }
  size_t capacity = array.capacity;
  gc_range_array_clear(&array);
  assert_int_equal(array.count, 0);
  assert_int_equal(array.capacity, capacity);
  gc_os_unmap(array.items, capacity * sizeof *array.items);
}

static void
a_range_array_stays_as_it_was_when_memory_is_refused(void **state) {
  (void)state;
  struct gc_range_array array = {0};
  gc_os_stress_fail(1);
  assert_false(gc_range_array_push(&array, range_of(0)));
  assert_int_equal(array.count, 0);
  assert_true(gc_range_array_push(&array, range_of(0)));
  while (array.count < array.capacity)
    assert_true(gc_range_array_push(&array, range_of(array.count)));
  size_t full = array.count;
  gc_os_stress_fail(1);
  assert_false(gc_range_array_push(&array, range_of(full)));
  assert_int_equal(array.count, full);
  assert_ptr_equal(array.items[full - 1].base, range_of(full - 1).base);
  assert_true(gc_range_array_push(&array, range_of(full)));
  gc_os_unmap(array.items, array.capacity * sizeof *array.items);
}

int
main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_nth_call_fails_and_no_other),
      cmocka_unit_test(zero_turns_the_stress_off),
      cmocka_unit_test(every_request_counts),
      cmocka_unit_test(reservations_are_aligned),
      cmocka_unit_test(only_what_is_committed_can_be_touched),
      cmocka_unit_test(remapped_memory_keeps_its_contents),
      cmocka_unit_test(range_arrays_grow),
      cmocka_unit_test(a_range_array_stays_as_it_was_when_memory_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
