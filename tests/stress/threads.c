// Threads that allocate, share, collect, come and go, all at once.  Each keeps its trees in other places:
// frames, thread-local storage, static data, thread-specific values, uncollectable memory, a mailbox that
// others empty.
#include "tests/stress/stress.h"

enum { THREADS = 6, SLOTS = 64, DEPTH = 6 };

static double deadline;
static struct tree *slots[SLOTS];
static uint64_t slot_seeds[SLOTS];
static pthread_mutex_t slot_mutexes[SLOTS];
static __thread struct tree *own_tree;
static pthread_key_t key;

// Check what is in a slot and put something else there.
static void
trade(uint64_t *random) {
  size_t i = stress_random(random) % SLOTS;
  uint64_t seed = stress_random(random) >> 8;
  struct tree *mine = tree_build(DEPTH, seed);
  pthread_mutex_lock(&slot_mutexes[i]);
  struct tree *other = slots[i];
  uint64_t other_seed = slot_seeds[i];
  slots[i] = mine;
  slot_seeds[i] = seed;
  pthread_mutex_unlock(&slot_mutexes[i]);
  STRESS_CHECK(!other || tree_is_right(other, DEPTH, other_seed));
}

static void
keep_in_many_places(uint64_t *random) {
  uint64_t seed = stress_random(random) >> 8;
  struct tree *volatile framed = tree_build(DEPTH, seed);
  struct tree **block = GC_MALLOC_UNCOLLECTABLE(sizeof *block);
  own_tree = tree_build(DEPTH, seed + 1);
  pthread_setspecific(key, tree_build(DEPTH, seed + 2));
  *block = tree_build(DEPTH, seed + 3);
  trade(random);
  STRESS_CHECK(tree_is_right(framed, DEPTH, seed));
  STRESS_CHECK(tree_is_right(own_tree, DEPTH, seed + 1));
  STRESS_CHECK(tree_is_right(pthread_getspecific(key), DEPTH, seed + 2));
  STRESS_CHECK(tree_is_right(*block, DEPTH, seed + 3));
  GC_FREE(block);
}

// A life of random length.
static void *
live(void *seed) {
  uint64_t random = (uint64_t)(uintptr_t)seed * 0x9e3779b97f4a7c15 | 1;
  unsigned steps = 1 + stress_random(&random) % 200;
  while (steps-- > 0 && stress_now() < deadline) {
    keep_in_many_places(&random);
    if (stress_random(&random) % 50 == 0)
      GC_gcollect();
  }
  return NULL;
}

// Keep starting lives, in either way.
static void *
start_lives(void *lane) {
  for (uintptr_t i = 0; stress_now() < deadline; i++) {
    pthread_t thread;
    void *seed = (char *)lane + i * THREADS + 1;
    if (i % 2)
      stress_create(&thread, live, seed);
    else
      STRESS_CHECK(GC_pthread_create(&thread, NULL, live, seed) == 0);
    STRESS_CHECK((i % 2 ? pthread_join(thread, NULL) : GC_pthread_join(thread, NULL)) == 0);
  }
  return NULL;
}

static void
all_at_once(void) {
  pthread_t lanes[THREADS];
  deadline = stress_now() + stress_seconds(0.3);
  pthread_key_create(&key, NULL);
  for (size_t i = 0; i < SLOTS; i++)
    pthread_mutex_init(&slot_mutexes[i], NULL);
  for (uintptr_t i = 0; i < THREADS; i++)
    stress_create(&lanes[i], start_lives, (void *)i);
  while (stress_now() < deadline) {
    STRESS_CHECK(gc_verify() == 0);
    usleep(20000);
  }
  for (size_t i = 0; i < THREADS; i++)
    pthread_join(lanes[i], NULL);
}

int
main(void) {
  stress_phase("threads live and die", all_at_once, NULL, NULL);
  stress_phase("threads live and die", all_at_once, "LOAM_STRESS_DELAY", "300");
  stress_phase("threads live and die", all_at_once, "LOAM_STRESS_COLLECT", "97");
  stress_phase_in_modes("threads live and die", all_at_once);
  return tap_done();
}
