// What libgc's manual promises and programs rely on: the same source runs against Loam and, by
// same_as_libgc.sh, against libgc itself.
//
// Each probe has a value that is the same in both.  `same_as_libgc values` prints them all, one a line.

#define GC_THREADS
#define GC_NO_THREAD_REDIRECTS
#include <errno.h>
#include <gc.h>
#include <stdint.h>
#include <string.h>

#include "tests/tap.h"

// ---- Helpers -------------------------------------------------------------------------------------------

__attribute__((noinline)) static void
clear_stack(void) {
  volatile char dirt[10000];
  for (size_t i = 0; i < sizeof dirt; i++)
    dirt[i] = 0;
}

__attribute__((noinline)) static void
collect(void) {
  clear_stack();
  GC_gcollect();
}

static bool
is_zero(const char *object, size_t bytes) {
  for (size_t i = 0; i < bytes; i++)
    if (object[i])
      return false;
  return true;
}

static int
stop_never(void) {
  return 0;
}

static int
stop_always(void) {
  return 1;
}

// ---- Allocation ----------------------------------------------------------------------------------------

static long
malloc_is_zero(void) {
  long zero = 0;
  for (size_t bytes = 1; bytes < 5000; bytes += 7)
    zero += is_zero(GC_malloc(bytes), bytes);
  return zero;
}

static long
malloc_of_nothing(void) {
  void *first = GC_malloc(0), *second = GC_malloc(0);
  return first && second && first != second;
}

static long
malloc_is_aligned(void) {
  uintptr_t bits = 0;
  for (size_t bytes = 1; bytes < 3000; bytes += 3)
    bits |= (uintptr_t)GC_malloc(bytes);
  return bits % 16;
}

static long
uncollectable_is_zero(void) {
  char *object = GC_malloc_uncollectable(777);
  long zero = is_zero(object, 777);
  GC_free(object);
  return zero;
}

static long
realloc_of_null(void) {
  char *object = GC_realloc(NULL, 300);
  return object && is_zero(object, 300) && GC_size(object) >= 300;
}

static long
realloc_to_nothing(void) {
  return GC_realloc(GC_malloc(100), 0) == NULL;
}

static long
realloc_keeps_contents(void) {
  char *object = GC_malloc(100);
  memset(object, 'x', 100);
  long kept = 0;
  for (size_t bytes = 150; bytes < 100000; bytes *= 2) {
    object = GC_realloc(object, bytes);
    kept += object[0] == 'x' && object[99] == 'x' && is_zero(object + 100, 50);
  }
  object = GC_realloc(object, 50);
  return kept + (object[0] == 'x' && object[49] == 'x');
}

static long
free_of_null(void) {
  GC_free(NULL);
  return 1;
}

static long
strdup_copies(void) {
  char *copy = GC_strdup("hello");
  return copy && strcmp(copy, "hello") == 0 && GC_base(copy) == copy;
}

static long
strdup_of_null(void) {
  return GC_strdup(NULL) == NULL;
}

static long
strndup_cuts(void) {
  char *cut = GC_strndup("hello", 3), *whole = GC_strndup("hello", 30);
  return strcmp(cut, "hel") == 0 && strcmp(whole, "hello") == 0;
}

static long
memalign_aligns(void) {
  long aligned = 0;
  for (size_t alignment = 16; alignment <= 4096; alignment *= 2)
    aligned += (uintptr_t)GC_memalign(alignment, 100) % alignment == 0;
  return aligned;
}

static long
posix_memalign_aligns(void) {
  void *object = NULL;
  return GC_posix_memalign(&object, 256, 1000) == 0 && (uintptr_t)object % 256 == 0;
}

static long
posix_memalign_refuses(void) {
  void *object = &object;
  return (GC_posix_memalign(&object, 24, 100) == EINVAL) + (GC_posix_memalign(&object, 4, 100) == EINVAL) +
         (object == (void *)&object);
}

static long
malloc_many_links(void) {
  void *object = GC_malloc_many(32);
  bool zero = object != NULL;
  for (int i = 0; i < 10 && object; i++) {
    void *next = GC_NEXT(object);
    GC_NEXT(object) = NULL;
    zero &= is_zero(object, 32);
    object = next;
  }
  return zero;
}

static long
absurd_sizes(void) {
  volatile size_t most = SIZE_MAX;
  return (GC_malloc(most) == NULL) + (GC_malloc_atomic(most - 100) == NULL) +
         (GC_malloc_uncollectable(most / 2 + 1) == NULL);
}

