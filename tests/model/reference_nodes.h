// What the model of references knows: a graph of objects whose every pointer it has made itself.
//
// The program's only pointers are those in `roots` and in the objects themselves; the model has addresses by
// their complement, in malloc memory, so that it keeps nothing alive.  So what can be reached is known
// exactly, and whatever the collector takes for unreachable must be unreachable here: a stray word can only
// keep more.
//
//   HERE --the collector has reclaimed it, or GC_free--> GONE --nothing in the model names it--> FREE
//
// An object's words: 0 tells which node it is, 1 how its toggle reference is decided; then edges, then words
// that may be links, then a pattern that no pointer looks like.  Weak references and ephemerons are nodes as
// well, whose contents are the collector's.
#pragma once

#include <string.h>

#include "failure.h"
#include "gc.h"
#include "random.h"

enum {
  ROOTS = 48,
  EDGES_MAX = 4,
  NODE_LINKS_MAX = 2,
  NODES_MAX = 1 << 14,
  BUCKETS = 1 << 14,
  LINKS_MAX = 600,
  FREE_LINKS = 200, // the first ones, in malloc memory
  CLEANERS_MAX = 400,
  WAITING_MAX = 4096,
  HELD_MAX = 512,
  QUEUES = 3,
  FIRST_EDGE = 2 // word of an object
};
#define NONE UINT32_MAX

enum type { PLAIN, ATOMIC, UNCOLLECTABLE, WEAK, LONG, SOFT, EPHEMERON, TYPES };
enum state { FREE, HERE, GONE };
enum toggle { UNTOGGLED, WEAKLY, STRONGLY };

static const char *const type_names[] = {"plain", "atomic", "uncollectable", "weak",
                                         "long",  "soft",   "ephemeron"};

// What a client datum, a key or a value may be: a node, or a number.
struct datum {
  uint32_t node; // NONE: a number
  uintptr_t number;
};

struct finalizer {
  GC_finalization_proc function; // NULL: none
  enum GC_FinalizerOrder order;
  unsigned queue;
  struct datum data;
};

// Of a node: reached; held back by what waits for its finalizer; so or by what is ready; kept for any reason.
enum { REACHED = 1, HELD_BACK = 2, REFERRED_TO = 4, KEPT = 8 };

struct node {
  uintptr_t hidden; // complement of the address
  uint64_t id;
  size_t bytes, slot_bytes;
  unsigned long born; // the operation that made it
  enum type type;
  enum state state;
  unsigned edge_count, link_count;
  uint32_t edges[EDGES_MAX];
  uint32_t links[NODE_LINKS_MAX]; // NONE: a word of the pattern
  struct datum key, value;        // of a reference its referent, of an ephemeron both
  bool broken;                    // it has been cleared
  struct finalizer finalizer;
  unsigned ready; // how often it waits to be finalized
  enum toggle toggle;
  bool reused; // another object was given its place
  unsigned sets;
  uint32_t reached_from; // by which it was found last; NONE: as `reached_as` says
  const char *reached_as;
  bool is_due, is_due_itself, finalizer_is_due; // counted: its referent, it, its finalizer
  bool cleared, uncleared;                      // among what refers to it weakly
  uint32_t next;                                // in its bucket
};

// A disappearing link: a word in malloc memory or in an object.
struct link {
  bool used;
  uint32_t owner;             // NONE: in malloc memory
  unsigned index;             // among the owner's
  uint32_t ordinary, lasting; // what it follows; NONE: it is not registered as such
  uintptr_t hidden_contents;  // complement of what it holds
  bool is_due;
};

struct cleaner {
  uint32_t node; // NONE: unused
  unsigned queue;
  struct datum data;
  bool is_due;
};

// A finalizer that is ready, as the collector has said when it decided.
struct waiting {
  uint32_t node;
  struct finalizer finalizer;
};

struct queue {
  GC_finalizer_queue *handle; // NULL: none; of the first: the collector's own
  bool notifies;
  unsigned long unnoticed; // have become ready since it was last certain that all had been notified
  unsigned long seen;      // notifications until then
};

