// Disappearing links: which words are cleared, and when; and long links, which last longer.

#include "../clauses.h"

static int as_wanted; // results of calls that were what they had to be

static void
expect(int result, int wanted) {
  as_wanted += result == wanted;
}

static void
held_node(int i) {
  held[A][i] = new_node(A, i);
}

// ---- Where links are -----------------------------------------------------------------------------------

static void **words; // of OBJECTS
static bool words_are_hidden;

static void
linked(int i) {
  held_node(i);
  words[i] = words_are_hidden ? (void *)hidden[A][i] : held[A][i];
  expect(GC_general_register_disappearing_link(&words[i], held[A][i]), GC_SUCCESS);
}

static void
links_in(void *memory, bool are_hidden) {
  words = memory;
  words_are_hidden = are_hidden;
  each(linked);
  say("registered %s", precisely(as_wanted, OBJECTS));
  collect(3);
  int unchanged = 0;
  for (int i = 0; i < OBJECTS; i++)
    unchanged += words[i] == (are_hidden ? (void *)hidden[A][i] : held[A][i]);
  say("unchanged %s", precisely(unchanged, OBJECTS));
  release(A);
  collect(1);
  say_cleared("gone", words);
}

static void
in_static_data(void) {
  links_in(links[A], true);
}

static void
in_static_data_plainly(void) {
  links_in(links[A], false);
}

static void
on_stack(void) {
  void *here[OBJECTS];
  links_in(here, true);
}

static void
in_malloc(void) {
  links_in(malloc(OBJECTS * sizeof *words), false);
}

static void
in_atomic(void) {
  links_in(GC_malloc_atomic(OBJECTS * sizeof *words), false);
}

static void
in_large_atomic(void) {
  links_in((char *)GC_malloc_atomic(1 << 20) + 500000, false);
}

static void
in_uncollectable(void) {
  links_in(GC_malloc_atomic_uncollectable(OBJECTS * sizeof *words), false);
}

static void
in_object(void) {
  links_in(GC_malloc(OBJECTS * sizeof *words), true);
}

static void
many(void) {
  enum { MANY = 20000 };
  static void *many_links[MANY];
  GC_disable();
  for (int i = 0; i < MANY; i++) {
    deeply(FRAMES, held_node, i % OBJECTS);
    many_links[i] = (void *)hidden[A][i % OBJECTS];
    GC_general_register_disappearing_link(&many_links[i], held[A][i % OBJECTS]);
  }
  GC_enable();
  collect(1);
  int count = 0;
  for (int i = 0; i < MANY; i++)
    count += many_links[i] == NULL;
  say("%s", share(count, MANY - OBJECTS));
  release(A);
  collect(1);
  for (int i = count = 0; i < MANY; i++)
    count += many_links[i] == NULL;
  say("%s", share(count, MANY));
}

// ---- To what they are ----------------------------------------------------------------------------------

static void
linked_kinds(int i) {
  watch(A, i, held[A][i] = new_node(A, i));
  watch(B, i, held[B][i] = new_atomic_node(B, i));
  watch(C, i, held[C][i] = known_as(GC_malloc(5000), C, i));
  watch(D, i, known_as(GC_malloc_uncollectable(sizeof(struct node)), D, i));
}

static void
to_all_kinds(void) {
  each(linked_kinds);
  collect(2);
  for (int set = A; set <= D; set++)
    say("%s", share(cleared(links[set]), OBJECTS));
  for (int set = A; set <= C; set++)
    release(set);
  collect(1);
  for (int set = A; set <= D; set++)
    say("%s", share(cleared(links[set]), OBJECTS));
  say_faults();
}

static void
linked_cycle(int i) {
  struct node *a = new_node(A, i), *b = new_node(B, i);
  a->next = b;
  b->next = a;
  watch(A, i, a);
  watch(B, i, b);
}

static void
to_cycles(void) {
  each(linked_cycle);
  collect(1);
  say_cleared("A", links[A]);
  say_cleared("B", links[B]);
}

static void
linked_inside(int i) {
  watch(A, i, new_node(A, i));
  held[A][i] = (struct node *)((char *)object(A, i) + 13);
}

static void
kept_by_inside(void) {
  each(linked_inside);
  collect(2);
  say_cleared("gone", links[A]);
  release(A);
  collect(1);
  say_cleared("gone", links[A]);
}

