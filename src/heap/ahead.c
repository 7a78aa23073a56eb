// Memory ahead of its use.  See ahead.h.
//
// Who uses a huge page first waits until the system has cleared it, and a pause waits for who does.  That
// takes 0.1 ms as a rule; but a virtual machine whose host takes back free memory has to be given it anew,
// in 3 to 30 ms, while small pages come from what it has kept: 0.7 ms for as many.  So the background thread
// tries out how long huge pages take before any are asked for; asks for the next ones when one comes into
// use, small or huge; and goes on learning.  It asks for each only once: what has been released is not asked
// for again.
#include "heap/ahead.h"

#include "base/hooks.h"
#include "base/lock.h"
#include "heap/heap.h"
#include "os/clock.h"
#include "os/futex.h"
#include "os/limits.h"
#include "os/memory.h"

enum {
  HUGE_PAGES = GC_HUGE_PAGE_BYTES / GC_PAGE_BYTES,
  HUGE_AHEAD = 2,
  HUGE_TRIED = 2,
  LEARNT_FROM = 8,   // huge pages, about
  SLOW_NS = 1000000, // for one
  GROWN_TIMES = 2    // until they are tried again
};

static void
wake_background(void) {
  gc_atomic_add(&gc_heap.wants_ahead, 1);
  gc_futex_wake_one(&gc_heap.wants_ahead);
}

// ---- Huge pages ----------------------------------------------------------------------------------------

static void
advise(uint32_t page, uint32_t limit, bool wanted) {
  gc_os_advise_huge_pages(gc_heap_page_address(page), (size_t)(limit - page) << GC_PAGE_SHIFT, wanted);
}

// Of all that is committed from `page` on.
static void
tell_system(uint32_t page) {
  uint32_t limit = gc_heap.committed_pages / HUGE_PAGES * HUGE_PAGES;
  advise(page, limit, gc_heap.huge_state == GC_HUGE_QUICK);
  gc_heap.huge_from_page = limit;
}

static void
settle(bool quick) {
  gc_heap.huge_state = quick ? GC_HUGE_QUICK : GC_HUGE_SLOW;
  gc_heap.huge_slow_pages = quick ? 0 : gc_heap.committed_pages;
  gc_heap.huge_mean_ns = 0;
  tell_system(0);
}

// With the last ones of what is committed, which the program will not come to so soon.
static void
begin_trial(void) {
  uint32_t limit = gc_heap.committed_pages / HUGE_PAGES * HUGE_PAGES;
  if (limit < HUGE_TRIED * HUGE_PAGES)
    return;
  gc_heap.huge_state = GC_HUGE_ON_TRIAL;
  gc_heap.huge_trial_page = limit - HUGE_TRIED * HUGE_PAGES;
  advise(gc_heap.huge_trial_page, limit, true);
  wake_background();
}

void
gc_ahead_ask_for_huge_pages(void) {
  size_t least = gc_tunables.huge_pages_min_bytes;
  if (least == 0 || (size_t)gc_heap.committed_pages << GC_PAGE_SHIFT < least)
    return;
  if (gc_heap.huge_state == GC_HUGE_SLOW && gc_heap.committed_pages / GROWN_TIMES >= gc_heap.huge_slow_pages)
    gc_heap.huge_state = GC_HUGE_UNTRIED;
  bool is_untried = gc_heap.huge_state == GC_HUGE_UNTRIED;
  bool has_waited = gc_heap.huge_state == GC_HUGE_ON_TRIAL &&
                    gc_heap.committed_pages / GROWN_TIMES >= gc_heap.huge_trial_page;
  if ((is_untried && gc_limits_cpus() == 1) || has_waited)
    settle(true); // there is nobody to try it
  else if (is_untried)
    begin_trial();
  else if (gc_heap.huge_state != GC_HUGE_ON_TRIAL)
    tell_system(gc_heap.huge_from_page);
}

void
gc_ahead_end_trial(uint64_t huge_page_ns) {
  if (gc_heap.huge_state == GC_HUGE_ON_TRIAL)
    settle(huge_page_ns <= SLOW_NS);
}

void
gc_ahead_learn(uint64_t huge_page_ns) {
  if (gc_heap.huge_state != GC_HUGE_QUICK)
    return;
  gc_heap.huge_mean_ns = ((LEARNT_FROM - 1) * gc_heap.huge_mean_ns + huge_page_ns) / LEARNT_FROM;
  if (gc_heap.huge_mean_ns > SLOW_NS)
    settle(false);
}

// ---- Memory ahead of its use ---------------------------------------------------------------------------

void
gc_ahead_look(uint32_t page, uint32_t pages, bool pointers) {
  uint32_t next = pointers ? (uint32_t)gc_round_up(page + pages, HUGE_PAGES)
                           : (uint32_t)gc_round_down(page, HUGE_PAGES) - HUGE_AHEAD * HUGE_PAGES;
  if (next >= gc_heap.huge_from_page || next == gc_heap.ahead_page[pointers])
    return; // below the heap's start it has wrapped around
  gc_heap.ahead_page[pointers] = next;
  wake_background();
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
report(void (*function)(uint64_t huge_page_ns), uint64_t ns) {
  gc_lock_acquire(&gc_lock);
  function(ns);
  gc_lock_release(&gc_lock);
}

static uint64_t
time_to_populate(uint32_t page) {
  uint64_t began_ns = gc_os_thread_ns();
  gc_os_populate(gc_heap_page_address(page), GC_HUGE_PAGE_BYTES);
  return gc_os_thread_ns() - began_ns;
}

// One may be slow by chance.
static void
try_huge_pages(uint32_t page) {
  uint64_t least_ns = UINT64_MAX;
  for (uint32_t i = 0; i < HUGE_TRIED && least_ns > SLOW_NS; i++)
    least_ns = gc_min(least_ns, time_to_populate(page + i * HUGE_PAGES));
  report(gc_ahead_end_trial, least_ns);
}

static void
populate(uint32_t page) {
  if (take_up(page))
    report(gc_ahead_learn, time_to_populate(page));
}

void
gc_ahead_populate(void) {
  gc_lock_acquire(&gc_lock);
  uint32_t up = gc_heap.ahead_page[true], down = gc_heap.ahead_page[false];
  bool on_trial =
      gc_heap.huge_state == GC_HUGE_ON_TRIAL && gc_span_may_become_resident(HUGE_TRIED * HUGE_PAGES);
  uint32_t trial_page = on_trial ? gc_heap.huge_trial_page : 0;
  gc_lock_release(&gc_lock);
  if (on_trial)
    try_huge_pages(trial_page);
  for (uint32_t i = 0; i < HUGE_AHEAD && up > 0; i++)
    populate(up + i * HUGE_PAGES);
  for (uint32_t i = HUGE_AHEAD; i-- > 0 && down > 0;)
    populate(down + i * HUGE_PAGES);
}
