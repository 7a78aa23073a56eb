// fork.
//
// With gc_cycle_lock and gc_lock taken in the parent no collection is under way and no list is half changed
// when the kernel copies the process; nor do we hold the loader's lock, which glibc does not make anew in the
// child.  The other threads' caches and stacks are in the copy, the threads are not: their caches go back to
// the heap.
//
// vfork and posix_spawn run no handlers and need none: the child borrows the memory and uses none of ours,
// and the thread that waits for it answers a stop when the child has gone.
#include "world/fork.h"

#include <pthread.h>

#include "base/check.h"
#include "base/lock.h"
#include "os/threads.h"
#include "world/roots.h"
#include "world/start.h"
#include "world/threads.h"

struct gc_fork_hooks gc_world_fork_hooks;

static void
run_hook(void (*hook)(void)) {
  if (hook)
    hook();
}

static void
prepare(void) {
  run_hook(gc_world_fork_hooks.prepare);
  gc_lock_acquire(&gc_lock);
}

static void
go_on_in_parent(void) {
  gc_lock_release(&gc_lock);
  run_hook(gc_world_fork_hooks.parent);
}

// They went on while the system copied one page of theirs after the other: no cache is of one moment.
static void
drop_others(void) {
  struct gc_thread *next;
  for (struct gc_thread *thread = gc_thread_first(); thread; thread = next) {
    next = gc_thread_next(thread);
    if (thread == gc_thread_current())
      continue;
    thread->cache.busy = 1;
    gc_thread_drop(thread);
  }
}

static void
go_on_in_child(void) {
  struct gc_thread *thread = gc_thread_current();
  if (thread)
    thread->tid = gc_os_thread_id();
  drop_others();
  gc_roots_after_fork_child();
  gc_start_after_fork_child();
  gc_lock_reinitialize_forked(&gc_lock);
  run_hook(gc_world_fork_hooks.child);
}

void
gc_fork_init(void) {
  int error = pthread_atfork(prepare, go_on_in_parent, go_on_in_child);
  GC_CHECK(error == 0, "fork cannot be watched (error %d)", error);
}
