// Sweeping: what bears the current mark stays, all else is free.  It reads slot bytes only, never an object.
#pragma once

#include "heap/heap.h"

// Sweep every page, rebuild the lists of pages with free slots, free empty spans, and set the heap's
// live_bytes (without `shielded_bytes`, which are marked and no objects).  The caches must have been
// shielded.
void gc_sweep_stw(size_t shielded_bytes);

// Free every slot of a span without the mark, `slots` slot bytes and what pads them to a line.  Returns how
// many slots are marked.
typedef size_t gc_sweep_slots(uint8_t *bytes, size_t slots, uint8_t mark);

// The best one for this CPU.
gc_sweep_slots *gc_sweep_slots_choose(void);

// After marking that was called off: every marked object bears the mark of the last cycle again.
void gc_sweep_undo_marks_stw(uint8_t mark, uint8_t previous_mark);
