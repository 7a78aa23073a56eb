// AArch64 has vectors always.
#include "mark/filter_aarch64_inl.h"

GC_NO_SANITIZE static uint64_t
filter_neon(const uintptr_t *words, uintptr_t base, size_t bytes) {
  return gc_filter_with(words, base, bytes, GC_SMALL_FILTER_NEON);
}

gc_filter
gc_filter_choose(void) {
  return filter_neon;
}
