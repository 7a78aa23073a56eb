// One workload source, four contenders: every bench is compiled once per contender, chosen on the command
// line.
//
//   -DBENCH_LOAM       this repository's gc.h            link build/libloam.a
//   -DBENCH_LIBGC      Debian's libgc                    link -lgc
//   -DBENCH_MALLOC     glibc calloc/malloc and free
//   -DBENCH_MIMALLOC   mi_calloc/mi_malloc and mi_free   link -lmimalloc
//
// A workload allocates with bench_alloc and bench_alloc_atomic and calls bench_free exactly where a careful
// malloc program would.  Under a collector bench_free is empty; code that exists only to free stands
// behind `if (BENCH_FREES)`, so that the collectors do not pay for it.
//
// This header is the only place where the contenders differ at compile time, apart from the pause recorder in
// harness.c and from ephemerons.c, which is about what only Loam has.
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define GC_THREADS
#define GC_NO_THREAD_REDIRECTS

#if defined(BENCH_LOAM)
#include "../gc.h"
#define BENCH_CONTENDER "loam"
#define BENCH_COLLECTS 1
#elif defined(BENCH_LIBGC)
#include <gc/gc.h> // not <gc.h>: that name would find Loam's own header under -I.
#define BENCH_CONTENDER "libgc"
#define BENCH_COLLECTS 1
#elif defined(BENCH_MALLOC)
#define BENCH_CONTENDER "malloc"
#define BENCH_COLLECTS 0
#elif defined(BENCH_MIMALLOC)
#include <mimalloc.h>
#define BENCH_CONTENDER "mimalloc"
#define BENCH_COLLECTS 0
#else
#error "choose a contender: -DBENCH_LOAM, -DBENCH_LIBGC, -DBENCH_MALLOC or -DBENCH_MIMALLOC"
#endif

#define BENCH_FREES (!BENCH_COLLECTS)

#if BENCH_COLLECTS

static inline void
bench_contender_init(void) {
  GC_INIT();
}

// Zeroed; may hold pointers.
static inline void *
bench_alloc(size_t bytes) {
  return GC_MALLOC(bytes);
}

// Not cleared; never holds pointers.
static inline void *
bench_alloc_atomic(size_t bytes) {
  return GC_MALLOC_ATOMIC(bytes);
}

// For tables of many MiB to whose start the workload keeps a pointer.
static inline void *
bench_alloc_table(size_t bytes) {
  return GC_MALLOC_IGNORE_OFF_PAGE(bytes);
}

// Zeroed, outside the heap, and searched like static data.
static inline void *
bench_alloc_roots(size_t bytes) {
  char *table = calloc(1, bytes);
  if (table)
    GC_add_roots(table, table + bytes);
  return table;
}

static inline void
bench_free(void *object) {
  (void)object;
}

static inline void
bench_collect(void) {
  GC_gcollect();
}

static inline uint64_t
bench_collections(void) {
  return GC_get_gc_no();
}

// What the collector holds of the operating system for objects, in use or not; 0 where there is no such
// figure.
static inline uint64_t
bench_heap_bytes(void) {
  return GC_get_heap_size();
}

// Let `cleanup` be called with the object and `data` when the object has died.
static inline void
bench_register(void *object, void (*cleanup)(void *object, void *data), void *data) {
  GC_register_finalizer(object, cleanup, data, NULL, NULL);
}

static inline int
bench_thread_create(pthread_t *thread, void *(*body)(void *), void *argument) {
  return GC_pthread_create(thread, NULL, body, argument);
}

static inline int
bench_thread_join(pthread_t thread) {
  return GC_pthread_join(thread, NULL);
}

#else

#if defined(BENCH_MIMALLOC)

static inline void *
bench_alloc(size_t bytes) {
  return mi_calloc(1, bytes);
}

static inline void *
bench_alloc_atomic(size_t bytes) {
  return mi_malloc(bytes);
}

static inline void
bench_free(void *object) {
  mi_free(object);
}

#else

static inline void *
bench_alloc(size_t bytes) {
  return calloc(1, bytes);
}

static inline void *
bench_alloc_atomic(size_t bytes) {
  return malloc(bytes);
}

static inline void
bench_free(void *object) {
  free(object);
}

#endif

static inline void
bench_contender_init(void) {
}

static inline void *
bench_alloc_table(size_t bytes) {
  return bench_alloc(bytes);
}

static inline void *
bench_alloc_roots(size_t bytes) {
  return calloc(1, bytes);
}

static inline void
bench_collect(void) {
}

static inline void
bench_register(void *object, void (*cleanup)(void *object, void *data), void *data) {
  (void)object;
  (void)cleanup;
  (void)data;
}

static inline uint64_t
bench_collections(void) {
  return 0;
}

static inline uint64_t
bench_heap_bytes(void) {
  return 0;
}

static inline int
bench_thread_create(pthread_t *thread, void *(*body)(void *), void *argument) {
  return pthread_create(thread, NULL, body, argument);
}

static inline int
bench_thread_join(pthread_t thread) {
  return pthread_join(thread, NULL);
}

#endif
