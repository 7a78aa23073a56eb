// Hypothesis: on short-lived trees of small nodes a collector that bump-allocates into swept runs beats both
// libgc's free lists and an allocator that must be told of every death: allocation is a few instructions, and
// dead trees cost nothing.
//
// After J. Ellis and P. Kovac's benchmark as rewritten by H. Boehm (1997): stretch the heap with one big
// tree, keep a long-lived tree and an array of doubles, then build and drop trees of growing depth, half of
// them top down and half bottom up, the same number of nodes at each depth.
#include "harness.h"

struct node {
  struct node *left, *right;
  int i, j;
};

enum { MIN_DEPTH = 4, DEPTH_STEP = 2 };

static long stretch_depth, long_lived_depth, max_depth, array_length;

static uint64_t
tree_nodes(long depth) {
  return (UINT64_C(1) << (depth + 1)) - 1;
}

static struct node *
node_new(struct node *left, struct node *right) {
  struct node *node = bench_alloc(sizeof *node);
  node->left = left;
  node->right = right;
  return node;
}

static void
populate_top_down(struct node *node, long depth) {
  if (depth == 0)
    return;
  node->left = node_new(NULL, NULL);
  node->right = node_new(NULL, NULL);
  populate_top_down(node->left, depth - 1);
  populate_top_down(node->right, depth - 1);
}

static struct node *
build_bottom_up(long depth) {
  if (depth == 0)
    return node_new(NULL, NULL);
  struct node *left = build_bottom_up(depth - 1);
  struct node *right = build_bottom_up(depth - 1);
  return node_new(left, right);
}

static void
free_tree(struct node *node) {
  if (!BENCH_FREES || node == NULL)
    return;
  free_tree(node->left);
  free_tree(node->right);
  bench_free(node);
}

static uint64_t
count_nodes(const struct node *node) {
  return node == NULL ? 0 : 1 + count_nodes(node->left) + count_nodes(node->right);
}

static void
churn_top_down(long depth, uint64_t trees) {
  for (uint64_t i = 0; i < trees; i++) {
    struct node *tree = node_new(NULL, NULL);
    populate_top_down(tree, depth);
    free_tree(tree);
  }
}

static void
churn_bottom_up(long depth, uint64_t trees) {
  for (uint64_t i = 0; i < trees; i++) {
    struct node *tree = build_bottom_up(depth);
    bench_keep(tree);
    free_tree(tree);
  }
}

static double *
array_new(void) {
  double *array = bench_alloc_atomic((size_t)array_length * sizeof *array);
  for (long i = 0; i < array_length; i++)
    array[i] = i < array_length / 2 ? 1.0 / (double)(i + 1) : 0.0;
  return array;
}

static void
run(void) {
  free_tree(build_bottom_up(stretch_depth));

  struct node *long_lived = node_new(NULL, NULL);
  populate_top_down(long_lived, long_lived_depth);
  double *array = array_new();

  for (long depth = MIN_DEPTH; depth <= max_depth; depth += DEPTH_STEP) {
    uint64_t trees = 2 * tree_nodes(stretch_depth) / tree_nodes(depth);
    churn_top_down(depth, trees);
    churn_bottom_up(depth, trees);
  }

  bench_check(count_nodes(long_lived) == tree_nodes(long_lived_depth));
  bench_check(array[1000] == 1.0 / 1001);
  free_tree(long_lived);
  bench_free(array);
}

int
main(int argc, char **argv) {
  bench_start("gcbench", argc, argv);
  stretch_depth = bench_param("stretch", 18);
  long_lived_depth = bench_param("long", 16);
  max_depth = bench_param("max", 16);
  array_length = bench_param("array", 500000);
  bench_params_done();
  bench_check(array_length > 2000);

  bench_begin();
  run();
  bench_end();
  bench_report_begin("%ld %ld %ld", stretch_depth, long_lived_depth, max_depth);
  bench_report_end();
  return 0;
}
