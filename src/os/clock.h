// The monotonic clock, and the calling thread's own.
#pragma once

#include <time.h>

#include "base/types.h"

static inline uint64_t
gc_os_clock_ns(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

static inline uint64_t
gc_os_now_ns(void) {
  return gc_os_clock_ns(CLOCK_MONOTONIC);
}

// What the calling thread has used of a processor: no time that others took from it.
static inline uint64_t
gc_os_thread_ns(void) {
  return gc_os_clock_ns(CLOCK_THREAD_CPUTIME_ID);
}
