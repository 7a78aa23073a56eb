// Checks of pointers: which pass, which call the program's procedure, and that they give their argument back.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define GC_DEBUG
#include "gc.h"
#include "heap/heap.h"

static int calls;
static void *seen, *seen_other;

static void
note(void *pointer) {
  calls++;
  seen = pointer;
}

static void
note_both(void *pointer, void *other) {
  note(pointer);
  seen_other = other;
}

// How often the procedures were called since the last time.
static int
taken(void) {
  int count = calls;
  calls = 0;
  return count;
}

static int
same(void *pointer, void *other) {
  assert_ptr_equal(GC_same_obj(pointer, other), pointer);
  int failed = taken();
  if (failed)
    assert_true(seen == pointer && seen_other == other);
  return !failed;
}

static int
valid(void *pointer) {
  assert_ptr_equal(GC_is_valid_displacement(pointer), pointer);
  int failed = taken();
  if (failed)
    assert_ptr_equal(seen, pointer);
  return !failed;
}

static int
visible(void *place) {
  assert_ptr_equal(GC_is_visible(place), place);
  int failed = taken();
  if (failed)
    assert_ptr_equal(seen, place);
  return !failed;
}

// Memory of the heap that holds no slot.
static char *
free_page(void) {
  char *object = GC_malloc_atomic(GC_MIB);
  GC_free(object);
  assert_false(gc_heap_slot_at(object + GC_MIB / 2).start);
  return object + GC_MIB / 2;
}

static void
same_object(void **state) {
  (void)state;
  static const size_t sizes[] = {16, 32, 40, 1000, 4096, 100000, 1000000};
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    char *object = GC_malloc(sizes[i]), *atomic = GC_malloc_atomic(sizes[i]);
    size_t bytes = GC_size(object);
    assert_true(same(object, object) && same(object + bytes - 1, object) && same(object, object + bytes - 1));
    assert_true(same(object + sizes[i], object)); // just past what was asked for
    assert_true(same(atomic + sizes[i], atomic));
    assert_false(same(object + bytes + 17, object) || same(atomic, object));
    if (sizes[i] % 16 != 0) // else `object` could be just past the one before
      assert_false(same(object - 17, object));
  }
}

static void
same_object_outside_the_heap(void **state) {
  (void)state;
  char here[10], *object = GC_malloc(100);
  assert_true(same(here, here + 5) && same(here, &state) && same(NULL, here) && same(NULL, NULL));
  assert_false(same(here, object) || same(object, here) || same(NULL, object));
}

static void
valid_displacements(void **state) {
  (void)state;
  char here, *object = GC_malloc(100), *annotated = GC_MALLOC(100);
  assert_true(valid(NULL) && valid(&here) && valid(object) && valid(object + 50) && valid(annotated));
  gc_heap.all_interior_pointers = false;
  GC_register_displacement(8);
  assert_true(valid(object) && valid(object + 8) && valid(annotated) && valid(&here));
  assert_false(valid(object + 50) || valid(annotated + 1));
  GC_debug_register_displacement(1);
  assert_true(valid(annotated + 1) && valid(object + 1));
  gc_heap.all_interior_pointers = true;
  assert_false(valid(free_page()));
}

static void
visible_places(void **state) {
  (void)state;
  void *here;
  char *object = GC_malloc(100);
  assert_true(visible(&here) && visible(&seen) && visible(object) && visible(object + 96) && visible(NULL));
  assert_false(visible((char *)&here + 1) || visible(object + 4) || visible(free_page()));
}

static void
increments(void **state) {
  (void)state;
  long *numbers = GC_MALLOC(10 * sizeof *numbers), *at = numbers;
  assert_ptr_equal(GC_PRE_INCR(at, 3), numbers + 3);
  assert_ptr_equal(at, numbers + 3);
  assert_ptr_equal(GC_POST_INCR(at), numbers + 3);
  assert_ptr_equal(at, numbers + 4);
  assert_ptr_equal(GC_POST_DECR(at), numbers + 4);
  assert_ptr_equal(at, numbers + 3);
  assert_ptr_equal(GC_PTR_ADD(at, -3), numbers);
  assert_int_equal(taken(), 0);
  assert_ptr_equal(GC_PRE_INCR(at, 1000), numbers + 1003);
  assert_int_equal(taken(), 1);
  at = numbers;
  assert_ptr_equal(GC_PTR_ADD(at, -10), numbers - 10);
  assert_int_equal(taken(), 1);
  gc_heap.all_interior_pointers = false;
  GC_POST_INCR(at);
  assert_int_equal(taken(), 1);
  gc_heap.all_interior_pointers = true;
}

static void
stores(void **state) {
  (void)state;
  void **place = GC_MALLOC(100), *value = GC_MALLOC(10), *here;
  GC_PTR_STORE(place, value);
  assert_ptr_equal(*place, value);
  GC_PTR_STORE_AND_DIRTY(place + 1, value);
  assert_ptr_equal(place[1], value);
  GC_END_STUBBORN_CHANGE(place);
  GC_CHANGE_STUBBORN(place);
  GC_PTR_STORE(&here, value);
  assert_ptr_equal(here, value);
  assert_int_equal(taken(), 0);
}

static void
procedures(void **state) {
  (void)state;
  assert_true(GC_get_same_obj_print_proc() == GC_same_obj_print_proc);
  assert_true(GC_get_is_valid_displacement_print_proc() == GC_is_valid_displacement_print_proc);
  assert_true(GC_get_is_visible_print_proc() == GC_is_visible_print_proc);
  assert_true(GC_same_obj_print_proc && GC_is_valid_displacement_print_proc && GC_is_visible_print_proc);
  GC_set_same_obj_print_proc(note_both);
  GC_set_is_valid_displacement_print_proc(note);
  GC_is_visible_print_proc = note;
  assert_true(GC_same_obj_print_proc == note_both && GC_get_is_visible_print_proc() == note);
}

int
main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(procedures),
      cmocka_unit_test(same_object),
      cmocka_unit_test(same_object_outside_the_heap),
      cmocka_unit_test(valid_displacements),
      cmocka_unit_test(visible_places),
      cmocka_unit_test(increments),
      cmocka_unit_test(stores),
  };
  GC_INIT();
  return cmocka_run_group_tests(tests, NULL, NULL);
}
