// Hypothesis: with nothing live, allocating is bumping through recycled runs that stay in the cache, and
// sweeping is a few words per page; so GC_malloc costs at most half of libgc's at every size, and up to 256
// bytes no more than a calloc and free pair of mimalloc.  The same for GC_malloc_atomic against malloc and
// free.
//
// Guards the allocation fast path.  One word of each object is written, as any program would.
#include "harness.h"

enum { REPEATS = 5 };

static void
churn_zeroed(size_t bytes, uint64_t count) {
  for (uint64_t i = 0; i < count; i++) {
    uint64_t *object = bench_alloc(bytes);
    *object = i;
    bench_keep(object);
    bench_free(object);
  }
}

static void
churn_atomic(size_t bytes, uint64_t count) {
  for (uint64_t i = 0; i < count; i++) {
    uint64_t *object = bench_alloc_atomic(bytes);
    *object = i;
    bench_keep(object);
    bench_free(object);
  }
}

static void
measure(const char *kind, void (*churn)(size_t, uint64_t), size_t bytes, uint64_t count) {
  churn(bytes, count / 4); // to warm up
  uint64_t samples_ns[REPEATS];
  bench_begin();
  for (int i = 0; i < REPEATS; i++) {
    uint64_t start_ns = bench_now_ns();
    churn(bytes, count);
    samples_ns[i] = bench_now_ns() - start_ns;
  }
  bench_end();
  bench_report_begin("%s %zu", kind, bytes);
  bench_field_count("bytes", bytes);
  bench_field("ns_per_op", (double)bench_median(samples_ns, REPEATS) / (double)count);
  bench_report_end();
}

int
main(int argc, char **argv) {
  static const size_t sizes[] = {16,  32,  48,  64,   96,   128,  192,  256,
                                 384, 512, 768, 1024, 1536, 2048, 3072, 4096};
  bench_start("sizes", argc, argv);
  uint64_t budget_bytes = (uint64_t)bench_param("mib", 64) << 20; // per size and repeat
  uint64_t count_max = (uint64_t)bench_param("count", 2000000);
  bench_params_done();

  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    uint64_t count = budget_bytes / sizes[i] < count_max ? budget_bytes / sizes[i] : count_max;
    measure("zeroed", churn_zeroed, sizes[i], count);
    measure("atomic", churn_atomic, sizes[i], count);
  }
  return 0;
}
