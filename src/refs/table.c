// The table of references.  See table.h for its states.
//
// Where it has no cells: with B buckets, 2^n <= B < 2^(n+1), a hash belongs to the bucket of its lowest n + 1
// bits if there is one, and otherwise to that of its lowest n.  So bucket B, when it comes, takes what
// belongs to it from bucket B - 2^n and from no other: that is a split, and there is at most one for each
// node that is linked.
//
// To contract, the last bucket gives all that it has to the one that it was split from.
//
// Why not a table that doubles: to move a million nodes takes longer than a pause may.
#include "refs/table.h"

#include <string.h>

#include "base/check.h"
#include "os/memory.h"

// ---- Memory --------------------------------------------------------------------------------------------

#define FIRST_BUCKETS (1u << GC_REF_CHUNK_SHIFT)
#define LAST_MAX (UINT32_MAX - FIRST_BUCKETS) // the highest index that has a place

static uint32_t *
bucket_at(const struct gc_ref_table *table, uint32_t bucket) {
  return gc_ref_table_entry(table, bucket, GC_REF_BUCKETS_AT);
}

static uint32_t *
young_at(const struct gc_ref_table *table, uint32_t position) {
  return gc_ref_table_entry(table, position, GC_REF_YOUNG_AT);
}

bool
gc_ref_table_reserve(struct gc_ref_table *table) {
  if (table->free)
    return true;
  if (table->last == LAST_MAX)
    return false;
  unsigned shift = gc_ref_place_of(table->last + 1).shift;
  char **chunk = &table->chunks[shift - GC_REF_CHUNK_SHIFT];
  if (!*chunk)
    *chunk =
        gc_os_map((size_t)GC_REF_NODE_BYTES << shift); // in huge pages it would stall, for 16 ms at worst
  return *chunk != NULL;
}

// ---- Buckets -------------------------------------------------------------------------------------------

// Neighbours in memory are neighbours here, so that objects added in the order of their addresses touch each
// cache line of buckets once: in a stretch of as many granules as there are buckets at first, the hash rises
// with the address.  Where each stretch begins is as good as random, and another place for what is not at
// the start of a granule.  One multiplication (Knuth) is not enough: its lower bits, which choose the
// bucket, step evenly and may pile up.
static uint32_t
hash_of(uintptr_t key) {
  const uint64_t golden = 0x9e3779b97f4a7c15, in_stretch = (FIRST_BUCKETS - 1) * GC_GRANULE_BYTES;
  uint64_t begin = (key & ~in_stretch) * golden;
  begin = (begin ^ begin >> 32) * golden >> 32;
  return (uint32_t)(begin + (key & in_stretch) / GC_GRANULE_BYTES);
}

static uint32_t
bucket_count(const struct gc_ref_table *table) {
  return FIRST_BUCKETS + table->splits;
}

static uint32_t
bucket_of(const struct gc_ref_table *table, uintptr_t key) {
  uint32_t buckets = bucket_count(table), half = 1u << gc_log2(buckets), hash = hash_of(key);
  uint32_t bucket = hash & (2 * half - 1);
  return bucket < buckets ? bucket : bucket - half;
}

static size_t
cell_of(const struct gc_ref_table *table, uintptr_t key) {
  return (key - table->cells.base) >> GC_REF_CELL_SHIFT;
}

// Or buckets, which all keys have.
static bool
has_cell(const struct gc_ref_table *table, uintptr_t key) {
  return !table->cells.first || cell_of(table, key) < table->cells.count;
}

__attribute__((noinline)) static uint32_t *
bucket_of_key(const struct gc_ref_table *table, uintptr_t key) {
  return bucket_at(table, bucket_of(table, key));
}

// Where the first node of a cell or bucket is kept.
static inline uint32_t *
first_of(const struct gc_ref_table *table, uintptr_t key) {
  GC_ASSERT(has_cell(table, key));
  return table->cells.first ? &table->cells.first[cell_of(table, key)] : bucket_of_key(table, key);
}

// Both keep their order.
static void
split(struct gc_ref_table *table) {
  uint32_t new = bucket_count(table), half = 1u << gc_log2(new);
  uint32_t *stays = bucket_at(table, new - half), *moves = bucket_at(table, new), index = *stays;
  while (index) {
    struct gc_ref_node *node = gc_ref_table_node(table, index);
    uint32_t **end = hash_of(node->key) & half ? &moves : &stays;
    **end = index;
    *end = &node->next;
    index = node->next;
  }
  *stays = *moves = 0;
  table->splits++;
}

