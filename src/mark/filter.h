// Which words of a block could be addresses in the heap?  Without branches, in vectors where the CPU has
// them.
#pragma once

#include "base/types.h"

enum { GC_BLOCK_WORDS = 8, GC_FILTER_WORDS = 64 };

// Bit i is set if i < count and words[i] - base < bytes.  `count` is 2 to 8 and even; no word behind it is
// read.
typedef unsigned gc_block_filter(const uintptr_t *words, size_t count, uintptr_t base, size_t bytes);

GC_NO_SANITIZE GC_INLINE unsigned
gc_block_filter_scalar(const uintptr_t *words, size_t count, uintptr_t base, size_t bytes) {
  unsigned mask = 0;
  for (unsigned i = 0; i < count; i++)
    mask |= (unsigned)(words[i] - base < bytes) << i;
  return mask;
}

// Bit i is set if words[i] - base < bytes, for all of 64 words: for roots, which hold few addresses.
typedef uint64_t (*gc_filter)(const uintptr_t *words, uintptr_t base, size_t bytes);

// The best one for this CPU.
gc_filter gc_filter_choose(void);

uint64_t gc_filter_scalar(const uintptr_t *words, uintptr_t base, size_t bytes);

// 64 words by blocks.
GC_NO_SANITIZE GC_INLINE uint64_t
gc_filter_with(const uintptr_t *words, uintptr_t base, size_t bytes, gc_block_filter *filter) {
  uint64_t mask = 0;
  for (unsigned i = 0; i < GC_FILTER_WORDS; i += GC_BLOCK_WORDS)
    mask |= (uint64_t)filter(words + i, GC_BLOCK_WORDS, base, bytes) << i;
  return mask;
}
