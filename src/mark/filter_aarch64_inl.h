// The small filters for AArch64's vectors.
#pragma once

#include <arm_neon.h>

#include "mark/filter.h"

GC_NO_SANITIZE GC_INLINE unsigned
gc_filter_two_neon(const uintptr_t *words, uintptr_t base, size_t bytes) {
  uint64x2_t offsets = vsubq_u64(vld1q_u64((const uint64_t *)words), vdupq_n_u64(base));
  uint64x2_t inside = vcltq_u64(offsets, vdupq_n_u64(bytes));
  return (unsigned)(vgetq_lane_u64(inside, 0) & 1) | (unsigned)(vgetq_lane_u64(inside, 1) & 2);
}

GC_NO_SANITIZE GC_INLINE unsigned
gc_filter_four_neon(const uintptr_t *words, uintptr_t base, size_t bytes) {
  return gc_filter_two_neon(words, base, bytes) | gc_filter_two_neon(words + 2, base, bytes) << 2;
}

#define GC_SMALL_FILTER_NEON \
  ((struct gc_small_filter){gc_filter_four_neon, gc_pack_four_scalar, gc_pack_two_scalar})
