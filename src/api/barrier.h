// The barrier of gc.h: telling writes.
#pragma once

#include "base/types.h"

// Once, from GC_init, when the heap has its address space.
void gc_barrier_init(void);

// Whether GC_write_barrier takes note of anything.  On before the collector relies on it, off after that.
void gc_barrier_enable(bool on);
