// Kinds of objects that a program makes, their descriptors and mark procedures, and the ways to allocate
// them.
//
// A are the targets that descriptor or procedure lead to; B those to which other words refer.
#include <gc/gc_inline.h>
#include <gc/gc_mark.h>

#include "kept.h"

enum { WORD = sizeof(GC_word), SMALL = 6 * WORD, LARGE = 200 * 1024 };

static const char both[] = "A all, B few";

static int
kind_with(GC_word descriptor, int add_size) {
  return (int)GC_new_kind(GC_new_free_list(), descriptor, add_size, 1);
}

// ---- Numbers -------------------------------------------------------------------------------------------

static struct GC_ms_entry *
mark_nothing(GC_word *object, struct GC_ms_entry *top, struct GC_ms_entry *limit, GC_word environment) {
  (void)object, (void)limit, (void)environment;
  return top;
}

static void
numbers(void) {
  say("%d", kind_with(0, 1));
  say("%d", kind_with(0, 0));
  say("%u", GC_new_proc(mark_nothing));
  say("%u", GC_new_proc(mark_nothing));
}

GC_API GC_word GC_CALL GC_make_descriptor(const GC_word *bitmap, size_t bits); // gc_typed.h's

static void
numbers_after_typed(void) {
  GC_word bitmap = 1;
  GC_make_descriptor(&bitmap, 1);
  say("%d, %u", kind_with(0, 1), GC_new_proc(mark_nothing));
}

static void *GC_CALLBACK
make_inner(void *result) {
  int *numbers = result;
  numbers[0] = (int)GC_new_kind_inner(GC_new_free_list_inner(), 0, 1, 1);
  numbers[1] = (int)GC_new_proc_inner(mark_nothing);
  return NULL;
}

static void
numbers_under_lock(void) {
  int made_there[2];
  GC_call_with_alloc_lock(make_inner, made_there);
  say("%d, %d", made_there[0], made_there[1]);
}

static void
many(void) {
  int kind = 0;
  unsigned procedure = 0;
  for (int i = 0; i < 12; i++)
    kind = kind_with(0, 1);
  for (int i = 0; i < 56; i++)
    procedure = GC_new_proc(mark_nothing);
  say("%d, %u", kind, procedure);
}

static void
say_kind_of(void *object, size_t requested) {
  size_t bytes = 0;
  int kind = GC_get_kind_and_size(object, &bytes);
  say("%d%s%s", kind, bytes == GC_size(object) && bytes >= requested ? "" : " of another size",
      GC_get_kind_and_size(object, NULL) == kind ? "" : " or not");
}

static void
kinds_of_objects(void) {
  say_kind_of(GC_malloc_atomic(100), 100);
  say_kind_of(GC_malloc(96), 96);
  say_kind_of(GC_malloc(100), 100);
  say_kind_of(GC_malloc(LARGE), LARGE);
  say_kind_of(GC_malloc_uncollectable(100), 100);
  say_kind_of(GC_malloc_atomic_uncollectable(LARGE), LARGE);
  say_kind_of(GC_generic_malloc(100, kind_with(0, 1)), 100);
}

static void
same_kind_again(void) {
  void *const objects[] = {GC_malloc_atomic(10),
                           GC_malloc(16),
                           GC_malloc(20),
                           GC_malloc_uncollectable(20),
                           GC_malloc_atomic_uncollectable(20),
                           GC_generic_malloc(20, kind_with(WORD, 0))};
  for (size_t i = 0; i < sizeof objects / sizeof objects[0]; i++) {
    int kind = GC_get_kind_and_size(objects[i], NULL);
    say_kind_of(GC_generic_or_special_malloc(1000, kind), 1000);
    say_kind_of(GC_generic_or_special_malloc(LARGE, kind), LARGE);
  }
}

static void
atomic_and_normal(void) {
  say_kind_of(GC_malloc_kind(100, GC_I_NORMAL), 100);
  say_kind_of(GC_malloc_kind(100, GC_I_PTRFREE), 100);
  say_kind_of(GC_generic_malloc(96, GC_I_NORMAL), 96);
  say_kind_of(GC_generic_malloc(100, GC_I_PTRFREE), 100);
}

