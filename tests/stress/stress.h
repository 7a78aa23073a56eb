// Help for the stress tests: time, trees that know what they must look like, phases in processes of their
// own.
#pragma once

#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define GC_THREADS
#define GC_NO_THREAD_REDIRECTS
#include "gc.h"
#include "tests/tap.h"

// ---- Time ----------------------------------------------------------------------------------------------

static inline double
stress_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

// A share of the seconds that the whole test may take.
static inline double
stress_seconds(double share) {
  const char *text = getenv("LOAM_TEST_SECONDS");
  double seconds = text ? strtod(text, NULL) : 3;
  return seconds * share;
}

// ---- Failures, from any thread -------------------------------------------------------------------------

static volatile int stress_failures;

#define STRESS_CHECK(condition)                                                        \
  do {                                                                                 \
    if (!(condition) && __atomic_fetch_add(&stress_failures, 1, __ATOMIC_RELAXED) < 5) \
      tap_note("%s:%d: %s", __FILE__, __LINE__, #condition);                           \
  } while (0)

// ---- Trees ---------------------------------------------------------------------------------------------

struct tree {
  struct tree *left, *right;
  uint64_t mark;
};

static inline uint64_t
tree_mark(uint64_t seed) {
  return (seed + 1) * 0x9e3779b97f4a7c15;
}

static inline struct tree *
tree_build(int depth, uint64_t seed) {
  struct tree *tree = GC_NEW(struct tree);
  if (!tree)
    return NULL;
  tree->mark = tree_mark(seed);
  if (depth > 0) {
    tree->left = tree_build(depth - 1, 2 * seed);
    tree->right = tree_build(depth - 1, 2 * seed + 1);
  }
  return tree;
}

static inline bool
tree_is_right(const struct tree *tree, int depth, uint64_t seed) {
  if (!tree || tree->mark != tree_mark(seed))
    return false;
  return depth == 0 || (tree_is_right(tree->left, depth - 1, 2 * seed) &&
                        tree_is_right(tree->right, depth - 1, 2 * seed + 1));
}

static inline uint64_t
stress_random(uint64_t *state) {
  *state ^= *state << 13;
  *state ^= *state >> 7;
  *state ^= *state << 17;
  return *state;
}

// ---- Modes ---------------------------------------------------------------------------------------------

// One after the other, while other threads go on.
static inline void
stress_change_modes(double deadline) {
  for (unsigned mode = 0; stress_now() < deadline; mode++) {
    GC_set_mode((enum GC_Mode)(mode % 4));
    usleep(20000);
    if (mode % 16 == 0)
      GC_gcollect();
  }
}

// ---- Phases --------------------------------------------------------------------------------------------

static inline void
stress_create(pthread_t *thread, void *(*function)(void *), void *argument) {
  if (pthread_create(thread, NULL, function, argument) != 0) {
    tap_note("no more threads");
    exit(2);
  }
}

// Run `function` in a process of its own, with an environment variable set unless it is NULL, and verify the
// heap at its end.
static inline void
stress_phase(const char *name, void (*function)(void), const char *variable, const char *value) {
  int status = -1;
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    if (variable)
      setenv(variable, value, 1);
    GC_INIT();
    function();
    STRESS_CHECK(gc_verify() == 0);
    exit(stress_failures ? 1 : 0);
  }
  waitpid(child, &status, 0);
  tap_ok(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s%s%s (status %#x)", name, variable ? ", " : "",
         variable ? variable : "", status);
}

// The same in the modes that must notice writes, with a small nursery, and after every 97th allocation a
// cycle of the next kind or a slice of one: these programs ask for so many full collections that no other
// would ever be due.
static inline void
stress_phase_in_modes(const char *name, void (*function)(void)) {
  static const char *const modes[] = {"generational", "concurrent"};
  setenv("LOAM_NURSERY", "256K", 1);
  setenv("LOAM_STRESS_COLLECT", "97", 1);
  for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
    char title[200];
    snprintf(title, sizeof title, "%s, %s", name, modes[i]);
    setenv("GC_MODE", modes[i], 1);
    stress_phase(title, function, NULL, NULL);
  }
  unsetenv("GC_MODE");
  unsetenv("LOAM_NURSERY");
  unsetenv("LOAM_STRESS_COLLECT");
}