static void
linked_three_times(int i) {
  struct node *node = new_node(A, i);
  for (int set = A; set <= C; set++)
    watch(set, i, node);
}

static void
several_to_one(void) {
  each(linked_three_times);
  collect(1);
  int mixed = 0;
  for (int i = 0; i < OBJECTS; i++)
    mixed += !links[A][i] != !links[B][i] || !links[A][i] != !links[C][i];
  say_cleared("gone", links[A]);
  say("mixed %d", mixed);
}

static void
linked_with_number(int i) {
  links[A][i] = (void *)(GC_word)(2 * i + 1);
  GC_general_register_disappearing_link(&links[A][i], new_node(A, i));
}

static void
whatever_it_holds(void) {
  each(linked_with_number);
  collect(1);
  say_cleared("gone", links[A]);
}

static void *
reveal(void *word) {
  return *(void **)word ? GC_REVEAL_POINTER(*(GC_hidden_pointer *)word) : NULL;
}

static void
read_links(int i) {
  struct node *node = GC_call_with_alloc_lock(reveal, &links[A][i]);
  if (node && (!intact(node) || GC_HIDE_POINTER(node) != hidden[A][i]))
    faults++;
  as_wanted += node != NULL;
}

static void
read_with_lock(void) {
  words = links[A];
  words_are_hidden = true;
  each(linked);
  as_wanted = 0;
  each(read_links);
  say("there %s", precisely(as_wanted, OBJECTS));
  release(A);
  collect(1);
  as_wanted = 0;
  each(read_links);
  say("gone %s", share(OBJECTS - as_wanted, OBJECTS));
  say_faults();
}

// ---- Results -------------------------------------------------------------------------------------------

static void *word, *second_word, *third_word;

OUT_OF_LINE void
hold_two(void) {
  held_node(0);
  held_node(1);
}

static void
results(void) {
  hold_two();
  say("%d", GC_unregister_disappearing_link(&word));
  say("%d", GC_general_register_disappearing_link(&word, held[A][0]));
  say("%d", GC_general_register_disappearing_link(&word, held[A][0]));
  say("%d", GC_general_register_disappearing_link(&word, held[A][1]));
  say("%d", GC_unregister_disappearing_link(&word));
  say("%d", GC_unregister_disappearing_link(&word));
  say("%d", GC_general_register_disappearing_link(&word, held[A][0]));
}

static void
long_results(void) {
  hold_two();
  say("%d", GC_unregister_long_link(&word));
  say("%d", GC_register_long_link(&word, held[A][0]));
  say("%d", GC_register_long_link(&word, held[A][0]));
  say("%d", GC_register_long_link(&word, held[A][1]));
  say("%d", GC_unregister_long_link(&word));
  say("%d", GC_unregister_long_link(&word));
  say("%d", GC_register_long_link(&word, held[A][0]));
}

static void
no_links(void) {
  void **misaligned = (void **)((char *)&word + 1);
  say("%d", GC_unregister_disappearing_link(NULL));
  say("%d", GC_unregister_disappearing_link(misaligned));
  say("%d", GC_unregister_long_link(NULL));
  say("%d", GC_unregister_long_link(misaligned));
  say("%d", GC_move_disappearing_link(NULL, &word));
  say("%d", GC_move_disappearing_link(misaligned, &word));
  say("%d", GC_move_long_link(NULL, &word));
  say("%d", GC_move_long_link(misaligned, &word));
}

static void
unregistered(int i) {
  watch(A, i, new_node(A, i));
  expect(GC_unregister_disappearing_link(&links[A][i]), 1);
  watch_long(A, i, object(A, i));
  expect(GC_unregister_long_link(&long_links[A][i]), 1);
}

static void
unregistering(void) {
  each(unregistered);
  say("results %s", precisely(as_wanted, 2 * OBJECTS));
  collect(2);
  say_cleared("gone", links[A]);
  say_cleared("gone", long_links[A]);
}

static void
watched(int i) {
  watch(A, i, new_node(A, i));
  watch_long(A, i, object(A, i));
}