// ---- Descriptors ---------------------------------------------------------------------------------------

static int kind;
static size_t object_bytes; // to be asked for
static void *(*allocate)(size_t bytes, int kind);
static GC_word *type_of_objects; // what the first word is to be; NULL: an ordinary one
static struct {
  bool is;      // has each object a descriptor of its own?
  size_t place; // the word that it is in, from the end if `at_end`
  bool at_end;
  GC_word descriptor;
} own;
static bool (*is_pointer)(size_t word, size_t words);

static size_t
own_place(size_t words) {
  return own.at_end ? words - own.place : own.place;
}

// May word `word` be used for a target of `set`?
static bool
is_for(int set, size_t word, size_t words) {
  return is_pointer(word, words) == (set == A) && !(type_of_objects && word == 0) &&
         !(own.is && word == own_place(words));
}

// What else there is of normal objects is not the program's.
static size_t
words_of(const void *object) {
  return (kind == GC_I_NORMAL ? object_bytes : GC_size(object)) / WORD;
}

static void
refer(void **object, int set, int i) {
  size_t words = words_of(object);
  for (size_t step = 0; step < words; step++) {
    size_t word = ((size_t)i * 31 + step) % words;
    if (is_for(set, word, words)) {
      object[word] = target(set, i);
      return;
    }
  }
}

static void
make_object(int i) {
  GC_word *object = allocate(object_bytes, kind);
  check_zero(object, object_bytes);
  if (type_of_objects)
    object[0] = (GC_word)type_of_objects;
  if (own.is)
    object[own_place(GC_size(object) / WORD)] = own.descriptor;
  GC_end_stubborn_change(object);
  holders[i] = object;
  refer((void **)object, A, i);
  refer((void **)object, B, i);
}

static void
run_kind(int of_kind, bool (*where)(size_t, size_t)) {
  kind = of_kind;
  is_pointer = where;
  if (!allocate)
    allocate = GC_generic_malloc;
  if (!object_bytes)
    object_bytes = SMALL;
  each(dirty);
  collect(2);
  run_holders(make_object);
}

static bool
no_word(size_t word, size_t words) {
  return (void)word, (void)words, false;
}

static bool
any_word(size_t word, size_t words) {
  return (void)word, (void)words, true;
}

static bool
first_two(size_t word, size_t words) {
  return (void)words, word < 2;
}

static bool
second_and_fourth(size_t word, size_t words) {
  return (void)words, word == 1 || word == 3;
}

static bool
third_word(size_t word, size_t words) {
  return (void)words, word == 2;
}

static bool
all_but_last(size_t word, size_t words) {
  return word + 1 < words;
}

#define BITMAP(first, second, third, fourth)                                                             \
  ((GC_word)(first) << 63 | (GC_word)(second) << 62 | (GC_word)(third) << 61 | (GC_word)(fourth) << 60 | \
   GC_DS_BITMAP)

static void
of_length(void) {
  run_kind(kind_with(2 * WORD, 0), first_two);
}

static void
of_length_0(void) {
  run_kind(kind_with(0, 0), no_word);
}

static void
of_length_and_size(void) {
  run_kind(kind_with(0, 1), any_word);
}

static void
of_length_less_than_size(void) {
  run_kind(kind_with(-(GC_word)WORD, 1), all_but_last);
}

static void
large_of_length(void) {
  object_bytes = LARGE;
  run_kind(kind_with(2 * WORD, 0), first_two);
}

static void
large_of_length_less_than_size(void) {
  object_bytes = LARGE;
  run_kind(kind_with(-(GC_word)WORD, 1), all_but_last);
}

static void
of_bitmap(void) {
  run_kind(kind_with(BITMAP(0, 1, 0, 1), 0), second_and_fourth);
}

static void
large_of_bitmap(void) {
  object_bytes = LARGE;
  run_kind(kind_with(BITMAP(0, 1, 0, 1), 0), second_and_fourth);
}

