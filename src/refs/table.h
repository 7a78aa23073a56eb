// A table of references, found by an address, that never stalls: it grows by one bucket at a time (linear
// hashing, Litwin 1980), and nothing in it moves but when the table is told to contract.
//
//        gc_ref_table_add
//   free -----------------------------> linked: in the bucket or cell of its key
//    ^                                  |    ^
//    | gc_ref_table_free                |    | gc_ref_table_link
//    |           gc_ref_table_unlink    v    |
//    +--------------------------------- unlinked: its owner's alone
//
// Nodes are known by their index, from 1, and 0 is none.  Beside that, nodes may be young: these are on a
// list, to be looked at without looking at all.  What is young is for the owner to say; a new node is.
//
// The objects of the heap lie in a range that is known, and a table whose keys are these needs no hash: it
// has a cell for each 32 bytes of them, memory that is touched where there are keys.  So objects that lie
// side by side have theirs in the same cache line, and to grow moves nothing.
//
// No call but gc_ref_table_reserve asks the system for anything, and none takes longer because the table is
// large: so all may be used while the world is stopped.  A table that is all zero is an empty one.
//
// Of a million nodes few may be left, and a full cycle looks at every place.  So the table contracts, step by
// step as it has grown: bucket by bucket, the last node into a free place, and the system gets the memory.
// As long as more than half of the places have been in use of late it does not, since they will be again.
#pragma once

#include "base/types.h"

struct gc_ref_node {
  uintptr_t key;    // the address by which a linked node is found; free, and not the first: the one before
  uintptr_t object; // this and `value` are the owner's
  uintptr_t value;
  uint32_t next; // linked: in its list; free: in the list of those; unlinked: the owner's
  uint32_t bits; // the lowest GC_REF_BITS are the table's, the others the owner's
};
_Static_assert(sizeof(struct gc_ref_node) == 32, "two nodes fill a cache line");

enum {
  GC_REF_USED = 1,   // not free
  GC_REF_LINKED = 2, // implies used
  GC_REF_YOUNG = 4,  // on the list of young nodes, where a node that is freed remains
  GC_REF_BITS = 3
};

// Instead of buckets: the first node of the keys of each 32 bytes from `base` on.
enum { GC_REF_CELL_SHIFT = 5 };
struct gc_ref_cells {
  uintptr_t base;
  uint32_t *first; // the owner's; NULL: the table has buckets
  size_t count;    // no key lies beyond them
};

// Memory comes in chunks, each twice as large as the one before and touched as it is needed.  Each has room
// for as many buckets and entries of the young list as for nodes, for there are never more of them.
enum {
  GC_REF_CHUNK_SHIFT = 10, // the first has room for this many, as a power of two: a page of buckets
  GC_REF_CHUNKS = 32 - GC_REF_CHUNK_SHIFT
};

struct gc_ref_table {
  char *chunks[GC_REF_CHUNKS]; // nodes, then buckets, then young entries; NULL: not yet needed
  uint32_t last;               // the highest index that was handed out
  uint32_t touched;            // no node above this one and `last` has memory
  uint32_t free;               // the node that was freed last
  uint32_t hand;               // contracting, the place that was looked at last
  uint32_t linked;             // nodes
  uint32_t linked_most;        // at once since it contracted last
  uint32_t splits;             // of buckets, less those undone
  uint32_t young;              // entries of the list, freed nodes' among them
  struct gc_ref_cells cells;   // the owner may add to their number
};                             // [gc_lock]

// Where index i lies: there are as many indices before a chunk, and 2^GC_REF_CHUNK_SHIFT more, as in it.
struct gc_ref_place {
  unsigned shift; // the chunk has 2^shift
  uint32_t offset;
};

static inline struct gc_ref_place
gc_ref_place_of(uint32_t index) {
  uint32_t at = index + (1u << GC_REF_CHUNK_SHIFT);
  unsigned shift = gc_log2(at);
  return (struct gc_ref_place){shift, at - (1u << shift)};
}

// `index` is one that was handed out.
static inline struct gc_ref_node *
gc_ref_table_node(const struct gc_ref_table *table, uint32_t index) {
  struct gc_ref_place place = gc_ref_place_of(index);
  return (struct gc_ref_node *)table->chunks[place.shift - GC_REF_CHUNK_SHIFT] + place.offset;
}

