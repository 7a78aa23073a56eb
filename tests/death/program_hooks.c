// The program's own procedures get what is said about its mistakes: the abort function the line, the warn
// procedure the format and its argument.

#include "gc.h"
#include "tests/death/child.h"

static char *expected;

static void
check_and_exit(const char *message) {
  CHILD_CHECK(message && strcmp(message, expected) == 0);
  _exit(42);
}

static void
say(const char *message) {
  fprintf(stderr, "heard: %s", message);
}

static void
provoke(void) {
  char *object = GC_malloc(100);
  CHILD_CHECK(asprintf(&expected, "loam: GC_free: %p points inside the object at %p\n", (void *)(object + 8),
                       (void *)object) > 0);
  GC_free(object + 8);
}

static void
abort_function_may_leave(void) {
  GC_set_abort_func(check_and_exit);
  CHILD_CHECK(GC_get_abort_func() == check_and_exit);
  provoke();
}

// One that returns does not save the program.
static void
abort_function_may_return(void) {
  char *object = GC_malloc(100);
  GC_set_abort_func(say);
  child_expect("heard: loam: GC_free: %p points inside the object at %p\n", (void *)(object + 8),
               (void *)object);
  GC_free(object + 8);
}

static void
abort_function_default(void) {
  GC_abort_func function = GC_get_abort_func();
  CHILD_CHECK(function);
  child_expect("a line of the program's\n");
  function("a line of the program's\n");
  function(NULL);
}

static char warned[300];

static void
note_warning(char *format, GC_word argument) {
  snprintf(warned, sizeof warned, format, argument);
}

static void
warn_procedure(void) {
  setenv("GC_MARKERS", "banana", 1);
  GC_set_warn_proc(note_warning);
  CHILD_CHECK(GC_get_warn_proc() == note_warning);
  GC_INIT();
  CHILD_CHECK(strstr(warned, "GC_MARKERS=banana"));
}

static void
warnings_ignored(void) {
  setenv("GC_MARKERS", "banana", 1);
  GC_set_warn_proc(GC_ignore_warn_proc);
  GC_INIT();
}

static void
warn_procedure_default(void) {
  GC_warn_proc function = GC_get_warn_proc();
  child_expect("loam: warning: 42 is odd\n");
  function((char *)"%lu is odd\n", 42);
}

static char order[GC_EVENT_THREAD_UNSUSPENDED + 2];
static unsigned events, sizes, starts;

static void
note_event(GC_EventType event) {
  if (event <= GC_EVENT_POST_START_WORLD && events < sizeof order - 1)
    order[events++] = (char)('a' + (int)event);
}

static void
note_size(GC_word bytes) {
  sizes += bytes > 0;
}

static void
note_start(void) {
  starts++;
}

// Each event once, in the order that the header gives: START, the world stops, marking and reclaiming within,
// the world starts, END.
static void
events_in_order(void) {
  GC_INIT();
  GC_set_on_collection_event(note_event);
  GC_set_on_heap_resize(note_size);
  GC_set_start_callback(note_start);
  CHILD_CHECK(GC_get_on_collection_event() == note_event && GC_get_on_heap_resize() == note_size &&
              GC_get_start_callback() == note_start);
  GC_gcollect();
  CHILD_CHECK(starts == 1 && events == 10);
  CHILD_CHECK(strcmp(order, "aghbcdeijf") == 0);
  for (int i = 0; i < 100; i++)
    CHILD_CHECK(GC_malloc_uncollectable(1 << 20));
  CHILD_CHECK(sizes > 0);
  GC_set_on_collection_event(NULL);
  GC_set_on_heap_resize(NULL);
  GC_set_start_callback(NULL);
  GC_gcollect();
}

int
main(void) {
  child_check("an abort function may leave", abort_function_may_leave, 42);
  child_check("an abort function may return", abort_function_may_return, CHILD_ABORTS);
  child_check("the default abort function prints", abort_function_default, CHILD_EXITS);
  child_check("a warn procedure gets the warning", warn_procedure, CHILD_EXITS);
  child_check("warnings can be ignored", warnings_ignored, CHILD_EXITS);
  child_check("the default warn procedure prints", warn_procedure_default, CHILD_EXITS);
  child_check("the events of a collection, in order", events_in_order, CHILD_EXITS);
  return tap_done();
}
