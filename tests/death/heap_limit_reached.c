// The heap's limit is reached: the out-of-memory function is asked, its answer is the allocation's, and when
// data has been dropped allocation works again.

#include "gc.h"
#include "tests/death/child.h"

enum { LIMIT_MIB = 32 };

static unsigned oom_calls;
static size_t oom_bytes;
static void **volatile ballast; // a list, to be dropped when memory is short

static void *
oom_count(size_t bytes) {
  oom_calls++;
  oom_bytes = bytes;
  return NULL;
}

// Fill the heap with a list of objects of `bytes` bytes; gives their number.
__attribute__((noinline)) static size_t
fill(size_t bytes) {
  size_t count = 0;
  void **object;
  while ((object = GC_malloc(bytes))) {
    *object = ballast;
    ballast = object;
    CHILD_CHECK(++count <= ((size_t)LIMIT_MIB << 20) / bytes);
  }
  CHILD_CHECK(errno == ENOMEM);
  return count;
}

__attribute__((noinline)) static void
clear_stack(void) {
  volatile char dirt[20000];
  for (size_t i = 0; i < sizeof dirt; i++)
    dirt[i] = 0;
}

// Forget the list link by link, so that one stray pointer keeps no more than one object.
__attribute__((noinline)) static void
drop(void) {
  while (ballast) {
    void **next = *ballast;
    *ballast = NULL;
    ballast = next;
  }
  clear_stack();
}

static void
fill_and_drop(size_t bytes) {
  size_t most = ((size_t)LIMIT_MIB << 20) / bytes;
  GC_set_oom_fn(oom_count);
  for (int round = 0; round < 4; round++) {
    oom_calls = 0;
    size_t count = fill(bytes);
    CHILD_CHECK(oom_calls == 1 && oom_bytes >= bytes);
    if (count < most / 2)
      child_fail("round %d: only %zu of %zu objects of %zu bytes fit", round, count, most, bytes);
    CHILD_CHECK(GC_get_heap_size() <= (size_t)LIMIT_MIB << 20);
    CHILD_CHECK(gc_verify() == 0);
    drop();
  }
}

static size_t object_bytes;

static void
limit_of_the_environment(void) {
  setenv("GC_MAXIMUM_HEAP_SIZE", "32M", 1);
  fill_and_drop(object_bytes);
}

static void
limit_of_the_program(void) {
  GC_set_max_heap_size((size_t)LIMIT_MIB << 20);
  fill_and_drop(object_bytes);
}

// The limit is set when the heap is there already.
static void
limit_set_late(void) {
  GC_INIT();
  for (int i = 0; i < 10000; i++)
    CHILD_CHECK(GC_malloc(100));
  GC_set_max_heap_size((size_t)LIMIT_MIB << 20);
  fill_and_drop(object_bytes);
}

// Garbage alone never reaches the limit.
static void
garbage_only(void) {
  GC_set_oom_fn(oom_count);
  GC_set_max_heap_size((size_t)LIMIT_MIB << 20);
  for (size_t i = 0; i < 20u * ((size_t)LIMIT_MIB << 20) / object_bytes; i++)
    CHILD_CHECK(GC_malloc(object_bytes));
  CHILD_CHECK(oom_calls == 0);
}

static void *
oom_drop_and_retry(size_t bytes) {
  oom_calls++;
  drop();
  GC_gcollect();
  return GC_malloc(bytes);
}

// An out-of-memory function that makes room and tries again.
static void
retry(void) {
  GC_set_max_heap_size((size_t)LIMIT_MIB << 20);
  GC_set_oom_fn(oom_drop_and_retry);
  while (oom_calls < 5) {
    void **object = GC_malloc(object_bytes);
    CHILD_CHECK(object);
    *object = ballast;
    ballast = object;
  }
}

static char reserve[100];

static void *
oom_reserve(size_t bytes) {
  (void)bytes;
  return reserve;
}

static void
answer_is_passed_on(void) {
  GC_set_max_heap_size((size_t)LIMIT_MIB << 20);
  GC_set_oom_fn(oom_reserve);
  CHILD_CHECK(GC_get_oom_fn() == oom_reserve);
  void *object = GC_malloc((size_t)LIMIT_MIB << 21);
  __asm__("" : "+r"(object)); // the compiler believes that no allocation equals `reserve`
  CHILD_CHECK(object == (void *)reserve);
}

static void
free_makes_room(void) {
  GC_set_max_heap_size((size_t)LIMIT_MIB << 20);
  size_t count = fill(object_bytes);
  GC_disable();
  for (size_t i = 0; i < count / 2; i++) {
    void **object = ballast;
    ballast = *object;
    GC_free(object);
  }
  size_t again = fill(object_bytes);
  if (again < count / 4)
    child_fail("%zu of %zu objects were freed and only %zu fit again", count / 2, count, again);
}

int
main(void) {
  static const size_t sizes[] = {16, 100, 2000, 20000, 100000, 3000000};
  char name[100];
  static const struct {
    const char *name;
    void (*function)(void);
  } ways[] = {{"GC_MAXIMUM_HEAP_SIZE", limit_of_the_environment},
              {"GC_set_max_heap_size", limit_of_the_program},
              {"a limit set late", limit_set_late},
              {"garbage only", garbage_only},
              {"the out-of-memory function makes room", retry},
              {"GC_free makes room", free_makes_room}};
  for (size_t way = 0; way < sizeof ways / sizeof ways[0]; way++)
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
      object_bytes = sizes[i];
      snprintf(name, sizeof name, "%s, objects of %zu bytes", ways[way].name, sizes[i]);
      child_check(name, ways[way].function, CHILD_EXITS);
    }
  child_check("the out-of-memory function's answer is passed on", answer_is_passed_on, CHILD_EXITS);
  return tap_done();
}