static long
macros_allocate(void) {
  struct point {
    double x, y;
  } *point = GC_NEW(struct point);
  char *text = GC_MALLOC_ATOMIC(30);
  void **root = GC_NEW_UNCOLLECTABLE(void *);
  long made = point && text && root && *root == NULL && point->x == 0;
  GC_FREE(root);
  text = GC_REALLOC(text, 60);
  return made && text && GC_STRDUP("a")[0] == 'a' && GC_REVEAL_POINTER(GC_HIDE_POINTER(text)) == (void *)text;
}

// ---- Asking --------------------------------------------------------------------------------------------

static long
base_of_interior(void) {
  char *object = GC_malloc(500);
  return (GC_base(object) == object) + (GC_base(object + 1) == object) + (GC_base(object + 499) == object);
}

static long
base_outside(void) {
  int variable;
  return (GC_base(&variable) == NULL) + (GC_base(NULL) == NULL);
}

static long
size_is_enough(void) {
  long enough = 0;
  for (size_t bytes = 1; bytes < 10000; bytes += 13)
    enough += GC_size(GC_malloc_atomic(bytes)) >= bytes;
  return enough;
}

static long
heap_pointers(void) {
  int variable;
  return GC_is_heap_ptr(GC_malloc(10)) * 10 + GC_is_heap_ptr(&variable);
}

// ---- Collecting ----------------------------------------------------------------------------------------

static long
collection_counts(void) {
  GC_word before = GC_get_gc_no();
  GC_gcollect();
  return GC_get_gc_no() > before;
}

static long
try_to_collect(void) {
  return GC_try_to_collect(stop_never) * 10 + GC_try_to_collect(stop_always);
}

static long
disabling_nests(void) {
  long value = GC_is_disabled() != 0;
  GC_disable();
  GC_disable();
  GC_word before = GC_get_gc_no();
  GC_gcollect();
  value = value * 10 + GC_try_to_collect(stop_never);
  value = value * 10 + (GC_is_disabled() != 0);
  GC_enable();
  value = value * 10 + (GC_is_disabled() != 0);
  GC_gcollect();
  value = value * 10 + (GC_get_gc_no() == before);
  GC_enable();
  return value * 10 + (GC_is_disabled() != 0);
}

enum { HIDDEN = 1000 };

// Hidden addresses of new objects, each held by a new holder of the given kind, which a list keeps.
__attribute__((noinline)) static void
build_holders(void *(*allocate)(size_t), void **list, uintptr_t *hidden) {
  for (int i = 0; i < HIDDEN; i++) {
    void **holder = allocate(32);
    memset(holder, 0, 32);
    holder[1] = GC_malloc(40);
    hidden[i] = ~(uintptr_t)holder[1];
    memset(holder[1], 0x77, 40);
    list[i] = holder;
  }
}

__attribute__((noinline)) static long
count_whole(const uintptr_t *hidden) {
  long whole = 0;
  for (int i = 0; i < HIDDEN; i++) {
    const unsigned char *object = (const unsigned char *)~hidden[i];
    whole += GC_base((void *)object) == object && object[0] == 0x77 && object[39] == 0x77;
  }
  return whole;
}

static long
normal_objects_keep(void) {
  static uintptr_t hidden[HIDDEN];
  void **volatile list = GC_malloc(HIDDEN * sizeof *list);
  build_holders(GC_malloc, list, hidden);
  collect();
  long whole = count_whole(hidden);
  list = NULL;
  (void)list;
  return whole;
}

static long
uncollectable_objects_keep(void) {
  static uintptr_t hidden[HIDDEN];
  static uintptr_t holders[HIDDEN];
  void **list = malloc(HIDDEN * sizeof *list);
  build_holders(GC_malloc_uncollectable, list, hidden);
  for (int i = 0; i < HIDDEN; i++)
    holders[i] = ~(uintptr_t)list[i];
  free(list);
  collect();
  long whole = count_whole(hidden);
  for (int i = 0; i < HIDDEN; i++)
    GC_free((void *)~holders[i]);
  return whole;
}

// Much garbage does not make the heap large.
static long
garbage_is_reclaimed(void) {
  for (int i = 0; i < 200000; i++)
    memset(GC_malloc(1000), i, 1000);
  return GC_get_heap_size() < 50u << 20;
}

static long
atomic_garbage_is_reclaimed(void) {
  for (int i = 0; i < 200000; i++)
    memset(GC_malloc_atomic(1000), i, 1000);
  return GC_get_heap_size() < 50u << 20;
}

