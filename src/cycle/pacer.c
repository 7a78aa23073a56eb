// The pacer.  See pacer.h.
#include "cycle/pacer.h"

#define NS_PER_MS UINT64_C(1000000)

enum { ROOT_FACTOR = 3 }; // 3 MiB for a heap of 1 MiB, 30 MiB for one of 100 MiB

static size_t
square_root(size_t value) {
  size_t root = 0;
  for (size_t bit = (size_t)1 << 31; bit > 0; bit >>= 1)
    if ((root | bit) * (root | bit) <= value)
      root |= bit;
  return root;
}

// Half of what lives, and besides the square root of it: the optimum when many heaps share a machine grows with the root
// (Kirisame, Shenoy and Panchekha 2022), and a small heap buys much time for little memory.  Memory that is held anyway, after a
// peak, is used before it is given back, up to as much as lives.  Searching roots costs as much as marking, so they count.
size_t
gc_pacer_budget_bytes(struct gc_pacer_heap heap) {
  size_t marked_bytes = heap.live_bytes + heap.root_bytes;
  size_t share =
      (marked_bytes / 2 + ROOT_FACTOR * square_root(marked_bytes) * 1024) / heap.divisor * GC_PACER_DIVISOR;
  size_t held = heap.resident_bytes - gc_min(heap.resident_bytes, heap.live_bytes);
  size_t budget = gc_max(gc_max(share, heap.min_budget_bytes), gc_min(held, marked_bytes));
  if (heap.live_bytes + budget < heap.initial_heap_bytes)
    budget = heap.initial_heap_bytes - heap.live_bytes;
  return budget;
}

// A helper costs its wake-up, some 50 us: it has to save more.
unsigned
gc_pacer_markers(size_t live_bytes, size_t parallel_min_bytes, unsigned markers_max) {
  if (live_bytes < parallel_min_bytes)
    return 1;
  size_t worth = 1 + live_bytes / gc_max(parallel_min_bytes, GC_MIB);
  return (unsigned)gc_min(worth, markers_max);
}

size_t
gc_pacer_retained_bytes(size_t budget_bytes) {
  return budget_bytes + budget_bytes / 8;
}

bool
gc_pacer_idle_cycle_due(struct gc_pacer_idle idle) {
  const uint64_t far_ns = 10000 * NS_PER_MS;
  if (idle.since_cycle_ns < idle.interval_ns || idle.allocated_bytes == 0)
    return false;
  if (idle.window_allocated_bytes == 0)
    return true;
  size_t left_bytes = idle.budget_bytes - gc_min(idle.budget_bytes, idle.allocated_bytes);
  double to_next_ns = (double)left_bytes / (double)idle.window_allocated_bytes * (double)idle.window_ns;
  return to_next_ns > (double)far_ns;
}

uint64_t
gc_pacer_next_idle_interval_ns(uint64_t interval_ns, size_t reclaimed_bytes, size_t live_bytes) {
  if (reclaimed_bytes >= live_bytes / 4)
    return GC_PACER_IDLE_INTERVAL_MS * NS_PER_MS;
  uint64_t doubled = 2 * interval_ns;
  uint64_t most = GC_PACER_IDLE_INTERVAL_MS_MAX * NS_PER_MS;
  return doubled < most ? doubled : most;
}
