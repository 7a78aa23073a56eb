// With all_interior_pointers off: which pointers count, and free lists of the program's own, whose objects
// have no byte at the end (libgc does not read the last word of such an object otherwise).
//
// Loam finds what words in roots refer to in any case; what is claimed here about pointers into the middle is
// about those in the heap.
#include <gc/gc_inline.h>
#include <gc/gc_mark.h>
#include <gc/gc_typed.h>

#include "kept.h"

// ---- Pointers into objects -----------------------------------------------------------------------------

static size_t displacement;
static void *(*allocate)(size_t bytes);
static size_t target_bytes;

static void
refer_to_inside(int i) {
  char *object = allocate(target_bytes);
  known_as(object, A, i);
  watch(A, i, (struct node *)object);
  made[A]++;
  void **holder = holders[0] = holders[0] ? holders[0] : GC_malloc(OBJECTS * sizeof *holder);
  holder[i] = object + displacement;
}

static void
run_displaced(size_t bytes) {
  displacement = bytes;
  if (!allocate)
    allocate = GC_malloc;
  if (!target_bytes)
    target_bytes = 100;
  run_holders(refer_to_inside);
}

static void
to_start(void) {
  run_displaced(0);
}

static void
to_middle(void) {
  run_displaced(24);
}

static void
to_registered(void) {
  GC_register_displacement(24);
  run_displaced(24);
}

static void
to_odd(void) {
  GC_register_displacement(1);
  run_displaced(1);
}

static void
to_other_than_registered(void) {
  GC_register_displacement(24);
  run_displaced(16);
}

static void
to_middle_of_large(void) {
  target_bytes = 200 * 1024;
  run_displaced(8192);
}

static void
to_registered_of_large(void) {
  target_bytes = 200 * 1024;
  GC_register_displacement(24);
  run_displaced(24);
}

static void
to_middle_of_atomic(void) {
  allocate = GC_malloc_atomic;
  run_displaced(24);
}

static void
to_registered_of_atomic(void) {
  allocate = GC_malloc_atomic;
  to_registered();
}

static GC_descr descriptor;

static void
refer_by_layout(int i) {
  void **holder = GC_malloc_explicitly_typed(4 * sizeof *holder, descriptor);
  holders[i] = holder;
  holder[1] = (char *)target(A, i) + 8;
  holder[3] = (char *)target(B, i) + 16;
  holder[2] = target(C, i);
}

// The first and the third of these words are pointers.
static void
by_layout(void) {
  const GC_word bitmap = 10;
  descriptor = GC_make_descriptor(&bitmap, 4);
  GC_register_displacement(8);
  run_holders(refer_by_layout);
}

static int kind;

static struct GC_ms_entry *
mark_two(GC_word *object, struct GC_ms_entry *top, struct GC_ms_entry *limit, GC_word environment) {
  (void)environment;
  top = GC_MARK_AND_PUSH((void *)object[1], top, limit, (void **)&object[1]);
  return GC_MARK_AND_PUSH((void *)object[3], top, limit, (void **)&object[3]);
}

static void
refer_by_procedure(int i) {
  void **holder = GC_generic_malloc(4 * sizeof *holder, kind);
  holders[i] = holder;
  holder[1] = (char *)target(A, i) + 8;
  holder[3] = (char *)target(B, i) + 16;
  holder[2] = target(C, i);
}

static void
by_procedure(void) {
  kind = (int)GC_new_kind(GC_new_free_list(), GC_MAKE_PROC(GC_new_proc(mark_two), 0), 0, 1);
  GC_register_displacement(8);
  run_holders(refer_by_procedure);
}

// ---- Free lists of the program's own -------------------------------------------------------------------

static void *lists[GC_TINY_FREELISTS];

enum { LIST = 100000 };

