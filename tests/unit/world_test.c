// Threads attach, stop, block and go.
#include "world/world.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/hooks.h"
#include "base/lock.h"
#include "os/threads.h"

#define GC_THREADS
#define GC_NO_THREAD_REDIRECTS
#include "gc.h"

// ---- Help ----------------------------------------------------------------------------------------------

struct stopped {
  void (*function)(void *argument);
  void *argument;
};

static void *
call_stopped(void *stopped_) {
  struct stopped *stopped = stopped_;
  return gc_world_call_stopped(stopped->function, stopped->argument) ? stopped : NULL;
}

// Run `function` in a stopped world.  false if the world would not stop.
static bool
with_world_stopped(void (*function)(void *argument), void *argument) {
  struct stopped stopped = {function, argument};
  gc_lock_acquire(&gc_cycle_lock);
  bool done = gc_world_call_spilled(call_stopped, &stopped) != NULL;
  gc_lock_release(&gc_cycle_lock);
  return done;
}

static void
do_nothing(void *unused) {
  (void)unused;
}

static size_t
count_threads(void) {
  with_world_stopped(do_nothing, NULL); // those that died are dropped
  return gc_thread_count();
}

static void *
run_thread(void *(*function)(void *), void *argument) {
  pthread_t thread;
  void *result;
  assert_int_equal(pthread_create(&thread, NULL, function, argument), 0);
  pthread_join(thread, &result);
  return result;
}

// A thread that has shown that it is ready, and goes on when told.
struct gate {
  pthread_barrier_t ready, go;
};

static void
gate_init(struct gate *gate) {
  pthread_barrier_init(&gate->ready, NULL, 2);
  pthread_barrier_init(&gate->go, NULL, 2);
}

static void
gate_wait(struct gate *gate) {
  pthread_barrier_wait(&gate->ready);
  pthread_barrier_wait(&gate->go);
}

// ---- Coming and going ----------------------------------------------------------------------------------

static void *
register_and_end(void *unused) {
  (void)unused;
  assert_false(GC_thread_is_registered());
  assert_int_equal(GC_register_my_thread(NULL), GC_SUCCESS);
  assert_int_equal(GC_register_my_thread(NULL), GC_DUPLICATE);
  assert_true(GC_thread_is_registered());
  assert_int_equal(count_threads(), 2);
  return NULL;
}

static void
thread_detaches_at_its_end(void **state) {
  (void)state;
  assert_int_equal(count_threads(), 1);
  run_thread(register_and_end, NULL);
  assert_int_equal(gc_thread_count(), 1);
}

static void *
come_and_go(void *unused) {
  (void)unused;
  for (int i = 0; i < 100; i++) {
    assert_int_equal(GC_register_my_thread(NULL), GC_SUCCESS);
    assert_non_null(GC_malloc(100));
    assert_int_equal(GC_unregister_my_thread(), GC_SUCCESS);
    assert_int_equal(GC_unregister_my_thread(), GC_SUCCESS);
    assert_false(GC_thread_is_registered());
  }
  assert_non_null(GC_malloc(100));
  assert_true(GC_thread_is_registered());
  return NULL;
}

static void
thread_may_come_again(void **state) {
  (void)state;
  run_thread(come_and_go, NULL);
  assert_int_equal(gc_thread_count(), 1);
}

static pthread_key_t late_key;

// The destructor of a key made later than ours: it runs after it, and attaches the thread again, as long as
// pthreads lets it.
static void
allocate_late(void *value) {
  assert_non_null(GC_malloc(64));
  pthread_setspecific(late_key, value);
}

static void *
set_late_key(void *value) {
  assert_non_null(GC_malloc(64));
  pthread_setspecific(late_key, value);
  return NULL;
}

static void
destructors_may_allocate(void **state) {
  (void)state;
  pthread_key_create(&late_key, allocate_late);
  for (int i = 0; i < 20; i++)
    run_thread(set_late_key, state);
  assert_int_equal(count_threads(), 1);
}

// The sanitizer keeps accounts of threads that such a death upsets.
#if defined(__SANITIZE_ADDRESS__)
enum { MAY_DIE_WITHOUT_NOTICE = 0 };
#else
enum { MAY_DIE_WITHOUT_NOTICE = 1 };
#endif

static void *
die_without_notice(void *unused) {
  (void)unused;
  GC_register_my_thread(NULL);
  syscall(SYS_exit, 0);
  return NULL;
}

static void
dead_thread_is_dropped(void **state) {
  (void)state;
  if (!MAY_DIE_WITHOUT_NOTICE)
    return;
  run_thread(die_without_notice, NULL);
  assert_int_equal(gc_thread_count(), 2);
  assert_int_equal(count_threads(), 1);
}

static void *
die_blocked(void *unused) {
  return GC_do_blocking(die_without_notice, unused);
}

