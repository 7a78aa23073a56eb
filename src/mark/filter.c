// The filter without vectors; what every other one is tested against.
#include "mark/filter.h"

GC_NO_SANITIZE uint64_t
gc_filter_scalar(const uintptr_t *words, uintptr_t base, size_t bytes) {
  uint64_t mask = 0;
  for (unsigned i = 0; i < GC_FILTER_WORDS; i++)
    mask |= (uint64_t)(words[i] - base < bytes) << i;
  return mask;
}