static void
unregistered_when_cleared(void) {
  each(watched);
  collect(1);
  for (int i = 0; i < OBJECTS; i++) {
    as_wanted += links[A][i] == NULL && GC_unregister_disappearing_link(&links[A][i]) == 0;
    as_wanted += long_links[A][i] == NULL && GC_unregister_long_link(&long_links[A][i]) == 0;
  }
  say("%s", share(as_wanted, 2 * OBJECTS));
}

// A second registration of a word replaces the object.
static void
registered_twice(int i) {
  struct node *first = new_node(A, i), *second = new_node(B, i);
  held[B][i] = second;
  watch(A, i, first);
  expect(GC_general_register_disappearing_link(&links[A][i], second), GC_DUPLICATE);
  watch_long(A, i, first);
  expect(GC_register_long_link(&long_links[A][i], second), GC_DUPLICATE);
  watch(B, i, first);
}

static void
duplicates(void) {
  each(registered_twice);
  say("results %s", precisely(as_wanted, 2 * OBJECTS));
  collect(2);
  say_cleared("first", links[B]);
  say_cleared("gone", links[A]);
  say_cleared("gone", long_links[A]);
  release(B);
  collect(1);
  say_cleared("gone", links[A]);
  say_cleared("gone", long_links[A]);
}

// ---- Links and finalizers ------------------------------------------------------------------------------

static int cleared_before, set_before, long_cleared_before;

static void
look_at_links(void *finalizable, void *data) {
  int number = called_for(finalizable);
  (void)data;
  if (number < 0)
    return;
  cleared_before += links[number / OBJECTS][number % OBJECTS] == NULL;
  set_before += links[number / OBJECTS][number % OBJECTS] != NULL;
  long_cleared_before += long_links[number / OBJECTS][number % OBJECTS] == NULL;
}

static void
watched_every_sort(int i) {
  for (int set = A; set <= D; set++) {
    struct node *node = new_node(set, i);
    watch(set, i, node);
    watch_long(set, i, node);
    registrars[ORDERED + set](node, look_at_links, NULL, NULL, NULL);
  }
}

static void
before_finalizer(void) {
  each(watched_every_sort);
  say_steps(4, 1);
  say("cleared %s", share(cleared_before, 4 * OBJECTS));
  say("set %d", set_before);
}

static void
long_after_finalizer(void) {
  each(watched_every_sort);
  say_steps(4, 1);
  say("cleared %d", long_cleared_before);
  for (int set = A; set <= D; set++)
    say_cleared("gone", long_links[set]);
  collect(1);
  for (int set = A; set <= D; set++)
    say_cleared("gone", long_links[set]);
}

static void
look_at_next(void *finalizable, void *data) {
  struct node *node = finalizable;
  finalized(finalizable, data);
  int i = (int)(GC_word)data - 1;
  cleared_before += links[B][i] == NULL;
  set_before += links[B][i] != NULL;
  long_cleared_before += long_links[B][i] == NULL;
  if (number_of(node->next) != B * OBJECTS + i)
    faults++;
}

static void
watched_next(int i) {
  struct node *a = new_node(A, i);
  a->next = new_node(B, i);
  watch(B, i, a->next);
  watch_long(B, i, a->next);
  GC_register_finalizer(a, look_at_next, tag(A, i), NULL, NULL);
}

static void
say_of_next(void) {
  say("cleared %s", share(cleared_before, OBJECTS));
  say("set %d", set_before);
  say("long %d", long_cleared_before);
}

static void
what_finalizable_refers_to(void) {
  each(watched_next);
  say_steps(1, 1);
  say_of_next();
  say_cleared("long gone", long_links[B]);
  collect(1);
  say_cleared("long gone", long_links[B]);
}

static void
watched_next_finalizable(int i) {
  watched_next(i);
  enroll(ORDERED, object(B, i), B, i);
}

static void
next_is_finalizable(void) {
  each(watched_next_finalizable);
  say_steps(2, 1);
  say_of_next();
  say_steps(2, 1);
  say_cleared("long gone", long_links[B]);
  collect(1);
  say_cleared("long gone", long_links[B]);
}

// Client data is accessible until the call, and so are links to it set.
static void
look_at_data(void *finalizable, void *data) {
  finalized(finalizable, tag(A, number_of(finalizable)));
  set_before += number_of(data) >= 0 && links[B][number_of(data) - B * OBJECTS] != NULL;
}

