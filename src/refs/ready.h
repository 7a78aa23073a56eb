// Queues of what is ready to be called: finalizers with their objects, cleaners.
//
//   pause: gc_ready_push_stw --> queue --> gc_ready_take --> called, with no lock held
//
// What waits in a queue is alive: the items are roots.  A word in a root that lies on the start of an object
// also keeps the one before it, which it may point just past; these do not: they are stored as pointers into
// the middle of a granule.  All [gc_lock] unless said otherwise.
#pragma once

#include "base/atomic.h"
#include "os/memory.h"

struct gc_ready_item {
  void *object;           // NULL: a cleaner
  void (*function)(void); // GC_finalization_proc or GC_cleaner_proc
  void *data;
};

// As it is stored: addresses of functions have 56 bits, and below them is where in their granules the words
// belong.
struct gc_ready_entry {
  uintptr_t object; // 0: none
  uintptr_t data;   // any word, moved
  uintptr_t function_and_places;
};

enum {
  GC_READY_PLACE = GC_GRANULE_BYTES - 1,
  GC_READY_DATA_SHIFT = GC_GRANULE_SHIFT,
  GC_READY_FUNCTION_SHIFT = 2 * GC_GRANULE_SHIFT
};

// To the middle of its granule.
static inline uintptr_t
gc_ready_move(uintptr_t word) {
  return (word & ~(uintptr_t)GC_READY_PLACE) + GC_GRANULE_BYTES / 2;
}

// And back.
static inline void *
gc_ready_move_back(uintptr_t word, uintptr_t places) {
  return (void *)(word - GC_GRANULE_BYTES / 2 + (places & GC_READY_PLACE));
}

struct gc_ready_queue {
  struct gc_ready_entry *items;
  size_t head, limit; // [head, limit) are waiting
  size_t capacity;
  struct gc_atomic count; // limit - head [also read without the lock]
  bool has_more;          // something came after the owner was told last
};

// Room for one more.  false if memory is refused.
bool gc_ready_reserve(struct gc_ready_queue *queue);

// There is room.
static inline void
gc_ready_push(struct gc_ready_queue *queue, struct gc_ready_item item) {
  uintptr_t object = (uintptr_t)item.object, data = (uintptr_t)item.data;
  uintptr_t places = (object & GC_READY_PLACE) | (data & GC_READY_PLACE) << GC_READY_DATA_SHIFT;
  queue->items[queue->limit++] = (struct gc_ready_entry){
      .object = object ? gc_ready_move(object) : 0,
      .data = gc_ready_move(data),
      .function_and_places = (uintptr_t)item.function << GC_READY_FUNCTION_SHIFT | places,
  };
  queue->has_more = true;
  gc_atomic_store_relaxed(&queue->count, queue->limit - queue->head);
}

// The oldest one.  false if there is none.
bool gc_ready_take(struct gc_ready_queue *queue, struct gc_ready_item *item);

// Append the items to the roots.  false if memory is refused.
bool gc_ready_roots(const struct gc_ready_queue *queue, struct gc_range_array *roots);

// Give the memory back; nothing waits any more.
void gc_ready_destroy(struct gc_ready_queue *queue);
