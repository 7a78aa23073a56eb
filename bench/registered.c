// Hypothesis: a minor collection decides about the finalizers of young objects only, so that those of ten
// million old objects cost it nothing: its pauses are within 5 % of those without them.
//
// Builds `objects` small objects that stay, gives each a finalizer if registered=1, and collects until they
// are old.  Then each operation makes a list, sums it and drops it, `young_mib` of them altogether.  Compare
// the pauses of registered=0 and registered=1 with GC_MODE=generational.  With early=1 each finalizer is
// registered when its object is made, as programs do; but then collections are others from the beginning, and
// pauses differ for more reasons than one.
#include "harness.h"

enum { LIST_ITEMS = 15, COLLECTIONS_BEFORE = 2 };

struct object {
  struct object *unused; // not pointer-free
  uint64_t number, check, spare;
};

struct item {
  struct item *next;
  uint64_t number, check, spare;
};

enum { LIST_BYTES = LIST_ITEMS * sizeof(struct item) };

_Static_assert(sizeof(struct object) == 32 && sizeof(struct item) == 32, "objects are of 32 bytes");

static struct object **objects;
static uint64_t finalized; // none ought to be

// ---- The old data --------------------------------------------------------------------------------------

static void
finalize(void *object, void *data) {
  (void)object;
  (void)data;
  finalized++;
}

static void
object_register(struct object *object) {
  bench_register(object, finalize, NULL);
}

static void
build(uint64_t count, bool registers) {
  objects = bench_alloc_table(count * sizeof *objects);
  for (uint64_t i = 0; i < count; i++) {
    struct object *object = objects[i] = bench_alloc(sizeof *object);
    object->number = i;
    object->check = ~i;
    if (registers)
      object_register(object);
  }
}

static void
register_all(uint64_t count) {
  for (uint64_t i = 0; i < count; i++)
    object_register(objects[i]);
}

static void
make_old(void) {
  for (int i = 0; i < COLLECTIONS_BEFORE; i++)
    bench_collect();
}

static void
verify(uint64_t count) {
  for (uint64_t i = 0; i < count; i++)
    bench_check(objects[i]->number == i && objects[i]->check == ~i);
  bench_check(finalized == 0);
}

// ---- Operations ----------------------------------------------------------------------------------------

static void
make_and_drop_list(uint64_t number) {
  struct item *list = NULL;
  for (int i = 0; i < LIST_ITEMS; i++) {
    struct item *item = bench_alloc(sizeof *item);
    item->next = list;
    item->number = number;
    item->check = ~number;
    list = item;
  }
  int found = 0;
  for (const struct item *item = list; item != NULL; item = item->next)
    found += item->number == number && item->check == ~number;
  bench_check(found == LIST_ITEMS);
}

int
main(int argc, char **argv) {
  bench_start("registered", argc, argv);
  uint64_t count = (uint64_t)bench_param("objects", 10000000);
  uint64_t young_mib = (uint64_t)bench_param("young_mib", 4096);
  bool registered = bench_param("registered", 1) != 0;
  bool early = bench_param("early", 0) != 0;
  bench_params_done();
  if (!BENCH_COLLECTS)
    bench_skip("no finalizers without a collector");

  uint64_t start_ns = bench_now_ns();
  build(count, registered && early);
  if (registered && !early)
    register_all(count);
  uint64_t build_ns = bench_now_ns() - start_ns;
  make_old();

  uint64_t operations = (young_mib << 20) / LIST_BYTES;
  bench_begin();
  bench_ops_begin();
  for (uint64_t i = 0; i < operations; i++) {
    make_and_drop_list(i);
    bench_ops_lap();
  }
  bench_end();
  verify(count);

  bench_report_begin("objects=%llu registered=%d%s", (unsigned long long)count, registered,
                     registered && early ? " early" : "");
  bench_field_count("build_ns", build_ns);
  bench_field_ops();
  bench_field_pauses();
  bench_report_end();
  return 0;
}
