// Toggle references: strong or weak, as the program's function says at each collection.

#include "../clauses.h"

static GC_ToggleRefStatus answers[SETS];
static int asked[SETS][OBJECTS], asked_others;

static GC_ToggleRefStatus
answer(void *toggled) {
  int number = number_of(toggled);
  if (number < 0 || hidden[number / OBJECTS][number % OBJECTS] != GC_HIDE_POINTER(toggled)) {
    asked_others++;
    return GC_TOGGLE_REF_DROP;
  }
  asked[number / OBJECTS][number % OBJECTS]++;
  return answers[number / OBJECTS];
}

static void
answer_for(int set, GC_ToggleRefStatus status) {
  answers[set] = status;
}

static void
toggled(int set, int i, int is_strong) {
  struct node *node = new_node(set, i);
  watch(set, i, node);
  if (GC_toggleref_add(node, is_strong) != GC_SUCCESS)
    faults++;
}

static void
weak(int i) {
  toggled(A, i, 0);
}

static void
strong(int i) {
  toggled(A, i, 1);
}

// How many objects have been asked about a number of times.
static void
say_asked(int set, int times) {
  int count = 0;
  for (int i = 0; i < OBJECTS; i++)
    count += asked[set][i] == times;
  say("asked %d times %s", times, precisely(count, OBJECTS));
}

static void
say_gone(int set) {
  say("gone %s", share(cleared(links[set]), OBJECTS));
  if (asked_others)
    say("asked about others %d", asked_others);
  say_faults();
}

// ---- Weak, strong, neither -----------------------------------------------------------------------------

static void
getter(void) {
  say("%s", yes(GC_get_toggleref_func() == NULL));
  GC_set_toggleref_func(answer);
  say("%s", yes(GC_get_toggleref_func() == answer));
}

static void
without_function(void) {
  each(strong);
  GC_set_toggleref_func(answer);
  answer_for(A, GC_TOGGLE_REF_STRONG);
  collect(2);
  say_asked(A, 0);
  say_gone(A);
}

static void
stays_strong(void) {
  GC_set_toggleref_func(answer);
  answer_for(A, GC_TOGGLE_REF_STRONG);
  each(strong);
  for (int times = 1; times <= 3; times++) {
    collect(1);
    say_asked(A, times);
    say_gone(A);
  }
}

static void
stays_weak(void) {
  GC_set_toggleref_func(answer);
  answer_for(A, GC_TOGGLE_REF_WEAK);
  each(weak);
  collect(1);
  say_asked(A, 1);
  say_gone(A);
  collect(3);
  say("later %s", share(asked[A][0] > 1, 1));
}

static void
strong_becomes_weak(void) {
  GC_set_toggleref_func(answer);
  answer_for(A, GC_TOGGLE_REF_STRONG);
  each(strong);
  collect(2);
  say_gone(A);
  answer_for(A, GC_TOGGLE_REF_WEAK);
  collect(1);
  say_gone(A);
}

// The function is asked before anything dies, so that what was added weak may become strong.
static void
weak_becomes_strong(void) {
  GC_set_toggleref_func(answer);
  answer_for(A, GC_TOGGLE_REF_STRONG);
  each(weak);
  collect(3);
  say_asked(A, 3);
  say_gone(A);
}

static void
dropped(void) {
  GC_set_toggleref_func(answer);
  answer_for(A, GC_TOGGLE_REF_DROP);
  each(strong);
  collect(1);
  say_gone(A);
  collect(2);
  say_asked(A, 1);
}

static void
held_weak(int i) {
  weak(i);
  held[A][i] = object(A, i);
}

static void
dropped_but_held(void) {
  GC_set_toggleref_func(answer);
  answer_for(A, GC_TOGGLE_REF_DROP);
  each(held_weak);
  collect(3);
  say_asked(A, 1);
  say_gone(A);
}

static void
weak_but_held(void) {
  GC_set_toggleref_func(answer);
  answer_for(A, GC_TOGGLE_REF_WEAK);
  each(held_weak);
  collect(3);
  say_asked(A, 3);
  say_gone(A);
  release(A);
  collect(1);
  say_asked(A, 4);
  say_gone(A);
}

static void
there_and_back(void) {
  GC_set_toggleref_func(answer);
  each(held_weak);
  for (int round = 0; round < 3; round++) {
    answer_for(A, GC_TOGGLE_REF_WEAK);
    collect(1);
    answer_for(A, GC_TOGGLE_REF_STRONG);
    release(A);
    collect(1);
    for (int i = 0; i < OBJECTS; i++)
      held[A][i] = object(A, i);
  }
  say_asked(A, 6);
  say_gone(A);
}

// ---- What hangs on it ----------------------------------------------------------------------------------

static void
strong_with_list(int i) {
  strong(i);
  struct node *a = object(A, i), *b = new_node(B, i);
  a->next = b;
  b->next = new_node(C, i);
  watch(B, i, b);
  watch(C, i, b->next);
}

