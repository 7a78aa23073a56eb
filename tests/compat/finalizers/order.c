// In which order finalizers become ready, for the four sorts of registration.
//
// Shapes are named by their arrows; A, B and C are a hundred objects each.

#include "../clauses.h"

static enum order orders[SETS];

static struct node *
registered(int set, int i) {
  struct node *node = new_node(set, i);
  enroll(orders[set], node, set, i);
  return node;
}

static void
run_shape(void (*shape)(int), enum order a, enum order b, enum order c, int sets, int collections) {
  orders[A] = a, orders[B] = b, orders[C] = c;
  each(shape);
  say_steps(sets, collections);
}

// ---- Shapes --------------------------------------------------------------------------------------------

static void
a_to_b(int i) {
  registered(A, i)->next = registered(B, i);
}

static void
a_to_inside_of_b(int i) {
  registered(A, i)->link = (char *)registered(B, i) + 13;
}

static void
a_to_b_to_c(int i) {
  struct node *b = registered(B, i);
  registered(A, i)->next = b;
  b->next = registered(C, i);
}

static void
a_and_b_to_c(int i) {
  struct node *c = registered(C, i);
  registered(A, i)->next = c;
  registered(B, i)->next = c;
}

static void
a_to_itself(int i) {
  struct node *a = registered(A, i);
  a->next = a;
}

static void
a_to_inside_of_itself(int i) {
  struct node *a = registered(A, i);
  a->link = (char *)a + sizeof *a - 1;
}

static void
a_and_b(int i) {
  struct node *a = registered(A, i), *b = registered(B, i);
  a->next = b;
  b->next = a;
}

// ---- Ordered -------------------------------------------------------------------------------------------

static void
ordered_pair(void) {
  run_shape(a_to_b, ORDERED, ORDERED, 0, 2, 2);
}

static void
ordered_inside(void) {
  run_shape(a_to_inside_of_b, ORDERED, ORDERED, 0, 2, 2);
}

static void
ordered_through_another(void) {
  run_shape(a_to_b_to_c, ORDERED, UNREGISTERED, ORDERED, 3, 2);
}

static void
ordered_chain(void) {
  run_shape(a_to_b_to_c, ORDERED, ORDERED, ORDERED, 3, 3);
}

static void
ordered_join(void) {
  run_shape(a_and_b_to_c, ORDERED, ORDERED, ORDERED, 3, 2);
}

static void
ordered_end(void) {
  run_shape(a_to_b, UNREGISTERED, ORDERED, 0, 2, 1);
}

// B waits until A's finalizer has run, however many collections that takes.
static void
ordered_while_ready(void) {
  GC_set_finalize_on_demand(1);
  run_shape(a_to_b, ORDERED, ORDERED, 0, 2, 3);
  for (int i = 0; i < 2; i++) {
    GC_invoke_finalizers();
    say_called(2);
    collect(1);
  }
  GC_invoke_finalizers();
  say_called(2);
}

static void
store_next(void *finalizable, void *data) {
  (void)data;
  int number = called_for(finalizable);
  if (number >= 0)
    held[B][number % OBJECTS] = ((struct node *)finalizable)->next;
}

static void
a_stores_b(int i) {
  struct node *a = new_node(A, i);
  a->next = registered(B, i);
  GC_register_finalizer(a, store_next, NULL, NULL, NULL);
}

static void
ordered_resurrection(void) {
  run_shape(a_stores_b, 0, ORDERED, 0, 2, 3);
  release(B);
  say_steps(2, 1);
}

// Data is accessible until the call, so that B waits for A.
static void
finalize_with_data(void *finalizable, void *data) {
  if (!intact(data))
    faults++;
  called_for(finalizable);
}

static void
a_with_data_b(int i) {
  struct node *b = registered(B, i);
  registrars[orders[A]](new_node(A, i), finalize_with_data, b, NULL, NULL);
}

static void
ordered_data(void) {
  run_shape(a_with_data_b, ORDERED, ORDERED, 0, 2, 2);
}

static void
data_of_no_order(void) {
  run_shape(a_with_data_b, NO_ORDER, NO_ORDER, 0, 2, 2);
}

static void
with_own_data(int i) {
  for (int set = A; set <= D; set++) {
    struct node *node = new_node(set, i);
    registrars[ORDERED + set](node, finalize_with_data, node, NULL, NULL);
  }
}

static void
own_data(void) {
  run_shape(with_own_data, 0, 0, 0, 4, 3);
}

// ---- Cycles --------------------------------------------------------------------------------------------

