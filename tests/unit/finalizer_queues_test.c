// Queues of finalizers and who calls them, through the public interface.  Each test is a process of its own,
// since the settings are for the life of one.
#include "gc.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "os/memory.h"

#define CHECK(condition)                                        \
  do {                                                          \
    if (!(condition)) {                                         \
      fprintf(stderr, "# line %d: %s\n", __LINE__, #condition); \
      _exit(1);                                                 \
    }                                                           \
  } while (0)

enum { OBJECTS = 200, PATIENCE_MS = 60000 };

static void
run(void **function_) {
  void (*function)(void) = (void (*)(void))(uintptr_t)*function_;
  int status;
  pid_t child = fork();
  if (child == 0) {
    alarm(2 * PATIENCE_MS / 1000);
    GC_INIT();
    function();
    _exit(0);
  }
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(status, 0);
}

// ---- Objects that die ----------------------------------------------------------------------------------

static volatile size_t called, given;

static void
finalize(void *object, void *data) {
  CHECK(GC_base(object) == object);
  given += (size_t)(uintptr_t)data;
  __atomic_add_fetch(&called, 1, __ATOMIC_RELAXED);
}

static void
clean(void *data) {
  given += (size_t)(uintptr_t)data;
  __atomic_add_fetch(&called, 1, __ATOMIC_RELAXED);
}

__attribute__((noinline)) static void
clear_stack(void) {
  volatile char dirt[1 << 16];
  for (size_t i = 0; i < sizeof dirt; i++)
    dirt[i] = 0;
}

__attribute__((noinline)) static void
make_in_frame(GC_finalizer_queue *queue, size_t count) {
  for (size_t i = 0; i < count; i++)
    CHECK(GC_register_finalizer_on(queue, GC_MALLOC(40), GC_FINALIZER_ORDERED, finalize, (void *)1) ==
          GC_SUCCESS);
}

// A stray word may keep one or two.
static bool
is_most(size_t count, size_t of) {
  return count <= of && count >= of - of / 10;
}

static void
let_die(GC_finalizer_queue *queue, size_t count) {
  make_in_frame(queue, count);
  clear_stack();
  GC_gcollect();
}

// Somebody else calls.
static bool
are_called(size_t count) {
  const struct timespec moment = {.tv_nsec = 1000000};
  for (int i = 0; i < PATIENCE_MS && called < count; i++)
    nanosleep(&moment, NULL);
  return called >= count;
}

// ---- Queues --------------------------------------------------------------------------------------------

static volatile size_t notified;
static GC_finalizer_queue *notified_queue;

static void
note(GC_finalizer_queue *queue, void *data) {
  notified_queue = queue;
  notified += (size_t)(uintptr_t)data;
}

static void
only_who_drains_a_queue_calls(void) {
  GC_finalizer_queue *queue = GC_finalizer_queue_new(note, (void *)5);
  let_die(queue, OBJECTS);
  size_t ready = GC_finalizer_queue_ready(queue);
  CHECK(is_most(ready, OBJECTS) && notified == 5 && notified_queue == queue);
  CHECK(!GC_should_invoke_finalizers() && GC_invoke_finalizers() == 0 && called == 0);
  GC_gcollect();
  CHECK(called == 0 && GC_finalizer_queue_ready(queue) >= ready);
  CHECK(GC_finalizer_queue_drain(queue, 10, 0) == 10 && called == 10);
  CHECK(GC_finalizer_queue_drain(queue, 0, 0) >= ready - 10);
  CHECK(called == given && GC_finalizer_queue_ready(queue) == 0);
  notified = 0;
  GC_gcollect();
  GC_gcollect();
  CHECK(notified <= 5); // a stray one
}

static void
cleaners_come_from_queues_as_well(void) {
  GC_finalizer_queue *queue = GC_finalizer_queue_new(NULL, NULL);
  for (size_t i = 0; i < OBJECTS; i++)
    CHECK(GC_register_cleaner(queue, GC_MALLOC(40), clean, (void *)1) == GC_SUCCESS);
  clear_stack();
  GC_gcollect();
  CHECK(called == 0 && is_most(GC_finalizer_queue_ready(queue), OBJECTS));
  GC_finalizer_queue_drain(queue, 0, 0);
  CHECK(is_most(called, OBJECTS) && called == given);
}

// What is ready, and what is only registered.
static void
a_queue_that_is_given_up_leaves_all_to_the_collectors_own(void) {
  static void *volatile kept[OBJECTS];
  GC_set_finalize_on_demand(1);
  GC_finalizer_queue *queue = GC_finalizer_queue_new(NULL, NULL);
  for (size_t i = 0; i < OBJECTS; i++) {
    kept[i] = GC_MALLOC(40);
    GC_register_finalizer_on(queue, kept[i], GC_FINALIZER_NO_ORDER, finalize, (void *)1);
  }
  let_die(queue, OBJECTS);
  size_t ready = GC_finalizer_queue_ready(queue);
  CHECK(is_most(ready, OBJECTS));
  GC_finalizer_queue_free(queue);
  CHECK(called == 0 && GC_should_invoke_finalizers());
  CHECK((size_t)GC_invoke_finalizers() == ready && called == ready);
  for (size_t i = 0; i < OBJECTS; i++)
    kept[i] = NULL;
  GC_finalizer_queue *another = GC_finalizer_queue_new(NULL, NULL); // gets nothing that was the first one's
  clear_stack();
  GC_gcollect();
  CHECK(GC_finalizer_queue_ready(another) == 0);
  GC_invoke_finalizers();
  CHECK(is_most(called, 2 * OBJECTS));
}

static volatile bool collecting;

static void *
collect_all_the_time(void *unused) {
  while (collecting)
    GC_gcollect();
  return unused;
}

// What becomes ready while it is being given up neither.
static void
giving_a_queue_up_loses_nothing(void) {
  enum { ROUNDS = 2000, EACH = 20 };
  pthread_t collector;
  GC_set_finalize_on_demand(1);
  collecting = true;
  CHECK(pthread_create(&collector, NULL, collect_all_the_time, NULL) == 0);
  for (size_t round = 0; round < ROUNDS; round++) {
    GC_finalizer_queue *queue = GC_finalizer_queue_new(NULL, NULL);
    make_in_frame(queue, EACH);
    GC_finalizer_queue_free(queue);
  }
  collecting = false;
  pthread_join(collector, NULL);
  clear_stack();
  GC_gcollect();
  GC_invoke_finalizers();
  CHECK(called <= ROUNDS * EACH && called >= ROUNDS * EACH - 10); // less some that stray words keep
}

// Finalizers find others ready in the queue that is drained.
static void
make_more(void *object, void *data) {
  finalize(object, data);
  if (called < 10 * OBJECTS)
    let_die(data, 10);
}

static void
draining_may_make_more_ready(void) {
  GC_finalizer_queue *queue = GC_finalizer_queue_new(NULL, NULL);
  for (size_t i = 0; i < OBJECTS; i++)
    GC_register_finalizer_on(queue, GC_MALLOC(40), GC_FINALIZER_ORDERED, make_more, queue);
  clear_stack();
  GC_gcollect();
  GC_finalizer_queue_drain(queue, 0, 0);
  CHECK(called >= 9 * OBJECTS);
}

static void
a_queue_is_refused_as_a_whole(void) {
  GC_finalizer_queue *queue;
  size_t refused = 0;
  for (size_t i = 0; i < 2000; i++) {
    gc_os_stress_fail(1);
    queue = GC_finalizer_queue_new(NULL, NULL);
    gc_os_stress_fail(0);
    refused += !queue;
    if (!queue)
      CHECK((queue = GC_finalizer_queue_new(NULL, NULL)) != NULL);
  }
  CHECK(refused > 0 && refused < 100);
  let_die(queue, OBJECTS);
  CHECK(is_most(GC_finalizer_queue_ready(queue), OBJECTS));
}

// ---- The collector's own queue -------------------------------------------------------------------------

static void
any_word_is_data(void) {
  static void *const words[] = {NULL, (void *)1, (void *)-1, (void *)-2, (void *)0x7fffffffffffffff};
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
    given = 0;
    called = 0;
    for (size_t count = 0; count < OBJECTS; count++)
      GC_register_finalizer(GC_MALLOC(40), finalize, words[i], NULL, NULL);
    clear_stack();
    GC_gcollect();
    CHECK(is_most(called, OBJECTS) && given == called * (uintptr_t)words[i]);
  }
}

