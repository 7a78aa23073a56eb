// Sleeping on a word, and waking those who sleep on it.
//
// The kernel compares 32 bits: the low half of an atomic word, which comes first on the machines that Loam
// runs on.  All of it is async-signal-safe; errno is not preserved.
#pragma once

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/atomic.h"
#include "base/types.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the low half of a word must come first");

#define GC_FUTEX_FOREVER ((int64_t)-1)

// Sleep while the low half of `word` is `seen`, for `timeout_ns` at most.  May return early for no reason.
static inline void
gc_futex_wait(struct gc_atomic *word, size_t seen, int64_t timeout_ns) {
  struct timespec timeout = {timeout_ns / 1000000000, timeout_ns % 1000000000};
  syscall(SYS_futex, &word->value, FUTEX_WAIT_PRIVATE, (uint32_t)seen,
          timeout_ns == GC_FUTEX_FOREVER ? NULL : &timeout, NULL, 0);
}

// Look at `word` for about `rounds` times 100 ns before giving up.  Returns whether it has changed from
// `seen`.  A sleep and its wake-up cost some 50 us on a virtual machine; what is usually over in less is
// worth waiting for, if there is a CPU to spare.
static inline bool
gc_spin_while(const struct gc_atomic *word, size_t seen, unsigned rounds) {
  for (unsigned round = 0; round < rounds; round++) {
    if (gc_atomic_load_acquire(word) != seen)
      return true;
    for (unsigned i = 0; i < 8; i++)
      gc_cpu_relax();
  }
  return false;
}

static inline void
gc_futex_wake_one(struct gc_atomic *word) {
  syscall(SYS_futex, &word->value, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static inline void
gc_futex_wake_all(struct gc_atomic *word) {
  syscall(SYS_futex, &word->value, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0);
}
