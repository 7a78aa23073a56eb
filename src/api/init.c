// Initialisation: once, in the order of the layers.
#include "api/init.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "api/incremental.h"
#include "base/check.h"
#include "base/hooks.h"
#include "base/valgrind.h"
#include "cycle/cycle.h"
#include "cycle/pauses.h"
#include "gc.h"
#include "heap/heap.h"
#include "observe/dump.h"
#include "os/limits.h"
#include "os/memory.h"
#include "world/world.h"

bool gc_initialized;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool tunables_ready;

static void
warn_about_tunable(const char *message) {
  gc_warn("%s", (uintptr_t)message);
}

static const char *
get_environment(const char *name) {
  return secure_getenv(name);
}

static void
open_log(void) {
  if (!gc_tunables.log_file)
    return;
  int fd = open(gc_tunables.log_file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd < 0)
    gc_warn("GC_LOG_FILE: cannot open the file (errno %lu); logging to standard error", (uintptr_t)errno);
  else
    gc_hooks.log_fd = fd;
}

// The environment overrides defaults, and setters that were called before GC_init override the environment;
// so it is read on the first call of either.
void
gc_init_tunables(void) {
  if (tunables_ready)
    return;
  tunables_ready = true;
  gc_tunables_init_defaults(&gc_tunables);
  gc_tunables_read_environment(&gc_tunables, get_environment, warn_about_tunable);
  gc_hooks.loop_on_abort = gc_tunables.loop_on_abort;
}

// Valgrind shadows every mapping: a reservation of terabytes would be refused or slow.
static size_t
reservation_bytes(void) {
  if (gc_tunables.reserve_bytes == 0 && GC_VALGRIND_RUNNING())
    return 8 * GC_GIB;
  return gc_tunables.reserve_bytes;
}

static void
report_cycle(void) {
  gc_pauses_deliver();
  if (gc_tunables.dump_regularly)
    gc_dump("after a collection");
  if (gc_tunables.print_address_map)
    gc_dump_address_map();
}

static void
initialize(void) {
  gc_init_tunables();
  open_log();
  gc_os_stress_fail(gc_tunables.stress_fail_os);
  if (gc_tunables.stress_collect_every)
    GC_set_stress_collect(gc_tunables.stress_collect_every);
  if (!gc_heap_init(reservation_bytes(), gc_limits_memory_bytes()))
    gc_fail("cannot reserve address space for the heap: the system refuses even 1 MiB (see ulimit -v)");
  gc_heap.max_bytes = gc_tunables.max_heap_bytes;
  gc_heap_set_all_interior_pointers(gc_tunables.all_interior_pointers);
  gc_world_init();
  gc_cycle_init();
  gc_cycle_report = report_cycle;
  gc_incremental_init();
  __atomic_store_n(&gc_initialized, true, __ATOMIC_RELEASE);
}

void
gc_init_slow(void) {
  int saved_errno = errno;
  pthread_once(&once, initialize);
  errno = saved_errno;
}

void
GC_init(void) {
  gc_init_ensure();
  gc_allocate_cache();
}

int
GC_is_init_called(void) {
  return gc_initialized;
}

unsigned
GC_get_version(void) {
  return GC_VERSION_MAJOR << 16 | GC_VERSION_MINOR << 8 | GC_VERSION_MICRO;
}

const char *
GC_get_loam_version(void) {
  return LOAM_VERSION;
}

void
GC_noop1(GC_word value) {
  __asm__ volatile("" : : "r"(value));
}