static void
dead_blocked_thread_is_dropped(void **state) {
  (void)state;
  if (!MAY_DIE_WITHOUT_NOTICE)
    return;
  run_thread(die_blocked, NULL);
  while (count_threads() > 1)
    sched_yield(); // the kernel may know the thread for a moment after it has been joined
}

static void *
exit_blocked(void *unused) {
  pthread_exit(unused);
}

static void *
call_exit_blocked(void *value) {
  set_late_key(value); // its destructor uses the heap, which a blocked thread may not
  return GC_do_blocking(exit_blocked, NULL);
}

static void
thread_may_end_blocked(void **state) {
  (void)state;
  run_thread(call_exit_blocked, state);
  assert_int_equal(count_threads(), 1);
}

// ---- Stopping ------------------------------------------------------------------------------------------

struct counter {
  volatile size_t value;
  volatile int end; // no bool: gcc's -fsanitize=undefined reads a volatile one only once
  pthread_barrier_t begun;
};

static void *
count_until_end(void *counter_) {
  struct counter *counter = counter_;
  GC_register_my_thread(NULL);
  pthread_barrier_wait(&counter->begun);
  while (!counter->end)
    counter->value++;
  return NULL;
}

static void
expect_standstill(void *counter_) {
  struct counter *counter = counter_;
  struct timespec delay = {0, 1000000};
  size_t before = counter->value;
  nanosleep(&delay, NULL);
  assert_int_equal(counter->value, before);
}

static void
running_threads_stand_still(void **state) {
  (void)state;
  static struct counter counter;
  pthread_t thread;
  pthread_barrier_init(&counter.begun, NULL, 2);
  assert_int_equal(pthread_create(&thread, NULL, count_until_end, &counter), 0);
  pthread_barrier_wait(&counter.begun);
  for (int i = 0; i < 50; i++) {
    size_t before = counter.value;
    assert_true(with_world_stopped(expect_standstill, &counter));
    while (counter.value == before)
      ; // it goes on
  }
  counter.end = 1;
  pthread_join(thread, NULL);
}

static char warning[300];

static void
keep_warning(char *format, unsigned long argument) {
  snprintf(warning, sizeof warning, format, argument);
}

static void *
block_signal(void *gate) {
  sigset_t all;
  sigfillset(&all);
  GC_register_my_thread(NULL);
  pthread_sigmask(SIG_SETMASK, &all, NULL);
  pthread_setname_np(pthread_self(), "deaf%s");
  gate_wait(gate);
  return NULL;
}

static void
thread_that_blocks_the_signal_is_named(void **state) {
  (void)state;
  static struct gate gate;
  pthread_t thread;
  char wanted[100];
  struct gc_tunables before = gc_tunables;
  size_t called_off = gc_stop_called_off();
  gate_init(&gate);
  gc_tunables.stop_warn_ms = 10;
  gc_tunables.stop_timeout_ms = 100;
  gc_hooks.warn = keep_warning;
  assert_int_equal(pthread_create(&thread, NULL, block_signal, &gate), 0);
  pthread_barrier_wait(&gate.ready);
  assert_false(with_world_stopped(do_nothing, NULL));
  assert_int_equal(gc_stop_called_off(), called_off + 1);
  snprintf(wanted, sizeof wanted, "(deaf?s) does not answer stop signal %d: it blocks the signal", SIGPWR);
  assert_non_null(strstr(warning, wanted));
  gc_hooks.warn = NULL;
  gc_tunables = before;
  pthread_barrier_wait(&gate.go);
  pthread_join(thread, NULL);
  assert_true(with_world_stopped(do_nothing, NULL));
}

static void *
block_as_told(void *gate) {
  sigset_t all, now;
  sigfillset(&all);
  GC_register_my_thread(NULL);
  assert_int_equal(GC_pthread_sigmask(SIG_SETMASK, &all, NULL), 0);
  assert_int_equal(GC_pthread_sigmask(SIG_BLOCK, &all, NULL), 0);
  pthread_sigmask(SIG_SETMASK, NULL, &now);
  assert_true(sigismember(&now, SIGUSR1));
  assert_false(sigismember(&now, GC_get_suspend_signal()));
  gate_wait(gate);
  return NULL;
}

static void
our_sigmask_leaves_the_signal_alone(void **state) {
  (void)state;
  static struct gate gate;
  pthread_t thread;
  gate_init(&gate);
  assert_int_equal(pthread_create(&thread, NULL, block_as_told, &gate), 0);
  pthread_barrier_wait(&gate.ready);
  assert_true(with_world_stopped(do_nothing, NULL));
  pthread_barrier_wait(&gate.go);
  pthread_join(thread, NULL);
}

// ---- Blocking ------------------------------------------------------------------------------------------

static struct gc_thread *blocker;

