// Hypothesis: marking a large heap is bound by memory latency, and a marker that resolves and marks a word
// when it finds it, with prefetches a batch ahead of the scan, keeps so many loads in flight that an object
// costs little more than one independent random load; libgc, which does not, pays several full latencies.
//
//   shape=table     random graph, every node listed in one table that is the root
//   shape=root      random graph, reached from one node alone
//   shape=wide      one array of pointers to nodes that point nowhere
//   shape=lists     `lists` linked lists, each in allocation order
//   shape=shuffled  the same lists, nodes in random order
//
// Reports the time of GC_gcollect per live object, and beside it what an independent random load over 256
// MiB costs on this machine at this moment.
#include "harness.h"

#include <string.h>
#include <sys/mman.h>

enum { NODE_WORDS = 4, REPEATS_MAX = 64 };

// 32 bytes: up to `edges` pointers in front, small integers behind.
struct node {
  union {
    struct node *to;
    uint64_t payload;
  } word[NODE_WORDS];
};

_Static_assert(sizeof(struct node) == 32, "a node is 32 bytes");

static struct node **table; // the root of every shape but one
static struct node *root;   // the root of shape=root
static size_t table_length;
static size_t edges;
static uint64_t seed = 0x9E3779B97F4A7C15u;

// ---- The machine's own floor ---------------------------------------------------------------------------

static double
random_load_ns(void) {
  enum { TABLE_BYTES = 256 << 20, LOADS = 1 << 22 };
  uint64_t *words = mmap(NULL, TABLE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  bench_check(words != MAP_FAILED);
  memset(words, 1, TABLE_BYTES);
  uint64_t state = seed, sum = 0;
  uint64_t start_ns = bench_now_ns();
  for (size_t i = 0; i < LOADS; i++)
    sum += words[bench_random_below(&state, TABLE_BYTES / sizeof *words)];
  uint64_t elapsed_ns = bench_now_ns() - start_ns;
  bench_check(sum != 0);
  munmap(words, TABLE_BYTES);
  return (double)elapsed_ns / LOADS;
}

// ---- Shapes --------------------------------------------------------------------------------------------

// Every node is written, so that none is a page of zeros which the kernel has not backed yet.
static void
table_fill(size_t nodes) {
  table_length = nodes;
  table = bench_alloc_table(nodes * sizeof *table);
  for (size_t i = 0; i < nodes; i++) {
    table[i] = bench_alloc(sizeof **table);
    table[i]->word[NODE_WORDS - 1].payload = i;
  }
}

static void
table_shuffle(void) {
  for (size_t i = table_length - 1; i > 0; i--) {
    size_t j = bench_random_below(&seed, (uint32_t)(i + 1));
    struct node *swapped = table[i];
    table[i] = table[j];
    table[j] = swapped;
  }
}

static void
link_at_random(void) {
  for (size_t i = 0; i < table_length; i++) {
    for (size_t edge = 0; edge < edges; edge++)
      table[i]->word[edge].to = table[bench_random_below(&seed, (uint32_t)table_length)];
    for (size_t word = edges; word < NODE_WORDS; word++)
      table[i]->word[word].payload = i;
  }
}

// The table becomes one of list heads; afterwards only they are roots.
static void
link_as_lists(size_t lists) {
  size_t length = table_length / lists;
  struct node **heads = bench_alloc_table(lists * sizeof *heads);
  for (size_t i = 0; i < lists; i++) {
    heads[i] = table[i * length];
    for (size_t j = 0; j + 1 < length; j++)
      table[i * length + j]->word[0].to = table[i * length + j + 1];
  }
  table = heads;
}

// How many nodes can be reached from `root`: a depth-first walk that marks in the last payload word.
static size_t
count_reachable(void) {
  const uint64_t visited = UINT64_MAX;
  struct node **stack = malloc(table_length * sizeof *stack);
  bench_check(stack != NULL);
  size_t depth = 0, reached = 0;
  root->word[NODE_WORDS - 1].payload = visited;
  stack[depth++] = root;
  while (depth > 0) {
    struct node *node = stack[--depth];
    reached++;
    for (size_t edge = 0; edge < edges; edge++) {
      struct node *to = node->word[edge].to;
      if (to->word[NODE_WORDS - 1].payload == visited)
        continue;
      to->word[NODE_WORDS - 1].payload = visited;
      stack[depth++] = to;
    }
  }
  free(stack);
  return reached;
}

// Builds the shape, leaves its roots in `table` or `root`, returns the number of live objects.
__attribute__((noinline)) static size_t
build(const char *shape, size_t nodes, size_t lists) {
  table_fill(nodes);
  if (strcmp(shape, "wide") == 0)
    return nodes;
  if (strcmp(shape, "lists") == 0 || strcmp(shape, "shuffled") == 0) {
    if (strcmp(shape, "shuffled") == 0)
      table_shuffle();
    link_as_lists(lists);
    return nodes;
  }
  link_at_random();
  if (strcmp(shape, "table") == 0)
    return nodes;
  bench_check(strcmp(shape, "root") == 0);
  root = table[0];
  size_t reachable = count_reachable();
  table = NULL;
  return reachable;
}

// Builds far below the frames that later collections scan, so that no forgotten stack word keeps the table
// alive.
__attribute__((noinline)) static size_t
build_deep(const char *shape, size_t nodes, size_t lists) {
  char gap[64 << 10];
  bench_keep(gap);
  size_t live = build(shape, nodes, lists);
  bench_keep(gap);
  return live;
}

int
main(int argc, char **argv) {
  bench_start("graphmark", argc, argv);
  const char *shape = bench_param_text("shape", "table");
  size_t nodes = (size_t)bench_param("nodes", 8 << 20);
  size_t lists = (size_t)bench_param("lists", 1024);
  size_t repeats = (size_t)bench_param("repeats", 7);
  edges = (size_t)bench_param("edges", 2);
  bench_params_done();
  bench_check(edges < NODE_WORDS && repeats > 0 && repeats <= REPEATS_MAX && nodes >= lists);
  if (!BENCH_COLLECTS)
    bench_skip("nothing to mark without a collector");

  double load_ns = random_load_ns();
  bench_rss_peak_reset();
  size_t live = build_deep(shape, nodes, lists);
  bench_collect(); // drops what only the building needed, and warms up

  uint64_t samples_ns[REPEATS_MAX];
  bench_begin();
  for (size_t i = 0; i < repeats; i++) {
    uint64_t start_ns = bench_now_ns();
    bench_collect();
    samples_ns[i] = bench_now_ns() - start_ns;
  }
  bench_end();
  uint64_t median_ns = bench_median(samples_ns, repeats);

  const char *markers = getenv("GC_MARKERS");
  bench_report_begin("%s %zuK edges=%zu markers=%s", shape, nodes >> 10, edges,
                     markers ? markers : "default");
  bench_field("ns_per_object", (double)median_ns / (double)live);
  bench_field("ns_per_object_min", (double)samples_ns[0] / (double)live);
  bench_field("random_load_ns", load_ns);
  bench_field_count("live_objects", live);
  bench_report_end();
  bench_keep(table);
  bench_keep(root);
  return 0;
}
