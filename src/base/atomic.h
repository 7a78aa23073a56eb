// The atomics, over libatomic_ops.  An atomic word is a struct, so that it cannot be read or written by
// accident. Name the partner of each acquire and release where it is used.
#pragma once

#include <atomic_ops.h>

#include "base/types.h"

struct gc_atomic {
  volatile AO_t value;
};

static inline size_t
gc_atomic_load_relaxed(const struct gc_atomic *word) {
  return AO_load(&word->value);
}

static inline size_t
gc_atomic_load_acquire(const struct gc_atomic *word) {
  return AO_load_acquire_read(&word->value);
}

static inline void
gc_atomic_store_relaxed(struct gc_atomic *word, size_t value) {
  AO_store(&word->value, value);
}

static inline void
gc_atomic_store_release(struct gc_atomic *word, size_t value) {
  AO_store_release(&word->value, value);
}

// Sequentially consistent read-modify-writes; each returns the value before.
static inline size_t
gc_atomic_add(struct gc_atomic *word, size_t value) {
  return AO_fetch_and_add_full(&word->value, value);
}

static inline size_t
gc_atomic_sub(struct gc_atomic *word, size_t value) {
  return AO_fetch_and_add_full(&word->value, (AO_t)0 - value);
}

static inline void
gc_atomic_or(struct gc_atomic *word, size_t bits) {
  AO_or_full(&word->value, bits);
}

static inline void
gc_atomic_and(struct gc_atomic *word, size_t bits) {
  AO_and_full(&word->value, bits);
}

static inline bool
gc_atomic_compare_and_swap(struct gc_atomic *word, size_t expected, size_t desired) {
  return AO_compare_and_swap_full(&word->value, expected, desired);
}

static inline void
gc_atomic_fence(void) {
  AO_nop_full();
}

// What is read before it is read before all that is read after it.
static inline void
gc_atomic_fence_reads(void) {
  AO_nop_read();
}

// Tell the CPU that this is a spin loop.
static inline void
gc_cpu_relax(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("isb" ::: "memory");
#endif
}