static void *
wait_in_gate(void *gate) {
  assert_int_equal(gc_atomic_load_relaxed(&gc_thread_current()->state), GC_THREAD_BLOCKED);
  gate_wait(gate);
  return gate;
}

static void *
block_all_signals_and_wait(void *gate) {
  sigset_t all;
  sigfillset(&all);
  GC_register_my_thread(NULL);
  pthread_sigmask(SIG_SETMASK, &all, NULL);
  blocker = gc_thread_current();
  return GC_do_blocking(wait_in_gate, gate);
}

static void
blocked_thread_is_left_alone(void **state) {
  (void)state;
  static struct gate gate;
  pthread_t thread;
  void *result;
  gate_init(&gate);
  assert_int_equal(pthread_create(&thread, NULL, block_all_signals_and_wait, &gate), 0);
  pthread_barrier_wait(&gate.ready);
  assert_true(with_world_stopped(do_nothing, NULL));
  pthread_barrier_wait(&gate.go);
  pthread_join(thread, &result);
  assert_ptr_equal(result, &gate);
}

static const char *
blocked_at(void) {
  struct gc_thread *thread = gc_thread_current();
  return gc_atomic_load_relaxed(&thread->state) == GC_THREAD_BLOCKED ? thread->stack_pointer : NULL;
}

static void *run_active(void *depth);

static void *
run_blocked(void *depth_) {
  char *depth = depth_;
  const char *before = blocked_at();
  assert_non_null(before);
  if (depth)
    assert_ptr_equal(GC_call_with_gc_active(run_active, depth - 1), depth - 1);
  assert_ptr_equal(blocked_at(), before);
  return depth;
}

static void *
run_active(void *depth_) {
  char *depth = depth_;
  assert_null(blocked_at());
  GC_gcollect();
  if (depth)
    assert_ptr_equal(GC_do_blocking(run_blocked, depth - 1), depth - 1);
  assert_null(blocked_at());
  return depth;
}

static void
blocking_nests(void **state) {
  (void)state;
  run_active((void *)8);
  assert_ptr_equal(GC_do_blocking(run_blocked, (void *)7), (void *)7);
  assert_null(blocked_at());
}

// ---- Registers -----------------------------------------------------------------------------------------

#if defined(__x86_64__)
#define SAVED_REGISTER "r14"
#else
#define SAVED_REGISTER "x23"
#endif

// Count the words of the live stack with the complement of `complement`.
__attribute__((no_sanitize("address"))) static void *
count_on_stack(void *complement) {
  struct gc_thread *thread = gc_thread_current();
  uintptr_t found = 0;
  for (const char *at = thread->stack_pointer; at < thread->stack.limit; at += sizeof(uintptr_t))
    found += ~*(const volatile uintptr_t *)at == (uintptr_t)complement;
  return (void *)found;
}

static void
saved_registers_are_on_the_stack(void **state) {
  (void)state;
  uintptr_t complement = ~(uintptr_t)0x5eaf00d5eaf00d00;
  assert_ptr_equal(gc_world_call_spilled(count_on_stack, (void *)complement), NULL);
  register uintptr_t kept __asm__(SAVED_REGISTER) = ~complement;
  __asm__ volatile("" : "+r"(kept));
  void *found = gc_world_call_spilled(count_on_stack, (void *)complement);
  __asm__ volatile("" : "+r"(kept));
  assert_ptr_equal(found, (void *)1);
}

static void *
return_stack_pointer(void *unused) {
  (void)unused;
  assert_true(gc_thread_current()->stack_pointer > (const char *)__builtin_frame_address(0));
  return NULL;
}

static void
callee_frames_are_not_searched(void **state) {
  gc_world_call_spilled(return_stack_pointer, state);
}

// ---- Thread functions ----------------------------------------------------------------------------------

// The only pointer to an object travels through pthreads: in as the argument, out as the result.
static void *
pass_on(void *object) {
  GC_gcollect();
  assert_int_equal(*(int *)object, 1234);
  int *result = GC_malloc_atomic(sizeof *result);
  *result = 5678;
  return result;
}

static void *
pass_on_by_exit(void *object) {
  GC_pthread_exit(pass_on(object));
}

// Allocate over what was freed wrongly.
static void
churn(void) {
  GC_gcollect();
  for (int i = 0; i < 10000; i++)
    memset(GC_malloc_atomic(sizeof(int)), 0xee, sizeof(int));
}

static void
check_passing(void *(*function)(void *)) {
  pthread_t thread;
  void *result;
  int *object = GC_malloc_atomic(sizeof *object);
  *object = 1234;
  assert_int_equal(GC_pthread_create(&thread, NULL, function, object), 0);
  object = NULL;
  churn();
  while (count_threads() > 1)
    churn();
  churn();
  assert_int_equal(GC_pthread_join(thread, &result), 0);
  assert_int_equal(*(int *)result, 5678);
}

