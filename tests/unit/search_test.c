// What keeps an object alive: roots of all sorts, ways through the heap, and nothing.
#include "debug/search.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define GC_DEBUG
#include "compat/include/gc/gc_backptr.h"

struct node {
  struct node *next;
  long number;
  struct node *other;
};

static struct node *volatile root;

GC_NO_SANITIZE static GC_NOINLINE void
clear_stack(void) {
  volatile char dirt[100000];
  for (size_t i = 0; i < sizeof dirt; i++)
    dirt[i] = 0;
}

// A list whose first node is only in `root`; the nodes' addresses are hidden in `hidden`.
static GC_NOINLINE void
make_list(volatile GC_hidden_pointer *hidden, size_t count) {
  struct node *list = NULL;
  for (size_t i = count; i-- > 0;) {
    struct node *node = GC_NEW(struct node);
    node->next = list;
    node->number = (long)i;
    hidden[i] = GC_HIDE_POINTER(node);
    list = node;
  }
  root = list;
}

struct answer {
  GC_ref_kind kind;
  GC_hidden_pointer base; // no pointer, lest it be found
  size_t offset;
};

static bool
lies_below(const void *address, const char *frame) {
  return frame - 1000 < (const char *)address && (const char *)address < frame;
}

static GC_NOINLINE struct answer
ask(GC_hidden_pointer hidden) {
  void *base = NULL;
  size_t offset = 12345;
  GC_ref_kind kind = GC_get_back_ptr_info(GC_REVEAL_POINTER(hidden), &base, &offset);
  if (kind == GC_REFD_FROM_REG || (kind == GC_REFD_FROM_ROOT && lies_below(base, __builtin_frame_address(0))))
    kind = GC_UNREFERENCED; // but by this frame, which asks
  struct answer answer = {kind, GC_HIDE_POINTER(base), offset};
  clear_stack();
  return answer;
}

static GC_NOINLINE void
forget(void) {
  root = NULL;
  clear_stack();
}

// ---- Roots and the heap --------------------------------------------------------------------------------

static void
a_list_hangs_on_static_data(void **state) {
  (void)state;
  volatile GC_hidden_pointer hidden[5];
  make_list(hidden, 5);
  clear_stack();
  for (size_t i = 5; i-- > 1;) {
    struct answer answer = ask(hidden[i]);
    assert_int_equal(answer.kind, GC_REFD_FROM_HEAP);
    assert_true(answer.base == hidden[i - 1]);
    assert_int_equal(answer.offset, offsetof(struct node, next));
  }
  struct answer answer = ask(hidden[0]);
  assert_int_equal(answer.kind, GC_REFD_FROM_ROOT);
  assert_true(answer.base == GC_HIDE_POINTER(&root));
  assert_int_equal(answer.offset, 0);
  forget();
}

static void
any_address_in_the_object_will_do(void **state) {
  (void)state;
  volatile GC_hidden_pointer hidden[2];
  make_list(hidden, 2);
  clear_stack();
  struct answer answer = ask(hidden[1] - 23);
  assert_int_equal(answer.kind, GC_REFD_FROM_HEAP);
  assert_true(answer.base == hidden[0]);
  forget();
}

static GC_NOINLINE void
make_plain(volatile GC_hidden_pointer *hidden) {
  struct node *node = GC_malloc(sizeof *node);
  node->other = GC_malloc(sizeof *node);
  hidden[0] = GC_HIDE_POINTER(node);
  hidden[1] = GC_HIDE_POINTER(node->other);
  root = node;
}

static void
objects_without_annotation(void **state) {
  (void)state;
  volatile GC_hidden_pointer hidden[2];
  make_plain(hidden);
  clear_stack();
  struct answer answer = ask(hidden[1]);
  assert_int_equal(answer.kind, GC_REFD_FROM_HEAP);
  assert_true(answer.base == hidden[0]);
  assert_int_equal(answer.offset, offsetof(struct node, other));
  forget();
}

// Garbage that refers to it does not keep it.
static GC_NOINLINE void
make_cycle(volatile GC_hidden_pointer *hidden) {
  struct node *node = GC_NEW(struct node), *other = GC_NEW(struct node);
  node->next = other;
  other->next = node;
  *hidden = GC_HIDE_POINTER(node);
}

