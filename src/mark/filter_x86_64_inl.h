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

// By four words and two, not by eight with a mask: a masked load that crosses into the next cache line
// waits for that line, too.
GC_TARGET_AVX512 GC_NO_SANITIZE GC_INLINE unsigned
gc_block_filter_avx512(const uintptr_t *words, size_t count, uintptr_t base, size_t bytes) {
  const __m256i bases = _mm256_set1_epi64x((long long)base), limit = _mm256_set1_epi64x((long long)bytes);
  unsigned mask = 0, i = 0;
  for (; i + 4 <= count; i += 4) {
    __m256i offsets = _mm256_sub_epi64(_mm256_loadu_si256((const __m256i *)(const void *)(words + i)), bases);
    mask |= (unsigned)_mm256_cmplt_epu64_mask(offsets, limit) << i;
  }
  if (i < count) {
    __m128i offsets = _mm_sub_epi64(_mm_loadu_si128((const __m128i *)(const void *)(words + i)),
                                    _mm256_castsi256_si128(bases));
    mask |= (unsigned)_mm_cmplt_epu64_mask(offsets, _mm256_castsi256_si128(limit)) << i;
  }
  return mask;
}

// AVX2 compares signed only: flip the top bits of both sides.
GC_TARGET_AVX2 GC_NO_SANITIZE GC_INLINE unsigned
gc_block_filter_avx2(const uintptr_t *words, size_t count, uintptr_t base, size_t bytes) {
  const uintptr_t top = (uintptr_t)1 << 63;
  const __m256i bases = _mm256_set1_epi64x((long long)(base + top));
  const __m256i limit = _mm256_set1_epi64x((long long)(bytes ^ top));
  unsigned mask = 0, i = 0;
  for (; i + 4 <= count; i += 4) {
    __m256i offsets = _mm256_sub_epi64(_mm256_loadu_si256((const __m256i *)(const void *)(words + i)), bases);
    mask |= (unsigned)_mm256_movemask_pd(_mm256_castsi256_pd(_mm256_cmpgt_epi64(limit, offsets))) << i;
  }
  for (; i < count; i++)
    mask |= (unsigned)(words[i] - base < bytes) << i;
  return mask;
}
