// Sweeping slot bytes, with AVX2 where the CPU has it.
#include "heap/sweep.h"
#include "heap/sweep_slots_inl.h"

__attribute__((target("avx2"))) static size_t
sweep_slots_avx2(uint8_t *bytes, size_t slots, uint8_t mark, uint8_t held) {
  return gc_sweep_slots_with(bytes, slots, mark, held);
}

static size_t
sweep_slots_sse2(uint8_t *bytes, size_t slots, uint8_t mark, uint8_t held) {
  return gc_sweep_slots_with(bytes, slots, mark, held);
}

gc_sweep_slots *
gc_sweep_slots_choose(void) {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx2") ? sweep_slots_avx2 : sweep_slots_sse2;
}
