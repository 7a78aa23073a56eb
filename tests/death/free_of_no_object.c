// GC_free and GC_realloc of what is not the start of an object: wild, foreign, interior and freed pointers
// end the program with one exact line.

#include <stdint.h>
#include <sys/mman.h>

#include "gc.h"
#include "tests/death/child.h"

static const char *caller; // the function under test, for the message

static void
misuse(void *pointer) {
  if (strcmp(caller, "GC_free") == 0)
    GC_free(pointer);
  else
    GC_realloc(pointer, 50);
}

// Hide a pointer's origin from the compiler, which warns of the misuse otherwise.
static void *
launder(void *pointer) {
  __asm__("" : "+r"(pointer));
  return pointer;
}

static void
misuse_outside(void *pointer) {
  child_expect("loam: %s: %p is not an object of the heap\n", caller, pointer);
  misuse(launder(pointer));
}

static void
misuse_inside(char *object, size_t offset) {
  child_expect("loam: %s: %p points inside the object at %p\n", caller, (void *)(object + offset),
               (void *)object);
  misuse(launder(object + offset));
}

static void
misuse_freed(void *object) {
  GC_free(object);
  child_expect("loam: %s: %p was freed before\n", caller, object);
  misuse(launder(object));
}

static void
small_integer(void) {
  misuse_outside((void *)(uintptr_t)0x10);
}

static void
all_ones(void) {
  misuse_outside((void *)UINTPTR_MAX);
}

static void
kernel_address(void) {
  misuse_outside((void *)(uintptr_t)0xffff800000000000);
}

static void
stack_variable(void) {
  int variable = 0;
  misuse_outside(&variable);
}

static void
static_variable(void) {
  static int variable;
  misuse_outside(&variable);
}

static void
from_malloc(void) {
  misuse_outside(malloc(100));
}

static void
mapped(void) {
  misuse_outside(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}

static void
before_any_other_call(void) {
  misuse_outside((void *)(uintptr_t)0x123456789abc);
}

static void
interior_by_one(void) {
  misuse_inside(GC_malloc(100), 1);
}

static void
interior_by_a_granule(void) {
  misuse_inside(GC_malloc(100), 16);
}

static void
interior_last_byte(void) {
  misuse_inside(GC_malloc_atomic(4096), 4095);
}

static void
interior_of_large(void) {
  misuse_inside(GC_malloc(5000000), 4321);
}

static void
interior_deep_inside_large(void) {
  misuse_inside(GC_malloc(5000000), 4999999);
}

static void
interior_page_of_large(void) {
  misuse_inside(GC_malloc_atomic(5000000), 2 << 20);
}

static void
interior_of_uncollectable(void) {
  misuse_inside(GC_malloc_uncollectable(100), 8);
}

static void
freed_smallest(void) {
  misuse_freed(GC_malloc(1));
}

static void
freed_normal(void) {
  misuse_freed(GC_malloc(100));
}

static void
freed_atomic(void) {
  misuse_freed(GC_malloc_atomic(100));
}

static void
freed_uncollectable(void) {
  misuse_freed(GC_malloc_uncollectable(100));
}

static void
freed_medium(void) {
  misuse_freed(GC_malloc(20000));
}

static void
freed_before_collection(void) {
  void *volatile neighbour = GC_malloc(100);
  void *object = GC_malloc(100);
  GC_free(object);
  GC_gcollect();
  child_expect("loam: %s: %p was freed before\n", caller, object);
  misuse(launder(object));
  (void)neighbour;
}

// The freed slot is in a run that the thread's cache has taken for allocations to come, but no allocation has
// got it yet.
static void
freed_and_in_the_cache(void) {
  enum { OBJECTS = 64, FIRST = 10, VICTIM = 15, LAST = 20 };
  char **objects = GC_malloc_uncollectable(OBJECTS * sizeof *objects);
  for (int i = 0; i < OBJECTS; i++)
    objects[i] = GC_malloc(100);
  for (int i = 0; i < 2000; i++)
    GC_malloc(100); // so that the cache leaves their page
  char *first = objects[FIRST], *victim = objects[VICTIM];
  for (int i = FIRST; i < LAST; i++) {
    GC_free(objects[i]);
    objects[i] = NULL;
  }
  GC_gcollect();
  char *object = NULL;
  for (int i = 0; i < 10000 && object != first; i++)
    object = GC_malloc(100);
  CHILD_CHECK(object == first);
  child_expect("loam: %s: %p was freed before\n", caller, (void *)victim);
  misuse(launder(victim));
}

// The pages of a large object are free memory at once.
static void
freed_large(void) {
  void *object = GC_malloc(5000000);
  GC_free(object);
  misuse_outside(object);
}

static void
moved_by_realloc(void) {
  void *object = GC_malloc(100), *moved = GC_realloc(object, 5000);
  CHILD_CHECK(moved && moved != object);
  child_expect("loam: %s: %p was freed before\n", caller, object);
  misuse(launder(object));
}

static void
past_the_heap(void) {
  char *object = GC_malloc(100);
  misuse_outside(object + ((size_t)1 << 50));
}

static const struct defect {
  const char *name;
  void (*function)(void);
} defects[] = {
    {"a small integer", small_integer},
    {"an address of all ones", all_ones},
    {"a kernel address", kernel_address},
    {"a stack variable", stack_variable},
    {"a static variable", static_variable},
    {"malloc's memory", from_malloc},
    {"mapped memory", mapped},
    {"an address, before any other call", before_any_other_call},
    {"an address far beyond the heap", past_the_heap},
    {"the second byte of an object", interior_by_one},
    {"the second granule of an object", interior_by_a_granule},
    {"the last byte of an object", interior_last_byte},
    {"the inside of a large object", interior_of_large},
    {"the last byte of a large object", interior_deep_inside_large},
    {"a page of a large object", interior_page_of_large},
    {"the inside of an uncollectable object", interior_of_uncollectable},
    {"a freed object of the least size", freed_smallest},
    {"a freed object", freed_normal},
    {"a freed atomic object", freed_atomic},
    {"a freed uncollectable object", freed_uncollectable},
    {"a freed medium object", freed_medium},
    {"an object freed before a collection", freed_before_collection},
    {"a freed object whose slot waits in the thread's cache", freed_and_in_the_cache},
    {"a freed large object", freed_large},
    {"an object that GC_realloc moved", moved_by_realloc},
};

static void
check_all(const char *function) {
  char name[100];
  caller = function;
  for (size_t i = 0; i < sizeof defects / sizeof defects[0]; i++) {
    snprintf(name, sizeof name, "%s of %s", caller, defects[i].name);
    child_check(name, defects[i].function, CHILD_ABORTS);
  }
}

static void
free_null(void) {
  GC_free(NULL);
}

static void
realloc_null(void) {
  char *object = GC_realloc(NULL, 100);
  CHILD_CHECK(object && GC_size(object) >= 100 && object[0] == 0 && object[99] == 0);
}

static void
realloc_to_nothing(void) {
  CHILD_CHECK(GC_realloc(GC_malloc(100), 0) == NULL);
}

int
main(void) {
  check_all("GC_free");
  check_all("GC_realloc");
  child_check("GC_free of NULL does nothing", free_null, CHILD_EXITS);
  child_check("GC_realloc of NULL allocates", realloc_null, CHILD_EXITS);
  child_check("GC_realloc to 0 bytes frees", realloc_to_nothing, CHILD_EXITS);
  return tap_done();
}
