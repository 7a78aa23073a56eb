// Forks from threads that the collector knows and from ones it does not, in the middle of everything.  Each
// child checks what it inherited, collects, starts a thread, forks again, and must end well.
#include <spawn.h>
#include <string.h>

#include "tests/stress/stress.h"

enum { WORKERS = 3, DEPTH = 7, CHILD_SECONDS = 60 };

extern char **environ;

static volatile int working;
static struct tree *static_tree;
static __thread struct tree *own_tree;

// Allocate, check and collect as long as it takes.
static void *
work(void *seed) {
  for (uint64_t i = (uintptr_t)seed; working; i++) {
    struct tree *volatile tree = tree_build(DEPTH, i);
    if (i % 16 == 0)
      GC_gcollect();
    STRESS_CHECK(tree_is_right(tree, DEPTH, i));
  }
  return NULL;
}

static void *
allocate_some(void *seed) {
  for (uint64_t i = 0; i < 20; i++)
    STRESS_CHECK(tree_is_right(tree_build(DEPTH, (uintptr_t)seed + i), DEPTH, (uintptr_t)seed + i));
  return NULL;
}

static void
check_heap(struct tree *framed) {
  pthread_t thread;
  STRESS_CHECK(gc_verify() == 0);
  allocate_some((void *)3);
  GC_gcollect();
  STRESS_CHECK(tree_is_right(framed, DEPTH, 11));
  STRESS_CHECK(tree_is_right(static_tree, DEPTH, 12));
  stress_create(&thread, allocate_some, (void *)5);
  pthread_join(thread, NULL);
  GC_gcollect();
  STRESS_CHECK(tree_is_right(framed, DEPTH, 11));
  STRESS_CHECK(gc_verify() == 0);
}

static bool
ended_well(pid_t child) {
  int status = -1;
  STRESS_CHECK(child > 0 && waitpid(child, &status, 0) == child);
  if (status != 0)
    tap_note("a child ended with status %#x", status);
  return status == 0;
}

static _Noreturn void
end_child(void) {
  _exit(stress_failures ? 1 : 0);
}

// In the child: what was there is there, also in a child of its own.
static _Noreturn void
be_child(struct tree *framed) {
  alarm(CHILD_SECONDS); // a hang must not last
  stress_failures = 0;
  check_heap(framed);
  pid_t grandchild = fork();
  if (grandchild == 0) {
    check_heap(framed);
    end_child();
  }
  STRESS_CHECK(ended_well(grandchild));
  end_child();
}

static void *
fork_registered(void *unused) {
  struct tree *volatile framed = tree_build(DEPTH, 11);
  own_tree = tree_build(DEPTH, 13);
  pid_t child = fork();
  if (child == 0) {
    STRESS_CHECK(tree_is_right(own_tree, DEPTH, 13));
    be_child(framed);
  }
  STRESS_CHECK(ended_well(child));
  STRESS_CHECK(tree_is_right(framed, DEPTH, 11));
  return unused;
}

// The tree is kept by the thread that started this one.
static void *
fork_unregistered(void *framed) {
  pid_t child = fork();
  if (child == 0) {
    GC_register_my_thread(NULL);
    struct tree *volatile tree = tree_build(DEPTH, 11);
    be_child(tree);
  }
  STRESS_CHECK(ended_well(child));
  STRESS_CHECK(!GC_thread_is_registered());
  return framed;
}

static void
fork_in_thread(void *(*function)(void *)) {
  pthread_t thread;
  stress_create(&thread, function, NULL);
  pthread_join(thread, NULL);
}

static void
spawn(void) {
  char *arguments[] = {(char *)"true", NULL};
  pid_t child;
  STRESS_CHECK(posix_spawnp(&child, "true", NULL, NULL, arguments, environ) == 0);
  STRESS_CHECK(ended_well(child));
}

static void
under_load(void) {
  pthread_t workers[WORKERS];
  double deadline = stress_now() + stress_seconds(0.4);
  working = 1;
  static_tree = tree_build(DEPTH, 12);
  for (uintptr_t i = 0; i < WORKERS; i++)
    stress_create(&workers[i], work, (void *)(i * 1000000));
  do {
    fork_registered(NULL);
    fork_in_thread(fork_registered);
    fork_in_thread(fork_unregistered);
    spawn();
  } while (stress_now() < deadline);
  working = 0;
  for (size_t i = 0; i < WORKERS; i++)
    pthread_join(workers[i], NULL);
}

// gcc 12's AddressSanitizer leaves its allocator locked in a child that is forked while another thread
// allocates.
#if defined(__SANITIZE_ADDRESS__)
enum { CHILDREN_MAY_ALLOCATE = 0 };
#else
enum { CHILDREN_MAY_ALLOCATE = 1 };
#endif

int
main(void) {
  if (!CHILDREN_MAY_ALLOCATE) {
    tap_skip("the sanitizer's own locks do not survive a fork", "forks while threads work");
    return tap_done();
  }
  stress_phase("forks while threads work", under_load, NULL, NULL);
  stress_phase("forks while threads work", under_load, "LOAM_STRESS_DELAY", "200");
  stress_phase_in_modes("forks while threads work", under_load);
  return tap_done();
}