// An object of a kind with bits for more words than it has.
static void
of_bitmap_beyond(void) {
  object_bytes = 2 * WORD - 1; // lest libgc add a word for its byte at the end
  run_kind(kind_with(BITMAP(0, 1, 0, 1), 0), second_and_fourth);
}

static void
in_objects(size_t place, bool at_end, GC_word descriptor, bool (*where)(size_t, size_t)) {
  own.is = true;
  own.place = place;
  own.at_end = at_end;
  own.descriptor = descriptor;
  run_kind(kind_with((at_end ? -(place * WORD) : place * WORD) | GC_DS_PER_OBJECT, at_end), where);
}

static void
in_first_word(void) {
  in_objects(0, false, BITMAP(0, 0, 1, 0), third_word);
}

static void
in_second_word(void) {
  in_objects(1, false, BITMAP(0, 0, 1, 0), third_word);
}

static void
in_last_word(void) {
  in_objects(1, true, BITMAP(0, 0, 1, 0), third_word);
}

static void
in_last_word_but_one(void) {
  in_objects(2, true, BITMAP(0, 0, 1, 0), third_word);
}

static void
in_last_word_of_large(void) {
  object_bytes = LARGE;
  in_objects(1, true, BITMAP(0, 0, 1, 0), third_word);
}

static void
in_object_not_filled(void) {
  in_objects(1, false, 0, no_word);
}

static void
in_object_length(void) {
  in_objects(1, false, 2 * WORD, first_two);
}

static GC_word type[4];

static void
in_types(size_t place) {
  type[place] = BITMAP(0, 0, 1, 0);
  type_of_objects = type;
  run_kind(kind_with(-(GC_word)(place * WORD + GC_INDIR_PER_OBJ_BIAS) | GC_DS_PER_OBJECT, 0), third_word);
}

static void
in_start_of_type(void) {
  in_types(0);
}

static void
in_third_word_of_type(void) {
  in_types(2);
}

static void
in_type_of_large(void) {
  object_bytes = LARGE;
  in_types(1);
}

static void
type_missing(void) {
  run_kind(kind_with(-(GC_word)(WORD + GC_INDIR_PER_OBJ_BIAS) | GC_DS_PER_OBJECT, 0), no_word);
}

// Types are objects as well.
static void
in_collected_types(void) {
  type_of_objects = holders[0] = GC_malloc(4 * WORD);
  type_of_objects[1] = BITMAP(1, 0, 1, 0);
  is_pointer = third_word;
  kind = kind_with(-(GC_word)(WORD + GC_INDIR_PER_OBJ_BIAS) | GC_DS_PER_OBJECT, 0);
  allocate = GC_generic_malloc;
  object_bytes = SMALL;
  run_holders(make_object);
  type_of_objects = NULL; // kept by the objects now
  clear_stack();
  each(dirty);
  collect(2);
  say_kept();
}

// ---- Mark procedures -----------------------------------------------------------------------------------

static int unfilled_faults, calls_with_environment;

static struct GC_ms_entry *
push_word(GC_word *word, struct GC_ms_entry *top, struct GC_ms_entry *limit) {
  return GC_MARK_AND_PUSH((void *)*word, top, limit, (void **)word);
}

static int
kind_of_procedure(GC_mark_proc procedure, GC_word environment) {
  return kind_with(GC_MAKE_PROC(GC_new_proc(procedure), environment), 0);
}

static void
of_nothing(void) {
  run_kind(kind_of_procedure(mark_nothing, 0), no_word);
}

// The environment's lowest bits are the word that is a pointer.
static struct GC_ms_entry *
mark_one(GC_word *object, struct GC_ms_entry *top, struct GC_ms_entry *limit, GC_word environment) {
  calls_with_environment++;
  return push_word(&object[environment % 8], top, limit);
}

static void
of_environment(void) {
  run_kind(kind_of_procedure(mark_one, 2), third_word);
  say("%s", yes(calls_with_environment >= OBJECTS));
}

static void
of_long_environment(void) {
  run_kind(kind_of_procedure(mark_one, ((GC_word)1 << 56) - 8 + 2), third_word);
}

