// A thread blocks the stop signal: a warning names the thread and the signal, the collection is called off,
// the program goes on; when the thread has unblocked the signal, collections work again.

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "gc.h"
#include "tests/death/child.h"

static sem_t blocked, unblock, unblocked, finish;
static atomic_uint warnings, good_warnings;
static void *volatile kept;

static void
wait_for(sem_t *semaphore) {
  while (sem_wait(semaphore) != 0)
    CHILD_CHECK(errno == EINTR);
}

// The format is "thread %lu (name) does not answer stop signal 30: ...".
static void
count_warning(char *format, GC_word argument) {
  char line[300], stop_signal[30];
  snprintf(line, sizeof line, format, argument);
  snprintf(stop_signal, sizeof stop_signal, "stop signal %d", GC_get_suspend_signal());
  warnings++;
  good_warnings += strstr(line, "deafthread") && strstr(line, stop_signal) &&
                   strstr(line, "blocks the signal") && argument > 0;
}

static void
mask_stop_signal(int how) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, GC_get_suspend_signal());
  CHILD_CHECK(pthread_sigmask(how, &set, NULL) == 0);
}

static void *
run_deaf(void *argument) {
  void *volatile object = GC_malloc_atomic(100);
  memset(object, 'x', 100);
  pthread_setname_np(pthread_self(), "deafthread");
  mask_stop_signal(SIG_BLOCK);
  sem_post(&blocked);
  wait_for(&unblock);
  mask_stop_signal(SIG_UNBLOCK);
  sem_post(&unblocked);
  wait_for(&finish);
  CHILD_CHECK(GC_base(object) == object && ((char *)object)[99] == 'x');
  return argument;
}

static void
start(pthread_t *thread) {
  setenv("LOAM_STOP_WARN", "20", 1);
  setenv("LOAM_STOP_TIMEOUT", "100", 1);
  GC_set_warn_proc(count_warning);
  GC_INIT();
  kept = GC_malloc(100);
  sem_init(&blocked, 0, 0);
  sem_init(&unblock, 0, 0);
  sem_init(&unblocked, 0, 0);
  sem_init(&finish, 0, 0);
  CHILD_CHECK(pthread_create(thread, NULL, run_deaf, NULL) == 0);
  wait_for(&blocked);
}

static void
end(pthread_t thread) {
  sem_post(&unblock);
  wait_for(&unblocked);
  GC_word before = GC_get_gc_no();
  GC_gcollect();
  CHILD_CHECK(GC_get_gc_no() > before);
  CHILD_CHECK(gc_verify() == 0);
  sem_post(&finish);
  CHILD_CHECK(pthread_join(thread, NULL) == 0);
  CHILD_CHECK(GC_base(kept) == kept);
}

static int
never(void) {
  return 0;
}

static void
collection_is_called_off(void) {
  pthread_t thread;
  start(&thread);
  GC_word before = GC_get_gc_no();
  GC_gcollect();
  CHILD_CHECK(GC_try_to_collect(never) == 0);
  CHILD_CHECK(GC_get_gc_no() == before);
  CHILD_CHECK(warnings >= 1 && good_warnings == warnings);
  CHILD_CHECK(GC_base(kept) == kept);
  end(thread);
}

// Allocation goes on meanwhile: the heap grows.
static void
allocation_goes_on(void) {
  pthread_t thread;
  start(&thread);
  for (int i = 0; i < 30000; i++)
    CHILD_CHECK(GC_malloc(100));
  end(thread);
}

// gc_verify stops the world too: it must not hang either.
static void
verification_returns(void) {
  pthread_t thread;
  start(&thread);
  gc_verify();
  end(thread);
}

static void
default_warning(void) {
  pthread_t thread;
  start(&thread);
  GC_set_warn_proc(GC_ignore_warn_proc);
  GC_gcollect();
  end(thread);
}

// Blocked around the collector's own calls, as careless programs do: such a thread need not be stopped while
// it is asleep in the collector.
static void *
run_all_blocked(void *argument) {
  sigset_t all;
  sigfillset(&all);
  CHILD_CHECK(pthread_sigmask(SIG_SETMASK, &all, NULL) == 0);
  for (int i = 0; i < 10; i++)
    GC_gcollect();
  for (int i = 0; i < 10000; i++)
    CHILD_CHECK(GC_malloc(100));
  return argument;
}

static void
collector_with_all_blocked(void) {
  pthread_t thread;
  GC_INIT();
  CHILD_CHECK(pthread_create(&thread, NULL, run_all_blocked, NULL) == 0);
  CHILD_CHECK(pthread_join(thread, NULL) == 0);
  GC_gcollect();
}

int
main(void) {
  child_check("the collection is called off with a warning", collection_is_called_off, CHILD_EXITS);
  child_check("allocation goes on", allocation_goes_on, CHILD_EXITS);
  child_check("gc_verify returns", verification_returns, CHILD_EXITS);
  child_check("warnings can be ignored", default_warning, CHILD_EXITS);
  child_check("the collecting thread may block every signal", collector_with_all_blocked, CHILD_EXITS);
  return tap_done();
}
