// What every bench shares: parameters, clocks, memory figures, collector figures, and one JSON line per
// measurement.
//
// The life of a bench:
//
//   bench_start("name", argc, argv)     starts the contender
//   bench_param("depth", 16) ...        parameters are given as depth=16 on the command line
//   bench_params_done()                 complains about those nobody asked for
//   bench_begin()                       per measurement: clock, collections, collector time, counters
//     ... the work ...
//   bench_end()
//   bench_report_begin("depth %d", d)   one line on stdout: the case,
//   bench_field("ns_per_op", ns)          the bench's own figures,
//   bench_report_end()                    then seconds, rss_kib, collections, gc_seconds, pauses
//
// A bench about latency times each operation (bench_ops_*) and reports these and the pauses one by one.
//
// Every bench also takes perf=1, which adds hardware counters where the kernel grants them.
#pragma once

#include "contender.h"

// ---- Parameters ----------------------------------------------------------------------------------------

void bench_start(const char *bench, int argc, char **argv);
long bench_param(const char *name, long fallback);
const char *bench_param_text(const char *name, const char *fallback);
void bench_params_done(void);

// ---- Measuring and reporting ---------------------------------------------------------------------------

uint64_t bench_now_ns(void);
void bench_begin(void);
void bench_end(void);
double bench_seconds(void);    // between the last begin and end
double bench_gc_seconds(void); // of these, spent in collections

__attribute__((format(printf, 1, 2))) void bench_report_begin(const char *case_format, ...);
void bench_field(const char *name, double value);
void bench_field_count(const char *name, uint64_t value);
void bench_field_pairs(const char *name, const uint64_t (*rows)[3], size_t count); // [[a,b,c],...]
void bench_report_end(void);

// For a workload that means nothing to this contender: says so on stderr and exits with success.
__attribute__((noreturn)) void bench_skip(const char *reason);

// The workload's own check of its result; a bench that computes nonsense must not report a time.
#define bench_check(condition)                            \
  do {                                                    \
    if (!(condition))                                     \
      bench_check_failed(#condition, __FILE__, __LINE__); \
  } while (0)
__attribute__((noreturn)) void bench_check_failed(const char *condition, const char *file, int line);

// ---- Memory figures ------------------------------------------------------------------------------------

uint64_t bench_rss_bytes(void);
uint64_t bench_rss_peak_bytes(void);
void bench_rss_peak_reset(void);
uint64_t bench_vma_count(void);

// ---- Histograms: eight buckets per doubling of nanoseconds, at most 12.5 % wide ------------------------

enum {
  BENCH_HISTOGRAM_STEPS = 8,
  BENCH_HISTOGRAM_DOUBLINGS = 37, // up to 2^40 ns, 18 minutes
  BENCH_HISTOGRAM_BUCKETS = BENCH_HISTOGRAM_STEPS * (BENCH_HISTOGRAM_DOUBLINGS + 1)
};

struct bench_histogram {
  uint64_t count;
  uint64_t total_ns;
  uint64_t max_ns;
  uint64_t buckets[BENCH_HISTOGRAM_BUCKETS];
};

void bench_histogram_add(struct bench_histogram *histogram, uint64_t ns);
uint64_t bench_histogram_quantile(const struct bench_histogram *histogram, double quantile);
void bench_field_histogram(const char *name, const struct bench_histogram *histogram);

// ---- Operations, each timed, and what disturbs them ----------------------------------------------------
//
//   bench_begin()
//   bench_ops_begin()
//   for each operation:
//     ... the operation ...
//     bench_ops_lap()          // one ends and the next begins: one clock reading each, and no time is lost
//   bench_end()
//   bench_report_begin(...)
//   bench_field_ops()
//   bench_field_pauses()
//
// Both give a timeline of [start, length] in microseconds since bench_begin: the operations that took longer
// than BENCH_STALL_NS, and the pauses.  One thread only.

enum { BENCH_STALL_NS = 20000 };

void bench_ops_begin(void);
void bench_ops_lap(void);
void bench_field_ops(void); // ops, mean_ns, p50_ns to p9999_ns, max_ns, op_histogram, stall_timeline

// Of the measurement alone, while bench_report_end's pauses are those of the whole process: run_pauses,
// run_pause_p50_ns to run_pause_max_ns, pause_timeline, collector_seconds.  The last is what the collector
// cost in CPU time: what it took of the measuring thread, and all that other threads did.
void bench_field_pauses(void);

// ---- Threads -------------------------------------------------------------------------------------------

// Runs body(arguments[i]) in `count` threads that the contender knows of, and waits for them all.
void bench_run_threads(size_t count, void *(*body)(void *), void **arguments);

// ---- Small tools ---------------------------------------------------------------------------------------

// Sorts `samples` and returns the middle one.
uint64_t bench_median(uint64_t *samples, size_t count);

// Keeps the compiler from seeing that nobody uses the object (gcc elides a calloc and free that meet).
static inline void
bench_keep(const void *object) {
  __asm__ volatile("" : : "r"(object) : "memory");
}

// xorshift64*: fast, and good enough to spread addresses; the state must not be 0.
static inline uint64_t
bench_random(uint64_t *state) {
  uint64_t x = *state;
  x ^= x >> 12;
  x ^= x << 25;
  x ^= x >> 27;
  *state = x;
  return x * 0x2545F4914F6CDD1DULL;
}

// Uniform in [0, limit), limit below 2^32.
static inline uint32_t
bench_random_below(uint64_t *state, uint32_t limit) {
  return (uint32_t)(((bench_random(state) >> 32) * limit) >> 32);
}
