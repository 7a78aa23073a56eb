// Who calls finalizers, and when: on demand, with a notifier, all at once; and what they may do.

#include "../clauses.h"

static void
ordered(int i) {
  enroll(ORDERED, new_node(A, i), A, i);
}

static void
ordered_in_b(int i) {
  enroll(ORDERED, new_node(B, i), B, i);
}

static void
plain(int i) {
  new_node(C, i);
}

// Garbage, until some collections have begun.
static void
allocate_until_collected(void) {
  GC_word before = GC_get_gc_no();
  for (int kib = 0; kib < (1 << 20) && GC_get_gc_no() < before + 3; kib++)
    GC_malloc(1024);
}

// ---- Defaults ------------------------------------------------------------------------------------------

static void
notify_nobody(void) {
}

static void
await_nothing(void *finalizable) {
  (void)finalizable;
}

static void
defaults(void) {
  say("on demand %d", GC_get_finalize_on_demand());
  say("java %d", GC_get_java_finalization());
  say("notifier %s", yes(GC_get_finalizer_notifier() != NULL));
  say("await %s", yes(GC_get_await_finalize_proc() != NULL));
  say("bytes %lu", (unsigned long)GC_get_allocd_bytes_per_finalizer());
}

static void
getters(void) {
  GC_set_finalize_on_demand(1);
  GC_set_java_finalization(0);
  GC_set_finalizer_notifier(notify_nobody);
  GC_set_await_finalize_proc(await_nothing);
  GC_set_allocd_bytes_per_finalizer(123);
  say("on demand %d", GC_get_finalize_on_demand());
  say("java %d", GC_get_java_finalization());
  say("notifier %s", yes(GC_get_finalizer_notifier() == notify_nobody));
  say("await %s", yes(GC_get_await_finalize_proc() == await_nothing));
  say("bytes %lu", (unsigned long)GC_get_allocd_bytes_per_finalizer());
}

// ---- On demand -----------------------------------------------------------------------------------------

static void
say_ready(void) {
  say("ready %s", yes(GC_should_invoke_finalizers() != 0));
}

static void
on_demand(void) {
  GC_set_finalize_on_demand(1);
  say_ready();
  say("invoked %d", GC_invoke_finalizers());
  each(ordered);
  say_ready();
  collect(2);
  allocate_until_collected();
  say_ready();
  say_called(1);
  int count = GC_invoke_finalizers();
  say("counted %s", yes(count == called(A)));
  say_called(1);
  say_ready();
  say("invoked %d", GC_invoke_finalizers());
  collect(2);
  say_ready();
  say_faults();
}

static void
not_on_demand(void) {
  each(ordered);
  collect(1);
  say_ready();
  say("invoked %d", GC_invoke_finalizers());
  say_called(1);
}

static void
on_demand_no_longer(void) {
  GC_set_finalize_on_demand(1);
  each(ordered);
  collect(1);
  say_called(1);
  GC_set_finalize_on_demand(0);
  collect(1);
  say_called(1);
}

static void
two_batches(void) {
  GC_set_finalize_on_demand(1);
  each(ordered);
  collect(1);
  each(ordered_in_b);
  collect(1);
  GC_invoke_finalizers();
  say_called(2);
  say_faults();
}

static void
while_disabled(void) {
  GC_set_finalize_on_demand(1);
  each(ordered);
  collect(1);
  GC_disable();
  say("invoked %s", share(GC_invoke_finalizers(), OBJECTS));
  GC_enable();
  say_called(1);
}

// ---- The notifier --------------------------------------------------------------------------------------

static int notified, notified_ready;

static void
count_notification(void) {
  notified++;
  notified_ready += GC_should_invoke_finalizers() != 0;
}

static void
notifier(void) {
  GC_set_finalize_on_demand(1);
  GC_set_finalizer_notifier(count_notification);
  each(plain);
  collect(1);
  say("nothing: %d", notified);
  each(ordered);
  say("registered: %d", notified);
  collect(1);
  say("collected: %d", notified);
  say("ready: %d", notified_ready);
  GC_invoke_finalizers();
  collect(1);
  say("invoked, collected: %d", notified);
  each(ordered_in_b);
  collect(1);
  say("once more: %d", notified);
}

static void
notifier_repeats(void) {
  GC_set_finalize_on_demand(1);
  GC_set_finalizer_notifier(count_notification);
  each(ordered);
  for (int i = 0; i < 3; i++) {
    collect(1);
    for (int j = 0; j < 50; j++)
      litter();
  }
  say("%d", notified);
}