struct model {
  struct random random;
  struct node nodes[NODES_MAX];
  uint32_t buckets[BUCKETS];
  uint32_t unused[NODES_MAX], unused_count, node_limit, here_count;
  uint32_t trail[NODES_MAX]; // of a search
  uint32_t roots[ROOTS];
  uint32_t held[HELD_MAX]; // what the operation under way works on
  unsigned held_count;
  struct link links[LINKS_MAX];
  struct cleaner cleaners[CLEANERS_MAX];
  struct waiting waiting[WAITING_MAX];
  unsigned waiting_count;
  struct queue queues[QUEUES];
  uint64_t next_id;
  bool soft_is_strong;
  bool has_thread; // now and then finalizers are called by one of the collector's
  size_t total_weight;
};

static struct model *model;
static void *volatile roots[ROOTS], *volatile held[HELD_MAX];
static void *volatile *free_links; // malloc memory

// ---- Random choices ------------------------------------------------------------------------------------

static inline size_t
below(size_t limit) {
  return random_below(&model->random, limit);
}

static inline bool
one_in(size_t n) {
  return random_one_in(&model->random, n);
}

// ---- Nodes by number and by address --------------------------------------------------------------------

static inline char *
address_of(uint32_t number) {
  return (char *)~model->nodes[number].hidden;
}

static inline uint32_t *
bucket_of(uintptr_t hidden) {
  return &model->buckets[random_mix(hidden) % BUCKETS];
}

static inline uint32_t
find_node(const void *address) {
  uint32_t number = *bucket_of(~(uintptr_t)address);
  while (number != NONE && address_of(number) != address)
    number = model->nodes[number].next;
  return number;
}

static inline bool
has_edges(const struct node *node) {
  return node->type == PLAIN || node->type == UNCOLLECTABLE;
}

static inline bool
is_reference(const struct node *node) {
  return node->type >= WEAK;
}

static inline uintptr_t
word_of_datum(struct datum datum) {
  return datum.node == NONE ? datum.number : (uintptr_t)address_of(datum.node);
}

static inline bool
is_same_datum(struct datum datum, const void *word) {
  return word_of_datum(datum) == (uintptr_t)word;
}

static inline struct datum
datum_of_node(uint32_t number) {
  return (struct datum){number, 0};
}

static inline struct datum
datum_of_number(uintptr_t number) {
  return (struct datum){NONE, number};
}

// Say what ought to have kept a node.
static inline void
print_path(uint32_t number) {
  for (unsigned i = 0; number != NONE && model->nodes[number].sets && i < 20; i++) {
    const struct node *node = &model->nodes[number];
    printf("# node %u, %s, at %p, sets %u, found as %s", number, type_names[node->type],
           (void *)address_of(number), node->sets, node->reached_as);
    number = node->reached_from;
    printf(number == NONE ? "\n" : " of\n");
  }
}

__attribute__((noreturn, format(printf, 2, 3))) static inline void
node_fail(uint32_t number, const char *format, ...) {
  const struct node *node = &model->nodes[number];
  char fault[300];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(fault, sizeof fault, format, arguments);
  va_end(arguments);
  print_path(number);
  model_fail("node %u, %s, of %zu bytes at %p, made by operation %lu%s%s%s: %s", number,
             type_names[node->type], node->bytes, (void *)address_of(number), node->born,
             node->sets & REACHED ? ", reached" : "", node->sets & KEPT ? "" : ", dead",
             node->ready ? ", ready" : "", fault);
}

#define NODE_CHECK(number, condition, ...) \
  do {                                     \
    if (__builtin_expect(!(condition), 0)) \
      node_fail(number, __VA_ARGS__);      \
  } while (0)

// ---- Contents ------------------------------------------------------------------------------------------

static inline uintptr_t
pattern_of(uint64_t id, size_t word) {
  return random_mix(id * 0x2545f4914f6cdd1du + word) | 0x8080808080808080u;
}

static inline uintptr_t *
words_of(uint32_t number) {
  return (uintptr_t *)(void *)address_of(number);
}

static inline size_t
word_count(const struct node *node) {
  return node->bytes / sizeof(uintptr_t);
}

