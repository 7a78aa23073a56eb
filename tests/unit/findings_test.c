// What is found and told: leaked and smashed objects, in each mode, and nothing that is neither.  Each test
// is a process of its own, whose log goes to a file.
#include "debug/findings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <wchar.h>

#include <cmocka.h>

#define GC_DEBUG
#include "compat/include/gc/gc_mark.h"

#define CHECK(condition)                                        \
  do {                                                          \
    if (!(condition)) {                                         \
      fprintf(stderr, "# line %d: %s\n", __LINE__, #condition); \
      _exit(1);                                                 \
    }                                                           \
  } while (0)

static const char *const variables[] = {"GC_MODE", "GC_FIND_LEAK", "GC_FINDLEAK_DELAY_FREE",
                                        "GC_ABORT_ON_LEAK", "LOAM_STRESS_COLLECT"};

static void
run(void **function_) {
  void (*function)(void) = (void (*)(void))(uintptr_t)*function_;
  int status;
  pid_t child = fork();
  if (child == 0) {
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++)
      unsetenv(variables[i]);
    function();
    _exit(0);
  }
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(status, 0);
}

// ---- The log -------------------------------------------------------------------------------------------

static FILE *log_file;

static void
begin(enum GC_Mode mode) {
  log_file = tmpfile();
  CHECK(log_file);
  GC_set_mode(mode);
  GC_INIT();
  GC_set_log_fd(fileno(log_file));
}

GC_NO_SANITIZE static GC_NOINLINE void
clear_stack(void) {
  volatile char dirt[100000];
  for (size_t i = 0; i < sizeof dirt; i++)
    dirt[i] = 0;
}

// Call a function so far down the stack that what it leaves there is cleared before a collection.
GC_NO_SANITIZE static GC_NOINLINE uintptr_t
call_far_down(uintptr_t (*function)(size_t argument), size_t argument) {
  volatile char gap[10000];
  gap[0] = 0;
  return function(argument) + (uintptr_t)gap[0];
}

// Collect, and give what was logged since the last time.
static const char *
collected(void) {
  static char text[1000000];
  clear_stack();
  GC_gcollect();
  rewind(log_file);
  text[fread(text, 1, sizeof text - 1, log_file)] = '\0';
  rewind(log_file);
  CHECK(ftruncate(fileno(log_file), 0) == 0);
  return text;
}

static size_t
count(const char *text, const char *part) {
  size_t found = 0;
  for (; (text = strstr(text, part)) != NULL; text++)
    found++;
  return found;
}

// ---- Smashed objects -----------------------------------------------------------------------------------

static char *volatile held[1000];
static volatile size_t too_much = SIZE_MAX;

static void
smash_and_collect(enum GC_Mode mode) {
  begin(mode);
  for (size_t i = 0; i < 1000; i++)
    held[i] = i % 2 ? GC_MALLOC(i) : GC_MALLOC_ATOMIC(i);
  CHECK(strcmp(collected(), "") == 0);
  held[10][10 + 6]++;
  held[301][-1]++;
  const char *text = collected();
  CHECK(count(text, "loam: smashed objects: 2\n") == 1);
  CHECK(count(text, "findings_test.c") == 2 && count(text, ", 10 bytes, pointer-free)") == 1 &&
        count(text, ", 301 bytes, normal)") == 1);
  held[10][10 + 6]--;
  held[301][-1]--;
  CHECK(strcmp(collected(), "") == 0);
}

static void
smashed_in_one_pause(void) {
  smash_and_collect(GC_MODE_STOP);
}

static void
smashed_with_minor_cycles(void) {
  smash_and_collect(GC_MODE_GENERATIONAL);
}

static void
smashed_with_concurrent_cycles(void) {
  smash_and_collect(GC_MODE_CONCURRENT);
}

static void
the_first_twenty_are_told(void) {
  begin(GC_MODE_STOP);
  for (size_t i = 0; i < 30; i++) {
    held[i] = GC_MALLOC(8);
    held[i][8]++;
  }
  const char *text = collected();
  CHECK(count(text, "smashed objects: 30\n") == 1);
  CHECK(count(text, "loam:   at ") == 20);
  CHECK(count(text, "loam:   and 10 more\n") == 1);
}

