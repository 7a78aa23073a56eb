// Pauses as gc.h shows them.  What is kept of them is cycle/pauses.h's, under gc_lock.
#include <string.h>

#include "api/init.h"
#include "base/check.h"
#include "base/lock.h"
#include "cycle/pauses.h"
#include "gc.h"

_Static_assert((int)GC_PAUSE_KIND_FULL == GC_PAUSE_FULL && (int)GC_PAUSE_KIND_MINOR == GC_PAUSE_MINOR &&
                   (int)GC_PAUSE_KIND_START == GC_PAUSE_START &&
                   (int)GC_PAUSE_KIND_FINISH == GC_PAUSE_FINISH && (int)GC_PAUSE_KIND_COUNT == GC_PAUSE_KINDS,
               "gc.h's kinds of pauses are cycle/pauses.h's");
_Static_assert((int)GC_PAUSE_PHASE_STOP == GC_PHASE_STOP && (int)GC_PAUSE_PHASE_ROOTS == GC_PHASE_ROOTS &&
                   (int)GC_PAUSE_PHASE_HARVEST == GC_PHASE_HARVEST &&
                   (int)GC_PAUSE_PHASE_MARK == GC_PHASE_MARK &&
                   (int)GC_PAUSE_PHASE_REFERENCES == GC_PHASE_REFERENCES &&
                   (int)GC_PAUSE_PHASE_SWEEP == GC_PHASE_SWEEP &&
                   (int)GC_PAUSE_PHASE_RESUME == GC_PHASE_RESUME &&
                   (int)GC_PAUSE_PHASE_COUNT == GC_PAUSE_PHASES,
               "gc.h's phases of pauses are cycle/pauses.h's");

static const struct gc_pause_totals *
totals_of(enum GC_PauseKind kind) {
  GC_CHECK((unsigned)kind <= GC_PAUSE_KINDS, "there is no kind of pauses %d", (int)kind);
  return gc_pauses_of((enum gc_pause_kind)kind);
}

// ---- Percentiles ---------------------------------------------------------------------------------------

// [gc_lock]
static struct GC_pause_stats
stats_of(const struct gc_histogram *lengths) {
  return (struct GC_pause_stats){
      .count = lengths->count,
      .total_ns = lengths->total_ns,
      .p50_ns = gc_histogram_percentile(lengths, 50),
      .p90_ns = gc_histogram_percentile(lengths, 90),
      .p99_ns = gc_histogram_percentile(lengths, 99),
      .p999_ns = gc_histogram_percentile(lengths, 99.9),
      .max_ns = lengths->max_ns,
  };
}

void
GC_get_pause_stats(struct GC_pause_stats *stats) {
  gc_init_ensure();
  gc_lock_acquire(&gc_lock);
  *stats = stats_of(gc_pauses_all());
  gc_lock_release(&gc_lock);
}

void
GC_get_pause_kind_stats(enum GC_PauseKind kind, struct GC_pause_kind_stats *stats) {
  gc_init_ensure();
  const struct gc_pause_totals *totals = totals_of(kind);
  gc_lock_acquire(&gc_lock);
  *stats = (struct GC_pause_kind_stats){stats_of(&totals->lengths), totals->called_off, {0}};
  memcpy(stats->phase_ns, totals->phase_ns, sizeof stats->phase_ns);
  gc_lock_release(&gc_lock);
}

// ---- Histograms ----------------------------------------------------------------------------------------

// [gc_lock]
static size_t
fill(const struct gc_histogram *lengths, struct GC_pause_bucket *buckets, size_t capacity) {
  struct gc_histogram_bucket bucket;
  unsigned cursor = 0;
  size_t count = 0;
  for (; gc_histogram_next(lengths, &cursor, &bucket); count++)
    if (count < capacity)
      buckets[count] = (struct GC_pause_bucket){bucket.low_ns, bucket.high_ns + (bucket.high_ns < UINT64_MAX),
                                                bucket.count};
  return count;
}

size_t
GC_get_pause_kind_histogram(enum GC_PauseKind kind, struct GC_pause_bucket *buckets, size_t capacity) {
  gc_init_ensure();
  const struct gc_pause_totals *totals = totals_of(kind);
  gc_lock_acquire(&gc_lock);
  size_t count = fill(&totals->lengths, buckets, capacity);
  gc_lock_release(&gc_lock);
  return count;
}

size_t
GC_get_pause_histogram(struct GC_pause_bucket *buckets, size_t capacity) {
  return GC_get_pause_kind_histogram(GC_PAUSE_KIND_COUNT, buckets, capacity);
}

// ---- The listener --------------------------------------------------------------------------------------

static void
tell(const struct gc_pause *pause, struct gc_pause_listener listener) {
  struct GC_pause told = {
      .kind = (enum GC_PauseKind)pause->kind,
      .called_off = pause->called_off,
      .began_ns = pause->began_ns,
      .total_ns = pause->total_ns,
  };
  memcpy(told.phase_ns, pause->phase_ns, sizeof told.phase_ns);
  ((GC_pause_listener)listener.function)(&told, listener.data);
}

void
GC_set_pause_listener(GC_pause_listener function, void *data) {
  gc_pauses_listen((struct gc_pause_listener){
      .tell = function ? tell : NULL,
      .function = (void (*)(void))function,
      .data = data,
  });
}
