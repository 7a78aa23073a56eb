// AArch64 has vectors always.
#include "mark/drain_inl.h"
#include "mark/filter_aarch64_inl.h"

GC_NO_SANITIZE static size_t
drain_neon(struct gc_marker *marker, size_t budget) {
  return gc_drain_with(marker, budget, (struct gc_drain_vectors){.filter = GC_SMALL_FILTER_NEON});
}

gc_drain *
gc_drain_choose(void) {
  return drain_neon;
}
