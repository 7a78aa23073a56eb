// The collector's pauses, in one shape for every allocator.
//
// Loam keeps its own histogram.  For libgc each stop of the world is timed by its events.  malloc never
// pauses.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "interpreter.h"

#if defined(SCHEME_ALLOC_LOAM)

void
pauses_start(void) {
}

void
pauses_read(struct pauses *out) {
  struct GC_pause_stats stats;
  struct GC_pause_bucket buckets[PAUSE_BUCKETS_MAX];
  GC_get_pause_stats(&stats);
  *out = (struct pauses){
      .count = stats.count, .p50_ns = stats.p50_ns, .p99_ns = stats.p99_ns, .max_ns = stats.max_ns};
  size_t count = GC_get_pause_histogram(buckets, PAUSE_BUCKETS_MAX);
  out->bucket_count = count < PAUSE_BUCKETS_MAX ? count : PAUSE_BUCKETS_MAX;
  for (size_t i = 0; i < out->bucket_count; i++)
    out->buckets[i] = (struct pause_bucket){buckets[i].low_ns, buckets[i].high_ns, buckets[i].count};
}

#elif defined(SCHEME_ALLOC_LIBGC)

// All pauses so far, outside the collected heap.
static uint64_t *pause_ns;
static size_t pause_count;
static size_t pause_capacity;
static uint64_t pause_began_ns;

static uint64_t
now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

static void
pause_record(uint64_t ns) {
  if (pause_count == pause_capacity) {
    size_t capacity = 2 * pause_capacity + 1024;
    uint64_t *grown = realloc(pause_ns, capacity * sizeof *grown);
    if (grown == NULL)
      return;
    pause_ns = grown;
    pause_capacity = capacity;
  }
  pause_ns[pause_count++] = ns;
}

static void
on_collection_event(GC_EventType event) {
  if (event == GC_EVENT_PRE_STOP_WORLD)
    pause_began_ns = now_ns();
  else if (event == GC_EVENT_POST_START_WORLD)
    pause_record(now_ns() - pause_began_ns);
}

void
pauses_start(void) {
  GC_set_on_collection_event(on_collection_event);
}

static int
compare_ns(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return (x > y) - (x < y);
}

static uint64_t
percentile(unsigned percent) {
  return pause_ns[(pause_count - 1) * percent / 100];
}

void
pauses_read(struct pauses *out) {
  memset(out, 0, sizeof *out);
  if (pause_count == 0)
    return;
  qsort(pause_ns, pause_count, sizeof *pause_ns, compare_ns);
  out->count = pause_count;
  out->p50_ns = percentile(50);
  out->p99_ns = percentile(99);
  out->max_ns = pause_ns[pause_count - 1];
  uint64_t low = 0, high = 1; // buckets double in width
  for (size_t i = 0; i < pause_count; i++) {
    while (pause_ns[i] >= high) {
      low = high;
      high *= 2;
    }
    if (out->bucket_count > 0 && out->buckets[out->bucket_count - 1].low_ns == low)
      out->buckets[out->bucket_count - 1].count++;
    else
      out->buckets[out->bucket_count++] = (struct pause_bucket){low, high, 1};
  }
}

#else

void
pauses_start(void) {
}

void
pauses_read(struct pauses *out) {
  memset(out, 0, sizeof *out);
}

#endif
