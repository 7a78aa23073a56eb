// Random object graphs in a fixture's heap, and a slow truthful model of what is reachable in them.
#pragma once

#include "fixture.h"

enum { GRAPH_NODES_MAX = 100000, GRAPH_EDGES_MAX = 3 * GRAPH_NODES_MAX, GRAPH_ROOTS_MAX = 64 };

struct graph_node {
  char *start;
  size_t bytes; // of the slot
  unsigned kind;
  uint32_t first_edge; // 0: none
  bool reached;
};

static struct {
  size_t node_count, edge_count, root_count;
  struct graph_node nodes[GRAPH_NODES_MAX];
  struct {
    uint32_t to, next;
    size_t displacement;
  } edges[GRAPH_EDGES_MAX + 1]; // from 1 on
  uintptr_t roots[GRAPH_ROOTS_MAX];
  uint32_t grey[GRAPH_NODES_MAX];
  size_t grey_count;
} graph;

static inline uint32_t
graph_add_node(size_t bytes, unsigned kind) {
  char *start = fixture_allocate(bytes, kind);
  assert_non_null(start);
  graph.nodes[graph.node_count] =
      (struct graph_node){.start = start, .bytes = gc_heap_slot_at(start).bytes, .kind = kind};
  return (uint32_t)graph.node_count++;
}

// Store a pointer into `to` in the `word`-th word of `from`, unless there is one already.  In a pointer-free
// object it does not count.
static inline void
graph_add_edge(uint32_t from, size_t word, uint32_t to, size_t displacement) {
  char **words = (char **)(void *)graph.nodes[from].start;
  if (words[word] || graph.edge_count == GRAPH_EDGES_MAX)
    return;
  words[word] = graph.nodes[to].start + displacement;
  if (gc_kind_is_pointer_free(graph.nodes[from].kind))
    return;
  uint32_t edge = (uint32_t)++graph.edge_count;
  graph.edges[edge].to = to;
  graph.edges[edge].displacement = displacement;
  graph.edges[edge].next = graph.nodes[from].first_edge;
  graph.nodes[from].first_edge = edge;
}

static inline void
graph_add_root(uint32_t to, size_t displacement) {
  graph.roots[graph.root_count++] = (uintptr_t)graph.nodes[to].start + displacement;
}

static inline void
graph_clear(void) {
  graph.node_count = graph.edge_count = graph.root_count = 0;
}

static inline size_t
graph_random_bytes(void) {
  size_t dice = random_below(1000);
  return 1 + random_below(dice < 900 ? 200 : dice < 990 ? 3000 : dice < 998 ? 100000 : 400000);
}

// Kinds without the uncollectable ones, which are roots themselves, unless `uncollectable`.
static inline unsigned
graph_random_kind(size_t bytes, bool uncollectable) {
  if (uncollectable && random_below(50) == 0)
    return random_below(2) ? GC_KIND_UNCOLLECTABLE : GC_KIND_ATOMIC_UNCOLLECTABLE;
  return random_below(6) ? gc_kind_of_normal(bytes) : GC_KIND_ATOMIC;
}

// `node_count` objects of all sizes and about 1.2 edges for each, so that some are reachable and some not.
static inline void
graph_make_random(size_t node_count, bool uncollectable) {
  graph_clear();
  for (size_t i = 0; i < node_count; i++) {
    size_t bytes = graph_random_bytes();
    graph_add_node(bytes, graph_random_kind(bytes, uncollectable));
  }
  for (size_t i = 0; i < node_count + node_count / 5; i++) {
    uint32_t from = (uint32_t)random_below(node_count), to = (uint32_t)random_below(node_count);
    graph_add_edge(from, random_below(graph.nodes[from].bytes / GC_WORD_BYTES), to,
                   random_below(2) ? random_below(graph.nodes[to].bytes) : 0);
  }
  for (size_t i = 0; i < 10; i++) {
    uint32_t to = (uint32_t)random_below(node_count);
    graph_add_root(to, random_below(2) ? random_below(graph.nodes[to].bytes) : 0);
  }
}

static inline void
graph_visit(uint32_t node) {
  if (graph.nodes[node].reached)
    return;
  graph.nodes[node].reached = true;
  graph.grey[graph.grey_count++] = node;
}

// A root keeps what it points into, and what it points just past.
static inline void
graph_visit_root(uintptr_t word) {
  for (uint32_t i = 0; i < graph.node_count; i++) {
    const struct graph_node *node = &graph.nodes[i];
    uintptr_t start = (uintptr_t)node->start;
    if (word - start < node->bytes || (word - start == node->bytes && node->kind != GC_KIND_NORMAL))
      graph_visit(i);
  }
}

static inline bool
graph_displacement_counts(size_t displacement) {
  return gc_heap.all_interior_pointers ||
         (displacement < GC_DISPLACEMENTS_MAX && gc_heap_displacements[displacement]);
}

static inline void
graph_drain(void) {
  while (graph.grey_count > 0) {
    const struct graph_node *node = &graph.nodes[graph.grey[--graph.grey_count]];
    for (uint32_t edge = node->first_edge; edge; edge = graph.edges[edge].next)
      if (graph_displacement_counts(graph.edges[edge].displacement))
        graph_visit(graph.edges[edge].to);
  }
}

// Recompute what is reachable.  Returns how many objects are.
static inline size_t
graph_reach(bool from_uncollectable) {
  size_t reached = 0;
  for (size_t i = 0; i < graph.node_count; i++)
    graph.nodes[i].reached = false;
  for (size_t i = 0; i < graph.root_count; i++)
    graph_visit_root(graph.roots[i]);
  for (uint32_t i = 0; from_uncollectable && i < graph.node_count; i++)
    if (gc_kind_is_uncollectable(graph.nodes[i].kind))
      graph_visit(i);
  graph_drain();
  for (size_t i = 0; i < graph.node_count; i++)
    reached += graph.nodes[i].reached;
  return reached;
}

// Does each object bear the current mark if and only if it is reachable?
static inline void
graph_check_marks(void) {
  for (size_t i = 0; i < graph.node_count; i++) {
    const struct graph_node *node = &graph.nodes[i];
    if ((*fixture_byte(node->start) == gc_heap.mark) != node->reached)
      fail_msg("object %zu of %zu bytes, kind %u: %s", i, node->bytes, node->kind,
               node->reached ? "reachable and not marked" : "marked and not reachable");
  }
}

static inline struct gc_range
graph_root_range(void) {
  return (struct gc_range){(const char *)graph.roots, (const char *)(graph.roots + graph.root_count)};
}
