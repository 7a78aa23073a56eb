// Random graphs of objects of all kinds that libgc's interface for implementations of languages knows: with
// layouts of every length, arrays of them, types with descriptors, descriptors in the object, mark procedures
// that look outside the heap, disclaimed and finalized ones.  What pointers lead to must stay as it is, and
// be found from where only the descriptor says that there is one; words that are said to be none are full of
// addresses that must keep nobody.
//
// A failure prints the operation's number and the command that replays it.

#include <string.h>

#include "compat/include/gc/gc_disclaim.h"
#include "compat/include/gc/gc_gcj.h"
#include "compat/include/gc/gc_mark.h"
#include "compat/include/gc/gc_typed.h"
#include "gc.h"
#include "tests/model/phases.h"

enum { NODES = 400, ROOTS = 12, FIELDS_MAX = 24, LAYOUTS = 40, WORDS_MAX = 400, LONG_EVERY = 6 };

enum shape { PLAIN, LAYOUT, ARRAY, TYPED_CLASS, CLASS_OF_PROCEDURE, IN_OBJECT, PROCEDURE, FINALIZED, SHAPES };

// Where the pointers are in an object.
struct layout {
  GC_descr descriptor;
  unsigned words, field_count, fields[FIELDS_MAX];
};

struct class {
  void *vtable[2]; // the second is the descriptor
};

struct node {
  uintptr_t *address; // hidden from the collector in malloc's memory
  enum shape shape;
  unsigned number; // its mark
  unsigned words, elements;
  const struct layout *layout;
  unsigned side; // of PROCEDURE, four words of memory outside the heap
  bool reachable, used;
};

static struct {
  struct random random;
  struct layout layouts[LAYOUTS];
  struct class classes[LAYOUTS], procedure_class;
  struct node *nodes; // in malloc's memory
  uintptr_t **sides;  // likewise
  unsigned *reachable, reachable_count;
  unsigned numbers, procedure_kind, in_object_kind;
} model;

static uintptr_t *volatile roots[ROOTS];
static volatile unsigned long finalized;

static size_t
below(size_t limit) {
  return random_below(&model.random, limit);
}

// ---- Layouts -------------------------------------------------------------------------------------------

// The first word is the object's number, or its class.
static void
make_layout(struct layout *layout, bool is_long) {
  GC_word bitmap[WORDS_MAX / 64 + 1] = {0};
  layout->words = (unsigned)(is_long ? random_between(&model.random, 63, WORDS_MAX)
                                     : random_between(&model.random, 3, 40));
  unsigned wanted = (unsigned)random_between(&model.random, 1, FIELDS_MAX);
  layout->field_count = 0;
  for (unsigned word = 2; word < layout->words && layout->field_count < wanted; word++)
    if (random_one_in(&model.random, layout->words / 8 + 1)) {
      layout->fields[layout->field_count++] = word;
      GC_set_bit(bitmap, word);
    }
  layout->descriptor = GC_make_descriptor(bitmap, layout->words);
}

// Marks the pointers in memory that the second word tells of.
static struct GC_ms_entry *
mark_side(GC_word *object, struct GC_ms_entry *top, struct GC_ms_entry *limit, GC_word environment) {
  uintptr_t **side = (uintptr_t **)object[1];
  if (object[0] == 0 || !side || environment != 77)
    return top; // not filled yet
  for (unsigned i = 0; i < 4; i++)
    top = GC_MARK_AND_PUSH(side[i], top, limit, (void **)&side[i]);
  return top;
}

// The last two of its words.
static struct GC_ms_entry *
mark_end(GC_word *object, struct GC_ms_entry *top, struct GC_ms_entry *limit, GC_word environment) {
  size_t words = GC_size(object) / sizeof(GC_word);
  (void)environment;
  for (size_t i = words - 2; i < words; i++)
    top = GC_MARK_AND_PUSH((void *)object[i], top, limit, (void **)&object[i]);
  return top;
}

static void
prepare(uint64_t seed) {
  model.random.state = seed;
  model.nodes = calloc(NODES, sizeof *model.nodes);
  model.sides = calloc(NODES * 4, sizeof *model.sides);
  model.reachable = calloc(NODES, sizeof *model.reachable);
  GC_init_gcj_malloc(GC_GCJ_RESERVED_MARK_PROC_INDEX, (void *)(uintptr_t)mark_end);
  GC_init_finalized_malloc();
  for (unsigned i = 0; i < LAYOUTS; i++) {
    make_layout(&model.layouts[i], i % LONG_EVERY == 0);
    model.classes[i].vtable[1] = (void *)model.layouts[i].descriptor;
  }
  model.procedure_class.vtable[1] = (void *)GC_MAKE_PROC(GC_GCJ_RESERVED_MARK_PROC_INDEX, 0);
  model.procedure_kind = GC_new_kind(GC_new_free_list(), GC_MAKE_PROC(GC_new_proc(mark_side), 77), 0, 1);
  model.in_object_kind = GC_new_kind(GC_new_free_list(), sizeof(GC_word) | GC_DS_PER_OBJECT, 0, 1);
}

