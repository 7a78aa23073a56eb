// Size classes: the table, computed once.
#include "heap/classes.h"

#include "base/check.h"
#include "heap/page.h"

struct gc_class gc_classes[GC_CLASSES];
uint8_t gc_class_lookup[GC_LOOKUP_BYTES_MAX / GC_GRANULE_BYTES + 1];

enum { SPAN_PAGES_MAX = 8, LEAVE_OUT_ONE_OF = 64 };

static size_t
class_bytes(unsigned class) {
  if (class < GC_LINEAR_CLASSES)
    return (class + 1) * GC_GRANULE_BYTES;
  unsigned step = class - GC_LINEAR_CLASSES;
  size_t base = (size_t)256 << (step / GC_CLASSES_PER_DOUBLING);
  return base + base / GC_CLASSES_PER_DOUBLING * (step % GC_CLASSES_PER_DOUBLING + 1);
}

// The fewest pages whose slots of `slot_bytes` leave at most an eighth unused.
static unsigned
span_pages_for(size_t slot_bytes) {
  for (unsigned pages = 1; pages < SPAN_PAGES_MAX; pages++) {
    size_t bytes = pages * GC_PAGE_BYTES;
    if (slot_bytes <= bytes && bytes % slot_bytes <= bytes / 8)
      return pages;
  }
  return SPAN_PAGES_MAX;
}

unsigned
gc_class_of_medium(size_t bytes) {
  unsigned doubling = gc_log2(bytes - 1); // 2^doubling < bytes <= 2^(doubling + 1)
  size_t step = ((size_t)1 << doubling) / GC_CLASSES_PER_DOUBLING;
  size_t above = bytes - ((size_t)1 << doubling);
  return GC_LINEAR_CLASSES + (doubling - 8) * GC_CLASSES_PER_DOUBLING + (unsigned)((above - 1) / step);
}

// A pointer just past an object keeps it (design, section 2), so a pointer to the first slot of a span
// would keep the last slot of the span before it, and all that hangs on it.  Where it costs little the last
// slot is left out.
static size_t
slots_in(size_t span_bytes, size_t slot_bytes) {
  size_t slots = span_bytes / slot_bytes;
  bool to_the_end = slots * slot_bytes == span_bytes;
  return to_the_end && slots >= LEAVE_OUT_ONE_OF ? slots - 1 : slots;
}

void
gc_classes_init(void) {
  for (unsigned class = 0; class < GC_CLASSES; class ++) {
    size_t bytes = class_bytes(class);
    unsigned pages = span_pages_for(bytes);
    size_t granules = bytes / GC_GRANULE_BYTES;
    gc_classes[class] = (struct gc_class){
        .slot_bytes = (uint32_t)bytes,
        .reciprocal = (uint32_t)gc_divide_up((size_t)1 << GC_RECIPROCAL_SHIFT, granules),
        .slots = (uint16_t)slots_in(pages * GC_PAGE_BYTES, bytes),
        .span_pages = (uint16_t)pages,
    };
  }
  unsigned class = 0;
  for (size_t granules = 0; granules <= GC_LOOKUP_BYTES_MAX / GC_GRANULE_BYTES; granules++) {
    while (gc_classes[class].slot_bytes < granules * GC_GRANULE_BYTES)
      class ++;
    gc_class_lookup[granules] = (uint8_t) class;
  }
  GC_ASSERT(gc_classes[GC_CLASSES - 1].slot_bytes == GC_CLASS_BYTES_MAX);
}