static void
notifier_without_demand(void) {
  GC_set_finalizer_notifier(count_notification);
  each(ordered);
  collect(2);
  say("%d", notified);
  say_called(1);
}

static void
notifier_taken_back(void) {
  GC_set_finalize_on_demand(1);
  GC_set_finalizer_notifier(count_notification);
  GC_set_finalizer_notifier(NULL);
  each(ordered);
  collect(1);
  say("%d", notified);
}

static void
invoke_when_notified(void) {
  notified++;
  GC_invoke_finalizers();
}

static void
notifier_invokes(void) {
  GC_set_finalize_on_demand(1);
  GC_set_finalizer_notifier(invoke_when_notified);
  each(ordered);
  collect(1);
  say("%d", notified);
  say_called(1);
  say_faults();
}

static void
notifier_by_allocation(void) {
  GC_set_finalize_on_demand(1);
  GC_set_finalizer_notifier(invoke_when_notified);
  each(ordered);
  clear_stack();
  allocate_until_collected();
  say("notified %s", yes(notified > 0));
  say_called(1);
}

// ---- All at once ---------------------------------------------------------------------------------------

static void
say_all_called(int sets) {
  for (int set = 0; set < sets; set++)
    say("%c %s", 'A' + set, precisely(called(set), OBJECTS));
}

static void
hold(int i) {
  for (int set = A; set <= D; set++) {
    held[set][i] = new_node(set, i);
    enroll(ORDERED + set, held[set][i], set, i);
    watch(set, i, held[set][i]);
    watch_long(set, i, held[set][i]);
  }
}

static void
all_reachable(void) {
  each(hold);
  GC_finalize_all();
  say_all_called(4);
  say("links %s", share(cleared(links[A]), OBJECTS));
  say("long %s", share(cleared(long_links[A]), OBJECTS));
  int whole = 0;
  for (int i = 0; i < OBJECTS; i++)
    whole += intact(held[A][i]);
  say("whole %s", precisely(whole, OBJECTS));
  GC_finalize_all();
  collect(1);
  for (int set = A; set <= D; set++)
    release(set);
  collect(2);
  say_faults();
  say_cleared("links", links[A]);
}

static void
cycle(int i) {
  struct node *a = new_node(A, i), *b = new_node(B, i);
  a->next = b;
  b->next = a;
  enroll(ORDERED, a, A, i);
  enroll(ORDERED, b, B, i);
}

static void
all_in_cycles(void) {
  each(cycle);
  collect(1);
  say_called(2);
  GC_finalize_all();
  say_all_called(2);
  say_faults();
}

static void
register_next(void *finalizable, void *data) {
  int number = called_for(finalizable);
  (void)data;
  if (number < 0 || number >= C * OBJECTS)
    return;
  int set = number / OBJECTS + 1, i = number % OBJECTS;
  GC_disable();
  GC_register_finalizer(new_node(set, i), register_next, NULL, NULL, NULL);
  GC_enable();
}

static void
registers_next(int i) {
  GC_register_finalizer(new_node(A, i), register_next, NULL, NULL, NULL);
}

static void
all_until_none(void) {
  each(registers_next);
  GC_finalize_all();
  say_all_called(3);
  say_faults();
}

static void
all_on_demand(void) {
  GC_set_finalize_on_demand(1);
  each(ordered);
  GC_finalize_all();
  say_all_called(1);
  say_ready();
  say_faults();
}

// Some are ready already, some are registered.
static void
all_with_ready(void) {
  GC_set_finalize_on_demand(1);
  each(ordered);
  collect(1);
  each(ordered_in_b);
  GC_finalize_all();
  say_all_called(2);
  say_faults();
}

static void
uncollectable(int i) {
  struct node *node = known_as(GC_malloc_uncollectable(sizeof *node), A, i);
  enroll(ORDERED, node, A, i);
}

static void
all_uncollectable(void) {
  each(uncollectable);
  GC_finalize_all();
  say_all_called(1);
}

static void
all_none(void) {
  GC_finalize_all();
  say("invoked %d", GC_invoke_finalizers());
}

static void
all_and_later(void) {
  each(ordered);
  GC_finalize_all();
  each(ordered_in_b);
  say_called(2);
  say_steps(2, 1);
}

static void
removed(int i) {
  ordered(i);
  GC_register_finalizer(object(A, i), NULL, NULL, NULL, NULL);
}

static void
all_but_removed(void) {
  each(removed);
  GC_finalize_all();
  say_called(1);
}

// ---- Awaiting ------------------------------------------------------------------------------------------

static int awaited[SETS][OBJECTS], awaited_late, awaited_others;

