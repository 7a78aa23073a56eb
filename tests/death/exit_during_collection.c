// The program ends while another thread collects: by exit, _exit, quick_exit, return from main, abort, or a
// signal.  It ends at once, with the right status.
//
// The collecting thread says when a collection begins, and only then does the main thread end the program:
// the end always meets a collection, whatever the timing.

#include <pthread.h>
#include <semaphore.h>

#include "gc.h"
#include "tests/death/child.h"

enum { STATUS = 7, TIMES = 8, NODES = 50000 };

static sem_t begun;

static void
collection_event(GC_EventType event) {
  if (event == GC_EVENT_PRE_STOP_WORLD)
    sem_post(&begun);
}

static void *
collect_for_ever(void *argument) {
  for (;;)
    GC_gcollect();
  return argument;
}

static void *
allocate_for_ever(void *argument) {
  for (;;)
    GC_malloc(50);
  return argument;
}

// Returns at the start of some collection.
static void
begin(void) {
  static void **list;
  pthread_t thread;
  sem_init(&begun, 0, 0);
  GC_INIT();
  for (int i = 0; i < NODES; i++) {
    void **node = GC_malloc(16);
    *node = list;
    list = node;
  }
  GC_set_on_collection_event(collection_event);
  CHILD_CHECK(pthread_create(&thread, NULL, collect_for_ever, NULL) == 0);
  CHILD_CHECK(pthread_create(&thread, NULL, allocate_for_ever, NULL) == 0);
  for (int i = 0; i < 3; i++)
    while (sem_wait(&begun) != 0)
      CHILD_CHECK(errno == EINTR);
}

static void
end_by_exit(void) {
  begin();
  exit(STATUS);
}

static void
end_by_underscore_exit(void) {
  begin();
  _exit(STATUS);
}

static void
end_by_quick_exit(void) {
  begin();
  quick_exit(STATUS);
}

static void
end_by_abort(void) {
  begin();
  abort();
}

// A program that uses the collector to the last.
static void
use_collector(void) {
  for (int i = 0; i < 1000; i++)
    CHILD_CHECK(GC_malloc(1000));
  GC_gcollect();
}

static void
end_with_handler(void) {
  atexit(use_collector);
  begin();
  exit(STATUS);
}

static void *
exit_from_thread(void *argument) {
  exit(STATUS);
  return argument;
}

static void
end_from_new_thread(void) {
  pthread_t thread;
  begin();
  CHILD_CHECK(pthread_create(&thread, NULL, exit_from_thread, NULL) == 0);
  for (;;)
    pause();
}

// The last thread alive ends the process with status 0.
static void *
stop_after_a_while(void *argument) {
  for (int i = 0; i < 20; i++)
    GC_gcollect();
  return argument;
}

static void
main_thread_leaves(void) {
  pthread_t thread;
  GC_INIT();
  CHILD_CHECK(pthread_create(&thread, NULL, stop_after_a_while, NULL) == 0);
  pthread_exit(NULL);
}

static void
event_exits(GC_EventType event) {
  if (event == GC_EVENT_MARK_START)
    _exit(STATUS);
}

static void
end_from_event(void) {
  GC_INIT();
  GC_set_on_collection_event(event_exits);
  GC_gcollect();
}

// Main itself returns: this program runs itself for that.
static void
return_from_main(void) {
  char *arguments[] = {(char *)"self", (char *)"return", NULL};
  execv("/proc/self/exe", arguments);
  child_fail("cannot run this program again");
}

static void
check_times(const char *name, void (*function)(void), int end) {
  char numbered[100];
  for (int i = 1; i <= TIMES; i++) {
    snprintf(numbered, sizeof numbered, "%s, time %d", name, i);
    child_check(numbered, function, end);
  }
}

int
main(int argc, char **argv) {
  (void)argv;
  if (argc > 1) {
    begin();
    return STATUS;
  }
  check_times("exit", end_by_exit, STATUS);
  check_times("_exit", end_by_underscore_exit, STATUS);
  check_times("quick_exit", end_by_quick_exit, STATUS);
  check_times("abort", end_by_abort, CHILD_ABORTS);
  check_times("exit with a handler that allocates and collects", end_with_handler, STATUS);
  check_times("exit from a new thread", end_from_new_thread, STATUS);
  check_times("return from main", return_from_main, STATUS);
  check_times("the main thread ends before the others", main_thread_leaves, CHILD_EXITS);
  child_check("_exit from the event of a collection", end_from_event, STATUS);
  return tap_done();
}
