// What a collection would search: each kind of place is looked up in the list of ranges that the stopped
// world gives.
#include "world/roots.h"

#include <dlfcn.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/lock.h"
#include "world/world.h"

#define GC_THREADS
#define GC_NO_THREAD_REDIRECTS
#include "gc.h"

static struct gc_range_array roots;

static void *
list_roots(void *unused) {
  (void)unused;
  gc_range_array_clear(&roots);
  if (!gc_world_stop())
    return NULL;
  bool listed = gc_roots_collect_stw(&roots);
  gc_world_resume();
  return listed ? &roots : NULL;
}

// How often a collection at this moment would search the word.
static int
searched(const void *word) {
  int times = 0;
  gc_lock_acquire(&gc_cycle_lock);
  assert_non_null(gc_world_call_spilled(list_roots, NULL));
  gc_lock_release(&gc_cycle_lock);
  for (size_t i = 0; i < roots.count; i++)
    times += roots.items[i].base <= (const char *)word && (const char *)word < roots.items[i].limit;
  return times;
}

// ---- Static data ---------------------------------------------------------------------------------------

static void *data_word = &data_word, *bss_word;
static void *const constant = &data_word;
static void *words[100];
static void *hidden_word __attribute__((section("gc_state"))) = &data_word;

static void
static_data_once(void **state) {
  (void)state;
  assert_int_equal(searched(&data_word), 1);
  assert_int_equal(searched(&bss_word), 1);
  assert_int_equal(searched(&words[99]), 1);
}

static void
constants_and_own_state_never(void **state) {
  (void)state;
  assert_int_equal(searched(&constant), 0);
  assert_int_equal(searched(&hidden_word), 0);
}

static void
excluded_data_never(void **state) {
  (void)state;
  GC_exclude_static_roots(&words[10], &words[20]);
  assert_int_equal(searched(&words[9]), 1);
  assert_int_equal(searched(&words[10]), 0);
  assert_int_equal(searched(&words[19]), 0);
  assert_int_equal(searched(&words[20]), 1);
}

static void
removed_data_until_added(void **state) {
  (void)state;
  GC_remove_roots(&words[30], &words[40]);
  assert_int_equal(searched(&words[35]), 0);
  GC_add_roots(&words[30], &words[40]);
  assert_int_equal(searched(&words[35]), 1);
}

static void
libraries_if_wanted(void **state) {
  (void)state;
  void **library_word = (void **)stdout;
  assert_int_equal(searched(library_word), 1);
  GC_set_no_dls(1);
  assert_int_equal(searched(library_word), 0);
  assert_int_equal(searched(&data_word), 1);
  GC_set_no_dls(0);
  assert_int_equal(searched(library_word), 1);
}

static void *
load(void) {
  void *library = dlopen(TEST_BUILD_DIR "/unit/libvisitor.so", RTLD_NOW);
  if (!library)
    fail_msg("%s", dlerror());
  return library;
}

static void
loaded_libraries(void **state) {
  (void)state;
  void *library = load();
  void *word = dlsym(library, "visitor_word"), *last = (void **)dlsym(library, "visitor_words") + 999;
  assert_int_equal(searched(word), 1);
  assert_int_equal(searched(last), 1);
  assert_int_equal(searched(dlsym(library, "visitor_constants")), 0);
  dlclose(library);
  assert_int_equal(searched(word), 0);
}

static void
exclusions_go_with_their_library(void **state) {
  (void)state;
  void *library = load(), *word = dlsym(library, "visitor_word");
  GC_exclude_static_roots(word, (char *)word + sizeof(void *));
  assert_int_equal(searched(word), 0);
  dlclose(library);
  assert_int_equal(searched(&data_word), 1);
  library = load();
  assert_int_equal(searched(dlsym(library, "visitor_word")), 1);
  dlclose(library);
}

// ---- Registered ranges ---------------------------------------------------------------------------------

static void
registered_ranges(void **state) {
  (void)state;
  char *memory = malloc(1000);
  assert_int_equal(searched(memory + 16), 0);
  GC_add_roots(memory, memory + 600);
  GC_add_roots(memory + 300, memory + 1000);
  GC_add_roots(memory + 16, memory + 32);
  assert_int_equal(searched(memory + 16), 1);
  assert_int_equal(searched(memory + 400), 1);
  GC_remove_roots(memory + 200, memory + 800);
  assert_int_equal(searched(memory + 192), 1);
  assert_int_equal(searched(memory + 200), 0);
  assert_int_equal(searched(memory + 792), 0);
  assert_int_equal(searched(memory + 800), 1);
  GC_remove_roots(memory, memory + 1000);
  assert_int_equal(searched(memory + 16), 0);
  free(memory);
}

