// Sweeping: what bears the current mark stays, and what is held; all else is free.  It reads slot bytes only,
// never an object.
//
//            begin, world stopped                        every span swept
//   (done) -----------------------> spans in `unswept` -------------------> (done)
//
// The collector sweeps the rest in the pause or while the world runs, a few spans at a time under gc_lock.
// Caches never own a span that is unswept: those that they own when the world is stopped are swept then, and
// no others can be taken.  So whatever is NEW in an unswept span is older than the cycle, and garbage.
#pragma once

#include "heap/heap.h"

// Begin to sweep after marking: every span in use after a full cycle, else those in `young`.  The caches have
// been shielded, with `shielded_bytes`.  All [gc_lock].
void gc_sweep_begin_stw(bool full, size_t shielded_bytes);

// Sweep one span, if it is unswept.
void gc_sweep_page(uint32_t page);

// Sweep up to `spans` more spans.  false if there was nothing to sweep.  With the last one live_bytes and
// reclaimed_bytes are set.
bool gc_sweep_some(size_t spans);

// An object of `bytes` bytes that counted as alive, or would, is about to be freed by the program; or one has
// grown by so much.
void gc_sweep_note_freed(uint32_t page, size_t bytes);
void gc_sweep_note_grown(uint32_t page, size_t bytes);

// Is a sweep under way?
bool gc_sweep_is_under_way(void);

// Free every slot of a span without the mark and not held, `slots` slot bytes and what pads them to a line.
// Returns how many slots are marked.
typedef size_t gc_sweep_slots(uint8_t *bytes, size_t slots, uint8_t mark, uint8_t held);

// The best one for this CPU.
gc_sweep_slots *gc_sweep_slots_choose(void);

// After full marking that was given up: every marked object bears the mark of the last cycle again.
void gc_sweep_undo_marks_stw(uint8_t mark, uint8_t previous_mark);
