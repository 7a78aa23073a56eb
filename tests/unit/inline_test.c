// What gc.h compiles into a program against the functions: GC_MALLOC and GC_MALLOC_ATOMIC of small constants.
#define GC_INLINE_MALLOC 1       // also with _FORTIFY_SOURCE
#define GC_malloc counted_malloc // by which gc.h calls them
#define GC_malloc_atomic counted_malloc_atomic
#include "gc.h"
#undef GC_malloc
#undef GC_malloc_atomic

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "heap/heap.h"

void *GC_malloc(size_t bytes);
void *GC_malloc_atomic(size_t bytes);

static unsigned calls;

void *
counted_malloc(size_t bytes) {
  calls++;
  return GC_malloc(bytes);
}

void *
counted_malloc_atomic(size_t bytes) {
  calls++;
  return GC_malloc_atomic(bytes);
}

// The next allocation of that size finds a slot.
static struct gc_run *
prepare(size_t bytes, unsigned kind) {
  struct gc_run *run = &gc_cache_current->runs[kind][gc_class_of(bytes)];
  do
    GC_reachable_here(kind == GC_KIND_ATOMIC ? GC_malloc_atomic(bytes) : GC_malloc(bytes));
  while (run->cursor == run->limit);
  return run;
}

static bool
is_zero(const char *object, size_t bytes) {
  for (size_t i = 0; i < bytes; i++)
    if (object[i] != 0)
      return false;
  return true;
}

static void
check_taken(const struct gc_run *run, char *object, char *expected) {
  assert_int_equal(calls, 0);
  assert_ptr_equal(object, expected);
  assert_ptr_equal(run->cursor, object + run->slot_bytes);
}

static void
check_alike(void *object, void *other) {
  assert_int_equal(gc_heap_slot_at(object).bytes, gc_heap_slot_at(other).bytes);
  assert_int_equal(gc_heap_slot_at(object).kind, gc_heap_slot_at(other).kind);
}

#define CHECK_BYTES(size)                                        \
  do {                                                           \
    struct gc_run *run = prepare(size, gc_kind_of_normal(size)); \
    char *next = run->cursor;                                    \
    calls = 0;                                                   \
    char *object = GC_MALLOC(size);                              \
    check_taken(run, object, next);                              \
    assert_true(is_zero(object, size));                          \
    check_alike(object, GC_malloc(size));                        \
    run = prepare(size, GC_KIND_ATOMIC);                         \
    next = run->cursor;                                          \
    object = GC_MALLOC_ATOMIC(size);                             \
    check_taken(run, object, next);                              \
    check_alike(object, GC_malloc_atomic(size));                 \
  } while (0)
#define CHECK_4(bytes)    \
  CHECK_BYTES(bytes);     \
  CHECK_BYTES(bytes + 1); \
  CHECK_BYTES(bytes + 2); \
  CHECK_BYTES(bytes + 3)
#define CHECK_16(bytes) \
  CHECK_4(bytes);       \
  CHECK_4(bytes + 4);   \
  CHECK_4(bytes + 8);   \
  CHECK_4(bytes + 12)
#define CHECK_64(bytes) \
  CHECK_16(bytes);      \
  CHECK_16(bytes + 16); \
  CHECK_16(bytes + 32); \
  CHECK_16(bytes + 48)

// The object is the one that the function would have returned, and then the function returns the next.
static void
each_size_takes_the_next_slot_of_its_run(void **state) {
  (void)state;
  GC_disable(); // runs stay as they are
  CHECK_64(0);
  CHECK_64(64);
  CHECK_64(128);
  CHECK_64(192);
  CHECK_BYTES(256);
  GC_enable();
}

static void
other_sizes_are_for_the_function(void **state) {
  (void)state;
  volatile size_t bytes = 24;
  calls = 0;
  GC_reachable_here(GC_MALLOC(257));
  GC_reachable_here(GC_MALLOC(bytes));
  GC_reachable_here(GC_MALLOC_ATOMIC(257));
  GC_reachable_here(GC_MALLOC_ATOMIC(bytes));
  GC_reachable_here(GC_MALLOC_UNCOLLECTABLE(24));
  assert_int_equal(calls, 4);
}

static void *
allocate_first(void *allocated) {
  calls = 0;
  *(char **)allocated = GC_MALLOC(40);
  return NULL;
}

// What the function does then, attaching the thread, is its own.
static void
a_thread_without_a_cache_is_attached(void **state) {
  (void)state;
  char **allocated = GC_MALLOC_UNCOLLECTABLE(sizeof *allocated);
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, allocate_first, allocated), 0);
  assert_int_equal(pthread_join(thread, NULL), 0);
  assert_int_equal(calls, 1);
  assert_ptr_equal(GC_base(*allocated), *allocated);
  GC_FREE(allocated);
}

struct node {
  struct node *left, *right;
  long number;
};

static struct node *
tree(int depth, long number) {
  if (depth == 0)
    return NULL;
  struct node *left = tree(depth - 1, 2 * number), *right = tree(depth - 1, 2 * number + 1);
  struct node *node = GC_NEW(struct node);
  assert_true(is_zero((char *)node, sizeof *node));
  *node = (struct node){left, right, number};
  return node;
}

static long
count(const struct node *node, long number) {
  if (!node)
    return 0;
  assert_int_equal(node->number, number);
  return 1 + count(node->left, 2 * number) + count(node->right, 2 * number + 1);
}

// An object that is initialised at once is kept with what only it refers to, also where a stop comes between.
static void *
build_trees(void *state) {
  for (int i = 0; i < 200; i++) {
    struct node *root = tree(12, 1);
    assert_int_equal(count(root, 1), (1 << 12) - 1);
    struct node *leaf = root;
    while (leaf->left)
      leaf = leaf->left;
    leaf->left = tree(2, 2 * leaf->number);
    assert_int_equal(count(root, 1), (1 << 12) + 2);
  }
  return state;
}

static void
trees_live_through_collections(void **state) {
  (void)state;
  enum GC_Mode before = GC_get_mode();
  for (int mode = 0; mode < 4; mode++) {
    static const enum GC_Mode modes[] = {GC_MODE_STOP, GC_MODE_GENERATIONAL, GC_MODE_CONCURRENT,
                                         GC_MODE_AUTO};
    GC_set_mode(modes[mode]);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, build_trees, NULL), 0);
    for (int i = 0; i < 100; i++)
      GC_gcollect();
    assert_int_equal(pthread_join(thread, NULL), 0);
  }
  GC_set_mode(before);
}

int
main(void) {
  GC_INIT();
  static const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_size_takes_the_next_slot_of_its_run),
      cmocka_unit_test(other_sizes_are_for_the_function),
      cmocka_unit_test(a_thread_without_a_cache_is_attached),
      cmocka_unit_test(trees_live_through_collections),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