static void
garbage_keeps_nothing(void **state) {
  (void)state;
  volatile GC_hidden_pointer hidden;
  make_cycle(&hidden);
  clear_stack();
  assert_int_equal(ask(hidden).kind, GC_UNREFERENCED);
}

static void
the_shortest_way_from_static_data(void **state) {
  (void)state;
  volatile GC_hidden_pointer hidden[50];
  make_list(hidden, 50);
  root->other = root;
  for (struct node *node = root->next; node; node = node->next)
    node->other = node->next;
  root->other = GC_REVEAL_POINTER(hidden[49]);
  clear_stack();
  struct answer answer = ask(hidden[49]);
  assert_int_equal(answer.kind, GC_REFD_FROM_HEAP);
  assert_true(answer.base == hidden[0]);
  assert_int_equal(answer.offset, offsetof(struct node, other));
  forget();
}

static void
elsewhere_there_is_no_object(void **state) {
  (void)state;
  int variable;
  assert_int_equal(ask(GC_HIDE_POINTER(&variable)).kind, GC_NO_SPACE);
}

static void
uncollectable_objects_need_nobody(void **state) {
  (void)state;
  struct node *node = GC_NEW_UNCOLLECTABLE(struct node);
  volatile GC_hidden_pointer hidden = GC_HIDE_POINTER(node), other;
  node->next = GC_NEW(struct node);
  other = GC_HIDE_POINTER(node->next);
  node = NULL;
  clear_stack();
  struct answer answer = ask(other);
  assert_int_equal(answer.kind, GC_REFD_FROM_HEAP);
  assert_true(answer.base == hidden);
  assert_int_equal(ask(hidden).kind, GC_UNREFERENCED);
  GC_FREE(GC_REVEAL_POINTER(hidden));
}

// ---- Stacks --------------------------------------------------------------------------------------------

static void
a_frame_of_this_thread(void **state) {
  (void)state;
  volatile GC_hidden_pointer hidden[3];
  make_list(hidden, 3);
  struct node *volatile first = root;
  forget();
  struct answer answer = ask(hidden[2]);
  assert_int_equal(answer.kind, GC_REFD_FROM_HEAP);
  assert_true(answer.base == hidden[1]);
  answer = ask(hidden[0]);
  assert_int_equal(answer.kind, GC_REFD_FROM_ROOT);
  assert_true(*(struct node **)GC_REVEAL_POINTER(answer.base) == first);
  first = NULL;
}

struct meeting {
  pthread_barrier_t barrier;
  GC_hidden_pointer hidden;
  struct node *volatile *place; // on the other's stack
};

static GC_NOINLINE void
hold_it(struct meeting *meeting) {
  struct node *volatile node = GC_NEW(struct node);
  meeting->hidden = GC_HIDE_POINTER(node);
  meeting->place = &node;
  pthread_barrier_wait(&meeting->barrier);
  pthread_barrier_wait(&meeting->barrier);
  node = NULL;
}

static void *
other_thread(void *meeting) {
  hold_it(meeting);
  return NULL;
}

static void
a_stack_of_another_thread(void **state) {
  (void)state;
  static struct meeting meeting;
  pthread_t thread;
  pthread_barrier_init(&meeting.barrier, NULL, 2);
  assert_int_equal(pthread_create(&thread, NULL, other_thread, &meeting), 0);
  pthread_barrier_wait(&meeting.barrier);
  assert_int_equal(ask(meeting.hidden).kind, GC_REFD_FROM_ROOT);
  pthread_barrier_wait(&meeting.barrier);
  pthread_join(thread, NULL);
  pthread_barrier_destroy(&meeting.barrier);
}

// ---- Finalizers ----------------------------------------------------------------------------------------

static void
finalize(void *object, void *data) {
  (void)object;
  (void)data;
}

static GC_NOINLINE void
make_finalizable(volatile GC_hidden_pointer *hidden) {
  struct node *node = GC_NEW(struct node);
  GC_REGISTER_FINALIZER(node, finalize, NULL, NULL, NULL);
  *hidden = GC_HIDE_POINTER(node);
}