static void
objects_of_words(void) {
  enum { TURNS = 20000, LONGEST = 60 };
  bool zero = true, kept_all = true;
  each(dirty);
  for (int i = 0; i < TURNS; i++) {
    size_t words = (size_t)i * 7 % LONGEST + 1;
    GC_word *object;
    GC_MALLOC_WORDS(object, words, lists);
    for (size_t word = 0; word < words; word++) {
      zero = zero && object[word] == 0;
      object[word] = (GC_word)i + word;
    }
    const GC_word *before = holders[i % OBJECTS];
    kept_all = kept_all && (!before || before[0] == (GC_word)i - OBJECTS);
    holders[i % OBJECTS] = object;
    if (i % (TURNS / 10) == 0)
      GC_gcollect();
  }
  say("zero %s, kept %s", yes(zero), yes(kept_all));
}

static void
pairs(void) {
  void *list = NULL;
  for (GC_word i = 0; i < LIST; i++) {
    void *pair;
    GC_CONS(pair, i + 1, list, lists);
    holders[0] = list = pair;
    if (i % (LIST / 5) == 0)
      collect(1);
  }
  collect(1);
  GC_word left = LIST;
  for (GC_word *pair = holders[0]; pair && pair[0] == left; pair = (GC_word *)pair[1])
    left--;
  say("%lu missing", (unsigned long)left);
}

static void GC_CALLBACK
forget_lists(void) {
  memset(lists, 0, sizeof lists);
}

// Their first words do not keep the rest of a list, so it is given up when a collection begins.
static void
atomic_of_words(void) {
  bool kept_all = true;
  GC_set_start_callback(forget_lists);
  for (GC_word i = 0; i < LIST / 10; i++) {
    GC_word *object;
    GC_MALLOC_ATOMIC_WORDS(object, 1 + i % 8, lists);
    object[0] = i;
    const GC_word *before = holders[i % OBJECTS];
    kept_all = kept_all && (!before || before[0] == i - OBJECTS);
    holders[i % OBJECTS] = object;
    if (i % (LIST / 50) == 0)
      collect(1);
  }
  say("kept %s", yes(kept_all));
}

static int others;

static void *
another(size_t bytes) {
  others++;
  return GC_malloc(bytes);
}

// Three granules and one for each object: 100 of them come to 400.
static void
direct_first(void) {
  void *result;
  lists[3] = (void *)1;
  for (int i = 0; i < 1000; i++) {
    GC_FAST_MALLOC_GRANS(result, 3, lists, 400, GC_I_NORMAL, another(48), GC_NEXT(result) = NULL);
    holders[i % OBJECTS] = result;
  }
  say("%d, %d", others, (int)GC_size(result));
  GC_FAST_MALLOC_GRANS(result, GC_TINY_FREELISTS, lists, 400, GC_I_NORMAL, another(1000),
                       GC_NEXT(result) = NULL);
  say("%d", others);
}

int
main(int argc, char **argv) {
  static const struct clause clauses[] = {
      {"a pointer to the start counts", to_start, "A all"},
      {"a pointer into the middle does not", to_middle, "A few"},
      {"a pointer to a registered displacement counts", to_registered, "A all"},
      {"a pointer to a registered displacement of one byte counts", to_odd, "A all"},
      {"a pointer to another displacement does not", to_other_than_registered, "A few"},
      {"large objects: a pointer into the middle does not count", to_middle_of_large, "A few"},
      {"large objects: a pointer to a registered displacement counts", to_registered_of_large, "A all"},
      {"pointer-free objects: a pointer into the middle does not count", to_middle_of_atomic, "A few"},
      {"pointer-free objects: a pointer to a registered displacement counts", to_registered_of_atomic,
       "A all"},
      {"explicitly typed: the same", by_layout, "A all, B few, C few"},
      {"mark procedures: the same", by_procedure, "A all, B few, C few"},
      {"GC_MALLOC_WORDS", objects_of_words, "zero yes, kept yes"},
      {"GC_MALLOC_ATOMIC_WORDS", atomic_of_words, "kept yes"},
      {"GC_CONS", pairs, "0 missing"},
      {"GC_FAST_MALLOC_GRANS: some of them directly, and longer ones", direct_first, "100, 48; 101"},
  };
  GC_set_all_interior_pointers(0);
  return RUN_CLAUSES(clauses, argc > 1 ? argv[1] : NULL);
}
