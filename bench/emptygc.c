// Hypothesis: collecting a nearly empty heap costs the fixed work only (registers, one stack, the data
// segments, a few pages), and is no dearer than libgc's, also when many shared libraries add their data
// segments to the roots.
//
// libs=50 compiles one small library (1 KiB of data) into a temporary directory, copies it 50 times and loads
// them all.
#include "harness.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

enum { LIVE_OBJECTS = 1000, SAMPLES_MAX = 100000 };

struct cell {
  struct cell *next;
  uint64_t payload;
};

static struct cell *live;

static void
build_live(void) {
  for (uint64_t i = 0; i < LIVE_OBJECTS; i++) {
    struct cell *cell = bench_alloc(sizeof *cell);
    cell->next = live;
    cell->payload = i;
    live = cell;
  }
}

static void
shell(const char *format, const char *directory) {
  char command[PATH_MAX + 256];
  snprintf(command, sizeof command, format, directory);
  bench_check(system(command) == 0);
}

static void
load_libraries(long count) {
  char directory[] = "/tmp/bench-emptygc-XXXXXX";
  bench_check(mkdtemp(directory) != NULL);
  shell("cd %s && echo 'long data[128] = {1}; long *bench_library_data(void) { return data; }' > lib.c && "
        "${CC:-cc} -shared -fPIC -O2 -o lib.so lib.c",
        directory);
  for (long i = 0; i < count; i++) {
    char path[PATH_MAX], copy[PATH_MAX + 64];
    snprintf(path, sizeof path, "%s/lib%ld.so", directory, i);
    snprintf(copy, sizeof copy, "cp %%s/lib.so %s", path);
    shell(copy, directory);
    bench_check(dlopen(path, RTLD_NOW | RTLD_LOCAL) != NULL);
  }
  shell("rm -r %s", directory);
}

int
main(int argc, char **argv) {
  bench_start("emptygc", argc, argv);
  long libs = bench_param("libs", 0);
  size_t samples = (size_t)bench_param("samples", 2000);
  bench_params_done();
  bench_check(samples > 0 && samples <= SAMPLES_MAX);
  if (!BENCH_COLLECTS)
    bench_skip("no collection without a collector");

  if (libs > 0)
    load_libraries(libs);
  build_live();
  for (int i = 0; i < 20; i++) // to warm up
    bench_collect();

  uint64_t *samples_ns = malloc(samples * sizeof *samples_ns);
  bench_check(samples_ns != NULL);
  bench_begin();
  for (size_t i = 0; i < samples; i++) {
    uint64_t start_ns = bench_now_ns();
    bench_collect();
    samples_ns[i] = bench_now_ns() - start_ns;
  }
  bench_end();
  uint64_t median_ns = bench_median(samples_ns, samples);

  bench_report_begin("libs=%ld", libs);
  bench_field("ns_per_op", (double)median_ns);
  bench_field("ns_per_op_min", (double)samples_ns[0]);
  bench_report_end();
  bench_check(live->payload == LIVE_OBJECTS - 1);
  return 0;
}
