// libgc's further ways with threads: its lock, stacks that programs switch by themselves, stopping the world,
// suspending single threads.
#define GC_THREADS
#define GC_NO_THREAD_REDIRECTS
#include "world/threads.h"
#include "api/init.h"
#include "base/check.h"
#include "base/lock.h"
#include "compat/include/gc/javaxfc.h"
#include "cycle/cycle.h"
#include "os/stacks.h"
#include "world/stop.h"
#include "world/suspend.h"
#include "world/thread_roots.h"

// ---- The lock ------------------------------------------------------------------------------------------

void
GC_alloc_lock(void) {
  gc_init_ensure();
  gc_lock_acquire(&gc_lock);
}

void
GC_alloc_unlock(void) {
  gc_lock_release(&gc_lock);
}

// ---- Stacks --------------------------------------------------------------------------------------------

// Any thread may call in.
static struct gc_thread *
calling_thread(void) {
  GC_register_my_thread(NULL);
  return gc_thread_current();
}

void *
GC_get_my_stackbottom(struct GC_stack_base *base) {
  struct gc_thread *thread = calling_thread();
  base->mem_base = gc_thread_bottom(thread);
  return thread;
}

void
GC_set_stackbottom(void *handle, const struct GC_stack_base *base) {
  if (handle || gc_initialized)
    gc_thread_set_bottom(handle ? handle : calling_thread(), base->mem_base);
  else
    GC_stackbottom = base->mem_base; // the initial one
}

// ---- Stopping ------------------------------------------------------------------------------------------

static void *
stop_world(void *unused) {
  GC_CHECK(gc_world_stop(), "GC_stop_world_external: a thread does not answer");
  return unused;
}

void
GC_stop_world_external(void) {
  gc_init_ensure();
  gc_cycle_acquire();
  gc_world_call_spilled(stop_world, NULL);
}

void
GC_start_world_external(void) {
  gc_world_resume();
  gc_lock_release(&gc_cycle_lock);
}

static void *
suspend_other(void *handle) {
  gc_suspend_other((pthread_t)(uintptr_t)handle);
  return NULL;
}

void
GC_suspend_thread(GC_SUSPEND_THREAD_ID handle) {
  gc_init_ensure();
  if (gc_thread_current() && pthread_equal(handle, pthread_self())) {
    gc_suspend_self();
    return;
  }
  if (!gc_suspend_knows(handle))
    return;
  gc_cycle_acquire();
  gc_world_call_spilled(suspend_other, (void *)(uintptr_t)handle);
  gc_lock_release(&gc_cycle_lock);
}

void
GC_resume_thread(GC_SUSPEND_THREAD_ID handle) {
  gc_suspend_end(handle);
}

int
GC_is_thread_suspended(GC_SUSPEND_THREAD_ID handle) {
  return gc_suspend_is_on(handle);
}
