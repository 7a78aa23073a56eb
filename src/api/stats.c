// Statistics getters.
#include <string.h>

#include "api/init.h"
#include "base/lock.h"
#include "base/variables.h"
#include "cycle/cycle.h"
#include "cycle/pauses.h"
#include "gc.h"
#include "heap/heap.h"
#include "os/memory.h"
#include "world/world.h"

// What has been handed out, less what of that the calling thread has not taken yet.  Other threads' runs,
// some KiB for each size that a thread allocates, count as if they were taken.
static size_t
allocated_bytes(void) {
  const struct gc_cache *cache = gc_cache_current;
  size_t bytes = gc_heap.allocated_bytes + gc_heap.carried_bytes;
  if (!cache)
    return bytes;
  bytes += cache->allocated_bytes;
  return bytes - gc_min(bytes, gc_cache_unused_bytes(cache));
}

static size_t
freed_bytes(void) {
  return gc_heap.freed_bytes + (gc_cache_current ? gc_cache_current->freed_bytes : 0);
}

GC_word
GC_get_gc_no(void) {
  return GC_READ(GC_gc_no);
}

size_t
GC_get_heap_size(void) {
  gc_init_ensure();
  return gc_heap_resident_bytes();
}

size_t
GC_get_free_bytes(void) {
  gc_init_ensure();
  size_t used = GC_get_memory_use(), heap = gc_heap_resident_bytes();
  return heap > used ? heap - used : 0;
}

size_t
GC_get_unmapped_bytes(void) {
  return (size_t)gc_heap.clean_pages << GC_PAGE_SHIFT;
}

size_t
GC_get_bytes_since_gc(void) {
  return allocated_bytes();
}

size_t
GC_get_total_bytes(void) {
  return gc_heap.allocated_before_bytes + allocated_bytes();
}

size_t
GC_get_expl_freed_bytes_since_gc(void) {
  return freed_bytes();
}

size_t
GC_get_obtained_from_os_bytes(void) {
  return gc_os_obtained_bytes();
}

size_t
GC_get_memory_use(void) {
  size_t bytes = gc_heap.live_bytes + allocated_bytes(), freed = freed_bytes();
  return bytes > freed ? bytes - freed : 0;
}

static void
store(GC_word *where, GC_word value) {
  if (where)
    *where = value;
}

void
GC_get_heap_usage_safe(GC_word *heap_bytes, GC_word *free_bytes, GC_word *unmapped_bytes,
                       GC_word *bytes_since_gc, GC_word *total_bytes) {
  gc_init_ensure();
  gc_lock_acquire(&gc_lock);
  store(heap_bytes, GC_get_heap_size());
  store(free_bytes, GC_get_free_bytes());
  store(unmapped_bytes, GC_get_unmapped_bytes());
  store(bytes_since_gc, GC_get_bytes_since_gc());
  store(total_bytes, GC_get_total_bytes());
  gc_lock_release(&gc_lock);
}

size_t
GC_get_prof_stats_unsafe(struct GC_prof_stats_s *stats, size_t bytes) {
  gc_init_ensure();
  struct GC_prof_stats_s all = {
      .heapsize_full = GC_get_heap_size() + GC_get_unmapped_bytes(),
      .free_bytes_full = GC_get_free_bytes() + GC_get_unmapped_bytes(),
      .unmapped_bytes = GC_get_unmapped_bytes(),
      .bytes_allocd_since_gc = allocated_bytes(),
      .allocd_bytes_before_gc = gc_heap.allocated_before_bytes,
      .non_gc_bytes = GC_get_non_gc_bytes(),
      .gc_no = GC_get_gc_no(),
      .markers_m1 = (GC_word)GC_get_parallel(),
      .bytes_reclaimed_since_gc = gc_heap.reclaimed_bytes,
      .reclaimed_bytes_before_gc = gc_heap.reclaimed_before_bytes,
      .expl_freed_bytes_since_gc = freed_bytes(),
      .obtained_from_os_bytes = gc_os_obtained_bytes(),
  };
  size_t known = gc_min(bytes, sizeof all);
  memcpy(stats, &all, known);
  memset((char *)stats + known, 0xff, bytes - known);
  return known;
}

size_t
GC_get_prof_stats(struct GC_prof_stats_s *stats, size_t bytes) {
  gc_init_ensure();
  gc_lock_acquire(&gc_lock);
  size_t filled = GC_get_prof_stats_unsafe(stats, bytes);
  gc_lock_release(&gc_lock);
  return filled;
}

// ---- Times ---------------------------------------------------------------------------------------------

enum { NS_PER_MS = 1000000 };

// The counts when measuring began.
static struct { uint64_t pauses, total_ns, mark_ns; } measured_from;

static uint64_t
mark_ns(void) {
  return gc_pauses_of(GC_PAUSE_KINDS)->phase_ns[GC_PHASE_MARK];
}

void
GC_start_performance_measurement(void) {
  measured_from.pauses = gc_pauses_all()->count;
  measured_from.total_ns = gc_pauses_all()->total_ns;
  measured_from.mark_ns = mark_ns();
}

unsigned long
GC_get_full_gc_total_time(void) {
  return (unsigned long)((gc_pauses_all()->total_ns - measured_from.total_ns) / NS_PER_MS);
}

unsigned long
GC_get_full_gc_total_ns_frac(void) {
  return (unsigned long)((gc_pauses_all()->total_ns - measured_from.total_ns) % NS_PER_MS);
}

unsigned long
GC_get_stopped_mark_total_time(void) {
  return (unsigned long)((mark_ns() - measured_from.mark_ns) / NS_PER_MS);
}

unsigned long
GC_get_avg_stopped_mark_time_ns(void) {
  uint64_t pauses = gc_pauses_all()->count - measured_from.pauses;
  return pauses ? (unsigned long)((mark_ns() - measured_from.mark_ns) / pauses) : 0;
}
