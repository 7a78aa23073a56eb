// Suspending threads, stopping them all, the collector's lock, alternate stacks.
//
// That a thread stands still can only be seen to be wrong, not to be right: each time it is looked at often
// enough for one that runs to get on.
#define GC_THREADS
#include <gc/gc.h>
#include <gc/javaxfc.h>
#include <pthread.h>
#include <sched.h>
#include <threads.h>

#include "kept.h"

enum { THREADS = 3, LOOKS = 1000, ADDITIONS = 20000, STACK_BYTES = 256 * 1024 };

static volatile unsigned long counters[THREADS]; // how far each thread has got
static volatile int stop;

static pthread_t
start(void *(*function)(void *), void *argument) {
  pthread_t thread;
  if (pthread_create(&thread, NULL, function, argument) != 0)
    abort();
  return thread;
}

static void
wait_until_it_runs(volatile const unsigned long *counter) {
  for (unsigned long before = *counter; *counter == before;)
    sched_yield();
}

static bool
stands_still(volatile const unsigned long *counter) {
  unsigned long before = *counter;
  for (int i = 0; i < LOOKS; i++)
    sched_yield();
  return *counter == before;
}

static void
say_still(volatile const unsigned long *counter) {
  say("%s", stands_still(counter) ? "still" : "running");
}

static void *
count_up(void *counter) {
  while (!stop)
    ++*(volatile unsigned long *)counter;
  return NULL;
}

// With targets of A in its frame.
static void *
count_with_targets(void *counter) {
  void *volatile objects[OBJECTS];
  GC_disable();
  for (int i = 0; i < OBJECTS; i++)
    objects[i] = target(A, i);
  GC_enable();
  count_up(counter);
  for (int i = 0; i < OBJECTS; i++)
    if (!objects[i])
      faults++;
  return NULL;
}

static void
end(pthread_t thread) {
  stop = 1;
  pthread_join(thread, NULL);
}

// ---- One thread ----------------------------------------------------------------------------------------

static void
suspended(void) {
  pthread_t thread = start(count_up, (void *)&counters[0]);
  wait_until_it_runs(&counters[0]);
  say("%d", GC_is_thread_suspended(thread));
  for (int i = 0; i < 3; i++) {
    GC_suspend_thread(thread);
    say_still(&counters[0]);
    say("%d", GC_is_thread_suspended(thread));
    GC_resume_thread(thread);
    wait_until_it_runs(&counters[0]);
    say("%d", GC_is_thread_suspended(thread));
  }
  end(thread);
}

static void
suspended_twice(void) {
  pthread_t thread = start(count_up, (void *)&counters[0]);
  wait_until_it_runs(&counters[0]);
  GC_suspend_thread(thread);
  GC_suspend_thread(thread);
  say_still(&counters[0]);
  GC_resume_thread(thread);
  wait_until_it_runs(&counters[0]);
  GC_resume_thread(thread);
  GC_resume_thread(thread);
  wait_until_it_runs(&counters[0]);
  GC_suspend_thread(thread);
  say_still(&counters[0]);
  GC_resume_thread(thread);
  end(thread);
}

static void
keeps_objects(void) {
  pthread_t thread = start(count_with_targets, (void *)&counters[0]);
  wait_until_it_runs(&counters[0]);
  GC_suspend_thread(thread);
  for (int i = 0; i < 3; i++) {
    collect(1);
    each(dirty);
    say_kept();
    say_still(&counters[0]);
  }
  GC_resume_thread(thread);
  wait_until_it_runs(&counters[0]);
  collect(1);
  say_kept();
  end(thread);
}

static int
nothing(void *unused) {
  (void)unused;
  while (!stop)
    counters[0]++;
  return 0;
}

// The collector has not been told of it.
static void
unknown_thread(void) {
  thrd_t thread;
  if (thrd_create(&thread, nothing, NULL) != thrd_success)
    abort();
  wait_until_it_runs(&counters[0]);
  GC_suspend_thread(thread);
  wait_until_it_runs(&counters[0]);
  say("%d", GC_is_thread_suspended(thread));
  GC_resume_thread(thread);
  stop = 1;
  thrd_join(thread, NULL);
}

