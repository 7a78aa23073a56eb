// Which of 64 words could be addresses in the heap?  Without branches, in vectors where the CPU has them.
#pragma once

#include "base/types.h"

enum { GC_FILTER_WORDS = 64 };

// Bit i is set if words[i] - base < bytes.
typedef uint64_t (*gc_filter)(const uintptr_t *words, uintptr_t base, size_t bytes);

// The best one for this CPU.
gc_filter gc_filter_choose(void);

uint64_t gc_filter_scalar(const uintptr_t *words, uintptr_t base, size_t bytes);
