// Large static tables, and mappings registered as roots, hold the only pointers to trees: searches pass over
// what was not written there since an earlier one.  Several threads put trees there, move and drop them,
// and map the registered memory anew; some write it by another name.
#include <string.h>
#include <sys/mman.h>

#include "tests/stress/stress.h"

enum { THREADS = 3, WORDS = 1 << 15, TREES = 100, DEPTH = 2, TABLES = 3 };

// Of one thread: in .bss, in private memory, in shared memory that is written through another mapping.
struct keeper {
  struct tree *volatile *read[TABLES], *volatile *written[TABLES];
  size_t count;
  uint32_t at[TREES];
  uint8_t table[TREES];
  uint64_t seed[TREES];
  uint64_t random;
};

static struct tree *volatile statics[THREADS][WORDS];
static double deadline;

static size_t
below(struct keeper *keeper, size_t limit) {
  return (size_t)(stress_random(&keeper->random) >> 16) % limit;
}

static void *
map(int flags, int fd, void *at) {
  void *mapped = mmap(at, sizeof statics[0], PROT_READ | PROT_WRITE, flags | (at ? MAP_FIXED : 0), fd, 0);
  STRESS_CHECK(mapped != MAP_FAILED);
  return mapped;
}

static void
check(struct keeper *keeper, size_t i) {
  const struct tree *tree = keeper->read[keeper->table[i]][keeper->at[i]];
  STRESS_CHECK(tree_is_right(tree, DEPTH, keeper->seed[i]));
}

static void
put(struct keeper *keeper) {
  size_t i = keeper->count < TREES ? keeper->count : below(keeper, TREES);
  uint32_t at = (uint32_t)below(keeper, WORDS);
  uint8_t table = (uint8_t)below(keeper, TABLES);
  if (keeper->read[table][at])
    return;
  uint64_t seed = stress_random(&keeper->random) >> 8;
  if (i < keeper->count)
    keeper->written[keeper->table[i]][keeper->at[i]] = NULL;
  keeper->written[table][at] = tree_build(DEPTH, seed);
  keeper->at[i] = at;
  keeper->table[i] = table;
  keeper->seed[i] = seed;
  keeper->count += i == keeper->count;
}

static void
move(struct keeper *keeper) {
  size_t i = below(keeper, keeper->count), to = below(keeper, WORDS);
  uint8_t table = (uint8_t)below(keeper, TABLES);
  if (keeper->read[table][to])
    return;
  keeper->written[table][to] = keeper->read[keeper->table[i]][keeper->at[i]];
  keeper->written[keeper->table[i]][keeper->at[i]] = NULL;
  keeper->at[i] = (uint32_t)to;
  keeper->table[i] = table;
}

// Its trees go; perhaps it is not registered in between.
static void
map_anew(struct keeper *keeper) {
  bool registered = below(keeper, 2);
  char *base = (char *)(uintptr_t)keeper->read[1];
  if (!registered)
    GC_remove_roots(base, base + sizeof statics[0]);
  map(MAP_PRIVATE | MAP_ANONYMOUS, -1, base);
  if (!registered)
    GC_add_roots(base, base + sizeof statics[0]);
  size_t kept = 0;
  for (size_t i = 0; i < keeper->count; i++)
    if (keeper->table[i] != 1) {
      keeper->table[kept] = keeper->table[i];
      keeper->at[kept] = keeper->at[i];
      keeper->seed[kept++] = keeper->seed[i];
    }
  keeper->count = kept;
}

static void
step(struct keeper *keeper) {
  size_t dice = below(keeper, 1000);
  if (keeper->count > 0)
    check(keeper, below(keeper, keeper->count));
  if (dice == 0)
    map_anew(keeper);
  else if (dice < 300 && keeper->count > 0)
    move(keeper);
  else if (dice < 500)
    put(keeper);
  else
    tree_build(DEPTH + 2, dice);
}