static void
watched_data(int i) {
  struct node *data = new_node(B, i);
  watch(B, i, data);
  GC_register_finalizer(new_node(A, i), look_at_data, data, NULL, NULL);
}

static void
to_data(void) {
  each(watched_data);
  say_steps(1, 1);
  say("set %s", share(set_before, OBJECTS));
  collect(1);
  say_cleared("gone", links[B]);
}

static void
store(void *finalizable, void *data) {
  look_at_links(finalizable, data);
  held[A][(GC_word)data - 1] = finalizable;
}

static void
watched_stored(int i) {
  watched(i);
  GC_register_finalizer(object(A, i), store, tag(A, i), NULL, NULL);
}

static void
to_resurrected(void) {
  each(watched_stored);
  say_steps(1, 1);
  collect(3);
  say_cleared("gone", links[A]);
  say_cleared("long", long_links[A]);
  release(A);
  collect(1);
  say_cleared("long", long_links[A]);
}

static void
register_anew(void *finalizable, void *data) {
  called_for(finalizable);
  watch(A, (int)(GC_word)data - 1, finalizable);
}

static void
watched_anew(int i) {
  watch(A, i, new_node(A, i));
  GC_register_finalizer(object(A, i), register_anew, tag(A, i), NULL, NULL);
}

static void
anew_in_finalizer(void) {
  each(watched_anew);
  say_steps(1, 1);
  say_cleared("gone", links[A]);
  collect(1);
  say_cleared("gone", links[A]);
}

static void
watched_finalizable(int i) {
  watched(i);
  GC_register_finalizer(object(A, i), look_at_links, NULL, NULL, NULL);
}

static void
to_ready(void) {
  GC_set_finalize_on_demand(1);
  each(watched_finalizable);
  collect(3);
  say_cleared("gone", links[A]);
  say_cleared("long", long_links[A]);
  GC_invoke_finalizers();
  say("long %d", long_cleared_before);
  collect(1);
  say_cleared("long", long_links[A]);
}

static void
long_without_finalizer(void) {
  each(watched);
  collect(1);
  say_cleared("gone", links[A]);
  say_cleared("long", long_links[A]);
}

// ---- Both sorts on one word ----------------------------------------------------------------------------

static void
set_again(void *finalizable, void *data) {
  called_for(finalizable);
  void **link = &links[A][(GC_word)data - 1];
  cleared_before += *link == NULL;
  *link = link;
}

static void
watched_by_both(int i) {
  watch(A, i, new_node(A, i));
  expect(GC_register_long_link(&links[A][i], object(A, i)), GC_SUCCESS);
  GC_register_finalizer(object(A, i), set_again, tag(A, i), NULL, NULL);
}

static void
both_sorts(void) {
  each(watched_by_both);
  say("results %s", precisely(as_wanted, OBJECTS));
  say_steps(1, 1);
  say("cleared %s", share(cleared_before, OBJECTS));
  say_cleared("gone", links[A]);
  collect(1);
  say_cleared("gone", links[A]);
}

static void
both_results(void) {
  hold_two();
  say("%d", GC_general_register_disappearing_link(&word, held[A][0]));
  say("%d", GC_register_long_link(&word, held[A][1]));
  say("%d", GC_unregister_disappearing_link(&word));
  say("%d", GC_unregister_disappearing_link(&word));
  say("%d", GC_unregister_long_link(&word));
  say("%d", GC_unregister_long_link(&word));
}

// ---- Moving --------------------------------------------------------------------------------------------

static void
move_results(void) {
  hold_two();
  say("%d", GC_move_disappearing_link(&word, &second_word));
  say("%d", GC_move_disappearing_link(&word, &word));
  GC_general_register_disappearing_link(&word, held[A][0]);
  say("%d", GC_move_disappearing_link(&word, &word));
  say("%d", GC_move_disappearing_link(&word, &second_word));
  say("%d", GC_move_disappearing_link(&word, &second_word));
  GC_general_register_disappearing_link(&word, held[A][1]);
  say("%d", GC_move_disappearing_link(&word, &second_word));
  say("%d", GC_move_disappearing_link(&third_word, &second_word));
  say("%d", GC_unregister_disappearing_link(&word));
  say("%d", GC_unregister_disappearing_link(&second_word));
  say("%d", GC_unregister_disappearing_link(&second_word));
}