static void
note_simply(void) {
  notified++;
}

static void
on_demand_the_notifier_is_told(void) {
  GC_set_finalize_on_demand(1);
  GC_set_finalizer_notifier(note_simply);
  let_die(NULL, OBJECTS);
  CHECK(notified == 1 && called == 0 && GC_should_invoke_finalizers());
  GC_set_interrupt_finalizers(7);
  CHECK(GC_invoke_finalizers() == 7 && called == 7);
  GC_set_interrupt_finalizers(0);
  GC_invoke_finalizers();
  CHECK(is_most(called, OBJECTS) && !GC_should_invoke_finalizers());
}

// Whatever was asked for before, what is ready is called at the next collection at the latest.
static void
a_change_of_settings_strands_nothing(void) {
  GC_set_finalize_on_demand(1);
  let_die(NULL, OBJECTS);
  CHECK(called == 0);
  GC_set_finalize_on_demand(0);
  GC_gcollect();
  CHECK(is_most(called, OBJECTS));
  GC_set_finalize_on_demand(1);
  let_die(NULL, OBJECTS);
  CHECK(GC_set_finalizer_thread(1) == GC_SUCCESS);
  GC_gcollect();
  CHECK(are_called(2 * OBJECTS - OBJECTS / 5));
}

// It is woken again and again, and comes and goes.
static void
the_collectors_thread_calls(void) {
  for (size_t round = 1; round <= 20; round++) {
    CHECK(GC_set_finalizer_thread(1) == GC_SUCCESS && GC_get_finalizer_thread() == 1);
    let_die(NULL, OBJECTS);
    CHECK(are_called(round * OBJECTS - OBJECTS / 5));
    if (round % 5 == 0)
      GC_set_finalizer_thread(0);
  }
}

