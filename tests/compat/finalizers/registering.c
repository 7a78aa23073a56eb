// Registering finalizers: for what, with what, in place of what, and when they are called.

#include "../clauses.h"

static void
unused(void *finalizable, void *data) {
  (void)data;
  called_for(finalizable);
  faults++;
}

static void
ordered(int i) {
  enroll(ORDERED, new_node(A, i), A, i);
}

static void
every_sort(int i) {
  for (int set = A; set <= D; set++)
    enroll(ORDERED + set, new_node(set, i), set, i);
}

// ---- The call ------------------------------------------------------------------------------------------

static void
called_once(void) {
  each(every_sort);
  say_called(4);
  say_steps(4, 1);
  collect(5);
  say_faults();
}

static void
called_by_gcollect(void) {
  each(ordered);
  say_called(1);
  collect(1);
  say_called(1);
  say("left %d", GC_invoke_finalizers());
}

// GC_malloc calls what the collections that it starts have made ready.
static void
called_by_allocation(void) {
  each(ordered);
  for (int kib = 0; kib < (1 << 20) && called(A) < OBJECTS * 9 / 10; kib++)
    GC_malloc(1024);
  say_called(1);
  say_faults();
}

static void
not_while_disabled(void) {
  each(ordered);
  GC_disable();
  collect(2);
  say_called(1);
  GC_enable();
  say_steps(1, 1);
}

enum { MANY = 20000 };
static int many_calls;

static void
count_one_of_many(void *finalizable, void *data) {
  many_calls += number_of(finalizable) == 1 && data == tag(A, 1);
}

OUT_OF_LINE void
make_many(int i) {
  struct node *node = new_node(A, 1);
  GC_register_finalizer(node, count_one_of_many, tag(A, 1), NULL, NULL);
  (void)i;
}

static void
many(void) {
  GC_disable();
  for (int i = 0; i < MANY; i++)
    deeply(FRAMES, make_many, i);
  GC_enable();
  say("%s", share(many_calls, MANY));
  collect(2);
  say("%s", share(many_calls, MANY));
}

// ---- Not while it can be reached -----------------------------------------------------------------------

static struct node **table; // of OBJECTS

static void
ordered_in_table(int i) {
  ordered(i);
  table[i] = object(A, i);
}

static void
keep_in(void *memory, void (*make)(int)) {
  table = memory;
  memset(table, 0, OBJECTS * sizeof *table);
  each(make);
  collect(3);
  say_called(1);
  memset(table, 0, OBJECTS * sizeof *table);
  say_steps(1, 1);
}

static void
kept_by_static_data(void) {
  keep_in(held[A], ordered_in_table);
}

static void
kept_by_stack(void) {
  struct node *on_stack[OBJECTS];
  keep_in(on_stack, ordered_in_table);
}

static void
kept_by_object(void) {
  keep_in(GC_malloc(OBJECTS * sizeof *table), ordered_in_table);
}

static void
kept_by_uncollectable(void) {
  void *memory = GC_malloc_uncollectable(OBJECTS * sizeof *table);
  keep_in(memory, ordered_in_table);
}

static void
kept_by_roots(void) {
  char *memory = malloc(OBJECTS * sizeof *table);
  GC_add_roots(memory, memory + OBJECTS * sizeof *table);
  keep_in(memory, ordered_in_table);
}

static void
not_kept_by_malloc(void) {
  keep_in(malloc(OBJECTS * sizeof *table), ordered_in_table);
}

static void
not_kept_by_atomic(void) {
  keep_in(GC_malloc_atomic(OBJECTS * sizeof *table), ordered_in_table);
}

static void
ordered_inside_in_table(int i) {
  ordered(i);
  table[i] = (void *)((char *)object(A, i) + 1 + i % (sizeof(struct node) - 1));
}

static void
kept_by_inside(void) {
  keep_in(held[A], ordered_inside_in_table);
}

static void
kept_by_inside_on_heap(void) {
  keep_in(GC_malloc(OBJECTS * sizeof *table), ordered_inside_in_table);
}

static void
ordered_hidden_in_table(int i) {
  ordered(i);
  table[i] = (void *)hidden[A][i];
}

static void
not_kept_by_hidden(void) {
  keep_in(held[A], ordered_hidden_in_table);
}

