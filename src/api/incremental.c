// Modes of collection, time limits, and how writes are noticed: gc.h's functions onto cycle/mode.h, the
// tunables, the variables and os/writes.h.
//
// What setters say before GC_init is kept in the tunables, where gc_incremental_init finds it.
#include "api/incremental.h"

#include <string.h>

#include "api/barrier.h"
#include "api/init.h"
#include "base/check.h"
#include "base/hooks.h"
#include "base/variables.h"
#include "cycle/cycle.h"
#include "cycle/mode.h"
#include "cycle/pauses.h"
#include "gc.h"
#include "os/writes.h"

enum {
  LIBGC_RATE = 10, // the default of what Loam has no use for
  NS_PER_MS = 1000000
};

_Static_assert((int)GC_MODE_STOP == GC_MODE_IS_STOP && (int)GC_MODE_GENERATIONAL == GC_MODE_IS_GENERATIONAL &&
                   (int)GC_MODE_CONCURRENT == GC_MODE_IS_CONCURRENT && (int)GC_MODE_AUTO == GC_MODE_IS_AUTO,
               "gc.h's modes are cycle/mode.h's");
_Static_assert(GC_TIME_UNLIMITED == GC_PAUSE_UNLIMITED_MS, "gc.h's limit is cycle/pauses.h's");

// [written by setters, read racily]
static enum gc_mode mode_in_force = GC_MODE_IS_STOP;
static bool manual; // GC_set_manual_vdb_allowed
static int rate = LIBGC_RATE;

// ---- The mode ------------------------------------------------------------------------------------------

// What is asked for before there is a collector.
static enum gc_mode
mode_of_tunables(void) {
  for (unsigned mode = 0; gc_tunables.mode && mode < GC_MODES; mode++)
    if (strcmp(gc_tunables.mode, gc_mode_name(mode)) == 0)
      return mode;
  if (gc_tunables.disable_incremental)
    return GC_MODE_IS_STOP;
  return gc_tunables.enable_incremental ? GC_MODE_IS_CONCURRENT : GC_MODE_IS_AUTO;
}

void
gc_incremental_init(void) {
  gc_barrier_init();
  gc_barrier_enable(manual);
  gc_mode_set_manual(manual);
  mode_in_force = gc_mode_set(mode_of_tunables());
}

enum GC_Mode
GC_set_mode(enum GC_Mode mode) {
  GC_CHECK((unsigned)mode < GC_MODES, "GC_set_mode: there is no mode %d", (int)mode);
  gc_tunables.mode = gc_mode_name((enum gc_mode)mode);
  if (!gc_initialized)
    return mode;
  mode_in_force = gc_mode_set((enum gc_mode)mode);
  return (enum GC_Mode)mode_in_force;
}

enum GC_Mode
GC_get_mode(void) {
  return (enum GC_Mode)(gc_initialized ? gc_mode_wanted() : mode_of_tunables());
}

void
GC_enable_incremental(void) {
  GC_init();
  if (gc_tunables.disable_incremental || GC_READ(GC_find_leak))
    return;
  bool unlimited = gc_variables_pause_target_ms() >= GC_TIME_UNLIMITED;
  enum gc_mode mode = unlimited ? GC_MODE_IS_GENERATIONAL : GC_MODE_IS_CONCURRENT;
  if (mode != mode_in_force)
    GC_set_mode((enum GC_Mode)mode);
}

int
GC_is_incremental_mode(void) {
  return mode_in_force == GC_MODE_IS_GENERATIONAL || mode_in_force == GC_MODE_IS_CONCURRENT;
}

// ---- Collecting bit by bit -----------------------------------------------------------------------------

void
GC_start_incremental_collection(void) {
  GC_init();
  gc_mode_start_cycle();
  gc_pauses_deliver();
}

