// The collector's locks.  There are three, taken in this order and released in any:
//
//   gc_cycle_lock    one collection at a time.  Held by the collecting thread from the decision to the end.
//   the loader's     glibc's, held by dl_iterate_phdr, in whose callback the world is stopped.
//   gc_lock          page lists, thread list, roots.  Held by the collecting thread while the world is
//                    stopped, so that no stopped thread holds it.
//
// Below these is the team's own (mark/team.c), of markers and of guests, who are threads of the program: they
// take no other under it and are not stopped while they hold it.
//
// No program code runs under gc_lock, save the hooks that gc.h names.
#pragma once

#include <pthread.h>

#include "base/check.h"

struct gc_lock {
  pthread_mutex_t mutex;
};

#define GC_LOCK_INITIALIZER \
  { PTHREAD_MUTEX_INITIALIZER }

extern struct gc_lock gc_cycle_lock;
extern struct gc_lock gc_lock;

static inline void
gc_lock_acquire(struct gc_lock *lock) {
  int error = pthread_mutex_lock(&lock->mutex);
  GC_CHECK(error == 0, "a lock is broken (error %d)", error);
}

static inline void
gc_lock_release(struct gc_lock *lock) {
  pthread_mutex_unlock(&lock->mutex);
}

// In a forked child, whose one thread held the lock when it forked.
void gc_lock_reinitialize_forked(struct gc_lock *lock);
