// Memory ahead of its use.  See ahead.h.
//
// Who uses a huge page first waits until the system has cleared it, and a pause waits for who does.  That
// takes 0.1 ms as a rule; but a virtual machine whose host takes back free memory has to be given it anew,
// in 3 to 30 ms, while small pages come from what it has kept: 0.7 ms for as many.  So the background thread
// asks for the next huge pages when one comes into use, and learns how long each takes.  It asks for each
// only once: what has been released is not asked for again.
#include "heap/ahead.h"

#include "base/hooks.h"
#include "base/lock.h"
#include "heap/heap.h"
#include "os/clock.h"
#include "os/futex.h"
#include "os/memory.h"

enum {
  HUGE_PAGES = GC_HUGE_PAGE_BYTES / GC_PAGE_BYTES,
  HUGE_AHEAD = 2,
  LEARNT_FROM = 8,   // huge pages, about
  SLOW_NS = 1000000, // for one
  GROWN_TIMES = 2    // until they are tried again
};

// ---- Huge pages ----------------------------------------------------------------------------------------

bool
gc_ahead_are_huge_pages_slow(void) {
  return gc_heap.huge_slow_pages > 0;
}

static void
advise(uint32_t page, uint32_t limit, bool wanted) {
  gc_os_advise_huge_pages(gc_heap_page_address(page), (size_t)(limit - page) << GC_PAGE_SHIFT, wanted);
}

void
gc_ahead_ask_for_huge_pages(void) {
  size_t least = gc_tunables.huge_pages_min_bytes;
  uint32_t page = gc_heap.huge_from_page, limit = gc_heap.committed_pages / HUGE_PAGES * HUGE_PAGES;
  if (least == 0 || (size_t)gc_heap.committed_pages << GC_PAGE_SHIFT < least || limit <= page)
    return;
  if (gc_heap.huge_slow_pages > 0 && gc_heap.committed_pages / GROWN_TIMES >= gc_heap.huge_slow_pages) {
    gc_heap.huge_mean_ns = 0;
    gc_heap.huge_slow_pages = 0;
    page = 0;
  }
  advise(page, limit, gc_heap.huge_slow_pages == 0);
  gc_heap.huge_from_page = limit;
}

void
gc_ahead_learn(uint64_t huge_page_ns) {
  if (gc_heap.huge_slow_pages > 0)
    return;
  gc_heap.huge_mean_ns = ((LEARNT_FROM - 1) * gc_heap.huge_mean_ns + huge_page_ns) / LEARNT_FROM;
  if (gc_heap.huge_mean_ns <= SLOW_NS)
    return;
  gc_heap.huge_slow_pages = gc_heap.committed_pages;
  advise(0, gc_heap.huge_from_page, false);
}

// ---- Memory ahead of its use ---------------------------------------------------------------------------

void
gc_ahead_look(uint32_t page, uint32_t pages, bool pointers) {
  uint32_t next = pointers ? (uint32_t)gc_round_up(page + pages, HUGE_PAGES)
                           : (uint32_t)gc_round_down(page, HUGE_PAGES) - HUGE_AHEAD * HUGE_PAGES;
  if (next >= gc_heap.huge_from_page || next == gc_heap.ahead_page[pointers])
    return; // below the heap's start it has wrapped around
  gc_heap.ahead_page[pointers] = next;
  gc_atomic_add(&gc_heap.wants_ahead, 1);
  gc_futex_wake_one(&gc_heap.wants_ahead);
}

// [gc_lock]
static bool
is_wanted(uint32_t page) {
  if (page + HUGE_PAGES > gc_heap.frontier || gc_page_set_has(gc_heap.ahead, page) ||
      !gc_span_may_become_resident(HUGE_PAGES))
    return false;
  for (uint32_t i = page; i < page + HUGE_PAGES; i++)
    if (gc_heap.pages[i].state != GC_PAGE_FREE_CLEAN)
      return false;
  return true;
}

static bool
take_up(uint32_t page) {
  gc_lock_acquire(&gc_lock);
  bool wanted = is_wanted(page);
  if (wanted)
    gc_page_set_add(gc_heap.ahead, page);
  gc_lock_release(&gc_lock);
  return wanted;
}

static void
populate(uint32_t page) {
  if (!take_up(page))
    return;
  uint64_t began_ns = gc_os_thread_ns();
  gc_os_populate(gc_heap_page_address(page), GC_HUGE_PAGE_BYTES);
  uint64_t spent_ns = gc_os_thread_ns() - began_ns;
  gc_lock_acquire(&gc_lock);
  gc_ahead_learn(spent_ns);
  gc_lock_release(&gc_lock);
}

void
gc_ahead_populate(void) {
  gc_lock_acquire(&gc_lock);
  uint32_t up = gc_heap.ahead_page[true], down = gc_heap.ahead_page[false];
  gc_lock_release(&gc_lock);
  for (uint32_t i = 0; i < HUGE_AHEAD && up > 0; i++)
    populate(up + i * HUGE_PAGES);
  for (uint32_t i = HUGE_AHEAD; i-- > 0 && down > 0;)
    populate(down + i * HUGE_PAGES);
}