static void
ordered_behind_list(int i) {
  ordered(i);
  struct node *list = object(A, i);
  for (int length = 0; length < 30; length++) {
    struct node *longer = new_node(B, i);
    longer->next = list;
    list = longer;
  }
  table[i] = list;
}

static void
kept_by_list(void) {
  keep_in(held[A], ordered_behind_list);
}

// ---- Client data ---------------------------------------------------------------------------------------

static void
check_data(void *finalizable, void *data) {
  int number = called_for(finalizable);
  if (number < 0 || number_of(data) != number + B * OBJECTS || !intact(data))
    faults++;
}

static void
with_data(int i) {
  struct node *node = new_node(A, i), *data = new_node(B, i);
  data->next = new_node(C, i);
  watch(B, i, data);
  watch(C, i, data->next);
  GC_register_finalizer(node, check_data, data, NULL, NULL);
  held[A][i] = node;
}

static void
data_is_kept(void) {
  each(with_data);
  for (int i = 0; i < 5; i++) {
    collect(1);
    litter();
  }
  say_cleared("gone", links[B]);
  release(A);
  say_steps(1, 1);
  collect(1);
  say_cleared("gone", links[B]);
  say_cleared("gone with it", links[C]);
}

static void
with_data_replaced(int i) {
  with_data(i);
  GC_register_finalizer(object(A, i), finalized, tag(A, i), NULL, NULL);
}

static void
replaced_data_is_dropped(void) {
  each(with_data_replaced);
  collect(1);
  say_cleared("gone", links[B]);
  release(A);
  say_steps(1, 1);
}

// ---- Replacing, removing -------------------------------------------------------------------------------

static int as_before; // how often the old values were those that had to be

static void
expect_old(GC_finalization_proc old, void *old_data, GC_finalization_proc wanted, void *wanted_data) {
  as_before += old == wanted && old_data == wanted_data;
}

static void
replaced(int i) {
  struct node *node = new_node(A, i);
  GC_finalization_proc old = unused;
  void *old_data = node;
  GC_register_finalizer(node, unused, tag(B, i), &old, &old_data);
  expect_old(old, old_data, NULL, NULL);
  GC_register_finalizer_no_order(node, unused, tag(C, i), &old, &old_data);
  expect_old(old, old_data, unused, tag(B, i));
  GC_register_finalizer(node, finalized, tag(A, i), &old, &old_data);
  expect_old(old, old_data, unused, tag(C, i));
}

static void
replacing(void) {
  each(replaced);
  say("old %s", precisely(as_before, 3 * OBJECTS));
  say_steps(1, 1);
  collect(2);
  say_faults();
}

static void
removed(int i) {
  struct node *node = new_node(A, i);
  GC_finalization_proc old = unused;
  void *old_data = node;
  GC_register_finalizer(node, NULL, NULL, &old, &old_data);
  expect_old(old, old_data, NULL, NULL);
  GC_register_finalizer(node, finalized, tag(A, i), &old, &old_data);
  GC_register_finalizer(node, NULL, tag(B, i), &old, &old_data);
  expect_old(old, old_data, finalized, tag(A, i));
  GC_register_finalizer(node, NULL, NULL, &old, &old_data);
  expect_old(old, old_data, NULL, NULL);
  watch_long(A, i, node);
}

static void
removing(void) {
  each(removed);
  say("old %s", precisely(as_before, 3 * OBJECTS));
  say_steps(1, 1);
  say_cleared("gone", long_links[A]);
}

static void
changed_without_old(int i) {
  struct node *node = new_node(A, i), *other = new_node(B, i);
  GC_finalization_proc old = unused;
  void *old_data = node;
  GC_register_finalizer(node, unused, NULL, NULL, NULL);
  GC_register_finalizer(node, unused, tag(D, i), &old, NULL);
  as_before += old == unused;
  GC_register_finalizer(node, finalized, tag(A, i), NULL, &old_data);
  as_before += old_data == tag(D, i);
  GC_register_finalizer(other, unused, NULL, NULL, NULL);
  GC_register_finalizer(other, NULL, NULL, NULL, NULL);
}

static void
old_not_wanted(void) {
  each(changed_without_old);
  say("old %s", precisely(as_before, 2 * OBJECTS));
  say_steps(2, 1);
}