static void
what_waits_for_its_finalizer(void **state) {
  (void)state;
  volatile GC_hidden_pointer hidden;
  GC_set_finalize_on_demand(1);
  make_finalizable(&hidden);
  clear_stack();
  GC_gcollect();
  assert_int_equal(ask(hidden).kind, GC_FINALIZER_REFD);
  assert_int_equal(GC_invoke_finalizers(), 1);
  GC_set_finalize_on_demand(0);
}

// ---- In the midst of it --------------------------------------------------------------------------------

// While a concurrent collection is under way; which comes to its end afterwards.
static void
beside_a_collection(void **state) {
  (void)state;
  volatile GC_hidden_pointer hidden[100];
  if (GC_set_mode(GC_MODE_CONCURRENT) != GC_MODE_CONCURRENT)
    skip();
  make_list(hidden, 100);
  clear_stack();
  for (size_t i = 1; i < 100; i++) {
    GC_collect_a_little();
    struct answer answer = ask(hidden[i]);
    assert_int_equal(answer.kind, GC_REFD_FROM_HEAP);
    assert_true(answer.base == hidden[i - 1]);
    if (i % 10 == 0)
      GC_start_incremental_collection();
  }
  while (GC_collect_a_little())
    ;
  assert_int_equal(gc_verify(), 0);
  GC_set_mode(GC_MODE_STOP);
  forget();
}

static void
random_addresses(void **state) {
  (void)state;
  volatile GC_hidden_pointer hidden[1000];
  make_list(hidden, 1000);
  GC_gcollect();
  for (int i = 0; i < 1000; i++) {
    const char *address = GC_generate_random_heap_address();
    assert_true(address >= gc_heap.base && address < gc_heap_page_address(gc_heap.frontier));
    assert_non_null(GC_base(GC_generate_random_valid_address()));
  }
  forget();
}

// ---- Printing ------------------------------------------------------------------------------------------

static void
a_way_is_printed(void **state) {
  (void)state;
  volatile GC_hidden_pointer hidden[3];
  char text[4000] = "", wanted[4000];
  FILE *file = tmpfile();
  make_list(hidden, 3);
  clear_stack();
  GC_set_log_fd(fileno(file));
  GC_print_backtrace(GC_REVEAL_POINTER(hidden[2]));
  GC_set_log_fd(STDERR_FILENO);
  rewind(file);
  assert_true(fread(text, 1, sizeof text - 1, file) > 0);
  fclose(file);
  for (char *at; (at = strstr(text, "tests/unit/")) != NULL;)
    memmove(at, at + 11, strlen(at + 11) + 1);
  char *line = strchr(strstr(text, "search_test.c:"), ':') + 1;
  int number = (int)strtol(line, NULL, 10);
  snprintf(wanted, sizeof wanted,
           "loam: %p (search_test.c:%d, 24 bytes, normal) is reached\n"
           "loam:   from offset 0 in %p (search_test.c:%d, 24 bytes, normal)\n"
           "loam:   from offset 0 in %p (search_test.c:%d, 24 bytes, normal)\n"
           "loam:   from the root at %p\n",
           GC_REVEAL_POINTER(hidden[2]), number, GC_REVEAL_POINTER(hidden[1]), number,
           GC_REVEAL_POINTER(hidden[0]), number, (void *)&root);
  assert_string_equal(text, wanted);
  forget();
}

int
main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_list_hangs_on_static_data),
      cmocka_unit_test(any_address_in_the_object_will_do),
      cmocka_unit_test(objects_without_annotation),
      cmocka_unit_test(garbage_keeps_nothing),
      cmocka_unit_test(the_shortest_way_from_static_data),
      cmocka_unit_test(elsewhere_there_is_no_object),
      cmocka_unit_test(uncollectable_objects_need_nobody),
      cmocka_unit_test(a_frame_of_this_thread),
      cmocka_unit_test(a_stack_of_another_thread),
      cmocka_unit_test(what_waits_for_its_finalizer),
      cmocka_unit_test(beside_a_collection),
      cmocka_unit_test(random_addresses),
      cmocka_unit_test(a_way_is_printed),
  };
  GC_INIT();
  return cmocka_run_group_tests(tests, NULL, NULL);
}
