// Minor and concurrent cycles while the program does what disturbs them: it changes old objects so that the
// only pointer to an object is now here, now there; forks, disables collection and switches modes in the
// middle of a cycle; and has several threads drive cycles bit by bit.
#include "tests/stress/stress.h"

enum { TREES = 512, DEPTH = 5, THREADS = 3, CHILD_SECONDS = 60 };

static double deadline;

// ---- A shelf: an old object that holds the only pointers to young ones ---------------------------------

struct shelf {
  struct tree **trees; // collected memory
  uint64_t seeds[TREES];
  uint64_t random;
};

static void
shelf_put(struct shelf *shelf, size_t i, struct tree *tree, uint64_t seed) {
  shelf->trees[i] = tree;
  shelf->seeds[i] = seed;
}

static uint64_t
random_seed(struct shelf *shelf) {
  return stress_random(&shelf->random) >> 16;
}

static void
shelf_fill(struct shelf *shelf, uint64_t seed) {
  shelf->random = tree_mark(seed) | 1;
  shelf->trees = GC_MALLOC(TREES * sizeof *shelf->trees);
  for (size_t i = 0; i < TREES; i++) {
    uint64_t tree_seed = random_seed(shelf);
    shelf_put(shelf, i, tree_build(DEPTH, tree_seed), tree_seed);
  }
}

static bool
shelf_tree_is_right(const struct shelf *shelf, size_t i) {
  return tree_is_right(shelf->trees[i], DEPTH, shelf->seeds[i]);
}

static void
shelf_check(const struct shelf *shelf) {
  for (size_t i = 0; i < TREES; i++)
    STRESS_CHECK(shelf_tree_is_right(shelf, i));
}

static void
shelf_swap(struct shelf *shelf, size_t i, size_t j) {
  struct tree *tree = shelf->trees[i];
  uint64_t seed = shelf->seeds[i];
  shelf_put(shelf, i, shelf->trees[j], shelf->seeds[j]);
  shelf_put(shelf, j, tree, seed);
}

// An old tree gets a young part.
static void
shelf_renew_part(struct shelf *shelf, size_t i) {
  struct tree *tree = shelf->trees[i];
  uint64_t seed = shelf->seeds[i];
  for (int depth = DEPTH; depth > 1; depth--) {
    bool left = stress_random(&shelf->random) % 2;
    seed = 2 * seed + !left;
    if (stress_random(&shelf->random) % 2) {
      *(left ? &tree->left : &tree->right) = tree_build(depth - 1, seed);
      return;
    }
    tree = left ? tree->left : tree->right;
  }
}

// Two parts change places and come back, so that each is nowhere else for a while.
static void
shelf_exchange_parts(struct shelf *shelf, size_t i) {
  struct tree *tree = shelf->trees[i], *volatile left = tree->left;
  tree->left = NULL;
  tree_build(2, 1);
  tree->left = tree->right;
  tree->right = left;
  left = NULL;
  tree_build(2, 1);
  left = tree->left;
  tree->left = tree->right;
  tree->right = left;
}

static void
shelf_step(struct shelf *shelf) {
  uint64_t dice = stress_random(&shelf->random);
  size_t i = (dice >> 8) % TREES, j = (dice >> 24) % TREES;
  STRESS_CHECK(shelf_tree_is_right(shelf, i));
  switch (dice % 4) {
  case 0: {
    uint64_t seed = random_seed(shelf);
    shelf_put(shelf, i, tree_build(DEPTH, seed), seed);
    break;
  }
  case 1:
    shelf_swap(shelf, i, j);
    break;
  case 2:
    shelf_renew_part(shelf, i);
    break;
  case 3:
    shelf_exchange_parts(shelf, i);
    break;
  }
}

static void
shelf_steps(struct shelf *shelf, size_t count) {
  while (count-- > 0)
    shelf_step(shelf);
}

// ---- Threads, each with a shelf of its own -------------------------------------------------------------

typedef void between_steps(struct shelf *shelf);

static between_steps *between;
static pthread_t threads[THREADS];

static void *
keep_a_shelf(void *seed) {
  static __thread struct shelf shelf;
  shelf_fill(&shelf, (uintptr_t)seed);
  while (stress_now() < deadline) {
    shelf_steps(&shelf, 20);
    if (between)
      between(&shelf);
  }
  shelf_check(&shelf);
  return NULL;
}

