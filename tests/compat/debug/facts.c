// What a program sees of annotated objects and checked pointers; one line for each fact.

#define GC_DEBUG
#include <gc/gc_mark.h>

#include <stdio.h>
#include <string.h>

static void
say(const char *fact, long value) {
  printf("%s %ld\n", fact, value);
}

// ---- Objects -------------------------------------------------------------------------------------------

static long
offset_of(const void *object) {
  return (const char *)object - (const char *)GC_base((void *)object);
}

static int
is_filled_with(const char *object, size_t bytes, int value) {
  for (size_t i = 0; i < bytes; i++)
    if (object[i] != value)
      return 0;
  return 1;
}

static void
objects(void) {
  char *normal = GC_MALLOC(100), *atomic = GC_MALLOC_ATOMIC(100);
  char *uncollectable = GC_MALLOC_UNCOLLECTABLE(100), *both = GC_MALLOC_ATOMIC_UNCOLLECTABLE(100);
  say("header", (long)GC_get_debug_header_size());
  say("header_variable", (long)GC_debug_header_size);
  say("from_base", GC_USR_PTR_FROM_BASE(GC_base(normal)) == normal);
  say("offset_normal", offset_of(normal));
  say("offset_atomic", offset_of(atomic));
  say("offset_uncollectable", offset_of(uncollectable));
  say("offset_both", offset_of(both));
  say("offset_ignore_off_page", offset_of(GC_MALLOC_IGNORE_OFF_PAGE(100)));
  say("offset_atomic_ignore_off_page", offset_of(GC_MALLOC_ATOMIC_IGNORE_OFF_PAGE(100)));
  say("offset_stubborn", offset_of(GC_MALLOC_STUBBORN(100)));
  say("offset_replacement", offset_of(GC_debug_malloc_replacement(100)));
  say("normal_is_zero", is_filled_with(normal, 100, 0));
  say("uncollectable_is_zero", is_filled_with(uncollectable, 100, 0));
  say("new_is_zero", *GC_NEW(long) == 0 && *GC_NEW_UNCOLLECTABLE(long) == 0 && *GC_NEW_STUBBORN(long) == 0);
  say("empty_are_distinct", GC_MALLOC(0) != GC_MALLOC(0));
  for (size_t bytes = 0; bytes < 60; bytes += 7)
    say("bytes", (long)GC_size(GC_base(GC_MALLOC(bytes))));
  say("size_inside", GC_size(normal) == GC_size(GC_base(normal)));
  say("is_heap_ptr", GC_is_heap_ptr(normal));
  for (int kind = 0; kind < 4; kind++) {
    void *object = GC_GENERIC_OR_SPECIAL_MALLOC(50, kind);
    say("offset_by_kind", offset_of(object));
  }
}

static void
strings(void) {
  say("strdup", strcmp(GC_STRDUP("word"), "word"));
  say("strdup_offset", offset_of(GC_STRDUP("word")));
  say("strdup_null", GC_debug_strdup(NULL, GC_EXTRAS) == NULL);
  say("strndup", strcmp(GC_STRNDUP("word", 3), "wor"));
  say("strndup_all", strcmp(GC_STRNDUP("word", 300), "word"));
}

// ---- Freeing -------------------------------------------------------------------------------------------

static void
freeing(void) {
  static const unsigned char filler[] = {0xEF, 0xBE, 0xAD, 0xDE, 0xDE, 0xAD, 0xBE, 0xEF};
  unsigned char *object = GC_MALLOC(64);
  GC_FREE(NULL);
  GC_FREE(object);
  say("freed_stays", offset_of(object));
  say("freed_is_filled", memcmp(object, filler, 8) == 0 && memcmp(object + 56, filler, 8) == 0);
  GC_FREE(GC_MALLOC_UNCOLLECTABLE(100));
}

static void
reallocating(void) {
  char *object = GC_REALLOC(NULL, 20);
  say("realloc_null", offset_of(object));
  memset(object, 5, 20);
  char *larger = GC_REALLOC(object, 2000);
  say("realloc_moves", larger != object);
  say("realloc_larger",
      offset_of(larger) + is_filled_with(larger, 20, 5) + is_filled_with(larger + 20, 1980, 0));
  char *smaller = GC_REALLOC(larger, 10);
  say("realloc_smaller", offset_of(smaller) + is_filled_with(smaller, 10, 5));
  say("realloc_zero", GC_REALLOC(smaller, 0) == NULL);
  say("realloc_replacement", offset_of(GC_debug_realloc_replacement(NULL, 10)));
}

// ---- Finalizers and links ------------------------------------------------------------------------------

enum { OBJECTS = 50 };

static int called, called_right, right;

static void
finalize(void *object, void *data) {
  called++;
  called_right += offset_of(object) == 32 && *(long *)object == 7 && strcmp(data, "data") == 0;
}

typedef void register_function(void *, GC_finalization_proc, void *, GC_finalization_proc *, void **);