// The last registration's sort counts.
static void
sort_changed(int i) {
  struct node *a = new_node(A, i), *b = new_node(B, i);
  a->next = a;
  b->next = b;
  enroll(ORDERED, a, A, i);
  enroll(IGNORE_SELF, a, A, i);
  enroll(IGNORE_SELF, b, B, i);
  enroll(ORDERED, b, B, i);
}

static void
changing_sort(void) {
  each(sort_changed);
  say_steps(2, 2);
}

static void
make_ready(void) {
  GC_set_finalize_on_demand(1);
  each(ordered);
  collect(1);
}

static void
remove_ready(int i) {
  GC_finalization_proc old = unused;
  void *old_data = &old;
  GC_register_finalizer(object(A, i), NULL, NULL, &old, &old_data);
  expect_old(old, old_data, NULL, NULL);
}

static void
ready_is_unregistered(void) {
  make_ready();
  each(remove_ready);
  say("old %s", share(as_before, OBJECTS));
  say("ready %s", share(GC_invoke_finalizers(), OBJECTS));
  say_called(1);
  say_faults();
}

static void
finalized_again(void *finalizable, void *data) {
  int number = number_of(finalizable);
  if (number >= 0 && data == tag(B, number))
    calls[B][number]++;
}

static void
register_ready(int i) {
  GC_register_finalizer(object(A, i), finalized_again, tag(B, i), NULL, NULL);
}

static void
ready_is_registered_anew(void) {
  make_ready();
  each(register_ready);
  collect(2);
  GC_invoke_finalizers();
  say_called(2);
  collect(1);
  GC_invoke_finalizers();
  say_called(2);
  say_faults();
}

static void
remove_others(void *finalizable, void *data) {
  GC_finalization_proc old = NULL;
  void *old_data = NULL;
  int number = called_for(finalizable);
  (void)data;
  GC_register_finalizer(((struct node *)finalizable)->next, NULL, NULL, &old, &old_data);
  expect_old(old, old_data, unused, tag(B, number));
}

static void
with_other(int i) {
  struct node *a = new_node(A, i), *b = new_node(B, i);
  a->next = b;
  GC_register_finalizer(a, remove_others, NULL, NULL, NULL);
  GC_register_finalizer(b, unused, tag(B, i), NULL, NULL);
  watch_long(B, i, b);
}

static void
removed_by_finalizer(void) {
  each(with_other);
  say_steps(2, 1);
  say("old %s", share(as_before, OBJECTS));
  say_steps(2, 1);
  say_cleared("gone", long_links[B]);
}

// ---- Resurrection --------------------------------------------------------------------------------------

static void
store(void *finalizable, void *data) {
  finalized(finalizable, data);
  int i = (int)(GC_word)data - 1;
  held[A][i] = finalizable;
  watch(A, i, finalizable);
  watch_long(A, i, finalizable);
}

static void
stored(int i) {
  struct node *node = new_node(A, i);
  node->next = new_node(B, i);
  GC_register_finalizer(node, store, tag(A, i), NULL, NULL);
}

static void
resurrected(void) {
  each(stored);
  say_steps(1, 1);
  for (int i = 0; i < 3; i++) {
    collect(1);
    litter();
  }
  int whole = 0;
  for (int i = 0; i < OBJECTS; i++)
    whole += held[A][i] && intact(held[A][i]) && number_of(held[A][i]->next) == B * OBJECTS + i;
  say("whole %s", precisely(whole, called(A)));
  say("gone %s", share(cleared(links[A]) - (OBJECTS - called(A)), OBJECTS));
  release(A);
  say_steps(1, 1);
  say_cleared("gone", links[A]);
  say_cleared("for good", long_links[A]);
}

static void
register_again(void *finalizable, void *data) {
  int number = called_for(finalizable);
  if (number >= 0 && calls[A][number] < 3)
    GC_register_finalizer(finalizable, register_again, data, NULL, NULL);
}

static void
registers_itself(int i) {
  struct node *node = new_node(A, i);
  GC_register_finalizer(node, register_again, NULL, NULL, NULL);
  watch_long(A, i, node);
}

static int
called_times(int times) {
  int count = 0;
  for (int i = 0; i < OBJECTS; i++)
    count += calls[A][i] == times;
  return count;
}

static void
registered_again(void) {
  each(registers_itself);
  for (int times = 1; times <= 4; times++) {
    collect(1);
    int expected = times < 3 ? times : 3;
    say("%d times: %s", expected, share(called_times(expected), OBJECTS));
    say("gone %s", share(cleared(long_links[A]), OBJECTS));
  }
}

