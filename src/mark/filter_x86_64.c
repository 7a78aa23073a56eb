// Filters for AVX-512 and AVX2, chosen when marking first starts.
#include "mark/filter_x86_64_inl.h"

GC_TARGET_AVX512 GC_NO_SANITIZE static uint64_t
filter_avx512(const uintptr_t *words, uintptr_t base, size_t bytes) {
  return gc_filter_with(words, base, bytes, gc_block_filter_avx512);
}

GC_TARGET_AVX2 GC_NO_SANITIZE static uint64_t
filter_avx2(const uintptr_t *words, uintptr_t base, size_t bytes) {
  return gc_filter_with(words, base, bytes, gc_block_filter_avx2);
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
