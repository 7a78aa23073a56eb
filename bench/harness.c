#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

// ---- Parameters ----------------------------------------------------------------------------------------

enum { PARAMS_MAX = 32 };

static const char *bench_name;
static char *params[PARAMS_MAX]; // "name=value" words of the command line
static bool params_used[PARAMS_MAX];
static int param_count;

static void
die(const char *what, const char *detail) {
  fprintf(stderr, "%s-%s: %s%s\n", bench_name, BENCH_CONTENDER, what, detail);
  exit(2);
}

static void counters_open(void);
static void pauses_observe(void);

void
bench_start(const char *bench, int argc, char **argv) {
  bench_name = bench;
  for (int i = 1; i < argc; i++) {
    if (strchr(argv[i], '=') == NULL)
      die("expected name=value, got ", argv[i]);
    if (param_count == PARAMS_MAX)
      die("too many parameters at ", argv[i]);
    params[param_count++] = argv[i];
  }
  bench_contender_init();
  pauses_observe();
  if (bench_param("perf", 0))
    counters_open();
}

const char *
bench_param_text(const char *name, const char *fallback) {
  size_t length = strlen(name);
  for (int i = 0; i < param_count; i++) {
    if (strncmp(params[i], name, length) == 0 && params[i][length] == '=') {
      params_used[i] = true;
      return params[i] + length + 1;
    }
  }
  return fallback;
}

long
bench_param(const char *name, long fallback) {
  const char *text = bench_param_text(name, NULL);
  if (text == NULL)
    return fallback;
  char *end;
  errno = 0;
  long value = strtol(text, &end, 10);
  if (errno != 0 || end == text || *end != '\0' || value < 0)
    die("not a count: ", text);
  return value;
}

void
bench_params_done(void) {
  for (int i = 0; i < param_count; i++) {
    if (!params_used[i])
      die("no such parameter: ", params[i]);
  }
}

void
bench_skip(const char *reason) {
  fprintf(stderr, "%s-%s: skipped: %s\n", bench_name, BENCH_CONTENDER, reason);
  exit(0);
}

void
bench_check_failed(const char *condition, const char *file, int line) {
  fprintf(stderr, "%s-%s: check failed: %s (%s:%d)\n", bench_name, BENCH_CONTENDER, condition, file, line);
  abort();
}

// ---- Clock and memory ----------------------------------------------------------------------------------

uint64_t
bench_now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

// One "Name:  1234 kB" line of /proc/self/status, in bytes; 0 when it is not there.
static uint64_t
status_bytes(const char *name) {
  FILE *status = fopen("/proc/self/status", "r");
  if (status == NULL)
    return 0;
  char line[256];
  unsigned long long kib = 0;
  size_t length = strlen(name);
  while (fgets(line, sizeof line, status) != NULL) {
    if (strncmp(line, name, length) == 0 && line[length] == ':') {
      sscanf(line + length + 1, "%llu", &kib);
      break;
    }
  }
  fclose(status);
  return kib * 1024u;
}

uint64_t
bench_rss_bytes(void) {
  return status_bytes("VmRSS");
}

// VmHWM first: ru_maxrss survives exec, so it can be the peak of the program that started this one.
uint64_t
bench_rss_peak_bytes(void) {
  uint64_t peak = status_bytes("VmHWM");
  if (peak != 0)
    return peak;
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (uint64_t)usage.ru_maxrss * 1024u;
}

void
bench_rss_peak_reset(void) {
  int file = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
  if (file < 0)
    return;
  if (write(file, "5", 1) != 1)
    fprintf(stderr, "%s: cannot reset the peak RSS\n", bench_name);
  close(file);
}

uint64_t
bench_vma_count(void) {
  int file = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
  if (file < 0)
    return 0;
  static char buffer[16384];
  uint64_t lines = 0;
  ssize_t got;
  while ((got = read(file, buffer, sizeof buffer)) > 0) {
    for (ssize_t i = 0; i < got; i++)
      lines += buffer[i] == '\n';
  }
  close(file);
  return lines;
}