static long
interior_pointers_keep(void) {
  char *volatile inside[100];
  long whole = 0;
  for (int i = 0; i < 100; i++) {
    inside[i] = (char *)GC_malloc(300) + 3 * i;
    inside[i][299 - 3 * i] = 'x';
  }
  collect();
  for (int i = 0; i < 100; i++)
    whole += inside[i][299 - 3 * i] == 'x' && (char *)GC_base(inside[i]) == inside[i] - 3 * i;
  return whole;
}

static long
registered_roots_keep(void) {
  void **roots = calloc(HIDDEN, sizeof *roots);
  static uintptr_t hidden[HIDDEN];
  GC_add_roots(roots, roots + HIDDEN);
  build_holders(GC_malloc, roots, hidden);
  collect();
  long whole = count_whole(hidden);
  GC_remove_roots(roots, roots + HIDDEN);
  free(roots);
  return whole;
}

// ---- Settings ------------------------------------------------------------------------------------------

static long
divisor(void) {
  long value = (long)GC_get_free_space_divisor();
  GC_set_free_space_divisor(7);
  value = value * 10 + (long)GC_get_free_space_divisor();
  GC_set_free_space_divisor(3);
  return value;
}

static long
flags(void) {
  GC_set_dont_expand(1);
  GC_set_force_unmap_on_gcollect(1);
  GC_set_no_dls(1);
  GC_set_non_gc_bytes(1234);
  GC_set_min_bytes_allocd(5000);
  long value = GC_get_dont_expand() + GC_get_force_unmap_on_gcollect() + GC_get_no_dls() +
               (GC_get_non_gc_bytes() == 1234) + (GC_get_min_bytes_allocd() == 5000);
  GC_set_dont_expand(0);
  GC_set_force_unmap_on_gcollect(0);
  GC_set_no_dls(0);
  GC_set_non_gc_bytes(0);
  GC_set_min_bytes_allocd(1);
  return value * 10 + GC_get_dont_expand() + GC_get_force_unmap_on_gcollect() + GC_get_no_dls() +
         GC_get_all_interior_pointers();
}

static long
incremental_defaults(void) {
  struct GC_timeval_s limit = GC_get_time_limit_tv();
  return (GC_get_time_limit() == GC_TIME_UNLIMITED) + (limit.tv_ms == GC_TIME_UNLIMITED) +
         (limit.tv_nsec == 0) + (GC_get_full_freq() == 19) + (GC_get_rate() == 10) +
         (GC_get_manual_vdb_allowed() == 0) +
         ((GC_incremental_protection_needs() & ~GC_PROTECTS_POINTER_HEAP) == GC_PROTECTS_NONE);
}

static long
time_limit(void) {
  GC_set_time_limit_tv((struct GC_timeval_s){3, 500000});
  long value = (long)GC_get_time_limit();
  GC_set_time_limit(50);
  struct GC_timeval_s limit = GC_get_time_limit_tv();
  value = value * 1000 + (long)limit.tv_ms + (limit.tv_nsec == 500000);
  GC_set_time_limit_tv((struct GC_timeval_s){GC_TIME_UNLIMITED, 0});
  return value * 10 + (GC_get_time_limit() == GC_TIME_UNLIMITED);
}

static long
incremental_settings(void) {
  int full_freq = GC_get_full_freq(), rate = GC_get_rate(), attempts = GC_get_max_prior_attempts();
  GC_set_full_freq(7);
  GC_set_rate(5);
  GC_set_max_prior_attempts(2);
  long value = GC_get_full_freq() * 100 + GC_get_rate() * 10 + GC_get_max_prior_attempts();
  GC_set_full_freq(full_freq);
  GC_set_rate(rate);
  GC_set_max_prior_attempts(attempts);
  return value;
}

static void *
oom_null(size_t bytes) {
  (void)bytes;
  return NULL;
}

static void
heap_resized(GC_word bytes) {
  (void)bytes;
}

static long
procedures(void) {
  GC_oom_func oom = GC_get_oom_fn();
  GC_warn_proc warn = GC_get_warn_proc();
  GC_stop_func stop = GC_get_stop_func();
  GC_set_oom_fn(oom_null);
  GC_set_warn_proc(GC_ignore_warn_proc);
  GC_set_stop_func(stop_never);
  GC_set_on_heap_resize(heap_resized);
  long value = (GC_get_oom_fn() == oom_null) + (GC_get_warn_proc() == GC_ignore_warn_proc) +
               (GC_get_stop_func() == stop_never) + (GC_get_on_heap_resize() == heap_resized);
  GC_set_oom_fn(oom);
  GC_set_warn_proc(warn);
  GC_set_stop_func(stop);
  GC_set_on_heap_resize(NULL);
  return value + (oom && warn && stop);
}

