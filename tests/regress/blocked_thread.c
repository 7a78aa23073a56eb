// Objects vanished from the stack of a thread inside GC_do_blocking, or a collection waited for it for ever.

#include <pthread.h>
#include <signal.h>

#include "tests/regress/objects.h"

static pthread_barrier_t blocked, collected;
static hidden before_blocking, before_active;

static void *
wait_through_collection(void *argument) {
  pthread_barrier_wait(&blocked);
  pthread_barrier_wait(&collected);
  return argument;
}

static void *
block_again(void *argument) {
  void *volatile object;
  before_active = new_hidden();
  object = reveal(before_active);
  void *result = GC_do_blocking(wait_through_collection, argument);
  bool kept = is_there(before_active);
  object = NULL;
  (void)object;
  return kept ? result : NULL;
}

static void *
activate(void *argument) {
  return GC_call_with_gc_active(block_again, argument);
}

static void *
run(void *function) {
  void *volatile object;
  before_blocking = new_hidden();
  object = reveal(before_blocking);
  void *result = GC_do_blocking(*(GC_fn_type *)function, function);
  bool kept = is_there(before_blocking);
  object = NULL;
  (void)object;
  return kept ? result : NULL;
}

// The blocked thread has all signals blocked too: a collection that tried to stop it would not return.
static void *
run_deaf(void *function) {
  sigset_t all;
  GC_register_my_thread(NULL);
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, NULL);
  return run(function);
}

static void
check(const char *name, void *(*start)(void *), GC_fn_type function) {
  pthread_t thread;
  void *result;
  pthread_barrier_init(&blocked, NULL, 2);
  pthread_barrier_init(&collected, NULL, 2);
  pthread_create(&thread, NULL, start, &function);
  pthread_barrier_wait(&blocked);
  GC_word before = GC_get_gc_no();
  for (int i = 0; i < 5; i++)
    collect();
  bool collections = GC_get_gc_no() == before + 5;
  bool kept = is_there(before_blocking);
  pthread_barrier_wait(&collected);
  pthread_join(thread, &result);
  tap_ok(collections && kept && result == &function, "%s", name);
}

static void *
return_argument(void *argument) {
  return argument;
}

int
main(void) {
  int token;
  GC_INIT();
  check("a blocked thread's stack is searched", run, wait_through_collection);
  check("and so are both parts of one that was active again", run, activate);
  check("it needs no signal", run_deaf, wait_through_collection);
  tap_ok(GC_do_blocking(return_argument, &token) == &token, "GC_do_blocking returns the function's result");
  tap_ok(GC_call_with_gc_active(return_argument, &token) == &token,
         "GC_call_with_gc_active outside of it does, too");
  tap_ok(GC_call_with_alloc_lock(return_argument, &token) == &token, "and GC_call_with_alloc_lock");
  return tap_done();
}
