// A typed object was given to GC_realloc, which cleared its end: the descriptor, and with it all that the
// object's pointers had kept.

#include "compat/include/gc/gc_typed.h"
#include "tests/regress/objects.h"

enum { WORDS = 40, FIELD = 30, COUNT = 20 };

static GC_descr descriptor;
static void **volatile kept[COUNT];
static hidden referents[COUNT];

static void **
new_typed(void) {
  return GC_malloc_explicitly_typed(WORDS * sizeof(void *), descriptor);
}

static void **
new_array(void) {
  return GC_calloc_explicitly_typed(3, WORDS * sizeof(void *), descriptor);
}

__attribute__((noinline)) static void
make(void **(*allocate)(void), size_t bytes) {
  for (int i = 0; i < COUNT; i++) {
    void **object = allocate();
    referents[i] = new_hidden();
    object[FIELD] = reveal(referents[i]);
    GC_end_stubborn_change(object);
    kept[i] = GC_realloc(object, bytes);
  }
}

static bool
all_are_there(void) {
  for (int i = 0; i < COUNT; i++)
    if (!is_there(referents[i]) || kept[i][FIELD] != reveal(referents[i]))
      return false;
  return true;
}

static void
check(void **(*allocate)(void), size_t bytes, const char *what) {
  make(allocate, bytes);
  collect();
  collect();
  tap_ok(all_are_there(), "%s", what);
}

int
main(void) {
  GC_INIT();
  GC_word bitmap[1] = {0};
  GC_set_bit(bitmap, FIELD);
  descriptor = GC_make_descriptor(bitmap, WORDS);
  check(new_typed, (WORDS - 2) * sizeof(void *), "a typed object that shrinks a little");
  check(new_typed, 1000000, "a typed object that becomes large");
  check(new_array, (3 * WORDS - 1) * sizeof(void *), "an array that shrinks a little");
  check(new_array, 5000, "an array that grows");
  return tap_done();
}
