// Collecting, heap size and policy, hooks.
#include <stdlib.h>
#include <sys/mman.h>

#include "api/init.h"
#include "base/check.h"
#include "base/hooks.h"
#include "base/lock.h"
#include "base/variables.h"
#include "cycle/cycle.h"
#include "cycle/pauses.h"
#include "cycle/verify.h"
#include "gc.h"
#include "heap/heap.h"
#include "mark/team.h"
#include "os/memory.h"
#include "world/world.h"

// GC_init attaches the calling thread, if need be, so that its stack counts.

// ---- Collecting ----------------------------------------------------------------------------------------

// The calling thread is attached first: else its stack would not be searched.  If it cannot be, nothing is
// collected.
static bool
collect(GC_stop_func stop) {
  gc_init_ensure();
  bool finished = gc_allocate_cache() &&
                  gc_cycle_collect((struct gc_cycle_request){.reason = GC_CYCLE_EXPLICIT, .stop = stop});
  gc_pauses_deliver();
  return finished;
}

void
GC_gcollect(void) {
  collect(NULL);
  if (gc_tunables.force_unmap)
    gc_cycle_release_all();
}

void
GC_gcollect_and_unmap(void) {
  collect(NULL);
  gc_cycle_release_all();
}

int
GC_try_to_collect(GC_stop_func stop) {
  return collect(stop);
}

static int
never_stop(void) {
  return 0;
}

void
GC_set_stop_func(GC_stop_func stop) {
  gc_hooks.stop = stop;
}

GC_stop_func
GC_get_stop_func(void) {
  return gc_hooks.stop ? gc_hooks.stop : never_stop;
}

void
GC_disable(void) {
  GC_init();
  gc_cycle_disable(false);
}

void
GC_finish_and_disable(void) {
  GC_init();
  gc_cycle_disable(true);
}

void
GC_enable(void) {
  GC_init();
  bool was_disabled = gc_cycle_enable();
  GC_CHECK(was_disabled, "GC_enable without GC_disable");
}

int
GC_is_disabled(void) {
  return GC_READ(GC_dont_gc);
}

void
GC_set_disable_automatic_collection(int on) {
  gc_cycle_set_automatic(!on);
}

int
GC_get_disable_automatic_collection(void) {
  return !gc_cycle_is_automatic();
}

// ---- Heap size and policy ------------------------------------------------------------------------------

int
GC_expand_hp(size_t bytes) {
  gc_init_ensure();
  size_t pages = bytes / GC_PAGE_BYTES + (bytes % GC_PAGE_BYTES > 0);
  gc_lock_acquire(&gc_lock);
  bool expanded = pages == 0 || (pages < gc_heap.reserved_pages && gc_span_expand((uint32_t)pages));
  if (expanded)
    gc_cycle_stats.budget_bytes = gc_max(gc_cycle_stats.budget_bytes, gc_heap.allocated_bytes + bytes);
  gc_lock_release(&gc_lock);
  return expanded;
}

void
GC_set_max_heap_size(GC_word bytes) {
  gc_tunables.max_heap_bytes = bytes;
  gc_heap.max_bytes = bytes;
}

void
GC_set_free_space_divisor(GC_word divisor) {
  GC_CHECK(divisor > 0, "GC_set_free_space_divisor: 0 is no divisor");
  GC_WRITE(GC_free_space_divisor, divisor);
}

GC_word
GC_get_free_space_divisor(void) {
  return GC_READ(GC_free_space_divisor);
}

void
GC_set_min_bytes_allocd(size_t bytes) {
  GC_CHECK(bytes > 0, "GC_set_min_bytes_allocd: 0 bytes");
  gc_tunables.min_budget_bytes = bytes;
}

size_t
GC_get_min_bytes_allocd(void) {
  return gc_tunables.min_budget_bytes;
}

void
GC_set_dont_expand(int on) {
  GC_WRITE(GC_dont_expand, on);
}

int
GC_get_dont_expand(void) {
  return GC_READ(GC_dont_expand);
}

void
GC_set_max_retries(GC_word count) {
  GC_WRITE(GC_max_retries, count);
}

GC_word
GC_get_max_retries(void) {
  return GC_READ(GC_max_retries);
}

void
GC_set_dont_precollect(int on) {
  GC_WRITE(GC_dont_precollect, on);
}

int
GC_get_dont_precollect(void) {
  return GC_READ(GC_dont_precollect);
}

void
GC_set_non_gc_bytes(GC_word bytes) {
  GC_WRITE(GC_non_gc_bytes, bytes);
}

GC_word
GC_get_non_gc_bytes(void) {
  return GC_READ(GC_non_gc_bytes);
}

// The program's own free lists are no business of the heap's: their bytes count as this thread's.
void
GC_incr_bytes_allocd(size_t bytes) {
  gc_init_ensure();
  struct gc_cache *cache = gc_allocate_cache();
  if (cache)
    cache->allocated_bytes += bytes;
}

void
GC_incr_bytes_freed(size_t bytes) {
  gc_init_ensure();
  struct gc_cache *cache = gc_allocate_cache();
  if (cache)
    cache->freed_bytes += bytes;
}

