// Initialisation on first use.
#pragma once

#include "base/types.h"

// [written once, under init's once-control; a thread that sees false calls GC_init, which waits]
extern bool gc_initialized;

void gc_init_slow(void);

static inline void
gc_init_ensure(void) {
  if (GC_UNLIKELY(!__atomic_load_n(&gc_initialized, __ATOMIC_ACQUIRE)))
    gc_init_slow();
}