// ---- Objects -------------------------------------------------------------------------------------------

static void GC_CALLBACK
finalize(void *object, void *data) {
  (void)object, (void)data;
  finalized++;
}

static const struct GC_finalizer_closure closure = {finalize, NULL};

static uintptr_t *
allocate(struct node *node) {
  const struct layout *layout = node->layout;
  size_t bytes = node->words * sizeof(GC_word);
  switch (node->shape) {
  case LAYOUT:
    return GC_malloc_explicitly_typed(bytes, layout->descriptor);
  case ARRAY:
    return GC_calloc_explicitly_typed(node->elements, layout->words * sizeof(GC_word), layout->descriptor);
  case TYPED_CLASS:
    return GC_gcj_malloc(bytes, &model.classes[layout - model.layouts]);
  case CLASS_OF_PROCEDURE:
    return GC_gcj_malloc(bytes, &model.procedure_class);
  case IN_OBJECT:
    return GC_generic_malloc(bytes, (int)model.in_object_kind);
  case PROCEDURE:
    return GC_generic_malloc(bytes, (int)model.procedure_kind);
  case FINALIZED:
    return GC_finalized_malloc(bytes, &closure);
  default:
    return GC_malloc(bytes);
  }
}

static unsigned
field_count(const struct node *node) {
  switch (node->shape) {
  case ARRAY:
    return node->elements * node->layout->field_count;
  case CLASS_OF_PROCEDURE:
    return 2;
  case PROCEDURE:
    return 4;
  case PLAIN:
  case FINALIZED:
    return node->words - 2;
  default:
    return node->layout->field_count;
  }
}

// Where a pointer of the object is.
static uintptr_t **
field(const struct node *node, unsigned number) {
  uintptr_t **words = (uintptr_t **)(void *)node->address;
  switch (node->shape) {
  case ARRAY: {
    unsigned element = number / node->layout->field_count;
    return &words[element * node->layout->words + node->layout->fields[number % node->layout->field_count]];
  }
  case CLASS_OF_PROCEDURE:
    return &words[GC_size(node->address) / sizeof(GC_word) - 2 + number];
  case PROCEDURE:
    return &model.sides[node->side * 4 + number];
  case PLAIN:
  case FINALIZED:
    return &words[2 + number];
  default:
    return &words[node->layout->fields[number]];
  }
}

// A word by which the object is known: no pointer.
static uintptr_t *
mark_of(const struct node *node) {
  bool first_is_class = node->shape == TYPED_CLASS || node->shape == CLASS_OF_PROCEDURE;
  return &node->address[first_is_class];
}

static bool
has_mark(const struct node *node) {
  if (node->shape == IN_OBJECT && node->address[1] != node->layout->descriptor)
    return false;
  return *mark_of(node) == node->number;
}

static bool
is_pointer_word(const struct node *node, const uintptr_t *word) {
  for (unsigned i = 0; i < field_count(node); i++)
    if ((uintptr_t *)(void *)field(node, i) == word)
      return true;
  return false;
}

// Words that are no pointers get addresses of other objects.
static void
fill_with_decoys(struct node *node) {
  if (node->shape == PLAIN || node->shape == FINALIZED || node->shape == ARRAY)
    return;
  for (unsigned i = 2; i < 64 && i < node->layout->words && i < node->words; i++)
    if (!is_pointer_word(node, &node->address[i]))
      node->address[i] = (uintptr_t)model.nodes[below(NODES)].address;
}

static void
create(struct node *node) {
  unsigned index = (unsigned)(node - model.nodes);
  *node = (struct node){.shape = (enum shape)below(SHAPES), .side = index, .used = true};
  node->layout = &model.layouts[below(LAYOUTS)];
  bool is_long = node->layout->words > 62;
  bool is_large = random_one_in(&model.random, 4); // in a page of its own, or nearly, which is armed
  node->elements = (unsigned)random_between(&model.random, 1, is_large && !is_long ? 3000 : 30);
  node->words = node->shape == CLASS_OF_PROCEDURE ? 6 : node->shape == PROCEDURE ? 4 : node->layout->words;
  if (is_large && node->shape != PLAIN && node->shape != FINALIZED && node->shape != ARRAY)
    node->words +=
        random_one_in(&model.random, 2) ? 17000 : (unsigned)random_between(&model.random, 500, 20000);
  node->number = ++model.numbers;
  memset(&model.sides[index * 4], 0, 4 * sizeof *model.sides);
  node->address = allocate(node);
  MODEL_CHECK(node->address, "memory is refused");
  for (unsigned i = node->shape == TYPED_CLASS || node->shape == CLASS_OF_PROCEDURE; i < node->words; i++)
    MODEL_CHECK(node->address[i] == 0, "word %u of a new object of shape %d is not zero", i,
                (int)node->shape);
  if (node->shape == IN_OBJECT)
    node->address[1] = node->layout->descriptor;
  if (node->shape == PROCEDURE)
    node->address[1] = (uintptr_t)&model.sides[index * 4];
  *mark_of(node) = node->number;
  fill_with_decoys(node);
  GC_end_stubborn_change(node->address);
}