static void
await(void *finalizable) {
  int number = number_of(finalizable);
  if (number < 0 || hidden[number / OBJECTS][number % OBJECTS] != GC_HIDE_POINTER(finalizable)) {
    awaited_others++;
    return;
  }
  awaited[number / OBJECTS][number % OBJECTS]++;
  awaited_late += calls[number / OBJECTS][number % OBJECTS] > 0;
}

static void
say_awaited(int set) {
  int once = 0, more = 0;
  for (int i = 0; i < OBJECTS; i++) {
    once += awaited[set][i] == 1;
    more += awaited[set][i] > 1;
  }
  say("once %s", share(once, OBJECTS));
  say("more %d", more);
}

static void
pair(int i) {
  struct node *a = new_node(A, i), *b = new_node(B, i);
  a->next = b;
  enroll(ORDERED, a, A, i);
  enroll(ORDERED, b, B, i);
}

static void
awaiting(void) {
  GC_set_await_finalize_proc(await);
  each(pair);
  each(plain);
  for (int i = 0; i < 3; i++) {
    collect(1);
    say_awaited(A);
    say_awaited(B);
  }
  int same = 0;
  for (int i = 0; i < OBJECTS; i++)
    same += (awaited[A][i] == 1) == (calls[A][i] == 1) && (awaited[B][i] == 1) == (calls[B][i] == 1);
  say("as called %s", precisely(same, OBJECTS));
  say("late %d", awaited_late);
  say("others %d", awaited_others);
}

static void
awaiting_on_demand(void) {
  GC_set_finalize_on_demand(1);
  GC_set_await_finalize_proc(await);
  each(ordered);
  collect(3);
  say_awaited(A);
  say_called(1);
}

static void
awaiting_no_longer(void) {
  GC_set_await_finalize_proc(await);
  GC_set_await_finalize_proc(NULL);
  each(ordered);
  collect(1);
  say_awaited(A);
  say_called(1);
}

// It is for objects that cannot be reached.
static void
awaiting_all(void) {
  GC_set_await_finalize_proc(await);
  each(hold);
  GC_finalize_all();
  say_awaited(A);
  say_all_called(1);
}

// ---- What finalizers may do ----------------------------------------------------------------------------

static void
allocate_much(void *finalizable, void *data) {
  finalized(finalizable, data);
  struct node *list = NULL;
  for (int length = 0; length < 1000; length++) {
    struct node *longer = GC_malloc(sizeof *longer);
    longer->next = list;
    longer->stamp = STAMP;
    list = longer;
    memset(GC_malloc_atomic(5000), 0xa5, 5000);
  }
  for (; list; list = list->next)
    if (list->stamp != STAMP)
      faults++;
}

static void
allocates(int i) {
  GC_register_finalizer(new_node(A, i), allocate_much, tag(A, i), NULL, NULL);
}

static void
finalizers_allocate(void) {
  each(allocates);
  say_steps(1, 1);
}

static void
collect_within(void *finalizable, void *data) {
  finalized(finalizable, data);
  GC_gcollect();
}

static void
collects(int i) {
  struct node *node = new_node(A, i);
  GC_register_finalizer(node, collect_within, tag(A, i), NULL, NULL);
  node->next = new_node(B, i);
  GC_register_finalizer(node->next, collect_within, tag(B, i), NULL, NULL);
}

static void
finalizers_collect(void) {
  each(collects);
  say_steps(1, 1);
  collect(3);
  say_called(2);
  say_faults();
}

static void
registers_others(void *finalizable, void *data) {
  int i = (int)(GC_word)data - 1;
  finalized(finalizable, data);
  GC_disable();
  enroll(ORDERED, new_node(B, i), B, i);
  enroll(NO_ORDER, held[C][i] = new_node(C, i), C, i);
  GC_enable();
}

static void
finalizers_register_one(int i) {
  GC_register_finalizer(new_node(A, i), registers_others, tag(A, i), NULL, NULL);
}

static void
finalizers_register(void) {
  each(finalizers_register_one);
  say_steps(3, 2);
  release(C);
  say_steps(3, 1);
}

static int invoked_within;

static void
invoke_within(void *finalizable, void *data) {
  finalized(finalizable, data);
  invoked_within += GC_invoke_finalizers();
}

static void
invokes(int i) {
  GC_register_finalizer(new_node(A, i), invoke_within, tag(A, i), NULL, NULL);
}

// The first calls the second, and so on: each reports what it called itself.
static void
finalizers_invoke(void) {
  GC_set_finalize_on_demand(1);
  each(invokes);
  collect(1);
  int count = GC_invoke_finalizers();
  say("outer %d", count);
  say("sum %s", yes(count + invoked_within == called(A)));
  say_called(1);
  say_faults();
}

