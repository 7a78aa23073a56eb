// A string vanished while a loop held only the pointer just past its end, and an array while only its last
// byte was pointed to.

#include "tests/regress/objects.h"

static void *volatile static_root;
static __thread void *volatile thread_root;

static const size_t sizes[] = {1,     8,     15,     16,     17,     31,      32,      48,     64,
                               100,   128,   240,    256,    272,    512,     1000,    1008,   1024,
                               2048,  4000,  4096,   8192,   16384,  20000,   32768,   40000,  65536,
                               65552, 98304, 131072, 200000, 262144, 1000000, 1 << 20, 3 << 20};

// Place a pointer `offset` bytes from the start of a new object.
__attribute__((noinline)) static uintptr_t
place(void *volatile *root, size_t bytes, size_t offset, bool atomic) {
  char *object = atomic ? GC_malloc_atomic(bytes) : GC_malloc(bytes);
  memset(object, OBJECT_MARK, bytes);
  *root = object + offset;
  return hide(object);
}

__attribute__((noinline)) static bool
is_whole(uintptr_t hidden_address, size_t bytes) {
  const unsigned char *object = reveal(hidden_address);
  if (GC_base((void *)object) != object || GC_size(object) < bytes)
    return false;
  for (size_t i = 0; i < bytes; i++)
    if (object[i] != OBJECT_MARK)
      return false;
  return true;
}

static bool
check_offset(void *volatile *root, size_t bytes, size_t offset, bool atomic) {
  hidden object = place(root, bytes, offset, atomic);
  collect();
  bool kept = is_whole(object, bytes);
  *root = NULL;
  return kept;
}

static void
check_size(const char *where, void *volatile *root, size_t bytes) {
  bool kept = true;
  for (int atomic = 0; atomic < 2; atomic++) {
    kept &= check_offset(root, bytes, bytes, atomic);
    kept &= check_offset(root, bytes, bytes - 1, atomic);
    kept &= check_offset(root, bytes, bytes / 2, atomic);
  }
  tap_ok(kept, "%s, %zu bytes: past the end, the last byte, the middle", where, bytes);
}

// Its neighbours in memory come and go: the object before and behind must not change the answer.
static void
check_among_neighbours(size_t bytes) {
  enum { NEIGHBOURS = 40 };
  uintptr_t objects[NEIGHBOURS];
  char *volatile ends[NEIGHBOURS];
  bool kept = true;
  for (int i = 0; i < NEIGHBOURS; i++) {
    void *volatile end;
    objects[i] = place(&end, bytes, bytes, false);
    ends[i] = i % 3 == 1 ? end : NULL;
    end = NULL;
  }
  collect();
  for (int i = 1; i < NEIGHBOURS; i += 3)
    kept &= is_whole(objects[i], bytes);
  tap_ok(kept, "%zu bytes: every third of a row, by its end", bytes);
  (void)ends;
}

int
main(void) {
  void *volatile stack_root = NULL;
  void *volatile *registered = calloc(1, sizeof *registered);
  GC_INIT();
  GC_add_roots((void *)registered, (void *)(registered + 1));
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    check_size("static data", &static_root, sizes[i]);
    check_size("thread-local", &thread_root, sizes[i]);
    check_size("stack", &stack_root, sizes[i]);
    check_size("registered range", registered, sizes[i]);
    check_among_neighbours(sizes[i]);
  }
  return tap_done();
}