void
gc_ref_table_link(struct gc_ref_table *table, uint32_t index, uintptr_t key) {
  struct gc_ref_node *node = gc_ref_table_node(table, index);
  uint32_t *first = first_of(table, key);
  GC_ASSERT((node->bits & (GC_REF_USED | GC_REF_LINKED)) == GC_REF_USED);
  node->key = key;
  node->bits |= GC_REF_LINKED;
  node->next = *first;
  *first = index;
  table->linked_most = (uint32_t)gc_max(table->linked_most, ++table->linked);
  if (!table->cells.first && table->linked > bucket_count(table))
    split(table);
}

// What refers to a linked node: its cell or bucket, or the node before.
static uint32_t *
link_to(const struct gc_ref_table *table, uint32_t index) {
  uintptr_t key = gc_ref_table_node(table, index)->key;
  uint32_t *link = first_of(table, key);
  while (*link != index) {
    GC_CHECK(*link, "the table of references is damaged: %p is not where it belongs", (void *)key);
    link = &gc_ref_table_node(table, *link)->next;
  }
  return link;
}

void
gc_ref_table_unlink(struct gc_ref_table *table, uint32_t index) {
  struct gc_ref_node *node = gc_ref_table_node(table, index);
  GC_ASSERT(node->bits & GC_REF_LINKED);
  *link_to(table, index) = node->next;
  node->next = 0;
  node->bits &= ~(uint32_t)GC_REF_LINKED;
  table->linked--;
}

// ---- Finding -------------------------------------------------------------------------------------------

// The first node of the key, from `index` on in its cell or bucket.
static uint32_t
find_from(const struct gc_ref_table *table, uint32_t index, uintptr_t key) {
  while (index) {
    const struct gc_ref_node *node = gc_ref_table_node(table, index);
    if (node->key == key)
      break;
    index = node->next;
  }
  return index;
}

uint32_t
gc_ref_table_find(const struct gc_ref_table *table, uintptr_t key) {
  return table->linked && has_cell(table, key) ? find_from(table, *first_of(table, key), key) : 0;
}

uint32_t
gc_ref_table_find_next(const struct gc_ref_table *table, uint32_t index) {
  const struct gc_ref_node *node = gc_ref_table_node(table, index);
  GC_ASSERT(node->bits & GC_REF_LINKED);
  return find_from(table, node->next, node->key);
}

// ---- The young -----------------------------------------------------------------------------------------

// There is room for all nodes, and none is listed twice.
static void
note(struct gc_ref_table *table, uint32_t index, struct gc_ref_node *node) {
  GC_ASSERT(node->bits & GC_REF_USED);
  if (node->bits & GC_REF_YOUNG)
    return;
  node->bits |= GC_REF_YOUNG;
  *young_at(table, table->young++) = index;
}

void
gc_ref_table_note(struct gc_ref_table *table, uint32_t index) {
  note(table, index, gc_ref_table_node(table, index));
}

// ---- Nodes ---------------------------------------------------------------------------------------------

// Take a node out of the list of free ones.
static void
leave_free(struct gc_ref_table *table, uint32_t index) {
  const struct gc_ref_node *node = gc_ref_table_node(table, index);
  if (table->free == index) {
    table->free = node->next;
    return;
  }
  gc_ref_table_node(table, (uint32_t)node->key)->next = node->next;
  if (node->next)
    gc_ref_table_node(table, node->next)->key = node->key;
}

// With the bits that it has.  Memory that nobody has written yet is not read: for that the system would give
// a page of zeros, and another one for the first write, which other processors must be told.
static uint32_t
take_free(struct gc_ref_table *table, uint32_t *bits) {
  uint32_t index = table->free;
  if (!index) {
    *bits = 0;
    return ++table->last;
  }
  const struct gc_ref_node *node = gc_ref_table_node(table, index);
  GC_ASSERT(!(node->bits & GC_REF_USED));
  table->free = node->next;
  *bits = node->bits;
  return index;
}

uint32_t
gc_ref_table_add(struct gc_ref_table *table, uintptr_t key) {
  uint32_t bits, index = take_free(table, &bits);
  struct gc_ref_node *node = gc_ref_table_node(table, index);
  *node = (struct gc_ref_node){.bits = bits | GC_REF_USED};
  note(table, index, node);
  gc_ref_table_link(table, index, key);
  return index;
}

// If it is listed as young it remains so, for to take it from the list would take a search.
void
gc_ref_table_free(struct gc_ref_table *table, uint32_t index) {
  struct gc_ref_node *node = gc_ref_table_node(table, index);
  GC_ASSERT((node->bits & (GC_REF_USED | GC_REF_LINKED)) == GC_REF_USED);
  *node = (struct gc_ref_node){.next = table->free, .bits = node->bits & GC_REF_YOUNG};
  if (table->free)
    gc_ref_table_node(table, table->free)->key = index;
  table->free = index;
}

