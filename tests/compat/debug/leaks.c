// Leaks: what was neither freed nor can be reached.

#define GC_DEBUG
#include <gc.h>

#include <stdio.h>
#include <string.h>

static char *volatile held[4];
static GC_hidden_pointer link;

static __attribute__((noinline, no_sanitize("address"))) void
clear_stack(void) {
  volatile char dirt[100000];
  for (size_t i = 0; i < sizeof dirt; i++)
    dirt[i] = 0;
}

static __attribute__((noinline)) void
leak(void) {
  void **list = GC_MALLOC(8);
  *list = GC_MALLOC_ATOMIC(100);
  GC_STRDUP("a string");
  GC_MALLOC(200000);
  GC_FREE(GC_MALLOC(33));
  GC_FREE(GC_MALLOC_UNCOLLECTABLE(34));
  GC_MALLOC_UNCOLLECTABLE(35);
  clear_stack();
}

static void
collect(const char *when) {
  fprintf(stderr, "%s\n", when);
  clear_stack();
  GC_gcollect();
}

// 40 are reported at most.
static __attribute__((noinline)) void
leak_many(void) {
  for (int i = 0; i < 100; i++)
    GC_MALLOC(55);
  clear_stack();
}

int
main(void) {
  GC_INIT();
  GC_finalization_proc old = (GC_finalization_proc)(void (*)(void))clear_stack;
  printf("find_leak %d\n", GC_get_find_leak());
  held[0] = GC_MALLOC(40);
  held[1] = GC_MALLOC(41);
  printf("link %d\n", GC_GENERAL_REGISTER_DISAPPEARING_LINK((void **)&link, held[0]));
  GC_REGISTER_FINALIZER(held[0], (GC_finalization_proc)(void (*)(void))leak, NULL, &old, NULL);
  printf("finalizer %d\n", old == (GC_finalization_proc)(void (*)(void))clear_stack);
  fflush(stdout);
  leak();
  collect("first");
  collect("second");
  GC_FREE(held[1]);
  held[0] = held[1] = NULL;
  collect("third");
  leak_many();
  collect("fourth");
  leak();
  fprintf(stderr, "exit\n");
  return 0;
}
