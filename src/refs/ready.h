// Queues of what is ready to be called: finalizers with their objects, cleaners.
//
//   pause: gc_ready_push_stw --> queue --> gc_ready_take --> called, with no lock held
//
// What waits in a queue is alive: the items are roots.  A word in a root that lies on the start of an object
// also keeps the one before it, which it may point just past; these do not, so they are stored as pointers to
// bytes further on.  All [gc_lock] unless said otherwise.
#pragma once

#include "base/atomic.h"
#include "os/memory.h"

struct gc_ready_item {
  void *object;           // NULL: a cleaner
  void (*function)(void); // GC_finalization_proc or GC_cleaner_proc
  void *data;
};

// As it is stored.
struct gc_ready_entry {
  uintptr_t object; // 0, or one that was moved
  uintptr_t data;   // any word, moved
  void (*function)(void);
};

// Within its granule, from the start to the end and back: there it begins no object.  Hardly any word has
// come from the end itself.
static inline uintptr_t
gc_ready_move(const void *word) {
  const uintptr_t end = GC_GRANULE_BYTES - 1, low = (uintptr_t)word & end;
  return (uintptr_t)word ^ (low == 0 || low == end ? end : 0);
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
  queue->items[queue->limit++] = (struct gc_ready_entry){
      .object = item.object ? gc_ready_move(item.object) : 0,
      .data = gc_ready_move(item.data),
      .function = item.function,
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