static long
oom_is_called_back(void) {
  static char answer[10];
  void *object = GC_malloc((size_t)1 << 62);
  (void)answer;
  return object == NULL;
}

static long
heap_expands(void) {
  size_t before = GC_get_heap_size();
  return GC_expand_hp(8 << 20) * 10 + (GC_get_heap_size() >= before + (8 << 20));
}

static long event_order;

static void
note_event(GC_EventType event) {
  if (event == GC_EVENT_START || event == GC_EVENT_MARK_START || event == GC_EVENT_MARK_END ||
      event == GC_EVENT_END || event == GC_EVENT_RECLAIM_START || event == GC_EVENT_RECLAIM_END)
    event_order = event_order * 10 + (long)event + 1;
}

static long
events(void) {
  GC_set_on_collection_event(note_event);
  GC_gcollect();
  GC_set_on_collection_event(NULL);
  return event_order;
}

// ---- Statistics ----------------------------------------------------------------------------------------

static long
total_bytes_grow(void) {
  size_t before = GC_get_total_bytes();
  for (int i = 0; i < 10000; i++)
    GC_malloc(100);
  GC_gcollect();
  return GC_get_total_bytes() - before >= 1000000;
}

static long
usage_adds_up(void) {
  GC_word heap, unused, unmapped, since, total;
  GC_get_heap_usage_safe(&heap, &unused, &unmapped, &since, &total);
  GC_get_heap_usage_safe(NULL, NULL, NULL, NULL, NULL);
  return heap >= unused && heap > 0 && total >= since;
}

static long
prof_stats(void) {
  struct {
    struct GC_prof_stats_s stats;
    GC_word more;
  } record = {.more = 0};
  size_t whole = GC_get_prof_stats(&record.stats, sizeof record.stats);
  long value = whole == sizeof record.stats && record.stats.heapsize_full > 0 && record.stats.gc_no > 0;
  size_t cut = GC_get_prof_stats(&record.stats, 2 * sizeof(GC_word));
  value = value * 10 + (cut == 2 * sizeof(GC_word));
  GC_get_prof_stats(&record.stats, sizeof record);
  return value * 10 + (record.more == ~(GC_word)0);
}

// ---- Threads -------------------------------------------------------------------------------------------

static long
version(void) {
  return (long)(GC_get_version() >> 16);
}

static long
init_again(void) {
  GC_INIT();
  return GC_is_init_called();
}

static long
registration(void) {
  struct GC_stack_base base;
  char local;
  long value = GC_get_stack_base(&base) == GC_SUCCESS && (char *)base.mem_base > &local;
  value = value * 10 + GC_thread_is_registered();
  GC_allow_register_threads();
  return value * 10 + (GC_register_my_thread(&base) == GC_DUPLICATE);
}

static long
signals(void) {
  return GC_get_suspend_signal() * 100 + GC_get_thr_restart_signal();
}

static void *
add_one(void *number) {
  return (char *)number + 1;
}

static void *
add_base(struct GC_stack_base *base, void *number) {
  return (char *)number + (base && base->mem_base ? 2 : 0);
}

static void *
activate(void *number) {
  return GC_call_with_gc_active(add_one, number);
}

static long
calls_return(void) {
  return (long)(intptr_t)GC_do_blocking(add_one, NULL) * 1000 +
         (long)(intptr_t)GC_call_with_alloc_lock(add_one, NULL) * 100 +
         (long)(intptr_t)GC_call_with_stack_base(add_base, NULL) * 10 +
         (long)(intptr_t)GC_do_blocking(activate, NULL);
}

static void *
allocate_in_thread(void *argument) {
  char *copy = GC_strdup(argument);
  for (int i = 0; i < 10000; i++)
    GC_malloc(100);
  return copy;
}

static long
thread_result(void) {
  pthread_t thread;
  void *result;
  int error = GC_pthread_create(&thread, NULL, allocate_in_thread, GC_strdup("argument"));
  if (error == 0)
    error = GC_pthread_join(thread, &result);
  return error == 0 && strcmp(result, "argument") == 0;
}

// ---- Incremental collection: last, since it cannot be undone -------------------------------------------

static long
nothing_to_do_a_little_at_a_time(void) {
  GC_gcollect();
  GC_start_incremental_collection();
  return GC_collect_a_little();
}

