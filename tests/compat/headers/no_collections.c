// GC_DONT_GC, and what else of GC_INIT's macros that excludes.

#define GC_DONT_GC
#define GC_MAX_RETRIES 3

#include <gc.h>

#include "check.h"

int
main(void) {
  GC_word before;
  int i;
  GC_INIT();
  before = GC_get_gc_no();
  for (i = 0; i < 100000; i++)
    GC_malloc(1000);
  GC_gcollect();
  check("GC_DONT_GC: no collections", GC_get_gc_no() == before);
  check("GC_DONT_GC: GC_MAX_RETRIES does not count", GC_get_max_retries() == 0);
  return 0;
}
