// Eager sweep, one pass over the page table.  See sweep.h.
#include "heap/sweep.h"

#include <string.h>

static void
list_page(uint32_t page, unsigned kind, unsigned class) {
  struct gc_page_info *info = &gc_heap.infos[page];
  unsigned emptiness = (unsigned)(info->free_slots * GC_EMPTINESS / (info->slots + 1u));
  uint32_t *head = &gc_heap.lists[kind][class][emptiness];
  info->next = *head;
  *head = page;
}

// Returns the bytes that live on.
static size_t
sweep_span(uint32_t page, gc_sweep_slots *sweep_slots) {
  const struct gc_page *hot = &gc_heap.pages[page];
  struct gc_page_info *info = &gc_heap.infos[page];
  size_t marked = sweep_slots(gc_heap_slot_bytes(hot->line), info->slots, gc_heap.mark);
  info->free_slots = (uint16_t)(info->slots - marked);
  if (info->flags & GC_PAGE_OWNED)
    return marked * gc_classes[info->class].slot_bytes;
  info->flags = 0;
  if (marked == 0) {
    gc_line_free(hot->line, info->slots);
    gc_span_free(page, info->span_pages);
  } else if (info->free_slots > 0) {
    list_page(page, hot->kind, info->class);
  }
  return marked * gc_classes[info->class].slot_bytes;
}

static size_t
sweep_large(uint32_t page) {
  uint8_t *byte = gc_heap_slot_bytes(gc_heap.pages[page].line);
  if (*byte == gc_heap.mark)
    return (size_t)gc_heap.infos[page].span_pages << GC_PAGE_SHIFT;
  gc_large_free(page);
  return 0;
}

void
gc_sweep_stw(size_t shielded_bytes) {
  gc_sweep_slots *sweep_slots = gc_sweep_slots_choose();
  size_t allocated_bytes = gc_heap.allocated_bytes + gc_heap.carried_bytes - shielded_bytes;
  size_t before_bytes = gc_heap.live_bytes + allocated_bytes - gc_heap.freed_bytes;
  size_t live_bytes = 0;
  memset(gc_heap.lists, 0, sizeof gc_heap.lists);
  for (uint32_t page = 1, next; page < gc_heap.frontier; page = next) {
    next =
        page + 1; // free spans are walked page by page: freeing a span may just have merged with the next one
    unsigned state = gc_heap.pages[page].state;
    if (state == GC_PAGE_FREE_CLEAN || state == GC_PAGE_FREE_DIRTY)
      continue;
    next = page + gc_heap.infos[page].span_pages;
    live_bytes += state == GC_PAGE_SLOTS ? sweep_span(page, sweep_slots) : sweep_large(page);
  }
  gc_heap.live_bytes = live_bytes - gc_min(live_bytes, shielded_bytes);
  gc_heap.reclaimed_before_bytes += gc_heap.reclaimed_bytes;
  gc_heap.reclaimed_bytes = before_bytes > gc_heap.live_bytes ? before_bytes - gc_heap.live_bytes : 0;
  gc_heap.allocated_before_bytes += allocated_bytes;
  gc_heap.carried_bytes = shielded_bytes;
  gc_heap.allocated_bytes = gc_heap.freed_bytes = 0;
}

void
gc_sweep_undo_marks_stw(uint8_t mark, uint8_t previous_mark) {
  for (uint32_t page = 1; page < gc_heap.frontier; page++) {
    const struct gc_page *hot = &gc_heap.pages[page];
    if (hot->line == 0 || hot->span_offset != 0)
      continue;
    uint8_t *bytes = gc_heap_slot_bytes(hot->line);
    for (size_t slot = 0; slot < gc_heap.infos[page].slots; slot++)
      if (bytes[slot] == mark)
        bytes[slot] = previous_mark;
  }
}
