// Sets of ranges against the slow truth: one byte per address.
#include "world/ranges.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ADDRESSES = 400, ROUNDS = 2000 };

static struct gc_range
range(size_t base, size_t limit) {
  return (struct gc_range){(const char *)base, (const char *)limit};
}

static struct gc_range
random_range(void) {
  size_t base = 1 + (size_t)rand() % (ADDRESSES - 40);
  return range(base, base + (size_t)rand() % 40);
}

static void
mark(bool *truth, struct gc_range wanted, bool value) {
  for (size_t i = (size_t)wanted.base; i < (size_t)wanted.limit; i++)
    truth[i] = value;
}

static void
push_random(struct gc_range_array *array, bool *truth, int count) {
  gc_range_array_clear(array);
  memset(truth, 0, ADDRESSES);
  for (int i = 0; i < count; i++) {
    struct gc_range next = random_range();
    assert_true(gc_range_array_push(array, next));
    mark(truth, next, true);
  }
}

// The array is the set, and normalized: sorted, apart, none empty.
static void
assert_is(const struct gc_range_array *array, const bool *truth) {
  bool seen[ADDRESSES] = {false};
  for (size_t i = 0; i < array->count; i++) {
    struct gc_range item = array->items[i];
    assert_true(item.base < item.limit);
    assert_true(i == 0 || array->items[i - 1].limit < item.base);
    mark(seen, item, true);
  }
  assert_memory_equal(seen, truth, ADDRESSES);
}

static void
normalizing_merges(void **state) {
  (void)state;
  static struct gc_range_array array;
  bool truth[ADDRESSES];
  for (int round = 0; round < ROUNDS; round++) {
    push_random(&array, truth, rand() % 50);
    gc_ranges_normalize(&array);
    assert_is(&array, truth);
  }
}

static void
removing_cuts(void **state) {
  (void)state;
  static struct gc_range_array array;
  bool truth[ADDRESSES];
  for (int round = 0; round < ROUNDS; round++) {
    push_random(&array, truth, rand() % 20);
    for (int i = 0; i < 10; i++) {
      struct gc_range hole = random_range();
      assert_true(gc_ranges_remove(&array, hole));
      mark(truth, hole, false);
      assert_is(&array, truth);
    }
  }
}

static void
difference_is_what_is_left(void **state) {
  (void)state;
  static struct gc_range_array array, holes, left;
  bool truth[ADDRESSES], hole_truth[ADDRESSES];
  for (int round = 0; round < ROUNDS; round++) {
    push_random(&array, truth, rand() % 20);
    push_random(&holes, hole_truth, rand() % 20);
    gc_ranges_normalize(&array);
    gc_ranges_normalize(&holes);
    gc_range_array_clear(&left);
    assert_true(gc_ranges_push_difference(&array, &holes, &left));
    for (int i = 0; i < ADDRESSES; i++)
      truth[i] &= !hole_truth[i];
    assert_is(&left, truth);
  }
}

static void
large_sets_are_sorted(void **state) {
  (void)state;
  static struct gc_range_array array;
  enum { COUNT = 100000 };
  for (size_t i = 0; i < COUNT; i++) {
    size_t base = 1000 + i * 7919 % COUNT * 16;
    assert_true(gc_range_array_push(&array, range(base, base + 8)));
  }
  gc_ranges_normalize(&array);
  assert_int_equal(array.count, COUNT);
  for (size_t i = 0; i < COUNT; i++)
    assert_ptr_equal(array.items[i].base, (void *)(1000 + i * 16));
}

int
main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(normalizing_merges),
      cmocka_unit_test(removing_cuts),
      cmocka_unit_test(difference_is_what_is_left),
      cmocka_unit_test(large_sets_are_sorted),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
