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
  return ref.start ? ref.bytes : 0;
}

int
GC_is_heap_ptr(const void *address) {
  gc_init_ensure();
  return gc_heap_resolve(address).start != NULL;
}

enum { SIZE_MAP_BYTES = 2048 }; // libgc's table ends there

size_t
GC_get_size_map_at(int bytes) {
  gc_init_ensure();
  return bytes >= 0 && bytes <= SIZE_MAP_BYTES ? gc_classes[gc_class_of((size_t)bytes)].slot_bytes : SIZE_MAX;
}
