// The smallest program worth collecting: it makes far more garbage than it ever holds, and says how big the
// heap got.
#include <stdio.h>

#include "gc.h"

int
main(void) {
  GC_INIT();
  char **kept = GC_malloc(1000 * sizeof *kept);
  for (int i = 0; i < 10000000; i++) {
    char *greeting = GC_malloc(32);
    snprintf(greeting, 32, "hello, world %d", i);
    kept[i % 1000] = greeting; // what was here before is garbage now
  }
  printf("%s; heap of %zu KiB\n", kept[999], (size_t)GC_get_heap_size() / 1024);
  return 0;
}
