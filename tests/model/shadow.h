// The shadow heap: what a truthful collector ought to hold.
//
// Each object that the test allocated has a record: where it is, what fills it, which of its words are edges
// and where they lead. Records live in malloc memory and know addresses only by their complement, so that the
// shadow keeps nothing alive.
//
//   LIVE --settle: no longer reachable--> DEAD --bury: the collector has reclaimed it--> no record
//     \__________________ GC_free, GC_realloc, handed to another thread ______________________/
//
// An object of w words is filled with a pattern that follows from its id; `edge_count` of its words, evenly
// spread from the first to the last, are edges.  No pattern word or tail can be taken for an address of user
// space: each of its bytes has its top bit set. In a pointer-free object the edges are decoys: words that
// look like pointers and must keep nothing.
#pragma once

#include <string.h>

#include "failure.h"
#include "gc.h"
#include "random.h"

enum kind { NORMAL, ATOMIC, UNCOLLECTABLE, ATOMIC_UNCOLLECTABLE };

static const char *const kind_names[] = {"normal", "atomic", "uncollectable", "atomic uncollectable"};

static inline bool
kind_is_scanned(enum kind kind) {
  return kind == NORMAL || kind == UNCOLLECTABLE;
}

static inline bool
kind_is_pinned(enum kind kind) {
  return kind == UNCOLLECTABLE || kind == ATOMIC_UNCOLLECTABLE;
}

enum { EDGES_MAX = 6, NEAR_BYTES = 256, SAMPLED_WORDS = 1024 };
#define NONE UINT32_MAX

struct edge {
  uint32_t target;  // a record, or NONE
  uintptr_t hidden; // complement of the word in memory
};

static const struct edge edge_empty = {NONE, ~(uintptr_t)0};

enum state { UNUSED, LIVE, DEAD };

struct object {
  uintptr_t hidden;    // complement of the address
  size_t bytes;        // as asked for
  size_t slot_bytes;   // GC_size
  uint64_t id;         // what its pattern follows from
  unsigned long born;  // the operation that allocated it
  unsigned long moved; // the last one that gave it to GC_realloc, or 0
  enum kind kind;
  enum state state;
  bool near;           // only pointers to its first NEAR_BYTES keep it (the _ignore_off_page forms)
  bool indexed;        // in the index by address; a dead object leaves it when its place is given to another
  bool visited;        // of the current search
  uint32_t references; // edges of live objects and roots that lead here
  unsigned edge_count;
  struct edge edges[EDGES_MAX];
};

struct index_entry {
  uintptr_t hidden;
  uint32_t object;
};

struct shadow {
  struct object *objects;
  uint32_t object_count, object_capacity;
  uint32_t *unused; // records to use again
  uint32_t unused_count;
  struct index_entry *index; // sorted by complement, that is, from the highest address down
  uint32_t index_count;
  uint32_t *queue; // of searches; room for every record
  uint64_t next_id;
  uint32_t live_count, dead_count;
  uint32_t deaths; // since the last check of what was reclaimed
  size_t live_bytes;
};

// ---- Records -------------------------------------------------------------------------------------------

static inline void *
shadow_array(void *array, size_t count, size_t item_bytes) {
  void *grown = realloc(array, count * item_bytes);
  MODEL_CHECK(grown, "out of malloc memory for the shadow");
  return grown;
}

static inline void
shadow_grow(struct shadow *shadow) {
  uint32_t capacity = shadow->object_capacity ? 2 * shadow->object_capacity : 1024;
  shadow->objects = shadow_array(shadow->objects, capacity, sizeof *shadow->objects);
  shadow->unused = shadow_array(shadow->unused, capacity, sizeof *shadow->unused);
  shadow->index = shadow_array(shadow->index, capacity, sizeof *shadow->index);
  shadow->queue = shadow_array(shadow->queue, capacity, sizeof *shadow->queue);
  shadow->object_capacity = capacity;
}

static inline void
shadow_destroy(struct shadow *shadow) {
  free(shadow->objects);
  free(shadow->unused);
  free(shadow->index);
  free(shadow->queue);
  *shadow = (struct shadow){0};
}

static inline uint32_t
shadow_take_record(struct shadow *shadow) {
  if (shadow->unused_count > 0)
    return shadow->unused[--shadow->unused_count];
  if (shadow->object_count == shadow->object_capacity)
    shadow_grow(shadow);
  return shadow->object_count++;
}

static inline char *
object_address(const struct object *object) {
  return (char *)~object->hidden;
}

// ---- The index by address ------------------------------------------------------------------------------

