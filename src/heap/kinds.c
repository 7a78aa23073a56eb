// The tables of kinds and mark procedures.  See kinds.h.
#include "heap/kinds.h"

#include "base/hooks.h"

GC_STATE struct gc_kind_description gc_kinds[GC_KINDS];
GC_STATE gc_mark_procedure *gc_procedures[GC_PROCEDURES_MAX];
GC_STATE gc_mark_stack_empty *gc_on_mark_stack_empty;
static GC_STATE unsigned kinds_made, procedures_made;
static GC_STATE uint64_t own_procedures; // as bits

unsigned
gc_kind_make(uintptr_t descriptor, bool add_size) {
  unsigned kind = GC_KIND_DESCRIBED + kinds_made;
  if (kind >= GC_KINDS)
    return 0;
  kinds_made++;
  gc_kinds[kind] = (struct gc_kind_description){.descriptor = descriptor, .add_size = add_size};
  return kind;
}

bool
gc_kind_exists(unsigned kind) {
  return kind < GC_KIND_DESCRIBED + kinds_made;
}

unsigned
gc_procedure_make(gc_mark_procedure *procedure) {
  unsigned number = GC_PROCEDURES_RESERVED + procedures_made;
  if (number >= GC_PROCEDURES_MAX)
    return 0;
  procedures_made++;
  gc_procedures[number] = procedure;
  return number;
}

unsigned
gc_procedure_make_own(gc_mark_procedure *procedure) {
  unsigned number = gc_procedure_make(procedure);
  own_procedures |= number ? (uint64_t)1 << number : 0;
  return number;
}

static bool
is_own_procedure(uintptr_t descriptor) {
  return gc_descriptor_tag_of(descriptor) == GC_DESCRIPTOR_PROCEDURE && !gc_descriptor_needs_stop(descriptor);
}

bool
gc_kind_describes_at_end(unsigned kind) {
  uintptr_t descriptor = gc_kinds[kind].descriptor;
  bool in_object = gc_descriptor_tag_of(descriptor) == GC_DESCRIPTOR_PER_OBJECT;
  return (in_object && gc_kinds[kind].add_size) || is_own_procedure(descriptor);
}

bool
gc_descriptor_needs_stop(uintptr_t descriptor) {
  return gc_descriptor_tag_of(descriptor) == GC_DESCRIPTOR_PROCEDURE &&
         !(own_procedures >> gc_descriptor_procedure(descriptor) & 1);
}
