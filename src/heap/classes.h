// Kinds of object and size classes.
//
// Classes are spaced 16 bytes up to 256, then eight per doubling up to 128 KiB, so that at most an eighth
// of a slot is lost. Objects above are large: a run of pages each.
//
//   class      0   1  ...  15   16   17  ...  23   24 ...
//   bytes     16  32  ... 256  288  320  ... 512  576 ...
#pragma once

#include "base/types.h"

// libgc's numbers up to ATOMIC_UNCOLLECTABLE, and ours: EXACT is NORMAL for requests that fill their slot
// (multiples of 16). Only such an object can have a pointer just past its end that is also the next slot's
// start.  Kept apart from those with room to spare, whose neighbour to the right then does not keep them: a
// tree whose root happened to precede a long-lived object would otherwise stay for good.  From DESCRIBED on
// are the kinds that programs make (kinds.h), by libgc's numbers plus 1.
enum gc_kind {
  GC_KIND_ATOMIC,
  GC_KIND_NORMAL,
  GC_KIND_UNCOLLECTABLE,
  GC_KIND_ATOMIC_UNCOLLECTABLE,
  GC_KIND_EXACT,
  GC_KIND_DESCRIBED,
  GC_KINDS = GC_KIND_DESCRIBED + 12
};

static inline bool
gc_kind_is_pointer_free(unsigned kind) {
  return kind == GC_KIND_ATOMIC || kind == GC_KIND_ATOMIC_UNCOLLECTABLE;
}

// As a number, for code without branches: 1 if objects of the kind may contain pointers.
static inline size_t
gc_kind_is_scanned(unsigned kind) {
  return ~(1u << GC_KIND_ATOMIC | 1u << GC_KIND_ATOMIC_UNCOLLECTABLE) >> kind & 1;
}

// Does a descriptor say where its objects have pointers?
static inline bool
gc_kind_is_described(unsigned kind) {
  return kind >= GC_KIND_DESCRIBED;
}

static inline bool
gc_kind_is_uncollectable(unsigned kind) {
  return kind == GC_KIND_UNCOLLECTABLE || kind == GC_KIND_ATOMIC_UNCOLLECTABLE;
}

// The kind for a request of `bytes` bytes that may contain pointers.
static inline unsigned
gc_kind_of_normal(size_t bytes) {
  return bytes % GC_GRANULE_BYTES == 0 ? GC_KIND_EXACT : GC_KIND_NORMAL;
}

// Can a pointer just past an object of this kind be the start of another?
static inline bool
gc_kind_may_end_at_next(unsigned kind) {
  return kind != GC_KIND_NORMAL;
}

enum {
  GC_LINEAR_CLASSES = 16, // spaced 16 bytes, up to 256 bytes
  GC_CLASSES_PER_DOUBLING = 8,
  GC_DOUBLINGS = 9, // 256 bytes to 128 KiB
  GC_CLASSES = GC_LINEAR_CLASSES + GC_DOUBLINGS * GC_CLASSES_PER_DOUBLING
};
#define GC_CLASS_BYTES_MAX (128 * GC_KIB)

// The sizes that the fast path looks up: up to 1 KiB.
#define GC_LOOKUP_BYTES_MAX ((size_t)1024)

struct gc_class {
  uint32_t slot_bytes;
  uint32_t reciprocal; // ceil(2^31 / granules of a slot)
  uint16_t slots;      // in a span
  uint16_t span_pages; // 1 to 8: the fewest that lose at most an eighth
};

extern struct gc_class gc_classes[GC_CLASSES];                              // [written by gc_classes_init]
extern uint8_t gc_class_lookup[GC_LOOKUP_BYTES_MAX / GC_GRANULE_BYTES + 1]; // by granules, rounded up

void gc_classes_init(void);

// The least class whose slots hold `bytes`, for 1 KiB < bytes <= GC_CLASS_BYTES_MAX.
unsigned gc_class_of_medium(size_t bytes);

// The least class whose slots hold `bytes` <= GC_CLASS_BYTES_MAX.
static inline unsigned
gc_class_of(size_t bytes) {
  if (GC_LIKELY(bytes <= GC_LOOKUP_BYTES_MAX))
    return gc_class_lookup[(bytes + GC_GRANULE_BYTES - 1) >> GC_GRANULE_SHIFT];
  return gc_class_of_medium(bytes);
}
