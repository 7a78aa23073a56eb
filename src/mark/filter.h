// Which words of a block could be addresses in the heap?  Without branches, in vectors where the CPU has
// them.
#pragma once

#include "base/types.h"

enum { GC_FILTER_WORDS = 64 };

// What the inner loop asks of a few words.  Four at most, because a load that reaches into the next cache
// line would wait for that line, too; and two, since objects are multiples of two.
//
// Packing reads each word once and stores words[i] - base for each where that is less than `bytes`, one after
// the other, and returns how many there are.  It may write as many as there are words.
struct gc_small_filter {
  unsigned (*four)(const uintptr_t *words, uintptr_t base, size_t bytes); // bit i: words[i] - base < bytes
  size_t (*pack_four)(const uintptr_t *words, uintptr_t base, size_t bytes, size_t *packed);
  size_t (*pack_two)(const uintptr_t *words, uintptr_t base, size_t bytes, size_t *packed);
};

GC_NO_SANITIZE GC_INLINE unsigned
gc_filter_two_scalar(const uintptr_t *words, uintptr_t base, size_t bytes) {
  return (unsigned)(words[0] - base < bytes) | (unsigned)(words[1] - base < bytes) << 1;
}

GC_NO_SANITIZE GC_INLINE unsigned
gc_filter_four_scalar(const uintptr_t *words, uintptr_t base, size_t bytes) {
  return gc_filter_two_scalar(words, base, bytes) | gc_filter_two_scalar(words + 2, base, bytes) << 2;
}

GC_NO_SANITIZE GC_INLINE size_t
gc_pack_two_scalar(const uintptr_t *words, uintptr_t base, size_t bytes, size_t *packed) {
  size_t first = *(const volatile uintptr_t *)&words[0] - base;
  size_t second = *(const volatile uintptr_t *)&words[1] - base;
  size_t one = first < bytes;
  packed[0] = first;
  packed[one] = second;
  return one + (second < bytes);
}

GC_NO_SANITIZE GC_INLINE size_t
gc_pack_four_scalar(const uintptr_t *words, uintptr_t base, size_t bytes, size_t *packed) {
  size_t count = gc_pack_two_scalar(words, base, bytes, packed);
  return count + gc_pack_two_scalar(words + 2, base, bytes, packed + count);
}

#define GC_SMALL_FILTER_SCALAR \
  ((struct gc_small_filter){gc_filter_four_scalar, gc_pack_four_scalar, gc_pack_two_scalar})

// Bit i is set if words[i] - base < bytes, for all of 64 words: for roots, which hold few addresses.
typedef uint64_t (*gc_filter)(const uintptr_t *words, uintptr_t base, size_t bytes);

// The best one for this CPU.
gc_filter gc_filter_choose(void);

uint64_t gc_filter_scalar(const uintptr_t *words, uintptr_t base, size_t bytes);

// 64 words by fours.
GC_NO_SANITIZE GC_INLINE uint64_t
gc_filter_with(const uintptr_t *words, uintptr_t base, size_t bytes, struct gc_small_filter filter) {
  uint64_t mask = 0;
  for (unsigned i = 0; i < GC_FILTER_WORDS; i += 4)
    mask |= (uint64_t)filter.four(words + i, base, bytes) << i;
  return mask;
}