static __attribute__((noinline)) void
make_finalizable(register_function *register_it) {
  GC_finalization_proc old;
  void *old_data;
  for (int i = 0; i < OBJECTS; i++) {
    long *object = GC_NEW(long);
    *object = 7;
    register_it(object, (GC_finalization_proc)(void (*)(void))freeing, "other", &old, &old_data);
    right += !old && !old_data;
    register_it(object, finalize, "data", &old, &old_data);
    right += old == (GC_finalization_proc)(void (*)(void))freeing && strcmp(old_data, "other") == 0;
  }
}

static __attribute__((noinline, no_sanitize("address"))) void
clear_stack(void) {
  volatile char dirt[100000];
  for (size_t i = 0; i < sizeof dirt; i++)
    dirt[i] = 0;
}

static void
collect(void) {
  for (int i = 0; i < 3; i++) {
    clear_stack();
    GC_gcollect();
    GC_invoke_finalizers();
  }
}

// All but a few, which a stale word may keep.
static void
finalizers(const char *fact, register_function *register_it) {
  called = called_right = right = 0;
  make_finalizable(register_it);
  say(fact, right);
  collect();
  say(fact, called >= OBJECTS - 5 && called_right == called);
}

static void
finalizers_outside(void) {
  GC_finalization_proc old = finalize;
  void *old_data = &old;
  GC_REGISTER_FINALIZER(&old, finalize, NULL, &old, &old_data);
  say("finalizer_outside", !old && !old_data);
}

static GC_hidden_pointer links[2][OBJECTS];

static __attribute__((noinline)) void
make_linked(void) {
  for (int i = 0; i < OBJECTS; i++) {
    long *object = GC_NEW(long);
    links[0][i] = links[1][i] = GC_HIDE_POINTER(object);
    right += GC_GENERAL_REGISTER_DISAPPEARING_LINK((void **)&links[0][i], object) == GC_SUCCESS;
    right += GC_REGISTER_LONG_LINK((void **)&links[1][i], object) == GC_SUCCESS;
  }
}

static void
disappearing_links(void) {
  int cleared = 0;
  right = 0;
  make_linked();
  say("links", right);
  collect();
  for (int i = 0; i < OBJECTS; i++)
    cleared += (links[0][i] == 0) + (links[1][i] == 0);
  say("links_cleared", cleared >= 2 * OBJECTS - 10);
}

// ---- Pointers ------------------------------------------------------------------------------------------

static int wrong;

static void
note(void *pointer) {
  (void)pointer;
  wrong++;
}

static void
note_both(void *pointer, void *other) {
  (void)pointer;
  (void)other;
  wrong++;
}

static void
pointers(void) {
  static char here[100];
  char *object = GC_MALLOC(100), *other = GC_malloc(5000), *plain = GC_malloc(48);
  long *numbers = GC_MALLOC(80), *at = numbers;
  void **places = GC_MALLOC(80);
  GC_same_obj_print_proc = note_both;
  GC_is_visible_print_proc = note;
  GC_is_valid_displacement_print_proc = note;
  say("same_gives_first", GC_same_obj(object + 5, object) == object + 5);
  GC_same_obj(plain + 48, plain);
  GC_same_obj(here, here + 50);
  GC_same_obj(GC_base(object), object);
  say("same_passes", wrong);
  GC_same_obj(object, other);
  GC_same_obj(other + 6000, other);
  GC_same_obj(here, object);
  GC_same_obj(object, here);
  say("same_fails", wrong);
  say("visible_gives_it", GC_is_visible(object + 8) == object + 8);
  GC_is_visible(here + 8 - (GC_word)here % 8);
  GC_is_visible(&at);
  say("visible_passes", wrong);
  GC_is_visible(object + 1);
  GC_is_visible((char *)&at + 1);
  say("visible_fails", wrong);
  say("displacement_gives_it", GC_is_valid_displacement(object + 9) == object + 9);
  GC_is_valid_displacement(NULL);
  GC_is_valid_displacement(here);
  say("displacement_passes", wrong);
  say("add", GC_PTR_ADD(at, 3) - numbers);
  say("pre_incr", GC_PRE_INCR(at, 2) - numbers);
  say("post_incr", GC_POST_INCR(at) - numbers);
  say("post_decr", GC_POST_DECR(at) - numbers);
  say("at", at - numbers);
  say("increments_pass", wrong);
  GC_PTR_STORE(places, object);
  GC_PTR_STORE_AND_DIRTY(places + 1, object);
  say("stored", places[0] == object && places[1] == object);
  GC_END_STUBBORN_CHANGE(places);
  GC_CHANGE_STUBBORN(places);
  GC_REGISTER_DISPLACEMENT(5);
  say("stores_pass", wrong);
}

int
main(void) {
  GC_INIT();
  objects();
  strings();
  freeing();
  reallocating();
  finalizers("finalizer", GC_debug_register_finalizer);
  finalizers("finalizer_ignore_self", GC_debug_register_finalizer_ignore_self);
  finalizers("finalizer_no_order", GC_debug_register_finalizer_no_order);
  finalizers("finalizer_unreachable", GC_debug_register_finalizer_unreachable);
  finalizers_outside();
  disappearing_links();
  pointers();
  return 0;
}
