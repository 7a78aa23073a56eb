// The program's threads.
//
// A thread is in one of these states:
//
//              attach                     enter_blocking
//   (unknown) -------> RUNNING ---------------------------> BLOCKED
//       ^                |  ^                                  |
//       |     detach     |  |          leave_blocking          |
//       +----------------+  +----------------------------------+
//                                    (takes gc_lock, hence waits for a stopped world to go on)
//
// RUNNING threads are stopped by a signal.  BLOCKED ones (inside GC_do_blocking) have published their
// registers and stack pointer, promise not to touch the heap, and are left alone.
#pragma once

#include <pthread.h>
#include <sys/types.h>

#include "base/atomic.h"
#include "base/types.h"
#include "heap/cache.h"
#include "os/memory.h"
#include "world/fibers.h"

enum gc_thread_state { GC_THREAD_RUNNING, GC_THREAD_BLOCKED };

// Where a thread's descriptor and static TLS are: in `stack`; in the stack that pthreads gave it while it
// uses another; or where the loader put them, for the initial thread.
enum gc_tls_place { GC_TLS_IN_STACK, GC_TLS_IN_OTHER_STACK, GC_TLS_APART };

struct gc_thread {
  struct gc_cache cache;             // first: gc_cache_current points here
  struct gc_thread *next, *previous; // the list of all threads [gc_lock]

  // Constant while attached.
  pthread_t handle;
  pid_t tid;
  const char *thread_pointer; // the TLS base, from which the dynamic thread vector is found
  struct gc_range stack;      // of the ordinary stack; the initial thread's low end is only a bound
  enum gc_tls_place tls_place;
  struct gc_range tls_block; // descriptor and static TLS if they are in the stack that it does not use

  // What the thread shows of its stacks while it is stopped, blocked or collecting.  [owner -> collector, by
  // `answered` or `state`]
  const char *stack_pointer; // the hot end
  struct gc_range alternate; // the live part of the alternate signal stack it is on, else empty

  // Where the stack ends that the thread is on, if the program says so, which switches stacks by itself; else
  // NULL.  For the initial thread see GC_stackbottom.  [any thread, without a lock; read in a stopped world]
  char *volatile named_bottom;
  struct gc_range named_stack; // how much of that stack it was seen to use  [stw]

  // The fiber that it is on, the one before, NULL at first, and its own stack as one; see fibers.h.  [owner]
  struct gc_fiber *fiber, *previous_fiber;
  struct gc_fiber own_fiber;

  // The handshake; see stop.c.
  struct gc_atomic state;    // enum gc_thread_state  [atomic: owner -> collector; to RUNNING under gc_lock]
  struct gc_atomic request;  // the stop that it has been signalled for  [atomic: collector -> own handler]
  struct gc_atomic answered; // the last stop that it has answered  [atomic: own handler -> collector]
  volatile int handling;     // within the signal handler  [own handler; read racily by the watchdog]

  // See suspend.c.
  struct gc_atomic suspended; // futex: 1 while the program has suspended it; then it counts as BLOCKED
  bool made_blocked;          // by that  [stw -> own handler]
};

// The calling thread, or NULL.
static inline struct gc_thread *
gc_thread_current(void) {
  return (struct gc_thread *)gc_cache_current;
}

// Once, from gc_world_init.
void gc_threads_init(void);

// Attach the calling thread, which is not attached.  `stack_base` is its stack's highest address, or NULL to
// find it.  The base given counts only if it lies on another stack than the system's for this thread.  NULL
// if memory is refused.
struct gc_thread *gc_thread_attach(void *stack_base);

// The calling thread, attached if it was not.
struct gc_thread *gc_thread_ensure(void);

// The calling thread `thread` is about to change to the stack of `to`.  The one that it leaves has noted
// where it is, or will before the stack pointer leaves it.
static inline void
gc_thread_enter_fiber(struct gc_thread *thread, struct gc_fiber *to) {
  thread->previous_fiber = thread->fiber;
  to->searched = 0;
  __asm__ volatile("" ::: "memory"); // stopped in between, it is still on a fiber that it names
  thread->fiber = to;
  __asm__ volatile("" ::: "memory");
}

// Detach the calling thread: calls the hook below, unlinks and frees it.
void gc_thread_detach(void);

// Take a thread out of the list that is not there any more: it ended without detaching, or another process
// has it.  [gc_lock]
void gc_thread_drop(struct gc_thread *thread);

// What the heap wants done with a cache when its thread ends (give back runs); set once by cycle/.  Called
// under gc_lock.
extern void (*gc_world_on_detach)(struct gc_cache *cache);

// Run `function` with the callee-saved registers spilled to the stack and the calling thread's stack pointer
// published just below them, so that the frames of `function` itself are not searched.  The way into every
// collection.
void *gc_world_call_spilled(void *(*function)(void *), void *argument);

// Show where the stack of the calling thread `thread` is: its live part begins at `stack_pointer`.
// Async-signal-safe.
void gc_thread_publish_stack(struct gc_thread *thread, const char *stack_pointer);

// Call `function` as a BLOCKED thread; within that, as a RUNNING one again.  Each call nests within the
// other, and a thread that is already so just calls.  The thread must be attached.
void *gc_thread_call_blocking(void *(*function)(void *), void *argument);
void *gc_thread_call_running(void *(*function)(void *), void *argument);

// Iterate over the attached threads [gc_lock].
struct gc_thread *gc_thread_first(void);
struct gc_thread *gc_thread_next(struct gc_thread *thread);
size_t gc_thread_count(void);