// The place of the first entry at or below `address`.
static inline uint32_t
index_find(const struct shadow *shadow, uintptr_t address) {
  uint32_t low = 0, high = shadow->index_count;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    if (shadow->index[middle].hidden < ~address)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static inline void
index_insert(struct shadow *shadow, uint32_t number) {
  uint32_t at = index_find(shadow, ~shadow->objects[number].hidden);
  memmove(shadow->index + at + 1, shadow->index + at, (shadow->index_count - at) * sizeof *shadow->index);
  shadow->index[at] = (struct index_entry){shadow->objects[number].hidden, number};
  shadow->index_count++;
  shadow->objects[number].indexed = true;
}

static inline void
index_remove(struct shadow *shadow, uint32_t number) {
  if (!shadow->objects[number].indexed)
    return;
  uint32_t at = index_find(shadow, ~shadow->objects[number].hidden);
  MODEL_CHECK(at < shadow->index_count && shadow->index[at].object == number, "the shadow's index is broken");
  shadow->index_count--;
  memmove(shadow->index + at, shadow->index + at + 1, (shadow->index_count - at) * sizeof *shadow->index);
  shadow->objects[number].indexed = false;
}

// The object whose slot an address lies in, or NONE.
static inline uint32_t
index_lookup(const struct shadow *shadow, uintptr_t address) {
  uint32_t at = index_find(shadow, address);
  if (at == shadow->index_count)
    return NONE;
  const struct object *object = &shadow->objects[shadow->index[at].object];
  return address - ~object->hidden < object->slot_bytes ? shadow->index[at].object : NONE;
}

// The object whose slot ends where `address` begins, or NONE.
static inline uint32_t
index_lookup_ending_at(const struct shadow *shadow, uintptr_t address) {
  return address == 0 ? NONE : index_lookup(shadow, address - 1);
}

// ---- Patterns ------------------------------------------------------------------------------------------

static inline size_t
object_words(const struct object *object) {
  return object->bytes / sizeof(uintptr_t);
}

static inline uintptr_t
pattern_word(uint64_t id, size_t word) {
  return random_mix(id * 0x2545f4914f6cdd1du + word) | 0x8080808080808080u;
}

// Which word of an object its n-th edge is.
static inline size_t
edge_word(const struct object *object, unsigned edge) {
  return edge == 0 ? 0 : (object_words(object) - 1) * edge / (object->edge_count - 1);
}

static inline void
object_write_edge(const struct object *object, unsigned edge) {
  ((volatile uintptr_t *)object_address(object))[edge_word(object, edge)] = ~object->edges[edge].hidden;
}

// Write the whole object: pattern, tail and edges.
static inline void
object_fill(const struct object *object) {
  size_t words = object_words(object);
  uintptr_t *memory = (uintptr_t *)object_address(object);
  for (size_t word = 0; word < words; word++)
    memory[word] = pattern_word(object->id, word);
  uintptr_t tail = pattern_word(object->id, words);
  memcpy(memory + words, &tail, object->bytes % sizeof tail);
  for (unsigned edge = 0; edge < object->edge_count; edge++)
    object_write_edge(object, edge);
}

// Say what is wrong with an object, and what is known of it.
__attribute__((noreturn)) static inline void
object_fail(const struct object *object, const char *fault) {
  model_fail("%s object of %zu bytes at %p (number %lu, allocated by operation %lu, resized by %lu, %u "
             "references): %s",
             kind_names[object->kind], object->bytes, (void *)object_address(object),
             (unsigned long)object->id, object->born, object->moved, object->references, fault);
}

__attribute__((noreturn)) static inline void
object_fail_at_word(const struct object *object, const void *memory, size_t word, uintptr_t expected,
                    bool is_edge) {
  char fault[200];
  snprintf(fault, sizeof fault, "word %zu%s at %p is %#lx, ought to be %#lx", word,
           is_edge ? " (an edge)" : "", memory, (unsigned long)((const uintptr_t *)memory)[word],
           (unsigned long)expected);
  object_fail(object, fault);
}

static inline void
object_check_words(const struct object *object, const void *memory, size_t from, size_t to) {
  unsigned edge = 0;
  while (edge < object->edge_count && edge_word(object, edge) < from)
    edge++;
  for (size_t word = from; word < to; word++) {
    bool is_edge = edge < object->edge_count && edge_word(object, edge) == word;
    uintptr_t expected = is_edge ? ~object->edges[edge++].hidden : pattern_word(object->id, word);
    if (__builtin_expect(((const uintptr_t *)memory)[word] != expected, 0))
      object_fail_at_word(object, memory, word, expected, is_edge);
  }
}

static inline void
object_check_tail(const struct object *object, const void *memory) {
  size_t words = object_words(object);
  uintptr_t tail = pattern_word(object->id, words);
  if (memcmp((const uintptr_t *)memory + words, &tail, object->bytes % sizeof tail) != 0)
    object_fail(object, "its last bytes have changed");
}

// Check the contents: all of a small object, samples of a big one.
static inline void
object_check_contents(const struct object *object, uint64_t sample) {
  const char *memory = object_address(object);
  size_t words = object_words(object);
  object_check_tail(object, memory);
  if (words <= SAMPLED_WORDS) {
    object_check_words(object, memory, 0, words);
    return;
  }
  object_check_words(object, memory, 0, SAMPLED_WORDS / 4);
  object_check_words(object, memory, words - SAMPLED_WORDS / 4, words);
  struct random random = {object->id ^ sample};
  for (unsigned i = 0; i < 8; i++) {
    size_t from = random_below(&random, words - SAMPLED_WORDS / 16);
    object_check_words(object, memory, from, from + SAMPLED_WORDS / 16);
  }
  for (unsigned edge = 0; edge < object->edge_count; edge++)
    object_check_words(object, memory, edge_word(object, edge), edge_word(object, edge) + 1);
}

// Check all that must hold for a reachable object.
static inline void
object_check(const struct object *object, uint64_t sample) {
  char *address = object_address(object);
  if (GC_base(address) != address)
    object_fail(object, "lost: GC_base does not give it");
  if (GC_size(address) != object->slot_bytes)
    object_fail(object, "GC_size has changed");
  object_check_contents(object, sample);
}

// ---- Reachability --------------------------------------------------------------------------------------

// Mark a record as visited and queue it, once.
static inline void
shadow_visit(struct shadow *shadow, uint32_t number, uint32_t *queued) {
  if (number == NONE || shadow->objects[number].visited)
    return;
  shadow->objects[number].visited = true;
  shadow->queue[(*queued)++] = number;
}

static inline void
shadow_unvisit(struct shadow *shadow) {
  for (uint32_t number = 0; number < shadow->object_count; number++)
    shadow->objects[number].visited = false;
}

// Visit what the first `queued` records of the queue lead to.
static inline void
shadow_trace(struct shadow *shadow, uint32_t queued) {
  for (uint32_t done = 0; done < queued; done++) {
    const struct object *object = &shadow->objects[shadow->queue[done]];
    for (unsigned edge = 0; edge < object->edge_count; edge++)
      shadow_visit(shadow, object->edges[edge].target, &queued);
  }
}

// A live object that no search reached is dead: what it refers to loses a reference.
static inline void
shadow_kill(struct shadow *shadow, struct object *object) {
  for (unsigned edge = 0; edge < object->edge_count; edge++) {
    uint32_t target = object->edges[edge].target;
    if (target != NONE)
      shadow->objects[target].references--;
    object->edges[edge].target = NONE;
  }
  object->state = DEAD;
  shadow->live_count--;
  shadow->live_bytes -= object->bytes;
  shadow->dead_count++;
  shadow->deaths++;
}

// ---- Coming and going ----------------------------------------------------------------------------------

// Drop a record without a thought for edges.
static inline void
shadow_bury(struct shadow *shadow, uint32_t number) {
  struct object *object = &shadow->objects[number];
  index_remove(shadow, number);
  shadow->dead_count -= object->state == DEAD;
  object->state = UNUSED;
  shadow->unused[shadow->unused_count++] = number;
}

// Drop the record of a live object that the program itself gave away.
static inline void
shadow_remove(struct shadow *shadow, uint32_t number) {
  shadow_kill(shadow, &shadow->objects[number]);
  shadow_bury(shadow, number);
}

// Record an object that has just been allocated; its edges are empty.
static inline uint32_t
shadow_add(struct shadow *shadow, void *address, size_t bytes, enum kind kind) {
  uint32_t number = shadow_take_record(shadow);
  struct object *object = &shadow->objects[number];
  *object = (struct object){.hidden = ~(uintptr_t)address,
                            .bytes = bytes,
                            .slot_bytes = GC_size(address),
                            .id = shadow->next_id++,
                            .born = failure_operation,
                            .kind = kind,
                            .state = LIVE};
  for (unsigned edge = 0; edge < EDGES_MAX; edge++)
    object->edges[edge] = edge_empty;
  shadow->live_count++;
  shadow->live_bytes += bytes;
  index_insert(shadow, number);
  return number;
}
