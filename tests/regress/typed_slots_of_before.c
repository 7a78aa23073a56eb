// While a concurrent cycle marked, a stale word led it to a slot that was to become a typed object, and it
// took what the memory had held before for a descriptor.

#include <stdlib.h>

#include "compat/include/gc/gc_typed.h"
#include "tests/regress/objects.h"

enum { COUNT = 4096, WORDS = 25, DATA = 0x43 };

static uintptr_t **stale;

static void
fill_and_free(void) {
  stale = GC_malloc(COUNT * sizeof *stale);
  for (int i = 0; i < COUNT; i++) {
    stale[i] = GC_malloc(WORDS * sizeof **stale);
    for (int word = 0; word < WORDS; word++)
      stale[i][word] = (uintptr_t)DATA << 56 | DATA;
  }
  for (int i = 0; i < COUNT; i++)
    GC_free(stale[i]);
  collect();
  collect();
}

int
main(void) {
  setenv("GC_MODE", "concurrent", 1);
  setenv("GC_MARKERS", "1", 1);
  GC_INIT();
  GC_word bitmap = 5;
  GC_descr descriptor = GC_make_descriptor(&bitmap, 3);
  fill_and_free();
  void *volatile typed = GC_malloc_explicitly_typed((WORDS - 2) * sizeof(void *), descriptor);
  GC_start_incremental_collection();
  while (GC_collect_a_little())
    ;
  tap_ok(GC_base(typed) == typed, "a typed object beside stale words");
  return tap_done();
}