// What annotated objects leave behind, and what was written over them when they were garbage, is nothing to
// tell.
static GC_NOINLINE void
litter(size_t objects) {
  GC_disable();
  for (size_t i = 0; i < objects; i++) {
    char *volatile object = GC_MALLOC_ATOMIC(i % 300);
    object[i % 300 + 7]++;
    GC_FREE(i % 3 ? NULL : object);
  }
  GC_enable();
}

static void
garbage_is_not_told(void) {
  begin(GC_MODE_STOP);
  litter(3000);
  CHECK(count(collected(), "smashed objects:") == 0);
  for (size_t i = 0; i < 1000; i++)
    held[i] = GC_malloc_atomic(i);
  CHECK(strcmp(collected(), "") == 0);
  for (size_t i = 0; i < 1000; i++)
    memset(held[i], 0, i);
  CHECK(strcmp(collected(), "") == 0);
}

// GC_free of an annotated object's base.
static void
freed_objects_are_not_told(void) {
  begin(GC_MODE_STOP);
  for (size_t i = 0; i < 1000; i++) {
    char *volatile object = GC_MALLOC_ATOMIC(100);
    object[-1]++;
    GC_free(GC_base(object));
    held[i] = GC_malloc_atomic(139);
  }
  CHECK(strcmp(collected(), "") == 0);
}

// ---- Freeing -------------------------------------------------------------------------------------------

static uintptr_t
free_and_look(size_t unused) {
  (void)unused;
  char *object = held[0] = GC_MALLOC(200000);
  GC_FREE(object);
  CHECK(GC_base(object) == object - 32);
  for (size_t i = 0; i < 200000; i++)
    CHECK((unsigned char)object[i] == (unsigned char)"\xEF\xBE\xAD\xDE\xDE\xAD\xBE\xEF"[i % 8]);
  GC_FREE(object);
  CHECK(GC_base(object) == object - 32);
  return GC_HIDE_POINTER(object);
}

static void
what_is_freed_keeps_its_place(void) {
  begin(GC_MODE_STOP);
  volatile uintptr_t hidden = call_far_down(free_and_look, 0);
  CHECK(count(collected(), "loam: GC_debug_free: found an object freed before at") == 1);
  held[0] = NULL;
  collected();
  CHECK(!GC_base(GC_REVEAL_POINTER(hidden)));
}

static void
smashed_when_freed(void) {
  begin(GC_MODE_STOP);
  held[0] = GC_MALLOC(100);
  held[0][104]++;
  GC_FREE(held[0]);
  const char *text = collected();
  CHECK(count(text, "loam: GC_debug_free: found a smashed location at") == 1);
  CHECK(count(text, ", 100 bytes, normal)\n") == 1);
}

static void
uncollectable_is_freed_at_once(void) {
  begin(GC_MODE_STOP);
  char *object = GC_MALLOC_UNCOLLECTABLE(100), *base = GC_base(object);
  GC_FREE(object);
  CHECK(!GC_base(base));
  GC_FREE(object);
  CHECK(count(collected(), "found an object freed before at") == 1);
}

static void
freeing_what_is_plain(void) {
  begin(GC_MODE_STOP);
  held[0] = GC_malloc(100);
  memset(held[0], 1, 100);
  GC_FREE(held[0]);
  CHECK(GC_base(held[0]) == held[0] && (unsigned char)held[0][0] == 0xEF);
  CHECK(count(collected(), "was allocated without debugging\n") == 1);
}

// ---- Leaks ---------------------------------------------------------------------------------------------

static uintptr_t
allocate(size_t objects) {
  char *object = NULL;
  for (size_t i = 0; i < objects; i++)
    object = GC_MALLOC(24);
  memset(object, 1, 24);
  return 0;
}

static uintptr_t
allocate_plain(size_t bytes) {
  return !GC_malloc(bytes);
}

static void
leak(size_t objects) {
  call_far_down(allocate, objects);
}

// The first calls leave words on the stack that later ones do not, as the dynamic linker does.
static void
begin_with_leaks(enum GC_Mode mode) {
  GC_set_find_leak(1);
  begin(mode);
  leak(1);
  collected();
  collected();
}

