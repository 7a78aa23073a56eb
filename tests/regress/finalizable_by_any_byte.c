// An object whose finalizer was registered by the last byte of its first granule waited for its call as a
// pointer to its start, which kept the object before it, too: the verifier found that alive and not marked.

#include <stdlib.h>

#include "tests/regress/objects.h"

enum { OBJECTS = 2000, PLACES = 16 };

static uintptr_t registered[OBJECTS];
static size_t called[OBJECTS];

static void
note_call(void *place, void *number) {
  size_t index = (uintptr_t)number;
  called[index] += hide(place) == registered[index];
}

static size_t pairs;

static void
count_pair(void *object, void *data) {
  (void)object, (void)data;
  pairs++;
}

__attribute__((noinline)) static void
register_all(void) {
  for (size_t i = 0; i < OBJECTS; i++) {
    GC_malloc(OBJECT_BYTES); // before it, dead
    char *place = (char *)GC_malloc(OBJECT_BYTES) + i % PLACES;
    registered[i] = hide(place);
    GC_register_finalizer_no_order(place, note_call, (void *)i, NULL, NULL);
  }
}

// Data at any place in an object that is finalized as well.
__attribute__((noinline)) static void
register_pairs(void) {
  for (size_t i = 0; i < OBJECTS; i++) {
    char *first = GC_malloc(OBJECT_BYTES);
    GC_malloc(OBJECT_BYTES);
    char *second = GC_malloc(OBJECT_BYTES);
    GC_register_finalizer_no_order(first, count_pair, second + i % OBJECT_BYTES, NULL, NULL);
    GC_register_finalizer_no_order(second, count_pair, NULL, NULL, NULL);
  }
}

// Rounds, since data keep what they point to until the finalizer that they are for has been called.
static void
collect_and_call(void) {
  for (int round = 0; round < 3; round++) {
    collect();
    collect(); // with most of them waiting
    GC_invoke_finalizers();
  }
}

int
main(void) {
  setenv("LOAM_VERIFY", "1", 1);
  GC_INIT();
  GC_set_finalize_on_demand(1);
  register_all();
  collect_and_call();
  size_t once = 0, wrong = 0;
  for (size_t i = 0; i < OBJECTS; i++) {
    once += called[i] == 1;
    wrong += called[i] > 1;
  }
  tap_ok(once > OBJECTS - 20 && wrong == 0, "%zu of %d called by the places that they were registered by",
         once, OBJECTS);
  register_pairs();
  collect_and_call();
  tap_ok(pairs > 2 * OBJECTS - 40 && pairs <= 2 * OBJECTS, "%zu of %d called, half of them kept by data",
         pairs, 2 * OBJECTS);
  return tap_done();
}
