// A marker that runs beside the program first filtered a group of words and then read them again: one that
// had become a large number meanwhile led it far beyond the page table.
#include <time.h>

#include "tests/regress/objects.h"

enum { WORDS = 1 << 20, SECONDS = 1 };

static double
seconds_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

// Each word is an address, then a number that is none, and so on.
static void
flip(void *volatile *words, void *object) {
  for (int i = 0; i < WORDS; i++)
    words[i] = words[i] == object ? (void *)~(uintptr_t)0 : object;
}

int
main(void) {
  GC_set_mode(GC_MODE_CONCURRENT);
  GC_init();
  void *volatile *words = GC_malloc(WORDS * sizeof(void *));
  void *object = GC_malloc(64);
  double end = seconds_now() + SECONDS;
  while (seconds_now() < end) {
    GC_start_incremental_collection();
    for (int i = 0; i < 4; i++)
      flip(words, object);
  }
  tap_ok(words[0] == object || words[0] == (void *)~(uintptr_t)0, "a marker survives words that change");
  GC_reachable_here(object);
  return tap_done();
}