static void
leak_and_collect(enum GC_Mode mode) {
  begin_with_leaks(mode);
  held[0] = GC_MALLOC(10);
  held[1] = GC_malloc(1000);
  leak(5);
  const char *text = collected();
  CHECK(count(text, "loam: leaked objects: 5\n") == 1);
  CHECK(count(text, "findings_test.c") == 5 && count(text, ", 24 bytes, normal)\n") == 5);
  CHECK(strcmp(collected(), "") == 0);
  GC_FREE(held[0]);
  GC_free(held[1]);
  held[0] = held[1] = NULL;
  CHECK(strcmp(collected(), "") == 0);
  leak(100);
  text = collected();
  CHECK(count(text, "loam: leaked objects: 100\n") == 1);
  CHECK(count(text, "findings_test.c") == 40 && count(text, "loam:   and 60 more\n") == 1);
  call_far_down(allocate_plain, 48);
  CHECK(count(collected(), "(48 bytes, normal)\n") == 1);
}

static void
leaks_in_one_pause(void) {
  leak_and_collect(GC_MODE_STOP);
}

static void
leaks_with_minor_cycles(void) {
  leak_and_collect(GC_MODE_GENERATIONAL);
}

static void
leaks_with_concurrent_cycles(void) {
  leak_and_collect(GC_MODE_CONCURRENT);
}

// Those of ordinary cycles of any kind are told as well, once each.
static void
leaks_of_all_cycles(void) {
  begin_with_leaks(GC_MODE_CONCURRENT);
  GC_set_stress_collect(50);
  leak(1000);
  const char *text = collected();
  size_t told = count(text, "findings_test.c");
  for (; (text = strstr(text, "and ")) != NULL; text++)
    told += strtoul(text + 4, NULL, 10);
  CHECK(told == 1000);
}

static void
nothing_is_registered_while_leaks_are_looked_for(void) {
  static GC_hidden_pointer link;
  GC_finalization_proc old = NULL;
  void *old_data = &old;
  GC_set_find_leak(1);
  begin(GC_MODE_STOP);
  held[0] = GC_MALLOC(10);
  CHECK(GC_GENERAL_REGISTER_DISAPPEARING_LINK((void **)&link, held[0]) == GC_UNIMPLEMENTED);
  CHECK(GC_REGISTER_LONG_LINK((void **)&link, held[0]) == GC_UNIMPLEMENTED);
  GC_REGISTER_FINALIZER(held[0], (GC_finalization_proc)(void (*)(void))abort, NULL, &old, &old_data);
  CHECK(!old && old_data == &old);
  GC_enable_incremental();
  CHECK(!GC_is_incremental_mode());
}

static void
use_after_free(void) {
  setenv("GC_FIND_LEAK", "1", 1);
  setenv("GC_FINDLEAK_DELAY_FREE", "1", 1);
  begin(GC_MODE_STOP);
  CHECK(GC_get_find_leak());
  for (size_t i = 0; i < 10; i++) {
    held[i] = GC_MALLOC(40);
    GC_FREE(held[i]);
  }
  held[3][20]++;
  CHECK(strcmp(collected(), "") == 0);
  memset((void *)held, 0, sizeof held);
  const char *text = collected();
  CHECK(count(text, "smashed objects: 1\n") == 1 && count(text, "findings_test.c") == 1);
  CHECK(strcmp(collected(), "") == 0);
}

// ---- Finalizers ----------------------------------------------------------------------------------------

static const char *finalized, *expected;

static void
finalize(void *object, void *data) {
  CHECK((uintptr_t)object == (uintptr_t) ~(uintptr_t)expected);
  finalized = data;
}

static GC_NOINLINE void
register_one(void (*register_it)(void *, GC_finalization_proc, void *, GC_finalization_proc *, void **)) {
  GC_finalization_proc old = finalize;
  void *old_data = NULL;
  char *object = GC_MALLOC(10);
  expected = (const char *)~(uintptr_t)object;
  register_it(object, finalize, "first", &old, &old_data);
  CHECK(!old && !old_data);
  register_it(object, finalize, "second", &old, &old_data);
  CHECK(old == finalize && strcmp(old_data, "first") == 0);
}

static void
check_finalizer(void (*register_it)(void *, GC_finalization_proc, void *, GC_finalization_proc *, void **)) {
  register_one(register_it);
  finalized = NULL;
  collected();
  GC_invoke_finalizers();
  CHECK(finalized && strcmp(finalized, "second") == 0);
}

