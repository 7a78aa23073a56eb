// Calling what is ready.
//
//   in the pause                       gc_queues_news is set
//   then, by a thread that allocates   gc_run_attend: owners of queues are told; of the collector's own queue
//   or has collected                   the notifier or the collector's thread is, or what is in it is called
//
// No lock is held while the program's functions run.
#pragma once

#include "base/atomic.h"
#include "refs/queues.h"

// The settings of gc.h that are no variables (base/variables.h); words that setters write and that are
// read whole.
struct gc_run_settings {
  int (*toggle)(void *object);
  size_t at_most; // finalizers for one GC_invoke_finalizers; 0: all
  int own_thread;
};
extern struct gc_run_settings gc_run_settings;

// Attend to what has become ready.  No lock is held.
void gc_run_attend(void);

// Call what is ready in a queue: at most `count` functions, none after `deadline_ns`; 0: no bound.  Returns
// how many.  The calling thread is attached.
size_t gc_run_drain(struct gc_queue *queue, size_t count, uint64_t deadline_ns);

// Start the collector's thread for that, or let it end.  false if there can be none.
bool gc_run_set_thread(bool on);

void gc_run_after_fork_child(void);
