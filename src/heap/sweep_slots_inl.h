// Sweeping one span's slot bytes, 32 at a time; compiled for each instruction set that sweep_slots_<cpu>.c
// chooses from.
#pragma once

#include <string.h>

#include "heap/page.h"

typedef uint8_t gc_byte_vector __attribute__((vector_size(32)));
_Static_assert(GC_LINE_SLOTS % sizeof(gc_byte_vector) == 0, "lines hold whole vectors");

// The sum of a vector's bytes.  By pointer: how vectors are passed depends on the instruction set.
GC_INLINE size_t
sum_bytes(const gc_byte_vector *bytes) {
  const uint64_t every_second_byte = 0x00ff00ff00ff00ff, ones = 0x0001000100010001;
  uint64_t words[sizeof *bytes / sizeof(uint64_t)], pairs = 0;
  memcpy(words, bytes, sizeof *bytes);
  for (size_t i = 0; i < sizeof *bytes / sizeof(uint64_t); i++)
    pairs += (words[i] & every_second_byte) + (words[i] >> 8 & every_second_byte);
  return pairs * ones >> 48;
}

// Free every slot without the mark, save held ones.  Returns how many slots are marked.  Lanes count up to
// 128 (4096 slots), their sum up to 4096, without overflow.
GC_INLINE size_t
gc_sweep_slots_with(uint8_t *bytes, size_t slots, uint8_t mark, uint8_t held) {
  gc_byte_vector counts = {0};
  for (size_t i = 0; i < slots; i += sizeof(gc_byte_vector)) {
    gc_byte_vector lanes;
    memcpy(&lanes, bytes + i, sizeof lanes);
    gc_byte_vector marked = (gc_byte_vector)(lanes == mark);
    lanes &= marked | (gc_byte_vector)(lanes == held);
    counts -= marked;
    memcpy(bytes + i, &lanes, sizeof lanes);
  }
  return sum_bytes(&counts);
}
