// A concurrent cycle puts off objects whose type names a mark procedure.  One that was freed before its turn
// came had a link to other freed memory where its type had been.

#include <stdlib.h>

#include "compat/include/gc/gc_gcj.h"
#include "compat/include/gc/gc_mark.h"
#include "tests/regress/objects.h"

enum { COUNT = 100, WORDS = 8, DATA = 0x43 };

static uintptr_t type[4];

static struct GC_ms_entry *
mark_nothing(GC_word *object, struct GC_ms_entry *top, struct GC_ms_entry *limit, GC_word environment) {
  (void)object;
  (void)limit;
  (void)environment;
  return top;
}

int
main(void) {
  setenv("GC_MODE", "concurrent", 1);
  setenv("GC_MARKERS", "1", 1);
  GC_INIT();
  GC_init_gcj_malloc(0, (void *)(uintptr_t)mark_nothing);
  type[1] = GC_MAKE_PROC(0, 0);
  uintptr_t **volatile objects = GC_malloc(COUNT * sizeof *objects);
  for (int i = 0; i < COUNT; i++) {
    objects[i] = GC_gcj_malloc(WORDS * sizeof(uintptr_t), type);
    for (int word = 1; word < WORDS; word++)
      objects[i][word] = (uintptr_t)DATA << 56 | DATA;
  }
  collect();
  GC_start_incremental_collection();
  GC_collect_a_little();
  for (int i = 0; i < COUNT; i++)
    GC_free(objects[i]);
  while (GC_collect_a_little())
    ;
  tap_ok(GC_base((void *)(uintptr_t)objects) == (void *)(uintptr_t)objects,
         "objects that are freed while put off");
  return tap_done();
}
