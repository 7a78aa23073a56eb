#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
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
struct record {
  uint64_t start_ns, length_ns;
};

static struct record *pause_records;
static _Thread_local bool measures; // whether this is the measuring thread

static struct record *records_map(void);
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
  measures = true;
  pause_records = records_map();
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

// ---- Records of what took how long ---------------------------------------------------------------------

enum { RECORDS_MAX = 100000 };

// Mapped rather than static, because a conservative collector would scan it as roots in every pause.
static struct record *
records_map(void) {
  void *records = mmap(NULL, RECORDS_MAX * sizeof(struct record), PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (records == MAP_FAILED)
    die("cannot map records: ", strerror(errno));
  return records;
}

// ---- Pauses: Loam keeps its own figures; one by one, both are timed by their collection events ----------

struct pauses {
  uint64_t count;
  uint64_t total_ns; // in collections altogether, with the world stopped or not
  uint64_t p50_ns, p99_ns, p999_ns, max_ns;
};

static atomic_size_t pause_count; // may exceed RECORDS_MAX: later pauses are only counted
static uint64_t own_collector_ns; // the collector's time on the measuring thread [that thread]

#if BENCH_COLLECTS

static _Thread_local uint64_t stop_start_ns;

// Called from whichever thread stopped the world.  The start is written last: a reader takes a record
// without one for one that is not there yet.
static void
pause_record(uint64_t end_ns) {
  uint64_t length_ns = end_ns - stop_start_ns;
  size_t index = atomic_fetch_add(&pause_count, 1);
  if (index < RECORDS_MAX) {
    pause_records[index].length_ns = length_ns;
    __atomic_store_n(&pause_records[index].start_ns, stop_start_ns, __ATOMIC_RELEASE);
  }
}

#endif

#if defined(BENCH_LOAM)

static void GC_CALLBACK
pauses_on_event(GC_EventType event) {
  if (event == GC_EVENT_PRE_STOP_WORLD) {
    stop_start_ns = bench_now_ns();
  } else if (event == GC_EVENT_POST_START_WORLD) {
    uint64_t now_ns = bench_now_ns();
    pause_record(now_ns);
    if (measures)
      own_collector_ns += now_ns - stop_start_ns;
  }
}

static void
pauses_observe(void) {
  GC_set_on_collection_event(pauses_on_event);
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
pauses_report_more(void) {
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
static uint64_t collection_start_ns, collection_total_ns;
static bool collecting;

// [libgc's allocation lock]
static void
collector_took(uint64_t ns) {
  collection_total_ns += ns;
  if (measures)
    own_collector_ns += ns;
}

// When libgc is incremental, most pauses lie outside START and END, and what it marks between them, on the
// allocating thread, no event shows.
static void GC_CALLBACK
pauses_on_event(GC_EventType event) {
  uint64_t now_ns = bench_now_ns();
  if (event == GC_EVENT_START) {
    collection_start_ns = now_ns;
    collecting = true;
  } else if (event == GC_EVENT_PRE_STOP_WORLD) {
    stop_start_ns = now_ns;
  } else if (event == GC_EVENT_POST_START_WORLD) {
    pause_record(now_ns);
    bench_histogram_add(&pause_histogram, now_ns - stop_start_ns);
    if (!collecting)
      collector_took(now_ns - stop_start_ns);
  } else if (event == GC_EVENT_END) {
    collector_took(now_ns - collection_start_ns);
    collecting = false;
  }
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
pauses_report_more(void) {
  bench_field_histogram("pause_histogram", &pause_histogram);
  bench_field_count("incremental", (uint64_t)GC_is_incremental_mode());
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
pauses_report_more(void) {
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

static uint64_t begin_ns, begin_collections, begin_gc_ns, begin_cpu_ns, begin_thread_cpu_ns,
    begin_own_collector_ns;
static uint64_t measured_ns, measured_collections, measured_gc_ns, measured_cpu_ns, measured_collector_ns;

static uint64_t
clock_ns(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void
bench_begin(void) {
  begin_collections = bench_collections();
  begin_gc_ns = pauses_total_ns();
  begin_own_collector_ns = own_collector_ns;
  counters_begin();
  begin_cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
  begin_thread_cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
  begin_ns = bench_now_ns();
}

void
bench_end(void) {
  measured_ns = bench_now_ns() - begin_ns;
  uint64_t thread_cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) - begin_thread_cpu_ns;
  measured_cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - begin_cpu_ns;
  counters_end();
  measured_collector_ns = own_collector_ns - begin_own_collector_ns + (measured_cpu_ns - thread_cpu_ns);
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

// As [[start_us,length_us],...] since bench_begin, in tenths of a microsecond.
static void
field_timeline(const char *name, const struct record *records, size_t count) {
  printf(",\"%s\":[", name);
  for (size_t i = 0; i < count; i++)
    printf("%s[%.1f,%.1f]", i == 0 ? "" : ",", (double)(records[i].start_ns - begin_ns) * 1e-3,
           (double)records[i].length_ns * 1e-3);
  printf("]");
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
  pauses_report_more();
}

void
bench_report_end(void) {
  bench_field("seconds", bench_seconds());
  bench_field("cpu_seconds", (double)measured_cpu_ns * 1e-9);
  bench_field_count("rss_kib", bench_rss_peak_bytes() / 1024);
  counters_report();
  if (BENCH_COLLECTS)
    report_collector();
  printf("}\n");
  fflush(stdout);
}

// ---- Operations, and the pauses among them -------------------------------------------------------------

static struct bench_histogram ops;
static uint64_t op_start_ns;
static struct record *stall_records;
static size_t stall_count; // up to RECORDS_MAX

void
bench_ops_begin(void) {
  ops = (struct bench_histogram){0};
  if (stall_records == NULL)
    stall_records = records_map();
  stall_count = 0;
  op_start_ns = bench_now_ns();
}

void
bench_ops_lap(void) {
  uint64_t now_ns = bench_now_ns();
  uint64_t length_ns = now_ns - op_start_ns;
  bench_histogram_add(&ops, length_ns);
  if (length_ns > BENCH_STALL_NS && stall_count < RECORDS_MAX)
    stall_records[stall_count++] = (struct record){.start_ns = op_start_ns, .length_ns = length_ns};
  op_start_ns = now_ns;
}

void
bench_field_ops(void) {
  bench_field_count("ops", ops.count);
  bench_field("mean_ns", (double)ops.total_ns / (double)ops.count);
  bench_field_count("p50_ns", bench_histogram_quantile(&ops, 0.50));
  bench_field_count("p99_ns", bench_histogram_quantile(&ops, 0.99));
  bench_field_count("p999_ns", bench_histogram_quantile(&ops, 0.999));
  bench_field_count("p9999_ns", bench_histogram_quantile(&ops, 0.9999));
  bench_field_count("max_ns", ops.max_ns);
  bench_field_histogram("op_histogram", &ops);
  field_timeline("stall_timeline", stall_records, stall_count);
}

static int
compare_u64(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return x < y ? -1 : x > y;
}

static int
compare_starts(const void *a, const void *b) {
  uint64_t x = ((const struct record *)a)->start_ns, y = ((const struct record *)b)->start_ns;
  return x < y ? -1 : x > y;
}

// The pauses between bench_begin and bench_end, by their start.
static size_t
measured_pauses(struct record *found) {
  size_t count = atomic_load(&pause_count), kept = 0;
  for (size_t i = 0; i < count && i < RECORDS_MAX; i++) {
    uint64_t start_ns = __atomic_load_n(&pause_records[i].start_ns, __ATOMIC_ACQUIRE);
    if (start_ns >= begin_ns && start_ns < begin_ns + measured_ns)
      found[kept++] = (struct record){.start_ns = start_ns, .length_ns = pause_records[i].length_ns};
  }
  qsort(found, kept, sizeof *found, compare_starts);
  return kept;
}

// The smallest length that at least `quantile` of the lengths do not exceed; they are sorted.
static uint64_t
quantile_of(const uint64_t *lengths_ns, size_t count, double quantile) {
  size_t index = 0;
  while (index + 1 < count && (double)(index + 1) < quantile * (double)count)
    index++;
  return count == 0 ? 0 : lengths_ns[index];
}

void
bench_field_pauses(void) {
  if (!BENCH_COLLECTS)
    return;
  struct record *found = records_map();
  size_t count = measured_pauses(found);
  uint64_t *lengths_ns = calloc(count + 1, sizeof *lengths_ns);
  bench_check(lengths_ns != NULL);
  for (size_t i = 0; i < count; i++)
    lengths_ns[i] = found[i].length_ns;
  qsort(lengths_ns, count, sizeof *lengths_ns, compare_u64);
  bench_field_count("run_pauses", count);
  bench_field_count("run_pause_p50_ns", quantile_of(lengths_ns, count, 0.50));
  bench_field_count("run_pause_p90_ns", quantile_of(lengths_ns, count, 0.90));
  bench_field_count("run_pause_p99_ns", quantile_of(lengths_ns, count, 0.99));
  bench_field_count("run_pause_p999_ns", quantile_of(lengths_ns, count, 0.999));
  bench_field_count("run_pause_max_ns", quantile_of(lengths_ns, count, 1));
  field_timeline("pause_timeline", found, count);
  bench_field("collector_seconds", (double)measured_collector_ns * 1e-9);
  free(lengths_ns);
  munmap(found, RECORDS_MAX * sizeof *found);
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

uint64_t
bench_median(uint64_t *samples, size_t count) {
  qsort(samples, count, sizeof *samples, compare_u64);
  return samples[count / 2];
}