static void
a_childs_thread_calls_what_was_ready(void) {
  int status;
  GC_set_finalize_on_demand(1);
  let_die(NULL, OBJECTS);
  GC_set_finalize_on_demand(0);
  let_die(NULL, 0);
  size_t before = called;
  CHECK(GC_set_finalizer_thread(1) == GC_SUCCESS);
  pid_t child = fork();
  if (child == 0) {
    let_die(NULL, OBJECTS);
    _exit(are_called(before + OBJECTS - OBJECTS / 5) ? 0 : 1);
  }
  CHECK(waitpid(child, &status, 0) == child && status == 0);
}

static void
finalize_all_leaves_none(void) {
  static void *volatile kept[OBJECTS];
  for (size_t i = 0; i < OBJECTS; i++) {
    kept[i] = GC_MALLOC(40);
    GC_register_finalizer(kept[i], finalize, (void *)1, NULL, NULL);
  }
  GC_set_interrupt_finalizers(1);
  GC_finalize_all();
  CHECK(called == OBJECTS && given == OBJECTS);
  GC_finalize_all();
  GC_gcollect();
  CHECK(called == OBJECTS);
}

static void
what_is_freed_is_not_called(void) {
  for (size_t i = 0; i < OBJECTS; i++) {
    void *object = GC_MALLOC(40), *large = i % 20 ? NULL : GC_MALLOC(300000);
    GC_register_finalizer(object, finalize, NULL, NULL, NULL);
    GC_register_cleaner(NULL, object, clean, NULL);
    if (large)
      GC_register_finalizer(large, finalize, NULL, NULL, NULL);
    GC_free(object);
    GC_free(large);
  }
  GC_gcollect();
  GC_gcollect();
  CHECK(called == 0);
}

#define TEST(function) \
  { #function, run, NULL, NULL, (void *)(uintptr_t)(function) }

int
main(void) {
  const struct CMUnitTest tests[] = {
      TEST(only_who_drains_a_queue_calls),
      TEST(cleaners_come_from_queues_as_well),
      TEST(a_queue_that_is_given_up_leaves_all_to_the_collectors_own),
      TEST(giving_a_queue_up_loses_nothing),
      TEST(draining_may_make_more_ready),
      TEST(a_queue_is_refused_as_a_whole),
      TEST(any_word_is_data),
      TEST(on_demand_the_notifier_is_told),
      TEST(a_change_of_settings_strands_nothing),
      TEST(the_collectors_thread_calls),
      TEST(a_childs_thread_calls_what_was_ready),
      TEST(finalize_all_leaves_none),
      TEST(what_is_freed_is_not_called),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