static void *
suspend_itself(void *unused) {
  counters[0] = 1;
  for (int i = 0; i < 3; i++) {
    GC_suspend_thread(pthread_self());
    counters[0]++;
  }
  return unused;
}

static void
suspends_itself(void) {
  pthread_t thread = start(suspend_itself, NULL);
  for (int i = 0; i < 3; i++) {
    while (!GC_is_thread_suspended(thread) || counters[0] != (unsigned long)i + 1)
      sched_yield();
    say_still(&counters[0]);
    collect(1);
    say("%d", GC_is_thread_suspended(thread));
    GC_resume_thread(thread);
  }
  pthread_join(thread, NULL);
  say("%lu", counters[0]);
}

// ---- In GC_do_blocking ---------------------------------------------------------------------------------

static volatile int blocked, let_it_go;

static void *GC_CALLBACK
block(void *unused) {
  blocked = 1;
  while (!let_it_go)
    sched_yield();
  return unused;
}

static void *
block_with_targets(void *unused) {
  void *volatile objects[OBJECTS];
  GC_disable();
  for (int i = 0; i < OBJECTS; i++)
    objects[i] = target(A, i);
  GC_enable();
  counters[0] = 1;
  GC_do_blocking(block, NULL);
  counters[0] = 2;
  for (int i = 0; i < OBJECTS; i++)
    if (!objects[i])
      faults++;
  return unused;
}

// What it does there goes on; but it does not come back.
static void
suspended_while_blocked(void) {
  pthread_t thread = start(block_with_targets, NULL);
  while (!blocked)
    sched_yield();
  GC_suspend_thread(thread);
  say("%d", GC_is_thread_suspended(thread));
  let_it_go = 1;
  collect(1);
  say_kept();
  say_still(&counters[0]);
  say("%lu", counters[0]);
  collect(1);
  say_kept();
  GC_resume_thread(thread);
  pthread_join(thread, NULL);
  say("%lu", counters[0]);
}

static void
resumed_while_blocked(void) {
  pthread_t thread = start(block_with_targets, NULL);
  while (!blocked)
    sched_yield();
  GC_suspend_thread(thread);
  GC_resume_thread(thread);
  say("%d", GC_is_thread_suspended(thread));
  collect(1);
  say_kept();
  let_it_go = 1;
  pthread_join(thread, NULL);
  say("%lu", counters[0]);
}

// ---- Several -------------------------------------------------------------------------------------------

// Make a list of numbers and see again and again that it is right.
static void *
look_at_list(void *counter_) {
  enum { LENGTH = 100 };
  volatile unsigned long *counter = counter_;
  struct node *list = NULL;
  for (GC_word i = 0; i < LENGTH; i++) {
    struct node *node = GC_malloc(sizeof *node);
    node->next = list;
    node->stamp = i;
    list = node;
  }
  for (; !stop; ++*counter) {
    GC_word left = LENGTH;
    for (const struct node *node = list; node && node->stamp == left - 1; node = node->next)
      left--;
    faults += left != 0;
  }
  return NULL;
}

