// gc.h's reports for people.
#include "observe/dump.h"
#include "api/init.h"
#include "gc.h"

void
GC_dump(void) {
  GC_dump_named(NULL);
}

void
GC_dump_named(const char *name) {
  gc_init_ensure();
  gc_dump(name);
}

void
GC_dump_regions(void) {
  gc_init_ensure();
  gc_dump_regions();
}
