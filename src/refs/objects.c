// Objects at the end of marking.  See objects.h.
#include "refs/objects.h"

#include "heap/heap.h"
#include "os/writes.h"

static enum gc_ref_state
state_of_byte(const struct gc_marker *marker, uint8_t byte) {
  if (marker->view.white >> byte & 1)
    return GC_REF_DEAD;
  return gc_slot_is_object(byte) ? GC_REF_ALIVE : GC_REF_GONE;
}

enum gc_ref_state
gc_ref_state_of(const struct gc_marker *marker, uintptr_t address) {
  const void *object = (const void *)address;
  return gc_ref_is_object_at(object) ? state_of_byte(marker, *gc_heap_byte_at(object)) : GC_REF_GONE;
}

static bool
is_in_heap(const void *address) {
  return address >= (void *)gc_heap.base && gc_heap_page_of(address) < gc_heap.frontier;
}

enum gc_ref_state
gc_ref_state_around(const struct gc_marker *marker, uintptr_t word) {
  const void *address = (const void *)word;
  return is_in_heap(address) ? state_of_byte(marker, *gc_heap_byte_at(address)) : GC_REF_ALIVE;
}

static void
make_writable(const void *address) {
  size_t page = gc_heap_page_of(address);
  if (gc_writes_kind() == GC_WRITES_PROTECT && gc_page_set_has(gc_heap.armed, page))
    gc_span_open((uint32_t)(page - gc_heap.pages[page].span_offset));
}

void
gc_ref_store(uintptr_t *word, uintptr_t value) {
  if (!is_in_heap(word)) {
    *word = value;
    return;
  }
  make_writable(word);
  *word = value;
  if (gc_written)
    gc_written[(size_t)((char *)word - gc_heap.base) >> GC_WRITES_SHIFT] = 1;
}
