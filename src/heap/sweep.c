// Sweeping, span by span.  See sweep.h.
#include "heap/sweep.h"

#include <string.h>

#include "heap/kinds.h"

// [gc_lock]
static GC_STATE struct {
  gc_sweep_slots *sweep_slots;
  bool under_way;
  bool full;
  bool recent;    // those that were young come first: most of what they held has died, so that empty pages
                  // come back early
  uint32_t next;  // spans below are swept, of the recent ones or of all
  uint32_t limit; // the frontier when it began
  size_t before_bytes;
  size_t live_bytes; // so far
} sweep;

// Count what was alive before this cycle and what is now.
static void
count_live(size_t marked_before, size_t marked, size_t slot_bytes) {
  if (!sweep.full)
    sweep.live_bytes -= gc_min(sweep.live_bytes, marked_before * slot_bytes);
  sweep.live_bytes += marked * slot_bytes;
}

// Ask about each object of the span that is about to be freed.
static void
ask_to_disclaim(uint32_t page, gc_disclaim *disclaim) {
  const struct gc_page *hot = &gc_heap.pages[page];
  uint8_t *bytes = gc_heap_slot_bytes(hot->line);
  size_t slot_bytes = hot->slot_granules * GC_GRANULE_BYTES;
  for (size_t slot = 0; slot < gc_heap.infos[page].slots; slot++)
    if (gc_slot_is_object(bytes[slot]) && bytes[slot] != gc_heap.mark &&
        disclaim(gc_heap_page_address(page) + slot * slot_bytes))
      bytes[slot] = gc_heap.mark;
}

static void
sweep_span(uint32_t page) {
  const struct gc_page *hot = &gc_heap.pages[page];
  struct gc_page_info *info = &gc_heap.infos[page];
  size_t marked_before = (size_t)info->slots - info->free_slots;
  size_t marked = sweep.sweep_slots(gc_heap_slot_bytes(hot->line), info->slots, gc_heap.mark, gc_heap.held);
  count_live(marked_before, marked, gc_classes[info->class].slot_bytes);
  info->free_slots = (uint16_t)(info->slots - marked);
  if (marked < marked_before)
    info->flags &= (uint8_t)~GC_PAGE_EMPTIED; // there may be gaps again
  if (info->flags & GC_PAGE_OWNED)
    return;
  gc_page_unlist(page);
  if (marked == 0) {
    gc_line_free(hot->line, info->slots);
    gc_span_free(page, info->span_pages);
  } else if (info->free_slots > 0) {
    gc_page_list(page);
  }
}

static void
sweep_large(uint32_t page) {
  struct gc_page_info *info = &gc_heap.infos[page];
  size_t bytes = (size_t)info->span_pages << GC_PAGE_SHIFT;
  bool marked = *gc_heap_slot_bytes(gc_heap.pages[page].line) == gc_heap.mark;
  count_live(1u - info->free_slots, marked, bytes);
  info->free_slots = !marked;
  if (!marked)
    gc_large_free(page);
}

// The lists are empty, or about to be made anew.
static void
forget_lists(void) {
  memset(gc_heap.lists, 0, sizeof gc_heap.lists);
  for (size_t page = gc_page_set_next(gc_heap.used, 1, gc_heap.frontier); page < gc_heap.frontier;
       page = gc_page_set_next(gc_heap.used, page + 1, gc_heap.frontier))
    gc_heap.infos[page].listed = 0;
}

static void
finish(void) {
  sweep.under_way = false;
  gc_heap.live_bytes = sweep.live_bytes;
  gc_heap.reclaimed_bytes = sweep.before_bytes > sweep.live_bytes ? sweep.before_bytes - sweep.live_bytes : 0;
}

void
gc_sweep_begin_stw(bool full, size_t shielded_bytes) {
  size_t allocated_bytes = gc_heap.allocated_bytes + gc_heap.carried_bytes - shielded_bytes;
  if (!sweep.sweep_slots)
    sweep.sweep_slots = gc_sweep_slots_choose();
  sweep.under_way = true;
  sweep.full = full;
  sweep.recent = true;
  sweep.next = 1;
  sweep.limit = gc_heap.frontier;
  sweep.before_bytes = gc_heap.live_bytes + allocated_bytes - gc_heap.freed_bytes;
  sweep.live_bytes = full ? 0 : gc_heap.live_bytes;
  gc_page_set_copy(gc_heap.unswept, full ? gc_heap.used : gc_heap.young, gc_heap.frontier);
  gc_page_set_copy(gc_heap.recent, gc_heap.young, gc_heap.frontier);
  gc_page_set_clear(gc_heap.young, gc_heap.frontier);
  if (full)
    forget_lists();
  gc_heap.reclaimed_before_bytes += gc_heap.reclaimed_bytes;
  gc_heap.allocated_before_bytes += allocated_bytes;
  gc_heap.carried_bytes = shielded_bytes;
  gc_heap.allocated_bytes = gc_heap.freed_bytes = 0;
}

void
gc_sweep_page(uint32_t page) {
  if (!gc_page_set_has(gc_heap.unswept, page))
    return;
  gc_disclaim *disclaim = gc_kinds[gc_heap.pages[page].kind].disclaim;
  if (GC_UNLIKELY(disclaim != NULL))
    ask_to_disclaim(page, disclaim);
  if (gc_heap.pages[page].state == GC_PAGE_LARGE)
    sweep_large(page);
  else
    sweep_span(page);
  gc_page_set_remove(gc_heap.unswept, page);
}

// Where to go on; `limit` at the end.
static uint32_t
next_span(void) {
  uint32_t next = sweep.limit;
  if (sweep.recent)
    next = (uint32_t)gc_page_set_next(gc_heap.recent, sweep.next, sweep.limit);
  if (next < sweep.limit)
    return next;
  sweep.next = sweep.recent ? 1 : sweep.next;
  sweep.recent = false;
  return (uint32_t)gc_page_set_next(gc_heap.unswept, sweep.next, sweep.limit);
}

bool
gc_sweep_some(size_t spans) {
  if (!sweep.under_way)
    return false;
  for (; spans > 0; spans--) {
    uint32_t page = next_span();
    if (page >= sweep.limit) {
      finish();
      break;
    }
    gc_sweep_page(page);
    sweep.next = page + 1;
  }
  return true;
}

// What is unswept is not yet in the sweep's own count.
void
gc_sweep_note_freed(uint32_t page, size_t bytes) {
  gc_heap.live_bytes -= gc_min(bytes, gc_heap.live_bytes);
  if (sweep.under_way && !gc_page_set_has(gc_heap.unswept, page))
    sweep.live_bytes -= gc_min(bytes, sweep.live_bytes);
}

void
gc_sweep_note_grown(uint32_t page, size_t bytes) {
  gc_heap.live_bytes += bytes;
  if (sweep.under_way && !gc_page_set_has(gc_heap.unswept, page))
    sweep.live_bytes += bytes;
}

bool
gc_sweep_is_under_way(void) {
  return sweep.under_way;
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