static void *
reveal(void *word) {
  return GC_REVEAL_POINTER(*(GC_hidden_pointer *)word);
}

// No lock is held during the call.
static void
take_lock(void *finalizable, void *data) {
  finalized(finalizable, data);
  if (GC_call_with_alloc_lock(reveal, &hidden[A][(GC_word)data - 1]) != finalizable)
    faults++;
}

static void
takes_lock(int i) {
  GC_register_finalizer(new_node(A, i), take_lock, tag(A, i), NULL, NULL);
}

static void
finalizers_lock(void) {
  each(takes_lock);
  say_steps(1, 1);
}

static void
free_next(void *finalizable, void *data) {
  struct node *node = finalizable;
  finalized(finalizable, data);
  GC_free(node->link);
  node->link = NULL;
}

static void
frees_next(int i) {
  struct node *node = new_node(A, i);
  node->link = GC_malloc_uncollectable(100);
  GC_register_finalizer(node, free_next, tag(A, i), NULL, NULL);
}

static void
finalizers_free(void) {
  each(frees_next);
  say_steps(1, 1);
  collect(2);
  say_faults();
}

// ---- All -----------------------------------------------------------------------------------------------

int
main(int argc, char **argv) {
  static const struct clause clauses[] = {
      {"defaults", defaults, "on demand 0; java 1; notifier no; await no; bytes 10000"},
      {"getters", getters, "on demand 1; java 0; notifier yes; await yes; bytes 123"},
      {"on demand: only GC_invoke_finalizers calls, and counts", on_demand,
       "ready no; invoked 0; ready no; ready yes; A none; counted yes; A most; ready no; invoked 0; ready "
       "no"},
      {"not on demand: nothing is left to invoke", not_on_demand, "ready no; invoked 0; A most"},
      {"on demand no longer: the next collection calls", on_demand_no_longer, "A none; A most"},
      {"on demand: two collections' finalizers at once", two_batches, "A most, B most"},
      {"on demand: while collection is disabled", while_disabled, "invoked most; A most"},
      {"notifier: once for a collection that made some ready", notifier,
       "nothing: 0; registered: 0; collected: 1; ready: 1; invoked, collected: 1; once more: 2"},
      {"notifier: once for each collection while some wait", notifier_repeats, "3"},
      {"notifier: not without on demand", notifier_without_demand, "0; A most"},
      {"notifier: NULL is none", notifier_taken_back, "0"},
      {"notifier: may invoke", notifier_invokes, "1; A most"},
      {"notifier: called by allocation", notifier_by_allocation, "notified yes; A most"},
      {"GC_finalize_all: objects that can be reached", all_reachable,
       "A all; B all; C all; D all; links none; long none; whole all; links most"},
      {"GC_finalize_all: cycles", all_in_cycles, "A none, B none; A all; B all"},
      {"GC_finalize_all: what finalizers register", all_until_none, "A all; B all; C all"},
      {"GC_finalize_all: calls even on demand", all_on_demand, "A all; ready no"},
      {"GC_finalize_all: with what is ready", all_with_ready, "A all; B all"},
      {"GC_finalize_all: uncollectable objects", all_uncollectable, "A all"},
      {"GC_finalize_all: nothing registered", all_none, "invoked 0"},
      {"GC_finalize_all: registrations after it", all_and_later, "A most, B none; A most, B most"},
      {"GC_finalize_all: not what was removed", all_but_removed, "A none"},
      {"await_finalize_proc: once for each, before the call", awaiting,
       "once most; more 0; once none; more 0; once most; more 0; once most; more 0; once most; more 0; "
       "once most; more 0; as called all; late 0; others 0"},
      {"await_finalize_proc: when ready, not when called", awaiting_on_demand, "once most; more 0; A none"},
      {"await_finalize_proc: NULL is none", awaiting_no_longer, "once none; more 0; A most"},
      {"await_finalize_proc: not for GC_finalize_all", awaiting_all, "once none; more 0; A all"},
      {"finalizers may allocate", finalizers_allocate, "A most"},
      {"finalizers may collect", finalizers_collect, "A most; A most, B most"},
      {"finalizers may register others", finalizers_register,
       "A most, B none, C none; A most, B most, C none; A most, B most, C most"},
      {"finalizers may invoke the others", finalizers_invoke, "outer 1; sum yes; A most"},
      {"finalizers may take the lock", finalizers_lock, "A most"},
      {"finalizers may free", finalizers_free, "A most"},
  };
  return RUN_CLAUSES(clauses, argc > 1 ? argv[1] : NULL);
}