// ---- Histograms ----------------------------------------------------------------------------------------

static unsigned
bucket_of(uint64_t ns) {
  if (ns < BENCH_HISTOGRAM_STEPS)
    return (unsigned)ns;
  unsigned doubling = 63u - (unsigned)__builtin_clzll(ns); // at least 3
  unsigned step = (unsigned)(ns >> (doubling - 3)) & (BENCH_HISTOGRAM_STEPS - 1);
  unsigned bucket = (doubling - 2) * BENCH_HISTOGRAM_STEPS + step;
  return bucket < BENCH_HISTOGRAM_BUCKETS ? bucket : BENCH_HISTOGRAM_BUCKETS - 1;
}

static uint64_t
bucket_low_ns(unsigned bucket) {
  if (bucket < BENCH_HISTOGRAM_STEPS)
    return bucket;
  unsigned doubling = bucket / BENCH_HISTOGRAM_STEPS + 2;
  uint64_t step = bucket % BENCH_HISTOGRAM_STEPS;
  return (BENCH_HISTOGRAM_STEPS + step) << (doubling - 3);
}

void
bench_histogram_add(struct bench_histogram *histogram, uint64_t ns) {
  histogram->count++;
  histogram->total_ns += ns;
  if (ns > histogram->max_ns)
    histogram->max_ns = ns;
  histogram->buckets[bucket_of(ns)]++;
}

// The upper end of the bucket that holds the quantile, never above the largest value seen.
uint64_t
bench_histogram_quantile(const struct bench_histogram *histogram, double quantile) {
  double wanted = quantile * (double)histogram->count;
  uint64_t seen = 0;
  for (unsigned i = 0; i < BENCH_HISTOGRAM_BUCKETS; i++) {
    seen += histogram->buckets[i];
    if (seen > 0 && (double)seen >= wanted) {
      uint64_t high_ns = bucket_low_ns(i + 1);
      return high_ns < histogram->max_ns ? high_ns : histogram->max_ns;
    }
  }
  return histogram->max_ns;
}

// ---- Pauses: Loam keeps its own figures, libgc is timed from outside by its collection events ----------

struct pauses {
  uint64_t count;
  uint64_t total_ns; // in collections altogether, with the world stopped or not
  uint64_t p50_ns, p99_ns, p999_ns, max_ns;
};

#if defined(BENCH_LOAM)

static void
pauses_observe(void) {
}

static uint64_t
pauses_total_ns(void) {
  struct GC_pause_stats stats;
  GC_get_pause_stats(&stats);
  return stats.total_ns;
}

static struct pauses
pauses_read(void) {
  struct GC_pause_stats stats;
  GC_get_pause_stats(&stats);
  return (struct pauses){.count = stats.count,
                         .total_ns = stats.total_ns,
                         .p50_ns = stats.p50_ns,
                         .p99_ns = stats.p99_ns,
                         .p999_ns = stats.p999_ns,
                         .max_ns = stats.max_ns};
}

static void
pauses_report_histogram(void) {
  enum { BUCKETS_MAX = 1024 };
  static struct GC_pause_bucket buckets[BUCKETS_MAX];
  static uint64_t rows[BUCKETS_MAX][3];
  size_t count = GC_get_pause_histogram(buckets, BUCKETS_MAX);
  size_t filled = 0;
  for (size_t i = 0; i < count && i < BUCKETS_MAX; i++) {
    if (buckets[i].count == 0)
      continue;
    rows[filled][0] = buckets[i].low_ns;
    rows[filled][1] = buckets[i].high_ns;
    rows[filled++][2] = buckets[i].count;
  }
  bench_field_pairs("pause_histogram", rows, filled);
}

#elif defined(BENCH_LIBGC)

static struct bench_histogram pause_histogram; // [libgc's allocation lock]
static uint64_t collection_start_ns, collection_total_ns, stop_start_ns;

