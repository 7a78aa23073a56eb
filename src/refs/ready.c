// Queues of what is ready.  See ready.h.
#include "refs/ready.h"

#include <string.h>

bool
gc_ready_reserve(struct gc_ready_queue *queue) {
  if (queue->limit < queue->capacity)
    return true;
  if (queue->head > queue->capacity / 2) { // taken ones make room
    memmove(queue->items, queue->items + queue->head, (queue->limit - queue->head) * sizeof *queue->items);
    queue->limit -= queue->head;
    queue->head = 0;
    return true;
  }
  void *grown = gc_os_grow(queue->items, &queue->capacity, sizeof(struct gc_ready_entry));
  if (grown)
    queue->items = grown;
  return grown != NULL;
}

bool
gc_ready_take(struct gc_ready_queue *queue, struct gc_ready_item *item) {
  if (queue->head == queue->limit)
    return false;
  const struct gc_ready_entry *entry = &queue->items[queue->head++];
  uintptr_t places = entry->function_and_places;
  *item = (struct gc_ready_item){
      .object = entry->object ? gc_ready_move_back(entry->object, places) : NULL,
      .data = gc_ready_move_back(entry->data, places >> GC_READY_DATA_SHIFT),
      .function = (void (*)(void))(places >> GC_READY_FUNCTION_SHIFT),
  };
  if (queue->head == queue->limit)
    queue->head = queue->limit = 0;
  gc_atomic_store_relaxed(&queue->count, queue->limit - queue->head);
  return true;
}

bool
gc_ready_roots(const struct gc_ready_queue *queue, struct gc_range_array *roots) {
  return queue->head == queue->limit ||
         gc_range_array_push(roots, (struct gc_range){(const char *)(queue->items + queue->head),
                                                      (const char *)(queue->items + queue->limit)});
}

void
gc_ready_destroy(struct gc_ready_queue *queue) {
  if (queue->items)
    gc_os_unmap(queue->items, queue->capacity * sizeof *queue->items);
  *queue = (struct gc_ready_queue){0};
}
