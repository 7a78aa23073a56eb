// Gaps.  See gaps.h.
#include "heap/gaps.h"

#include "base/hooks.h"
#include "heap/ahead.h"
#include "heap/heap.h"
#include "heap/slot_bytes_inl.h"
#include "os/memory.h"

enum {
  EMPTIED_IN_PAUSE = 8, // pages at most, of some 5 us each
  EMPTIED_AT_ONCE = 32,
  LOOKED_AT_ONCE = 512
};

static GC_STATE struct {
  unsigned left; // how many pages may still be emptied
  uint32_t hand; // where to look next
} gaps;          // [gc_lock]

// What is given back may have to be had again soon, and costs a system call for each gap.
static void
empty(uint32_t page) {
  struct gc_page_info *info = &gc_heap.infos[page];
  const uint8_t *bytes = gc_heap_slot_bytes(gc_heap.pages[page].line);
  size_t slot_bytes = gc_classes[info->class].slot_bytes,
         span_bytes = (size_t)info->span_pages << GC_PAGE_SHIFT;
  char *base = gc_heap_page_address(page);
  for (size_t first = 0, limit = 0; limit < info->slots; first = limit) {
    first = gc_slots_find_free(bytes, first, info->slots);
    limit = gc_slots_find_used(bytes, first, info->slots);
    size_t end = limit == info->slots ? span_bytes : limit * slot_bytes;
    size_t from = gc_round_up(first * slot_bytes, gc_os_page_bytes()),
           to = gc_round_down(end, gc_os_page_bytes());
    if (first < limit && from < to && gc_os_release(base + from, to - from))
      gc_heap.gaps_bytes += to - from;
  }
}

static bool
is_wanted(void) {
  bool huge = gc_heap.huge_state == GC_HUGE_QUICK || gc_heap.huge_state == GC_HUGE_ON_TRIAL;
  return !huge && gc_tunables.unmap_threshold != 0;
}

// The page rests once more; the third time it is emptied, and then no more until it has been allocated in.
static void
rest(uint32_t page) {
  struct gc_page_info *info = &gc_heap.infos[page];
  bool next_is_last = (info->flags & GC_PAGE_EMPTIED) == GC_PAGE_EMPTIED - GC_PAGE_RESTED;
  if ((info->flags & GC_PAGE_EMPTIED) == GC_PAGE_EMPTIED || (next_is_last && gaps.left == 0))
    return;
  info->flags += GC_PAGE_RESTED;
  if (next_is_last) {
    gaps.left--;
    empty(page);
  }
}

void
gc_gaps_begin_stw(void) {
  gaps.left = is_wanted() ? EMPTIED_IN_PAUSE : 0;
}

void
gc_gaps_rest_stw(uint32_t page) {
  rest(page);
}

// At least half of it has been free since the last cycle.
static bool
has_rested(uint32_t page) {
  const struct gc_page_info *info = &gc_heap.infos[page];
  return info->listed > GC_EMPTINESS / 2 && !gc_page_set_has(gc_heap.young, page);
}

void
gc_gaps_look(void) {
  if (!is_wanted())
    return;
  gaps.left = EMPTIED_AT_ONCE;
  uint32_t page = gaps.hand;
  for (unsigned looked = 0; looked < LOOKED_AT_ONCE && page < gc_heap.frontier; looked++) {
    page = (uint32_t)gc_page_set_next(gc_heap.used, page + 1, gc_heap.frontier);
    if (page < gc_heap.frontier && has_rested(page))
      rest(page);
  }
  gaps.hand = page < gc_heap.frontier ? page : 0;
}

bool
gc_gaps_release_some(uint32_t *from, uint32_t pages) {
  uint32_t limit = gc_min(*from + pages, gc_heap.frontier);
  for (uint32_t page = *from; (page = (uint32_t)gc_page_set_next(gc_heap.used, page, limit)) < limit; page++)
    if (gc_heap.infos[page].listed && !gc_page_set_has(gc_heap.unswept, page))
      empty(page);
  *from = limit;
  return limit < gc_heap.frontier;
}