static void GC_CALLBACK
pauses_on_event(GC_EventType event) {
  uint64_t now_ns = bench_now_ns();
  if (event == GC_EVENT_START)
    collection_start_ns = now_ns;
  else if (event == GC_EVENT_PRE_STOP_WORLD)
    stop_start_ns = now_ns;
  else if (event == GC_EVENT_POST_START_WORLD)
    bench_histogram_add(&pause_histogram, now_ns - stop_start_ns);
  else if (event == GC_EVENT_END)
    collection_total_ns += now_ns - collection_start_ns;
}

static void
pauses_observe(void) {
  GC_set_on_collection_event(pauses_on_event);
}

static uint64_t
pauses_total_ns(void) {
  return collection_total_ns;
}

static struct pauses
pauses_read(void) {
  return (struct pauses){.count = pause_histogram.count,
                         .total_ns = collection_total_ns,
                         .p50_ns = bench_histogram_quantile(&pause_histogram, 0.50),
                         .p99_ns = bench_histogram_quantile(&pause_histogram, 0.99),
                         .p999_ns = bench_histogram_quantile(&pause_histogram, 0.999),
                         .max_ns = pause_histogram.max_ns};
}

static void
pauses_report_histogram(void) {
  bench_field_histogram("pause_histogram", &pause_histogram);
}

#else

static void
pauses_observe(void) {
}

static uint64_t
pauses_total_ns(void) {
  return 0;
}

static struct pauses
pauses_read(void) {
  return (struct pauses){0};
}

static void
pauses_report_histogram(void) {
}

#endif

// ---- Hardware counters, on demand and where the kernel grants them -------------------------------------

struct counter {
  const char *name;
  uint32_t type;
  uint64_t config;
  int file; // 0: not opened; -1: refused
  uint64_t start, value;
};

static struct counter counters[] = {
    {"instructions", PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS, 0, 0, 0},
    {"cycles", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES, 0, 0, 0},
    {"cache_misses", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CACHE_MISSES, 0, 0, 0},
    {"branch_misses", PERF_TYPE_HARDWARE, PERF_COUNT_HW_BRANCH_MISSES, 0, 0, 0},
    {"page_faults", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS, 0, 0, 0},
    {"context_switches", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CONTEXT_SWITCHES, 0, 0, 0},
};

enum { COUNTER_COUNT = sizeof counters / sizeof counters[0] };

static void
counters_open(void) {
  for (int i = 0; i < COUNTER_COUNT; i++) {
    struct perf_event_attr attr = {.size = sizeof attr,
                                   .type = counters[i].type,
                                   .config = counters[i].config,
                                   .inherit = 1,
                                   .exclude_kernel = 1,
                                   .exclude_hv = 1};
    counters[i].file = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
    if (counters[i].file < 0)
      fprintf(stderr, "%s: no counter %s: %s\n", bench_name, counters[i].name, strerror(errno));
  }
}

static uint64_t
counter_read(const struct counter *counter) {
  uint64_t value;
  return read(counter->file, &value, sizeof value) == (ssize_t)sizeof value ? value : 0;
}

static void
counters_begin(void) {
  for (int i = 0; i < COUNTER_COUNT; i++) {
    if (counters[i].file > 0)
      counters[i].start = counter_read(&counters[i]);
  }
}

static void
counters_end(void) {
  for (int i = 0; i < COUNTER_COUNT; i++) {
    if (counters[i].file > 0)
      counters[i].value = counter_read(&counters[i]) - counters[i].start;
  }
}

static void
counters_report(void) {
  for (int i = 0; i < COUNTER_COUNT; i++) {
    if (counters[i].file > 0)
      bench_field_count(counters[i].name, counters[i].value);
  }
}

// ---- The current measurement ---------------------------------------------------------------------------

static uint64_t begin_ns, begin_collections, begin_gc_ns;
static uint64_t measured_ns, measured_collections, measured_gc_ns;

