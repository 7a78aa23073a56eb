// The live parts of a thread's stacks.
#pragma once

#include "os/memory.h"
#include "world/threads.h"

// Append them to `roots`; the thread is stopped, blocked, or collecting.  false if memory is refused.
bool gc_thread_push_stacks_stw(const struct gc_thread *thread, struct gc_range_array *roots);
