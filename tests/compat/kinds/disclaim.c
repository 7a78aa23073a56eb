// Asking about objects that are about to be reclaimed, and finalized objects: gc_disclaim.h.
//
// What procedures count are objects that say who they are; libgc also asks about free ones, which do not.
#include <gc/gc_disclaim.h>
#include <gc/gc_mark.h>

#include "kept.h"

enum { SMALL = sizeof(struct node), LARGE = 200 * 1024 };

static int kind;
static size_t object_bytes = SMALL;

// With mark_from_all libgc goes by the first word: what the object refers to is kept if one of that word's
// two lowest bits is set.
static size_t tag_bytes;

static struct node *
node_of(void *object) {
  return (struct node *)((char *)object + tag_bytes);
}

static bool
says_who_it_is(const struct node *node) {
  int number = number_of(node);
  return number >= 0 && hidden[number / OBJECTS][number % OBJECTS] == GC_HIDE_POINTER(node);
}

// Give up at once; count.
static int GC_CALLBACK
let_go(void *object) {
  struct node *node = node_of(object);
  if (says_who_it_is(node))
    calls[number_of(node) / OBJECTS][number_of(node) % OBJECTS]++;
  return 0;
}

static void
use_kind(GC_disclaim_proc procedure, int mark_from_all) {
  kind = (int)GC_new_kind(GC_new_free_list(), 0, 1, 1);
  GC_register_disclaim_proc(kind, procedure, mark_from_all);
}

static struct node *
new_object(int set, int i) {
  GC_generic_malloc(object_bytes, kind);
  GC_word *object = GC_generic_malloc(object_bytes + tag_bytes, kind);
  object[0] = 1;
  return known_as(node_of(object), set, i);
}

// A is dropped, B held.
static void
drop_and_hold(int i) {
  new_object(A, i);
  held[B][i] = new_object(B, i);
}

// libgc asks about what lies among the living when it looks for free memory.
static void
look_for_memory(void) {
  for (int i = 0; kind && object_bytes == SMALL && i < 10 * OBJECTS; i++)
    GC_generic_malloc(object_bytes + tag_bytes, kind);
}

static void
collect_and_say(int sets) {
  for (int i = 0; i < 3; i++) {
    collect(1);
    look_for_memory();
  }
  say_called(sets);
}

static void
run_drop_and_hold(void) {
  each(drop_and_hold);
  collect_and_say(2);
  collect_and_say(2);
  release(B);
  collect_and_say(2);
  say_faults();
}

static void
asked_once(void) {
  use_kind(let_go, 0);
  run_drop_and_hold();
}

static void
asked_once_of_all(void) {
  use_kind(let_go, 1);
  run_drop_and_hold();
}

static void
asked_of_large(void) {
  object_bytes = LARGE;
  use_kind(let_go, 0);
  run_drop_and_hold();
}

static void
drop_of_two_kinds(int i) {
  known_as(GC_malloc(SMALL), A, i);
  new_object(B, i);
}

static void
only_of_the_kind(void) {
  use_kind(let_go, 0);
  each(drop_of_two_kinds);
  collect_and_say(2);
}

static void
freed(int i) {
  GC_free(new_object(A, i));
}

static void
not_when_freed(void) {
  use_kind(let_go, 0);
  each(freed);
  collect_and_say(1);
}

static void
freed_large(void) {
  object_bytes = LARGE;
  not_when_freed();
}

// ---- Keeping -------------------------------------------------------------------------------------------

static int refusals; // so often each object is kept

static int GC_CALLBACK
refuse(void *object) {
  struct node *node = node_of(object);
  if (!says_who_it_is(node))
    return 0;
  return ++calls[number_of(node) / OBJECTS][number_of(node) % OBJECTS] <= refusals;
}

static void
drop(int i) {
  memset((struct node *)new_object(A, i) + 1, 0x5a, object_bytes - sizeof(struct node));
}

