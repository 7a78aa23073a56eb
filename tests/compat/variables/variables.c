// What libgc's variables and the functions about them do, told as lines "name value" that must be the same
// with libgc and with Loam.  Each scene is a process of its own, since much of it comes before GC_init:
//
//     variables SCENE
#define GC_THREADS
#define GC_NO_THREAD_REDIRECTS
#include <gc.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

// libgc exports these without declaring them.
extern GC_abort_func GC_on_abort;
extern void **GC_objfreelist_ptr, **GC_aobjfreelist_ptr, **GC_uobjfreelist_ptr, **GC_auobjfreelist_ptr;
void GC_printf(const char *format, ...);
void GC_err_printf(const char *format, ...);
void GC_log_printf(const char *format, ...);
void GC_incr_bytes_allocd(size_t bytes);
void GC_incr_bytes_freed(size_t bytes);
GC_API int GC_CALL GC_is_tmp_root(void *address);
GC_API void *GC_CALL GC_clear_stack(void *result);

void **library_roots(void);

enum { OBJECTS = 100 };

static void
tell(const char *name, long value) {
  printf("%s %ld\n", name, value);
}

static void *
answer(size_t bytes) {
  static char object[16];
  return bytes > 16 ? object : NULL;
}

static int notified, resized, finalized;

static void
notify(void) {
  notified++;
}

static void
resize(GC_word bytes) {
  resized += bytes > 0;
}

static void
finalize(void *object, void *data) {
  (void)object, (void)data;
  finalized++;
}

// ---- All of them ---------------------------------------------------------------------------------------

static void
tell_variables(void) {
  tell("all_interior_pointers", GC_all_interior_pointers);
  tell("dont_expand", GC_dont_expand);
  tell("dont_gc", GC_dont_gc);
  tell("dont_precollect", GC_dont_precollect);
  tell("finalize_on_demand", GC_finalize_on_demand);
  tell("finalizer_notifier", GC_finalizer_notifier == notify);
  tell("find_leak", GC_find_leak);
  tell("free_space_divisor", (long)GC_free_space_divisor);
  tell("full_freq", GC_full_freq);
  tell("java_finalization", GC_java_finalization);
  tell("max_retries", (long)GC_max_retries);
  tell("no_dls", GC_no_dls);
  tell("non_gc_bytes", GC_non_gc_bytes >= 77 && GC_non_gc_bytes < 100000);
  tell("on_heap_resize", GC_on_heap_resize == resize);
  tell("oom_fn", GC_oom_fn == answer);
  tell("time_limit", (long)GC_time_limit);
  tell("use_entire_heap", GC_use_entire_heap);
  tell("on_abort", GC_on_abort != NULL);
  tell("free lists",
       GC_objfreelist_ptr && GC_aobjfreelist_ptr && GC_uobjfreelist_ptr && GC_auobjfreelist_ptr);
}

static void
tell_getters(void) {
  tell("get_all_interior_pointers", GC_get_all_interior_pointers());
  tell("get_dont_expand", GC_get_dont_expand());
  tell("is_disabled", GC_is_disabled());
  tell("get_dont_precollect", GC_get_dont_precollect());
  tell("get_finalize_on_demand", GC_get_finalize_on_demand());
  tell("get_finalizer_notifier", GC_get_finalizer_notifier() == notify);
  tell("get_free_space_divisor", (long)GC_get_free_space_divisor());
  tell("get_full_freq", GC_get_full_freq());
  tell("get_java_finalization", GC_get_java_finalization());
  tell("get_max_retries", (long)GC_get_max_retries());
  tell("get_no_dls", GC_get_no_dls());
  tell("get_non_gc_bytes", GC_get_non_gc_bytes() == GC_non_gc_bytes);
  tell("get_on_heap_resize", GC_get_on_heap_resize() == resize);
  tell("get_oom_fn", GC_get_oom_fn() == GC_oom_fn);
  tell("get_abort_func", GC_get_abort_func() == GC_on_abort);
  tell("get_time_limit", (long)GC_get_time_limit());
  tell("get_gc_no", GC_get_gc_no() == GC_gc_no);
  tell("get_parallel", GC_get_parallel() == GC_parallel);
}

