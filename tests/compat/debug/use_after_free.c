// What was freed, and written to afterwards, is seen when its memory is about to be used again.

#define GC_DEBUG
#include <gc.h>

#include <stdio.h>
#include <string.h>

enum { OBJECTS = 10 };

static char *volatile held[OBJECTS];

static __attribute__((noinline, no_sanitize("address"))) void
clear_stack(void) {
  volatile char dirt[100000];
  for (size_t i = 0; i < sizeof dirt; i++)
    dirt[i] = 0;
}

int
main(void) {
  GC_INIT();
  for (int i = 0; i < OBJECTS; i++) {
    held[i] = GC_MALLOC(40);
    GC_FREE(held[i]);
  }
  held[7][11]++;
  memset((void *)held, 0, sizeof held);
  clear_stack();
  GC_gcollect();
  return 0;
}
