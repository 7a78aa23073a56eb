// The live parts of a thread's stacks.
#pragma once

#include "os/memory.h"
#include "world/threads.h"

// Where the initial thread's stack ends (libgc's variable).  A program that switches that thread's stacks by
// itself assigns it, at any moment.
extern __attribute__((visibility("default"))) char *GC_stackbottom;

// Set it, unless the program has.  Once, from the start.
void gc_thread_roots_init(void);

// Where a thread's stack ends, by what the program says or else the system; and say so.
char *gc_thread_bottom(const struct gc_thread *thread);
void gc_thread_set_bottom(struct gc_thread *thread, char *bottom);

// Append them to `roots`, and note which fibers run; the thread is stopped, blocked, or collecting.  false if
// memory is refused.
bool gc_thread_push_stacks_stw(struct gc_thread *thread, struct gc_range_array *roots);
