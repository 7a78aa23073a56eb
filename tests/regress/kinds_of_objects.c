// Garbage was kept by pointer-free objects, or live data lost below uncollectable ones: each kind of object
// has its rules.

#include "tests/regress/objects.h"

enum { COUNT = 1000, MOST = COUNT * 9 / 10 };

typedef void *allocator(size_t bytes);

struct holders {
  uintptr_t targets[COUNT]; // hidden
  void *holders[COUNT];     // malloc's memory: not searched
};

// Each holder is the only one to point to its target.  Without a collection meanwhile: it would reclaim some
// targets, and slots of a run that nobody has allocated again look like objects, with their old contents.
__attribute__((noinline)) static void
build(struct holders *holders, allocator *allocate, size_t bytes, void **list) {
  GC_disable();
  for (int i = 0; i < COUNT; i++) {
    void **holder = allocate(bytes);
    memset(holder, 0, bytes);
    holders->targets[i] = new_hidden();
    holder[bytes / sizeof *holder - 1] = reveal(holders->targets[i]);
    holders->holders[i] = holder;
    if (list)
      list[i] = holder;
  }
  GC_enable();
}

static size_t
count_targets(allocator *allocate, size_t bytes, bool with_list) {
  struct holders *holders = malloc(sizeof *holders);
  void **volatile list = with_list ? GC_malloc(COUNT * sizeof *list) : NULL;
  build(holders, allocate, bytes, list);
  collect();
  size_t left = count_left(holders->targets, COUNT);
  if (allocate == GC_malloc_uncollectable || allocate == GC_malloc_atomic_uncollectable)
    for (int i = 0; i < COUNT; i++)
      GC_free(holders->holders[i]);
  free(holders);
  list = NULL;
  (void)list;
  return left;
}

static void
check_kept(const char *name, allocator *allocate, bool with_list) {
  static const size_t sizes[] = {16, 128, 4096, 20000};
  for (int i = 0; i < 4; i++)
    tap_ok(count_targets(allocate, sizes[i], with_list) == COUNT, "%s of %zu bytes keep what they point to",
           name, sizes[i]);
}

static void
check_not_kept(const char *name, allocator *allocate, bool with_list) {
  static const size_t sizes[] = {16, 128, 4096, 20000};
  for (int i = 0; i < 4; i++) {
    size_t left = count_targets(allocate, sizes[i], with_list);
    tap_ok(left < COUNT - MOST, "%s of %zu bytes do not (%zu of %d left)", name, sizes[i], left, COUNT);
  }
}

int
main(void) {
  GC_INIT();
  check_kept("live normal objects", GC_malloc, true);
  check_not_kept("dead normal objects", GC_malloc, false);
  check_not_kept("live atomic objects", GC_malloc_atomic, true);
  check_kept("uncollectable objects", GC_malloc_uncollectable, false);
  check_not_kept("atomic uncollectable objects", GC_malloc_atomic_uncollectable, false);
  return tap_done();
}
