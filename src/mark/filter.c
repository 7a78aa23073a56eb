// The filter without vectors; what every other one is tested against.
#include "mark/filter.h"

GC_NO_SANITIZE uint64_t
gc_filter_scalar(const uintptr_t *words, uintptr_t base, size_t bytes) {
  return gc_filter_with(words, base, bytes, GC_SMALL_FILTER_SCALAR);
}
