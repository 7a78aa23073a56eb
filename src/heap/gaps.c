// Gaps.  See gaps.h.
#include "heap/gaps.h"

#include "base/hooks.h"
#include "heap/ahead.h"
#include "heap/heap.h"
#include "heap/slot_bytes_inl.h"
#include "os/memory.h"
#include "os/writes.h"

enum {
  CALLS_IN_PAUSE = 16, // of the system, some 2 us each; the page at hand is finished
  CALLS_AT_ONCE = 64,
  LOOKED_AT_ONCE = 512, // pages
  AGE_SHARE = 4         // of the time for which free pages are kept
};

static GC_STATE struct {
  int calls_left;
  uint32_t hand; // the page that was looked at last
} gaps;          // [gc_lock]

// What is given back reads as clean, or each harvest would find it.
static void
release(uint32_t page, struct gc_range gap) {
  gaps.calls_left--;
  if (!gc_os_release((void *)(uintptr_t)gap.base, gc_range_bytes(gap)))
    return;
  gc_heap.gaps_bytes += gc_range_bytes(gap);
  if (gc_page_set_has(gc_heap.scanned, page))
    gc_writes_note_released(gap);
}

static void
empty(uint32_t page) {
  struct gc_page_info *info = &gc_heap.infos[page];
  const uint8_t *bytes = gc_heap_slot_bytes(gc_heap.pages[page].line);
  size_t slot_bytes = gc_classes[info->class].slot_bytes, os_page_bytes = gc_os_page_bytes();
  char *base = gc_heap_page_address(page);
  for (size_t first = 0, limit = 0; limit < info->slots; first = limit) {
    first = gc_slots_find_free(bytes, first, info->slots);
    limit = gc_slots_find_used(bytes, first, info->slots);
    size_t end = limit == info->slots ? (size_t)info->span_pages << GC_PAGE_SHIFT : limit * slot_bytes;
    struct gc_range gap = {base + gc_round_up(first * slot_bytes, os_page_bytes),
                           base + gc_round_down(end, os_page_bytes)};
    if (first < limit && gap.base < gap.limit)
      release(page, gap);
  }
  info->flags = (info->flags & (uint8_t)~GC_PAGE_RESTING) | GC_PAGE_EMPTIED;
}

static bool
is_wanted(void) {
  bool huge = gc_heap.huge_state == GC_HUGE_QUICK || gc_heap.huge_state == GC_HUGE_ON_TRIAL;
  return !huge && gc_tunables.unmap_threshold != 0;
}

void
gc_gaps_rest(uint32_t page) {
  struct gc_page_info *info = &gc_heap.infos[page];
  if (info->flags & GC_PAGE_EMPTIED)
    return;
  if (!(info->flags & GC_PAGE_RESTING)) {
    info->flags |= GC_PAGE_RESTING;
    info->freed_at_ms = gc_heap.now_ms;
  } else if (gaps.calls_left > 0 &&
             gc_heap.now_ms - info->freed_at_ms >= gc_tunables.release_ms / AGE_SHARE) {
    empty(page);
  }
}

void
gc_gaps_begin_stw(void) {
  gaps.calls_left = is_wanted() ? CALLS_IN_PAUSE : 0;
}

// At least half of it is free, and has been since the last cycle.
static bool
has_rested(uint32_t page) {
  const struct gc_page_info *info = &gc_heap.infos[page];
  return info->listed > GC_EMPTINESS / 2 && !gc_page_set_has(gc_heap.young, page);
}

void
gc_gaps_look(void) {
  if (!is_wanted())
    return;
  gaps.calls_left = CALLS_AT_ONCE;
  uint32_t page = gaps.hand;
  for (unsigned looked = 0; looked < LOOKED_AT_ONCE && page < gc_heap.frontier; looked++) {
    page = (uint32_t)gc_page_set_next(gc_heap.used, page + 1, gc_heap.frontier);
    if (page < gc_heap.frontier && has_rested(page))
      gc_gaps_rest(page);
  }
  gaps.hand = page < gc_heap.frontier ? page : 0;
}

bool
gc_gaps_release_some(uint32_t *from, uint32_t pages) {
  uint32_t limit = gc_min(*from + pages, gc_heap.frontier);
  for (uint32_t page = *from; (page = (uint32_t)gc_page_set_next(gc_heap.used, page, limit)) < limit;
       page++) {
    const struct gc_page_info *info = &gc_heap.infos[page];
    if (info->listed && !(info->flags & GC_PAGE_EMPTIED))
      empty(page);
  }
  *from = limit;
  return limit < gc_heap.frontier;
}
