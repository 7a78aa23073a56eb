// A histogram of durations, log-linear: 16 buckets to each doubling, so that a value read back is off by at
// most 1/16 (6.25 %), from 1 ns to 137 s, in 4 KiB and without allocating.  Longer durations are counted in
// the last bucket; the maximum is kept exactly.
//
//   ns       0 1 2 ... 15 | 16 17 ... 31 | 32 34 36 ... 62 | 64 68 ... 124 | ...
//   width    1            | 1            | 2               | 4             | ...
//   bucket   0 1 2 ... 15 | 16 17 ... 31 | 32 33 34 ... 47 | 48 49 ... 63  | ...
//
// Whoever owns a histogram protects it: nothing here locks.  A pause histogram is written by the collecting
// thread under the heap lock and read under that lock.
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
  GC_HISTOGRAM_SUB_BITS = 4,
  GC_HISTOGRAM_SUB_BUCKETS = 1 << GC_HISTOGRAM_SUB_BITS,
  GC_HISTOGRAM_MAX_BITS = 37, // values below 2^37 ns have a bucket of their own
  GC_HISTOGRAM_BUCKETS = (GC_HISTOGRAM_MAX_BITS - GC_HISTOGRAM_SUB_BITS + 1) * GC_HISTOGRAM_SUB_BUCKETS,
};

// All zero is an empty histogram.  Invariant `sum`: count is the sum of the buckets.
struct gc_histogram {
  uint64_t count;
  uint64_t total_ns;
  uint64_t max_ns;
  uint64_t buckets[GC_HISTOGRAM_BUCKETS];
};

struct gc_histogram_bucket {
  uint64_t low_ns, high_ns; // both inclusive; the last bucket's high_ns is UINT64_MAX
  uint64_t count;
};

void gc_histogram_record(struct gc_histogram *histogram, uint64_t ns);

// The duration that `percent` of all recorded ones do not exceed, at most one bucket's width too long and
// never longer than the maximum.  0 when nothing was recorded.
uint64_t gc_histogram_percentile(const struct gc_histogram *histogram, double percent);

// The next bucket that is not empty, from *cursor on, in ascending order; false when there is none.  Start
// with 0.
bool gc_histogram_next(const struct gc_histogram *histogram, unsigned *cursor,
                       struct gc_histogram_bucket *bucket);