// ---- For what ------------------------------------------------------------------------------------------

static struct node nothing_of_ours = {.stamp = STAMP};

static void
register_foreign(void *memory) {
  for (int order = ORDERED; order <= UNREACHABLE; order++) {
    GC_finalization_proc old = unused;
    void *old_data = &old;
    registrars[order](memory, unused, NULL, &old, &old_data);
    expect_old(old, old_data, NULL, NULL);
    old = unused;
    old_data = &old;
    registrars[order](memory, NULL, NULL, &old, &old_data);
    expect_old(old, old_data, NULL, NULL);
  }
}

static void
foreign(void) {
  struct node on_stack = {.stamp = STAMP};
  void *from_malloc = calloc(1, 1000);
  register_foreign(&on_stack);
  register_foreign(&nothing_of_ours);
  register_foreign(from_malloc);
  register_foreign(NULL);
  say("old %s", precisely(as_before, 4 * 8));
  free(from_malloc);
  collect(3);
  say_faults();
}

static void
atomic(int i) {
  enroll(ORDERED, new_atomic_node(A, i), A, i);
  enroll(IGNORE_SELF, new_atomic_node(B, i), B, i);
  enroll(NO_ORDER, new_atomic_node(C, i), C, i);
  enroll(UNREACHABLE, new_atomic_node(D, i), D, i);
}

static void
pointer_free(void) {
  each(atomic);
  say_steps(4, 1);
}

// What a pointer-free object contains delays nothing, not even its own address.
static void
atomic_to_b(int i) {
  struct node *a = new_atomic_node(A, i), *b = new_node(B, i);
  a->link = b;
  b->link = a;
  enroll(ORDERED, a, A, i);
  enroll(ORDERED, b, B, i);
}

static void
pointer_free_content(void) {
  each(atomic_to_b);
  say_steps(2, 2);
}

enum { LARGE = 1 << 20, LARGE_OBJECTS = 20 };

static void
large_finalized(void *finalizable, void *data) {
  struct node *end = (struct node *)((char *)finalizable + LARGE - sizeof *end);
  if (end->stamp != ((struct node *)finalizable)->stamp)
    faults++;
  finalized(finalizable, data);
}

static void
large(int i) {
  if (i >= LARGE_OBJECTS)
    return;
  for (int set = A; set <= C; set++) {
    char *memory = set == A   ? GC_malloc(LARGE)
                   : set == B ? GC_malloc_atomic(LARGE)
                              : GC_malloc_ignore_off_page(LARGE);
    known_as(memory + LARGE - sizeof(struct node), set, i);
    known_as(memory, set, i);
    GC_register_finalizer(memory, large_finalized, tag(set, i), NULL, NULL);
  }
}

static void
large_objects(void) {
  each(large);
  collect(2);
  for (int set = A; set <= C; set++)
    say("%s", share(called(set), LARGE_OBJECTS));
  say_faults();
}

static size_t
size_of(int i) {
  return 1 + i * i;
}

static void
check_bytes(void *finalizable, void *data) {
  int i = (int)(GC_word)data - 1;
  unsigned char *bytes = finalizable;
  for (size_t byte = 0; byte < size_of(i); byte++)
    if (bytes[byte] != i + 1) {
      faults++;
      break;
    }
  if (GC_HIDE_POINTER(finalizable) != hidden[A][i])
    faults++;
  calls[A][i]++;
  litter();
}

static void
sized(int i) {
  void *memory = GC_malloc(size_of(i));
  memset(memory, i + 1, size_of(i));
  hidden[A][i] = GC_HIDE_POINTER(memory);
  GC_register_finalizer(memory, check_bytes, tag(A, i), NULL, NULL);
}

static void
all_sizes(void) {
  each(sized);
  say_steps(1, 1);
}

static void
uncollectable(int i) {
  struct node *a = known_as(GC_malloc_uncollectable(sizeof(struct node)), A, i);
  enroll(ORDERED, a, A, i);
  a->next = new_node(C, i);
  enroll(ORDERED, a->next, C, i);
  enroll(NO_ORDER, known_as(GC_malloc_atomic_uncollectable(sizeof(struct node)), B, i), B, i);
}

static void
uncollectable_objects(void) {
  each(uncollectable);
  collect(3);
  say_called(3);
  for (int i = 0; i < OBJECTS; i++)
    object(A, i)->next = NULL;
  say_steps(3, 1);
}