// Some edges point to the start of what they refer to, some into it.
static inline uintptr_t
edge_contents(uint32_t number, unsigned edge) {
  uint32_t target = model->nodes[number].edges[edge];
  return target == NONE ? 0 : (uintptr_t)address_of(target) + 8 * ((number + edge) % 2);
}

static inline uintptr_t
link_contents(const struct link *link) {
  return ~link->hidden_contents;
}

// The collector may clear it.
static inline bool
is_link(const struct node *node, size_t word) {
  size_t link = word - FIRST_EDGE - node->edge_count;
  return link < node->link_count && node->links[link] != NONE;
}

static inline uintptr_t
expected_word(uint32_t number, size_t word) {
  const struct node *node = &model->nodes[number];
  size_t edge = word - FIRST_EDGE;
  if (word == 1)
    return 0x8080808080808080u | node->toggle;
  if (edge < node->edge_count)
    return edge_contents(number, (unsigned)edge);
  if (is_link(node, word))
    return link_contents(&model->links[node->links[edge - node->edge_count]]);
  return pattern_of(node->id, word);
}

static inline void
write_word(uint32_t number, size_t word) {
  ((volatile uintptr_t *)words_of(number))[word] = expected_word(number, word);
}

static inline void
fill_node(uint32_t number) {
  for (size_t word = 0; word < word_count(&model->nodes[number]); word++)
    write_word(number, word);
}

// All of a small object, the ends of a large one.
static inline void
check_words(uint32_t number) {
  const struct node *node = &model->nodes[number];
  size_t count = word_count(node);
  for (size_t word = 0; word < count; word = word == 64 && count > 66 ? count - 1 : word + 1) {
    if (is_link(node, word))
      continue;
    uintptr_t found = words_of(number)[word], expected = expected_word(number, word);
    NODE_CHECK(number, found == expected, "word %zu is %#lx, ought to be %#lx", word, (unsigned long)found,
               (unsigned long)expected);
  }
}

static inline bool
is_reclaimed(uint32_t number) {
  const struct node *node = &model->nodes[number];
  char *address = address_of(number);
  return node->reused || GC_size(address) != node->slot_bytes ||
         (!is_reference(node) && words_of(number)[0] != pattern_of(node->id, 0));
}

static inline void
check_node(uint32_t number) {
  const struct node *node = &model->nodes[number];
  NODE_CHECK(number, node->state == HERE, "it has been reclaimed before");
  NODE_CHECK(number, !node->reused, "another object was given its place");
  NODE_CHECK(number, GC_base(address_of(number)) == address_of(number), "it has been reclaimed");
  NODE_CHECK(number, GC_size(address_of(number)) == node->slot_bytes, "its size has changed");
  if (!is_reference(node))
    check_words(number);
}

// ---- Coming and going ----------------------------------------------------------------------------------

static inline void
forget_address(uint32_t number) {
  uint32_t *at = bucket_of(model->nodes[number].hidden);
  while (*at != number)
    at = &model->nodes[*at].next;
  *at = model->nodes[number].next;
}

static inline void
retire_node(uint32_t number) {
  struct node *node = &model->nodes[number];
  forget_address(number);
  for (unsigned i = 0; i < node->link_count; i++)
    if (node->links[i] != NONE)
      model->links[node->links[i]].used = false;
  node->state = GONE;
  model->here_count--;
}

static inline void
name_node(uint32_t number) {
  if (number != NONE)
    model->nodes[number].sets |= KEPT;
}

static inline void
name_what_node_names(const struct node *node) {
  for (unsigned edge = 0; edge < node->edge_count; edge++)
    name_node(node->edges[edge]);
  name_node(node->key.node);
  name_node(node->value.node);
  name_node(node->finalizer.data.node);
}