static void
write_variables(void) {
  GC_dont_expand = 1;
  GC_dont_precollect = 1;
  GC_finalize_on_demand = 1;
  GC_finalizer_notifier = notify;
  GC_free_space_divisor = 5;
  GC_full_freq = 7;
  GC_java_finalization = 0;
  GC_max_retries = 2;
  GC_no_dls = 1;
  GC_non_gc_bytes = 77;
  GC_on_heap_resize = resize;
  GC_oom_fn = answer;
  GC_time_limit = 40;
  GC_use_entire_heap = 1;
}

static void
call_setters(void) {
  GC_set_dont_expand(1);
  GC_set_dont_precollect(1);
  GC_set_finalize_on_demand(1);
  GC_set_finalizer_notifier(notify);
  GC_set_free_space_divisor(5);
  GC_set_full_freq(7);
  GC_set_java_finalization(0);
  GC_set_max_retries(2);
  GC_set_no_dls(1);
  GC_set_non_gc_bytes(77);
  GC_set_on_heap_resize(resize);
  GC_set_oom_fn(answer);
  GC_set_time_limit(40);
}

static void
defaults(void) {
  tell_variables();
  GC_INIT();
  tell_variables();
  tell_getters();
}

static void
written_before(void) {
  GC_all_interior_pointers = 0;
  GC_dont_gc = 1;
  write_variables();
  tell_getters();
  GC_INIT();
  tell_variables();
  tell_getters();
}

static void
set_before(void) {
  GC_set_all_interior_pointers(0);
  call_setters();
  tell_variables();
  GC_INIT();
  tell_variables();
  tell_getters();
}

static void
written_after(void) {
  GC_INIT();
  write_variables();
  tell_variables();
  tell_getters();
}

static void
set_after(void) {
  GC_INIT();
  call_setters();
  tell_variables();
  tell_getters();
}

// ---- What they do --------------------------------------------------------------------------------------

// Does GC_gcollect collect?
static int
collects(void) {
  GC_word before = GC_gc_no;
  GC_gcollect();
  return GC_gc_no > before;
}

static void
counter_of_disabling(void) {
  GC_INIT();
  tell("enabled", collects());
  GC_dont_gc = 1;
  tell("written", collects());
  tell("is disabled", GC_is_disabled());
  GC_disable();
  tell("counter", GC_dont_gc);
  GC_enable();
  tell("still", collects());
  GC_dont_gc = 0;
  tell("again", collects());
  GC_disable();
  GC_dont_gc--;
  tell("by hand", collects());
}

static void
automatic(void) {
  GC_INIT();
  tell("default", GC_get_disable_automatic_collection());
  GC_set_disable_automatic_collection(1);
  tell("set", GC_get_disable_automatic_collection());
  GC_word before = GC_gc_no;
  for (int i = 0; i < 50000; i++)
    GC_malloc(1000);
  tell("collections", (long)(GC_gc_no - before));
  tell("asked for", collects());
  GC_set_disable_automatic_collection(0);
  before = GC_gc_no;
  for (int i = 0; i < 500000; i++)
    GC_malloc(1000);
  tell("automatic again", GC_gc_no > before);
}

static void
out_of_memory(void) {
  GC_INIT();
  tell("refused", GC_malloc((size_t)1 << 60) != NULL);
  GC_oom_fn = answer;
  GC_max_retries = 1;
  tell("answered", GC_malloc((size_t)1 << 60) == answer(100));
}

static void
abort_quietly(const char *message) {
  printf("abort function %d\n", message == NULL);
  fflush(stdout);
}