// libgc does not bear that a thread is suspended which allocates.
static void
several(void) {
  enum { ROUNDS = 60 };
  pthread_t threads[THREADS];
  int ran_on = 0;
  for (int i = 0; i < THREADS; i++)
    threads[i] = start(look_at_list, (void *)&counters[i]);
  for (int i = 0; i < THREADS; i++)
    wait_until_it_runs(&counters[i]);
  for (int round = 0; round < ROUNDS; round++) {
    int first = round % THREADS, second = (round + 1) % THREADS, other = (round + 2) % THREADS;
    GC_suspend_thread(threads[first]);
    unsigned long before = counters[first];
    GC_suspend_thread(threads[second]);
    if (round % 3 == 0)
      GC_gcollect();
    each(dirty);
    wait_until_it_runs(&counters[other]);
    ran_on += counters[first] != before;
    GC_resume_thread(threads[second]);
    GC_resume_thread(threads[first]);
    wait_until_it_runs(&counters[first]);
  }
  stop = 1;
  for (int i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
  say("%d ran on", ran_on);
  say_faults();
}

static void
stopped_world(void) {
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++)
    threads[i] = start(i % 2 ? look_at_list : count_up, (void *)&counters[i]);
  for (int turn = 0; turn < 3; turn++) {
    bool still = true;
    for (int i = 0; i < THREADS; i++)
      wait_until_it_runs(&counters[i]);
    GC_stop_world_external();
    for (int i = 0; i < THREADS; i++)
      still = still && stands_still(&counters[i]);
    GC_start_world_external();
    say("%s", still ? "still" : "running");
    GC_gcollect();
  }
  stop = 1;
  for (int i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
  say_faults();
}

// ---- The lock ------------------------------------------------------------------------------------------

static volatile unsigned long shared;

// Not at once, so that two threads would get in each other's way.
static void
add_one(void) {
  unsigned long before = shared;
  for (volatile int i = 0; i < 10; i++)
    ;
  shared = before + 1;
}

static void *GC_CALLBACK
add_one_there(void *argument) {
  add_one();
  return argument;
}

static void *
add_with_lock(void *unused) {
  for (int i = 0; i < ADDITIONS; i++)
    if (i % 2) {
      GC_alloc_lock();
      add_one();
      GC_alloc_unlock();
    } else if (GC_call_with_alloc_lock(add_one_there, &holders[i % OBJECTS]) != &holders[i % OBJECTS]) {
      faults++;
    }
  return unused;
}

static void
lock_excludes(void) {
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++)
    threads[i] = start(add_with_lock, NULL);
  for (int i = 0; i < 20; i++)
    GC_gcollect();
  for (int i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
  say("%lu missing", (unsigned long)THREADS * ADDITIONS - shared);
  say_faults();
}

// ---- Alternate stacks ----------------------------------------------------------------------------------

static char *alternate;
static volatile int handling, leave;

// Runs on the alternate stack.
static void
hold_in_handler(int number) {
  void *volatile objects[OBJECTS];
  (void)number;
  for (int i = 0; i < OBJECTS; i++)
    objects[i] = target(A, i);
  GC_enable();
  handling = 1;
  while (!leave)
    sched_yield();
  for (int i = 0; i < OBJECTS; i++)
    if (!objects[i])
      faults++;
}

static void *
raise_on_alternate_stack(void *unused) {
  const stack_t stack = {.ss_sp = alternate, .ss_size = STACK_BYTES};
  struct GC_stack_base base;
  GC_get_my_stackbottom(&base);
  if (sigaltstack(&stack, NULL) != 0)
    abort();
  GC_register_altstack((char *)base.mem_base - STACK_BYTES, STACK_BYTES, alternate, STACK_BYTES);
  GC_disable();
  raise(SIGUSR1);
  return unused;
}

static void
on_alternate_stack(void) {
  struct sigaction action = {.sa_handler = hold_in_handler, .sa_flags = SA_ONSTACK};
  alternate = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  sigaction(SIGUSR1, &action, NULL);
  pthread_t thread = start(raise_on_alternate_stack, NULL);
  while (!handling)
    sched_yield();
  collect(2);
  say_kept();
  leave = 1;
  pthread_join(thread, NULL);
  say_faults();
}

int
main(int argc, char **argv) {
  static const struct clause clauses[] = {
      {"suspend, resume: it stands still, and goes on", suspended,
       "0; still; 1; 0; still; 1; 0; still; 1; 0"},
      {"suspend, resume: they need not be in pairs", suspended_twice, "still; still"},
      {"suspend: it keeps what it refers to", keeps_objects,
       "A all; still; A all; still; A all; still; A all"},
      {"suspend: a thread that is not known goes on", unknown_thread, "0"},
      {"suspend: itself, until another resumes it", suspends_itself, "still; 1; still; 1; still; 1; 4"},
      {"suspend: in do_blocking it does not come back", suspended_while_blocked,
       "1; A all; still; 1; A all; 2"},
      {"suspend, resume: in do_blocking", resumed_while_blocked, "0; A all; 2"},
      {"suspend: several, while others collect", several, "0 ran on"},
      {"stop_world_external, start_world_external", stopped_world, "still; still; still"},
      {"alloc_lock, call_with_alloc_lock: exclude each other", lock_excludes, "0 missing"},
      {"register_altstack: it is searched while a thread is on it", on_alternate_stack, "A all"},
  };
  return RUN_CLAUSES(clauses, argc > 1 ? argv[1] : NULL);
}
