// Threads as the kernel sees them.
#pragma once

#include <sys/types.h>

#include "base/types.h"

enum { GC_OS_THREAD_NAME_BYTES = 16 };

pid_t gc_os_thread_id(void);

enum gc_os_sent { GC_OS_SENT, GC_OS_SENT_NOBODY, GC_OS_SENT_LATER };

// Send a signal to a thread of this process; 0 only asks whether the thread lives.  NOBODY: it does not.
// LATER: the kernel's queue is full.
enum gc_os_sent gc_os_thread_signal(pid_t tid, int signal_number);

// The thread's name, as set with pthread_setname_np; "?" if the kernel does not tell.
void gc_os_thread_name(pid_t tid, char name[GC_OS_THREAD_NAME_BYTES]);

// What the thread is doing: the kernel's letter for its state (R running, S asleep, D asleep and not to be
// woken, T stopped), '?' if it does not tell.
char gc_os_thread_doing(pid_t tid);

// Whether the thread blocks a signal, as far as the kernel tells.
bool gc_os_thread_blocks(pid_t tid, int signal_number);

// Sleep for a random time of at most `max_us`.  Async-signal-safe.  A test's way to rare interleavings.
void gc_os_thread_delay(unsigned max_us);
