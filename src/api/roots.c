// gc.h, "Roots".
#include "world/roots.h"
#include "api/init.h"
#include "base/check.h"
#include "base/variables.h"
#include "gc.h"
#include "os/images.h"

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
  GC_WRITE(GC_no_dls, on);
}

int
GC_get_no_dls(void) {
  return GC_READ(GC_no_dls);
}

void
GC_clear_exclusion_table(void) {
  gc_init_ensure();
  GC_CHECK(gc_roots_clear_excluded(), "GC_clear_exclusion_table: no memory for the list of roots");
}

void
GC_register_has_static_roots_callback(GC_has_static_roots_func function) {
  gc_images_set_filter(function);
}
