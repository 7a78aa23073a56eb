// Searching slot bytes (page.h), eight at a time.
#pragma once

#include <string.h>

#include "heap/page.h"

// Of eight bytes as one word, the first that is not 0.
static inline size_t
gc_slots_first(uint64_t bytes) {
  return (size_t)__builtin_ctzll(bytes) / 8; // both architectures are little-endian
}

static inline uint64_t
gc_slots_eight(const uint8_t *bytes) {
  uint64_t word;
  memcpy(&word, bytes, sizeof word);
  return word;
}

// Of the eight slots that `slot` is among, those from it on whose byte is `value`: a bit in each one's byte
// of the result.  There is memory for whole lines, so some may lie behind the span's last slot.
static inline uint64_t
gc_slots_of_eight(const uint8_t *bytes, size_t slot, uint8_t value) {
  const uint64_t ones = 0x0101010101010101, low = 0x7f * ones;
  uint64_t others = gc_slots_eight(bytes + slot / 8 * 8) ^ value * ones; // zero where there is the value
  return ~(((others & low) + low) | others | low) & UINT64_MAX << slot % 8 * 8;
}

// The first FREE slot from `slot` on, or `slots`.
static inline size_t
gc_slots_find_free(const uint8_t *bytes, size_t slot, size_t slots) {
  for (; slot + 8 <= slots; slot += 8) {
    uint64_t word = gc_slots_eight(bytes + slot);
    uint64_t free = (word - 0x0101010101010101) & ~word & 0x8080808080808080; // the first is right
    if (free)
      return slot + gc_slots_first(free);
  }
  while (slot < slots && bytes[slot] != GC_SLOT_FREE)
    slot++;
  return slot;
}

// The first slot from `slot` on that is not FREE, or `slots`.
static inline size_t
gc_slots_find_used(const uint8_t *bytes, size_t slot, size_t slots) {
  for (; slot + 8 <= slots; slot += 8) {
    uint64_t used = gc_slots_eight(bytes + slot);
    if (used)
      return slot + gc_slots_first(used);
  }
  while (slot < slots && bytes[slot] == GC_SLOT_FREE)
    slot++;
  return slot;
}
