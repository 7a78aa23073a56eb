// errno was another one after GC_malloc, because a collection or a system call lay within.

#include <errno.h>

#include "tests/regress/objects.h"

enum { SENTINEL = 4242 };

static bool kept = true;

static void
note(void) {
  kept &= errno == SENTINEL;
  errno = SENTINEL;
}

static void
report(const char *name) {
  tap_ok(kept, "%s", name);
  kept = true;
  errno = SENTINEL;
}

static void
check_allocation(void) {
  for (size_t i = 0; i < 200000; i++) {
    GC_malloc(i % 1000);
    note();
  }
  report("GC_malloc");
  for (size_t i = 0; i < 300; i++) {
    GC_malloc(i * 10000);
    note();
  }
  report("GC_malloc of large objects");
  for (size_t i = 0; i < 2000; i++) {
    GC_free(GC_malloc_uncollectable(i * 20));
    note();
  }
  report("GC_free");
  for (size_t i = 1; i < 2000; i++) {
    GC_realloc(GC_malloc(i), i * 3);
    note();
  }
  report("GC_realloc");
}

static void
check_collection(void) {
  GC_gcollect();
  note();
  GC_gcollect_and_unmap();
  note();
  report("GC_gcollect");
  GC_register_my_thread(NULL);
  note();
  GC_base(&kept);
  note();
  gc_verify();
  note();
  report("the rest");
}

int
main(void) {
  errno = SENTINEL;
  GC_malloc(16);
  note();
  report("the first allocation");
  check_allocation();
  check_collection();
  return tap_done();
}
