// Words, ranges and hints that every layer uses.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GC_LIKELY(condition) __builtin_expect(!!(condition), 1)
#define GC_UNLIKELY(condition) __builtin_expect(!!(condition), 0)
#define GC_NOINLINE __attribute__((noinline))
#define GC_INLINE static inline __attribute__((always_inline))
// Hides from the compiler what it knows of a value, lest it make branches of what was written without.
#define GC_OPAQUE(variable) __asm__("" : "+r"(variable))
#define GC_PRINTF(string, first) __attribute__((format(printf, string, first)))

// For functions that read memory which is not theirs: stacks, data segments, dead slots.  The sanitizers
// must not watch them.
#define GC_NO_SANITIZE __attribute__((no_sanitize("address", "undefined", "thread")))

// Collector state that must not be searched for pointers lives in one section, so that the root scan can
// leave it out.
#define GC_STATE __attribute__((section("gc_state")))

#define GC_WORD_BYTES sizeof(uintptr_t)
#define GC_GRANULE_SHIFT 4
#define GC_GRANULE_BYTES ((size_t)1 << GC_GRANULE_SHIFT)

#define GC_KIB ((size_t)1024)
#define GC_MIB (GC_KIB * 1024)
#define GC_GIB (GC_MIB * 1024)

// A half-open range of addresses [base, limit).
struct gc_range {
  const char *base;
  const char *limit;
};

static inline size_t
gc_range_bytes(struct gc_range range) {
  return (size_t)(range.limit - range.base);
}

// a if `condition` is 1, b if it is 0.
static inline uintptr_t
gc_select(size_t condition, uintptr_t a, uintptr_t b) {
  return (a & (0 - condition)) | (b & (condition - 1));
}

static inline size_t
gc_min(size_t a, size_t b) {
  return a < b ? a : b;
}

static inline size_t
gc_max(size_t a, size_t b) {
  return a > b ? a : b;
}

// `alignment` is a power of two.
static inline size_t
gc_round_up(size_t value, size_t alignment) {
  return (value + alignment - 1) & ~(alignment - 1);
}

static inline size_t
gc_round_down(size_t value, size_t alignment) {
  return value & ~(alignment - 1);
}

static inline bool
gc_is_power_of_two(size_t value) {
  return value != 0 && (value & (value - 1)) == 0;
}

static inline size_t
gc_divide_up(size_t value, size_t divisor) {
  return (value + divisor - 1) / divisor;
}

// floor(log2(value)) for value > 0.
static inline unsigned
gc_log2(size_t value) {
  return (unsigned)(8 * sizeof(value) - 1) - (unsigned)__builtin_clzl(value);
}