enum {
  GC_REF_BUCKETS_AT = sizeof(struct gc_ref_node), // bytes per node that lie before them in a chunk
  GC_REF_YOUNG_AT = GC_REF_BUCKETS_AT + sizeof(uint32_t),
  GC_REF_NODE_BYTES = GC_REF_YOUNG_AT + sizeof(uint32_t) // of a chunk, all in all
};

// Entry `index` of the array that begins after `before` bytes per node.
static inline uint32_t *
gc_ref_table_entry(const struct gc_ref_table *table, uint32_t index, size_t before) {
  struct gc_ref_place place = gc_ref_place_of(index);
  char *chunk = table->chunks[place.shift - GC_REF_CHUNK_SHIFT];
  return (uint32_t *)(chunk + (before << place.shift)) + place.offset;
}

static inline bool
gc_ref_table_is_linked(const struct gc_ref_table *table, uint32_t index) {
  return gc_ref_table_node(table, index)->bits & GC_REF_LINKED;
}

// How many nodes are linked.
static inline size_t
gc_ref_table_count(const struct gc_ref_table *table) {
  return table->linked;
}

// All nodes have indices in [1, limit).
static inline size_t
gc_ref_table_limit(const struct gc_ref_table *table) {
  return (size_t)table->last + 1;
}

// Make room for one more node.  false if memory is refused; then nothing has changed.
bool gc_ref_table_reserve(struct gc_ref_table *table);

// Link a new node, which is young and otherwise zero.  Needs a reserve since the last add.
uint32_t gc_ref_table_add(struct gc_ref_table *table, uintptr_t key);

// In a table with cells: whether the key's is empty.  false: perhaps it has a node.
static inline bool
gc_ref_table_is_empty_at(const struct gc_ref_table *table, uintptr_t key) {
  size_t cell = (key - table->cells.base) >> GC_REF_CELL_SHIFT;
  return cell >= table->cells.count || table->cells.first[cell] == 0;
}

// A node of this key, and another one that is none of those found before it.  0: none.
uint32_t gc_ref_table_find(const struct gc_ref_table *table, uintptr_t key);
uint32_t gc_ref_table_find_next(const struct gc_ref_table *table, uint32_t index);

// Take a linked node out of the buckets; put an unlinked one into them, under any key.  All else that it
// holds stays as it is, except for `next`.
void gc_ref_table_unlink(struct gc_ref_table *table, uint32_t index);
void gc_ref_table_link(struct gc_ref_table *table, uint32_t index, uintptr_t key);

// Give back an unlinked node, or a linked one.
void gc_ref_table_free(struct gc_ref_table *table, uint32_t index);
void gc_ref_table_remove(struct gc_ref_table *table, uint32_t index);

// Let a node be young.  It may be already.
void gc_ref_table_note(struct gc_ref_table *table, uint32_t index);

// The young nodes, linked or not, by their position on the list, which has `young_count`; 0 stands for one
// that was freed.  Who adds nodes while going through the list may miss them.
static inline size_t
gc_ref_table_young_count(const struct gc_ref_table *table) {
  return table->young;
}
static inline uint32_t
gc_ref_table_young(const struct gc_ref_table *table, size_t position) {
  uint32_t index = *gc_ref_table_entry(table, (uint32_t)position, GC_REF_YOUNG_AT);
  return gc_ref_table_node(table, index)->bits & GC_REF_USED ? index : 0;
}

// Look at more young nodes, from *position on, which is 0 at first: those that `is_old` says are not young
// any more.  What it has taken, in nodes: less than `nodes_max` if all have been looked at.
size_t gc_ref_table_review_young(struct gc_ref_table *table, size_t *position, size_t nodes_max,
                                 bool (*is_old)(const struct gc_ref_node *node));

// Nothing is young any more.
void gc_ref_table_forget_young(struct gc_ref_table *table);

// Of a table without nodes: hand out indices from 1 again.
void gc_ref_table_reset(struct gc_ref_table *table);

// Contract by some steps, if the table is much larger than has been needed since the last call: by so many
// that it takes some 0.2 ms at most.  Linked nodes may get other indices, so nobody may hold
// one, and none may be young.
void gc_ref_table_contract(struct gc_ref_table *table);

// How many faults there are in the table: for the verifier.
size_t gc_ref_table_check(const struct gc_ref_table *table);

// Likewise in cells [cell, limit), for those that no node says is its own.
size_t gc_ref_table_check_cells(const struct gc_ref_table *table, size_t cell, size_t limit);
