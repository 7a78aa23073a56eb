// What a handler is told of the thread that it interrupts, and which signals reach the collector's own
// threads.
#include "os/signals.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fixture.h"
#include "os/helper.h"

enum { SIGNALS = 200 };

static atomic_int handled, in_call, running;
static atomic_bool finished;
static int ends[2];

static void
count(int number, siginfo_t *info, void *context) {
  (void)number;
  (void)info;
  in_call += gc_os_signal_interrupted_call(context);
  handled++;
}

// A call that is made again after each signal.
static void *
wait_in_read(void *nothing) {
  char byte;
  running = 1;
  if (read(ends[0], &byte, 1) != 1)
    abort();
  return nothing;
}

static void *
compute(void *nothing) {
  volatile unsigned work = 0;
  char byte;
  running = 1;
  while (!finished)
    work = work + 1;
  if (read(ends[0], &byte, 1) != 1)
    abort();
  return nothing;
}

// Signal a thread often.  Returns how many of the signals found it in a system call.
static int
signal_often(void *(*function)(void *)) {
  pthread_t thread;
  running = handled = in_call = 0;
  finished = false;
  assert_int_equal(pthread_create(&thread, NULL, function, NULL), 0);
  while (!running)
    usleep(100);
  usleep(50000);
  for (int i = 0; i < SIGNALS; i++) {
    assert_int_equal(pthread_kill(thread, SIGUSR1), 0);
    while (handled == i)
      usleep(10);
  }
  finished = true;
  assert_int_equal(write(ends[1], "", 1), 1);
  assert_int_equal(pthread_join(thread, NULL), 0);
  return in_call;
}

// Whether the processor leaves a trace of system calls.
static bool
calls_leave_a_trace(void) {
#if defined __x86_64__
  long result = SYS_getpid;
  uintptr_t next, rcx = 0;
  __asm__ volatile("leaq 1f(%%rip), %[next]\n\tsyscall\n1:"
                   : "+a"(result), "+c"(rcx), [next] "=&r"(next)
                   :
                   : "r11", "memory");
  return rcx == next;
#else
  return false;
#endif
}

static void
a_thread_in_a_system_call_is_told_from_one_that_computes(void **state) {
  (void)state;
  struct sigaction before;
  assert_int_equal(pipe(ends), 0);
  gc_os_signal_install(SIGUSR1, count, &before);
  assert_int_equal(signal_often(compute), 0);
  assert_int_equal(signal_often(wait_in_read), calls_leave_a_trace() ? SIGNALS : 0);
  assert_int_equal(sigaction(SIGUSR1, &before, NULL), 0);
}

static void *
tell_mask(void *mask) {
  pthread_sigmask(SIG_BLOCK, NULL, mask);
  finished = true;
  return NULL;
}

static void
a_helper_takes_no_signal_but_its_own_faults(void **state) {
  (void)state;
  sigset_t mask;
  finished = false;
  assert_true(gc_os_start_helper(tell_mask, &mask));
  while (!finished)
    usleep(100);
  for (int number = 1; number < 32; number++)
    assert_int_equal(sigismember(&mask, number), number != SIGSEGV && number != SIGKILL && number != SIGSTOP);
}

int
main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_helper_takes_no_signal_but_its_own_faults),
      cmocka_unit_test(a_thread_in_a_system_call_is_told_from_one_that_computes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
