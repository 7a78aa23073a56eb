// The first collection of a program with much static data stopped it until all of that was read, since
// nothing had been measured before.

#include <stdlib.h>
#include <sys/mman.h>

#include "tests/regress/objects.h"

#define TABLE_WORDS ((size_t)32 << 20)

enum { OBJECTS = 1000, GARBAGE = 10000000 };

static uintptr_t objects[OBJECTS];

__attribute__((noinline)) static void
fill(void **table) {
  for (size_t i = 0; i < OBJECTS; i++) {
    objects[i] = new_hidden();
    table[i * (TABLE_WORDS / OBJECTS)] = reveal(objects[i]);
  }
}

int
main(void) {
  setenv("GC_MODE", "auto", 1);
  GC_INIT();
  void **table =
      mmap(NULL, TABLE_WORDS * sizeof *table, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (table == MAP_FAILED) {
    tap_ok(true, "a large table # SKIP no memory");
    return tap_done();
  }
  GC_add_roots(table, table + TABLE_WORDS);
  fill(table);
  struct GC_pause_kind_stats full = {0}, all = {0};
  for (int i = 0; i < GARBAGE && all.pauses.count == 0; i++) {
    GC_malloc(OBJECT_BYTES);
    GC_get_pause_kind_stats(GC_PAUSE_KIND_COUNT, &all);
  }
  GC_get_pause_kind_stats(GC_PAUSE_KIND_FULL, &full);
  bool notices = GC_get_actual_vdb() != GC_VDB_NONE;
  tap_ok(all.pauses.count > 0 && full.pauses.count == !notices,
         "the first collection goes on beside the program, if writes are noticed");
  GC_gcollect();
  size_t kept = count_left(objects, OBJECTS);
  tap_ok(kept == OBJECTS, "%zu of %d objects kept", kept, OBJECTS);
  return tap_done();
}