// Give back the nodes that are gone and that nothing here names.
static inline void
free_nodes(void) {
  for (uint32_t number = 0; number < model->node_limit; number++)
    model->nodes[number].sets = 0;
  for (uint32_t number = 0; number < model->node_limit; number++)
    if (model->nodes[number].state == HERE)
      name_what_node_names(&model->nodes[number]);
  for (unsigned i = 0; i < LINKS_MAX; i++)
    if (model->links[i].used) {
      name_node(model->links[i].ordinary);
      name_node(model->links[i].lasting);
    }
  for (unsigned i = 0; i < CLEANERS_MAX; i++)
    if (model->cleaners[i].node != NONE) {
      name_node(model->cleaners[i].node);
      name_node(model->cleaners[i].data.node);
    }
  for (uint32_t number = 0; number < model->node_limit; number++)
    if (model->nodes[number].state == GONE && !(model->nodes[number].sets & KEPT)) {
      model->nodes[number].state = FREE;
      model->unused[model->unused_count++] = number;
    }
}

static inline uint32_t
take_number(void) {
  if (model->unused_count == 0)
    free_nodes();
  if (model->unused_count > 0)
    return model->unused[--model->unused_count];
  MODEL_CHECK(model->node_limit < NODES_MAX, "the model has no room for more nodes");
  return model->node_limit++;
}

// A node for an object that nobody else has.
static inline uint32_t
add_node(const void *address, enum type type, size_t bytes) {
  uint32_t number = take_number(), *bucket = bucket_of(~(uintptr_t)address);
  struct node *node = &model->nodes[number];
  *node = (struct node){.hidden = ~(uintptr_t)address,
                        .id = model->next_id++,
                        .bytes = bytes,
                        .slot_bytes = GC_size(address),
                        .born = failure_operation,
                        .type = type,
                        .state = HERE,
                        .key = {NONE, 0},
                        .value = {NONE, 0},
                        .finalizer.data = {NONE, 0},
                        .next = *bucket};
  for (unsigned edge = 0; edge < EDGES_MAX; edge++)
    node->edges[edge] = NONE;
  for (unsigned link = 0; link < NODE_LINKS_MAX; link++)
    node->links[link] = NONE;
  *bucket = number;
  model->here_count++;
  return number;
}

// ---- Places where a pointer can be ---------------------------------------------------------------------

struct place {
  uint32_t owner; // NONE: a root
  unsigned index;
};

static inline uint32_t *
at_place(struct place place) {
  return place.owner == NONE ? &model->roots[place.index] : &model->nodes[place.owner].edges[place.index];
}

// Roots point into objects, for a word at a slot's start may also keep what lies before it.
static inline void
store(struct place place, uint32_t target) {
  *at_place(place) = target;
  if (place.owner != NONE)
    write_word(place.owner, FIRST_EDGE + place.index);
  else
    roots[place.index] = target == NONE ? NULL : address_of(target) + 8;
}

// Until the end of the operation.
static inline void
hold(uint32_t number) {
  MODEL_CHECK(model->held_count < HELD_MAX, "an operation holds too much");
  held[model->held_count] = address_of(number) + 8;
  model->held[model->held_count++] = number;
}

static inline void
release_all(void) {
  while (model->held_count > 0)
    held[--model->held_count] = NULL;
}

static inline struct place
random_root(void) {
  return (struct place){NONE, (unsigned)below(ROOTS)};
}

// A root, or what a walk of random length from one leads to.
static inline struct place
random_place(void) {
  struct place place = random_root();
  while (!one_in(4)) {
    uint32_t target = *at_place(place);
    if (target == NONE || !has_edges(&model->nodes[target]) || model->nodes[target].edge_count == 0)
      break;
    place = (struct place){target, (unsigned)below(model->nodes[target].edge_count)};
  }
  return place;
}

// An object that can be reached, and is held; or NONE.
static inline uint32_t
random_node(void) {
  for (unsigned tries = 0; tries < 10; tries++) {
    uint32_t number = *at_place(random_place());
    if (number == NONE)
      continue;
    hold(number);
    return number;
  }
  return NONE;
}

static inline uint32_t
random_node_of_type(enum type first, enum type last) {
  for (unsigned tries = 0; tries < 20; tries++) {
    uint32_t number = random_node();
    if (number != NONE && model->nodes[number].type >= first && model->nodes[number].type <= last)
      return number;
  }
  return NONE;
}
