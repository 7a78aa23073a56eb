// The slow path of allocation: when the run at hand is exhausted.
//
//   gc_allocate_slow
//     attach the thread, if this is its first call
//     what the cache owns: more of the run, a freed slot, the next run of the page    (no lock)
//     collect, if the budget is used up
//     another page                                                                   (gc_lock)
//     memory refused, or the heap may not grow by itself: collect, try again
//     still none, and the heap may not grow by itself: make it grow, try again
//     else ask the out-of-memory function
#include <errno.h>
#include <string.h>

#include "base/check.h"
#include "base/hooks.h"
#include "base/lock.h"
#include "base/variables.h"
#include "cycle/concurrent.h"
#include "cycle/cycle.h"
#include "gc.h"
#include "heap/heap.h"
#include "refs/run.h"
#include "world/world.h"

static struct gc_atomic stress_count;

static void
collect_if_due(void) {
  struct gc_cycle_request request = {.reason = GC_CYCLE_BUDGET, .stop = gc_hooks.stop};
  unsigned every = gc_tunables.stress_collect_every;
  if (GC_UNLIKELY(every > 0) && gc_atomic_add(&stress_count, 1) % every == 0)
    request.reason = GC_CYCLE_STRESS;
  if (request.reason == GC_CYCLE_STRESS || gc_cycle_wants_attention())
    gc_cycle_collect(request);
}

struct gc_cache *
gc_allocate_cache(void) {
  if (GC_LIKELY(gc_cache_current))
    return gc_cache_current;
  struct gc_thread *thread = gc_thread_attach(NULL);
  return thread ? &thread->cache : NULL;
}

static void *
out_of_memory(size_t bytes) {
  errno = ENOMEM;
  return gc_variables_out_of_memory(bytes);
}

static bool
take_page(struct gc_cache *cache, unsigned kind, unsigned class) {
  gc_lock_acquire(&gc_lock);
  bool taken = gc_cache_take_page(cache, kind, class);
  gc_lock_release(&gc_lock);
  return taken;
}

// A slot, or NULL when neither the heap nor the system has memory.
static void *
find_slot(struct gc_cache *cache, unsigned kind, unsigned class) {
  void *slot = gc_cache_next(cache, kind, class);
  while (!slot && take_page(cache, kind, class))
    slot = gc_cache_next(cache, kind, class);
  return slot;
}

static bool
collect_for_memory(void) {
  return gc_cycle_collect((struct gc_cycle_request){.reason = GC_CYCLE_MEMORY, .stop = gc_hooks.stop});
}

// With GC_dont_expand a collection has been tried and was not enough, so now the heap grows: by a good part
// of itself, lest each page cost a collection.
static bool
expand(size_t bytes) {
  if (GC_READ(GC_dont_expand) == 0)
    return false;
  size_t pages = gc_divide_up(bytes, GC_PAGE_BYTES) + 1;
  gc_lock_acquire(&gc_lock);
  size_t share = gc_heap.frontier / gc_variables_divisor();
  bool expanded = pages < gc_heap.reserved_pages &&
                  (gc_span_expand((uint32_t)gc_max(pages, share)) || gc_span_expand((uint32_t)pages));
  gc_lock_release(&gc_lock);
  return expanded;
}

void *
gc_allocate_slow(size_t bytes, unsigned kind) {
  int saved_errno = errno;
  if (bytes > GC_CLASS_BYTES_MAX)
    return gc_allocate_large(bytes, GC_PAGE_BYTES, kind);
  struct gc_cache *cache = gc_allocate_cache();
  if (!cache)
    return out_of_memory(bytes);
  unsigned class = gc_class_of(bytes);
  if (GC_UNLIKELY(gc_tunables.stress_collect_every > 0 || gc_concurrent_is_throttling()))
    collect_if_due();
  void *slot = gc_cache_next(cache, kind, class);
  if (!slot) {
    collect_if_due();
    slot = find_slot(cache, kind, class);
  }
  for (size_t tries = 1 + gc_variables_retries(); !slot && tries > 0 && collect_for_memory(); tries--)
    slot = find_slot(cache, kind, class);
  if (!slot && expand((size_t)gc_classes[class].span_pages << GC_PAGE_SHIFT))
    slot = find_slot(cache, kind, class);
  gc_run_attend();
  if (!slot)
    return out_of_memory(bytes);
  errno = saved_errno;
  return slot;
}

// Writes into a chain are not told of, and where a collection may come at each object there are none.
static bool
may_chain(const struct gc_cache *cache, size_t bytes, unsigned kind) {
  return cache && bytes <= GC_LOOKUP_BYTES_MAX && !gc_kind_is_described(kind) &&
         gc_tunables.stress_collect_every == 0 && !gc_concurrent_is_throttling() &&
         GC_barrier_state.bytes == 0;
}

void
gc_allocate_many(size_t bytes, unsigned kind, void *volatile *list) {
  enum { MANY_BYTES = 4096 };
  size_t count = gc_max(1, MANY_BYTES / gc_max(bytes, GC_GRANULE_BYTES));
  *list = NULL;
  while (count > 0) {
    struct gc_cache *cache = gc_cache_current;
    if (may_chain(cache, bytes, kind))
      count -= gc_cache_chain(cache, kind, gc_class_of(bytes), count, list);
    void *volatile *object = count > 0 ? gc_allocate_slow(bytes, kind) : NULL;
    if (!object)
      return;
    *object = *list;
    GC_write_barrier((const void *)object);
    *list = (void *)object;
    GC_write_barrier((const void *)list);
    count--;
  }
}

static struct gc_ref
try_large(size_t bytes, size_t alignment, unsigned kind, bool *clean) {
  gc_lock_acquire(&gc_lock);
  struct gc_ref ref = gc_large_allocate(bytes, alignment, kind, clean);
  gc_lock_release(&gc_lock);
  return ref;
}

// A large object counts against the budget before it is there, so that a loop over one large object
// collects in time.
void *
gc_allocate_large(size_t bytes, size_t alignment, unsigned kind) {
  int saved_errno = errno;
  if (bytes > (size_t)PTRDIFF_MAX - GC_PAGE_BYTES || !gc_allocate_cache())
    return out_of_memory(bytes);
  collect_if_due();
  bool clean;
  struct gc_ref ref = try_large(bytes, alignment, kind, &clean);
  for (size_t tries = 1 + gc_variables_retries(); !ref.start && tries > 0 && collect_for_memory(); tries--)
    ref = try_large(bytes, alignment, kind, &clean);
  if (!ref.start && expand(bytes + alignment))
    ref = try_large(bytes, alignment, kind, &clean);
  if (ref.start && !clean && !gc_kind_is_pointer_free(kind))
    memset(ref.start, 0, ref.bytes);
  gc_run_attend();
  if (!ref.start)
    return out_of_memory(bytes);
  errno = saved_errno;
  return ref.start;
}
