// Allocation in further forms of the C library's, made from those of malloc.c.
#include <string.h>

#include "gc.h"
#include "heap/heap.h"
#include "os/memory.h"

void *
GC_reallocf(void *object, size_t bytes) {
  void *moved = GC_realloc(object, bytes);
  if (!moved && bytes > 0)
    GC_free(object);
  return moved;
}

// What is no object is left to GC_free to complain of.
void
GC_freezero(void *object, size_t bytes) {
  if (object)
    explicit_bzero(object, gc_min(bytes, GC_size(object)));
  GC_free(object);
}

void *
GC_valloc(size_t bytes) {
  return GC_memalign(gc_os_page_bytes(), bytes);
}

// A size too large to be rounded is too large in any case.
void *
GC_pvalloc(size_t bytes) {
  size_t page_bytes = gc_os_page_bytes();
  return GC_valloc(bytes > SIZE_MAX - page_bytes ? bytes : gc_round_up(bytes, page_bytes));
}

void *
GC_malloc_stubborn(size_t bytes) {
  return GC_malloc(bytes);
}