static void
finalizers(void) {
  begin(GC_MODE_STOP);
  check_finalizer(GC_debug_register_finalizer);
  check_finalizer(GC_debug_register_finalizer_ignore_self);
  check_finalizer(GC_debug_register_finalizer_no_order);
  check_finalizer(GC_debug_register_finalizer_unreachable);
}

static void
finalizers_of_what_is_plain(void) {
  GC_finalization_proc old = finalize;
  void *old_data = &old;
  begin(GC_MODE_STOP);
  held[0] = GC_MALLOC(10);
  GC_register_finalizer(GC_base(held[0]), finalize, NULL, NULL, NULL);
  GC_REGISTER_FINALIZER(held[0], finalize, NULL, &old, &old_data);
  CHECK(old == finalize && old_data == &old);
  GC_REGISTER_FINALIZER(GC_base(held[0]), NULL, NULL, NULL, NULL);
  const char *text = collected();
  CHECK(count(text, "had a finalizer that was registered without debugging\n") == 1);
  CHECK(count(text, "GC_debug_register_finalizer: ") == 1);
  GC_REGISTER_FINALIZER(&old, finalize, NULL, &old, &old_data);
  CHECK(!old && !old_data);
}

// ---- The rest of the interface -------------------------------------------------------------------------

static void
realloc_keeps_what_there_was(void) {
  begin(GC_MODE_STOP);
  for (size_t bytes = 1; bytes < 300000; bytes = bytes * 3 / 2 + 1) {
    char *object = held[0] = GC_REALLOC(bytes == 1 ? NULL : held[0], bytes);
    CHECK(GC_base(object) == object - 32);
    CHECK(bytes == 1 || (object[0] == 7 && object[(bytes - 2) / 3 * 2] == 7));
    memset(object, 7, bytes);
  }
  CHECK(!GC_REALLOC(held[0], 0));
  CHECK(strcmp(collected(), "") == 0);
  held[0] = GC_malloc(100);
  held[0] = GC_REALLOC(held[0], 200);
  CHECK(GC_base(held[0]) == held[0]);
  CHECK(count(collected(), "GC_debug_realloc: ") == 1);
}

static void
forms_of_libgc_8_3(void) {
  begin(GC_MODE_STOP);
  held[0] = GC_REALLOCF(GC_MALLOC(10), 100);
  CHECK(GC_base(held[0]) == held[0] - 32);
  CHECK(!GC_REALLOCF(held[0], too_much));
  CHECK(held[0][0] == (char)0xEF);
  held[1] = GC_debug_malloc_uncollectable_replacement(100);
  held[2] = GC_MALLOC(100);
  GC_FREEZERO(held[1], 10);
  GC_FREEZEROALL(held[2]);
  CHECK(held[2][0] == (char)0xEF);
  const char *text = collected();
  CHECK(count(text, "loam:") == 1 && count(text, "returns NULL") == 1);
}

static void
strings(void) {
  begin(GC_MODE_STOP);
  CHECK(strcmp(GC_STRDUP("word"), "word") == 0);
  CHECK(strcmp(GC_STRNDUP("word", 2), "wo") == 0 && strcmp(GC_STRNDUP("word", 9), "word") == 0);
  CHECK(wcscmp(GC_WCSDUP(L"word"), L"word") == 0 && wcscmp(GC_wcsdup(L"word"), L"word") == 0);
  CHECK(!GC_debug_strdup(NULL, GC_EXTRAS));
  CHECK(strcmp(collected(), "") == 0);
}

static void
kinds(void) {
  begin(GC_MODE_STOP);
  for (int kind = 0; kind < 4; kind++) {
    char *object = GC_debug_generic_or_special_malloc(20, kind, GC_EXTRAS);
    CHECK(GC_base(object) == object - (ptrdiff_t)GC_get_debug_header_size());
    CHECK(gc_heap_resolve(object).kind == kind);
  }
  CHECK(gc_heap_resolve(GC_NEW_STUBBORN(long)).kind == GC_KIND_NORMAL);
  CHECK(gc_heap_resolve(GC_MALLOC_ATOMIC_UNCOLLECTABLE(1)).kind == GC_KIND_ATOMIC_UNCOLLECTABLE);
  CHECK(gc_heap_resolve(GC_MALLOC_IGNORE_OFF_PAGE(1)).kind == GC_KIND_NORMAL);
  CHECK(gc_heap_resolve(GC_MALLOC_ATOMIC_IGNORE_OFF_PAGE(1)).kind == GC_KIND_ATOMIC);
  CHECK(GC_debug_malloc_replacement(10) && GC_debug_realloc_replacement(NULL, 10));
}

