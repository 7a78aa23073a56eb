// Questions about addresses.
#include "api/init.h"
#include "base/lock.h"
#include "gc.h"
#include "heap/heap.h"

void *
GC_base(void *address) {
  gc_init_ensure();
  return gc_heap_resolve(address).start;
}

size_t
GC_size(const void *object) {
  gc_init_ensure();
  struct gc_ref ref = gc_heap_resolve(object);
  return ref.start == object && ref.start ? ref.bytes : 0;
}

int
GC_is_heap_ptr(const void *address) {
  gc_init_ensure();
  return gc_heap_resolve(address).start != NULL;
}
