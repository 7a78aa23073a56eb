// GC_INIT sets what macros say before it initialises the collector.

#define GC_THREADS
#define GC_NO_THREAD_REDIRECTS
#define GC_DONT_EXPAND
#define GC_FORCE_UNMAP_ON_GCOLLECT
#define GC_MAX_RETRIES 3
#define GC_ALLOCD_BYTES_PER_FINALIZER 12345
#define GC_FREE_SPACE_DIVISOR 7
#define GC_FULL_FREQ 5
#define GC_TIME_LIMIT 23
#define GC_MARKERS 1
#define GC_SIG_SUSPEND SIGUSR1
#define GC_SIG_THR_RESTART SIGUSR2
#define GC_MAXIMUM_HEAP_SIZE (64ul << 20)
#define GC_IGNORE_WARN
#define GC_INITIAL_HEAP_SIZE initial_bytes

#include <gc.h>
#include <signal.h>

#include "check.h"

// Not declared where the macro is defined.
static const size_t initial_bytes = (size_t)16 << 20;

int
main(void) {
  int i, refused = 0;
  if (!GC_is_init_called())
    GC_INIT()
  check("it is initialised", GC_is_init_called());
  GC_INIT();
  check("GC_DONT_EXPAND", GC_get_dont_expand());
  check("GC_FORCE_UNMAP_ON_GCOLLECT", GC_get_force_unmap_on_gcollect());
  check("GC_MAX_RETRIES", GC_get_max_retries() == 3);
  check("GC_ALLOCD_BYTES_PER_FINALIZER", GC_get_allocd_bytes_per_finalizer() == 12345);
  check("GC_FREE_SPACE_DIVISOR", GC_get_free_space_divisor() == 7);
  check("GC_FULL_FREQ", GC_get_full_freq() == 5);
  check("GC_TIME_LIMIT", GC_get_time_limit() == 23);
  check("GC_MARKERS", GC_get_parallel() == 0);
  check("GC_SIG_SUSPEND", GC_get_suspend_signal() == SIGUSR1);
  check("GC_SIG_THR_RESTART", GC_get_thr_restart_signal() == SIGUSR2);
  check("GC_IGNORE_WARN", GC_get_warn_proc() == GC_ignore_warn_proc);
  check("GC_INITIAL_HEAP_SIZE", GC_get_heap_size() >= initial_bytes);
  for (i = 0; i < 100; i++)
    refused += GC_malloc_uncollectable(1 << 20) == NULL;
  check("GC_MAXIMUM_HEAP_SIZE", refused > 30 && refused < 100);
  return 0;
}