static int warnings, warnings_of_others;

// How many of the cycles are warned of is not said, but which object is meant.
static void
warned(char *format, GC_word argument) {
  int known = 0;
  for (int i = 0; i < OBJECTS; i++)
    known += GC_HIDE_POINTER(argument) == hidden[A][i] || GC_HIDE_POINTER(argument) == hidden[B][i];
  if (strstr(format, "ycle") == NULL)
    return;
  warnings += known;
  warnings_of_others += !known;
}

static void
say_warned(void) {
  say("warned %s", yes(warnings > 0));
  say("others %d", warnings_of_others);
}

static void
ordered_self(void) {
  GC_set_warn_proc(warned);
  run_shape(a_to_itself, ORDERED, 0, 0, 1, 3);
  say_warned();
}

static void
ordered_inside_of_self(void) {
  GC_set_warn_proc(warned);
  run_shape(a_to_inside_of_itself, ORDERED, 0, 0, 1, 3);
  say_warned();
}

static void
ordered_cycle(void) {
  GC_set_warn_proc(warned);
  run_shape(a_and_b, ORDERED, ORDERED, 0, 2, 3);
  say_warned();
}

static void
ordered_cycle_of_one(void) {
  GC_set_warn_proc(warned);
  run_shape(a_and_b, ORDERED, UNREGISTERED, 0, 2, 3);
  say_warned();
}

static void
no_warning(void) {
  GC_set_warn_proc(warned);
  run_shape(a_to_b_to_c, ORDERED, ORDERED, ORDERED, 3, 3);
  say_warned();
}

static void
watched_cycle(int i) {
  a_and_b(i);
  watch(A, i, object(A, i));
  watch_long(B, i, object(B, i));
}

// No finalizer, no reclamation; but short links do go, since the objects cannot be reached.
static void
cycle_is_kept(void) {
  orders[A] = ORDERED, orders[B] = UNREGISTERED;
  each(watched_cycle);
  collect(3);
  say_cleared("short", links[A]);
  say_cleared("long", long_links[B]);
  int whole = 0;
  for (int i = 0; i < OBJECTS; i++)
    whole += intact(object(A, i)) && object(A, i)->next == object(B, i);
  say("whole %s", precisely(whole, OBJECTS));
}

static void
break_cycle(int i) {
  object(B, i)->next = NULL;
}

static void
broken_cycle(void) {
  run_shape(a_and_b, ORDERED, ORDERED, 0, 2, 2);
  each(break_cycle);
  say_steps(2, 2);
}

// A refers to B, which refers to A only by a field that disappears.
static void
cycle_with_link(int i) {
  a_and_b(i);
  GC_register_disappearing_link((void **)&object(B, i)->next);
}

static void
cycle_broken_by_link(void) {
  run_shape(cycle_with_link, ORDERED, ORDERED, 0, 2, 2);
}

// ---- Ignoring pointers to oneself ----------------------------------------------------------------------

static void
ignore_self(void) {
  GC_set_warn_proc(warned);
  run_shape(a_to_itself, IGNORE_SELF, 0, 0, 1, 2);
  say("warned %s", yes(warnings > 0));
}

static void
ignore_inside_of_self(void) {
  run_shape(a_to_inside_of_itself, IGNORE_SELF, 0, 0, 1, 2);
}

static void
ignore_self_pair(void) {
  run_shape(a_to_b, IGNORE_SELF, IGNORE_SELF, 0, 2, 2);
}

static void
ignore_self_before_ordered(void) {
  run_shape(a_to_b, IGNORE_SELF, ORDERED, 0, 2, 2);
}

static void
ignore_self_cycle(void) {
  run_shape(a_and_b, IGNORE_SELF, IGNORE_SELF, 0, 2, 3);
}

static void
ignore_self_through_another(void) {
  run_shape(a_and_b, IGNORE_SELF, UNREGISTERED, 0, 2, 3);
}

enum { LARGE = 1 << 20, LARGE_OBJECTS = 20 };

static void
large_self(int i) {
  if (i >= LARGE_OBJECTS)
    return;
  struct node *a = known_as(GC_malloc(LARGE), A, i);
  char *bytes = (char *)a;
  *(void **)(bytes + LARGE - sizeof(void *)) = a;
  *(void **)(bytes + LARGE / 2) = bytes + LARGE - 1;
  enroll(orders[A], a, A, i);
}

static void
run_large(enum order order) {
  orders[A] = order;
  each(large_self);
  collect(2);
  say("%s", share(called(A), LARGE_OBJECTS));
  say_faults();
}

