// AArch64 has vectors always.
#include <arm_neon.h>

#include "mark/filter.h"

GC_NO_SANITIZE static uint64_t
filter_neon(const uintptr_t *words, uintptr_t base, size_t bytes) {
  uint64x2_t bases = vdupq_n_u64(base);
  uint64x2_t limit = vdupq_n_u64(bytes);
  uint64_t mask = 0;
  for (unsigned i = 0; i < GC_FILTER_WORDS; i += 2) {
    uint64x2_t inside = vcltq_u64(vsubq_u64(vld1q_u64((const uint64_t *)words + i), bases), limit);
    mask |= (uint64_t)(vgetq_lane_u64(inside, 0) & 1) << i | (uint64_t)(vgetq_lane_u64(inside, 1) & 1)
                                                                 << (i + 1);
  }
  return mask;
}

gc_filter
gc_filter_choose(void) {
  return filter_neon;
}
