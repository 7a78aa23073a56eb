// Suspending single threads.  See suspend.h.
//
// A thread is suspended while the world is stopped, when it holds no lock of the collector's and has shown
// its stack.  If it was RUNNING it is made BLOCKED there and then, so that the next stop does not wait for
// it, and its handler, instead of returning, waits to be resumed.  If it was BLOCKED it waits when it wants
// to be RUNNING again.
#include "world/suspend.h"

#include "base/lock.h"
#include "os/futex.h"
#include "os/threads.h"
#include "world/start.h"
#include "world/stop.h"
#include "world/threads.h"

// [gc_lock]
static struct gc_thread *
find_thread(pthread_t handle) {
  struct gc_thread *thread = gc_thread_first();
  while (thread && !pthread_equal(thread->handle, handle))
    thread = gc_thread_next(thread);
  return thread;
}

static bool
is_attached(pthread_t handle) {
  gc_lock_acquire(&gc_lock);
  bool found = find_thread(handle) != NULL;
  gc_lock_release(&gc_lock);
  return found;
}

bool
gc_suspend_knows(pthread_t handle) {
  enum { LOOK_AGAIN_US = 50 };
  bool attached;
  while (!(attached = is_attached(handle)) && gc_start_is_any_given())
    gc_os_thread_delay(LOOK_AGAIN_US);
  return attached || is_attached(handle); // it may have begun in between
}

struct suspension {
  pthread_t handle;
  bool done;
};

static void
suspend_stw(void *suspension_) {
  struct suspension *suspension = suspension_;
  struct gc_thread *thread = find_thread(suspension->handle);
  if (!thread)
    return;
  gc_atomic_store_relaxed(&thread->suspended, 1);
  if (gc_atomic_load_relaxed(&thread->state) == GC_THREAD_RUNNING) {
    gc_atomic_store_relaxed(&thread->state, GC_THREAD_BLOCKED);
    thread->made_blocked = true;
  }
  suspension->done = true;
}

bool
gc_suspend_other(pthread_t handle) {
  struct suspension suspension = {.handle = handle};
  return gc_world_call_stopped(suspend_stw, &suspension) && suspension.done;
}

static void *
do_nothing(void *unused) {
  return unused;
}

void
gc_suspend_self(void) {
  gc_atomic_store_relaxed(&gc_thread_current()->suspended, 1);
  gc_thread_call_blocking(do_nothing, NULL);
}

bool
gc_suspend_end(pthread_t handle) {
  gc_lock_acquire(&gc_lock);
  struct gc_thread *thread = find_thread(handle);
  bool suspended = thread && gc_atomic_load_relaxed(&thread->suspended);
  if (suspended) {
    gc_atomic_store_release(&thread->suspended, 0);
    gc_futex_wake_all(&thread->suspended);
  }
  gc_lock_release(&gc_lock);
  return suspended;
}

bool
gc_suspend_is_on(pthread_t handle) {
  gc_lock_acquire(&gc_lock);
  struct gc_thread *thread = find_thread(handle);
  bool suspended = thread && gc_atomic_load_relaxed(&thread->suspended);
  gc_lock_release(&gc_lock);
  return suspended;
}

// The lock is the collector's while the world is stopped.
void
gc_suspend_become_running(struct gc_thread *thread) {
  gc_lock_acquire(&gc_lock);
  while (gc_atomic_load_relaxed(&thread->suspended)) {
    gc_lock_release(&gc_lock);
    gc_futex_wait(&thread->suspended, 1, GC_FUTEX_FOREVER);
    gc_lock_acquire(&gc_lock);
  }
  gc_atomic_store_relaxed(&thread->state, GC_THREAD_RUNNING);
  gc_lock_release(&gc_lock);
}

void
gc_suspend_stay(struct gc_thread *thread) {
  if (!thread->made_blocked)
    return;
  thread->made_blocked = false;
  gc_suspend_become_running(thread);
}
