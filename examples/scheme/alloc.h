// The one place that knows which allocator the interpreter stands on, chosen by -DSCHEME_ALLOC_LOAM, _LIBGC
// or _MALLOC.
//
// Every object comes from alloc_scanned (cleared; may hold pointers) or alloc_pointer_free (never scanned,
// not cleared by the collectors).  Nothing outside this header and pauses.c may tell the allocators apart.
#ifndef SCHEME_ALLOC_H
#define SCHEME_ALLOC_H

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

static inline void *
alloc_checked(void *memory) {
  if (memory == NULL) {
    fputs("scheme: out of memory\n", stderr);
    exit(1);
  }
  return memory;
}

#if defined(SCHEME_ALLOC_LOAM) || defined(SCHEME_ALLOC_LIBGC)

#if defined(SCHEME_ALLOC_LOAM)
#include "gc.h"
#define ALLOC_NAME "loam"
#else
#include <gc/gc.h> // by its full name, so that a gc.h on the include path cannot take its place
#define ALLOC_NAME "libgc"
#endif

static inline void
alloc_start(void) {
  GC_INIT();
}

static inline void *
alloc_scanned(size_t bytes) {
  return alloc_checked(GC_malloc(bytes));
}

static inline void *
alloc_pointer_free(size_t bytes) {
  return alloc_checked(GC_malloc_atomic(bytes));
}

static inline void *
alloc_resize(void *memory, size_t bytes) {
  return alloc_checked(GC_realloc(memory, bytes));
}

static inline void
alloc_release(void *memory) {
  GC_free(memory);
}

static inline void
alloc_collect(void) {
  GC_gcollect();
}

static inline size_t
alloc_collections(void) {
  return GC_get_gc_no();
}

static inline size_t
alloc_heap_bytes(void) {
  return GC_get_heap_size();
}

#elif defined(SCHEME_ALLOC_MALLOC)

#define ALLOC_NAME "malloc"

static inline void
alloc_start(void) {
}

static inline void *
alloc_scanned(size_t bytes) {
  return alloc_checked(calloc(1, bytes));
}

static inline void *
alloc_pointer_free(size_t bytes) {
  return alloc_checked(calloc(1, bytes));
}

static inline void *
alloc_resize(void *memory, size_t bytes) {
  return alloc_checked(realloc(memory, bytes));
}

static inline void
alloc_release(void *memory) {
  (void)memory; // this build measures what never freeing costs
}

static inline void
alloc_collect(void) {
}

static inline size_t
alloc_collections(void) {
  return 0;
}

static inline size_t
alloc_heap_bytes(void) {
  return 0;
}

static inline void
alloc_on_unreachable(void *object, void (*finish)(void *object, void *unused)) {
  (void)object;
  (void)finish;
}

#else
#error "choose an allocator: -DSCHEME_ALLOC_LOAM, -DSCHEME_ALLOC_LIBGC or -DSCHEME_ALLOC_MALLOC"
#endif

#endif