static void
move_long_results(void) {
  hold_two();
  say("%d", GC_move_long_link(&word, &second_word));
  say("%d", GC_move_long_link(&word, &word));
  GC_register_long_link(&word, held[A][0]);
  say("%d", GC_move_disappearing_link(&word, &second_word));
  say("%d", GC_move_long_link(&word, &word));
  GC_general_register_disappearing_link(&second_word, held[A][0]);
  say("%d", GC_move_long_link(&word, &second_word));
  say("%d", GC_move_long_link(&word, &second_word));
  GC_register_long_link(&word, held[A][1]);
  say("%d", GC_move_long_link(&word, &second_word));
  say("%d", GC_unregister_long_link(&word));
  say("%d", GC_unregister_long_link(&second_word));
}

static void
moved(int i) {
  watch(A, i, new_node(A, i));
  links[B][i] = (void *)(GC_word)7;
  expect(GC_move_disappearing_link(&links[A][i], &links[B][i]), GC_SUCCESS);
  as_wanted += links[B][i] == (void *)(GC_word)7;
  watch_long(A, i, object(A, i));
  long_links[B][i] = (void *)(GC_word)9;
  expect(GC_move_long_link(&long_links[A][i], &long_links[B][i]), GC_SUCCESS);
  as_wanted += long_links[B][i] == (void *)(GC_word)9;
  held[A][i] = object(A, i);
}

static void
moving(void) {
  each(moved);
  say("results %s", precisely(as_wanted, 4 * OBJECTS));
  collect(2);
  say_cleared("gone", links[B]);
  release(A);
  collect(1);
  say_cleared("gone", links[B]);
  say_cleared("gone", long_links[B]);
  say_cleared("old", links[A]);
  say_cleared("old", long_links[A]);
}

static void
moved_onto_another(int i) {
  watch(A, i, new_node(A, i));
  watch(B, i, held[B][i] = new_node(B, i));
  expect(GC_move_disappearing_link(&links[A][i], &links[B][i]), GC_DUPLICATE);
}

static void
moving_onto_another(void) {
  each(moved_onto_another);
  say("results %s", precisely(as_wanted, OBJECTS));
  collect(1);
  say_cleared("A", links[A]);
  say_cleared("B", links[B]);
  release(B);
  collect(1);
  say_cleared("B", links[B]);
}

// ---- Links in objects that die -------------------------------------------------------------------------

static void *dead_words[OBJECTS]; // hidden

static void
linked_in_dying(int i) {
  void **dying = GC_malloc_atomic(4 * sizeof *dying);
  held[A][i] = new_node(A, i);
  dying[1] = dying[2] = held[A][i];
  dead_words[i] = (void *)GC_HIDE_POINTER(dying + 1);
  expect(GC_general_register_disappearing_link(&dying[1], held[A][i]), GC_SUCCESS);
  expect(GC_register_long_link(&dying[2], held[A][i]), GC_SUCCESS);
}

static struct node *reused[50 * OBJECTS];

// Memory of the dead is used again: a link to it that was not forgotten would be written through.
static void
forgotten_in_dead(void) {
  each(linked_in_dying);
  say("registered %s", precisely(as_wanted, 2 * OBJECTS));
  collect(2);
  GC_disable();
  int count = sizeof reused / sizeof reused[0];
  for (int i = 0; i < count; i++) {
    reused[i] = GC_malloc_atomic(sizeof(struct node));
    memset(reused[i], 0xa5, sizeof(struct node));
  }
  GC_enable();
  release(A);
  collect(2);
  int unharmed = 0;
  for (int i = 0; i < count; i++) {
    struct node pattern;
    memset(&pattern, 0xa5, sizeof pattern);
    unharmed += memcmp(reused[i], &pattern, sizeof pattern) == 0;
  }
  say("unharmed %s", precisely(unharmed, count));
}

static void
not_registered_in_dead(void) {
  each(linked_in_dying);
  collect(2);
  for (int i = 0; i < OBJECTS; i++)
    as_wanted += GC_unregister_disappearing_link(GC_REVEAL_POINTER(dead_words[i])) == 0;
  say("%s", share(as_wanted - 2 * OBJECTS, OBJECTS));
}

