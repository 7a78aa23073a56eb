// Storage of the collector's locks; their order is in lock.h.
#include "base/lock.h"

struct gc_lock gc_cycle_lock = GC_LOCK_INITIALIZER;
struct gc_lock gc_lock = GC_LOCK_INITIALIZER;

void
gc_lock_reinitialize_forked(struct gc_lock *lock) {
  static const struct gc_lock fresh = GC_LOCK_INITIALIZER;
  *lock = fresh;
}
