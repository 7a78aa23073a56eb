// GC_size was too small, or GC_base wrong, for some sizes only: all from 0 to 100000 bytes are tried.

#include "tests/regress/objects.h"

enum { BYTES_MAX = 100000 };

static bool
is_consistent(char *object, size_t bytes) {
  size_t size = GC_size(object);
  return object && size >= bytes && size > 0 && GC_base(object) == object &&
         GC_base(object + size / 2) == object && GC_base(object + size - 1) == object &&
         GC_is_heap_ptr(object) && GC_is_heap_ptr(object + size - 1) && GC_base(object + size) != object &&
         GC_size(object + size - 1) == size;
}

// Room for a request may exceed it by an eighth, or a page for large ones.
static bool
is_economical(char *object, size_t bytes) {
  size_t size = GC_size(object);
  return size <= (bytes < 16 ? 16 : bytes < 128 ? (bytes + 15) / 16 * 16 : bytes + bytes / 8 + 16);
}

static void
check(const char *name, void *(*allocate)(size_t bytes)) {
  size_t wrong = 0, wasteful = 0, first_wrong = 0, first_wasteful = 0;
  for (size_t bytes = 0; bytes <= BYTES_MAX; bytes++) {
    char *object = allocate(bytes);
    bool consistent = is_consistent(object, bytes), economical = is_economical(object, bytes);
    first_wrong = consistent || wrong ? first_wrong : bytes;
    first_wasteful = economical || wasteful ? first_wasteful : bytes;
    wrong += !consistent;
    wasteful += !economical;
    GC_free(object);
  }
  tap_ok(wrong == 0, "%s: GC_size and GC_base (%zu wrong, first %zu)", name, wrong, first_wrong);
  tap_ok(wasteful == 0, "%s: at most an eighth is lost (%zu wasteful, first %zu)", name, wasteful,
         first_wasteful);
}

static void
check_zero_bytes(void) {
  void *first = GC_malloc(0), *second = GC_malloc(0);
  tap_ok(first && second && first != second && GC_size(first) >= 1, "objects of 0 bytes are distinct");
}

static void
check_outside(void) {
  int variable;
  void *malloced = malloc(100);
  tap_ok(!GC_base(&variable) && !GC_base(malloced) && !GC_base(NULL), "GC_base outside the heap");
  tap_ok(!GC_size(&variable) && !GC_size(malloced) && !GC_size(NULL), "GC_size outside the heap");
  tap_ok(!GC_is_heap_ptr(&variable) && !GC_is_heap_ptr(malloced) && !GC_is_heap_ptr(NULL),
         "GC_is_heap_ptr outside the heap");
  free(malloced);
}

int
main(void) {
  check_outside();
  GC_INIT();
  check_outside();
  check_zero_bytes();
  check("GC_malloc", GC_malloc);
  check("GC_malloc_atomic", GC_malloc_atomic);
  check("GC_malloc_uncollectable", GC_malloc_uncollectable);
  check("GC_malloc_atomic_uncollectable", GC_malloc_atomic_uncollectable);
  return tap_done();
}