// A list that grows at its end and is cut at its beginning, while collections come and go.
static long
incremental_collection(void) {
  struct node {
    struct node *next;
    long number;
  } * first, *last;
  GC_set_time_limit(GC_TIME_UNLIMITED);
  GC_enable_incremental();
  long sum = 0;
  first = last = GC_NEW(struct node);
  for (long i = 1; i < 300000; i++) {
    struct node *node = GC_NEW(struct node);
    node->number = i;
    GC_END_STUBBORN_CHANGE(node);
    GC_PTR_STORE_AND_DIRTY(&last->next, node);
    last = node;
    if (i >= 100000)
      first = first->next;
    if (i % 50000 == 0)
      GC_start_incremental_collection();
  }
  while (GC_collect_a_little())
    ;
  for (struct node *node = first; node; node = node->next)
    sum += node->number - first->number;
  return GC_is_incremental_mode() ? sum : -1;
}

static const struct probe {
  const char *name;
  long (*function)(void);
  long value;
} probes[] = {
    {"version", version, 0x802 >> 8},
    {"init_again", init_again, 1},
    {"malloc_is_zero", malloc_is_zero, 715},
    {"malloc_of_nothing", malloc_of_nothing, 1},
    {"malloc_is_aligned", malloc_is_aligned, 0},
    {"uncollectable_is_zero", uncollectable_is_zero, 1},
    {"realloc_of_null", realloc_of_null, 1},
    {"realloc_to_nothing", realloc_to_nothing, 1},
    {"realloc_keeps_contents", realloc_keeps_contents, 11},
    {"free_of_null", free_of_null, 1},
    {"strdup_copies", strdup_copies, 1},
    {"strdup_of_null", strdup_of_null, 1},
    {"strndup_cuts", strndup_cuts, 1},
    {"memalign_aligns", memalign_aligns, 9},
    {"posix_memalign_aligns", posix_memalign_aligns, 1},
    {"posix_memalign_refuses", posix_memalign_refuses, 3},
    {"malloc_many_links", malloc_many_links, 1},
    {"absurd_sizes", absurd_sizes, 3},
    {"macros_allocate", macros_allocate, 1},
    {"base_of_interior", base_of_interior, 3},
    {"base_outside", base_outside, 2},
    {"size_is_enough", size_is_enough, 770},
    {"heap_pointers", heap_pointers, 10},
    {"collection_counts", collection_counts, 1},
    {"try_to_collect", try_to_collect, 10},
    {"disabling_nests", disabling_nests, 1110},
    {"normal_objects_keep", normal_objects_keep, HIDDEN},
    {"uncollectable_objects_keep", uncollectable_objects_keep, HIDDEN},
    {"garbage_is_reclaimed", garbage_is_reclaimed, 1},
    {"atomic_garbage_is_reclaimed", atomic_garbage_is_reclaimed, 1},
    {"interior_pointers_keep", interior_pointers_keep, 100},
    {"registered_roots_keep", registered_roots_keep, HIDDEN},
    {"divisor", divisor, 37},
    {"flags", flags, 51},
    {"incremental_defaults", incremental_defaults, 7},
    {"time_limit", time_limit, 30511},
    {"incremental_settings", incremental_settings, 752},
    {"procedures", procedures, 5},
    {"oom_is_called_back", oom_is_called_back, 1},
    {"heap_expands", heap_expands, 11},
    {"events", events, 123456},
    {"total_bytes_grow", total_bytes_grow, 1},
    {"usage_adds_up", usage_adds_up, 1},
    {"prof_stats", prof_stats, 111},
    {"registration", registration, 111},
    {"signals", signals, 3024},
    {"calls_return", calls_return, 1121},
    {"thread_result", thread_result, 1},
    {"nothing_to_do_a_little_at_a_time", nothing_to_do_a_little_at_a_time, 0},
    {"incremental_collection", incremental_collection, 4999950000},
};

enum { PROBES = sizeof probes / sizeof probes[0] };

int
main(int argc, char **argv) {
  bool print_values = argc > 1 && strcmp(argv[1], "values") == 0;
  GC_INIT();
  GC_set_warn_proc(GC_ignore_warn_proc);
  for (unsigned i = 0; i < PROBES; i++) {
    long value = probes[i].function();
    if (print_values)
      printf("%s %ld\n", probes[i].name, value);
    else if (!tap_ok(value == probes[i].value, "%s", probes[i].name))
      tap_note("it is %ld, ought to be %ld", value, probes[i].value);
  }
  return print_values ? 0 : tap_done();
}