static void
of_environments(void) {
  unsigned procedure = GC_new_proc(mark_one);
  kind_with(GC_MAKE_PROC(procedure, 1), 0);
  int third = kind_with(GC_MAKE_PROC(procedure, 2), 0);
  kind_with(GC_MAKE_PROC(procedure, 3), 0);
  run_kind(third, third_word);
}

static void
large_of_procedure(void) {
  object_bytes = LARGE;
  run_kind(kind_of_procedure(mark_one, 2), third_word);
}

static void
in_object_procedure(void) {
  in_objects(1, false, GC_MAKE_PROC(GC_new_proc(mark_one), 2), third_word);
}

static void
in_type_procedure(void) {
  type[1] = GC_MAKE_PROC(GC_new_proc(mark_one), 2);
  type_of_objects = type;
  run_kind(kind_with(-(GC_word)(WORD + GC_INDIR_PER_OBJ_BIAS) | GC_DS_PER_OBJECT, 0), third_word);
}

// Objects of the program's that are all pointers and know how many.
static struct GC_ms_entry *
mark_all(GC_word *object, struct GC_ms_entry *top, struct GC_ms_entry *limit, GC_word environment) {
  for (size_t i = 0; i < environment; i++)
    top = push_word(&object[i], top, limit);
  return top;
}

static void
make_many_fields(int i) {
  GC_word *object = i == 0 ? GC_generic_malloc(OBJECTS * WORD, kind) : holders[0];
  holders[0] = object;
  object[i] = (GC_word)target(A, i);
}

static void
of_many_fields(void) {
  kind = kind_of_procedure(mark_all, OBJECTS);
  run_holders(make_many_fields);
}

static void
make_inside(int i) {
  GC_word *object = GC_generic_malloc(SMALL, kind);
  holders[i] = object;
  object[2] = (GC_word)target(A, i) + (GC_word)i % sizeof(struct node);
}

static void
of_inside(void) {
  kind = kind_of_procedure(mark_one, 2);
  run_holders(make_inside);
}

static const int in_static_data = 1;

static void
make_nonsense(int i) {
  GC_word *object = GC_generic_malloc(SMALL, kind);
  int on_stack = 0;
  const GC_word nonsense[] = {0,
                              ~(GC_word)0,
                              (GC_word)i,
                              (GC_word)&in_static_data,
                              (GC_word)&on_stack,
                              (GC_word)GC_least_plausible_heap_addr + (GC_word)i * 4096,
                              (GC_word)GC_greatest_plausible_heap_addr - (GC_word)i * 4096};
  holders[i] = object;
  object[2] = nonsense[i % (sizeof nonsense / sizeof nonsense[0])];
  refer((void **)object, B, i);
}

static void
of_nonsense(void) {
  is_pointer = third_word;
  kind = kind_of_procedure(mark_one, 2);
  run_holders(make_nonsense);
}

// Four words in malloc's memory belong to an object; the first word of the object is their number and 1.
static GC_word **sides;

static struct GC_ms_entry *
mark_side(GC_word *object, struct GC_ms_entry *top, struct GC_ms_entry *limit, GC_word environment) {
  if (object[0] == 0 || object[0] > OBJECTS || environment != 77)
    return top;
  for (size_t i = 0; i < 4; i++)
    top = push_word(&sides[object[0] - 1][i], top, limit);
  return top;
}

static void
make_with_side(int i) {
  GC_word *object = GC_generic_malloc(SMALL, kind);
  holders[i] = object;
  sides[i] = calloc(4, WORD);
  object[0] = (GC_word)i + 1;
  object[2] = (GC_word)target(B, i);
  sides[i][i % 4] = (GC_word)target(A, i);
  GC_end_stubborn_change(object);
}

static void
change_side(int i) {
  memset(sides[i], 0, 4 * WORD);
  sides[i][(i + 1) % 4] = (GC_word)target(C, i);
}

// What the procedure reads changes without that the object does.
static void
of_side(void) {
  sides = calloc(OBJECTS, sizeof *sides);
  kind = kind_of_procedure(mark_side, 77);
  run_holders(make_with_side);
  each(change_side);
  collect(2);
  say_kept();
}