static void
start_threads(double share, between_steps *function) {
  deadline = stress_now() + stress_seconds(share);
  between = function;
  for (uintptr_t i = 0; i < THREADS; i++)
    stress_create(&threads[i], keep_a_shelf, (void *)i);
}

static void
join_threads(void) {
  for (size_t i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
}

static void
threads_alone(void) {
  start_threads(0.15, NULL);
  join_threads();
}

// ---- Bit by bit ----------------------------------------------------------------------------------------

static void
do_a_little(struct shelf *shelf) {
  if (stress_random(&shelf->random) % 16 == 0)
    GC_start_incremental_collection();
  GC_collect_a_little();
}

static void
bit_by_bit(void) {
  start_threads(0.15, do_a_little);
  while (stress_now() < deadline) {
    STRESS_CHECK(gc_verify() == 0);
    usleep(5000);
  }
  join_threads();
}

// ---- Collection disabled in the middle of a cycle ------------------------------------------------------

static void
disabled_now_and_then(void) {
  start_threads(0.15, NULL);
  while (stress_now() < deadline) {
    GC_start_incremental_collection();
    usleep(200);
    GC_disable();
    GC_word before = GC_get_gc_no();
    STRESS_CHECK(GC_is_disabled() && !GC_collect_a_little());
    usleep(1000);
    STRESS_CHECK(GC_get_gc_no() == before);
    GC_enable();
    usleep(2000);
  }
  join_threads();
  STRESS_CHECK(!GC_is_disabled());
  while (GC_collect_a_little())
    ;
}

// ---- Modes come and go ---------------------------------------------------------------------------------

static void
modes_come_and_go(void) {
  uint64_t random = 0x9e3779b97f4a7c15;
  enum GC_Mode start = GC_get_mode();
  start_threads(0.2, NULL);
  while (stress_now() < deadline) {
    enum GC_Mode mode = (enum GC_Mode)(stress_random(&random) >> 30 & 3);
    enum GC_Mode in_force = GC_set_mode(mode);
    STRESS_CHECK(in_force == mode || in_force == GC_MODE_STOP);
    if (stress_random(&random) % 2)
      GC_start_incremental_collection();
    usleep(stress_random(&random) % 3000);
    if (stress_random(&random) % 8 == 0)
      STRESS_CHECK(gc_verify() == 0);
  }
  GC_set_mode(start);
  join_threads();
}

static void
switch_mode(struct shelf *shelf) {
  uint64_t dice = stress_random(&shelf->random) >> 30;
  if (dice % 32 == 0)
    GC_set_mode((enum GC_Mode)(dice >> 5 & 3));
}

// By all threads at once.
static void
modes_come_and_go_everywhere(void) {
  start_threads(0.15, switch_mode);
  join_threads();
}

// ---- What is old is left alone for a while, and then written all over -----------------------------------

enum { SHELVES = 8, QUIET_TREES = 1 << 14, KEPT_TREES = 1 << 12, BURST_SWAPS = 512 };

static struct shelf shelves[SHELVES];
static struct tree **kept; // of the last rounds

static void
write_all_over(uint64_t *random) {
  for (size_t i = 0; i < BURST_SWAPS; i++) {
    uint64_t dice = stress_random(random);
    shelf_swap(&shelves[dice % SHELVES], (dice >> 8) % TREES, (dice >> 24) % TREES);
  }
}

// Minor cycles pay; then they do not, since all lives.  What they and concurrent cycles have armed stays so
// as long as little is written, until a burst of writes.
static void
bursts_of_writes(void) {
  uint64_t random = 0x9e3779b97f4a7c15;
  double until = stress_now() + stress_seconds(0.2);
  for (size_t i = 0; i < SHELVES; i++)
    shelf_fill(&shelves[i], i);
  do {
    for (size_t i = 0; i < QUIET_TREES; i++)
      tree_build(2, i);
    size_t rounds = 1 + stress_random(&random) % 8;
    for (size_t round = 0; round < rounds; round++) {
      kept = GC_MALLOC(KEPT_TREES * sizeof *kept);
      for (size_t i = 0; i < KEPT_TREES; i++)
        kept[i] = tree_build(3, i);
    }
    write_all_over(&random);
    for (size_t i = 0; i < KEPT_TREES; i += 64)
      STRESS_CHECK(tree_is_right(kept[i], 3, i));
    for (size_t i = 0; i < SHELVES; i++)
      shelf_check(&shelves[i]);
  } while (stress_now() < until);
}

// So much that marking beside the program would have to be done twice, and the program is held back.
static void
writes_everywhere(void) {
  double until = stress_now() + stress_seconds(0.2);
  for (size_t i = 0; i < SHELVES; i++)
    shelf_fill(&shelves[i], i);
  do
    for (size_t i = 0; i < SHELVES; i++)
      shelf_steps(&shelves[i], 200);
  while (stress_now() < until);
  for (size_t i = 0; i < SHELVES; i++)
    shelf_check(&shelves[i]);
  STRESS_CHECK(gc_verify() == 0);
}

// ---- Forks in the middle of a cycle --------------------------------------------------------------------

static struct shelf own_shelf;

static void
finish_cycle(void) {
  while (GC_collect_a_little())
    shelf_steps(&own_shelf, 5);
}

// In the child: what was there is there, the heap is in order, and it can be collected in each way.
static _Noreturn void
be_child(void) {
  alarm(CHILD_SECONDS); // a hang must not last
  stress_failures = 0;
  STRESS_CHECK(gc_verify() == 0);
  shelf_steps(&own_shelf, 200);
  shelf_check(&own_shelf);
  finish_cycle();
  GC_start_incremental_collection();
  shelf_steps(&own_shelf, 50);
  finish_cycle();
  STRESS_CHECK(gc_verify() == 0);
  GC_gcollect();
  shelf_steps(&own_shelf, 200);
  shelf_check(&own_shelf);
  STRESS_CHECK(gc_verify() == 0);
  _exit(stress_failures ? 1 : 0);
}

static void
await_child(pid_t child) {
  int status = -1;
  STRESS_CHECK(child > 0 && waitpid(child, &status, 0) == child && status == 0);
}

// After any number of slices, with the program at work in between.
static void
fork_within_a_cycle(size_t slices) {
  GC_start_incremental_collection();
  for (size_t i = 0; i < slices && GC_collect_a_little(); i++)
    shelf_steps(&own_shelf, 10);
  pid_t child = fork();
  if (child == 0)
    be_child();
  shelf_steps(&own_shelf, 100);
  await_child(child);
  finish_cycle();
  shelf_check(&own_shelf);
}

static void
forks_within_cycles(void) {
  double until = stress_now() + stress_seconds(0.2);
  shelf_fill(&own_shelf, 1);
  do {
    fork_within_a_cycle(0);
    fork_within_a_cycle(stress_random(&own_shelf.random) % 40);
  } while (stress_now() < until);
}

int
main(void) {
  stress_phase_in_modes("old objects change", threads_alone);
  stress_phase_in_modes("cycles bit by bit", bit_by_bit);
  stress_phase_in_modes("forks in the middle of a cycle", forks_within_cycles);
  setenv("GC_MODE", "concurrent", 1);
  setenv("LOAM_NURSERY", "256K", 1);
  setenv("GC_FULL_FREQUENCY", "4", 1);
  stress_phase("old objects change", threads_alone, NULL, NULL);
  stress_phase("old objects change", threads_alone, "LOAM_VERIFY", "1");
  stress_phase("cycles bit by bit", bit_by_bit, "LOAM_VERIFY", "1");
  stress_phase("collection disabled now and then", disabled_now_and_then, NULL, NULL);
  stress_phase("collection disabled now and then", disabled_now_and_then, "GC_MARKERS", "1");
  stress_phase("modes come and go", modes_come_and_go, NULL, NULL);
  stress_phase("modes come and go", modes_come_and_go, "LOAM_VERIFY", "1");
  stress_phase("threads switch modes", modes_come_and_go_everywhere, NULL, NULL);
  stress_phase("bursts of writes", bursts_of_writes, NULL, NULL);
  stress_phase("bursts of writes", bursts_of_writes, "LOAM_VERIFY", "1");
  stress_phase("writes everywhere", writes_everywhere, NULL, NULL);
  stress_phase("writes everywhere", writes_everywhere, "LOAM_VERIFY", "1");
  stress_phase("forks in the middle of a cycle", forks_within_cycles, NULL, NULL);
  stress_phase("forks in the middle of a cycle", forks_within_cycles, "GC_MARKERS", "1");
  return tap_done();
}