static void
linked_both_dying(int i) {
  void **dying = GC_malloc_atomic(4 * sizeof *dying);
  struct node *node = new_node(A, i);
  GC_general_register_disappearing_link(&dying[0], node);
  GC_general_register_disappearing_link(&dying[1], dying);
  GC_register_long_link(&dying[2], node);
  GC_register_long_link(&dying[3], dying);
  watch(A, i, node);
}

static void
both_die(void) {
  each(linked_both_dying);
  collect(3);
  for (int i = 0; i < 1000; i++)
    litter();
  collect(2);
  say_cleared("gone", links[A]);
}

// An object that waits for its finalizer is not dead, nor are the links in it.
static void
linked_in_finalizable(int i) {
  struct node *a = new_node(A, i);
  held[B][i] = new_node(B, i);
  a->link = (void *)GC_HIDE_POINTER(held[B][i]);
  GC_general_register_disappearing_link(&a->link, held[B][i]);
  GC_register_finalizer(a, look_at_links, NULL, NULL, NULL);
}

static void
in_finalizable(void) {
  GC_set_finalize_on_demand(1);
  each(linked_in_finalizable);
  collect(2);
  int set = 0;
  for (int i = 0; i < OBJECTS; i++)
    set += object(A, i)->link != NULL;
  say("set %s", precisely(set, OBJECTS));
  release(B);
  collect(1);
  for (int i = set = 0; i < OBJECTS; i++)
    set += object(A, i)->link != NULL;
  say("gone %s", share(OBJECTS - set, OBJECTS));
  say("invoked %s", share(GC_invoke_finalizers(), OBJECTS));
}

static int fields_cleared, fields_set;

static void
look_at_field(void *finalizable, void *data) {
  finalized(finalizable, data);
  struct node *node = finalizable;
  fields_cleared += node->link == NULL;
  fields_set += node->link != NULL;
}

static void
say_fields(void) {
  say("cleared %s", share(fields_cleared, OBJECTS));
  say("set %d", fields_set);
}

// The link's referent is gone, the object that the link lies in comes back.
static void
linked_in_dying_finalizable(int i) {
  struct node *a = new_node(A, i);
  a->link = (void *)GC_HIDE_POINTER(new_node(B, i));
  GC_general_register_disappearing_link(&a->link, object(B, i));
  GC_register_finalizer(a, look_at_field, tag(A, i), NULL, NULL);
}

static void
in_dying_finalizable(void) {
  each(linked_in_dying_finalizable);
  say_steps(1, 1);
  say_fields();
}

// So does what a finalizable object refers to.
static void
look_at_next_field(void *finalizable, void *data) {
  struct node *node = finalizable;
  finalized(finalizable, data);
  fields_cleared += node->next->link == NULL;
  fields_set += node->next->link != NULL;
}

static void
linked_in_next_of_dying(int i) {
  struct node *a = new_node(A, i);
  a->next = new_atomic_node(C, i);
  a->next->link = new_node(B, i);
  GC_general_register_disappearing_link(&a->next->link, a->next->link);
  GC_register_finalizer(a, look_at_next_field, tag(A, i), NULL, NULL);
}

static void
in_next_of_dying(void) {
  each(linked_in_next_of_dying);
  say_steps(1, 1);
  say_fields();
}

// ---- GC_register_disappearing_link: the object is the one that the link lies in --------------------------

// The link refers to an object that lives on.
static void
field_to_living(int i) {
  struct node *a = new_node(A, i);
  held[A][i] = a;
  a->link = held[B][i] = new_node(B, i);
  expect(GC_register_disappearing_link(&a->link), GC_SUCCESS);
  GC_register_finalizer(a, look_at_field, tag(A, i), NULL, NULL);
}

static void
field_is_cleared(void) {
  each(field_to_living);
  collect(2);
  int set = 0;
  for (int i = 0; i < OBJECTS; i++)
    set += held[A][i]->link == held[B][i];
  say("set %s", precisely(set, OBJECTS));
  release(A);
  say_steps(1, 1);
  say_fields();
}

// What the link refers to dies, the object that it lies in lives.
static void
field_to_dying(int i) {
  held[A][i] = new_atomic_node(A, i);
  held[A][i]->link = new_node(B, i);
  expect(GC_register_disappearing_link(&held[A][i]->link), GC_SUCCESS);
  watch(B, i, held[A][i]->link);
}