static void
ignore_self_large(void) {
  run_large(IGNORE_SELF);
}

static void
ordered_self_large(void) {
  run_large(ORDERED);
}

// ---- No order ------------------------------------------------------------------------------------------

static void
no_order_self(void) {
  GC_set_warn_proc(warned);
  run_shape(a_to_itself, NO_ORDER, 0, 0, 1, 2);
  say("warned %s", yes(warnings > 0));
}

static void
no_order_cycle(void) {
  GC_set_warn_proc(warned);
  run_shape(a_and_b, NO_ORDER, NO_ORDER, 0, 2, 1);
  say("warned %s", yes(warnings > 0));
}

static void
no_order_chain(void) {
  run_shape(a_to_b_to_c, NO_ORDER, NO_ORDER, NO_ORDER, 3, 1);
}

static void
no_order_to_ordered(void) {
  run_shape(a_to_b, NO_ORDER, ORDERED, 0, 2, 1);
}

static void
no_order_to_ignore_self(void) {
  run_shape(a_to_b, NO_ORDER, IGNORE_SELF, 0, 2, 1);
}

static void
ordered_to_no_order(void) {
  run_shape(a_to_b, ORDERED, NO_ORDER, 0, 2, 2);
}

static void
no_order_and_ordered_cycle(void) {
  run_shape(a_and_b, NO_ORDER, ORDERED, 0, 2, 3);
}

static void
no_order_between(void) {
  run_shape(a_to_b_to_c, ORDERED, NO_ORDER, ORDERED, 3, 2);
}

// ---- Unreachable ---------------------------------------------------------------------------------------

static void
unreachable_alone(void) {
  run_shape(a_to_b, UNREACHABLE, UNREGISTERED, 0, 1, 1);
}

static void
unreachable_after_ordered(void) {
  run_shape(a_to_b, ORDERED, UNREACHABLE, 0, 2, 2);
}

static void
unreachable_after_no_order(void) {
  run_shape(a_to_b, NO_ORDER, UNREACHABLE, 0, 2, 2);
}

static void
unreachable_after_no_order_through_another(void) {
  run_shape(a_to_b_to_c, NO_ORDER, UNREGISTERED, UNREACHABLE, 3, 2);
}

static void
unreachable_after_two(void) {
  run_shape(a_and_b_to_c, NO_ORDER, ORDERED, UNREACHABLE, 3, 2);
}

static void
unreachable_pair(void) {
  run_shape(a_to_b, UNREACHABLE, UNREACHABLE, 0, 2, 2);
}

static void
unreachable_before_ordered(void) {
  run_shape(a_to_b, UNREACHABLE, ORDERED, 0, 2, 2);
}

static void
unreachable_before_no_order(void) {
  run_shape(a_to_b, UNREACHABLE, NO_ORDER, 0, 2, 2);
}

static void
unreachable_self(void) {
  run_shape(a_to_itself, UNREACHABLE, 0, 0, 1, 3);
}

static void
unreachable_cycle(void) {
  run_shape(a_and_b, UNREACHABLE, NO_ORDER, 0, 2, 3);
}

static void
unreachable_end_of_no_order_chain(void) {
  run_shape(a_to_b_to_c, NO_ORDER, NO_ORDER, UNREACHABLE, 3, 2);
}

static void
unreachable_while_ready(void) {
  GC_set_finalize_on_demand(1);
  run_shape(a_to_b, NO_ORDER, UNREACHABLE, 0, 2, 3);
  GC_invoke_finalizers();
  say_called(2);
  collect(1);
  GC_invoke_finalizers();
  say_called(2);
}

static void
no_order_stores_b(int i) {
  struct node *a = new_node(A, i);
  a->next = registered(B, i);
  GC_register_finalizer_no_order(a, store_next, NULL, NULL, NULL);
}

// What the sort is for: a resource is not released while a finalizer may bring its owner back.
static void
unreachable_resurrection(void) {
  run_shape(no_order_stores_b, 0, UNREACHABLE, 0, 2, 3);
  release(B);
  say_steps(2, 1);
}

static void
not_java_unreachable(void) {
  GC_set_java_finalization(0);
  run_shape(a_to_b, NO_ORDER, UNREACHABLE, 0, 2, 1);
}

static void
not_java_ordered(void) {
  GC_set_java_finalization(0);
  run_shape(a_to_b_to_c, ORDERED, UNREACHABLE, ORDERED, 3, 3);
}

static void
not_java_no_order(void) {
  GC_set_java_finalization(0);
  run_shape(a_and_b, NO_ORDER, NO_ORDER, 0, 2, 1);
}

