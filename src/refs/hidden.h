// Words in memory that the collector does not search, hidden nevertheless, since copies of them come to lie
// on stacks.  0 stands for what is gone; so no word that a program might hold may be hidden as 0, the
// integers that it passes as pointers included.
#pragma once

#include "base/types.h"

// The one word that is hidden as 0: no address, of the kernel either, nor next to a power of two.  It makes
// of every address a word that is none.
#define GC_HIDDEN_AS_ZERO UINT64_C(0x5b8f3c96a7d1e24d)

static inline uintptr_t
gc_hide(const void *word) {
  return (uintptr_t)word ^ GC_HIDDEN_AS_ZERO;
}

// `hidden` is not 0.
static inline void *
gc_reveal(uintptr_t hidden) {
  return (void *)(hidden ^ GC_HIDDEN_AS_ZERO);
}
