// The monotonic clock.
#pragma once

#include <time.h>

#include "base/types.h"

static inline uint64_t
gc_os_now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}
