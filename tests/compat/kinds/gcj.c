// Objects that begin with a pointer to their type, where their descriptor is: gc_gcj.h.
//
// A are the targets that the descriptor leads to; B those to which other words refer.
#include <gc/gc_gcj.h>
#include <gc/gc_mark.h>

#include "kept.h"

enum { WORDS = 6, LARGE_WORDS = 200 * 1024 / sizeof(void *), POINTER = 2, OTHER = 4 };

static const char both[] = "A all, B few";

static GC_word types[OBJECTS][4]; // where the program has them
static size_t words;
static void *(*allocate)(size_t bytes, void *type);
static int calls_for_debugging, calls_by_type;

// Environment 1 is for objects of the debugging kind.
static struct GC_ms_entry *
mark_object(GC_word *object, struct GC_ms_entry *top, struct GC_ms_entry *limit, GC_word environment) {
  calls_for_debugging += environment == 1;
  calls_by_type += environment == 9;
  if (object[0] == 0 || environment != 9)
    return top;
  return GC_MARK_AND_PUSH((void *)object[POINTER], top, limit, (void **)&object[POINTER]);
}

static struct GC_ms_entry *
mark_other(GC_word *object, struct GC_ms_entry *top, struct GC_ms_entry *limit, GC_word environment) {
  (void)object, (void)limit, (void)environment;
  return top;
}

static void
make_object(int i) {
  void **object = allocate(words * sizeof *object, types[i]);
  check_zero(object + 1, (words - 1) * sizeof *object);
  if (object[0] != types[i])
    faults++;
  holders[i] = object;
  object[POINTER] = target(A, i);
  object[OTHER] = target(B, i);
  GC_end_stubborn_change(object);
}

static void
run_types(GC_word descriptor, size_t object_words, void *(*function)(size_t bytes, void *type)) {
  GC_init_gcj_malloc(GC_GCJ_RESERVED_MARK_PROC_INDEX, (void *)(GC_word)mark_object);
  for (int i = 0; i < OBJECTS; i++)
    types[i][1] = descriptor;
  words = object_words;
  allocate = function;
  each(dirty);
  collect(2);
  run_holders(make_object);
}

#define BIT_OF(word) ((GC_word)1 << 63 >> (word))
#define BITMAP (BIT_OF(POINTER) | GC_DS_BITMAP)

static void
bitmap(void) {
  run_types(BITMAP, WORDS, GC_gcj_malloc);
}

static void
bitmap_large(void) {
  run_types(BITMAP, LARGE_WORDS, GC_gcj_malloc);
}

static void
length(void) {
  run_types((POINTER + 1) * sizeof(GC_word), WORDS, GC_gcj_malloc);
}

static void
procedure(void) {
  run_types(GC_MAKE_PROC(GC_GCJ_RESERVED_MARK_PROC_INDEX, 9), WORDS, GC_gcj_malloc);
  say("%s", yes(calls_by_type >= OBJECTS));
}

static void
procedure_large(void) {
  run_types(GC_MAKE_PROC(GC_GCJ_RESERVED_MARK_PROC_INDEX, 9), LARGE_WORDS, GC_gcj_malloc);
}

static void
bitmap_off_page(void) {
  run_types(BITMAP, WORDS, GC_gcj_malloc_ignore_off_page);
}

static void
large_off_page(void) {
  run_types(BITMAP, LARGE_WORDS, GC_gcj_malloc_ignore_off_page);
}

// What a type's descriptor says now counts.
static void
type_changes(void) {
  run_types(BITMAP, WORDS, GC_gcj_malloc);
  for (int i = 0; i < OBJECTS; i++)
    types[i][1] = 0;
  collect(2);
  say_kept();
}

static void
make_without_type(int i) {
  void **object = GC_gcj_malloc(WORDS * sizeof *object, NULL);
  check_zero(object, WORDS * sizeof *object);
  holders[i] = object;
  object[POINTER] = target(B, i);
}

static void
without_type(void) {
  GC_init_gcj_malloc(GC_GCJ_RESERVED_MARK_PROC_INDEX, (void *)(GC_word)mark_object);
  run_holders(make_without_type);
}

static void
kinds(void) {
  GC_init_gcj_malloc(GC_GCJ_RESERVED_MARK_PROC_INDEX, (void *)(GC_word)mark_object);
  say("%s", yes(GC_gcj_kind != GC_gcj_debug_kind));
  say("%s", yes(GC_get_kind_and_size(GC_gcj_malloc(100, types[0]), NULL) == GC_gcj_kind));
  say("%s", yes(GC_get_kind_and_size(GC_gcj_malloc(100000, types[0]), NULL) == GC_gcj_kind));
  say("%u", GC_new_proc(mark_other));
}

static void
prepared_twice(void) {
  GC_init_gcj_malloc(GC_GCJ_RESERVED_MARK_PROC_INDEX, (void *)(GC_word)mark_object);
  int first = GC_gcj_kind;
  GC_init_gcj_malloc(GC_GCJ_RESERVED_MARK_PROC_INDEX, (void *)(GC_word)mark_other);
  procedure();
  say("%s", yes(GC_gcj_kind == first));
}

int
main(int argc, char **argv) {
  static const struct clause clauses[] = {
      {"a bitmap in the type", bitmap, both},
      {"a bitmap in the type: large objects", bitmap_large, both},
      {"a length in the type", length, both},
      {"a procedure in the type, with an environment", procedure, "A all, B few; yes"},
      {"a procedure in the type: large objects", procedure_large, both},
      {"gcj_malloc_ignore_off_page", bitmap_off_page, both},
      {"gcj_malloc_ignore_off_page: large objects", large_off_page, both},
      {"a type's descriptor may change", type_changes, "A all, B few; A few, B few"},
      {"without a type nothing is searched", without_type, "B few"},
      {"the kinds, and no procedure taken", kinds, "yes; yes; yes; 8"},
      {"init_gcj_malloc: the second call does nothing", prepared_twice, "A all, B few; yes; yes"},
  };
  return RUN_CLAUSES(clauses, argc > 1 ? argv[1] : NULL);
}
