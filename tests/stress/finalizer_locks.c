// Finalizers that take a lock under which threads allocate and collect.  Called by those who hold it they
// would wait for themselves; so the program has them called elsewhere: by a thread that the notifier wakes,
// by the collector's own thread, or by who drains a queue.  All must come to an end: an alarm says if not.
#include <errno.h>
#include <semaphore.h>

#include "tests/stress/stress.h"

enum {
  WORKERS = 3,
  DRAINERS = 2,
  HELD = 200,
  BATCH = 50,
  MANY = 20000,
  SECONDS_MAX = 150,
  PATIENCE_MS = 60000
};

// ---- What the lock guards ------------------------------------------------------------------------------

// A registry of all that is open, as a program has one of its files.
struct entry {
  struct entry *next, *previous; // in the registry, hidden from the collector
  size_t number;
};

static pthread_mutex_t lock;
static struct entry registry; // malloc memory beyond the head [lock]
static size_t opened, closed; // [lock]
static __thread bool holds_lock;

// A thread that waits for itself is told so.
static void
initialize_lock(void) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
  pthread_mutex_init(&lock, &attributes);
  pthread_mutexattr_destroy(&attributes);
  registry.next = registry.previous = &registry;
}

static void
acquire(void) {
  int error = pthread_mutex_lock(&lock);
  STRESS_CHECK(error == 0);
  if (error == EDEADLK)
    _exit(3);
  holds_lock = true;
}

static void
release(void) {
  holds_lock = false;
  STRESS_CHECK(pthread_mutex_unlock(&lock) == 0);
}

struct handle {
  struct entry *entry;
  struct tree *tree;
  size_t number;
};

// The lock is held.
static void
enter(struct entry *entry) {
  entry->number = opened++;
  entry->next = registry.next;
  entry->previous = &registry;
  registry.next->previous = entry;
  registry.next = entry;
}

static void
leave(struct entry *entry) {
  entry->next->previous = entry->previous;
  entry->previous->next = entry->next;
  closed++;
}

static void
close_handle(void *object, void *data) {
  struct handle *handle = object;
  STRESS_CHECK(!holds_lock);
  acquire();
  STRESS_CHECK(handle->number == handle->entry->number && tree_is_right(handle->tree, 2, handle->number));
  leave(handle->entry);
  if (closed % 64 == 0)
    STRESS_CHECK(tree_is_right(tree_build(4, closed), 4, closed));
  if (closed % 512 == 0)
    GC_gcollect();
  release();
  free(handle->entry);
  (void)data;
}

// Allocates with the lock held, which may collect.
static struct handle *
open_handle(GC_finalizer_queue *queue) {
  struct handle *handle = GC_NEW(struct handle);
  handle->entry = malloc(sizeof *handle->entry);
  acquire();
  enter(handle->entry);
  handle->number = handle->entry->number;
  handle->tree = tree_build(2, handle->number);
  STRESS_CHECK(GC_register_finalizer_on(queue, handle, GC_FINALIZER_ORDERED, close_handle, NULL) ==
               GC_SUCCESS);
  if (handle->number % 256 == 0)
    GC_gcollect();
  release();
  return handle;
}

// ---- Threads -------------------------------------------------------------------------------------------

static double deadline;
static GC_finalizer_queue *queue; // NULL: the collector's own
static sem_t news;
static volatile int draining;

// In a long run those who drain by and by would never catch up otherwise.
static bool
many_are_open(void) {
  acquire();
  bool many = opened - closed > MANY;
  release();
  return many;
}

static void *
work(void *seed) {
  struct handle *held[HELD] = {NULL};
  uint64_t random = tree_mark((uintptr_t)seed) | 1;
  while (stress_now() < deadline) {
    if (many_are_open())
      GC_gcollect();
    else
      for (size_t i = 0; i < BATCH; i++)
        held[(stress_random(&random) >> 33) % HELD] = open_handle(queue);
  }
  GC_reachable_here(held);
  return NULL;
}

// Wakes a thread, and takes no lock: whoever calls this may hold one.
static void
tell_of_news(void) {
  sem_post(&news);
}

static void
tell_of_news_in_queue(GC_finalizer_queue *in, void *data) {
  STRESS_CHECK(in == queue && data == &news);
  sem_post(data);
}

static void *
drain(void *unused) {
  GC_register_my_thread(NULL);
  while (draining) {
    if (sem_wait(&news) != 0)
      continue;
    if (queue)
      GC_finalizer_queue_drain(queue, 0, 0);
    else
      GC_invoke_finalizers();
  }
  return unused;
}

// A few at a time, since others want the lock as well.
static void *
drain_by_and_by(void *unused) {
  GC_register_my_thread(NULL);
  while (draining)
    if (sem_wait(&news) == 0)
      while (GC_finalizer_queue_drain(queue, 7, 300) > 0)
        sched_yield();
  return unused;
}

// ---- Runs ----------------------------------------------------------------------------------------------

static size_t
closed_now(void) {
  acquire();
  size_t count = closed;
  release();
  return count;
}

// What the workers have dropped is closed at last; a few may be kept by stray words.
static void
await_last(void) {
  size_t enough = opened - opened / 10;
  for (int ms = 0; ms < PATIENCE_MS && closed_now() < enough; ms += 10) {
    GC_gcollect();
    usleep(10000);
  }
  STRESS_CHECK(closed_now() >= enough);
}

static void
run_with(void *(*drainer)(void *)) {
  pthread_t workers[WORKERS], drainers[DRAINERS];
  alarm(SECONDS_MAX);
  initialize_lock();
  sem_init(&news, 0, 0);
  deadline = stress_now() + stress_seconds(0.1);
  draining = 1;
  for (size_t i = 0; drainer && i < DRAINERS; i++)
    stress_create(&drainers[i], drainer, NULL);
  for (uintptr_t i = 0; i < WORKERS; i++)
    stress_create(&workers[i], work, (void *)i);
  for (size_t i = 0; i < WORKERS; i++)
    pthread_join(workers[i], NULL);
  await_last();
  draining = 0;
  for (size_t i = 0; drainer && i < DRAINERS; i++)
    sem_post(&news);
  for (size_t i = 0; drainer && i < DRAINERS; i++)
    pthread_join(drainers[i], NULL);
}

static void
a_thread_that_the_notifier_wakes(void) {
  GC_set_finalize_on_demand(1);
  GC_set_finalizer_notifier(tell_of_news);
  run_with(drain);
}

static void
the_collectors_thread(void) {
  STRESS_CHECK(GC_set_finalizer_thread(1) == GC_SUCCESS);
  run_with(NULL);
}

static void
who_drains_a_queue(void) {
  queue = GC_finalizer_queue_new(tell_of_news_in_queue, &news);
  run_with(drain);
}

static void
who_drains_a_queue_by_and_by(void) {
  queue = GC_finalizer_queue_new(tell_of_news_in_queue, &news);
  run_with(drain_by_and_by);
}

int
main(void) {
  static const struct {
    const char *name;
    void (*function)(void);
  } ways[] = {
      {"called by a thread that the notifier wakes", a_thread_that_the_notifier_wakes},
      {"called by the collector's thread", the_collectors_thread},
      {"called by who drains a queue", who_drains_a_queue},
      {"called by who drains a queue by and by", who_drains_a_queue_by_and_by},
  };
  for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
    stress_phase(ways[i].name, ways[i].function, NULL, NULL);
    stress_phase(ways[i].name, ways[i].function, "LOAM_STRESS_DELAY", "200");
    stress_phase_in_modes(ways[i].name, ways[i].function);
  }
  return tap_done();
}