int
GC_collect_a_little(void) {
  GC_init();
  bool under_way = gc_mode_collect_a_little();
  if (!under_way && gc_cycle_due()) {
    gc_cycle_collect((struct gc_cycle_request){.reason = GC_CYCLE_BUDGET, .stop = gc_hooks.stop});
    under_way = gc_mode_collect_a_little();
  }
  gc_pauses_deliver();
  return under_way;
}

// ---- Limits --------------------------------------------------------------------------------------------

void
GC_set_time_limit(unsigned long ms) {
  GC_WRITE(GC_time_limit, gc_min(ms, GC_TIME_UNLIMITED));
  gc_variables_said.time_limit = true;
}

unsigned long
GC_get_time_limit(void) {
  return GC_READ(GC_time_limit);
}

void
GC_set_time_limit_tv(struct GC_timeval_s limit) {
  GC_set_time_limit(limit.tv_ms);
  gc_pause_target_more_ns = gc_min(limit.tv_nsec, NS_PER_MS - 1);
}

struct GC_timeval_s
GC_get_time_limit_tv(void) {
  return (struct GC_timeval_s){GC_get_time_limit(), gc_pause_target_more_ns};
}

void
GC_set_max_prior_attempts(int attempts) {
  gc_tunables.max_prior_attempts = attempts > 0 ? (unsigned)attempts : 0;
}

int
GC_get_max_prior_attempts(void) {
  return (int)gc_tunables.max_prior_attempts;
}

void
GC_set_full_freq(int minor_collections) {
  GC_WRITE(GC_full_freq, minor_collections);
  gc_variables_said.full_freq = true;
}

int
GC_get_full_freq(void) {
  return GC_READ(GC_full_freq);
}

void
GC_set_rate(int units) {
  rate = units;
}

int
GC_get_rate(void) {
  return rate;
}

// ---- How writes are noticed ----------------------------------------------------------------------------

const char *
GC_get_write_tracking(const char **reason) {
  if (reason)
    *reason = gc_writes_reason();
  return gc_mode_tracking_name();
}

unsigned
GC_get_supported_vdbs(void) {
  return GC_VDB_UFFDWP | GC_VDB_MPROTECT | GC_VDB_MANUAL;
}

unsigned
GC_get_actual_vdb(void) {
  static const unsigned bits[] = {
      [GC_WRITES_NONE] = GC_VDB_NONE,
      [GC_WRITES_USERFAULT] = GC_VDB_UFFDWP,
      [GC_WRITES_PROTECT] = GC_VDB_MPROTECT,
      [GC_WRITES_CARDS] = GC_VDB_MANUAL,
  };
  return bits[gc_writes_kind()];
}

int
GC_incremental_protection_needs(void) {
  enum gc_writes_kind kind = gc_writes_kind();
  bool may = kind == GC_WRITES_NONE ? GC_get_mprotect_vdb_allowed() : kind == GC_WRITES_PROTECT;
  return may ? GC_PROTECTS_POINTER_HEAP : GC_PROTECTS_NONE;
}

// Choose a back end anew, now that another one is allowed.
static void
choose_again(void) {
  if (gc_initialized)
    mode_in_force = gc_mode_set(gc_mode_wanted());
}

void
GC_set_mprotect_vdb_allowed(int on) {
  if (GC_is_incremental_mode() || !on == !GC_get_mprotect_vdb_allowed())
    return;
  gc_tunables.writes = on ? NULL : "userfault";
  choose_again();
}

int
GC_get_mprotect_vdb_allowed(void) {
  return !gc_tunables.writes || strcmp(gc_tunables.writes, "userfault") != 0;
}

// The barrier is on before the collector relies on it, and until it does no longer.
void
GC_set_manual_vdb_allowed(int on) {
  if (GC_is_incremental_mode() || !on == !manual)
    return;
  manual = on != 0;
  if (!gc_initialized)
    return;
  if (manual)
    gc_barrier_enable(true);
  gc_mode_set_manual(manual);
  choose_again();
  if (!manual)
    gc_barrier_enable(false);
}

int
GC_get_manual_vdb_allowed(void) {
  return manual;
}
