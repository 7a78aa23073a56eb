// What checks for debugging end: pointers that are wrong, leaks and damage when GC_ABORT_ON_LEAK is set.

#define GC_DEBUG
#include "compat/include/gc/gc_mark.h"
#include "tests/death/child.h"

static void
other_object(void) {
  char *object = GC_malloc(100), *other = GC_malloc(100);
  child_expect("loam: GC_same_obj: %p and %p do not lie in the same object\n", (void *)other, (void *)object);
  GC_same_obj(other, object);
}

static void
misaligned_place(void) {
  static char place[16];
  child_expect("loam: GC_is_visible: the collector does not see what is stored at %p\n", (void *)(place + 1));
  GC_is_visible(place + 1);
}

static void
unregistered_displacement(void) {
  GC_set_all_interior_pointers(0);
  char *object = GC_malloc(100);
  child_expect("loam: GC_is_valid_displacement: %p is no valid pointer to an object\n", (void *)(object + 8));
  GC_is_valid_displacement(object + 8);
}

static void
free_of_no_object(void) {
  int variable;
  child_expect("loam: GC_debug_free: %p does not lie in an object of the heap\n", (void *)&variable);
  GC_FREE(&variable);
}

static void
change_of_no_object(void) {
  int variable;
  child_expect("loam: GC_debug_end_stubborn_change: %p does not lie in an object of the heap\n",
               (void *)&variable);
  GC_END_STUBBORN_CHANGE(&variable);
}

static void
no_such_kind(void) {
  child_expect("loam: GC_generic_or_special_malloc: there is no kind 77\n");
  GC_debug_generic_or_special_malloc(8, 77, GC_EXTRAS);
}

static char *volatile held;

static void
smash_one(void) {
  held = GC_debug_malloc(20, "some.c", 7);
  held[24]++;
  child_expect("loam: smashed objects: 1\n"
               "loam:   at %p, in or near %p (some.c:7, 20 bytes, normal)\n",
               (void *)(held + 24), (void *)held);
}

static void
smashed_may_be_survived(void) {
  smash_one();
  GC_gcollect();
}

static void
smashed_with_abort(void) {
  setenv("GC_ABORT_ON_LEAK", "1", 1);
  smash_one();
  child_expect("loam: there are leaked or smashed objects (GC_ABORT_ON_LEAK)\n");
  GC_gcollect();
}

static void
smashed_and_freed_with_abort(void) {
  setenv("GC_ABORT_ON_LEAK", "1", 1);
  held = GC_debug_malloc(20, "some.c", 7);
  held[24]++;
  child_expect(
      "loam: GC_debug_free: found a smashed location at %p, in or near %p (some.c:7, 20 bytes, normal)\n"
      "loam: there are leaked or smashed objects (GC_ABORT_ON_LEAK)\n",
      (void *)(held + 24), (void *)held);
  GC_FREE(held);
  GC_gcollect();
}

__attribute__((noinline, no_sanitize("address"))) static void
clear_stack(void) {
  volatile char dirt[100000];
  for (size_t i = 0; i < sizeof dirt; i++)
    dirt[i] = 0;
}

__attribute__((noinline)) static void
leak_one(void) {
  char *object = GC_debug_malloc(20, "some.c", 7);
  child_expect("loam: leaked objects: 1\n"
               "loam:   %p (some.c:7, 20 bytes, normal)\n",
               (void *)object);
}

static void
leak_with_abort(void) {
  setenv("GC_FIND_LEAK", "1", 1);
  setenv("GC_ABORT_ON_LEAK", "1", 1);
  leak_one();
  clear_stack();
  child_expect("loam: there are leaked or smashed objects (GC_ABORT_ON_LEAK)\n");
  GC_gcollect();
}

static void
leak_at_exit(void) {
  GC_set_find_leak(1);
  leak_one();
  clear_stack();
  exit(0);
}

static void
leak_at_exit_by_environment(void) {
  setenv("GC_FIND_LEAK", "", 1);
  leak_one();
  clear_stack();
  exit(0);
}

int
main(void) {
  unsetenv("GC_FIND_LEAK");
  unsetenv("GC_FINDLEAK_DELAY_FREE");
  unsetenv("GC_ABORT_ON_LEAK");
  child_check("GC_same_obj of two objects", other_object, CHILD_ABORTS);
  child_check("GC_is_visible of an odd place", misaligned_place, CHILD_ABORTS);
  child_check("GC_is_valid_displacement of another one", unregistered_displacement, CHILD_ABORTS);
  child_check("GC_debug_free of no object", free_of_no_object, CHILD_ABORTS);
  child_check("GC_debug_end_stubborn_change of no object", change_of_no_object, CHILD_ABORTS);
  child_check("allocation of an unknown kind", no_such_kind, CHILD_ABORTS);
  child_check("a smashed object is reported", smashed_may_be_survived, CHILD_EXITS);
  child_check("a smashed object, with GC_ABORT_ON_LEAK", smashed_with_abort, CHILD_ABORTS);
  child_check("one found by GC_debug_free, with GC_ABORT_ON_LEAK", smashed_and_freed_with_abort,
              CHILD_ABORTS);
  child_check("a leaked object, with GC_ABORT_ON_LEAK", leak_with_abort, CHILD_ABORTS);
  child_check("a leak is reported at exit", leak_at_exit, CHILD_EXITS);
  child_check("a leak is reported at exit, with GC_FIND_LEAK", leak_at_exit_by_environment, CHILD_EXITS);
  return tap_done();
}
