// Sizes near SIZE_MAX, and merely absurd ones: NULL by way of the out-of-memory function, errno ENOMEM, and
// the heap is as it was.

#include <stdint.h>

#include "gc.h"
#include "tests/death/child.h"

static size_t told_bytes;
static unsigned told_times;

static void *
refuse(size_t bytes) {
  told_bytes = bytes;
  told_times++;
  return NULL;
}

// Sizes that no machine has, or whose rounding overflows.
static const size_t sizes[] = {SIZE_MAX,         SIZE_MAX - 1,    SIZE_MAX - 15,     SIZE_MAX - 16,
                               SIZE_MAX - 4095,  SIZE_MAX - 4096, SIZE_MAX - 65535,  SIZE_MAX - 65536,
                               SIZE_MAX / 2 + 1, SIZE_MAX / 2,    SIZE_MAX / 2 - 15, (size_t)1 << 62,
                               (size_t)1 << 56,  (size_t)1 << 48};

enum { SIZES = sizeof sizes / sizeof sizes[0] };

// Keep sizes from the compiler, which warns of them.
static size_t
launder(size_t bytes) {
  __asm__("" : "+r"(bytes));
  return bytes;
}

static void
check_refused(const char *function, void *object, size_t bytes) {
  if (object)
    child_fail("%s(%#zx) gives %p", function, bytes, object);
  if (errno != ENOMEM)
    child_fail("%s(%#zx): errno %d", function, bytes, errno);
  if (told_times != 1 || told_bytes < bytes)
    child_fail("%s(%#zx): the out-of-memory function was called %u times, with %#zx", function, bytes,
               told_times, told_bytes);
  told_times = 0;
}

#define CHECK_REFUSED(function)                                      \
  for (unsigned i = 0; i < SIZES; i++) {                             \
    errno = 0;                                                       \
    check_refused(#function, function(launder(sizes[i])), sizes[i]); \
  }

static void
every_allocator(void) {
  GC_set_oom_fn(refuse);
  child_expect_anything(); // warnings of large requests are welcome
  CHECK_REFUSED(GC_malloc)
  CHECK_REFUSED(GC_malloc_atomic)
  CHECK_REFUSED(GC_malloc_uncollectable)
  CHECK_REFUSED(GC_malloc_atomic_uncollectable)
  CHECK_REFUSED(GC_malloc_ignore_off_page)
  CHECK_REFUSED(GC_malloc_atomic_ignore_off_page)
  CHILD_CHECK(gc_verify() == 0);
}

static void
many(void) {
  child_expect_anything();
  for (unsigned i = 0; i < SIZES; i++)
    CHILD_CHECK(GC_malloc_many(launder(sizes[i])) == NULL);
}

static void
reallocation(void) {
  char *object = GC_malloc(100);
  child_expect_anything();
  GC_set_oom_fn(refuse);
  memset(object, 'x', 100);
  for (unsigned i = 0; i < SIZES; i++) {
    errno = 0;
    check_refused("GC_realloc", GC_realloc(object, launder(sizes[i])), sizes[i]);
    CHILD_CHECK(GC_base(object) == object && object[0] == 'x' && object[99] == 'x');
  }
}

static void
reallocation_of_large(void) {
  char *object = GC_malloc(1000000);
  child_expect_anything();
  GC_set_oom_fn(refuse);
  object[999999] = 'x';
  for (unsigned i = 0; i < SIZES; i++) {
    errno = 0;
    check_refused("GC_realloc", GC_realloc(object, launder(sizes[i])), sizes[i]);
    CHILD_CHECK(GC_base(object) == object && object[999999] == 'x');
  }
}

static void
alignment(void) {
  child_expect_anything();
  GC_set_oom_fn(refuse);
  for (unsigned i = 0; i < SIZES; i++)
    for (size_t power = 16; power <= 1 << 20; power *= 4) {
      errno = 0;
      check_refused("GC_memalign", GC_memalign(power, launder(sizes[i])), sizes[i]);
    }
}

// No alignment that cannot be had may overflow either.
static void
huge_alignment(void) {
  child_expect_anything();
  for (unsigned shift = 40; shift < 64; shift++) {
    void *object = GC_memalign(launder((size_t)1 << shift), 100);
    CHILD_CHECK(((uintptr_t)object & (((uintptr_t)1 << shift) - 1)) == 0);
    CHILD_CHECK(object || errno == ENOMEM);
  }
}

static void
default_function(void) {
  child_expect_anything();
  CHILD_CHECK(GC_malloc(launder(SIZE_MAX)) == NULL && errno == ENOMEM);
  CHILD_CHECK(GC_malloc(launder(SIZE_MAX / 2)) == NULL && errno == ENOMEM);
  CHILD_CHECK(GC_malloc(100) != NULL);
}

static void
expansion(void) {
  child_expect_anything();
  CHILD_CHECK(GC_expand_hp(launder(SIZE_MAX)) == 0);
  CHILD_CHECK(GC_expand_hp(launder(SIZE_MAX / 2)) == 0);
  CHILD_CHECK(GC_expand_hp(launder(1 << 20)) == 1);
}

int
main(void) {
  child_check("every allocator refuses absurd sizes", every_allocator, CHILD_EXITS);
  child_check("GC_malloc_many refuses absurd sizes", many, CHILD_EXITS);
  child_check("GC_realloc refuses absurd sizes and keeps the object", reallocation, CHILD_EXITS);
  child_check("GC_realloc of a large object does too", reallocation_of_large, CHILD_EXITS);
  child_check("GC_memalign refuses absurd sizes", alignment, CHILD_EXITS);
  child_check("GC_memalign with an absurd alignment", huge_alignment, CHILD_EXITS);
  child_check("without an out-of-memory function: NULL and ENOMEM", default_function, CHILD_EXITS);
  child_check("GC_expand_hp refuses absurd sizes", expansion, CHILD_EXITS);
  return tap_done();
}
