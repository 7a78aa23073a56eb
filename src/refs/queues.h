// The queues there are: the collector's own, number 0, and the program's.
//
// Numbers are not used again: what is registered with a queue that was given up finds the collector's own.
// All [gc_lock].
#pragma once

#include "refs/ready.h"

struct gc_queue {
  struct gc_ready_queue ready;
  uint32_t number;
  void (*notify)(struct gc_queue *queue, void *data); // NULL: none
  void *data;
};

// Set when there is something that gc_run_attend should see to.  [atomic: a hint]
extern struct gc_atomic gc_queues_news;

// The collector's own.
struct gc_queue *gc_queues_own(void);

// Enter a queue, which gets a number.  false if memory is refused.
bool gc_queues_add(struct gc_queue *queue);
void gc_queues_remove(struct gc_queue *queue);

// Where what is registered with a number becomes ready.
struct gc_ready_queue *gc_queues_at(uint32_t number);

// After a cycle: what waits in the collector's own queue is news again.
void gc_queues_remind(void);

// A queue of the program's in which something has become ready since it was last asked for; NULL if there is
// none.
struct gc_queue *gc_queues_next_with_news(void);

// Append what is ready to the roots.  false if memory is refused.  [stw]
bool gc_queues_roots_stw(struct gc_range_array *roots);