static void
not_java_ignore_self(void) {
  GC_set_java_finalization(0);
  run_shape(a_to_itself, IGNORE_SELF, 0, 0, 1, 1);
}

// ---- What a finalizer finds ----------------------------------------------------------------------------

// Each refers to a list that nothing else refers to.
static void
with_list(int i) {
  for (int set = A; set <= D; set++) {
    struct node *node = new_node(set, i), *end = node;
    enroll(ORDERED + set, node, set, i);
    for (int length = 0; length < 20; length++) {
      end->next = GC_malloc(sizeof *end);
      end->next->stamp = node->stamp;
      end = end->next;
    }
    end->other = new_atomic_node(set, i);
    hidden[set][i] = GC_HIDE_POINTER(node);
  }
}

static void
finalized_with_list(void *finalizable, void *data) {
  struct node *node = finalizable;
  int length = 0;
  for (; node->next; node = node->next)
    length += number_of(node) + 1 == (int)(GC_word)data;
  if (length != 20 || !node->other || number_of(node->other) + 1 != (int)(GC_word)data)
    faults++;
  finalized(finalizable, data);
}

static void
with_list_checked(int i) {
  with_list(i);
  for (int set = A; set <= D; set++)
    registrars[ORDERED + set](object(set, i), finalized_with_list, tag(set, i), NULL, NULL);
}

static void
finds_what_it_refers_to(void) {
  each(with_list_checked);
  say_steps(4, 1);
}

// Three collections, not two or four: libgc takes an _unreachable object back if it is still waiting for its
// call at the next collection, and makes it ready again at the one after.
static void
finds_it_late(void) {
  GC_set_finalize_on_demand(1);
  each(with_list_checked);
  for (int i = 0; i < 3; i++) {
    collect(1);
    for (int j = 0; j < 1000; j++)
      litter();
  }
  say_called(4);
  GC_invoke_finalizers();
  say_called(4);
  say_faults();
}

static void
finds_what_was_finalized(void) {
  GC_set_finalize_on_demand(1);
  run_shape(a_to_b_to_c, NO_ORDER, NO_ORDER, ORDERED, 3, 1);
  for (int j = 0; j < 1000; j++)
    litter();
  GC_invoke_finalizers();
  say_called(3);
  say_faults();
}

// ---- All -----------------------------------------------------------------------------------------------

