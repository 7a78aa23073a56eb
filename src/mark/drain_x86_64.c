// The inner loop with AVX-512 and with AVX2, chosen when marking first starts.
#include "mark/drain_inl.h"
#include "mark/filter_x86_64_inl.h"

GC_TARGET_AVX512 GC_NO_SANITIZE static size_t
drain_avx512(struct gc_marker *marker, size_t budget) {
  return gc_drain_with(marker, budget, GC_SMALL_FILTER_AVX512);
}

GC_TARGET_AVX2 GC_NO_SANITIZE static size_t
drain_avx2(struct gc_marker *marker, size_t budget) {
  return gc_drain_with(marker, budget, GC_SMALL_FILTER_AVX2);
}

gc_drain *
gc_drain_choose(void) {
  switch (gc_cpu_vectors()) {
  case GC_CPU_AVX512:
    return drain_avx512;
  case GC_CPU_AVX2:
    return drain_avx2;
  default:
    return gc_drain_scalar;
  }
}