// A list through malloc's memory.
enum { LIST = 100000 };

struct cell {
  GC_word number;
  struct cell **next; // in malloc's memory
};

static struct GC_ms_entry *
mark_cell(GC_word *object, struct GC_ms_entry *top, struct GC_ms_entry *limit, GC_word environment) {
  struct cell *cell = (struct cell *)object;
  (void)environment;
  return cell->number && cell->next ? GC_MARK_AND_PUSH(*cell->next, top, limit, (void **)cell->next) : top;
}

static void
of_list(void) {
  kind = kind_of_procedure(mark_cell, 0);
  struct cell **nexts = malloc(LIST * sizeof *nexts);
  for (GC_word i = 0; i < LIST; i++) {
    struct cell *cell = GC_generic_malloc(sizeof *cell, kind);
    nexts[i] = holders[0];
    cell->next = &nexts[i];
    cell->number = i + 1;
    GC_end_stubborn_change(cell);
    holders[0] = cell;
    if (i % (LIST / 5) == 0)
      GC_gcollect();
  }
  collect(1);
  GC_word left = LIST;
  for (const struct cell *cell = holders[0]; cell && cell->number == left; cell = *cell->next)
    left--;
  say("%lu missing", (unsigned long)left);
  free(nexts);
}

// An object that has not been filled is zero, but for the first word while nobody has it.
static struct GC_ms_entry *
mark_filled(GC_word *object, struct GC_ms_entry *top, struct GC_ms_entry *limit, GC_word environment) {
  (void)environment;
  if (object[1] == STAMP)
    return push_word(&object[2], top, limit);
  for (size_t i = 1; i < SMALL / WORD; i++)
    unfilled_faults += object[i] != 0;
  return top;
}

static void
leave_unfilled(int i) {
  GC_word *object = GC_generic_malloc(SMALL, kind);
  holders[i] = object;
  if (i % 2)
    return;
  object[2] = (GC_word)target(A, i);
  object[3] = (GC_word)target(B, i);
  object[1] = STAMP;
  GC_end_stubborn_change(object);
}

static void
some_unfilled(void) {
  kind = kind_of_procedure(mark_filled, 0);
  for (int i = 0; i < 3; i++) {
    forget_targets();
    run_holders(leave_unfilled);
  }
  say("%d faults", unfilled_faults);
}

// ---- Other ways to allocate ----------------------------------------------------------------------------

static void
malloc_kind(void) {
  allocate = GC_malloc_kind;
  run_kind(kind_with(BITMAP(0, 1, 0, 1), 0), second_and_fourth);
}

static void
malloc_kind_large(void) {
  object_bytes = LARGE;
  malloc_kind();
}

static void
malloc_kind_normal(void) {
  allocate = GC_malloc_kind;
  run_kind(GC_I_NORMAL, any_word);
}

static void
make_atomic(int i) {
  holders[i] = memset(GC_malloc_kind(SMALL, GC_I_PTRFREE), 0, SMALL);
  refer(holders[i], B, i);
}

static void
malloc_kind_atomic(void) {
  is_pointer = no_word;
  run_holders(make_atomic);
}

static void
off_page(void) {
  allocate = GC_generic_malloc_ignore_off_page;
  run_kind(kind_with(BITMAP(0, 1, 0, 1), 0), second_and_fourth);
}

static void
off_page_large(void) {
  object_bytes = LARGE;
  off_page();
}

static void
off_page_normal_large(void) {
  object_bytes = LARGE;
  allocate = GC_generic_malloc_ignore_off_page;
  run_kind(GC_I_NORMAL, any_word);
}

static void
special(void) {
  allocate = GC_generic_or_special_malloc;
  run_kind(kind_with(BITMAP(0, 1, 0, 1), 0), second_and_fourth);
}

enum { UNCOLLECTABLE = 2, ATOMIC_UNCOLLECTABLE = 3 }; // libgc's numbers, from private headers