// Too late it changes nothing, and says so to who asks.
void
GC_set_pages_executable(int on) {
  if (!gc_initialized)
    gc_os_access = PROT_READ | PROT_WRITE | (on ? PROT_EXEC : 0);
}

int
GC_get_pages_executable(void) {
  return (gc_os_access & PROT_EXEC) != 0;
}

void
GC_set_force_unmap_on_gcollect(int on) {
  gc_tunables.force_unmap = on != 0;
}

int
GC_get_force_unmap_on_gcollect(void) {
  return gc_tunables.force_unmap;
}

void
GC_set_all_interior_pointers(int on) {
  GC_CHECK(on == 0 || on == 1, "GC_set_all_interior_pointers: %d is neither 0 nor 1", on);
  GC_CHECK(!gc_initialized || gc_heap.all_interior_pointers == (on != 0),
           "GC_set_all_interior_pointers: too late, the collector is initialised");
  GC_WRITE(GC_all_interior_pointers, on);
}

int
GC_get_all_interior_pointers(void) {
  return GC_READ(GC_all_interior_pointers);
}

void
GC_register_displacement(size_t displacement) {
  GC_CHECK(displacement < GC_DISPLACEMENTS_MAX, "GC_register_displacement: %zu is more than %d", displacement,
           GC_DISPLACEMENTS_MAX - 1);
  gc_heap_register_displacement(displacement);
}

void
GC_set_markers_count(unsigned count) {
  gc_tunables.markers = (unsigned)gc_min(count, GC_MARKERS_MAX);
  if (gc_initialized)
    GC_WRITE(GC_parallel, (int)gc_cycle_markers_max() - 1);
}

int
GC_get_parallel(void) {
  gc_init_ensure();
  return GC_READ(GC_parallel);
}

void
GC_start_mark_threads(void) {
  gc_init_ensure();
  gc_cycle_acquire();
  gc_team_prepare_helpers(gc_cycle_markers_max() - 1);
  gc_lock_release(&gc_cycle_lock);
}

void
GC_set_stress_collect(unsigned every) {
  gc_tunables.stress_collect_every = every;
  gc_cache_window_bytes = every ? 0 : GC_CACHE_WINDOW_BYTES;
}

// ---- Hooks ---------------------------------------------------------------------------------------------

void
GC_set_oom_fn(GC_oom_func function) {
  GC_WRITE(GC_oom_fn, function);
}

GC_oom_func
GC_get_oom_fn(void) {
  return GC_READ(GC_oom_fn);
}

void
GC_abort_on_oom(void) {
  static const char message[] = "loam: memory is exhausted\n";
  gc_error_text(message, sizeof message - 1);
  gc_abort_tell(NULL);
  exit(EXIT_FAILURE);
}

void
GC_set_warn_proc(GC_warn_proc function) {
  gc_hooks.warn = function;
}

GC_warn_proc
GC_get_warn_proc(void) {
  return gc_hooks.warn ? gc_hooks.warn : gc_warn_default;
}

void
GC_ignore_warn_proc(char *format, GC_word argument) {
  (void)format;
  (void)argument;
}

void
GC_set_abort_func(GC_abort_func function) {
  GC_WRITE(GC_on_abort, function);
}

GC_abort_func
GC_get_abort_func(void) {
  return GC_READ(GC_on_abort);
}

void
GC_set_log_fd(int fd) {
  gc_hooks.log_fd = fd;
}

void
GC_set_on_collection_event(GC_on_collection_event_proc function) {
  gc_hooks.collection_event = (void (*)(int))(void (*)(void))function;
}

GC_on_collection_event_proc
GC_get_on_collection_event(void) {
  return (GC_on_collection_event_proc)(void (*)(void))gc_hooks.collection_event;
}

void
GC_set_on_thread_event(GC_on_thread_event_proc function) {
  gc_hooks.thread_event = (void (*)(int, void *))(void (*)(void))function;
}

GC_on_thread_event_proc
GC_get_on_thread_event(void) {
  return (GC_on_thread_event_proc)(void (*)(void))gc_hooks.thread_event;
}

void
GC_set_on_os_get_mem(GC_on_os_get_mem_proc function) {
  gc_hooks.os_memory = function;
}

GC_on_os_get_mem_proc
GC_get_on_os_get_mem(void) {
  return gc_hooks.os_memory;
}

void
GC_set_sp_corrector(GC_sp_corrector_proc function) {
  gc_hooks.correct_stack_pointer = function;
}

GC_sp_corrector_proc
GC_get_sp_corrector(void) {
  return gc_hooks.correct_stack_pointer;
}

void
GC_set_on_heap_resize(GC_on_heap_resize_proc function) {
  GC_WRITE(GC_on_heap_resize, function);
}

GC_on_heap_resize_proc
GC_get_on_heap_resize(void) {
  return GC_READ(GC_on_heap_resize);
}

void
GC_set_start_callback(GC_start_callback_proc function) {
  gc_hooks.start = function;
}

GC_start_callback_proc
GC_get_start_callback(void) {
  return gc_hooks.start;
}

size_t
gc_verify(void) {
  gc_init_ensure();
  gc_allocate_cache();
  return gc_verify_world();
}
