// Hypothesis: objects that do not move fragment any heap; pages of one size class, filled from the fullest
// up and given back when empty, keep the resident memory as close to the live bytes as a good malloc, and
// closer than libgc.
//
// Fills `mib` with objects of mixed sizes, drops nine in ten at random, and fills up again with other
// sizes.  After each step it compares the resident memory with the bytes that the program still uses.
#include "harness.h"

enum { KEPT_ONE_IN = 10 };

struct object {
  uint64_t bytes;
  uint64_t number;
};

struct pile {
  struct object **objects;
  size_t count, capacity;
  uint64_t live_bytes;
};

static uint64_t seed = 0x9E3779B97F4A7C15u;

// Small sizes are common and large ones rare: low * 2^k with k geometric, and a random part below that.
static size_t
pick_bytes(size_t low, size_t high) {
  size_t top = low;
  while (top < high && bench_random(&seed) >> 63)
    top *= 2;
  return top + bench_random_below(&seed, (uint32_t)top);
}

static void
pile_init(struct pile *pile, size_t capacity) {
  *pile = (struct pile){.capacity = capacity, .objects = bench_alloc_table(capacity * sizeof *pile->objects)};
}

static void
pile_fill(struct pile *pile, uint64_t target_bytes, size_t low, size_t high) {
  while (pile->live_bytes < target_bytes) {
    bench_check(pile->count < pile->capacity);
    size_t bytes = pick_bytes(low, high);
    struct object *object = bench_alloc_atomic(bytes);
    for (size_t at = 0; at < bytes; at += 64) // touch every line, as a program that uses its memory does
      ((char *)object)[at] = 1;
    object->bytes = bytes;
    object->number = pile->count;
    pile->objects[pile->count++] = object;
    pile->live_bytes += bytes;
  }
}

static void
pile_drop(struct pile *pile) {
  size_t kept = 0;
  for (size_t i = 0; i < pile->count; i++) {
    struct object *object = pile->objects[i];
    bench_check(object->number == i);
    pile->objects[i] = NULL;
    if (bench_random_below(&seed, KEPT_ONE_IN) == 0) {
      object->number = kept;
      pile->objects[kept++] = object;
      continue;
    }
    pile->live_bytes -= object->bytes;
    bench_free(object);
  }
  pile->count = kept;
}

static double
rss_per_live(const struct pile *pile) {
  uint64_t live_bytes = pile->live_bytes + pile->capacity * sizeof *pile->objects;
  return (double)bench_rss_bytes() / (double)live_bytes;
}

int
main(int argc, char **argv) {
  bench_start("fragmentation", argc, argv);
  uint64_t mib = (uint64_t)bench_param("mib", 128);
  bench_params_done();
  uint64_t target_bytes = mib << 20;

  static struct pile pile;
  bench_begin();
  pile_init(&pile, target_bytes / 48);
  pile_fill(&pile, target_bytes, 24, 1024);
  double filled = rss_per_live(&pile);
  pile_drop(&pile);
  bench_collect();
  double dropped = rss_per_live(&pile);
  pile_fill(&pile, target_bytes * 3 / 4, 40, 4096);
  double refilled = rss_per_live(&pile);
  bench_end();

  bench_report_begin("mib=%llu", (unsigned long long)mib);
  bench_field("rss_per_live_filled", filled);
  bench_field("rss_per_live_dropped", dropped);
  bench_field("rss_per_live_refilled", refilled);
  bench_report_end();
  return 0;
}
