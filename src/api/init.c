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
#include "base/variables.h"
#include "cycle/cycle.h"
#include "cycle/pauses.h"
#include "debug/findings.h"
#include "gc.h"
#include "heap/heap.h"
#include "mark/team.h"
#include "observe/dump.h"
#include "os/limits.h"
#include "os/memory.h"
#include "world/world.h"

bool gc_initialized;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool deinitialized;

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
  if (fd < 0) {
    gc_warn("GC_LOG_FILE: cannot open the file (errno %lu); logging to standard error", (uintptr_t)errno);
    return;
  }
  gc_hooks.log_fd = fd;
  if (!gc_tunables.only_log_to_file)
    gc_hooks.output_fd = gc_hooks.error_fd = fd;
}

// As in libgc, the environment counts more than what setters have said so far.
static void
read_environment(void) {
  gc_tunables_read_environment(&gc_tunables, get_environment, warn_about_tunable);
  gc_variables_take(&gc_tunables);
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
  gc_findings_report();
  if (gc_tunables.dump_regularly)
    gc_dump("after a collection");
  if (gc_tunables.print_address_map)
    gc_dump_address_map();
}

// What has leaked by the end of the program is reported then.
static void
collect_at_exit(void) {
  if (GC_READ(GC_find_leak))
    GC_gcollect();
}

static void
initialize(void) {
  read_environment();
  open_log();
  gc_os_stress_fail(gc_tunables.stress_fail_os);
  if (gc_tunables.stress_collect_every)
    GC_set_stress_collect(gc_tunables.stress_collect_every);
  // The heap is last, since it takes all that it gets.
  if (!gc_team_init() || !gc_heap_init(reservation_bytes(), gc_limits_memory_bytes()))
    gc_fail("cannot reserve the least address space that it takes to begin (see ulimit -v)");
  gc_heap.max_bytes = gc_tunables.max_heap_bytes;
  gc_heap_set_all_interior_pointers(GC_READ(GC_all_interior_pointers) != 0);
  gc_world_init();
  gc_cycle_init();
  gc_cycle_report = report_cycle;
  gc_incremental_init();
  gc_findings_init();
  GC_WRITE(GC_parallel, (int)gc_cycle_markers_max() - 1);
  if (GC_READ(GC_find_leak))
    atexit(collect_at_exit);
  __atomic_store_n(&gc_initialized, true, __ATOMIC_RELEASE);
}

// The first report of those that GC_DUMP_REGULARLY asks for.
static void
dump_first(void) {
  static bool done;
  if (gc_tunables.dump_regularly && !__atomic_exchange_n(&done, true, __ATOMIC_RELAXED))
    gc_dump("at the start");
}

void
gc_init_slow(void) {
  int saved_errno = errno;
  pthread_once(&once, initialize);
  dump_first();
  errno = saved_errno;
}

void
GC_init(void) {
  gc_init_ensure();
  gc_allocate_cache();
}

int
GC_is_init_called(void) {
  return gc_initialized && !deinitialized;
}

void
GC_deinit(void) {
  deinitialized = gc_initialized;
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

void
GC_noop1_ptr(volatile void *pointer) {
  __asm__ volatile("" : : "r"(pointer) : "memory");
}