// How many objects are as drop() left them?
static int
untouched(void) {
  int count = 0;
  for (int i = 0; i < OBJECTS; i++) {
    const char *bytes = (const char *)(object(A, i) + 1), *end = (const char *)object(A, i) + object_bytes;
    bool right = says_who_it_is(object(A, i)) && number_of(object(A, i)) == A * OBJECTS + i;
    for (; right && bytes < end; bytes++)
      right = *bytes == 0x5a;
    count += right;
  }
  return count;
}

static int
total_calls(void) {
  int count = 0;
  for (int i = 0; i < OBJECTS; i++)
    count += calls[A][i];
  return count;
}

static void
run_refused(size_t bytes) {
  object_bytes = bytes;
  refusals = 1000;
  use_kind(refuse, 0);
  each(drop);
  collect(5);
  each(dirty);
  collect(1);
  say("whole %s", precisely(untouched(), OBJECTS));
  say("asked again %s", yes(total_calls() > 3 * OBJECTS));
}

static void
keeps(void) {
  run_refused(2 * SMALL);
}

static void
keeps_large(void) {
  run_refused(LARGE);
}

static void
kept_twice(void) {
  refusals = 2;
  use_kind(refuse, 0);
  each(drop);
  collect(6);
  int three = 0;
  for (int i = 0; i < OBJECTS; i++)
    three += calls[A][i] == 3;
  say("three times %s", share(three, OBJECTS));
}

// ---- Marking from all ----------------------------------------------------------------------------------

// The list that A refers to is whole.
static int GC_CALLBACK
look_at_list(void *object) {
  struct node *node = node_of(object);
  int length = 0;
  if (!says_who_it_is(node) || number_of(node) >= OBJECTS)
    return 0;
  calls[A][number_of(node)]++;
  for (node = node->next; node && number_of(node) == B * OBJECTS; node = node->next)
    length++;
  faults += length != 20;
  return 0;
}

static void
drop_list(int i) {
  struct node *node = new_object(A, i);
  for (int length = 0; length < 20; length++) {
    node->next = GC_malloc(sizeof *node);
    node = node->next;
    node->stamp = STAMP + B * OBJECTS;
  }
}

static void
run_lists(size_t bytes) {
  object_bytes = bytes;
  tag_bytes = sizeof(GC_word);
  use_kind(look_at_list, 1);
  each(drop_list);
  collect_and_say(1);
  say_faults();
}

static void
referents(void) {
  run_lists(SMALL);
}

static void
referents_of_large(void) {
  run_lists(LARGE);
}

// A and B of the same kind refer to each other.
static int GC_CALLBACK
look_at_other(void *object) {
  struct node *node = node_of(object);
  if (says_who_it_is(node)) {
    calls[number_of(node) / OBJECTS][number_of(node) % OBJECTS]++;
    faults += number_of(node) < OBJECTS && !says_who_it_is(node->next);
  }
  return 0;
}

static void
drop_pair(int i) {
  new_object(A, i)->next = new_object(B, i);
}

static void
chains(void) {
  tag_bytes = sizeof(GC_word);
  use_kind(look_at_other, 1);
  each(drop_pair);
  collect_and_say(2);
  say_faults();
}

// ---- Finalized objects ---------------------------------------------------------------------------------

static void GC_CALLBACK
closed(void *object, void *data) {
  struct node *node = object;
  int set = data == &calls[A] ? A : data == &calls[B] ? B : -1;
  if (!says_who_it_is(node) || number_of(node) / OBJECTS != set) {
    faults++;
    return;
  }
  calls[set][number_of(node) % OBJECTS]++;
  faults += node->next && number_of(node->next) != C * OBJECTS;
}

static const struct GC_finalizer_closure closures[] = {{closed, &calls[A]}, {closed, &calls[B]}};

static struct node *
new_finalized(int set, int i) {
  struct node *node = GC_finalized_malloc(object_bytes, &closures[set]);
  check_zero(node, object_bytes);
  known_as(node, set, i);
  node->next = GC_malloc(sizeof *node);
  node->next->stamp = STAMP + C * OBJECTS;
  return node;
}

static void
drop_and_hold_finalized(int i) {
  new_finalized(A, i);
  held[B][i] = new_finalized(B, i);
}