static void
make_uncollectable(int i) {
  void **object = GC_generic_malloc_uncollectable(object_bytes, UNCOLLECTABLE);
  void **atomic = GC_generic_malloc_uncollectable(object_bytes, ATOMIC_UNCOLLECTABLE);
  object[1] = target(A, i);
  memset(atomic, 0, object_bytes);
  atomic[1] = target(B, i);
  atomic[2] = (void *)STAMP;
  hidden[C][i] = GC_HIDE_POINTER(object);
  hidden[D][i] = GC_HIDE_POINTER(atomic);
}

static void
uncollectable(size_t bytes) {
  int whole = 0;
  object_bytes = bytes;
  run_holders(make_uncollectable);
  each(dirty);
  for (int i = 0; i < OBJECTS; i++)
    whole += ((GC_word *)object(D, i))[2] == STAMP;
  say("%s", precisely(whole, OBJECTS));
}

static void
small_uncollectable(void) {
  uncollectable(SMALL);
}

static void
large_uncollectable(void) {
  uncollectable(LARGE);
}

// ---- Several at once -----------------------------------------------------------------------------------

static bool
is_one_of_many(char *object, size_t bytes) {
  for (size_t i = WORD; i < bytes; i++)
    if (object[i])
      return false;
  return GC_size(object) == bytes && (GC_word)object % 16 == 0 && GC_base(object) == object;
}

// Chains of each size, with a collection after each, and all of them still there afterwards.
static void
several(int of_kind) {
  enum { SIZES = 16 };
  int counts[SIZES];
  bool right = true;
  each(dirty);
  collect(2);
  for (int size = 0; size < SIZES; size++) {
    size_t bytes = (size_t)(size + 1) * 16;
    GC_generic_malloc_many(bytes, of_kind, &holders[size]);
    counts[size] = 0;
    for (void *object = holders[size]; object; object = GC_NEXT(object), counts[size]++)
      right = right && is_one_of_many(object, bytes);
    if (counts[size] == 0)
      right = false;
    collect(1);
  }
  say("%s", right ? "right" : "wrong");
  each(dirty);
  for (int size = 0; size < SIZES; size++)
    for (void *object = holders[size]; object; object = GC_NEXT(object), counts[size]--)
      right = right && is_one_of_many(object, (size_t)(size + 1) * 16);
  for (int size = 0; size < SIZES; size++)
    right = right && counts[size] == 0;
  say("%s", right ? "right" : "wrong");
}

static void
several_normal(void) {
  several(GC_I_NORMAL);
}

static void
several_of_length(void) {
  several(kind_with(WORD, 0));
}

static void
several_of_procedure(void) {
  several(kind_of_procedure(mark_one, 0));
}

static void
several_atomic(void) {
  void *first;
  GC_disable();
  GC_generic_malloc_many(48, GC_I_PTRFREE, &first);
  bool right = first != NULL;
  for (void *object = first; object; object = GC_NEXT(object))
    right = right && GC_size(object) == 48 && GC_get_kind_and_size(object, NULL) == GC_I_PTRFREE;
  say("%s", right ? "right" : "wrong");
}

// Each of them is an object by itself.  Not the first and the last: in a root the address of an object's end
// may keep it.
static void
take_from_many(int i) {
  void *list;
  do
    GC_generic_malloc_many(SMALL, kind, &list);
  while (!GC_NEXT(list) || !GC_NEXT(GC_NEXT(list)));
  struct node *dropped = GC_NEXT(list), *last = GC_NEXT(dropped);
  while (GC_NEXT(last))
    last = GC_NEXT(last);
  GC_NEXT(list) = NULL;
  known_as(last, A, i);
  watch(A, i, last);
  made[A]++;
  known_as(dropped, B, i);
  watch(B, i, dropped);
  made[B]++;
  holders[i] = last;
}

static void
one_of_many(void) {
  kind = GC_I_NORMAL;
  run_holders(take_from_many);
}

