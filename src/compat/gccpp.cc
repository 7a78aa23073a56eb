// libgccpp: the ordinary operators new and delete allocate from the collector.  Their objects are searched
// for pointers and not collected, so that what a program's own and the library's containers hold is found.

#include <new>

#include "gc.h"

namespace {

void *
allocate(std::size_t bytes) {
  void *object = GC_malloc_uncollectable(bytes);
  if (!object)
    throw std::bad_alloc();
  return object;
}

} // namespace

void *
operator new(std::size_t bytes) {
  return allocate(bytes);
}

void *
operator new[](std::size_t bytes) {
  return allocate(bytes);
}

void
operator delete(void *object) noexcept {
  GC_free(object);
}

void
operator delete[](void *object) noexcept {
  GC_free(object);
}

void
operator delete(void *object, std::size_t) noexcept {
  GC_free(object);
}

void
operator delete[](void *object, std::size_t) noexcept {
  GC_free(object);
}
