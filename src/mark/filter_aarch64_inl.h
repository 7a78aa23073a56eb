// The block filter for AArch64's vectors.
#pragma once

#include <arm_neon.h>

#include "mark/filter.h"

GC_NO_SANITIZE GC_INLINE unsigned
gc_block_filter_neon(const uintptr_t *words, size_t count, uintptr_t base, size_t bytes) {
  uint64x2_t bases = vdupq_n_u64(base);
  uint64x2_t limit = vdupq_n_u64(bytes);
  unsigned mask = 0;
  for (unsigned i = 0; i < count; i += 2) {
    uint64x2_t inside = vcltq_u64(vsubq_u64(vld1q_u64((const uint64_t *)words + i), bases), limit);
    mask |= (unsigned)(vgetq_lane_u64(inside, 0) & 1) << i | (unsigned)(vgetq_lane_u64(inside, 1) & 1)
                                                                 << (i + 1);
  }
  return mask;
}
