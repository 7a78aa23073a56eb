// An object that a concurrent cycle has searched keeps the address of one that was freed since, and another
// object was born there and died: the verifier took it for lost.

#include <stdlib.h>

#include "tests/regress/objects.h"

enum { HOLDER_BYTES = 100000, BYTES = 200, TRIES = 100000 };

static void **holder;
static hidden freed;

__attribute__((noinline)) static void
make(void) {
  holder = GC_malloc(HOLDER_BYTES);
  holder[0] = GC_malloc(BYTES);
  freed = hide(holder[0]);
}

__attribute__((noinline)) static void
free_and_be_born_there(void) {
  GC_free(holder[0]);
  for (int i = 0; i < TRIES && hide(GC_malloc(BYTES)) != freed; i++)
    ;
}

int
main(void) {
  setenv("GC_MODE", "concurrent", 1);
  setenv("GC_MARKERS", "1", 1);
  setenv("LOAM_VERIFY", "1", 1);
  GC_INIT();
  make();
  collect();
  GC_start_incremental_collection();
  for (int i = 0; i < 2; i++)
    GC_collect_a_little();
  free_and_be_born_there();
  clear_stack();
  while (GC_collect_a_little())
    ;
  tap_ok(GC_base(holder) == holder, "an object with the address of what was freed");
  return tap_done();
}