static void
field_stays(void) {
  each(field_to_dying);
  collect(2);
  say_cleared("referent", links[B]);
  int set = 0;
  for (int i = 0; i < OBJECTS; i++)
    set += held[A][i]->link == object(B, i);
  say("set %s", precisely(set, OBJECTS));
}

static void
field_to_itself(int i) {
  struct node *a = new_node(A, i);
  a->link = a;
  GC_register_disappearing_link(&a->link);
  GC_register_finalizer(a, look_at_field, tag(A, i), NULL, NULL);
}

static void
field_breaks_cycle(void) {
  each(field_to_itself);
  say_steps(1, 1);
  say_fields();
}

static void
field_results(void) {
  hold_two();
  say("%d", GC_register_disappearing_link(&held[A][0]->link));
  say("%d", GC_register_disappearing_link(&held[A][0]->link));
  say("%d", GC_unregister_disappearing_link(&held[A][0]->link));
  say("%d", GC_unregister_disappearing_link(&held[A][0]->link));
}

// ---- What aborts ---------------------------------------------------------------------------------------

static void
say_aborted(const char *message) {
  say("aborted%s", message ? "" : " without a message");
  _exit(0);
}

static void
may_abort(int (*function)(void **, void **)) {
  GC_set_abort_func(say_aborted);
  hold_two();
  say("%d", function((void **)((char *)&word + 1), &word));
}

static int
misaligned_link(void **misaligned, void **aligned) {
  (void)aligned;
  return GC_general_register_disappearing_link(misaligned, held[A][0]);
}

static int
misaligned_long_link(void **misaligned, void **aligned) {
  (void)aligned;
  return GC_register_long_link(misaligned, held[A][0]);
}

static int
misaligned_target(void **misaligned, void **aligned) {
  GC_general_register_disappearing_link(aligned, held[A][0]);
  return GC_move_disappearing_link(aligned, misaligned);
}

static int
misaligned_long_target(void **misaligned, void **aligned) {
  GC_register_long_link(aligned, held[A][0]);
  return GC_move_long_link(aligned, misaligned);
}

static int
foreign_field(void **misaligned, void **aligned) {
  (void)misaligned;
  *aligned = (void *)(GC_word)1;
  return GC_register_disappearing_link(aligned);
}

static void
aborts_misaligned(void) {
  may_abort(misaligned_link);
}

static void
aborts_misaligned_long(void) {
  may_abort(misaligned_long_link);
}

static void
aborts_misaligned_target(void) {
  may_abort(misaligned_target);
}

static void
aborts_misaligned_long_target(void) {
  may_abort(misaligned_long_target);
}

static void
aborts_foreign_field(void) {
  may_abort(foreign_field);
}

// ---- Macros --------------------------------------------------------------------------------------------

static void
macros(void) {
#if defined(GC_GENERAL_REGISTER_DISAPPEARING_LINK) && defined(GC_REGISTER_LONG_LINK)
  hold_two();
  say("%d", GC_GENERAL_REGISTER_DISAPPEARING_LINK(&word, held[A][0]));
  say("%d", GC_REGISTER_LONG_LINK(&word, held[A][0]));
  say("%d", GC_unregister_disappearing_link(&word));
  say("%d", GC_unregister_long_link(&word));
#endif
}

// ---- All -----------------------------------------------------------------------------------------------

