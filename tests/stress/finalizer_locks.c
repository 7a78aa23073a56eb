// Finalizers that take a lock which the allocating thread holds: no deadlock where finalizers run on another
// thread, or from a queue that is drained without the lock.
#include "tests/stress/stress.h"

enum { SECONDS_MAX = 60, BATCH = 100 };

static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;
static size_t in_table; // [table_lock]
static double deadline;
static volatile bool over;
static GC_finalizer_queue *queue;

static void GC_CALLBACK
leave_table(void *object, void *unused) {
  (void)object, (void)unused;
  pthread_mutex_lock(&table_lock);
  in_table--;
  pthread_mutex_unlock(&table_lock);
}

// Allocates, and so collects, with the lock held.
static void
enter_table(void) {
  pthread_mutex_lock(&table_lock);
  for (int i = 0; i < BATCH; i++) {
    void *object = GC_MALLOC(64);
    STRESS_CHECK(GC_register_finalizer_on(queue, object, GC_FINALIZER_NO_ORDER, leave_table, NULL) ==
                 GC_SUCCESS);
    in_table++;
  }
  pthread_mutex_unlock(&table_lock);
}

static void
fill_table(void (*between)(void)) {
  alarm(SECONDS_MAX); // ends the process if there is a deadlock
  deadline = stress_now() + stress_seconds(0.1);
  do {
    enter_table();
    if (between)
      between();
  } while (stress_now() < deadline);
}

// Nearly all; others wait for a moment.
static void
expect_empty_table(void (*drain)(void)) {
  size_t left = SIZE_MAX;
  for (int tries = 0; tries < 200 && left > BATCH; tries++) {
    GC_gcollect();
    if (drain)
      drain();
    pthread_mutex_lock(&table_lock);
    left = in_table;
    pthread_mutex_unlock(&table_lock);
    nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
  }
  STRESS_CHECK(left <= BATCH);
}

// ---- The collector's own thread ------------------------------------------------------------------------

static void
own_thread(void) {
  STRESS_CHECK(GC_set_finalizer_thread(1) == GC_SUCCESS);
  fill_table(NULL);
  expect_empty_table(NULL);
  STRESS_CHECK(GC_set_finalizer_thread(0) == GC_SUCCESS);
}

// ---- A thread of the program's, told by the notifier ---------------------------------------------------

static pthread_mutex_t news_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t news = PTHREAD_COND_INITIALIZER;

static void GC_CALLBACK
tell(void) {
  pthread_mutex_lock(&news_lock);
  pthread_cond_signal(&news);
  pthread_mutex_unlock(&news_lock);
}

static void *
run_when_told(void *unused) {
  pthread_mutex_lock(&news_lock);
  while (!over) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec++;
    pthread_cond_timedwait(&news, &news_lock, &until);
    pthread_mutex_unlock(&news_lock);
    GC_invoke_finalizers();
    pthread_mutex_lock(&news_lock);
  }
  pthread_mutex_unlock(&news_lock);
  return unused;
}

static void
on_demand(void) {
  pthread_t thread;
  GC_set_finalize_on_demand(1);
  GC_set_finalizer_notifier(tell);
  STRESS_CHECK(GC_pthread_create(&thread, NULL, run_when_told, NULL) == 0);
  fill_table(NULL);
  expect_empty_table(NULL);
  over = true;
  tell();
  STRESS_CHECK(GC_pthread_join(thread, NULL) == 0);
}

// ---- A queue, drained between ---------------------------------------------------------------------------

static void
drain_some(void) {
  STRESS_CHECK(GC_finalizer_queue_drain(queue, BATCH, 0) <= BATCH);
}

static void
drain_all(void) {
  GC_finalizer_queue_drain(queue, 0, 0);
}

static void
own_queue(void) {
  queue = GC_finalizer_queue_new(NULL, NULL);
  fill_table(drain_some);
  expect_empty_table(drain_all);
  GC_finalizer_queue_free(queue);
}

int
main(void) {
  stress_phase("on the collector's thread", own_thread, NULL, NULL);
  stress_phase("on a thread of the program's", on_demand, NULL, NULL);
  stress_phase("from a queue", own_queue, NULL, NULL);
  setenv("GC_MODE", "concurrent", 1);
  stress_phase("on the collector's thread, concurrent", own_thread, "LOAM_NURSERY", "256K");
  stress_phase("on a thread of the program's, concurrent", on_demand, "LOAM_NURSERY", "256K");
  stress_phase("from a queue, concurrent", own_queue, "LOAM_NURSERY", "256K");
  return tap_done();
}
