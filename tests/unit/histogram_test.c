// The pause histogram: bucket bounds, percentiles, extremes.
#include "base/histogram.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct gc_histogram histogram;

static int
clear(void **state) {
  (void)state;
  memset(&histogram, 0, sizeof histogram);
  return 0;
}

// The one bucket of a histogram that holds only `ns`.
static struct gc_histogram_bucket
bucket_with(uint64_t ns) {
  clear(NULL);
  gc_histogram_record(&histogram, ns);
  struct gc_histogram_bucket bucket, other;
  unsigned cursor = 0;
  assert_true(gc_histogram_next(&histogram, &cursor, &bucket));
  assert_false(gc_histogram_next(&histogram, &cursor, &other));
  return bucket;
}

static void
empty_has_nothing(void **state) {
  (void)state;
  struct gc_histogram_bucket bucket;
  unsigned cursor = 0;
  assert_false(gc_histogram_next(&histogram, &cursor, &bucket));
  assert_int_equal(gc_histogram_percentile(&histogram, 50), 0);
}

// Also at both sides of each power of two, where the bucket width changes.
static void
a_bucket_holds_its_value_within_a_sixteenth(void **state) {
  (void)state;
  for (unsigned bit = 0; bit < GC_HISTOGRAM_MAX_BITS; bit++) {
    for (int offset = -1; offset <= 1; offset++) {
      uint64_t ns = ((uint64_t)1 << bit) + (uint64_t)offset;
      struct gc_histogram_bucket bucket = bucket_with(ns);
      assert_int_equal(bucket.count, 1);
      assert_true(bucket.low_ns <= ns && ns <= bucket.high_ns);
      assert_true((bucket.high_ns - bucket.low_ns) * 16 <= ns);
    }
  }
}

static void
buckets_meet_without_gap_or_overlap(void **state) {
  (void)state;
  struct gc_histogram_bucket bucket = bucket_with(0);
  unsigned buckets = 1;
  while (bucket.high_ns != UINT64_MAX) {
    struct gc_histogram_bucket next = bucket_with(bucket.high_ns + 1);
    assert_int_equal(next.low_ns, bucket.high_ns + 1);
    bucket = next;
    buckets++;
  }
  assert_int_equal(buckets, GC_HISTOGRAM_BUCKETS);
}

static void
hours_are_counted_too(void **state) {
  (void)state;
  assert_int_equal(bucket_with(UINT64_MAX).high_ns, UINT64_MAX);
  assert_int_equal(gc_histogram_percentile(&histogram, 50), UINT64_MAX);
  bucket_with((uint64_t)3600 * 1000000000);
  assert_int_equal(gc_histogram_percentile(&histogram, 99), (uint64_t)3600 * 1000000000);
}

static void
percentiles_of_a_thousand(void **state) {
  (void)state;
  for (uint64_t us = 1000; us >= 1; us--)
    gc_histogram_record(&histogram, us * 1000);
  static const struct {
    double percent;
    uint64_t ns;
  } cases[] = {{0, 1000}, {10, 100000}, {50, 500000}, {90, 900000}, {99.9, 999000}, {100, 1000000}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    uint64_t ns = gc_histogram_percentile(&histogram, cases[i].percent);
    assert_true(ns >= cases[i].ns && (ns - cases[i].ns) * 16 <= cases[i].ns);
  }
  assert_int_equal(histogram.count, 1000);
  assert_int_equal(histogram.max_ns, 1000000);
  assert_int_equal(histogram.total_ns, 500500000);
}

static void
one_long_pause_shows_only_at_the_top(void **state) {
  (void)state;
  for (int i = 0; i < 999; i++)
    gc_histogram_record(&histogram, 10);
  gc_histogram_record(&histogram, 5000000);
  assert_int_equal(gc_histogram_percentile(&histogram, 99.9), 10);
  assert_int_equal(gc_histogram_percentile(&histogram, 99.91), 5000000);
}

static void
percentages_out_of_range_give_the_extremes(void **state) {
  (void)state;
  gc_histogram_record(&histogram, 3);
  gc_histogram_record(&histogram, 7);
  assert_int_equal(gc_histogram_percentile(&histogram, -5), 3);
  assert_int_equal(gc_histogram_percentile(&histogram, 0.0 / 0.0), 3);
  assert_int_equal(gc_histogram_percentile(&histogram, 200), 7);
}

static void
iteration_ascends_and_adds_up(void **state) {
  (void)state;
  uint64_t seed = 42;
  for (int i = 0; i < 10000; i++) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    gc_histogram_record(&histogram, seed >> (24 + i % 40));
  }
  struct gc_histogram_bucket bucket;
  uint64_t sum = 0, limit = 0;
  for (unsigned cursor = 0; gc_histogram_next(&histogram, &cursor, &bucket);) {
    assert_true(bucket.count > 0 && bucket.low_ns >= limit && bucket.high_ns >= bucket.low_ns);
    limit = bucket.high_ns;
    sum += bucket.count;
  }
  assert_int_equal(sum, histogram.count);
}

int
main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(empty_has_nothing, clear),
      cmocka_unit_test_setup(a_bucket_holds_its_value_within_a_sixteenth, clear),
      cmocka_unit_test_setup(buckets_meet_without_gap_or_overlap, clear),
      cmocka_unit_test_setup(hours_are_counted_too, clear),
      cmocka_unit_test_setup(percentiles_of_a_thousand, clear),
      cmocka_unit_test_setup(one_long_pause_shows_only_at_the_top, clear),
      cmocka_unit_test_setup(percentages_out_of_range_give_the_extremes, clear),
      cmocka_unit_test_setup(iteration_ascends_and_adds_up, clear),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