static void
begin(struct keeper *keeper, uintptr_t number, int shared) {
  int fd = memfd_create("table", 0);
  STRESS_CHECK(ftruncate(fd, sizeof statics[0]) == 0);
  *keeper = (struct keeper){.random = tree_mark(number) | 1};
  keeper->read[0] = keeper->written[0] = statics[number];
  keeper->read[1] = keeper->written[1] = map(MAP_PRIVATE | MAP_ANONYMOUS, -1, NULL);
  keeper->read[2] = map(shared, fd, NULL);
  keeper->written[2] = shared == MAP_SHARED ? map(shared, fd, NULL) : keeper->read[2];
  close(fd);
  for (size_t i = 1; i < TABLES; i++)
    GC_add_roots((void *)(uintptr_t)keeper->read[i], (void *)(uintptr_t)(keeper->read[i] + WORDS));
}

static void
end(struct keeper *keeper) {
  for (size_t i = 0; i < keeper->count; i++)
    check(keeper, i);
  for (size_t i = 1; i < TABLES; i++) {
    GC_remove_roots((void *)(uintptr_t)keeper->read[i], (void *)(uintptr_t)(keeper->read[i] + WORDS));
    munmap((void *)(uintptr_t)keeper->read[i], sizeof statics[0]);
  }
  if (keeper->written[2] != keeper->read[2])
    munmap((void *)(uintptr_t)keeper->written[2], sizeof statics[0]);
  memset((void *)(uintptr_t)keeper->read[0], 0, sizeof statics[0]);
}

static void *
keep_trees(void *number) {
  struct keeper keeper;
  begin(&keeper, (uintptr_t)number, MAP_SHARED);
  while (stress_now() < deadline)
    for (int i = 0; i < 50; i++)
      step(&keeper);
  end(&keeper);
  return NULL;
}

static pthread_t threads[THREADS];

static void
start_threads(double share) {
  deadline = stress_now() + stress_seconds(share);
  for (uintptr_t i = 0; i < THREADS; i++)
    stress_create(&threads[i], keep_trees, (void *)i);
}

static void
join_threads(void) {
  for (size_t i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
}

static void
threads_keep_trees(void) {
  start_threads(0.15);
  join_threads();
}

static void
modes_come_and_go(void) {
  start_threads(0.3);
  stress_change_modes(deadline);
  join_threads();
}

// A child's memory is its own, so there is none that they share.
static void
children_go_on(void) {
  struct keeper keeper;
  begin(&keeper, 0, MAP_PRIVATE);
  for (int i = 0; i < 4; i++) {
    double until = stress_now() + stress_seconds(0.03);
    int status = -1;
    pid_t child = fork();
    while (stress_now() < until)
      step(&keeper);
    if (child == 0)
      _exit(stress_failures ? 1 : 0);
    waitpid(child, &status, 0);
    STRESS_CHECK(status == 0);
  }
  end(&keeper);
}

int
main(void) {
  static const char *const modes[] = {"stop", "generational", "concurrent", "auto"};
  setenv("LOAM_NURSERY", "256K", 1);
  setenv("LOAM_GENERATIONAL_MIN", "1M", 1);
  for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
    stress_phase("static tables, a mode", threads_keep_trees, "GC_MODE", modes[i]);
    setenv("LOAM_VERIFY", "1", 1);
    stress_phase("static tables, a mode, verified", threads_keep_trees, "GC_MODE", modes[i]);
    unsetenv("LOAM_VERIFY");
  }
  stress_phase_in_modes("static tables", threads_keep_trees);
  setenv("LOAM_WRITES", "mprotect", 1);
  stress_phase_in_modes("static tables, mprotect", threads_keep_trees);
  unsetenv("LOAM_WRITES");
  stress_phase("modes come and go", modes_come_and_go, NULL, NULL);
  stress_phase_in_modes("children go on", children_go_on);
  return tap_done();
}