void
gc_ref_table_remove(struct gc_ref_table *table, uint32_t index) {
  gc_ref_table_unlink(table, index);
  gc_ref_table_free(table, index);
}

// The last entry takes the place of one that leaves the list.
static void
leave_young(struct gc_ref_table *table, size_t position, struct gc_ref_node *node) {
  node->bits &= ~(uint32_t)GC_REF_YOUNG;
  *young_at(table, (uint32_t)position) = *young_at(table, --table->young);
}

size_t
gc_ref_table_review_young(struct gc_ref_table *table, size_t *position, size_t nodes_max,
                          bool (*is_old)(const struct gc_ref_node *node)) {
  size_t nodes = 0;
  for (; *position < table->young && nodes < nodes_max; nodes++) {
    struct gc_ref_node *node = gc_ref_table_node(table, *young_at(table, (uint32_t)*position));
    if (node->bits & GC_REF_USED && !(node->bits & GC_REF_LINKED && is_old(node))) {
      ++*position;
      continue;
    }
    leave_young(table, *position, node);
  }
  return nodes;
}

void
gc_ref_table_forget_young(struct gc_ref_table *table) {
  while (table->young) {
    uint32_t index = *young_at(table, --table->young);
    gc_ref_table_node(table, index)->bits &= ~(uint32_t)GC_REF_YOUNG;
  }
}

// ---- Contraction ---------------------------------------------------------------------------------------

// What a step takes, in units of some 3 ns, and what all steps of a call may.
enum { TRIM_UNITS = 1, MOVE_UNITS = 30, UNITS_MAX = 50000 };

// A step towards freeing the last place: if a node has it, that goes to a free place, the first after the
// hand.  What it has taken; 0: no such place, or its owner holds the node.
static size_t
free_last_place(struct gc_ref_table *table) {
  struct gc_ref_node *node = gc_ref_table_node(table, table->last);
  if (!(node->bits & GC_REF_USED)) {
    leave_free(table, table->last--);
    return TRIM_UNITS;
  }
  if (table->hand + 1 >= table->last || !(node->bits & GC_REF_LINKED)) {
    table->hand = 0;
    return 0;
  }
  uint32_t place = ++table->hand;
  if (gc_ref_table_node(table, place)->bits & GC_REF_USED)
    return TRIM_UNITS;
  leave_free(table, place);
  *link_to(table, table->last) = place;
  *gc_ref_table_node(table, place) = *node;
  *node = (struct gc_ref_node){0};
  table->last--;
  return MOVE_UNITS;
}

// Undo the last split.  What it has taken.
static size_t
merge(struct gc_ref_table *table) {
  table->splits--;
  uint32_t old = bucket_count(table), half = 1u << gc_log2(old);
  uint32_t *from = bucket_at(table, old), *to = bucket_at(table, old - half);
  if (*from == 0)
    return TRIM_UNITS;
  while (*to)
    to = &gc_ref_table_node(table, *to)->next;
  *to = *from;
  *from = 0;
  return MOVE_UNITS;
}

// Nodes above `kept`, from above.
static void
release_some(struct gc_ref_table *table, size_t kept) {
  enum { NODES_MAX = 1 << 15 }; // to release a MiB takes 0.1 ms
  if (table->touched <= kept)
    return;
  size_t in_chunk = gc_ref_place_of(table->touched).offset + 1;
  size_t nodes = gc_min(gc_min(in_chunk, table->touched - kept), NODES_MAX), page_bytes = gc_os_page_bytes();
  uintptr_t limit = (uintptr_t)(gc_ref_table_node(table, table->touched) + 1);
  uintptr_t base = gc_round_up(limit - nodes * sizeof(struct gc_ref_node), page_bytes);
  if (base < limit)
    gc_os_release((void *)base, gc_round_up(limit, page_bytes) - base);
  table->touched -= (uint32_t)nodes;
}

// Twice what has been needed of late is wanted.
void
gc_ref_table_contract(struct gc_ref_table *table) {
  GC_ASSERT(table->young == 0);
  size_t wanted = 2 * (size_t)table->linked_most + FIRST_BUCKETS, units = 0, step = 1;
  table->linked_most = table->linked;
  table->touched = (uint32_t)gc_max(table->touched, table->last);
  for (; table->last > wanted && step > 0 && units < UNITS_MAX; units += step)
    step = free_last_place(table);
  while (bucket_count(table) > wanted && units < UNITS_MAX)
    units += merge(table);
  release_some(table, gc_max(wanted, table->last));
}