void
bench_begin(void) {
  begin_collections = bench_collections();
  begin_gc_ns = pauses_total_ns();
  counters_begin();
  begin_ns = bench_now_ns();
}

void
bench_end(void) {
  measured_ns = bench_now_ns() - begin_ns;
  counters_end();
  measured_gc_ns = pauses_total_ns() - begin_gc_ns;
  measured_collections = bench_collections() - begin_collections;
}

double
bench_seconds(void) {
  return (double)measured_ns * 1e-9;
}

double
bench_gc_seconds(void) {
  return (double)measured_gc_ns * 1e-9;
}

// ---- JSON ----------------------------------------------------------------------------------------------

void
bench_report_begin(const char *case_format, ...) {
  printf("{\"bench\":\"%s\",\"contender\":\"%s\",\"case\":\"", bench_name, BENCH_CONTENDER);
  va_list arguments;
  va_start(arguments, case_format);
  vprintf(case_format, arguments);
  va_end(arguments);
  printf("\"");
}

void
bench_field(const char *name, double value) {
  printf(",\"%s\":%.9g", name, value);
}

void
bench_field_count(const char *name, uint64_t value) {
  printf(",\"%s\":%llu", name, (unsigned long long)value);
}

void
bench_field_pairs(const char *name, const uint64_t (*rows)[3], size_t count) {
  printf(",\"%s\":[", name);
  for (size_t i = 0; i < count; i++)
    printf("%s[%llu,%llu,%llu]", i == 0 ? "" : ",", (unsigned long long)rows[i][0],
           (unsigned long long)rows[i][1], (unsigned long long)rows[i][2]);
  printf("]");
}

void
bench_field_histogram(const char *name, const struct bench_histogram *histogram) {
  uint64_t rows[BENCH_HISTOGRAM_BUCKETS][3];
  size_t filled = 0;
  for (unsigned i = 0; i < BENCH_HISTOGRAM_BUCKETS; i++) {
    if (histogram->buckets[i] == 0)
      continue;
    rows[filled][0] = bucket_low_ns(i);
    rows[filled][1] = bucket_low_ns(i + 1);
    rows[filled++][2] = histogram->buckets[i];
  }
  bench_field_pairs(name, (const uint64_t(*)[3])rows, filled);
}

static void
report_collector(void) {
  bench_field_count("collections", measured_collections);
  bench_field("gc_seconds", bench_gc_seconds());
  bench_field_count("heap_bytes", bench_heap_bytes());
  struct pauses pauses = pauses_read();
  bench_field_count("pauses", pauses.count);
  bench_field_count("pause_p50_ns", pauses.p50_ns);
  bench_field_count("pause_p99_ns", pauses.p99_ns);
  bench_field_count("pause_p999_ns", pauses.p999_ns);
  bench_field_count("pause_max_ns", pauses.max_ns);
  pauses_report_histogram();
}

void
bench_report_end(void) {
  bench_field("seconds", bench_seconds());
  bench_field_count("rss_kib", bench_rss_peak_bytes() / 1024);
  counters_report();
  if (BENCH_COLLECTS)
    report_collector();
  printf("}\n");
  fflush(stdout);
}

// ---- Threads and small tools ---------------------------------------------------------------------------

enum { THREADS_MAX = 256 };

void
bench_run_threads(size_t count, void *(*body)(void *), void **arguments) {
  pthread_t threads[THREADS_MAX];
  bench_check(count <= THREADS_MAX);
  for (size_t i = 0; i < count; i++)
    bench_check(bench_thread_create(&threads[i], body, arguments[i]) == 0);
  for (size_t i = 0; i < count; i++)
    bench_check(bench_thread_join(threads[i]) == 0);
}

static int
compare_u64(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return x < y ? -1 : x > y;
}

uint64_t
bench_median(uint64_t *samples, size_t count) {
  qsort(samples, count, sizeof *samples, compare_u64);
  return samples[count / 2];
}
