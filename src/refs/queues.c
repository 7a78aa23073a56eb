// The queues there are.  See queues.h.
#include "refs/queues.h"

struct gc_atomic gc_queues_news;

static GC_STATE struct gc_queue own;

static GC_STATE struct {
  struct gc_queue **items; // by number, less one; NULL: given up
  size_t count, capacity;
} queues;

struct gc_queue *
gc_queues_own(void) {
  return &own;
}

static bool
reserve(void) {
  if (queues.count < queues.capacity)
    return true;
  void *grown = gc_os_grow(queues.items, &queues.capacity, sizeof(struct gc_queue *));
  if (grown)
    queues.items = grown;
  return grown != NULL;
}

bool
gc_queues_add(struct gc_queue *queue) {
  if (queues.count == UINT32_MAX - 1 || !reserve())
    return false;
  queues.items[queues.count++] = queue;
  queue->number = (uint32_t)queues.count;
  return true;
}

void
gc_queues_remove(struct gc_queue *queue) {
  queues.items[queue->number - 1] = NULL;
  gc_ready_destroy(&queue->ready);
}

struct gc_ready_queue *
gc_queues_at(uint32_t number) {
  struct gc_queue *queue = number > 0 ? queues.items[number - 1] : NULL;
  return queue ? &queue->ready : &own.ready;
}

void
gc_queues_remind(void) {
  if (own.ready.head == own.ready.limit)
    return;
  own.ready.has_more = true;
  gc_atomic_store_relaxed(&gc_queues_news, 1);
}

struct gc_queue *
gc_queues_next_with_news(void) {
  for (size_t i = 0; i < queues.count; i++) {
    struct gc_queue *queue = queues.items[i];
    if (!queue || !queue->ready.has_more)
      continue;
    queue->ready.has_more = false;
    return queue;
  }
  return NULL;
}

bool
gc_queues_roots_stw(struct gc_range_array *roots) {
  bool done = gc_ready_roots(&own.ready, roots);
  for (size_t i = 0; i < queues.count && done; i++)
    done = !queues.items[i] || gc_ready_roots(&queues.items[i]->ready, roots);
  return done;
}
