// Block filters for AVX-512 and AVX2.
#pragma once

#include <immintrin.h>

#include "mark/filter.h"

#define GC_TARGET_AVX512 __attribute__((target("avx512f,avx512vl,avx512bw,bmi,bmi2,lzcnt,popcnt")))
#define GC_TARGET_AVX2 __attribute__((target("avx2,bmi,bmi2,lzcnt,popcnt")))

enum gc_cpu_vectors { GC_CPU_SCALAR, GC_CPU_AVX2, GC_CPU_AVX512 };

static inline enum gc_cpu_vectors
gc_cpu_vectors(void) {
  __builtin_cpu_init();
  bool bits =
      __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt");
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

GC_TARGET_AVX512 GC_NO_SANITIZE GC_INLINE size_t
gc_pack_four_avx512(const uintptr_t *words, uintptr_t base, size_t bytes, size_t *packed) {
  __m256i loaded = _mm256_loadu_si256((const __m256i *)(const void *)words);
  __m256i offsets = _mm256_sub_epi64(loaded, _mm256_set1_epi64x((long long)base));
  __mmask8 inside = _mm256_cmplt_epu64_mask(offsets, _mm256_set1_epi64x((long long)bytes));
  // Not into memory at once, which takes some processors a hundred cycles.
  _mm256_storeu_si256((__m256i *)(void *)packed, _mm256_maskz_compress_epi64(inside, offsets));
  return (size_t)__builtin_popcount(inside);
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

// Which halves of words go where, for each set of words to be packed.
#define GC_PACK_ORDER(a, b, c, d) \
  { 2 * a, 2 * a + 1, 2 * b, 2 * b + 1, 2 * c, 2 * c + 1, 2 * d, 2 * d + 1 }
static const uint32_t gc_pack_orders[16][8] __attribute__((aligned(32), unused)) = {
    GC_PACK_ORDER(0, 0, 0, 0), GC_PACK_ORDER(0, 0, 0, 0), GC_PACK_ORDER(1, 0, 0, 0),
    GC_PACK_ORDER(0, 1, 0, 0), GC_PACK_ORDER(2, 0, 0, 0), GC_PACK_ORDER(0, 2, 0, 0),
    GC_PACK_ORDER(1, 2, 0, 0), GC_PACK_ORDER(0, 1, 2, 0), GC_PACK_ORDER(3, 0, 0, 0),
    GC_PACK_ORDER(0, 3, 0, 0), GC_PACK_ORDER(1, 3, 0, 0), GC_PACK_ORDER(0, 1, 3, 0),
    GC_PACK_ORDER(2, 3, 0, 0), GC_PACK_ORDER(0, 2, 3, 0), GC_PACK_ORDER(1, 2, 3, 0),
    GC_PACK_ORDER(0, 1, 2, 3)};

GC_TARGET_AVX2 GC_NO_SANITIZE GC_INLINE size_t
gc_pack_four_avx2(const uintptr_t *words, uintptr_t base, size_t bytes, size_t *packed) {
  const __m256i top = _mm256_set1_epi64x((long long)((uintptr_t)1 << 63));
  __m256i loaded = _mm256_loadu_si256((const __m256i *)(const void *)words);
  __m256i offsets = _mm256_sub_epi64(loaded, _mm256_set1_epi64x((long long)base));
  __m256i limit = _mm256_xor_si256(_mm256_set1_epi64x((long long)bytes), top);
  __m256i inside = _mm256_cmpgt_epi64(limit, _mm256_xor_si256(offsets, top));
  unsigned mask = (unsigned)_mm256_movemask_pd(_mm256_castsi256_pd(inside));
  __m256i order = _mm256_load_si256((const __m256i *)(const void *)gc_pack_orders[mask]);
  _mm256_storeu_si256((__m256i *)(void *)packed, _mm256_permutevar8x32_epi32(offsets, order));
  return (size_t)__builtin_popcount(mask);
}

#define GC_SMALL_FILTER_AVX512 \
  ((struct gc_small_filter){gc_filter_four_avx512, gc_pack_four_avx512, gc_pack_two_scalar})
#define GC_SMALL_FILTER_AVX2 \
  ((struct gc_small_filter){gc_filter_four_avx2, gc_pack_four_avx2, gc_pack_two_scalar})
