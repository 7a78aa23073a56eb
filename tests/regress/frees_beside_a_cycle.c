// With one CPU a concurrent cycle never ended while the program freed what it allocated: the frees were
// taken from what it had allocated since the last slice, though the memory could not be had before the sweep.
#include <stdlib.h>

#include "gc.h"
#include "tests/tap.h"

enum { KEPT = 200000, ROUNDS = 4000, FREED_BYTES = 1 << 20, HEAP_MIB_MAX = 1024 };

struct item {
  struct item *next;
  char more[200];
};

int
main(void) {
  setenv("GC_MODE", "concurrent", 1);
  setenv("GC_NPROCS", "1", 1);
  GC_INIT();
  struct item *volatile kept = NULL;
  for (int i = 0; i < KEPT; i++) {
    struct item *item = GC_NEW(struct item);
    item->next = kept;
    kept = item;
  }
  GC_word before = GC_get_gc_no();
  size_t heap_bytes = 0;
  for (int i = 0; i < ROUNDS && heap_bytes < (size_t)HEAP_MIB_MAX << 20; i++) {
    void **object = GC_MALLOC(FREED_BYTES);
    object[0] = kept;
    if (i % 64 > 0)
      GC_FREE(object);
    heap_bytes = GC_get_heap_size();
  }
  tap_ok(heap_bytes < (size_t)HEAP_MIB_MAX << 20, "the heap does not grow (%zu MiB)", heap_bytes >> 20);
  tap_ok(GC_get_gc_no() > before, "cycles end");
  return tap_done();
}
