// Random operations of one thread on the collected heap, each repeated on a shadow of it that is slow and
// truthful: nothing that the shadow reaches may be lost or changed, nothing may be handed out twice, and what
// it no longer reaches must be reclaimed.
//
// A failure prints the operation's number and the command that replays it.  places.h, survivors.h and
// operations.h are the model.

#include "tests/model/operations.h"
#include "tests/model/phases.h"

enum { BATCH = 32, LEAK_BYTES = 256 << 10 };

static void *volatile static_words[RANGE_WORDS];
static __thread void *volatile thread_words[RANGE_WORDS];

// Nothing is reachable any more: what is in use must be what strays explain, and little else.
static void
check_leaks(struct model *model, size_t bytes_at_start) {
  size_t survivor_bytes = 0;
  failure_name = "leak check";
  model_drop(model);
  collect_thoroughly();
  bury_reclaimed(&model->shadow, object_is_reclaimed);
  unsigned strays = count_strays(model, &survivor_bytes);
  size_t limit = bytes_at_start + survivor_bytes + LEAK_BYTES;
  MODEL_CHECK(strays <= STRAYS_MAX, "%u objects survive their program, which takes %u stray words to explain",
              model->shadow.dead_count, strays);
  MODEL_CHECK(GC_get_memory_use() <= limit,
              "%zu bytes are in use at the end: more than %zu at the start, %zu of strays and %d",
              GC_get_memory_use(), bytes_at_start, survivor_bytes, LEAK_BYTES);
}

__attribute__((noinline)) static void
run_until(struct model *model, double limit, unsigned long operations_max) {
  void *volatile stack_words[RANGE_WORDS] = {NULL};
  range_open(model, static_words);
  range_open(model, thread_words);
  unsigned stack_range = range_open(model, stack_words);
  while (operations_max ? failure_operation < operations_max : seconds_now() < limit)
    run_operations(model, BATCH);
  operate_check(model);
  range_close(model, stack_range);
}

static void
run(uint64_t seed, double seconds, unsigned long operations_max) {
  static struct model model;
  double limit = seconds_now() + seconds;
  GC_INIT();
  progress->started = 1;
  size_t bytes_at_start = GC_get_memory_use();
  model_begin(&model, seed, true);
  run_until(&model, limit, operations_max);
  check_leaks(&model, bytes_at_start);
  operate_verify(&model);
  shadow_destroy(&model.shadow);
}

int
main(int argc, char **argv) {
  return phases_main(argc, argv, run);
}