void
gc_ref_table_reset(struct gc_ref_table *table) {
  GC_ASSERT(table->linked == 0);
  gc_ref_table_forget_young(table);
  table->touched = (uint32_t)gc_max(table->touched, table->last);
  table->last = table->free = 0;
}

// ---- Checks --------------------------------------------------------------------------------------------

static bool
was_handed_out(const struct gc_ref_table *table, uint32_t index) {
  return index - 1 < table->last;
}

// Of the nodes of a cell or bucket.  Count down what `left` says there is, so that a cycle ends.
static size_t
faults_in_list(const struct gc_ref_table *table, const uint32_t *first, size_t *left) {
  size_t faults = 0;
  for (uint32_t index = *first; index; (*left)--) {
    if (!was_handed_out(table, index) || *left == 0)
      return faults + 1;
    const struct gc_ref_node *node = gc_ref_table_node(table, index);
    faults +=
        !(node->bits & GC_REF_LINKED) || !has_cell(table, node->key) || first_of(table, node->key) != first;
    index = node->next;
  }
  return faults;
}

static size_t
faults_in_buckets(const struct gc_ref_table *table) {
  size_t faults = 0, left = table->linked;
  for (uint32_t bucket = 0; bucket < bucket_count(table); bucket++)
    faults += faults_in_list(table, bucket_at(table, bucket), &left);
  return faults + (left != 0);
}

// Of those cells that a node says is its own.
static size_t
faults_in_cells(const struct gc_ref_table *table) {
  size_t faults = 0, left = table->linked;
  for (uint32_t index = 1; index <= table->last; index++) {
    const struct gc_ref_node *node = gc_ref_table_node(table, index);
    if (node->bits & GC_REF_LINKED && !has_cell(table, node->key))
      return 1;
    if (node->bits & GC_REF_LINKED && *first_of(table, node->key) == index)
      faults += faults_in_list(table, first_of(table, node->key), &left);
  }
  return faults + (left != 0);
}

size_t
gc_ref_table_check_cells(const struct gc_ref_table *table, size_t cell, size_t limit) {
  size_t faults = 0;
  for (; cell < gc_min(limit, table->cells.count); cell++) {
    size_t left = table->linked;
    faults += faults_in_list(table, &table->cells.first[cell], &left);
  }
  return faults;
}

static size_t
faults_in_free(const struct gc_ref_table *table, size_t free) {
  size_t left = free;
  for (uint32_t index = table->free, before = 0; index; left--) {
    if (!was_handed_out(table, index) || left == 0)
      return 1;
    const struct gc_ref_node *node = gc_ref_table_node(table, index);
    if (node->bits & GC_REF_USED || (before && node->key != before))
      return 1;
    before = index;
    index = node->next;
  }
  return left != 0;
}

static size_t
faults_in_young(const struct gc_ref_table *table) {
  size_t faults = 0;
  for (uint32_t position = 0; position < table->young; position++) {
    uint32_t index = *young_at(table, position);
    faults += !was_handed_out(table, index) || !(gc_ref_table_node(table, index)->bits & GC_REF_YOUNG);
  }
  return faults;
}

static bool
has_place(const struct gc_ref_table *table, uint32_t index) {
  return index <= LAST_MAX && table->chunks[gc_ref_place_of(index).shift - GC_REF_CHUNK_SHIFT];
}

// Whether all that they say is there may be looked at.  After a reset there may be more buckets than nodes.
static bool
counts_are_possible(const struct gc_ref_table *table) {
  uint32_t last = table->last, splits = table->splits;
  return (last == 0 || has_place(table, last)) && table->young <= last &&
         (splits == 0 || (splits <= LAST_MAX && has_place(table, bucket_count(table) - 1)));
}

size_t
gc_ref_table_check(const struct gc_ref_table *table) {
  if (!counts_are_possible(table))
    return 1;
  if (!table->chunks[0])
    return table->free || table->linked;
  size_t used = 0, linked = 0, young = 0;
  for (size_t index = 1; index < gc_ref_table_limit(table); index++) {
    uint32_t bits = gc_ref_table_node(table, (uint32_t)index)->bits;
    used += (bits & GC_REF_USED) != 0;
    linked += (bits & GC_REF_LINKED) != 0;
    young += (bits & GC_REF_YOUNG) != 0;
  }
  size_t misplaced = table->cells.first ? faults_in_cells(table) : faults_in_buckets(table);
  return (linked != table->linked) + (young != table->young) + misplaced +
         faults_in_free(table, table->last - used) + faults_in_young(table);
}
