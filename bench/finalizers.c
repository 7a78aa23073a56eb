// Hypothesis: a finalizer costs a few words in a table when it is registered, a look at the object's mark
// when it is decided, and one call; so a million objects that have one are created, dropped and finalized in
// a third of libgc's time or less.
//
// Makes `objects` small objects, each with a finalizer, `batch` at a time.  At the end of a batch most are
// dropped; one in KEEP_EVERY lives on in a window of `window` objects until another takes its place.  In the
// end all are dropped and collected, within the measured time.  Without a collector the cleanup is called
// where the object is freed.
//
// Every finalizer must have been called once, save for a few objects that a forgotten word keeps.
#include "harness.h"

enum {
  KEEP_EVERY = 16,
  LEFT_MAX = 64,         // objects that may be kept by accident
  STACK_BYTES = 64 << 10 // of it may be cleared
};

struct object {
  struct object *unused; // not pointer-free
  uint64_t number, check;
};

// What finalizers do: client data of them all.
struct tally {
  uint64_t calls, faults; // faults: finalized twice, or no longer what it was
  uint8_t *called;        // by object number; memory of malloc
  uint64_t objects;
};

static struct tally tally;
static struct object **batch;
static struct object **window; // a ring
static size_t batch_length, window_length, window_next;

// ---- Objects and their cleanup -------------------------------------------------------------------------

static void
cleanup(void *object, void *client_data) {
  const struct object *gone = object;
  struct tally *counts = client_data;
  counts->calls++;
  if (gone->number >= counts->objects || gone->check != ~gone->number || counts->called[gone->number]++ != 0)
    counts->faults++;
}

static struct object *
object_new(uint64_t number) {
  struct object *object = bench_alloc(sizeof *object);
  object->number = number;
  object->check = ~number;
  bench_register(object, cleanup, &tally);
  return object;
}

static void
object_drop(struct object *object) {
  if (!BENCH_FREES || object == NULL)
    return;
  cleanup(object, &tally);
  bench_free(object);
}

// ---- Batches -------------------------------------------------------------------------------------------

static void
object_keep(struct object *object) {
  object_drop(window[window_next]);
  window[window_next] = object;
  window_next = (window_next + 1) % window_length;
}

static void
batch_make(uint64_t first, size_t count) {
  for (size_t i = 0; i < count; i++)
    batch[i] = object_new(first + i);
}

static void
batch_drop(size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (i % KEEP_EVERY == 0)
      object_keep(batch[i]);
    else
      object_drop(batch[i]);
    batch[i] = NULL;
  }
}

__attribute__((noinline)) static void
make_and_drop_all(uint64_t objects) {
  for (uint64_t made = 0; made < objects;) {
    size_t count = objects - made < batch_length ? (size_t)(objects - made) : batch_length;
    batch_make(made, count);
    batch_drop(count);
    made += count;
  }
  for (size_t i = 0; i < window_length; i++)
    object_keep(NULL);
}

__attribute__((noinline)) static void
clear_stack(void) {
  char below[STACK_BYTES] = {0};
  bench_keep(below);
}

// Until no more are found; a first collection may miss what the allocator or a register still holds.
static unsigned
collect_the_rest(void) {
  unsigned collections = 0;
  uint64_t calls_before;
  do {
    calls_before = tally.calls;
    clear_stack();
    bench_collect();
    collections++;
  } while (tally.calls > calls_before);
  return collections;
}

int
main(int argc, char **argv) {
  bench_start("finalizers", argc, argv);
  uint64_t objects = (uint64_t)bench_param("objects", 1000000);
  batch_length = (size_t)bench_param("batch", 1000);
  window_length = (size_t)bench_param("window", 10000);
  bench_params_done();
  bench_check(objects > 0 && batch_length > 0 && window_length > 0);

  tally.objects = objects;
  tally.called = calloc(objects, 1);
  bench_check(tally.called != NULL);
  batch = bench_alloc_table(batch_length * sizeof *batch);
  window = bench_alloc_table(window_length * sizeof *window);

  bench_begin();
  make_and_drop_all(objects);
  uint64_t called_early = tally.calls;
  unsigned last_collections = BENCH_COLLECTS ? collect_the_rest() : 0;
  bench_end();
  bench_check(tally.faults == 0);
  bench_check(tally.calls <= objects && tally.calls + LEFT_MAX >= objects);

  bench_report_begin("objects=%llu batch=%zu window=%zu", (unsigned long long)objects, batch_length,
                     window_length);
  bench_field("ns_per_op", bench_seconds() * 1e9 / (double)objects);
  bench_field_count("called_early", called_early);
  bench_field_count("left", objects - tally.calls);
  bench_field_count("last_collections", last_collections);
  bench_report_end();
  bench_keep(window);
  return 0;
}
