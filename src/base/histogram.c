#include "base/histogram.h"

// Below 2 * 16 a bucket per value; above, the top five bits choose: the leading one by the doubling it
// stands for, the four behind it by the bucket within.
static unsigned
bucket_of(uint64_t ns) {
  if (ns < GC_HISTOGRAM_SUB_BUCKETS)
    return (unsigned)ns;
  if (ns >> GC_HISTOGRAM_MAX_BITS != 0)
    return GC_HISTOGRAM_BUCKETS - 1;
  unsigned shift = 63 - (unsigned)__builtin_clzll(ns) - GC_HISTOGRAM_SUB_BITS;
  return shift * GC_HISTOGRAM_SUB_BUCKETS + (unsigned)(ns >> shift);
}

static uint64_t
bucket_low(unsigned bucket) {
  if (bucket < 2 * GC_HISTOGRAM_SUB_BUCKETS)
    return bucket;
  unsigned shift = bucket / GC_HISTOGRAM_SUB_BUCKETS - 1;
  return (uint64_t)(GC_HISTOGRAM_SUB_BUCKETS + bucket % GC_HISTOGRAM_SUB_BUCKETS) << shift;
}

static uint64_t
bucket_high(unsigned bucket) {
  return bucket == GC_HISTOGRAM_BUCKETS - 1 ? UINT64_MAX : bucket_low(bucket + 1) - 1;
}

void
gc_histogram_record(struct gc_histogram *histogram, uint64_t ns) {
  histogram->buckets[bucket_of(ns)]++;
  histogram->count++;
  histogram->total_ns += ns;
  if (ns > histogram->max_ns)
    histogram->max_ns = ns;
}

// How many of the shortest durations make up `percent` of all: rounded up, at least one, at most all.  In
// whole millionths, because 99.9 % of 1000 must be 999 and is not in floating point.
static uint64_t
rank_of(const struct gc_histogram *histogram, double percent) {
  if (!(percent > 0))
    return 1;
  if (percent >= 100)
    return histogram->count;
  uint64_t millionths = (uint64_t)(percent * 10000 + 0.5);
  uint64_t rank = (histogram->count * millionths + 999999) / 1000000;
  return rank > 0 ? rank : 1;
}

uint64_t
gc_histogram_percentile(const struct gc_histogram *histogram, double percent) {
  if (histogram->count == 0)
    return 0;
  uint64_t rank = rank_of(histogram, percent), seen = 0;
  unsigned bucket = 0;
  for (; bucket < GC_HISTOGRAM_BUCKETS - 1; bucket++) {
    seen += histogram->buckets[bucket];
    if (seen >= rank)
      break;
  }
  uint64_t high = bucket_high(bucket);
  return high < histogram->max_ns ? high : histogram->max_ns;
}

bool
gc_histogram_next(const struct gc_histogram *histogram, unsigned *cursor,
                  struct gc_histogram_bucket *bucket) {
  while (*cursor < GC_HISTOGRAM_BUCKETS && histogram->buckets[*cursor] == 0)
    ++*cursor;
  if (*cursor == GC_HISTOGRAM_BUCKETS)
    return false;
  *bucket = (struct gc_histogram_bucket){
      .low_ns = bucket_low(*cursor),
      .high_ns = bucket_high(*cursor),
      .count = histogram->buckets[*cursor],
  };
  ++*cursor;
  return true;
}