int
main(int argc, char **argv) {
  static const struct clause clauses[] = {
      {"ordered: A -> B: A, later B", ordered_pair, "A most, B none; A most, B most"},
      {"ordered: a pointer inside B counts", ordered_inside, "A most, B none; A most, B most"},
      {"ordered: A -> plain object -> C: A, later C", ordered_through_another,
       "A most, B none, C none; A most, B none, C most"},
      {"ordered: A -> B -> C: three collections", ordered_chain,
       "A most, B none, C none; A most, B most, C none; A most, B most, C most"},
      {"ordered: A -> C <- B: A and B, later C", ordered_join,
       "A most, B most, C none; A most, B most, C most"},
      {"ordered: a plain object delays nothing", ordered_end, "A none, B most"},
      {"ordered: B waits as long as A's finalizer has not run", ordered_while_ready,
       "A none, B none; A none, B none; A none, B none; A most, B none; A most, B most; A most, B most"},
      {"ordered: B waits if A's finalizer stores it", ordered_resurrection,
       "A most, B none; A most, B none; A most, B none; A most, B most"},
      {"ordered: client data waits for the call", ordered_data, "A most, B none; A most, B most"},
      {"all sorts: never if the data refers to the object", own_data,
       "A none, B none, C none, D none; A none, B none, C none, D none; A none, B none, C none, D none"},
      {"no_order: data waits all the same", data_of_no_order, "A most, B none; A most, B most"},
      {"ordered: never if it refers to itself, with a warning", ordered_self,
       "A none; A none; A none; warned yes; others 0"},
      {"ordered: never if it points inside itself", ordered_inside_of_self,
       "A none; A none; A none; warned yes; others 0"},
      {"ordered: never in a cycle of two, with a warning", ordered_cycle,
       "A none, B none; A none, B none; A none, B none; warned yes; others 0"},
      {"ordered: never in a cycle with a plain object", ordered_cycle_of_one,
       "A none, B none; A none, B none; A none, B none; warned yes; others 0"},
      {"ordered: no warning without a cycle", no_warning,
       "A most, B none, C none; A most, B most, C none; A most, B most, C most; warned no; others 0"},
      {"ordered: a cycle is not reclaimed, but its short links are cleared", cycle_is_kept,
       "short most; long none; whole all"},
      {"ordered: a cycle that the program breaks", broken_cycle,
       "A none, B none; A none, B none; A most, B none; A most, B most"},
      {"ordered: a cycle that a link breaks", cycle_broken_by_link, "A most, B none; A most, B most"},
      {"ignore_self: called if it refers to itself", ignore_self, "A most; A most; warned no"},
      {"ignore_self: called if it points inside itself", ignore_inside_of_self, "A most; A most"},
      {"ignore_self: A -> B: A, later B", ignore_self_pair, "A most, B none; A most, B most"},
      {"ignore_self: before ordered ones it refers to", ignore_self_before_ordered,
       "A most, B none; A most, B most"},
      {"ignore_self: never in a cycle of two", ignore_self_cycle,
       "A none, B none; A none, B none; A none, B none"},
      {"ignore_self: never in a cycle with a plain object", ignore_self_through_another,
       "A none, B none; A none, B none; A none, B none"},
      {"ignore_self: large objects", ignore_self_large, "most"},
      {"ordered: large objects that refer to themselves", ordered_self_large, "none"},
      {"no_order: called if it refers to itself", no_order_self, "A most; A most; warned no"},
      {"no_order: a cycle of two at once", no_order_cycle, "A most, B most; warned no"},
      {"no_order: A -> B -> C at once", no_order_chain, "A most, B most, C most"},
      {"no_order: does not delay ordered ones", no_order_to_ordered, "A most, B most"},
      {"no_order: does not delay ignore_self", no_order_to_ignore_self, "A most, B most"},
      {"no_order: waits for ordered ones", ordered_to_no_order, "A most, B none; A most, B most"},
      {"no_order: never in a cycle with an ordered one", no_order_and_ordered_cycle,
       "A none, B none; A none, B none; A none, B none"},
      {"no_order: between two ordered ones", no_order_between,
       "A most, B none, C none; A most, B most, C most"},
      {"unreachable: called when it can be reached from nowhere", unreachable_alone, "A most"},
      {"unreachable: after ordered ones", unreachable_after_ordered, "A most, B none; A most, B most"},
      {"unreachable: after no_order ones", unreachable_after_no_order, "A most, B none; A most, B most"},
      {"unreachable: after no_order ones that refer to it indirectly",
       unreachable_after_no_order_through_another, "A most, B none, C none; A most, B none, C most"},
      {"unreachable: after both", unreachable_after_two, "A most, B most, C none; A most, B most, C most"},
      {"unreachable: A -> B: A, later B", unreachable_pair, "A most, B none; A most, B most"},
      {"unreachable: before ordered ones it refers to", unreachable_before_ordered,
       "A most, B none; A most, B most"},
      {"unreachable: before no_order ones it refers to", unreachable_before_no_order,
       "A most, B none; A most, B most"},
      {"unreachable: never if it refers to itself", unreachable_self, "A none; A none; A none"},
      {"unreachable: never in a cycle, even with no_order", unreachable_cycle,
       "A none, B none; A none, B none; A none, B none"},
      {"unreachable: after a chain of no_order", unreachable_end_of_no_order_chain,
       "A most, B most, C none; A most, B most, C most"},
      {"unreachable: waits as long as a no_order finalizer has not run", unreachable_while_ready,
       "A none, B none; A none, B none; A none, B none; A most, B none; A most, B most"},
      {"unreachable: waits if a no_order finalizer stores it", unreachable_resurrection,
       "A most, B none; A most, B none; A most, B none; A most, B most"},
      {"java_finalization 0: unreachable does not wait for no_order", not_java_unreachable, "A most, B most"},
      {"java_finalization 0: ordered ones wait as before", not_java_ordered,
       "A most, B none, C none; A most, B most, C none; A most, B most, C most"},
      {"java_finalization 0: no_order in a cycle", not_java_no_order, "A most, B most"},
      {"java_finalization 0: ignore_self", not_java_ignore_self, "A most"},
      {"all sorts: what the object refers to is intact", finds_what_it_refers_to,
       "A most, B most, C most, D most"},
      {"all sorts: ... also if the call comes late", finds_it_late,
       "A none, B none, C none, D none; A most, B most, C most, D most"},
      {"no_order: what was finalized before is intact", finds_what_was_finalized,
       "A none, B none, C none; A most, B most, C most"},
  };
  return RUN_CLAUSES(clauses, argc > 1 ? argv[1] : NULL);
}