int
main(int argc, char **argv) {
  static const struct clause clauses[] = {
      {"hidden in static data", in_static_data, "registered all; unchanged all; gone most"},
      {"plain in static data: keeps the object", in_static_data_plainly,
       "registered all; unchanged all; gone none"},
      {"hidden on the stack", on_stack, "registered all; unchanged all; gone most"},
      {"plain in malloc's memory", in_malloc, "registered all; unchanged all; gone most"},
      {"plain in a pointer-free object", in_atomic, "registered all; unchanged all; gone most"},
      {"plain inside a large pointer-free object", in_large_atomic,
       "registered all; unchanged all; gone most"},
      {"plain in an uncollectable pointer-free object", in_uncollectable,
       "registered all; unchanged all; gone most"},
      {"hidden in an object", in_object, "registered all; unchanged all; gone most"},
      {"twenty thousand links", many, "most; most"},
      {"to objects of all kinds; never to uncollectable ones", to_all_kinds,
       "none; none; none; none; most; most; most; none"},
      {"to objects in cycles", to_cycles, "A most; B most"},
      {"not while something points inside the object", kept_by_inside, "gone none; gone most"},
      {"several to one object: all or none", several_to_one, "gone most; mixed 0"},
      {"cleared whatever it holds", whatever_it_holds, "gone most"},
      {"read with the lock", read_with_lock, "there all; gone most"},
      {"results", results, "0; 0; 1; 1; 1; 0; 0"},
      {"long: results", long_results, "0; 0; 1; 1; 1; 0; 0"},
      {"NULL and misaligned words are no links", no_links, "0; 0; 0; 0; 4; 4; 4; 4"},
      {"unregistered: not cleared", unregistering, "results all; gone none; gone none"},
      {"cleared: is registered no longer", unregistered_when_cleared, "most"},
      {"registered twice: the last object counts", duplicates,
       "results all; first most; gone none; gone none; gone most; gone most"},
      {"cleared before the object's finalizer", before_finalizer,
       "A most, B most, C most, D most; cleared most; set 0"},
      {"cleared before finalizers of what refers to it; long later", what_finalizable_refers_to,
       "A most; cleared most; set 0; long 0; long gone none; long gone most"},
      {"... also if it has a finalizer that must wait", next_is_finalizable,
       "A most, B none; cleared most; set 0; long 0; A most, B most; long gone none; long gone most"},
      {"to client data: set until the call", to_data, "A most; set most; gone most"},
      {"to objects that their finalizers store; long stay", to_resurrected,
       "A most; gone most; long none; long most"},
      {"registered anew by the finalizer", anew_in_finalizer, "A most; gone none; gone most"},
      {"long: cleared after the object's finalizer", long_after_finalizer,
       "A most, B most, C most, D most; cleared 0; gone none; gone none; gone none; gone none; gone most; "
       "gone most; gone most; gone most"},
      {"long: set while the finalizer is ready", to_ready, "gone most; long none; long 0; long most"},
      {"long: cleared at once without a finalizer", long_without_finalizer, "gone most; long most"},
      {"both sorts on one word: cleared twice", both_sorts,
       "results all; A most; cleared most; gone none; gone most"},
      {"both sorts on one word: results", both_results, "0; 0; 1; 0; 1; 0"},
      {"move: results", move_results, "4; 4; 0; 0; 4; 1; 4; 1; 1; 0"},
      {"move long: results", move_long_results, "4; 4; 4; 0; 0; 4; 1; 1; 1"},
      {"move: the new word is cleared, the old is not", moving,
       "results all; gone none; gone most; gone most; old none; old none"},
      {"move onto another link: nothing changes", moving_onto_another, "results all; A most; B none; B most"},
      {"in an object that dies: forgotten", forgotten_in_dead, "registered all; unharmed all"},
      {"in an object that dies: is registered no longer", not_registered_in_dead, "most"},
      {"in an object that dies with its referent", both_die, "gone most"},
      {"in an object that waits for its finalizer", in_finalizable, "set all; gone most; invoked most"},
      {"in a finalizable object that dies with the referent: cleared", in_dying_finalizable,
       "A most; cleared most; set 0"},
      {"in what a finalizable object refers to: cleared", in_next_of_dying, "A most; cleared most; set 0"},
      {"field: cleared with its object, not with its referent", field_is_cleared,
       "set all; A most; cleared most; set 0"},
      {"field: not cleared with its referent", field_stays, "referent most; set all"},
      {"field: a link to itself does not delay the finalizer", field_breaks_cycle,
       "A most; cleared most; set 0"},
      {"field: results", field_results, "0; 1; 1; 0"},
      {"field: aborts outside objects", aborts_foreign_field, "aborted"},
      {"misaligned: aborts", aborts_misaligned, "aborted"},
      {"misaligned long: aborts", aborts_misaligned_long, "aborted"},
      {"misaligned target of a move: aborts", aborts_misaligned_target, "aborted"},
      {"misaligned target of a long move: aborts", aborts_misaligned_long_target, "aborted"},
      {"libgc's macros", macros, "0; 0; 1; 1"},
  };
  return RUN_CLAUSES(clauses, argc > 1 ? argv[1] : NULL);
}
