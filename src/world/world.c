// The start of the world.
#include "world/world.h"

#include "base/lock.h"
#include "world/thread_roots.h"

void
gc_world_init(void) {
  gc_threads_init();
  gc_stop_init();
  gc_thread_roots_init();
  gc_lock_acquire(&gc_cycle_lock);
  gc_roots_init();
  gc_lock_release(&gc_cycle_lock);
  gc_fork_init();
}
