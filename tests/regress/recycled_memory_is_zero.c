// A fresh object was not all zero: its memory had been used before, and freed, collected, shrunk or moved
// away from.

#include "tests/regress/objects.h"

enum { OBJECTS = 3000 };

static const size_t sizes[] = {1, 16, 24, 40, 100, 250, 500, 1000, 1500, 3000, 10000, 33000, 70000, 300000};

static bool
is_zero(const char *object, size_t bytes) {
  for (size_t i = 0; i < bytes; i++)
    if (object[i])
      return false;
  return true;
}

// How many objects of a size to use, so that all sizes take about as long.
static size_t
count_of(size_t bytes) {
  size_t count = 3000000 / bytes;
  return count < OBJECTS ? count : OBJECTS;
}

// Allocate, check, soil.
static bool
use(size_t bytes, bool free_some) {
  bool zero = true;
  for (size_t i = 0; i < count_of(bytes); i++) {
    char *object = GC_malloc(bytes);
    size_t all = GC_size(object);
    zero &= is_zero(object, all);
    memset(object, 0xff, all);
    if (free_some && i % 3 == 0)
      GC_free(object);
  }
  return zero;
}

static bool
use_uncollectable(size_t bytes) {
  bool zero = true;
  for (size_t i = 0; i < count_of(bytes); i++) {
    char *object = GC_malloc_uncollectable(bytes);
    zero &= is_zero(object, GC_size(object));
    memset(object, 0xff, GC_size(object));
    GC_free(object);
  }
  return zero;
}

static bool
use_atomic(size_t bytes) {
  for (size_t i = 0; i < count_of(bytes); i++)
    memset(GC_malloc_atomic(bytes), 0xff, bytes);
  collect();
  return use(bytes, false);
}

static void
check_size(size_t bytes) {
  bool zero = true;
  for (int round = 0; round < 4; round++) {
    zero &= use(bytes, false);
    collect();
  }
  tap_ok(zero, "%zu bytes, after collections", bytes);
  zero = use(bytes, true) && use(bytes, true);
  tap_ok(zero, "%zu bytes, after GC_free", bytes);
  tap_ok(use_atomic(bytes), "%zu bytes, after pointer-free objects", bytes);
  tap_ok(use_uncollectable(bytes) && use_uncollectable(bytes), "%zu bytes, uncollectable", bytes);
}

// Grow an object again and again: what it gains is zero, though its own tail lay there before.
static bool
grow_is_zero(size_t small, size_t large) {
  bool zero = true;
  char *object = GC_malloc(large);
  for (int round = 0; round < 4; round++) {
    memset(object, 0xff, large);
    object = GC_realloc(object, small);
    object = GC_realloc(object, large);
    zero &= is_zero(object + small, large - small);
    for (size_t i = 0; i < small; i++)
      zero &= object[i] == (char)0xff;
  }
  return zero;
}

static void
check_realloc(void) {
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
    for (size_t j = i + 1; j < sizeof sizes / sizeof sizes[0]; j++)
      tap_ok(grow_is_zero(sizes[i], sizes[j]), "GC_realloc to %zu and back to %zu bytes", sizes[i], sizes[j]);
  for (size_t bytes = 99990; bytes < 100010; bytes++)
    tap_ok(grow_is_zero(bytes, bytes + 3), "GC_realloc to %zu bytes and three more", bytes);
  for (size_t bytes = 90; bytes < 100; bytes++)
    tap_ok(grow_is_zero(bytes, bytes + 3), "GC_realloc to %zu bytes and three more", bytes);
}

int
main(void) {
  GC_INIT();
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
    check_size(sizes[i]);
  check_realloc();
  return tap_done();
}
