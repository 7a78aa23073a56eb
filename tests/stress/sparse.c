// Large tables of which the program has touched little: what is never touched is not searched, but a word
// that it writes there, before a cycle or beside one, holds the only pointer to a tree.  Several threads put
// trees into such tables, move them about, grow, drop and free the tables.
#include "tests/stress/stress.h"

enum { THREADS = 3, TABLES = 4, TREES = 64, DEPTH = 2, WORDS_MIN = 1 << 15, WORDS_MAX = 1 << 19 };

struct table {
  struct tree **trees; // collected memory
  size_t words;
  size_t count;         // of trees in it
  uint32_t at[TREES];   // where they are
  uint64_t seed[TREES]; // and what they look like
};

struct keeper {
  struct table tables[TABLES];
  uint64_t random;
};

static __thread struct keeper keeper;
static double deadline;
static pthread_t threads[THREADS];

static size_t
below(size_t limit) {
  return (size_t)(stress_random(&keeper.random) >> 16) % limit;
}

static void
table_renew(struct table *table) {
  table->words = WORDS_MIN + below(WORDS_MAX - WORDS_MIN);
  table->count = 0;
  table->trees = GC_MALLOC(table->words * sizeof *table->trees);
  STRESS_CHECK(table->trees != NULL);
}

static bool
table_is_right_at(const struct table *table, size_t i) {
  return tree_is_right(table->trees[table->at[i]], DEPTH, table->seed[i]);
}

static void
table_check(const struct table *table) {
  for (size_t i = 0; i < table->count; i++)
    STRESS_CHECK(table_is_right_at(table, i));
}

static void
table_put(struct table *table) {
  size_t i = table->count < TREES ? table->count : below(TREES), at = below(table->words);
  if (table->trees[at])
    return;
  uint64_t seed = stress_random(&keeper.random) >> 8;
  if (i < table->count)
    table->trees[table->at[i]] = NULL;
  table->trees[at] = tree_build(DEPTH, seed);
  table->at[i] = (uint32_t)at;
  table->seed[i] = seed;
  table->count += i == table->count;
}

// To where nothing was before, most of the time.
static void
table_move(struct table *table) {
  size_t i = below(table->count), to = below(table->words);
  if (table->trees[to])
    return;
  table->trees[to] = table->trees[table->at[i]];
  table->trees[table->at[i]] = NULL;
  table->at[i] = (uint32_t)to;
}

static void
table_grow(struct table *table) {
  size_t words = table->words + table->words / 2;
  if (words > WORDS_MAX)
    return;
  table->trees = GC_REALLOC(table->trees, words * sizeof *table->trees);
  table->words = words;
}

static void
table_step(struct table *table) {
  size_t dice = below(100);
  if (table->count > 0)
    STRESS_CHECK(table_is_right_at(table, below(table->count)));
  if (dice == 0) {
    if (below(2))
      GC_FREE(table->trees);
    table_renew(table);
  } else if (dice == 1)
    table_grow(table);
  else if (dice < 40 && table->count > 0)
    table_move(table);
  else
    table_put(table);
}

static void *
keep_tables(void *seed) {
  keeper.random = tree_mark((uintptr_t)seed) | 1;
  for (size_t i = 0; i < TABLES; i++)
    table_renew(&keeper.tables[i]);
  while (stress_now() < deadline)
    for (int i = 0; i < 50; i++)
      table_step(&keeper.tables[below(TABLES)]);
  for (size_t i = 0; i < TABLES; i++)
    table_check(&keeper.tables[i]);
  return NULL;
}

static void
start_threads(double share) {
  deadline = stress_now() + stress_seconds(share);
  for (uintptr_t i = 0; i < THREADS; i++)
    stress_create(&threads[i], keep_tables, (void *)i);
}

static void
join_threads(void) {
  for (size_t i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
}

static void
threads_keep_tables(void) {
  start_threads(0.15);
  join_threads();
}

// Now this one, now that: what was armed by one is not by the next.
static void
modes_come_and_go(void) {
  start_threads(0.3);
  stress_change_modes(deadline);
  join_threads();
}

// A child has a copy of the tables, of which it has touched nothing itself.
static void
children_go_on(void) {
  deadline = stress_now() + stress_seconds(0.1);
  keep_tables((void *)1);
  for (int i = 0; i < 4; i++) {
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
      double until = stress_now() + stress_seconds(0.05);
      while (stress_now() < until)
        table_step(&keeper.tables[below(TABLES)]);
      GC_gcollect();
      for (size_t j = 0; j < TABLES; j++)
        table_check(&keeper.tables[j]);
      _exit(stress_failures ? 1 : 0);
    }
    for (int j = 0; j < 100; j++)
      table_step(&keeper.tables[below(TABLES)]);
    waitpid(child, &status, 0);
    STRESS_CHECK(status == 0);
  }
}

int
main(void) {
  static const char *const modes[] = {"stop", "generational", "concurrent", "auto"};
  for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
    stress_phase("sparse tables, a mode", threads_keep_tables, "GC_MODE", modes[i]);
    setenv("LOAM_VERIFY", "1", 1);
    stress_phase("sparse tables, a mode, verified", threads_keep_tables, "GC_MODE", modes[i]);
    unsetenv("LOAM_VERIFY");
  }
  stress_phase_in_modes("sparse tables", threads_keep_tables);
  setenv("LOAM_WRITES", "mprotect", 1);
  stress_phase_in_modes("sparse tables, mprotect", threads_keep_tables);
  unsetenv("LOAM_WRITES");
  stress_phase("modes come and go", modes_come_and_go, NULL, NULL);
  stress_phase_in_modes("children go on", children_go_on);
  return tap_done();
}