static void
say_what_it_is(void *object, char *text) {
  snprintf(text, GC_TYPE_DESCR_LEN, "a thing of %d", *(int *)object);
}

// Objects of other kinds are described as ever; and so are those that are gone.
static void
objects_are_described_by_the_program(void) {
  begin(GC_MODE_STOP);
  int kind = (int)GC_new_kind(GC_new_free_list(), GC_DS_LENGTH, 1, 1);
  GC_register_describe_type_fn(kind, say_what_it_is);
  held[0] = GC_GENERIC_OR_SPECIAL_MALLOC(20, kind);
  *(int *)(void *)held[0] = 77;
  held[0][24]++;
  held[1] = GC_MALLOC(20);
  held[1][24]++;
  const char *text = collected();
  CHECK(count(text, ", 20 bytes, a thing of 77)\n") == 1);
  CHECK(count(text, ", 20 bytes, normal)\n") == 1);
}

static void
refused_memory_is_told(void) {
  begin(GC_MODE_STOP);
  CHECK(!GC_debug_malloc(too_much, "here.c", 7));
  CHECK(!GC_debug_malloc_atomic(too_much / 2, "there.c", 8));
  const char *text = collected();
  CHECK(count(text, "loam: GC_debug_malloc(18446744073709551615) returns NULL (here.c:7)\n") == 1);
  CHECK(count(text, "loam: GC_debug_malloc_atomic(9223372036854775807) returns NULL (there.c:8)\n") == 1);
}

static void *
give_static(size_t bytes) {
  static char memory[100];
  (void)bytes;
  return memory;
}

static void
memory_of_the_program_stays_as_it_is(void) {
  begin(GC_MODE_STOP);
  GC_set_oom_fn(give_static);
  held[0] = GC_debug_malloc(too_much, GC_EXTRAS);
  CHECK(held[0] == give_static(0));
}

static void
annotated_objects_live_without_interior_pointers(void) {
  GC_set_all_interior_pointers(0);
  begin(GC_MODE_STOP);
  void **list = (void **)(held[0] = GC_MALLOC(sizeof *list));
  for (int i = 0; i < 100; i++)
    list = *list = GC_MALLOC(sizeof *list);
  collected();
  list = (void **)held[0];
  for (int i = 0; i < 100; i++) {
    list = *list;
    CHECK(GC_base(list) == (char *)list - 32);
  }
}

#define TEST(function) \
  { .name = #function, .test_func = run, .initial_state = (void *)(uintptr_t)(void (*)(void))function }

int
main(void) {
  const struct CMUnitTest tests[] = {
      TEST(smashed_in_one_pause),
      TEST(smashed_with_minor_cycles),
      TEST(smashed_with_concurrent_cycles),
      TEST(the_first_twenty_are_told),
      TEST(garbage_is_not_told),
      TEST(freed_objects_are_not_told),
      TEST(what_is_freed_keeps_its_place),
      TEST(smashed_when_freed),
      TEST(uncollectable_is_freed_at_once),
      TEST(freeing_what_is_plain),
      TEST(leaks_in_one_pause),
      TEST(leaks_with_minor_cycles),
      TEST(leaks_with_concurrent_cycles),
      TEST(leaks_of_all_cycles),
      TEST(nothing_is_registered_while_leaks_are_looked_for),
      TEST(use_after_free),
      TEST(finalizers),
      TEST(finalizers_of_what_is_plain),
      TEST(realloc_keeps_what_there_was),
      TEST(forms_of_libgc_8_3),
      TEST(strings),
      TEST(kinds),
      TEST(objects_are_described_by_the_program),
      TEST(refused_memory_is_told),
      TEST(memory_of_the_program_stays_as_it_is),
      TEST(annotated_objects_live_without_interior_pointers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