static void
keeps_what_it_refers_to(void) {
  GC_set_toggleref_func(answer);
  answer_for(A, GC_TOGGLE_REF_STRONG);
  each(strong_with_list);
  for (int i = 0; i < 3; i++) {
    collect(1);
    for (int j = 0; j < 50; j++)
      litter();
  }
  int whole = 0;
  for (int i = 0; i < OBJECTS; i++)
    whole += intact(object(A, i)) && number_of(object(A, i)->next->next) == C * OBJECTS + i;
  say("whole %s", precisely(whole, OBJECTS));
  for (int set = A; set <= C; set++)
    say_gone(set);
  answer_for(A, GC_TOGGLE_REF_WEAK);
  collect(1);
  for (int set = A; set <= C; set++)
    say_gone(set);
}

static void
strong_finalizable(int i) {
  strong(i);
  watch_long(A, i, object(A, i));
  enroll(ORDERED, object(A, i), A, i);
}

static void
finalized_when_weak(void) {
  GC_set_toggleref_func(answer);
  answer_for(A, GC_TOGGLE_REF_STRONG);
  each(strong_finalizable);
  say_steps(1, 2);
  answer_for(A, GC_TOGGLE_REF_WEAK);
  say_steps(1, 1);
  say_gone(A);
}

// Asked until the object is collected, which a finalizer delays.
static void
asked_until_collected(void) {
  GC_set_toggleref_func(answer);
  answer_for(A, GC_TOGGLE_REF_WEAK);
  each(strong_finalizable);
  say_steps(1, 1);
  say_asked(A, 1);
  collect(1);
  say("again %s", share(asked[A][0] + asked[A][OBJECTS / 2] + asked[A][OBJECTS - 1] - 3, 3));
  collect(3);
  say_cleared("long", long_links[A]);
  int more = 0;
  for (int i = 0; i < OBJECTS; i++)
    more += asked[A][i] > 2;
  say("more %s", more <= OBJECTS / 10 ? "hardly" : "yes");
}

static void
strong_again_after_finalizer(void) {
  GC_set_toggleref_func(answer);
  answer_for(A, GC_TOGGLE_REF_WEAK);
  each(strong_finalizable);
  say_steps(1, 1);
  answer_for(A, GC_TOGGLE_REF_STRONG);
  collect(3);
  say_cleared("long", long_links[A]);
  int whole = 0;
  for (int i = 0; i < OBJECTS; i++)
    whole += intact(object(A, i));
  say("whole %s", precisely(whole, OBJECTS));
  say_faults();
}

static void
pointer_free(int i) {
  struct node *node = new_atomic_node(A, i);
  watch(A, i, node);
  GC_toggleref_add(node, 1);
}

static void
pointer_free_objects(void) {
  GC_set_toggleref_func(answer);
  answer_for(A, GC_TOGGLE_REF_STRONG);
  each(pointer_free);
  collect(2);
  say_gone(A);
  answer_for(A, GC_TOGGLE_REF_WEAK);
  collect(1);
  say_gone(A);
}

// ---- Many ----------------------------------------------------------------------------------------------

static void
three_sets(int i) {
  for (int set = A; set <= C; set++)
    toggled(set, i, set == B);
}

static void
mixed(void) {
  GC_set_toggleref_func(answer);
  answer_for(A, GC_TOGGLE_REF_STRONG);
  answer_for(B, GC_TOGGLE_REF_WEAK);
  answer_for(C, GC_TOGGLE_REF_DROP);
  each(three_sets);
  collect(2);
  say_asked(A, 2);
  for (int set = A; set <= C; set++)
    say_gone(set);
}

// ---- All -----------------------------------------------------------------------------------------------

int
main(int argc, char **argv) {
  static const struct clause clauses[] = {
      {"getter", getter, "yes; yes"},
      {"without a function nothing is added", without_function, "asked 0 times all; gone most"},
      {"strong: keeps the object, asked once a collection", stays_strong,
       "asked 1 times all; gone none; asked 2 times all; gone none; asked 3 times all; gone none"},
      {"weak: does not keep it", stays_weak, "asked 1 times all; gone most; later none"},
      {"strong, then weak", strong_becomes_weak, "gone none; gone most"},
      {"weak, then strong: asked first", weak_becomes_strong, "asked 3 times all; gone none"},
      {"dropped: not asked again", dropped, "gone most; asked 1 times all"},
      {"dropped, but held", dropped_but_held, "asked 1 times all; gone none"},
      {"weak, but held: asked still", weak_but_held,
       "asked 3 times all; gone none; asked 4 times all; gone most"},
      {"there and back", there_and_back, "asked 6 times all; gone none"},
      {"strong: keeps what the object refers to", keeps_what_it_refers_to,
       "whole all; gone none; gone none; gone none; gone most; gone most; gone most"},
      {"strong: not finalized until weak", finalized_when_weak, "A none; A none; A most; gone most"},
      {"weak: asked until the finalized object is collected", asked_until_collected,
       "A most; asked 1 times all; again most; long most; more hardly"},
      {"strong again after the finalizer", strong_again_after_finalizer, "A most; long none; whole all"},
      {"pointer-free objects", pointer_free_objects, "gone none; gone most"},
      {"three hundred, of three sorts", mixed, "asked 2 times all; gone none; gone most; gone most"},
  };
  return RUN_CLAUSES(clauses, argc > 1 ? argv[1] : NULL);
}
