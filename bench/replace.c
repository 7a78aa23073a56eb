// Hypothesis: even a program that writes all over a large old table, so that every minor collection finds
// many dirty cards and concurrent marking much to do again, never waits longer than 5 ms.
//
// A table of `slots` objects.  Each operation replaces one at random; an object refers to one or two
// pointer-free leaves.
#include "harness.h"

enum { LEAF_BYTES_MIN = 16, LEAF_BYTES_SPAN = 33 };

struct leaf {
  uint64_t number;
};

struct object {
  struct leaf *first, *second; // second: NULL for every other object
  uint64_t slot, number;
};

static struct object **table;
static uint32_t slots;
static uint64_t seed = 0x9E3779B97F4A7C15u;
static uint64_t last_number, number_sum; // the sum of all live objects' numbers

static struct leaf *
leaf_new(uint64_t number) {
  struct leaf *leaf = bench_alloc_atomic(LEAF_BYTES_MIN + bench_random_below(&seed, LEAF_BYTES_SPAN));
  leaf->number = number;
  return leaf;
}

static struct object *
object_new(uint32_t slot) {
  struct object *object = bench_alloc(sizeof *object);
  object->slot = slot;
  object->number = ++last_number;
  object->first = leaf_new(object->number);
  if (object->number % 2)
    object->second = leaf_new(object->number);
  number_sum += object->number;
  return object;
}

static void
object_free(struct object *object) {
  if (!BENCH_FREES)
    return;
  bench_free(object->first);
  bench_free(object->second);
  bench_free(object);
}

static void
replace(uint32_t slot) {
  number_sum -= table[slot]->number;
  object_free(table[slot]);
  table[slot] = object_new(slot);
}

static void
verify(void) {
  uint64_t sum = 0;
  for (uint32_t slot = 0; slot < slots; slot++) {
    const struct object *object = table[slot];
    bench_check(object->slot == slot && object->first->number == object->number);
    bench_check(object->number % 2 ? object->second->number == object->number : object->second == NULL);
    sum += object->number;
  }
  bench_check(sum == number_sum);
}

int
main(int argc, char **argv) {
  bench_start("replace", argc, argv);
  slots = (uint32_t)bench_param("slots", 4000000);
  uint64_t operations = (uint64_t)bench_param("operations", 16000000);
  bench_params_done();
  bench_check(slots > 0);

  table = bench_alloc_table(slots * sizeof(struct object *));
  for (uint32_t slot = 0; slot < slots; slot++)
    table[slot] = object_new(slot);

  bench_begin();
  bench_ops_begin();
  for (uint64_t i = 0; i < operations; i++) {
    replace(bench_random_below(&seed, slots));
    bench_ops_lap();
  }
  bench_end();
  verify();

  bench_report_begin("slots=%u", slots);
  bench_field_ops();
  bench_field_pauses();
  bench_report_end();
  return 0;
}
