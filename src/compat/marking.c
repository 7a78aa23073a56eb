// gc_mark.h: marks, and roots that programs push.
#include "api/init.h"
#include "base/check.h"
#include "compat/include/gc/gc_mark.h"
#include "heap/heap.h"
#include "os/writes.h"
#include "world/roots.h"

// ---- Marks ---------------------------------------------------------------------------------------------

static struct gc_ref
require_object(const char *caller, const void *object) {
  struct gc_ref ref = gc_heap_resolve(object);
  GC_CHECK(ref.start, "%s: %p is not an object of the heap", caller, object);
  return ref;
}

int
GC_is_marked(const void *object) {
  return *require_object("GC_is_marked", object).byte == gc_heap.mark;
}

// What the object refers to may be white: it counts as written.
void
GC_set_mark_bit(const void *object) {
  struct gc_ref ref = require_object("GC_set_mark_bit", object);
  *ref.byte = gc_heap.mark;
  if (!gc_written)
    return;
  size_t first = (size_t)(ref.start - gc_heap.base) >> GC_WRITES_SHIFT;
  size_t last = (size_t)(ref.start + ref.bytes - 1 - gc_heap.base) >> GC_WRITES_SHIFT;
  for (size_t part = first; part <= last; part++)
    __atomic_store_n(&gc_written[part], 1, __ATOMIC_RELEASE);
}

// The next cycle, minor ones too, then looks at it.
void
GC_clear_mark_bit(const void *object) {
  struct gc_ref ref = require_object("GC_clear_mark_bit", object);
  *ref.byte = GC_SLOT_NEW;
  gc_page_set_add(gc_heap.young, ref.page);
}

static void
visit_span(uint32_t page, GC_reachable_object_proc visit, void *data) {
  const struct gc_page *first = &gc_heap.pages[page];
  const struct gc_page_info *info = &gc_heap.infos[page];
  const uint8_t *bytes = gc_heap_slot_bytes(first->line);
  size_t slot_bytes = first->slot_granules ? first->slot_granules * GC_GRANULE_BYTES : info->object_bytes;
  for (size_t slot = 0; slot < info->slots; slot++)
    if (bytes[slot] == gc_heap.mark)
      visit(gc_heap_page_address(page) + slot * slot_bytes, slot_bytes, data);
}

void
GC_enumerate_reachable_objects_inner(GC_reachable_object_proc visit, void *data) {
  for (size_t page = gc_page_set_next(gc_heap.used, 1, gc_heap.frontier); page < gc_heap.frontier;
       page = gc_page_set_next(gc_heap.used, page + 1, gc_heap.frontier))
    visit_span((uint32_t)page, visit, data);
}

// ---- Roots ---------------------------------------------------------------------------------------------

void
GC_set_push_other_roots(GC_push_other_roots_proc procedure) {
  GC_push_other_roots = procedure;
}

GC_push_other_roots_proc
GC_get_push_other_roots(void) {
  return GC_push_other_roots;
}

void
GC_push_all(void *bottom, void *top) {
  gc_roots_push((struct gc_range){bottom, top});
}

void
GC_push_all_eager(void *bottom, void *top) {
  gc_roots_push((struct gc_range){bottom, top});
}

// Nobody knows what was written outside the heap.
void
GC_push_conditional(void *bottom, void *top, int all) {
  (void)all;
  gc_roots_push((struct gc_range){bottom, top});
}

// They are roots anyway.
void
GC_push_finalizer_structures(void) {
}
