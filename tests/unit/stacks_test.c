// Where stacks are, and what memory is there.
#include "os/stacks.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "os/memory.h"
#include "os/probe.h"
#include "os/tls.h"

extern char **environ;

static bool
contains(struct gc_range range, const void *address) {
  return range.base <= (const char *)address && (const char *)address < range.limit;
}

static void
initial_stack_reaches_from_here_to_the_environment(void **state) {
  (void)state;
  int here;
  struct gc_range stack = gc_os_stack_current(), mapping;
  assert_true(contains(stack, &here));
  assert_true(contains(stack, environ));
  assert_true(gc_os_mapping_at(&here, &mapping));
  assert_ptr_equal(stack.limit, mapping.limit);
}

static __thread int own_word;

static void *
look_at_stack(void *result) {
  int here;
  struct gc_range stack = gc_os_stack_current();
  bool *fine = result;
  *fine = contains(stack, &here) && contains(stack, &own_word) && contains(stack, gc_os_thread_pointer());
  return NULL;
}

static bool
stack_is_right_in_thread(const pthread_attr_t *attributes) {
  pthread_t thread;
  bool fine = false;
  assert_int_equal(pthread_create(&thread, attributes, look_at_stack, &fine), 0);
  pthread_join(thread, NULL);
  return fine;
}

// What its creator finds out about a thread is what it would find out itself; and it believes what it is
// told.
struct told {
  pthread_barrier_t told;
  struct gc_range by_creator, by_itself;
};

static void *
compare_stacks(void *told_) {
  struct told *told = told_;
  told->by_itself = gc_os_stack_of(pthread_self());
  pthread_barrier_wait(&told->told);
  struct gc_range elsewhere = {told->by_creator.base, told->by_creator.limit - 1};
  gc_os_stack_know(elsewhere);
  return (void *)(uintptr_t)(gc_os_stack_current().limit == elsewhere.limit);
}

static void
creator_finds_out_the_same(void **state) {
  (void)state;
  for (size_t bytes = GC_MIB / 8; bytes <= 4 * GC_MIB; bytes *= 2) {
    struct told told;
    pthread_attr_t attributes;
    pthread_t thread;
    void *believed;
    pthread_barrier_init(&told.told, NULL, 2);
    pthread_attr_init(&attributes);
    assert_int_equal(pthread_attr_setstacksize(&attributes, bytes), 0);
    assert_int_equal(pthread_create(&thread, &attributes, compare_stacks, &told), 0);
    told.by_creator = gc_os_stack_of(thread);
    pthread_barrier_wait(&told.told);
    pthread_join(thread, &believed);
    assert_non_null(believed);
    assert_in_range(gc_range_bytes(told.by_creator), bytes / 2, 64 * GC_MIB);
    assert_ptr_equal(told.by_creator.base, told.by_itself.base);
    assert_ptr_equal(told.by_creator.limit, told.by_itself.limit);
    pthread_attr_destroy(&attributes);
    pthread_barrier_destroy(&told.told);
  }
}

static void
thread_stack_contains_frames_and_tls(void **state) {
  (void)state;
  assert_true(stack_is_right_in_thread(NULL));
}

static void
given_stack_is_found(void **state) {
  (void)state;
  enum { BYTES = 256 * 1024 };
  void *memory = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstack(&attributes, memory, BYTES);
  assert_true(stack_is_right_in_thread(&attributes));
  pthread_attr_destroy(&attributes);
}

// The child's one thread has the id of an initial thread and the stack of another.
static void *
fork_and_look(void *result) {
  int status;
  pid_t child = fork();
  if (child == 0) {
    bool fine = false;
    look_at_stack(&fine);
    _exit(fine ? 0 : 1);
  }
  waitpid(child, &status, 0);
  *(bool *)result = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  return NULL;
}

static void
forked_thread_knows_its_stack(void **state) {
  (void)state;
  pthread_t thread;
  bool fine = false;
  assert_int_equal(pthread_create(&thread, NULL, fork_and_look, &fine), 0);
  pthread_join(thread, NULL);
  assert_true(fine);
}

static char alternate_memory[64 * 1024];
static bool was_alternate, was_right;

static void
look_from_alternate(int number) {
  (void)number;
  struct gc_range live;
  char here = 0;
  was_alternate = gc_os_stack_alternate(&here, &live);
  was_right = live.base == &here && live.limit == alternate_memory + sizeof alternate_memory;
}

static void
alternate_stack_is_noticed(void **state) {
  (void)state;
  stack_t stack = {.ss_sp = alternate_memory, .ss_size = sizeof alternate_memory}, old;
  struct sigaction action = {.sa_handler = look_from_alternate, .sa_flags = SA_ONSTACK};
  struct gc_range live;
  char here = 0;
  assert_int_equal(sigaltstack(&stack, &old), 0);
  sigaction(SIGUSR1, &action, NULL);
  assert_false(gc_os_stack_alternate(&here, &live));
  raise(SIGUSR1);
  assert_true(was_alternate);
  assert_true(was_right);
  sigaltstack(&old, NULL);
}

static void
readable_parts_are_copied(void **state) {
  (void)state;
  if (!gc_os_can_copy())
    return; // an emulator or a sandbox
  enum { PAGES = 200 };
  size_t page = gc_os_page_bytes();
  char *memory = mmap(NULL, PAGES * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  char *copy = malloc(PAGES * page);
  struct gc_range all = {memory + 8, memory + PAGES * page - 8};
  for (size_t i = 0; i < PAGES * page; i++)
    memory[i] = (char)(i * 7 + i / page);
  assert_int_equal(gc_os_copy_readable(all, false, copy), gc_range_bytes(all));
  assert_memory_equal(copy, all.base, gc_range_bytes(all));
  for (size_t hole = 0; hole < PAGES; hole += 33) {
    mprotect(memory + hole * page, page, PROT_NONE);
    size_t low_bytes = hole == 0 ? 0 : hole * page - 8;
    size_t high_bytes = hole == PAGES - 1 ? 0 : (PAGES - 1 - hole) * page - 8;
    assert_int_equal(gc_os_copy_readable(all, false, copy), low_bytes);
    assert_memory_equal(copy, all.base, low_bytes);
    assert_int_equal(gc_os_copy_readable(all, true, copy), high_bytes);
    assert_memory_equal(copy, memory + (PAGES - 1) * page, page - 8);
    mprotect(memory + hole * page, page, PROT_READ);
  }
  free(copy);
  munmap(memory, PAGES * page);
}

static void
mappings_are_found(void **state) {
  (void)state;
  size_t page = gc_os_page_bytes();
  char *memory = mmap(NULL, 3 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  mprotect(memory + page, page, PROT_READ);
  struct gc_range mapping;
  assert_true(gc_os_mapping_at(memory + page + 17, &mapping));
  assert_ptr_equal(mapping.base, memory + page);
  assert_ptr_equal(mapping.limit, memory + 2 * page);
  munmap(memory, 3 * page);
  assert_false(gc_os_mapping_at(memory + page, &mapping));
}

int
main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(initial_stack_reaches_from_here_to_the_environment),
      cmocka_unit_test(thread_stack_contains_frames_and_tls),
      cmocka_unit_test(given_stack_is_found),
      cmocka_unit_test(creator_finds_out_the_same),
      cmocka_unit_test(forked_thread_knows_its_stack),
      cmocka_unit_test(alternate_stack_is_noticed),
      cmocka_unit_test(readable_parts_are_copied),
      cmocka_unit_test(mappings_are_found),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
