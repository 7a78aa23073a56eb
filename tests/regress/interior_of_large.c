// A large array vanished while only a pointer deep into it was left, in a root or in another object.

#include "tests/regress/objects.h"

static void *volatile root;

__attribute__((noinline)) static uintptr_t
place(size_t bytes, size_t offset, bool through_heap) {
  char *object = GC_malloc(bytes);
  object[0] = object[offset] = object[bytes - 1] = OBJECT_MARK;
  if (through_heap) {
    char **holder = GC_malloc(16);
    *holder = object + offset;
    root = holder;
  } else {
    root = object + offset;
  }
  return hide(object);
}

static bool
check_offset(size_t bytes, size_t offset, bool through_heap) {
  hidden hidden_address = place(bytes, offset, through_heap);
  collect();
  char *object = reveal(hidden_address);
  bool kept = GC_base(object) == object && GC_base(object + offset) == object && object[0] == OBJECT_MARK &&
              object[offset] == OBJECT_MARK && object[bytes - 1] == OBJECT_MARK;
  root = NULL;
  return kept;
}

static void
check(size_t bytes, bool through_heap) {
  bool kept = true;
  for (size_t offset = 0; offset < bytes; offset += bytes / 37 + 1)
    kept &= check_offset(bytes, offset, through_heap);
  kept &= check_offset(bytes, bytes - 1, through_heap);
  tap_ok(kept, "%zu bytes, pointed into from %s", bytes, through_heap ? "the heap" : "a root");
}

int
main(void) {
  static const size_t sizes[] = {5000, 40000, 65536, 100000, 1 << 20, 10000000, 64 << 20};
  GC_INIT();
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
    for (int through_heap = 0; through_heap < 2; through_heap++)
      check(sizes[i], through_heap);
  return tap_done();
}
