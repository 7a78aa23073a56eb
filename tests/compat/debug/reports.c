// Mistakes, which are reported with the places where objects were allocated.

#define GC_DEBUG
#include <gc.h>

#include <stdio.h>

static char *volatile held[10];

static void
freed(void) {
  held[0] = GC_MALLOC(10);
  held[0][16]++;
  GC_FREE(held[0]);
  held[0] = GC_MALLOC_ATOMIC(20);
  held[0][-1]++;
  GC_FREE(held[0]);
  held[0] = GC_MALLOC_UNCOLLECTABLE(30);
  held[0][39]++;
  GC_FREE(held[0]);
  held[0] = GC_MALLOC(3000);
  held[0][3000]++;
  GC_FREE(held[0]);
}

static void
collected(void) {
  held[0] = GC_MALLOC(11);
  held[0][16]++;
  held[1] = GC_MALLOC_ATOMIC(21);
  held[1][-8]++;
  held[2] = GC_MALLOC_UNCOLLECTABLE(31);
  held[2][32]++;
  held[3] = GC_STRDUP("a word");
  held[3][15]++;
  held[4] = GC_MALLOC(300000);
  held[4][300007]++;
  held[5] = GC_REALLOC(NULL, 17);
  held[5][24]++;
  held[6] = GC_MALLOC(50);
  held[7] = GC_MALLOC_IGNORE_OFF_PAGE(51);
  held[7][56]++;
  GC_gcollect();
}

static void
allocated_without(void) {
  held[8] = GC_malloc(100);
  GC_FREE(held[8]);
  held[9] = GC_malloc(100);
  held[9] = GC_REALLOC(held[9], 200);
  GC_REGISTER_FINALIZER(held[9], NULL, NULL, NULL, NULL);
}

static void
refused(void) {
  static volatile size_t too_much = (size_t)1 << 50;
  if (GC_MALLOC(too_much))
    puts("a PiB");
}

int
main(void) {
  GC_set_warn_proc(GC_ignore_warn_proc);
  GC_INIT();
  refused();
  freed();
  collected();
  allocated_without();
  return 0;
}
