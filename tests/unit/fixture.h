// What the tests of the heap and the marker share: a heap of its own for each test, with neither threads nor
// collections, and random numbers that can be replayed with LOAM_TEST_SEED.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/hooks.h"
#include "heap/heap.h"
#include "heap/sweep.h"
#include "mark/team.h"
#include "os/memory.h"

// ---- Random numbers (xorshift64*, Vigna 2016) ----------------------------------------------------------

static uint64_t random_state;

static inline uint64_t
random_next(void) {
  random_state ^= random_state >> 12;
  random_state ^= random_state << 25;
  random_state ^= random_state >> 27;
  return random_state * UINT64_C(0x2545F4914F6CDD1D);
}

// 0 <= result < limit.
static inline size_t
random_below(size_t limit) {
  return (size_t)(random_next() >> 11) % limit;
}

// Print the seed, so that a failure can be replayed.
static inline void
random_begin(const char *test) {
  const char *given = getenv("LOAM_TEST_SEED");
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  uint64_t seed =
      given ? strtoull(given, NULL, 0) : (uint64_t)now.tv_nsec * 2654435761u + (uint64_t)now.tv_sec;
  random_state = seed | 1;
  printf("# %s: LOAM_TEST_SEED=%#lx\n", test, (unsigned long)random_state);
}

// ---- A heap --------------------------------------------------------------------------------------------

static struct gc_cache fixture_cache;

// Reserve afresh; what an earlier heap held is gone.
static inline void
fixture_heap(size_t reserve_bytes) {
  gc_tunables_init_defaults(&gc_tunables);
  if (gc_heap.base)
    gc_os_unreserve(gc_heap.base, gc_heap.reserved_pages << GC_PAGE_SHIFT);
  memset(&gc_heap, 0, sizeof gc_heap);
  memset(&fixture_cache, 0, sizeof fixture_cache);
  assert_true(gc_heap_init(reserve_bytes, GC_GIB));
  assert_true(gc_team_own_marker() || gc_team_init());
}

// The next slot of the run at hand, where the fast path would take it.
static inline char *
fixture_bump(size_t bytes, unsigned kind) {
  return bytes <= GC_LOOKUP_BYTES_MAX ? gc_cache_bump(&fixture_cache, gc_cache_run_of(bytes, kind)) : NULL;
}

// An object as the library allocates it: the fast path, what the cache owns, another page.  NULL: no memory.
static inline char *
fixture_allocate(size_t bytes, unsigned kind) {
  bool clean;
  if (bytes > GC_CLASS_BYTES_MAX) {
    struct gc_ref ref = gc_large_allocate(bytes, GC_PAGE_BYTES, kind, &clean);
    if (ref.start && !clean)
      memset(ref.start, 0, ref.bytes);
    return ref.start;
  }
  unsigned class = gc_class_of(bytes);
  char *slot = fixture_bump(bytes, kind);
  while (!slot && !(slot = gc_cache_next(&fixture_cache, kind, class)))
    if (!gc_cache_take_page(&fixture_cache, kind, class))
      return NULL;
  return slot;
}

// The byte of the slot at an address.
static inline uint8_t *
fixture_byte(const void *address) {
  return gc_heap_slot_at(address).byte;
}

// As after full marking: all of the sweep at once.
static inline void
fixture_sweep(size_t shielded_bytes) {
  gc_sweep_begin_stw(true, shielded_bytes);
  gc_cache_sweep_owned_stw(&fixture_cache);
  while (gc_sweep_some(1))
    ;
}

// As at a cycle's start: the other mark becomes the current one.
static inline void
fixture_flip(void) {
  gc_heap.mark = gc_heap.mark == GC_SLOT_MARK_A ? GC_SLOT_MARK_B : GC_SLOT_MARK_A;
}
