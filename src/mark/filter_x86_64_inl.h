// Block filters for AVX-512 and AVX2.
#pragma once

#include <immintrin.h>

#include "mark/filter.h"

#define GC_TARGET_AVX512 __attribute__((target("avx512f,avx512vl,avx512bw,bmi,bmi2,lzcnt")))
#define GC_TARGET_AVX2 __attribute__((target("avx2,bmi,bmi2,lzcnt")))

enum gc_cpu_vectors { GC_CPU_SCALAR, GC_CPU_AVX2, GC_CPU_AVX512 };

static inline enum gc_cpu_vectors
gc_cpu_vectors(void) {
  __builtin_cpu_init();
  bool bits = __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
  if (bits && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512bw"))
    return GC_CPU_AVX512;
  return bits && __builtin_cpu_supports("avx2") ? GC_CPU_AVX2 : GC_CPU_SCALAR;
}

GC_TARGET_AVX512 GC_NO_SANITIZE GC_INLINE unsigned
gc_filter_four_avx512(const uintptr_t *words, uintptr_t base, size_t bytes) {
  __m256i loaded = _mm256_loadu_si256((const __m256i *)(const void *)words);
  __m256i offsets = _mm256_sub_epi64(loaded, _mm256_set1_epi64x((long long)base));
  return _mm256_cmplt_epu64_mask(offsets, _mm256_set1_epi64x((long long)bytes));
}

GC_TARGET_AVX512 GC_NO_SANITIZE GC_INLINE unsigned
gc_filter_two_avx512(const uintptr_t *words, uintptr_t base, size_t bytes) {
  __m128i loaded = _mm_loadu_si128((const __m128i *)(const void *)words);
  __m128i offsets = _mm_sub_epi64(loaded, _mm_set1_epi64x((long long)base));
  return _mm_cmplt_epu64_mask(offsets, _mm_set1_epi64x((long long)bytes));
}

// AVX2 compares signed only: flip the top bits of both sides.
GC_TARGET_AVX2 GC_NO_SANITIZE GC_INLINE unsigned
gc_filter_four_avx2(const uintptr_t *words, uintptr_t base, size_t bytes) {
  const uintptr_t top = (uintptr_t)1 << 63;
  __m256i loaded = _mm256_loadu_si256((const __m256i *)(const void *)words);
  __m256i offsets = _mm256_sub_epi64(loaded, _mm256_set1_epi64x((long long)(base + top)));
  __m256i inside = _mm256_cmpgt_epi64(_mm256_set1_epi64x((long long)(bytes ^ top)), offsets);
  return (unsigned)_mm256_movemask_pd(_mm256_castsi256_pd(inside));
}

#define GC_SMALL_FILTER_AVX512 ((struct gc_small_filter){gc_filter_four_avx512, gc_filter_two_avx512})
#define GC_SMALL_FILTER_AVX2 ((struct gc_small_filter){gc_filter_four_avx2, gc_filter_two_scalar})
