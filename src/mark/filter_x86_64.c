// Filters for AVX-512 and AVX2, chosen when marking first starts.
#include "mark/filter_x86_64_inl.h"

GC_TARGET_AVX512 GC_NO_SANITIZE static uint64_t
filter_avx512(const uintptr_t *words, uintptr_t base, size_t bytes) {
  return gc_filter_with(words, base, bytes, GC_SMALL_FILTER_AVX512);
}

GC_TARGET_AVX2 GC_NO_SANITIZE static uint64_t
filter_avx2(const uintptr_t *words, uintptr_t base, size_t bytes) {
  return gc_filter_with(words, base, bytes, GC_SMALL_FILTER_AVX2);
}

gc_filter
gc_filter_choose(void) {
  switch (gc_cpu_vectors()) {
  case GC_CPU_AVX512:
    return filter_avx512;
  case GC_CPU_AVX2:
    return filter_avx2;
  default:
    return gc_filter_scalar;
  }
}
