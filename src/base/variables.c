// See variables.h.
#include "base/variables.h"

#include "base/hooks.h"
#include "base/types.h"

enum {
  FREE_LISTS = 129, // as many as libgc's have
  DEFAULT_DIVISOR = 3,
  DEFAULT_FULL_FREQ = 19,
  DIVISOR_MAX = 1000,
  RETRIES_MAX = 100
};

static void *
no_memory(size_t bytes) {
  (void)bytes;
  return NULL;
}

static void *empty_lists[FREE_LISTS];

// Counts and states, which the collector writes.
GC_word GC_gc_no;
int GC_parallel;
void **GC_objfreelist_ptr = empty_lists;
void **GC_aobjfreelist_ptr = empty_lists;
void **GC_uobjfreelist_ptr = empty_lists;
void **GC_auobjfreelist_ptr = empty_lists;

// Settings.
int GC_all_interior_pointers = 1;
int GC_dont_expand;
int GC_dont_gc;
int GC_dont_precollect;
int GC_finalize_on_demand;
int GC_find_leak;
GC_word GC_free_space_divisor = DEFAULT_DIVISOR;
int GC_full_freq = DEFAULT_FULL_FREQ;
int GC_java_finalization = 1;
GC_word GC_max_retries;
int GC_no_dls;
GC_word GC_non_gc_bytes;
unsigned long GC_time_limit = GC_TIME_UNLIMITED;
int GC_use_entire_heap;

// Procedures.
GC_finalizer_notifier_proc GC_finalizer_notifier;
GC_on_heap_resize_proc GC_on_heap_resize;
GC_oom_func GC_oom_fn = no_memory;
GC_abort_func GC_on_abort = gc_abort_default;

struct gc_variables_said gc_variables_said;

void
gc_variables_take(const struct gc_tunables *tunables) {
  if (tunables->said.all_interior_pointers)
    GC_WRITE(GC_all_interior_pointers, tunables->all_interior_pointers);
  if (tunables->dont_gc)
    GC_WRITE(GC_dont_gc, 1);
  if (tunables->find_leak)
    GC_WRITE(GC_find_leak, 1);
  if (tunables->said.free_space_divisor)
    GC_WRITE(GC_free_space_divisor, tunables->free_space_divisor);
  if (tunables->said.use_entire_heap)
    GC_WRITE(GC_use_entire_heap, tunables->use_entire_heap);
  if (tunables->full_freq > 0) {
    GC_WRITE(GC_full_freq, (int)tunables->full_freq);
    gc_variables_said.full_freq = true;
  }
  if (tunables->said.pause_target_ms) {
    GC_WRITE(GC_time_limit, tunables->pause_target_ms);
    gc_variables_said.time_limit = true;
  }
}

size_t
gc_variables_divisor(void) {
  return gc_min(gc_max(GC_READ(GC_free_space_divisor), 1), DIVISOR_MAX);
}

unsigned
gc_variables_full_freq(void) {
  int minor_cycles = GC_READ(GC_full_freq);
  if (minor_cycles == DEFAULT_FULL_FREQ && !gc_variables_said.full_freq)
    return 0;
  return minor_cycles > 0 ? (unsigned)minor_cycles : 1;
}

size_t
gc_variables_pause_target_ms(void) {
  size_t ms = GC_READ(GC_time_limit);
  if (ms == GC_TIME_UNLIMITED && !gc_variables_said.time_limit)
    return gc_tunables.pause_target_ms;
  return gc_min(ms, GC_TIME_UNLIMITED);
}

size_t
gc_variables_retries(void) {
  return gc_min(GC_READ(GC_max_retries), RETRIES_MAX);
}

void *
gc_variables_out_of_memory(size_t bytes) {
  GC_oom_func function = GC_READ(GC_oom_fn);
  return function ? function(bytes) : NULL;
}
