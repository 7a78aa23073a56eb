// A program crashed in an SSE instruction: an object was not aligned to 16 bytes.

#include <stddef.h>

#include "tests/regress/objects.h"

enum { BYTES_MAX = 3000 };

static bool
all_aligned(void *(*allocate)(size_t bytes)) {
  for (size_t bytes = 0; bytes <= BYTES_MAX; bytes++)
    if ((uintptr_t)allocate(bytes) % 16 != 0)
      return false;
  for (size_t bytes = BYTES_MAX; bytes < 10000000; bytes += bytes / 3)
    if ((uintptr_t)allocate(bytes) % 16 != 0)
      return false;
  return true;
}

static void *
allocate_many(size_t bytes) {
  uintptr_t bits = 0;
  for (void *object = GC_malloc_many(bytes < 8 ? 8 : bytes); object; object = GC_NEXT(object))
    bits |= (uintptr_t)object;
  return (void *)bits;
}

static void *
reallocate(size_t bytes) {
  return bytes ? GC_realloc(GC_malloc(100), bytes) : NULL;
}

struct vector {
  long double number;
  float lanes[4] __attribute__((aligned(16)));
};

__attribute__((noinline)) static long double
add(const struct vector *a, const struct vector *b, struct vector *sum) {
  for (int i = 0; i < 4; i++)
    sum->lanes[i] = a->lanes[i] + b->lanes[i];
  sum->number = a->number + b->number;
  return sum->number;
}

int
main(void) {
  GC_INIT();
  tap_ok(_Alignof(max_align_t) <= 16, "max_align_t needs no more");
  tap_ok(all_aligned(GC_malloc), "GC_malloc");
  tap_ok(all_aligned(GC_malloc_atomic), "GC_malloc_atomic");
  tap_ok(all_aligned(GC_malloc_uncollectable), "GC_malloc_uncollectable");
  tap_ok(all_aligned(GC_malloc_atomic_uncollectable), "GC_malloc_atomic_uncollectable");
  tap_ok(all_aligned(GC_malloc_ignore_off_page), "GC_malloc_ignore_off_page");
  tap_ok(all_aligned(allocate_many), "GC_malloc_many");
  tap_ok(all_aligned(reallocate), "GC_realloc");
  struct vector *a = GC_NEW(struct vector), *b = GC_NEW(struct vector), *sum = GC_NEW(struct vector);
  *a = (struct vector){1.5L, {1, 2, 3, 4}};
  *b = (struct vector){2.5L, {4, 3, 2, 1}};
  tap_ok(add(a, b, sum) == 4.0L && sum->lanes[0] == 5 && sum->lanes[3] == 5, "long double and vectors");
  return tap_done();
}
