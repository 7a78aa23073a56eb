// gc_typed.h.
//
// A layout of at most 62 words is a descriptor by itself; a longer one is a mark procedure's, which finds the
// bits by the descriptor's environment.  An object with a layout has its descriptor in its last word; an
// array has three words there: elements, their size, their descriptor.  All of these procedures read what
// does not change, so they may run while the program does.
#include <string.h>

#include "api/init.h"
#include "base/atomic.h"
#include "base/check.h"
#include "base/lock.h"
#include "compat/include/gc/gc_typed.h"
#include "compat/kinds.h"
#include "cycle/cycle.h"
#include "heap/heap.h"
#include "mark/describe.h"
#include "os/memory.h"

#define DESCRIPTOR_AT_END ((uintptr_t)-GC_WORD_BYTES | GC_DESCRIPTOR_PER_OBJECT)

// [gc_lock, until made]
static GC_STATE struct {
  unsigned object_kind, array_kind; // 0: not made yet
  unsigned layout_procedure, array_procedure;
  struct gc_atomic made; // all of these: then no lock is needed to read them
} typed;

// ---- Long layouts --------------------------------------------------------------------------------------

struct layout {
  size_t words;
  uintptr_t *bits;
};

// What markers read: a table that has grown is another one, and the old one stays.
static GC_STATE struct layout *volatile layouts;
static GC_STATE size_t layout_count, layout_capacity; // [gc_lock]

static bool
make_room_for_layout(void) {
  if (layout_count < layout_capacity)
    return true;
  size_t capacity = gc_max(64, 2 * layout_capacity);
  struct layout *larger = gc_os_map(capacity * sizeof *larger);
  if (!larger)
    return false;
  if (layout_count > 0)
    memcpy(larger, layouts, layout_count * sizeof *larger);
  layouts = larger;
  layout_capacity = capacity;
  return true;
}

static bool
has_bit(const uintptr_t *bits, size_t word) {
  return bits[word / 64] >> word % 64 & 1;
}

static struct GC_ms_entry *
mark_layout(uintptr_t *object, struct GC_ms_entry *entry, struct GC_ms_entry *limit, uintptr_t number) {
  const struct layout *layout = &layouts[number];
  for (size_t word = 0; word < layout->words; word++)
    if (has_bit(layout->bits, word))
      gc_describe_found(limit, *(volatile uintptr_t *)&object[word]);
  return entry;
}

// ---- Arrays --------------------------------------------------------------------------------------------

struct array_end {
  uintptr_t count, bytes, descriptor;
};

static struct GC_ms_entry *
mark_array(uintptr_t *object, struct GC_ms_entry *entry, struct GC_ms_entry *limit, uintptr_t unused) {
  struct gc_ref ref = gc_heap_slot_at(object);
  struct array_end end;
  (void)unused;
  memcpy(&end, ref.start + ref.bytes - sizeof end, sizeof end);
  if (end.bytes == 0 || end.count > ref.bytes / end.bytes)
    return entry; // not filled yet
  for (size_t i = 0; i < end.count; i++)
    gc_describe_part(limit, ref.start + i * end.bytes, end.bytes, end.descriptor);
  return entry;
}

// ---- Making them ---------------------------------------------------------------------------------------

static void
make_kinds(void) {
  if (GC_LIKELY(gc_atomic_load_acquire(&typed.made)))
    return;
  gc_init_ensure();
  gc_lock_acquire(&gc_lock);
  if (!typed.object_kind) {
    typed.layout_procedure = gc_procedure_make_own(mark_layout);
    typed.array_procedure = gc_procedure_make_own(mark_array);
    typed.object_kind = gc_kind_make(DESCRIPTOR_AT_END, true);
    typed.array_kind = gc_kind_make(
        (uintptr_t)typed.array_procedure << GC_DESCRIPTOR_TAG_BITS | GC_DESCRIPTOR_PROCEDURE, false);
  }
  bool made = typed.layout_procedure && typed.array_procedure && typed.object_kind && typed.array_kind;
  gc_lock_release(&gc_lock);
  GC_CHECK(made, "typed allocation: there are too many kinds or mark procedures");
  gc_atomic_store_release(&typed.made, 1);
}

// One past the last set bit, and the first that is not set.
static size_t
words_in_use(const GC_word *bitmap, size_t bits) {
  while (bits > 0 && !has_bit(bitmap, bits - 1))
    bits--;
  return bits;
}

static size_t
words_at_start(const GC_word *bitmap, size_t bits) {
  size_t words = 0;
  while (words < bits && has_bit(bitmap, words))
    words++;
  return words;
}

