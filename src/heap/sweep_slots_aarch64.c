// Sweeping slot bytes; every AArch64 has the vectors that the compiler uses.
#include "heap/sweep.h"
#include "heap/sweep_slots_inl.h"

static size_t
sweep_slots_neon(uint8_t *bytes, size_t slots, uint8_t mark, uint8_t held) {
  return gc_sweep_slots_with(bytes, slots, mark, held);
}

gc_sweep_slots *
gc_sweep_slots_choose(void) {
  return sweep_slots_neon;
}
