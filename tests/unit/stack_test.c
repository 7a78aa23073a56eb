// The mark stack: how entries are packed, growth, overflow, trimming.
#include "mark/stack.h"

#include "fixture.h"

static void
begin(struct gc_mark_stack *stack) {
  *stack = (struct gc_mark_stack){0};
  gc_mark_stack_bytes_max = SIZE_MAX;
  gc_os_stress_fail(0);
}

static void
push(struct gc_mark_stack *stack, size_t first, size_t count) {
  for (size_t i = 0; i < count; i++) {
    assert_true(gc_mark_stack_reserve(stack, 1));
    *stack->top++ = gc_mark_entry_make(first + i, 1);
  }
}

static void
expect_entries(const struct gc_mark_stack *stack, size_t first) {
  for (const gc_mark_entry *entry = stack->base; entry < stack->top; entry++)
    assert_int_equal(gc_mark_entry_granule(*entry), first++);
}

static void
entries_hold_extreme_values(void **state) {
  (void)state;
  const size_t granule_max = ((size_t)1 << (64 - GC_ENTRY_SIZE_BITS)) - 1;
  const size_t granules[] = {0, 1, GC_PAGE_GRANULES, granule_max - 1, granule_max};
  const size_t lengths[] = {0, 1, 2, GC_ENTRY_GRANULES_MAX - 1, GC_ENTRY_GRANULES_MAX};
  for (size_t i = 0; i < 5; i++)
    for (size_t j = 0; j < 5; j++) {
      gc_mark_entry entry = gc_mark_entry_make(granules[i], lengths[j]);
      assert_int_equal(gc_mark_entry_granule(entry), granules[i]);
      assert_int_equal(gc_mark_entry_granules(entry), lengths[j]);
    }
  assert_true(granule_max * GC_GRANULE_BYTES >= 64 * 1024 * GC_GIB - 1); // the largest reservation
}

static void
growth_keeps_what_was_pushed(void **state) {
  (void)state;
  struct gc_mark_stack stack;
  begin(&stack);
  push(&stack, 7, 100000);
  assert_int_equal(gc_mark_stack_count(&stack), 100000);
  expect_entries(&stack, 7);
  assert_false(stack.overflowed);
  gc_mark_stack_trim(&stack);
}

static void
one_reserve_may_ask_for_much(void **state) {
  (void)state;
  struct gc_mark_stack stack;
  begin(&stack);
  push(&stack, 1, 10);
  assert_true(gc_mark_stack_reserve(&stack, 1000000));
  assert_true((size_t)(stack.limit - stack.top) >= 1000000);
  expect_entries(&stack, 1);
  gc_mark_stack_trim(&stack);
}

static void
growth_counts_what_is_there_already(void **state) {
  (void)state;
  struct gc_mark_stack stack;
  begin(&stack);
  const size_t room = GC_MARK_STACK_BYTES_MIN / sizeof(gc_mark_entry);
  push(&stack, 1, room);
  assert_true(gc_mark_stack_reserve(&stack, room + 1)); // more than the double has
  assert_true((size_t)(stack.limit - stack.top) >= room + 1);
  expect_entries(&stack, 1);
}

static void
room_below_the_base_is_used_again(void **state) {
  (void)state;
  struct gc_mark_stack stack;
  begin(&stack);
  push(&stack, 0, 32000);
  const gc_mark_entry *limit = stack.limit;
  stack.base += 31000; // given away
  push(&stack, 32000, 5000);
  assert_ptr_equal(stack.limit, limit);
  assert_int_equal(gc_mark_stack_count(&stack), 6000);
  expect_entries(&stack, 31000);
}

static void
at_the_limit_it_overflows_and_keeps_what_it_has(void **state) {
  (void)state;
  struct gc_mark_stack stack;
  begin(&stack);
  gc_mark_stack_bytes_max = GC_MARK_STACK_BYTES_MIN;
  size_t room = GC_MARK_STACK_BYTES_MIN / sizeof(gc_mark_entry);
  push(&stack, 0, room);
  assert_false(stack.overflowed);
  assert_false(gc_mark_stack_reserve(&stack, 1));
  assert_true(stack.overflowed);
  assert_int_equal(gc_mark_stack_count(&stack), room);
  expect_entries(&stack, 0);
  stack.base += 10; // what was given away makes room even so
  assert_true(gc_mark_stack_reserve(&stack, 5));
  expect_entries(&stack, 10);
  gc_mark_stack_bytes_max = SIZE_MAX;
}

static void
refused_memory_is_an_overflow(void **state) {
  (void)state;
  struct gc_mark_stack stack;
  begin(&stack);
  gc_os_stress_fail(1);
  assert_false(gc_mark_stack_reserve(&stack, 1));
  assert_true(stack.overflowed);
  assert_true(gc_mark_stack_reserve(&stack, 1));
  push(&stack, 3, GC_MARK_STACK_BYTES_MIN / sizeof(gc_mark_entry));
  gc_os_stress_fail(1);
  assert_false(gc_mark_stack_reserve(&stack, 1));
  gc_os_stress_fail(0);
  expect_entries(&stack, 3);
}

static void
trimming_gives_back_what_is_seldom_needed(void **state) {
  (void)state;
  struct gc_mark_stack stack;
  begin(&stack);
  push(&stack, 0, 1000);
  gc_mark_stack_clear(&stack);
  gc_mark_stack_trim(&stack);
  assert_non_null(stack.memory);
  size_t before = gc_os_obtained_bytes();
  assert_true(gc_mark_stack_reserve(&stack, GC_MIB));
  stack.overflowed = true;
  gc_mark_stack_trim(&stack);
  assert_null(stack.memory);
  assert_int_equal(gc_mark_stack_count(&stack), 0);
  assert_true(stack.overflowed);
  assert_true(gc_os_obtained_bytes() < before);
}

int
main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(entries_hold_extreme_values),
      cmocka_unit_test(growth_keeps_what_was_pushed),
      cmocka_unit_test(one_reserve_may_ask_for_much),
      cmocka_unit_test(growth_counts_what_is_there_already),
      cmocka_unit_test(room_below_the_base_is_used_again),
      cmocka_unit_test(at_the_limit_it_overflows_and_keeps_what_it_has),
      cmocka_unit_test(refused_memory_is_an_overflow),
      cmocka_unit_test(trimming_gives_back_what_is_seldom_needed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