// ---- Macros --------------------------------------------------------------------------------------------

static void
by_macro(int i) {
#if defined(GC_REGISTER_FINALIZER) && defined(GC_REGISTER_FINALIZER_IGNORE_SELF) && \
    defined(GC_REGISTER_FINALIZER_NO_ORDER) && defined(GC_REGISTER_FINALIZER_UNREACHABLE)
  GC_REGISTER_FINALIZER(new_node(A, i), finalized, tag(A, i), NULL, NULL);
  GC_REGISTER_FINALIZER_IGNORE_SELF(new_node(B, i), finalized, tag(B, i), NULL, NULL);
  GC_REGISTER_FINALIZER_NO_ORDER(new_node(C, i), finalized, tag(C, i), NULL, NULL);
  GC_REGISTER_FINALIZER_UNREACHABLE(new_node(D, i), finalized, tag(D, i), NULL, NULL);
#else
  (void)i;
#endif
}

static void
macros(void) {
  each(by_macro);
  say_steps(4, 1);
}

// ---- All -----------------------------------------------------------------------------------------------

int
main(int argc, char **argv) {
  static const struct clause clauses[] = {
      {"called once, with the object and the data", called_once,
       "A none, B none, C none, D none; A most, B most, C most, D most"},
      {"called before GC_gcollect returns", called_by_gcollect, "A none; A most; left 0"},
      {"called by allocation", called_by_allocation, "A most"},
      {"not called while collection is disabled", not_while_disabled, "A none; A most"},
      {"twenty thousand finalizers", many, "none; most"},
      {"not while static data refers to it", kept_by_static_data, "A none; A most"},
      {"not while the stack refers to it", kept_by_stack, "A none; A most"},
      {"not while an object refers to it", kept_by_object, "A none; A most"},
      {"not while an uncollectable object refers to it", kept_by_uncollectable, "A none; A most"},
      {"not while added roots refer to it", kept_by_roots, "A none; A most"},
      {"not while a list leads to it", kept_by_list, "A none; A most"},
      {"not while something points inside it", kept_by_inside, "A none; A most"},
      {"not while an object points inside it", kept_by_inside_on_heap, "A none; A most"},
      {"pointers in malloc's memory do not keep it", not_kept_by_malloc, "A most; A most"},
      {"pointers in a pointer-free object do not keep it", not_kept_by_atomic, "A most; A most"},
      {"hidden pointers do not keep it", not_kept_by_hidden, "A most; A most"},
      {"client data is kept until the call", data_is_kept, "gone none; A most; gone most; gone with it most"},
      {"client data is dropped when replaced", replaced_data_is_dropped, "gone most; A most"},
      {"replaced: old values are given back, only the last is called", replacing, "old all; A most"},
      {"removed: old values are given back, none is called", removing, "old all; A none; gone most"},
      {"old values need not be asked for", old_not_wanted, "old all; A most, B none"},
      {"replaced: the last sort counts", changing_sort, "A most, B none; A most, B none"},
      {"ready: is registered no longer", ready_is_unregistered, "old most; ready most; A most"},
      {"ready: registered anew, called twice", ready_is_registered_anew, "A most, B none; A most, B most"},
      {"removed by another object's finalizer", removed_by_finalizer,
       "A most, B none; old most; A most, B none; gone most"},
      {"stored by its finalizer: lives, and is not finalized again", resurrected,
       "A most; whole all; gone none; A most; gone most; for good most"},
      {"registered again by its finalizer", registered_again,
       "1 times: most; gone none; 2 times: most; gone none; 3 times: most; gone none; 3 times: most; "
       "gone most"},
      {"for what is no object nothing happens", foreign, "old all"},
      {"pointer-free objects", pointer_free, "A most, B most, C most, D most"},
      {"pointer-free objects delay nothing", pointer_free_content, "A none, B most; A most, B most"},
      {"large objects", large_objects, "most; most; most"},
      {"objects of many sizes", all_sizes, "A most"},
      {"uncollectable objects: never", uncollectable_objects,
       "A none, B none, C none; A none, B none, C most"},
      {"libgc's macros", macros, "A most, B most, C most, D most"},
  };
  return RUN_CLAUSES(clauses, argc > 1 ? argv[1] : NULL);
}
