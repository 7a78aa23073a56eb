// Alignments that are no power of two: NULL and EINVAL; GC_posix_memalign gives the error and leaves the
// pointer alone.

#include <stdint.h>

#include "gc.h"
#include "tests/death/child.h"

static const size_t wrong[] = {0,   3,    5,    6,    7,     12,       24,           48,
                               100, 1000, 4095, 4097, 65537, SIZE_MAX, SIZE_MAX - 1, ((size_t)1 << 63) + 1};

enum { WRONG = sizeof wrong / sizeof wrong[0] };

static void
memalign_wrong(void) {
  for (unsigned i = 0; i < WRONG; i++) {
    errno = 0;
    CHILD_CHECK(GC_memalign(wrong[i], 100) == NULL);
    CHILD_CHECK(errno == EINVAL);
  }
}

static void
posix_memalign_wrong(void) {
  for (unsigned i = 0; i < WRONG; i++) {
    int untouched;
    void *object = &untouched;
    CHILD_CHECK(GC_posix_memalign(&object, wrong[i], 100) == EINVAL);
    CHILD_CHECK(object == &untouched);
  }
}

// A power of two, but no multiple of the size of a pointer.
static void
posix_memalign_small(void) {
  for (size_t alignment = 1; alignment < sizeof(void *); alignment *= 2) {
    int untouched;
    void *object = &untouched;
    CHILD_CHECK(GC_posix_memalign(&object, alignment, 100) == EINVAL);
    CHILD_CHECK(object == &untouched);
  }
}

static void
posix_memalign_refused(void) {
  int untouched;
  void *object = &untouched;
  child_expect_anything(); // a warning is welcome
  CHILD_CHECK(GC_posix_memalign(&object, 64, SIZE_MAX / 2) == ENOMEM);
  CHILD_CHECK(object == &untouched);
}

static void
check_aligned(char *object, size_t alignment, size_t bytes) {
  CHILD_CHECK(object && (uintptr_t)object % alignment == 0);
  CHILD_CHECK(GC_size(object) >= bytes && GC_base(object + bytes - 1) == object);
  for (size_t i = 0; i < bytes; i++)
    CHILD_CHECK(object[i] == 0);
  memset(object, 0xff, bytes);
}

static void
every_alignment(void) {
  static const size_t sizes[] = {1, 16, 100, 4096, 10000, 70000, 3000000};
  for (size_t alignment = 1; alignment <= 1 << 22; alignment *= 2)
    for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
      void *object;
      check_aligned(GC_memalign(alignment, sizes[i]), alignment, sizes[i]);
      if (alignment < sizeof(void *))
        continue;
      CHILD_CHECK(GC_posix_memalign(&object, alignment, sizes[i]) == 0);
      check_aligned(object, alignment, sizes[i]);
      GC_free(object);
    }
  CHILD_CHECK(gc_verify() == 0);
}

int
main(void) {
  child_check("GC_memalign with a wrong alignment", memalign_wrong, CHILD_EXITS);
  child_check("GC_posix_memalign with a wrong alignment", posix_memalign_wrong, CHILD_EXITS);
  child_check("GC_posix_memalign with an alignment below a pointer's", posix_memalign_small, CHILD_EXITS);
  child_check("GC_posix_memalign without memory", posix_memalign_refused, CHILD_EXITS);
  child_check("every alignment from 1 to 4 MiB", every_alignment, CHILD_EXITS);
  return tap_done();
}
