// Signals anywhere: handlers on ordinary and alternate stacks while others collect, the program's own use of
// the stop signal, system calls that must not notice, threads that block everything now and then.
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "tests/stress/stress.h"

enum { WORKERS = 3, DEPTH = 5 };

static double deadline;
static volatile size_t handled_own;

// ---- Handlers ------------------------------------------------------------------------------------------

static __thread char alternate[32 * 1024];
static __thread volatile uint64_t burned;

// Long enough to be stopped in.  It touches nothing of the collector.
static void
burn(int number) {
  for (int i = 0; i < 2000; i++)
    burned += (uint64_t)number * (uint64_t)i;
}

static stack_t
use_alternate_stack(void) {
  stack_t stack = {.ss_sp = alternate, .ss_size = sizeof alternate}, old;
  STRESS_CHECK(sigaltstack(&stack, &old) == 0);
  return old;
}

static void
handle(int number, void (*handler)(int), int flags) {
  struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
  sigaction(number, &action, NULL);
}

// ---- Threads -------------------------------------------------------------------------------------------

// Trees are held by frames that handlers interrupt.
static void *
work(void *seed) {
  stack_t old = use_alternate_stack();
  for (uint64_t i = (uintptr_t)seed; stress_now() < deadline; i++) {
    struct tree *volatile tree = tree_build(DEPTH, i);
    if (i % 64 == 0)
      GC_gcollect();
    STRESS_CHECK(tree_is_right(tree, DEPTH, i));
  }
  sigaltstack(&old, NULL);
  return NULL;
}

static pthread_t workers[WORKERS];

// Signals both kinds of handlers, without pause.
static void *
send_signals(void *unused) {
  for (size_t i = 0; stress_now() < deadline; i++) {
    pthread_kill(workers[i % WORKERS], i / WORKERS % 2 ? SIGUSR1 : SIGUSR2);
    usleep(50);
  }
  return unused;
}

static void *
block_signals_now_and_then(void *unused) {
  sigset_t all, old;
  sigfillset(&all);
  while (stress_now() < deadline) {
    struct tree *volatile tree = tree_build(DEPTH, 5);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    STRESS_CHECK(tree_is_right(tree, DEPTH, 5));
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    STRESS_CHECK(tree_is_right(tree, DEPTH, 5));
  }
  return unused;
}

static void
everywhere(void) {
  pthread_t sender, blocker;
  deadline = stress_now() + stress_seconds(0.25);
  handle(SIGUSR1, burn, SA_ONSTACK | SA_RESTART);
  handle(SIGUSR2, burn, SA_RESTART);
  for (uintptr_t i = 0; i < WORKERS; i++)
    stress_create(&workers[i], work, (void *)(i * 1000000));
  stress_create(&sender, send_signals, NULL);
  stress_create(&blocker, block_signals_now_and_then, NULL);
  pthread_join(sender, NULL); // it uses the workers' handles
  pthread_join(blocker, NULL);
  for (size_t i = 0; i < WORKERS; i++)
    pthread_join(workers[i], NULL);
}

// ---- System calls --------------------------------------------------------------------------------------

// Reads a byte now and then; a read that a stop interrupts goes on by itself.
static void *
read_pipe(void *pipe_) {
  const int *ends = pipe_;
  char byte;
  size_t bytes = 0;
  GC_register_my_thread(NULL);
  for (;;) {
    errno = 0;
    ssize_t got = read(ends[0], &byte, 1);
    STRESS_CHECK(got >= 0 && errno == 0);
    if (got <= 0)
      return (void *)bytes;
    bytes++;
  }
}

static void
in_system_calls(void) {
  int ends[2];
  pthread_t reader;
  void *bytes;
  deadline = stress_now() + stress_seconds(0.2);
  STRESS_CHECK(pipe(ends) == 0);
  stress_create(&reader, read_pipe, ends);
  uintptr_t sent = 0;
  for (; stress_now() < deadline; sent++) {
    for (int i = 0; i < 10; i++)
      GC_gcollect();
    STRESS_CHECK(write(ends[1], "", 1) == 1);
  }
  close(ends[1]);
  pthread_join(reader, &bytes);
  STRESS_CHECK((uintptr_t)bytes == sent);
}

// ---- The stop signal is the program's as well ----------------------------------------------------------

static void
count_own(int number, siginfo_t *info, void *context) {
  (void)context;
  STRESS_CHECK(number == SIGPWR && info->si_signo == SIGPWR);
  handled_own++;
}

static void
shared_with_the_program(void) {
  enum { SENT = 300 };
  pthread_t worker;
  deadline = stress_now() + stress_seconds(0.2);
  stress_create(&worker, work, NULL);
  for (size_t i = 1; i <= SENT; i++) {
    kill(getpid(), SIGPWR);
    while (handled_own < i)
      usleep(10);
    GC_gcollect();
  }
  pthread_join(worker, NULL);
  STRESS_CHECK(handled_own == SENT);
}

int
main(void) {
  stress_phase("handlers on both kinds of stacks", everywhere, NULL, NULL);
  stress_phase("handlers on both kinds of stacks", everywhere, "LOAM_STRESS_DELAY", "200");
  stress_phase_in_modes("handlers on both kinds of stacks", everywhere);
  stress_phase("system calls that are interrupted", in_system_calls, NULL, NULL);
  struct sigaction action = {.sa_flags = SA_SIGINFO};
  action.sa_sigaction = count_own;
  sigaction(SIGPWR, &action, NULL);
  stress_phase("the program's own stop signals", shared_with_the_program, NULL, NULL);
  return tap_done();
}