static void
arguments_and_results_are_kept(void **state) {
  (void)state;
  for (int i = 0; i < 5; i++) {
    check_passing(pass_on);
    check_passing(pass_on_by_exit);
  }
}

static void *
collect_until_nobody_is_signalled(void *unused) {
  for (int tries = 0; tries < 10000; tries++) {
    churn();
    if (gc_stop_signalled() == 0)
      return unused;
  }
  return NULL;
}

// Its stack is searched nevertheless.
static void
who_waits_for_a_thread_is_not_stopped(void **state) {
  (void)state;
  pthread_t thread;
  void *result = NULL;
  int *volatile object = GC_malloc_atomic(sizeof *object);
  *object = 1234;
  assert_int_equal(GC_pthread_create(&thread, NULL, collect_until_nobody_is_signalled, &result), 0);
  assert_int_equal(GC_pthread_join(thread, &result), 0);
  assert_ptr_equal(result, &result);
  assert_int_equal(*object, 1234);
  assert_int_equal(GC_pthread_join(pthread_self(), NULL), EDEADLK);
}

static void *
wait_for_ever(void *barrier) {
  pthread_barrier_wait(barrier);
  pause();
  return NULL;
}

static void
cancelled_thread_goes(void **state) {
  (void)state;
  pthread_t thread;
  pthread_barrier_t begun;
  void *result;
  pthread_barrier_init(&begun, NULL, 2);
  assert_int_equal(GC_pthread_create(&thread, NULL, wait_for_ever, &begun), 0);
  pthread_barrier_wait(&begun);
  assert_int_equal(GC_pthread_cancel(thread), 0);
  assert_int_equal(GC_pthread_join(thread, &result), 0);
  assert_ptr_equal(result, PTHREAD_CANCELED);
  assert_int_equal(count_threads(), 1);
}

static void *
leave_gate(void *gate) {
  gate_wait(gate);
  return NULL;
}

static void
detached_threads_go(void **state) {
  (void)state;
  static struct gate gate;
  pthread_attr_t attributes;
  pthread_t thread;
  gate_init(&gate);
  pthread_attr_init(&attributes);
  for (int by_attribute = 0; by_attribute < 2; by_attribute++) {
    pthread_attr_setdetachstate(&attributes,
                                by_attribute ? PTHREAD_CREATE_DETACHED : PTHREAD_CREATE_JOINABLE);
    assert_int_equal(GC_pthread_create(&thread, &attributes, leave_gate, &gate), 0);
    pthread_barrier_wait(&gate.ready);
    if (!by_attribute)
      assert_int_equal(GC_pthread_detach(thread), 0);
    pthread_barrier_wait(&gate.go);
    while (count_threads() > 1)
      sched_yield();
  }
  pthread_attr_destroy(&attributes);
}

static void *
look_at_stack_base(struct GC_stack_base *base, void *unused) {
  (void)unused;
  struct GC_stack_base same;
  assert_int_equal(GC_get_stack_base(&same), GC_SUCCESS);
  assert_ptr_equal(same.mem_base, base->mem_base);
  assert_true((char *)base->mem_base > (char *)&same);
  assert_int_equal(GC_register_my_thread(base), GC_SUCCESS);
  assert_int_equal(count_threads(), 2);
  return base->mem_base;
}

static void *
register_with_base(void *unused) {
  assert_non_null(GC_call_with_stack_base(look_at_stack_base, unused));
  return NULL;
}

static void
stack_base_is_given(void **state) {
  (void)state;
  run_thread(register_with_base, NULL);
}

int
main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(thread_detaches_at_its_end),
      cmocka_unit_test(thread_may_come_again),
      cmocka_unit_test(destructors_may_allocate),
      cmocka_unit_test(dead_thread_is_dropped),
      cmocka_unit_test(dead_blocked_thread_is_dropped),
      cmocka_unit_test(thread_may_end_blocked),
      cmocka_unit_test(running_threads_stand_still),
      cmocka_unit_test(thread_that_blocks_the_signal_is_named),
      cmocka_unit_test(our_sigmask_leaves_the_signal_alone),
      cmocka_unit_test(blocked_thread_is_left_alone),
      cmocka_unit_test(blocking_nests),
      cmocka_unit_test(saved_registers_are_on_the_stack),
      cmocka_unit_test(callee_frames_are_not_searched),
      cmocka_unit_test(arguments_and_results_are_kept),
      cmocka_unit_test(who_waits_for_a_thread_is_not_stopped),
      cmocka_unit_test(cancelled_thread_goes),
      cmocka_unit_test(detached_threads_go),
      cmocka_unit_test(stack_base_is_given),
  };
  GC_INIT();
  return cmocka_run_group_tests(tests, NULL, NULL);
}