// ---- Reachability --------------------------------------------------------------------------------------

static struct node *
node_at(const uintptr_t *address) {
  for (unsigned i = 0; i < NODES; i++)
    if (model.nodes[i].used && model.nodes[i].address == address)
      return &model.nodes[i];
  model_fail("a pointer leads to %p, which is no object", (const void *)address);
}

static void
reach(uintptr_t *address) {
  if (!address)
    return;
  struct node *node = node_at(address);
  if (node->reachable)
    return;
  MODEL_CHECK(has_mark(node), "object %u of shape %d has changed or is lost", node->number, (int)node->shape);
  node->reachable = true;
  model.reachable[model.reachable_count++] = (unsigned)(node - model.nodes);
}

// Find what is reachable; all else is forgotten, since its memory may be anything from now on.
static void
look_round(void) {
  model.reachable_count = 0;
  for (unsigned i = 0; i < NODES; i++)
    model.nodes[i].reachable = false;
  for (unsigned i = 0; i < ROOTS; i++)
    reach(roots[i]);
  for (unsigned at = 0; at < model.reachable_count; at++) {
    const struct node *node = &model.nodes[model.reachable[at]];
    for (unsigned i = 0; i < field_count(node); i++)
      reach(*field(node, i));
  }
  for (unsigned i = 0; i < NODES; i++)
    if (!model.nodes[i].reachable)
      model.nodes[i].used = false;
}

static struct node *
any_reachable(void) {
  return model.reachable_count ? &model.nodes[model.reachable[below(model.reachable_count)]] : NULL;
}

// ---- Operations ----------------------------------------------------------------------------------------

static void
store(struct node *holder, unsigned number, uintptr_t *value) {
  uintptr_t **place = field(holder, number);
  *place = value;
  if (holder->shape != PROCEDURE)
    GC_end_stubborn_change(place);
}

static void
operate_link(void) {
  struct node *holder = any_reachable(), *target = any_reachable();
  if (holder && field_count(holder) > 0)
    store(holder, (unsigned)below(field_count(holder)), target->address);
}

// Into a root, or a field.
static void
operate_create(void) {
  unsigned index = 0;
  while (index < NODES && model.nodes[index].used)
    index++;
  if (index == NODES)
    return;
  struct node *holder = any_reachable();
  create(&model.nodes[index]);
  if (holder && field_count(holder) > 0 && below(4))
    store(holder, (unsigned)below(field_count(holder)), model.nodes[index].address);
  else
    roots[below(ROOTS)] = model.nodes[index].address;
}

static void
operate_unlink(void) {
  struct node *holder = any_reachable();
  if (holder && field_count(holder) > 0)
    store(holder, (unsigned)below(field_count(holder)), NULL);
}

static void
operate_unroot(void) {
  roots[below(ROOTS)] = NULL;
}

static void
operate_root(void) {
  struct node *node = any_reachable();
  if (node)
    roots[below(ROOTS)] = node->address;
}

static void
operate_collect(void) {
  switch (below(6)) {
  case 0:
    GC_gcollect();
    break;
  case 1:
    GC_collect_a_little();
    break;
  case 2:
    MODEL_CHECK(gc_verify() == 0, "the verifier finds faults");
    break;
  default:
    for (size_t i = below(6000); i > 0; i--)
      GC_malloc(64);
  }
}

static void
operate(void) {
  static void (*const operations[])(void) = {operate_create, operate_create, operate_create, operate_link,
                                             operate_link,   operate_unlink, operate_unroot, operate_root};
  failure_operation++;
  if (random_one_in(&model.random, 20))
    operate_collect();
  else
    operations[below(sizeof operations / sizeof operations[0])]();
  look_round();
}

static void
run(uint64_t seed, double seconds, unsigned long operations_max) {
  double limit = seconds_now() + seconds;
  GC_INIT();
  progress->started = 1;
  prepare(seed);
  while (operations_max ? failure_operation < operations_max : seconds_now() < limit)
    operate();
  MODEL_CHECK(failure_operation < 20000 || finalized > 0, "no finalized object was reclaimed");
  progress->operations += failure_operation;
}

int
main(int argc, char **argv) {
  return phases_main(argc, argv, run);
}
