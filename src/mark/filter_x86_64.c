// Filters for AVX-512 and AVX2, chosen when the collector starts.
#include <immintrin.h>

#include "mark/filter.h"

__attribute__((target("avx512f"))) GC_NO_SANITIZE static uint64_t
filter_avx512(const uintptr_t *words, uintptr_t base, size_t bytes) {
  __m512i bases = _mm512_set1_epi64((long long)base);
  __m512i limit = _mm512_set1_epi64((long long)bytes);
  uint64_t mask = 0;
  for (unsigned i = 0; i < GC_FILTER_WORDS; i += 8) {
    __m512i offsets = _mm512_sub_epi64(_mm512_loadu_si512(words + i), bases);
    mask |= (uint64_t)_mm512_cmplt_epu64_mask(offsets, limit) << i;
  }
  return mask;
}

// AVX2 compares signed only: flip the top bits of both sides.
__attribute__((target("avx2"))) GC_NO_SANITIZE static uint64_t
filter_avx2(const uintptr_t *words, uintptr_t base, size_t bytes) {
  const uintptr_t top = (uintptr_t)1 << 63;
  __m256i bases = _mm256_set1_epi64x((long long)(base + top));
  __m256i limit = _mm256_set1_epi64x((long long)(bytes ^ top));
  uint64_t mask = 0;
  for (unsigned i = 0; i < GC_FILTER_WORDS; i += 4) {
    __m256i offsets = _mm256_sub_epi64(_mm256_loadu_si256((const __m256i *)(const void *)(words + i)), bases);
    unsigned inside = (unsigned)_mm256_movemask_pd(_mm256_castsi256_pd(_mm256_cmpgt_epi64(limit, offsets)));
    mask |= (uint64_t)inside << i;
  }
  return mask;
}

gc_filter
gc_filter_choose(void) {
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f"))
    return filter_avx512;
  if (__builtin_cpu_supports("avx2"))
    return filter_avx2;
  return gc_filter_scalar;
}
