// Fibers that are freed while a thread is on them, entered twice, entered after their end, that end without
// saying who goes on, or overflow their stack.

#include <pthread.h>

#define GC_THREADS
#define GC_NO_THREAD_REDIRECTS
#include "gc.h"
#include "tests/death/child.h"

static GC_fiber *own;

static GC_fiber *
end(void *unused) {
  (void)unused;
  return own;
}

static GC_fiber *
end_without_successor(void *unused) {
  (void)unused;
  return NULL;
}

static GC_fiber *
start(GC_fiber_function function) {
  GC_INIT();
  own = GC_fiber_current();
  return GC_fiber_create(0, function, NULL);
}

static void
free_the_threads_own(void) {
  start(end);
  child_expect("loam: GC_fiber_free: a thread is on the fiber at %p, or it is none\n", (void *)own);
  GC_fiber_free(own);
}

static GC_fiber *
free_itself(void *unused) {
  (void)unused;
  GC_fiber *fiber = GC_fiber_current();
  child_expect("loam: GC_fiber_free: a thread is on the fiber at %p, or it is none\n", (void *)fiber);
  GC_fiber_free(fiber);
  return own;
}

static void
free_the_current(void) {
  GC_fiber_switch(start(free_itself));
}

static void
free_twice(void) {
  GC_fiber *fiber = start(end);
  GC_fiber_switch(fiber);
  GC_fiber_free(fiber);
  child_expect("loam: GC_fiber_free: a thread is on the fiber at %p, or it is none\n", (void *)fiber);
  GC_fiber_free(fiber);
}

static void *
switch_to(void *fiber) {
  GC_fiber_switch(fiber);
  return NULL;
}

static GC_fiber *
be_entered_again(void *unused) {
  pthread_t thread;
  GC_fiber *fiber = GC_fiber_current();
  child_expect("loam: GC_fiber_switch: a thread is on the fiber at %p, or the program switches it\n",
               (void *)fiber);
  CHILD_CHECK(pthread_create(&thread, NULL, switch_to, fiber) == 0);
  pthread_join(thread, NULL);
  return unused;
}

static void
enter_twice(void) {
  GC_fiber_switch(start(be_entered_again));
}

static void
enter_ended(void) {
  GC_fiber *fiber = start(end);
  GC_fiber_switch(fiber);
  child_expect("loam: GC_fiber_switch: the fiber has ended\n");
  GC_fiber_switch(fiber);
}

static void
end_with_null(void) {
  GC_fiber *fiber = start(end_without_successor);
  child_expect("loam: the function of a fiber has returned no fiber to go on with\n");
  GC_fiber_switch(fiber);
}

static GC_fiber *
unregister(void *unused) {
  child_expect("loam: GC_unregister_my_thread: the thread is on a fiber\n");
  GC_unregister_my_thread();
  return unused;
}

static void
unregister_on_fiber(void) {
  GC_fiber_switch(start(unregister));
}

static void
end_well(int signal_number) {
  (void)signal_number;
  _exit(EXIT_SUCCESS);
}

static GC_fiber *
overflow(void *unused) {
  uintptr_t here = (uintptr_t)__builtin_frame_address(0);
  (void)unused;
  for (uintptr_t byte = here - 4096; byte > here - (1 << 20); byte--)
    *(volatile char *)byte = 0;
  return NULL;
}

// The page below it ends the program, before anything else is overwritten.
static void
overflow_stack(void) {
  static char memory[64 << 10];
  stack_t stack = {.ss_sp = memory, .ss_size = sizeof memory};
  struct sigaction action = {.sa_handler = end_well, .sa_flags = SA_ONSTACK};
  sigaltstack(&stack, NULL);
  sigaction(SIGSEGV, &action, NULL);
  GC_fiber_switch(start(overflow));
  _exit(EXIT_FAILURE);
}

int
main(void) {
  child_check("free of the thread's own fiber", free_the_threads_own, CHILD_ABORTS);
  child_check("free of the current fiber", free_the_current, CHILD_ABORTS);
  child_check("free of a freed fiber", free_twice, CHILD_ABORTS);
  child_check("a fiber that another thread is on is entered", enter_twice, CHILD_ABORTS);
  child_check("an ended fiber is entered", enter_ended, CHILD_ABORTS);
  child_check("a fiber ends without a successor", end_with_null, CHILD_ABORTS);
  child_check("a thread unregisters on a fiber", unregister_on_fiber, CHILD_ABORTS);
  if (CHILD_ASAN)
    tap_skip("the sanitizer ends the program in its own way", "a fiber overflows its stack");
  else
    child_check("a fiber overflows its stack", overflow_stack, CHILD_EXITS);
  return tap_done();
}
