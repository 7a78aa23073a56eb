// Many more threads than CPUs allocate as fast as they can while concurrent cycles mark: together they must
// not outrun the marker, however often each of them waits for it.
#include <pthread.h>

#include "tests/stress/stress.h"

enum { THREADS = 32, DEPTH = 10, KEPT_DEPTH = 17 };

static double deadline;

static void *
churn(void *seed_) {
  uint64_t seed = (uint64_t)(uintptr_t)seed_;
  while (stress_now() < deadline) {
    struct tree *tree = tree_build(DEPTH, seed);
    STRESS_CHECK(tree_is_right(tree, DEPTH, seed));
    seed += THREADS;
  }
  return NULL;
}

int
main(void) {
  GC_INIT();
  GC_set_mode(GC_MODE_CONCURRENT);
  struct tree *kept = tree_build(KEPT_DEPTH, 1);
  size_t kept_bytes = ((size_t)2 << KEPT_DEPTH) * sizeof(struct tree);
  pthread_t threads[THREADS];
  deadline = stress_now() + stress_seconds(1);
  for (uintptr_t i = 0; i < THREADS; i++)
    stress_create(&threads[i], churn, (void *)i);
  for (size_t i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
  size_t heap_bytes = GC_get_heap_size();
  tap_note("%zu MiB for %zu MiB that are kept, %lu cycles", heap_bytes >> 20, kept_bytes >> 20,
           (unsigned long)GC_get_gc_no());
  tap_ok(tree_is_right(kept, KEPT_DEPTH, 1) && stress_failures == 0, "all trees are right");
  tap_ok(heap_bytes < 16 * kept_bytes, "the heap stays within bounds");
  return tap_done();
}