// Without memory for the layout any word may be a pointer.
static GC_descr
describe_long(const GC_word *bitmap, size_t words) {
  GC_descr descriptor = words * GC_WORD_BYTES;
  size_t bytes = gc_divide_up(words, 64) * sizeof(uintptr_t);
  uintptr_t *bits = GC_malloc_atomic_uncollectable(bytes);
  if (!bits)
    return descriptor;
  memcpy(bits, bitmap, bytes);
  gc_lock_acquire(&gc_lock);
  if (make_room_for_layout()) {
    layouts[layout_count] = (struct layout){words, bits};
    descriptor = ((uintptr_t)layout_count++ << GC_PROCEDURE_BITS | typed.layout_procedure)
                     << GC_DESCRIPTOR_TAG_BITS |
                 GC_DESCRIPTOR_PROCEDURE;
  }
  gc_lock_release(&gc_lock);
  return descriptor;
}

GC_descr
GC_make_descriptor(const GC_word *bitmap, size_t bits) {
  GC_descr descriptor = GC_DESCRIPTOR_BITMAP;
  make_kinds();
  bits = words_in_use(bitmap, bits);
  if (words_at_start(bitmap, bits) == bits)
    return bits * GC_WORD_BYTES;
  if (bits > GC_BITMAP_BITS)
    return describe_long(bitmap, bits);
  for (size_t word = 0; word < bits; word++)
    if (has_bit(bitmap, word))
      descriptor |= (uintptr_t)1 << 63 >> word;
  return descriptor;
}

// ---- Allocation ----------------------------------------------------------------------------------------

void *
GC_malloc_explicitly_typed(size_t bytes, GC_descr descriptor) {
  make_kinds();
  char *object = gc_compat_allocate(bytes, sizeof descriptor, typed.object_kind);
  if (!object)
    return NULL;
  memcpy(object + gc_heap_slot_at(object).bytes - sizeof descriptor, &descriptor, sizeof descriptor);
  GC_end_stubborn_change(object);
  return object;
}

void *
GC_malloc_explicitly_typed_ignore_off_page(size_t bytes, GC_descr descriptor) {
  return GC_malloc_explicitly_typed(bytes, descriptor);
}

static void *
allocate_array(size_t bytes, struct array_end end) {
  char *object = gc_compat_allocate(bytes, sizeof end, typed.array_kind);
  if (object) {
    memcpy(object + gc_heap_slot_at(object).bytes - sizeof end, &end, sizeof end);
    GC_end_stubborn_change(object);
  }
  return object;
}

// Elements that are pointers throughout, or have none, need no array's end.
void *
GC_calloc_explicitly_typed(size_t count, size_t bytes, GC_descr descriptor) {
  size_t total;
  make_kinds();
  if (__builtin_mul_overflow(count, bytes, &total))
    total = SIZE_MAX; // too much
  if (gc_descriptor_tag_of(descriptor) == GC_DESCRIPTOR_LENGTH && (descriptor == 0 || descriptor >= bytes))
    return GC_malloc_explicitly_typed(total, descriptor == 0 ? 0 : gc_round_down(total, GC_WORD_BYTES));
  return allocate_array(total, (struct array_end){count, bytes, descriptor});
}

struct prepared {
  size_t count, bytes;
  GC_descr descriptor;
};
_Static_assert(sizeof(struct prepared) <= sizeof(struct GC_calloc_typed_descr_s), "it is kept there");

int
GC_calloc_prepare_explicitly_typed(struct GC_calloc_typed_descr_s *array, size_t array_bytes, size_t count,
                                   size_t bytes, GC_descr descriptor) {
  size_t total;
  struct prepared prepared = {count, bytes, descriptor};
  make_kinds();
  GC_CHECK(array_bytes >= sizeof *array, "GC_calloc_prepare_explicitly_typed: no room to prepare in");
  memcpy(array, &prepared, sizeof prepared);
  return !__builtin_mul_overflow(count, bytes, &total) && total <= PTRDIFF_MAX - sizeof(struct array_end);
}

void *
GC_calloc_do_explicitly_typed(const struct GC_calloc_typed_descr_s *array, size_t array_bytes) {
  struct prepared prepared;
  GC_CHECK(array_bytes >= sizeof *array, "GC_calloc_do_explicitly_typed: not what was prepared");
  memcpy(&prepared, array, sizeof prepared);
  return GC_calloc_explicitly_typed(prepared.count, prepared.bytes, prepared.descriptor);
}