static void
many_ranges(void **state) {
  (void)state;
  enum { COUNT = 50000, BYTES = 32 };
  char *memory = malloc(COUNT * BYTES);
  for (size_t i = 0; i < COUNT; i++)
    GC_add_roots(memory + i * 7919 % COUNT * BYTES, memory + i * 7919 % COUNT * BYTES + 16);
  assert_int_equal(searched(memory + 12345 * BYTES), 1);
  assert_int_equal(searched(memory + 12345 * BYTES + 16), 0);
  GC_remove_roots(memory, memory + COUNT * BYTES);
  assert_int_equal(searched(memory + 12345 * BYTES), 0);
  free(memory);
}

static void
odd_ranges_are_ignored(void **state) {
  (void)state;
  char bytes[64];
  GC_add_roots(bytes + 40, bytes + 8);
  GC_add_roots(bytes, bytes);
  GC_add_roots(bytes + 1, bytes + 7);
  GC_remove_roots(bytes + 40, bytes + 8);
  assert_true(searched(bytes) >= 0);
}

// ---- By value: words that may be searched in a copy ----------------------------------------------------

// A value that is nowhere but where it is stored: kept inverted, in halves, and never whole in a register.
static volatile uint32_t secret_complement[2] = {~0xbeef0000u, ~0x5eafdeadu};

__attribute__((noinline)) static void
store_secret(void **word) {
  volatile uint32_t *to = (volatile uint32_t *)word;
  to[0] = ~secret_complement[0];
  to[1] = ~secret_complement[1];
}

// What dead frames have left below the stack pointer would come to light in frames to come.
__attribute__((noinline)) static void
clear_dead_frames(void) {
  volatile char dead[8192];
  for (size_t i = 0; i < sizeof dead; i++)
    dead[i] = 0;
}

__attribute__((no_sanitize("address"))) static bool
is_secret_in(struct gc_range range) {
  for (const char *at = range.base; at + 8 <= range.limit; at += 8) {
    const volatile uint32_t *half = (const volatile uint32_t *)at;
    if (~half[0] == secret_complement[0] && ~half[1] == secret_complement[1])
      return true;
  }
  return false;
}

static bool
secret_is_searched(void) {
  clear_dead_frames();
  searched(&data_word);
  for (size_t i = 0; i < roots.count; i++)
    if (is_secret_in(roots.items[i]))
      return true;
  return false;
}

// ---- Threads -------------------------------------------------------------------------------------------

enum place { FRAME, OWN, ALTERNATE_FRAME, PLACES };

static __thread void *own_word;
static pthread_key_t keys[40];

// A thread that shows where its words are, and waits in some way until it may go.
struct subject {
  void *(*wait)(void *subject);
  void **(*library_own)(void);
  const void *places[PLACES];
  pthread_barrier_t shown;
  int go_on[2]; // a pipe
  char alternate[64 * 1024];
};

static void *
wait_for_end(void *subject_) {
  struct subject *subject = subject_;
  char byte;
  pthread_barrier_wait(&subject->shown);
  assert_int_equal(read(subject->go_on[0], &byte, 1), 1);
  return NULL;
}

static void *
wait_blocked(void *subject) {
  return GC_do_blocking(wait_for_end, subject);
}

static struct subject *volatile alternate_subject;

static void
wait_on_alternate(int number) {
  void *volatile frame_word = &number;
  alternate_subject->places[ALTERNATE_FRAME] = (void *)&frame_word;
  wait_for_end(alternate_subject);
}

static void *
wait_in_handler(void *subject_) {
  struct subject *subject = subject_;
  stack_t stack = {.ss_sp = subject->alternate, .ss_size = sizeof subject->alternate}, old;
  struct sigaction action = {.sa_handler = wait_on_alternate, .sa_flags = SA_ONSTACK};
  alternate_subject = subject;
  sigaltstack(&stack, &old);
  sigaction(SIGUSR1, &action, NULL);
  raise(SIGUSR1);
  sigaltstack(&old, NULL);
  return NULL;
}

static void
subject_show(struct subject *subject, void *volatile *frame_word) {
  subject->places[FRAME] = (void *)frame_word;
  subject->places[OWN] = &own_word;
  store_secret(subject->library_own());
}

static void *
subject_run(void *subject_) {
  struct subject *subject = subject_;
  void *volatile frame_word = subject;
  GC_register_my_thread(NULL);
  subject_show(subject, &frame_word);
  return subject->wait(subject);
}

static void
start_subject(struct subject *subject, pthread_t *thread) {
  pthread_barrier_init(&subject->shown, NULL, 2);
  assert_int_equal(pipe(subject->go_on), 0);
  assert_int_equal(pthread_create(thread, NULL, subject_run, subject), 0);
  pthread_barrier_wait(&subject->shown);
}

static void
end_subject(struct subject *subject, pthread_t thread) {
  assert_int_equal(write(subject->go_on[1], "", 1), 1);
  pthread_join(thread, NULL);
  close(subject->go_on[0]);
  close(subject->go_on[1]);
}

