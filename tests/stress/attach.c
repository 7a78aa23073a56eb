// Threads that the collector has never heard of: many one after the other, many at once, one over and over.
#include "tests/stress/stress.h"

enum { SEQUENCE = 10000, CROWD = 1000, DEPTH = 4 };

#define CYCLES 1000000l

// ---- One after the other -------------------------------------------------------------------------------

static void *
allocate_once(void *seed) {
  struct tree *volatile tree = tree_build(DEPTH, (uintptr_t)seed);
  if ((uintptr_t)seed % 500 == 0)
    GC_gcollect();
  STRESS_CHECK(tree_is_right(tree, DEPTH, (uintptr_t)seed));
  return NULL;
}

static void
one_after_the_other(void) {
  for (uintptr_t i = 0; i < SEQUENCE; i++) {
    pthread_t thread;
    stress_create(&thread, allocate_once, (void *)i);
    pthread_join(thread, NULL);
  }
}

// ---- At once -------------------------------------------------------------------------------------------

static pthread_barrier_t all_here, all_may_go;

static void *
allocate_and_wait(void *seed) {
  struct tree *volatile tree = tree_build(DEPTH, (uintptr_t)seed);
  pthread_barrier_wait(&all_here);
  pthread_barrier_wait(&all_may_go);
  STRESS_CHECK(tree_is_right(tree, DEPTH, (uintptr_t)seed));
  return NULL;
}

static void
at_once(void) {
  static pthread_t threads[CROWD];
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 64 * 1024);
  pthread_barrier_init(&all_here, NULL, CROWD + 1);
  pthread_barrier_init(&all_may_go, NULL, CROWD + 1);
  for (uintptr_t i = 0; i < CROWD; i++)
    if (pthread_create(&threads[i], &attributes, allocate_and_wait, (void *)i) != 0)
      exit(2);
  pthread_barrier_wait(&all_here);
  for (int i = 0; i < 5; i++) {
    GC_gcollect();
    STRESS_CHECK(gc_verify() == 0);
  }
  pthread_barrier_wait(&all_may_go);
  for (size_t i = 0; i < CROWD; i++)
    pthread_join(threads[i], NULL);
}

// ---- Over and over -------------------------------------------------------------------------------------

static void *
come_and_go(void *cycles) {
  for (uintptr_t i = 0; i < (uintptr_t)cycles; i++) {
    STRESS_CHECK(GC_register_my_thread(NULL) == GC_SUCCESS);
    if (i % 1024 == 0)
      allocate_once((void *)i);
    STRESS_CHECK(GC_unregister_my_thread() == GC_SUCCESS);
  }
  return NULL;
}

static void
over_and_over(void) {
  pthread_t thread;
  double begin = stress_now();
  stress_create(&thread, come_and_go, (void *)CYCLES);
  pthread_join(thread, NULL);
  tap_note("%.2f us for each attachment", (stress_now() - begin) / (double)CYCLES * 1e6);
}

// While another thread collects.
static volatile int coming_and_going;

static void *
collect_meanwhile(void *unused) {
  while (coming_and_going)
    GC_gcollect();
  return unused;
}

static void
over_and_over_while_collecting(void) {
  enum { LANES = 3 };
  const uintptr_t cycles_per_lane = 20000;
  pthread_t lanes[LANES], collector;
  coming_and_going = 1;
  stress_create(&collector, collect_meanwhile, NULL);
  for (size_t i = 0; i < LANES; i++)
    stress_create(&lanes[i], come_and_go, (void *)cycles_per_lane);
  for (size_t i = 0; i < LANES; i++)
    pthread_join(lanes[i], NULL);
  coming_and_going = 0;
  pthread_join(collector, NULL);
}

// ---- In destructors ------------------------------------------------------------------------------------

enum { KEYS = 8 };

static pthread_key_t keys[KEYS];

// Some destructors run before ours and some after, and each attaches its thread again.
static void
allocate_late(void *value) {
  struct tree *volatile tree = tree_build(DEPTH, 7);
  STRESS_CHECK(tree_is_right(tree, DEPTH, 7));
  if ((uintptr_t)value > 1)
    pthread_setspecific(keys[(uintptr_t)value % KEYS], (char *)value - 1);
}

static void *
set_keys(void *value) {
  for (size_t i = 0; i < KEYS; i++)
    pthread_setspecific(keys[i], value);
  return NULL;
}

static void
in_destructors(void) {
  for (size_t i = 0; i < KEYS; i++)
    pthread_key_create(&keys[i], allocate_late);
  for (uintptr_t i = 0; i < 1000; i++) {
    pthread_t thread;
    stress_create(&thread, set_keys, (void *)(1 + i % 12));
    pthread_join(thread, NULL);
    if (i % 10 == 0)
      GC_gcollect();
  }
}

int
main(void) {
  stress_phase("10,000 threads one after the other", one_after_the_other, NULL, NULL);
  stress_phase("1,000 threads at once", at_once, NULL, NULL);
  stress_phase("1,000 threads at once", at_once, "LOAM_STRESS_DELAY", "1000");
  stress_phase("1,000,000 attachments of one thread", over_and_over, NULL, NULL);
  stress_phase("attachments while another thread collects", over_and_over_while_collecting, NULL, NULL);
  stress_phase_in_modes("attachments while another thread collects", over_and_over_while_collecting);
  stress_phase("allocation in destructors of thread-specific values", in_destructors, NULL, NULL);
  return tap_done();
}