static void
run_finalized(size_t bytes) {
  object_bytes = bytes;
  GC_init_finalized_malloc();
  GC_init_finalized_malloc();
  each(dirty);
  collect(2);
  each(drop_and_hold_finalized);
  collect_and_say(2);
  release(B);
  collect_and_say(2);
  say_faults();
}

static void
finalized_once(void) {
  run_finalized(SMALL);
}

static void
finalized_large(void) {
  run_finalized(LARGE);
}

static void
hold_inside(int i) {
  held[B][i] = (struct node *)((char *)new_finalized(B, i) + (size_t)i % (SMALL - 1));
}

static void
held_inside(void) {
  GC_init_finalized_malloc();
  each(hold_inside);
  collect(3);
  say("%d", called(B));
}

static void
base_and_size(void) {
  GC_init_finalized_malloc();
  for (size_t bytes = 8; bytes < 300000; bytes = bytes * 5 + 8) {
    char *finalized = GC_finalized_malloc(bytes, &closures[A]), *base = GC_base(finalized);
    say("%d%s", (int)(finalized - base), GC_size(base) >= bytes + sizeof(GC_word) ? "" : " too small");
  }
}

static void
free_finalized(int i) {
  GC_free(GC_base(new_finalized(A, i)));
}

static void
finalized_freed(void) {
  GC_init_finalized_malloc();
  each(free_finalized);
  collect_and_say(1);
  say_faults();
}

static void
make_closure(int i) {
  struct GC_finalizer_closure *closure = GC_malloc(sizeof *closure);
  closure->proc = closed;
  closure->cd = &calls[A];
  known_as(GC_finalized_malloc(object_bytes, closure), A, i);
}

static void
collected_closures(void) {
  GC_init_finalized_malloc();
  each(make_closure);
  each(dirty);
  collect_and_say(1);
  say_faults();
}

// A's finalizer is called while B, which it refers to, is whole.
static void
drop_finalized_pair(int i) {
  struct node *node = new_finalized(A, i);
  node->other = new_finalized(B, i);
}

static void
finalized_chain(void) {
  GC_init_finalized_malloc();
  each(drop_finalized_pair);
  collect(1);
  say("B %s", share(called(B), OBJECTS));
  collect(5);
  say_called(2);
  say_faults();
}

int
main(int argc, char **argv) {
  static const char once[] = "A most, B none; A most, B none; A most, B most";
  static const struct clause clauses[] = {
      {"disclaim: asked about the dead, once, and never about the living", asked_once, once},
      {"disclaim: ... with mark_from_all", asked_once_of_all, once},
      {"disclaim: ... about large objects", asked_of_large, once},
      {"disclaim: only about the kind", only_of_the_kind, "A none, B most"},
      {"disclaim: not when freed", not_when_freed, "A none"},
      {"disclaim: not when freed, large objects", freed_large, "A none"},
      {"disclaim: other than 0 keeps", keeps, "whole all; asked again yes"},
      {"disclaim: other than 0 keeps large objects", keeps_large, "whole all; asked again yes"},
      {"disclaim: other than 0 keeps until the next collection", kept_twice, "three times most"},
      {"disclaim: with mark_from_all what it refers to is whole", referents, "A most"},
      {"disclaim: ... of large objects", referents_of_large, "A most"},
      {"disclaim: ... also if of the same kind", chains, "A most, B most"},
      {"finalized_malloc: called once, for the dead", finalized_once, "A most, B none; A most, B most"},
      {"finalized_malloc: large objects", finalized_large, "A most, B none; A most, B most"},
      {"finalized_malloc: pointers into the middle keep it", held_inside, "0"},
      {"finalized_malloc: base and size", base_and_size, "8; 8; 8; 8; 8; 8; 8"},
      {"finalized_malloc: not called when freed", finalized_freed, "A none"},
      {"finalized_malloc: keeps its closure", collected_closures, "A most"},
      {"finalized_malloc: B is whole when A goes, and goes later", finalized_chain, "B none; A most, B most"},
  };
  return RUN_CLAUSES(clauses, argc > 1 ? argv[1] : NULL);
}
