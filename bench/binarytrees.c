// Hypothesis: allocating and dropping whole trees of 16-byte nodes is where libgc's extra byte per object
// hurts most (16 becomes 32), and where threads that allocate from their own runs share nothing but the
// pauses; n threads come close to n times one.
//
// After the Computer Language Benchmarks Game's binary trees: per depth, many short-lived trees, each
// walked once; one long-lived tree beside them.  The trees of each depth are dealt out evenly to the
// threads.
#include "harness.h"

struct tree {
  struct tree *left, *right;
};

enum { MIN_DEPTH = 4, DEPTH_STEP = 2, THREADS_MAX = 64 };

struct share {
  long depth;
  uint64_t trees;
  uint64_t nodes_seen;
};

static long max_depth;

static struct tree *
tree_new(long depth) {
  struct tree *tree = bench_alloc(sizeof *tree);
  if (depth > 0) {
    tree->left = tree_new(depth - 1);
    tree->right = tree_new(depth - 1);
  }
  return tree;
}

static void
tree_free(struct tree *tree) {
  if (!BENCH_FREES || tree == NULL)
    return;
  tree_free(tree->left);
  tree_free(tree->right);
  bench_free(tree);
}

static uint64_t
tree_count(const struct tree *tree) {
  return tree->left == NULL ? 1 : 1 + tree_count(tree->left) + tree_count(tree->right);
}

static void *
churn(void *argument) {
  struct share *share = argument;
  uint64_t nodes_seen = 0;
  for (uint64_t i = 0; i < share->trees; i++) {
    struct tree *tree = tree_new(share->depth);
    nodes_seen += tree_count(tree);
    tree_free(tree);
  }
  share->nodes_seen = nodes_seen;
  return NULL;
}

// Returns the nodes that all threads together saw.
static uint64_t
churn_depth(long depth, size_t threads) {
  uint64_t trees = UINT64_C(1) << (max_depth - depth + MIN_DEPTH);
  struct share shares[THREADS_MAX];
  void *arguments[THREADS_MAX];
  for (size_t i = 0; i < threads; i++) {
    shares[i] = (struct share){.depth = depth, .trees = trees * (i + 1) / threads - trees * i / threads};
    arguments[i] = &shares[i];
  }
  if (threads == 1)
    churn(&shares[0]);
  else
    bench_run_threads(threads, churn, arguments);
  uint64_t nodes_seen = 0;
  for (size_t i = 0; i < threads; i++)
    nodes_seen += shares[i].nodes_seen;
  bench_check(nodes_seen == trees * ((UINT64_C(1) << (depth + 1)) - 1));
  return nodes_seen;
}

int
main(int argc, char **argv) {
  bench_start("binarytrees", argc, argv);
  max_depth = bench_param("depth", 16);
  size_t threads = (size_t)bench_param("threads", 1);
  bench_params_done();
  bench_check(threads > 0 && threads <= THREADS_MAX && max_depth >= MIN_DEPTH && max_depth < 32);

  bench_begin();
  tree_free(tree_new(max_depth + 1)); // stretches the heap
  struct tree *long_lived = tree_new(max_depth);
  uint64_t nodes = 0;
  for (long depth = MIN_DEPTH; depth <= max_depth; depth += DEPTH_STEP)
    nodes += churn_depth(depth, threads);
  bench_check(tree_count(long_lived) == (UINT64_C(1) << (max_depth + 1)) - 1);
  tree_free(long_lived);
  bench_end();

  bench_report_begin("depth=%ld threads=%zu", max_depth, threads);
  bench_field("ns_per_node", bench_seconds() * 1e9 / (double)nodes);
  bench_report_end();
  return 0;
}
