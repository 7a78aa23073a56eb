// The few instructions of a switch between stacks, in fiber_switch_<machine>.S.
#pragma once

#include "base/types.h"

// Save the registers that a call keeps in a frame on the stack, its address in *from, and go on in the frame
// *to, which becomes NULL.  Returns when somebody goes on in *from, in whatever thread.
void gc_fiber_swap(void **from, void **to);

// Make a frame below `limit`, a multiple of 16, that goes on with start(argument), which does not return.
// Gives its address.
void *gc_fiber_prepare(const char *limit, void (*start)(void *argument), void *argument);

// GC_fiber_note_switch, which the assembler has spilled these registers of its caller for; the caller's frame
// begins at `registers + count`.
struct gc_fiber;
void gc_fiber_note(struct gc_fiber *to, const uintptr_t *registers, size_t count);

enum { GC_FIBER_REGISTERS_MAX = 20 }; // that a call keeps, on any machine
