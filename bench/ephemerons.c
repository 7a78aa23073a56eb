// Hypothesis: a collection finds out in linear time which ephemerons keep their values, also when each is
// found to do so only because another does: for a chain ten times as long it takes at most twelve times as
// long, or 1.2 times as much more as following the chain takes the program, if caches make that dearer.
// Going over all ephemerons until nothing changes would take the square.
//
// A chain of `length` ephemerons: the key of each is the value of the one before, and the first key alone is
// held by the program, which has all ephemerons in an array.
//
//   order=random    they are made in random order
//   order=backward  from the chain's end: who goes over them in this order finds one each time
//   order=forward   from its beginning
//
// Reports the time of GC_gcollect, and beside it what following the chain once costs the program itself at
// that moment: when the longer chain does not fit a cache and the shorter one does, that is dearer too.  Then
// drops the first key; all must be cleared.
#include "harness.h"

#if defined(BENCH_LOAM)

#include <string.h>

enum {
  REPEATS_MAX = 64,
  CLEARING_MAX = 4,      // collections that may be needed to clear all
  LEFT_MAX = 64,         // ephemerons that may be kept by accident
  STACK_BYTES = 64 << 10 // of it may be cleared, and building is so far below main
};

struct key {
  uint64_t number, check;
};

static GC_ephemeron **chain; // by the number of the key
static struct key *first;    // of the keys, the only one that is held
static size_t length;
static const char *order; // in which ephemerons are made
static uint64_t seed = 0x9E3779B97F4A7C15u;

// ---- Building ------------------------------------------------------------------------------------------

static void
shuffle(uint32_t *numbers) {
  for (size_t i = length - 1; i > 0; i--) {
    size_t j = bench_random_below(&seed, (uint32_t)(i + 1));
    uint32_t swapped = numbers[i];
    numbers[i] = numbers[j];
    numbers[j] = swapped;
  }
}

static uint32_t *
numbers_in_order(void) {
  uint32_t *numbers = malloc(length * sizeof *numbers);
  bench_check(numbers != NULL);
  bool backward = strcmp(order, "backward") == 0;
  for (size_t i = 0; i < length; i++)
    numbers[i] = (uint32_t)(backward ? length - 1 - i : i);
  if (strcmp(order, "random") == 0)
    shuffle(numbers);
  else
    bench_check(backward || strcmp(order, "forward") == 0);
  return numbers;
}

static struct key *
key_new(uint64_t number) {
  struct key *key = bench_alloc(sizeof *key);
  key->number = number;
  key->check = ~number;
  return key;
}

__attribute__((noinline)) static void
build(void) {
  struct key **keys = bench_alloc_table((length + 1) * sizeof *keys);
  for (size_t i = 0; i <= length; i++)
    keys[i] = key_new(i);
  first = keys[0];
  chain = bench_alloc_table(length * sizeof(GC_ephemeron *));
  uint32_t *numbers = numbers_in_order();
  for (size_t i = 0; i < length; i++) {
    uint32_t number = numbers[i];
    chain[number] = GC_ephemeron_new(keys[number], keys[number + 1]);
    bench_check(chain[number] != NULL);
  }
  free(numbers);
  GC_FREE(keys);
}

// ---- Checking ------------------------------------------------------------------------------------------

// Each step needs the one before.
__attribute__((noinline)) static void
follow(void) {
  size_t steps = 0;
  for (const struct key *key = first; key->number < length; steps++) {
    GC_ephemeron *ephemeron = chain[key->number];
    bench_check(GC_ephemeron_key(ephemeron) == key && key->check == ~key->number);
    key = GC_ephemeron_value(ephemeron);
    bench_check(key != NULL && key->number == steps + 1);
  }
  bench_check(steps == length);
}

__attribute__((noinline)) static size_t
count_left(void) {
  size_t left = 0;
  for (size_t i = 0; i < length; i++) {
    bool has_key = GC_ephemeron_key(chain[i]) != NULL;
    bool has_value = GC_ephemeron_value(chain[i]) != NULL;
    bench_check(has_key == has_value);
    left += has_key;
  }
  return left;
}

// Calls `work` far below the frames that later collections scan, and clears the stack there: a forgotten
// word that holds a key would keep all keys behind it.
__attribute__((noinline)) static void
call_deep(void (*work)(void)) {
  char gap[STACK_BYTES];
  bench_keep(gap);
  work();
  bench_keep(gap);
}

__attribute__((noinline)) static void
clear_stack(void) {
  char below[4 * STACK_BYTES] = {0};
  bench_keep(below);
}

static uint64_t
collect_ns(void) {
  clear_stack();
  uint64_t start_ns = bench_now_ns();
  bench_collect();
  return bench_now_ns() - start_ns;
}

static uint64_t
follow_ns(void) {
  uint64_t start_ns = bench_now_ns();
  call_deep(follow);
  return bench_now_ns() - start_ns;
}

int
main(int argc, char **argv) {
  bench_start("ephemerons", argc, argv);
  length = (size_t)bench_param("length", 1000000);
  size_t repeats = (size_t)bench_param("repeats", 7);
  order = bench_param_text("order", "random");
  bench_params_done();
  bench_check(length > 0 && repeats > 0 && repeats <= REPEATS_MAX);

  call_deep(build);
  collect_ns(); // drops what only the building needed, and warms up

  uint64_t collected_ns[REPEATS_MAX], followed_ns[REPEATS_MAX];
  bench_begin();
  for (size_t i = 0; i < repeats; i++)
    collected_ns[i] = collect_ns();
  bench_end();
  for (size_t i = 0; i < repeats; i++)
    followed_ns[i] = follow_ns();

  first = NULL;
  uint64_t clearing_ns = collect_ns();
  size_t clearing = 1;
  for (; count_left() > LEFT_MAX && clearing < CLEARING_MAX; clearing++)
    collect_ns();
  bench_check(count_left() <= LEFT_MAX);

  uint64_t median_ns = bench_median(collected_ns, repeats);
  bench_report_begin("%s length=%zu", order, length);
  bench_field_count("collect_ns", median_ns);
  bench_field("ns_per_op", (double)median_ns / (double)length);
  bench_field("ns_per_op_min", (double)collected_ns[0] / (double)length);
  bench_field("follow_ns_per_op", (double)bench_median(followed_ns, repeats) / (double)length);
  bench_field("clear_ns_per_op", (double)clearing_ns / (double)length);
  bench_field_count("clearing_collections", clearing);
  bench_field_count("left", count_left());
  bench_report_end();
  return 0;
}

#else

int
main(int argc, char **argv) {
  bench_start("ephemerons", argc, argv);
  bench_skip("it has no ephemerons");
}

#endif
