// The filter without vectors; what every other one is tested against.
#include "mark/filter.h"

GC_NO_SANITIZE uint64_t
gc_filter_scalar(const uintptr_t *words, uintptr_t base, size_t bytes) {
  return gc_filter_with(words, base, bytes,
                        (struct gc_small_filter){gc_filter_four_scalar, gc_filter_two_scalar});
}
