// Objects vanished, or never went, after a part of a range of roots had been removed, added twice, or
// excluded.

#include "tests/regress/objects.h"

enum { WORDS = 64, STRAY = 6 }; // stale words of the stack keep some, more with sanitizers

static void **words; // malloc's memory, of which parts are registered
static uintptr_t objects[WORDS];
static void *static_words[WORDS];

__attribute__((noinline)) static void
fill(void **array) {
  GC_disable();
  for (int i = 0; i < WORDS; i++) {
    objects[i] = new_hidden();
    array[i] = reveal(objects[i]);
  }
  GC_enable();
}

// Collect, and report whether the words in [from, to) keep their objects and the others (nearly) none.
static void
check(const char *name, void **array, int from, int to) {
  fill(array);
  collect();
  size_t kept = count_left(objects + from, (size_t)(to - from));
  size_t left = count_left(objects, WORDS) - kept;
  tap_ok(kept == (size_t)(to - from) && left <= STRAY, "%s: %zu of %d kept, %zu of %d others left", name,
         kept, to - from, left, WORDS - (to - from));
  memset(array, 0, WORDS * sizeof *array);
}

static void
check_ranges(void) {
  check("nothing registered", words, 0, 0);
  GC_add_roots(words, words + WORDS);
  check("all", words, 0, WORDS);
  GC_add_roots(words + 10, words + 20);
  check("a part twice", words, 0, WORDS);
  GC_remove_roots(words + 32, words + WORDS);
  check("the second half removed", words, 0, 32);
  GC_remove_roots(words, words + 8);
  check("and the beginning", words, 8, 32);
  GC_add_roots(words + 32, words + 40);
  check("some added again", words, 8, 40);
  GC_remove_roots(words, words + WORDS);
  check("all removed", words, 0, 0);
  GC_remove_roots(words, words + WORDS);
  check("and again", words, 0, 0);
}

static void
check_bounds(void) {
  GC_add_roots((char *)words + 1, (char *)(words + 10) + 7);
  check("odd bounds count whole words within", words, 1, 10);
  GC_remove_roots(words, words + WORDS);
  GC_add_roots(words, words);
  check("an empty range", words, 0, 0);
}

// Thousands of ranges at once.
static void
check_many(void) {
  enum { RANGES = 20000 };
  void ***ranges = calloc(RANGES, sizeof *ranges);
  uintptr_t *hidden_objects = calloc(RANGES, sizeof *hidden_objects);
  for (int i = 0; i < RANGES; i++) {
    ranges[i] = calloc(1, sizeof **ranges);
    GC_add_roots(ranges[i], ranges[i] + 1);
    *ranges[i] = reveal(hidden_objects[i] = new_hidden());
  }
  collect();
  tap_ok(count_left(hidden_objects, RANGES) == RANGES, "%d ranges", RANGES);
  for (int i = 0; i < RANGES; i++)
    GC_remove_roots(ranges[i], ranges[i] + 1);
  collect();
  size_t left = count_left(hidden_objects, RANGES);
  tap_ok(left <= STRAY, "%d ranges removed: %zu objects left", RANGES, left);
  for (int i = 0; i < RANGES; i++)
    free(ranges[i]);
  free(ranges);
  free(hidden_objects);
}

static void
check_static(void) {
  check("static data", static_words, 0, WORDS);
  GC_exclude_static_roots(static_words + 16, static_words + 32);
  fill(static_words);
  collect();
  size_t excluded = count_left(objects + 16, 16),
         kept = count_left(objects, 16) + count_left(objects + 32, 32);
  tap_ok(excluded <= STRAY && kept == 48, "part of the static data excluded: %zu left there, %zu kept",
         excluded, kept);
  memset(static_words, 0, sizeof static_words);
}

static void
check_clear(void) {
  GC_add_roots(words, words + WORDS);
  GC_clear_roots();
  check("GC_clear_roots", words, 0, 0);
  check("static data after it", static_words, 0, 0);
}

int
main(void) {
  GC_INIT();
  words = calloc(WORDS, sizeof *words);
  check_ranges();
  check_bounds();
  check_many();
  check_static();
  check_clear();
  return tap_done();
}
