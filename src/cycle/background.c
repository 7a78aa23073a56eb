// The background thread: gives free memory back to the system when it has been free for a while, collects
// when a program that dropped much allocates too little to reach its next collection, and asks for memory
// before it is used.  It exists once the heap has held HEAP_BYTES_MIN, wakes four times a second, and is no
// thread of the world.
#include "base/hooks.h"
#include "base/lock.h"
#include "cycle/concurrent.h"
#include "cycle/cycle.h"
#include "cycle/pacer.h"
#include "heap/ahead.h"
#include "heap/gaps.h"
#include "heap/heap.h"
#include "os/clock.h"
#include "os/futex.h"
#include "os/helper.h"
#include "os/limits.h"
#include "world/roots.h"

#define HEAP_BYTES_MIN (32 * GC_MIB)

enum {
  TICK_MS = 250,
  RELEASE_BATCH_PAGES = 64, // released under one hold of gc_lock: 4 MiB, under a millisecond
  GAPS_BATCH_PAGES = 16,    // whose gaps are: some 0.25 ms
  STACK_BYTES = 256 * 1024
};

static struct gc_atomic running;

static uint32_t
now_ms(void) {
  return (uint32_t)(gc_os_now_ns() / 1000000);
}

// Release at most `pages` free pages that have been free for `age_ms`.  What was to be allocated in them is
// taken off the budget, down to what the heap would have without them.  [gc_lock]
static size_t
release_batch(uint32_t age_ms, size_t pages) {
  gc_heap.now_ms = now_ms();
  size_t released = gc_span_release(age_ms, pages);
  size_t base_bytes = gc_pacer_base_budget_bytes(gc_cycle_pacer_heap());
  size_t budget_bytes = gc_cycle_stats.budget_bytes, released_bytes = released << GC_PAGE_SHIFT;
  if (budget_bytes > base_bytes)
    gc_cycle_stats.budget_bytes = gc_max(base_bytes, budget_bytes - gc_min(budget_bytes, released_bytes));
  return released;
}

static void
release(uint32_t age_ms, size_t pages) {
  size_t released;
  do {
    gc_lock_acquire(&gc_lock);
    released = release_batch(age_ms, gc_min(pages, RELEASE_BATCH_PAGES));
    gc_lock_release(&gc_lock);
    pages -= released;
  } while (released > 0 && pages > 0);
}

void
gc_cycle_release_all(void) {
  uint32_t page = 1;
  bool more = true;
  release(0, SIZE_MAX);
  while (more) {
    gc_lock_acquire(&gc_lock);
    more = gc_gaps_release_some(&page, GAPS_BATCH_PAGES);
    gc_lock_release(&gc_lock);
  }
}

static void
release_beyond(size_t kept_pages, uint32_t age_ms) {
  size_t free_pages = gc_heap.dirty_pages;
  if (free_pages > kept_pages)
    release(age_ms, free_pages - kept_pages);
}

// What has been free for long, save what the heap is going to allocate; sooner what is far more; and some of
// what a peak has left.
void
gc_cycle_release_aged(void) {
  enum { FAR_MORE = 8, SOONER = 4 };
  struct gc_pacer_heap heap = gc_cycle_pacer_heap();
  size_t kept_pages = gc_pacer_base_budget_bytes(heap) >> GC_PAGE_SHIFT;
  uint32_t age_ms = (uint32_t)gc_tunables.release_ms;
  if (gc_tunables.unmap_threshold == 0)
    return;
  release_beyond(FAR_MORE * kept_pages, age_ms / SOONER);
  release_beyond(kept_pages, age_ms);
  release(0, gc_pacer_release_bytes(heap) >> GC_PAGE_SHIFT);
}

struct idle_state {
  uint64_t interval_ns;
  bool asked; // for a cycle, which may go on for a while: what it has reclaimed is still to be seen
  uint64_t asked_ns;
  size_t allocated_total_bytes;
};

static size_t
allocated_total_bytes(void) {
  return gc_heap.allocated_before_bytes + gc_heap.allocated_bytes;
}

static void
learn_from_last(struct idle_state *state) {
  if (!state->asked || gc_concurrent_is_under_way())
    return;
  state->asked = false;
  state->interval_ns =
      gc_pacer_next_idle_interval_ns(state->interval_ns, gc_heap.reclaimed_bytes, gc_heap.live_bytes);
}

static void
collect_if_idle(struct idle_state *state) {
  learn_from_last(state);
  uint64_t now_ns = gc_os_now_ns();
  size_t total = allocated_total_bytes();
  struct gc_pacer_idle idle = {
      .since_cycle_ns = now_ns - gc_cycle_stats.ended_ns,
      .interval_ns = state->interval_ns,
      .window_ns = now_ns - state->asked_ns,
      .window_allocated_bytes = total - state->allocated_total_bytes,
      .allocated_bytes = gc_heap.allocated_bytes,
      .budget_bytes = gc_cycle_stats.budget_bytes,
      .live_bytes = gc_heap.live_bytes,
  };
  state->asked_ns = now_ns;
  state->allocated_total_bytes = total;
  if (gc_heap_resident_bytes() < HEAP_BYTES_MIN || !gc_cycle_is_automatic() ||
      gc_roots_has_program_function() || !gc_pacer_idle_cycle_due(idle))
    return;
  state->asked = gc_cycle_collect((struct gc_cycle_request){.reason = GC_CYCLE_IDLE});
}

// With one CPU nothing is gained by having another thread use memory first.
static void
serve_until(uint64_t tick_ns) {
  for (uint64_t now_ns; (now_ns = gc_os_now_ns()) < tick_ns;) {
    size_t seen = gc_atomic_load_acquire(&gc_heap.wants_ahead);
    if (gc_limits_cpus() > 1)
      gc_ahead_populate();
    gc_futex_wait(&gc_heap.wants_ahead, seen, (int64_t)(tick_ns - now_ns));
  }
}

static void *
background_main(void *argument) {
  (void)argument;
  struct idle_state state = {.interval_ns = GC_PACER_IDLE_INTERVAL_MS * UINT64_C(1000000)};
  for (;;) {
    serve_until(gc_os_now_ns() + TICK_MS * UINT64_C(1000000));
    collect_if_idle(&state);
    gc_cycle_release_aged();
  }
  return NULL;
}

void
gc_background_ensure(void) {
  if (GC_LIKELY(gc_atomic_load_relaxed(&running) || gc_heap_resident_bytes() < HEAP_BYTES_MIN))
    return;
  if (gc_atomic_compare_and_swap(&running, 0, 1) && !gc_os_start_helper(background_main, NULL))
    gc_atomic_store_relaxed(&running, 0);
}

void
gc_background_after_fork_child(void) {
  gc_atomic_store_relaxed(&running, 0);
}
