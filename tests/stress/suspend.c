// Threads that allocate, and now and then block, are suspended at any moment, by several others and by
// themselves, and the world is stopped from outside, while another thread collects.  Who is suspended stands
// still and keeps what it holds; all come to their end.
#define GC_THREADS
#define GC_NO_THREAD_REDIRECTS
#include "compat/include/gc/javaxfc.h"

#include <sched.h>

#include "tests/stress/stress.h"

enum { WORKERS = 4, SUSPENDERS = 2, DEPTH = 4 };

static struct worker {
  pthread_t thread;
  volatile unsigned long steps;
  pthread_mutex_t suspending; // one at a time, so that who suspends knows how long
  uint64_t random;
} workers[WORKERS];

static double deadline;
static volatile int stop_suspending, stop_working;

static void *GC_CALLBACK
yield_there(void *unused) {
  sched_yield();
  return unused;
}

// When it has suspended itself the next who suspends it resumes it.
static void
do_one_step(struct worker *worker) {
  uint64_t seed = stress_random(&worker->random);
  struct tree *tree = tree_build(DEPTH, seed);
  if (seed % 8 == 0)
    GC_do_blocking(yield_there, NULL);
  if (seed % 64 == 1)
    GC_suspend_thread(pthread_self());
  STRESS_CHECK(tree_is_right(tree, DEPTH, seed));
}

static void *
work(void *worker_) {
  struct worker *worker = worker_;
  while (!stop_working) {
    worker->steps++;
    do_one_step(worker);
  }
  return NULL;
}

static void
suspend_for_a_while(struct worker *worker) {
  pthread_mutex_lock(&worker->suspending);
  GC_suspend_thread(worker->thread);
  STRESS_CHECK(GC_is_thread_suspended(worker->thread));
  unsigned long before = worker->steps;
  STRESS_CHECK(tree_is_right(tree_build(DEPTH, before), DEPTH, before));
  sched_yield();
  STRESS_CHECK(worker->steps == before);
  GC_resume_thread(worker->thread);
  pthread_mutex_unlock(&worker->suspending);
}

static void *
suspend_others(void *seed) {
  uint64_t random = (uintptr_t)seed;
  while (!stop_suspending)
    suspend_for_a_while(&workers[stress_random(&random) % WORKERS]);
  return NULL;
}

static void
stop_all_for_a_while(void) {
  unsigned long before[WORKERS];
  GC_stop_world_external();
  for (size_t i = 0; i < WORKERS; i++)
    before[i] = workers[i].steps;
  sched_yield();
  for (size_t i = 0; i < WORKERS; i++)
    STRESS_CHECK(workers[i].steps == before[i]);
  GC_start_world_external();
}

// Those that have suspended themselves since the last time, too.
static void
join_workers(void) {
  for (size_t i = 0; i < WORKERS; i++)
    while (pthread_tryjoin_np(workers[i].thread, NULL) != 0) {
      GC_resume_thread(workers[i].thread);
      sched_yield();
    }
}

static void
suspend_and_collect(void) {
  pthread_t suspenders[SUSPENDERS];
  deadline = stress_now() + stress_seconds(0.2);
  for (size_t i = 0; i < WORKERS; i++) {
    workers[i] = (struct worker){.random = i + 1, .suspending = PTHREAD_MUTEX_INITIALIZER};
    if (GC_pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0)
      exit(2);
  }
  for (uintptr_t i = 0; i < SUSPENDERS; i++)
    stress_create(&suspenders[i], suspend_others, (void *)(i + 1));
  while (stress_now() < deadline) {
    GC_gcollect();
    stop_all_for_a_while();
  }
  stop_suspending = 1;
  for (size_t i = 0; i < SUSPENDERS; i++)
    pthread_join(suspenders[i], NULL);
  stop_working = 1;
  join_workers();
  for (size_t i = 0; i < WORKERS; i++)
    STRESS_CHECK(workers[i].steps > 0);
}

int
main(void) {
  stress_phase("threads are suspended", suspend_and_collect, NULL, NULL);
  stress_phase("threads are suspended", suspend_and_collect, "LOAM_STRESS_DELAY", "100");
  stress_phase("threads are suspended", suspend_and_collect, "LOAM_VERIFY", "1");
  stress_phase_in_modes("threads are suspended", suspend_and_collect);
  return tap_done();
}
