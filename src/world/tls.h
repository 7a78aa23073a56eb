// Where a thread keeps what is its own: thread-local variables and pthread_setspecific's values.
//
//   in a pthread's stack mapping, above the frames: descriptor, static TLS, the first 32 specific values
//   elsewhere, for the initial thread and those on foreign stacks: the same
//   from malloc: TLS blocks of libraries that came with dlopen, specific values 32 and above
#pragma once

#include "os/memory.h"
#include "world/threads.h"

// Once, within gc_images_call.
void gc_tls_init(void);

// Append to `roots` what lies outside the thread's stack.  false if memory is refused.
bool gc_tls_push_stw(const struct gc_thread *thread, struct gc_range_array *roots);

// Whether blocks of other threads than the collecting one cannot be found, since glibc's layout is not the
// one we know.
bool gc_tls_is_incomplete(void);