int
main(int argc, char **argv) {
  static const struct clause clauses[] = {
      {"new_kind, new_proc: the first numbers", numbers, "4; 5; 8; 9"},
      {"new_kind, new_proc: ... after explicit typing has taken some", numbers_after_typed, "6, 10"},
      {"new_kind_inner, new_proc_inner: under the lock", numbers_under_lock, "4, 8"},
      {"new_kind, new_proc: 12 kinds and 56 procedures", many, "15, 63"},
      {"get_kind_and_size", kinds_of_objects, "0; 1; 1; 1; 2; 3; 4"},
      {"generic_or_special_malloc: the same kind", same_kind_again, "0; 0; 1; 1; 1; 1; 2; 2; 3; 3; 4; 4"},
      {"malloc_kind, generic_malloc: pointer-free and normal ones", atomic_and_normal, "1; 0; 1; 0"},
      {"length descriptor", of_length, both},
      {"length descriptor: 0", of_length_0, "B few"},
      {"length descriptor: 0 and the object's size", of_length_and_size, "A all"},
      {"length descriptor: a word less than the object's size", of_length_less_than_size, both},
      {"length descriptor: large objects", large_of_length, both},
      {"length descriptor: large objects, a word less than the size", large_of_length_less_than_size, both},
      {"bitmap", of_bitmap, both},
      {"bitmap: large objects", large_of_bitmap, both},
      {"bitmap: longer than the object", of_bitmap_beyond, both},
      {"per object: in the first word", in_first_word, both},
      {"per object: in the second word", in_second_word, both},
      {"per object: in the last word", in_last_word, both},
      {"per object: in the last word but one", in_last_word_but_one, both},
      {"per object: in the last word of large ones", in_last_word_of_large, both},
      {"per object: objects without a descriptor yet", in_object_not_filled, "B few"},
      {"per object: a length", in_object_length, both},
      {"per object: a procedure", in_object_procedure, both},
      {"per type: in its first word", in_start_of_type, both},
      {"per type: in its third word", in_third_word_of_type, both},
      {"per type: large objects", in_type_of_large, both},
      {"per type: objects without a type yet", type_missing, "B few"},
      {"per type: a type that is an object itself", in_collected_types, "A all, B few; A all, B few"},
      {"per type: a procedure", in_type_procedure, both},
      {"procedure: marks nothing", of_nothing, "B few"},
      {"procedure: gets its environment", of_environment, "A all, B few; yes"},
      {"procedure: gets an environment of 56 bits", of_long_environment, both},
      {"procedure: one for several kinds", of_environments, both},
      {"procedure: large objects", large_of_procedure, both},
      {"procedure: pushes many", of_many_fields, "A all"},
      {"procedure: pushes pointers into objects", of_inside, "A all"},
      {"procedure: pushes what is no pointer", of_nonsense, "B few"},
      {"procedure: looks at malloc's memory, which changes", of_side, "A all, B few; A few, B few, C all"},
      {"procedure: a long list through malloc's memory", of_list, "0 missing"},
      {"procedure: objects not filled yet are zero", some_unfilled,
       "A all, B few; A all, B few; A all, B few; 0 faults"},
      {"malloc_kind", malloc_kind, both},
      {"malloc_kind: large objects", malloc_kind_large, both},
      {"malloc_kind: normal ones", malloc_kind_normal, "A all"},
      {"malloc_kind: pointer-free ones", malloc_kind_atomic, "B few"},
      {"generic_malloc_ignore_off_page", off_page, both},
      {"generic_malloc_ignore_off_page: large objects", off_page_large, both},
      {"generic_malloc_ignore_off_page: large normal ones", off_page_normal_large, "A all"},
      {"generic_or_special_malloc: by its descriptor", special, both},
      {"generic_malloc_uncollectable", small_uncollectable, "A all, B few; all"},
      {"generic_malloc_uncollectable: large objects", large_uncollectable, "A all, B few; all"},
      {"generic_malloc_many: of exactly that size, zero, and kept by the first", several_normal,
       "right; right"},
      {"generic_malloc_many: ... of a kind with a descriptor", several_of_length, "right; right"},
      {"generic_malloc_many: ... of a kind with a procedure", several_of_procedure, "right; right"},
      {"generic_malloc_many: pointer-free ones", several_atomic, "right"},
      {"generic_malloc_many: each is an object by itself", one_of_many, both},
  };
  return RUN_CLAUSES(clauses, argc > 1 ? argv[1] : NULL);
}
