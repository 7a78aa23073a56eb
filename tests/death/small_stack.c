// Threads with the smallest stack that the system allows (16 KiB) allocate, collect, and are stopped by the
// collections of others.

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>

#include "gc.h"
#include "tests/death/child.h"

enum { THREADS = 4, ROUNDS = 200, NODES = 300 };

static atomic_bool over;
static bool collecting, verifying;

struct node {
  struct node *next;
  size_t number;
};

static void
use_list(void) {
  struct node *list = NULL;
  for (size_t i = 0; i < NODES; i++) {
    struct node *node = GC_malloc(sizeof *node);
    CHILD_CHECK(node);
    *node = (struct node){list, i};
    list = node;
  }
  if (collecting)
    GC_gcollect();
  if (verifying)
    CHILD_CHECK(gc_verify() == 0);
  for (size_t i = NODES; i-- > 0; list = list->next)
    CHILD_CHECK(list && list->number == i);
}

static void *
run(void *argument) {
  for (int i = 0; i < ROUNDS && !over; i++)
    use_list();
  return argument;
}

static size_t
smallest_stack(void) {
  size_t smallest = (size_t)PTHREAD_STACK_MIN, least = 16384;
  if (CHILD_ASAN)
    least = 128 << 10;
  return smallest > least ? smallest : least;
}

static pthread_t
start(void) {
  pthread_t thread;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  CHILD_CHECK(pthread_attr_setstacksize(&attributes, smallest_stack()) == 0);
  CHILD_CHECK(pthread_create(&thread, &attributes, run, NULL) == 0);
  pthread_attr_destroy(&attributes);
  return thread;
}

static void
run_threads(void) {
  pthread_t threads[THREADS];
  GC_INIT();
  for (int i = 0; i < THREADS; i++)
    threads[i] = start();
  for (int i = 0; i < THREADS; i++)
    CHILD_CHECK(pthread_join(threads[i], NULL) == 0);
}

static void
stopped_by_others(void) {
  pthread_t threads[THREADS];
  GC_INIT();
  for (int i = 0; i < THREADS; i++)
    threads[i] = start();
  for (int i = 0; i < 50; i++)
    GC_gcollect();
  over = true;
  for (int i = 0; i < THREADS; i++)
    CHILD_CHECK(pthread_join(threads[i], NULL) == 0);
}

static void
allocate(void) {
  run_threads();
}

static void
collect(void) {
  collecting = true;
  run_threads();
}

static void
verify(void) {
  verifying = true;
  run_threads();
}

// The first call of all comes from such a thread.
static void
initialise(void) {
  pthread_t thread = start();
  CHILD_CHECK(pthread_join(thread, NULL) == 0);
}

static void
stressed(void) {
  setenv("LOAM_STRESS_COLLECT", "50", 1);
  setenv("LOAM_VERIFY", "1", 1);
  GC_INIT();
  pthread_t thread = start();
  CHILD_CHECK(pthread_join(thread, NULL) == 0);
}

int
main(void) {
  tap_note("stacks of %zu bytes", smallest_stack());
  child_check("it initialises the collector", initialise, CHILD_EXITS);
  child_check("it allocates", allocate, CHILD_EXITS);
  child_check("it collects", collect, CHILD_EXITS);
  child_check("it verifies", verify, CHILD_EXITS);
  child_check("it is stopped", stopped_by_others, CHILD_EXITS);
  child_check("it collects at every fiftieth allocation", stressed, CHILD_EXITS);
  return tap_done();
}
