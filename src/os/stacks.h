// Where the calling thread's stacks are.
#pragma once

#include <pthread.h>

#include "base/types.h"

// The calling thread's ordinary stack, [lowest address, base).  A pthread's is its whole mapping without the
// guard: above the frames it contains the thread's descriptor and its static TLS.  The initial thread's
// begins above the arguments and the environment; its lowest address is how far it may ever grow, not memory.
// Asked from the system once per thread.
struct gc_range gc_os_stack_current(void);

// A pthread's that has not ended, from any thread; {NULL, NULL} if it cannot be found out.  Uses malloc, for
// which glibc makes an arena if the calling thread has none.
struct gc_range gc_os_stack_of(pthread_t thread);

// By a thread that has been told where its stack is, and need not ask.
void gc_os_stack_know(struct gc_range stack);

// The initial thread's, from any thread.
struct gc_range gc_os_stack_initial(void);

// The live part of the calling thread's alternate signal stack, up to its end, if `stack_pointer` is in it.
// false if it is not.
bool gc_os_stack_alternate(const char *stack_pointer, struct gc_range *live);
