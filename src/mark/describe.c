// Descriptors, followed.  See describe.h.
#include "mark/describe.h"

#define TAGS (((uintptr_t)1 << GC_DESCRIPTOR_TAG_BITS) - 1)

// ---- Which one it is -----------------------------------------------------------------------------------

// Where a PER_OBJECT descriptor points to; NULL if the object has no type yet.
GC_NO_SANITIZE static const uintptr_t *
place_of(const char *object, uintptr_t descriptor) {
  descriptor &= ~TAGS;
  if ((intptr_t)descriptor >= 0)
    return (const uintptr_t *)(const void *)(object + descriptor);
  const char *type = *(const char *const *)(const void *)object;
  return type ? (const uintptr_t *)(const void *)(type - descriptor - GC_INDIRECTION_BIAS) : NULL;
}

// One that leads to another, and so on, is followed a few times.
GC_NO_SANITIZE uintptr_t
gc_describe_object(const char *object, size_t bytes, unsigned kind) {
  enum { STEPS_MAX = 4 };
  uintptr_t descriptor = gc_kinds[kind].descriptor + (gc_kinds[kind].add_size ? bytes : 0);
  for (unsigned steps = 0; gc_descriptor_tag_of(descriptor) == GC_DESCRIPTOR_PER_OBJECT; steps++) {
    const uintptr_t *place = place_of(object, descriptor);
    if (!place || steps == STEPS_MAX)
      return 0;
    descriptor = *(const volatile uintptr_t *)place;
  }
  return descriptor;
}

// ---- What it says --------------------------------------------------------------------------------------

GC_NO_SANITIZE static void
visit_range(struct gc_visitor *visitor, const char *base, size_t bytes) {
  struct gc_range range = {base, base + gc_round_down(bytes, GC_WORD_BYTES)};
  if (visitor->range) {
    visitor->range(visitor, range);
    return;
  }
  for (const char *at = range.base; at < range.limit; at += GC_WORD_BYTES)
    visitor->word(visitor, *(const volatile uintptr_t *)(const void *)at, at);
}

GC_NO_SANITIZE static void
visit_bits(struct gc_visitor *visitor, const char *object, size_t bytes, uintptr_t bits) {
  for (; bits; bits &= ~((uintptr_t)1 << 63 >> __builtin_clzl(bits))) {
    size_t offset = (size_t)__builtin_clzl(bits) * GC_WORD_BYTES;
    if (offset < bytes)
      visitor->word(visitor, *(const volatile uintptr_t *)(const void *)(object + offset), object + offset);
  }
}

static void
call_procedure(struct gc_visitor *visitor, const char *object, uintptr_t descriptor) {
  gc_mark_procedure *procedure = gc_procedures[gc_descriptor_procedure(descriptor)];
  if (procedure)
    procedure((uintptr_t *)(uintptr_t)object, (struct GC_ms_entry *)(void *)&visitor->entries[0],
              (struct GC_ms_entry *)(void *)&visitor->entries[1],
              descriptor >> (GC_DESCRIPTOR_TAG_BITS + GC_PROCEDURE_BITS));
}

void
gc_describe(struct gc_visitor *visitor, const char *object, size_t bytes, uintptr_t descriptor) {
  visitor->object = object;
  switch (gc_descriptor_tag_of(descriptor)) {
  case GC_DESCRIPTOR_LENGTH:
    visit_range(visitor, object, gc_min(descriptor, bytes));
    break;
  case GC_DESCRIPTOR_BITMAP:
    visit_bits(visitor, object, bytes, descriptor & ~TAGS);
    break;
  case GC_DESCRIPTOR_PROCEDURE:
    call_procedure(visitor, object, descriptor);
    break;
  case GC_DESCRIPTOR_PER_OBJECT:
    break; // followed in vain
  }
}

static struct gc_visitor *
visitor_of(struct GC_ms_entry *limit) {
  return (struct gc_visitor *)(void *)((char *)limit - offsetof(struct gc_visitor, entries[1]));
}

void
gc_describe_found(struct GC_ms_entry *limit, uintptr_t word) {
  struct gc_visitor *visitor = visitor_of(limit);
  visitor->word(visitor, word, visitor->object);
}

void
gc_describe_part(struct GC_ms_entry *limit, const char *part, size_t bytes, uintptr_t descriptor) {
  gc_describe(visitor_of(limit), part, bytes, descriptor);
}
