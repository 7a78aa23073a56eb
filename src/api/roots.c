// gc.h, "Roots".
#include "world/roots.h"
#include "api/init.h"
#include "base/check.h"
#include "gc.h"

static int no_libraries;

static struct gc_range
range_of(void *low, void *limit) {
  return (struct gc_range){low, limit};
}

void
GC_add_roots(void *low, void *limit) {
  gc_init_ensure();
  GC_CHECK(gc_roots_add(range_of(low, limit)), "GC_add_roots: no memory for the list of roots");
}

void
GC_remove_roots(void *low, void *limit) {
  gc_init_ensure();
  GC_CHECK(gc_roots_remove(range_of(low, limit)), "GC_remove_roots: no memory for the list of roots");
}

void
GC_clear_roots(void) {
  gc_init_ensure();
  gc_roots_clear();
}

void
GC_exclude_static_roots(void *low, void *limit) {
  gc_init_ensure();
  GC_CHECK(gc_roots_exclude(range_of(low, limit)),
           "GC_exclude_static_roots: no memory for the list of roots");
}

void
GC_set_no_dls(int on) {
  no_libraries = on;
  gc_roots_search_libraries(!on);
}

int
GC_get_no_dls(void) {
  return no_libraries;
}