static void
check_subject(void *(*wait)(void *subject), enum place places) {
  void *library = load();
  static struct subject subject;
  pthread_t thread;
  subject = (struct subject){.wait = wait};
  subject.library_own = (void **(*)(void))dlsym(library, "visitor_own_word");
  start_subject(&subject, &thread);
  for (enum place place = 0; place < places; place++)
    assert_int_equal(searched(subject.places[place]), place == ALTERNATE_FRAME ? 2 : 1);
  assert_true(secret_is_searched());
  end_subject(&subject, thread);
  assert_false(secret_is_searched());
  dlclose(library);
}

static void
running_thread(void **state) {
  (void)state;
  check_subject(wait_for_end, ALTERNATE_FRAME);
}

static void
blocked_thread(void **state) {
  (void)state;
  check_subject(wait_blocked, ALTERNATE_FRAME);
}

// The alternate stack lies in static data here, so that its frame is searched twice.
static void
thread_on_alternate_stack(void **state) {
  (void)state;
  check_subject(wait_in_handler, PLACES);
}

static void
initial_thread(void **state) {
  (void)state;
  void *volatile frame_word = NULL;
  void *library = load();
  void **(*library_own)(void) = (void **(*)(void))dlsym(library, "visitor_own_word");
  assert_int_equal(searched((void *)&frame_word), 1);
  assert_int_equal(searched(&own_word), 1);
  assert_false(secret_is_searched());
  store_secret(library_own());
  assert_true(secret_is_searched());
  dlclose(library);
  assert_false(secret_is_searched());
}

__attribute__((noinline)) static void
set_secret(pthread_key_t key) {
  void *volatile value;
  store_secret((void **)&value);
  pthread_setspecific(key, value);
}

// ---- A stack that nobody has told of -------------------------------------------------------------------

static ucontext_t caller_context, coroutine_context;
static int coroutine_found, caller_found;
static const void *caller_word;

static void
look_from_coroutine(void) {
  void *volatile frame_word = NULL;
  coroutine_found = searched((void *)&frame_word);
  caller_found = searched(caller_word);
  swapcontext(&coroutine_context, &caller_context);
}

static void *
run_coroutine(void *unused) {
  enum { BYTES = 256 * 1024 };
  void *volatile frame_word = NULL;
  void *memory = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  GC_register_my_thread(NULL);
  caller_word = (void *)&frame_word;
  getcontext(&coroutine_context);
  coroutine_context.uc_stack = (stack_t){.ss_sp = memory, .ss_size = BYTES};
  makecontext(&coroutine_context, look_from_coroutine, 0);
  swapcontext(&caller_context, &coroutine_context);
  munmap(memory, BYTES);
  return unused;
}

static void
coroutine_of_the_initial_thread(void **state) {
  run_coroutine(state);
  assert_in_range(coroutine_found, 1, 2);
  assert_int_equal(caller_found, 1);
}

// Its stack may adjoin the thread's own, and then both are searched twice.
static void
coroutine_of_another_thread(void **state) {
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, run_coroutine, state), 0);
  pthread_join(thread, NULL);
  assert_in_range(coroutine_found, 1, 2);
  assert_in_range(caller_found, 1, 2);
}

// Keys 0 and 39 have their values in different blocks of pthreads' own.
static void
specific_values(void **state) {
  (void)state;
  for (size_t i = 0; i < 40; i += 39) {
    assert_false(secret_is_searched());
    set_secret(keys[i]);
    assert_true(secret_is_searched());
    pthread_setspecific(keys[i], NULL);
    assert_false(secret_is_searched());
  }
}

static void
cleared_until_a_library_comes(void **state) {
  (void)state;
  char *memory = malloc(100);
  GC_add_roots(memory, memory + 96);
  searched(memory);
  GC_clear_roots();
  assert_int_equal(searched(memory + 16), 0);
  assert_int_equal(searched(&data_word), 0);
  void *library = load();
  assert_int_equal(searched(&data_word), 1);
  dlclose(library);
  free(memory);
}

int
main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(static_data_once),
      cmocka_unit_test(constants_and_own_state_never),
      cmocka_unit_test(excluded_data_never),
      cmocka_unit_test(removed_data_until_added),
      cmocka_unit_test(libraries_if_wanted),
      cmocka_unit_test(loaded_libraries),
      cmocka_unit_test(exclusions_go_with_their_library),
      cmocka_unit_test(registered_ranges),
      cmocka_unit_test(many_ranges),
      cmocka_unit_test(odd_ranges_are_ignored),
      cmocka_unit_test(running_thread),
      cmocka_unit_test(blocked_thread),
      cmocka_unit_test(thread_on_alternate_stack),
      cmocka_unit_test(initial_thread),
      cmocka_unit_test(coroutine_of_the_initial_thread),
      cmocka_unit_test(coroutine_of_another_thread),
      cmocka_unit_test(specific_values),
      cmocka_unit_test(cleared_until_a_library_comes),
  };
  GC_INIT();
  for (size_t i = 0; i < 40; i++)
    pthread_key_create(&keys[i], NULL);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
