// Where allocating threads do the slices, they gave themselves little to allocate until the next one, and
// the last slice left it at that: a cycle that needed several to disarm the heap was followed by the next at
// once.
// Nor was it learnt how little is born during cycles of a program that writes all over its heap, if that is
// nothing: so they began when a quarter of the budget had been used.
#include <stdint.h>
#include <stdlib.h>

#include "gc.h"
#include "tests/tap.h"

enum {
  LIVE = 600000,
  OPERATIONS = 12000000,
  KEEP_EVERY = 4,
  CYCLES_MAX = 50, // 26 are needed
  HEAP_MIB_MAX = 160
};

struct node {
  struct node *first, *second;
  uint64_t more[6];
};

int
main(void) {
  setenv("GC_MODE", "concurrent", 1);
  setenv("GC_NPROCS", "1", 1);
  GC_INIT();
  struct node **table = GC_MALLOC_UNCOLLECTABLE(LIVE * sizeof *table);
  for (size_t i = 0; i < LIVE; i++)
    table[i] = GC_NEW(struct node);
  GC_gcollect();
  GC_word before = GC_get_gc_no();
  size_t heap_bytes = 0;
  uint64_t state = 1;
  for (size_t i = 0; i < OPERATIONS; i++) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    size_t at = (state >> 33) % LIVE;
    struct node *node = GC_NEW(struct node);
    table[(at * 7 + 1) % LIVE]->second = node;
    table[(at * 13 + 5) % LIVE]->more[0]++;
    if (i % KEEP_EVERY == 0)
      table[at] = node;
    if (i % 65536 == 0 && GC_get_heap_size() > heap_bytes)
      heap_bytes = GC_get_heap_size();
  }
  GC_word cycles = GC_get_gc_no() - before;
  tap_ok(cycles > 0 && cycles <= CYCLES_MAX, "cycles do not follow at once on each other (%zu)",
         (size_t)cycles);
  tap_ok(heap_bytes <= (size_t)HEAP_MIB_MAX << 20, "cycles end soon (%zu MiB)", heap_bytes >> 20);
  return tap_done();
}