static void
abort_on_oom(void) {
  int status;
  GC_INIT();
  fflush(stdout);
  if (fork() == 0) {
    GC_on_abort = abort_quietly;
    GC_abort_on_oom();
  }
  wait(&status);
  tell("exits", WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

static void
heap_grows(void) {
  GC_INIT();
  GC_on_heap_resize = resize;
  GC_malloc_uncollectable(64 << 20);
  tell("heard", resized > 0);
  GC_on_heap_resize = NULL;
  GC_malloc_uncollectable(256 << 20);
}

static __attribute__((noinline)) void
make_finalizable(void) {
  for (int i = 0; i < OBJECTS; i++)
    GC_register_finalizer(GC_malloc(16), finalize, NULL, NULL, NULL);
}

static void
clear_stack(void) {
  GC_clear_stack(NULL);
  GC_clear_stack(NULL);
}

static void
finalizers(void) {
  GC_INIT();
  GC_finalize_on_demand = 1;
  GC_finalizer_notifier = notify;
  make_finalizable();
  clear_stack();
  GC_gcollect();
  GC_malloc(16);
  tell("notified", notified > 0);
  tell("not called", finalized);
  tell("invoked", GC_invoke_finalizers() > OBJECTS / 2);
  finalized = 0;
  GC_finalize_on_demand = 0;
  make_finalizable();
  clear_stack();
  GC_gcollect();
  GC_malloc(100000);
  tell("called", finalized > OBJECTS / 2);
}

// ---- What is searched ----------------------------------------------------------------------------------

static GC_word hidden[OBJECTS];
static void *links[OBJECTS];

// New objects to which only `roots` refer, at `displacement`.
static __attribute__((noinline)) void
fill(void **roots, size_t displacement) {
  for (int i = 0; i < OBJECTS; i++) {
    char *object = GC_malloc(64);
    links[i] = (void *)GC_HIDE_POINTER(object);
    GC_general_register_disappearing_link(&links[i], object);
    roots[i] = object + displacement;
  }
}

// How many of them survive: all (1), none or hardly any (0), or something in between.
static long
survivors(void) {
  long count = 0;
  clear_stack();
  GC_gcollect();
  for (int i = 0; i < OBJECTS; i++) {
    count += links[i] != NULL;
    GC_unregister_disappearing_link(&links[i]);
  }
  return count == OBJECTS ? 1 : count < OBJECTS / 10 ? 0 : count;
}

static void *own_roots[OBJECTS];

static void
libraries(void) {
  GC_INIT();
  fill(library_roots(), 0);
  tell("searched", survivors());
  GC_no_dls = 1;
  fill(library_roots(), 0);
  tell("not searched", survivors());
  GC_no_dls = 0;
  fill(library_roots(), 0);
  tell("searched again", survivors());
}

static int asked_about_holder;

static int
all_but_holder(const char *file, void *segment, size_t bytes) {
  int is_holder = file && strstr(file, "libholder") && segment && bytes > 0;
  asked_about_holder += is_holder;
  return !is_holder;
}

static void
filter(void) {
  GC_INIT();
  GC_register_has_static_roots_callback(all_but_holder);
  fill(library_roots(), 0);
  tell("filtered", survivors());
  tell("asked", asked_about_holder > 0);
  fill(own_roots, 0);
  tell("others", survivors());
  GC_register_has_static_roots_callback(NULL);
  fill(library_roots(), 0);
  tell("not filtered", survivors());
}

static void
exclusions(void) {
  GC_INIT();
  fill(own_roots, 0);
  tell("searched", survivors());
  GC_exclude_static_roots(own_roots, own_roots + OBJECTS);
  fill(own_roots, 0);
  tell("excluded", survivors());
}

static void
kinds_of_roots(void) {
  int on_stack;
  void **registered = calloc(OBJECTS, sizeof *registered);
  GC_INIT();
  GC_add_roots(registered, registered + OBJECTS);
  GC_gcollect();
  tell("stack", GC_is_tmp_root(&on_stack));
  tell("registered", GC_is_tmp_root(registered));
  tell("program", GC_is_tmp_root(own_roots));
  tell("library", GC_is_tmp_root(library_roots()));
}

static void
interior(void) {
  GC_all_interior_pointers = 0;
  GC_INIT();
  void **holder = GC_malloc(OBJECTS * sizeof *holder);
  fill(holder, 0);
  tell("starts", survivors());
  fill(holder, 24);
  tell("insides", survivors());
  GC_register_displacement(24);
  fill(holder, 24);
  tell("registered", survivors());
  tell("holder", holder[0] != NULL);
}

// ---- Threads, code, printing, and the rest -------------------------------------------------------------

static pthread_t other;
static int suspended, unsuspended, strangers, ready[2], done[2];

static void
note_thread(GC_EventType event, void *thread) {
  strangers += thread != (void *)other;
  suspended += event == GC_EVENT_THREAD_SUSPENDED;
  unsuspended += event == GC_EVENT_THREAD_UNSUSPENDED;
}

static void *
wait_for_end(void *unused) {
  char byte = 0;
  if (write(ready[1], &byte, 1) != 1)
    abort();
  while (read(done[0], &byte, 1) != 1)
    ;
  return unused;
}

static void
threads(void) {
  char byte = 0;
  GC_INIT();
  if (pipe(ready) != 0 || pipe(done) != 0 || GC_pthread_create(&other, NULL, wait_for_end, NULL) != 0)
    abort();
  while (read(ready[0], &byte, 1) != 1)
    ;
  GC_set_on_thread_event(note_thread);
  tell("set", GC_get_on_thread_event() == note_thread);
  GC_gcollect();
  GC_set_on_thread_event(NULL);
  tell("suspended", suspended > 0);
  tell("unsuspended", unsuspended == suspended);
  tell("strangers", strangers);
  if (write(done[1], &byte, 1) != 1)
    abort();
  GC_pthread_join(other, NULL);
}

static void
code(void) {
  tell("default", GC_get_pages_executable());
  GC_set_pages_executable(1);
  GC_INIT();
  tell("set", GC_get_pages_executable());
#if defined(__x86_64__)
  unsigned char *function = GC_malloc_atomic(16);
  memcpy(function, "\xb8\x2a\0\0\0\xc3", 6);                       // mov $42, %eax; ret
  __builtin___clear_cache((char *)function, (char *)function + 6); // or the compiler sees no need to copy
  tell("executed", ((int (*)(void))(void *)function)());
#else
  tell("executed", 42);
#endif
}

static void
printing(void) {
  GC_INIT();
  GC_printf("to output %d\n", 1);
  GC_err_printf("to errors %s\n", "two");
  GC_log_printf("to the log %c\n", '3');
}

static void
the_rest(void) {
  tell("initialised", GC_is_init_called());
  GC_INIT();
  tell("initialised", GC_is_init_called());
  tell("clear_stack", GC_clear_stack(hidden) == hidden);
  tell("size 2049", (long)GC_get_size_map_at(2049));
  tell("size -1", (long)GC_get_size_map_at(-1));
  tell("size 1", (long)GC_get_size_map_at(1));
  tell("stubborn", GC_malloc_stubborn(100) != NULL);
  GC_incr_bytes_allocd(100000);
  tell("bytes allocated", GC_get_bytes_since_gc() >= 100000);
  GC_incr_bytes_freed(50000);
  tell("bytes freed", GC_get_expl_freed_bytes_since_gc() >= 50000);
  tell("collects", collects());
  GC_deinit();
  GC_deinit();
  tell("initialised", GC_is_init_called());
}

#define SCENE(name) \
  { #name, name }

static const struct {
  const char *name;
  void (*play)(void);
} scenes[] = {
    SCENE(defaults),       SCENE(written_before), SCENE(set_before),
    SCENE(written_after),  SCENE(set_after),      SCENE(counter_of_disabling),
    SCENE(automatic),      SCENE(out_of_memory),  SCENE(abort_on_oom),
    SCENE(heap_grows),     SCENE(finalizers),     SCENE(libraries),
    SCENE(filter),         SCENE(exclusions),     SCENE(interior),
    SCENE(kinds_of_roots), SCENE(threads),        SCENE(code),
    SCENE(the_rest),       SCENE(printing),
};

int
main(int argc, char **argv) {
  for (size_t i = 0; i < sizeof scenes / sizeof scenes[0]; i++) {
    if (argc < 2)
      puts(scenes[i].name);
    else if (strcmp(argv[1], scenes[i].name) == 0)
      scenes[i].play();
  }
}
