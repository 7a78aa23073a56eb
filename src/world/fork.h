// fork: the child has one thread, the one that forked, and a sound heap.
#pragma once

// What cycle/ does around a fork; set once.
struct gc_fork_hooks {
  void (*prepare)(void); // before: take gc_cycle_lock, park helpers; then gc_lock is taken here
  void (*parent)(void);  // in the parent, gc_lock released: release gc_cycle_lock
  void (*child)(void);   // in the child: helpers are gone, gc_lock has been made anew
};
extern struct gc_fork_hooks gc_world_fork_hooks;

// Once, from gc_world_init.
void gc_fork_init(void);
