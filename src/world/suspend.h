// Suspending single threads, for the program.
#pragma once

#include <pthread.h>

#include "base/types.h"

struct gc_thread;

// Suspend an attached thread until it is resumed; the calling one returns when it has been.  A suspended
// thread counts as BLOCKED.  false if there is no such thread, or it does not answer.  [gc_cycle_lock, save
// for the calling thread; spilled]
bool gc_suspend_other(pthread_t handle);
void gc_suspend_self(void);

// Is it an attached thread?  One that is about to begin is waited for.
bool gc_suspend_knows(pthread_t handle);

// false if there is no such thread, or it is not suspended.
bool gc_suspend_end(pthread_t handle);
bool gc_suspend_is_on(pthread_t handle);

// For a thread that was BLOCKED: be RUNNING, once no stop and no suspension is on.
void gc_suspend_become_running(struct gc_thread *thread);

// For the stop signal's handler when the world goes on: stay if this thread has been suspended meanwhile.
void gc_suspend_stay(struct gc_thread *thread);
