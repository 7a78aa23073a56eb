// gc_mark.h: annotated objects by the number of their kind, and what reports say of kinds.
#include "api/debug.h"
#include "base/lock.h"
#include "compat/include/gc/gc_mark.h"
#include "compat/kinds.h"
#include "debug/annotation.h"

_Static_assert(GC_TYPE_DESCR_LEN == 40, "what debug/description.c has room for");

void *
GC_debug_generic_or_special_malloc(size_t bytes, int kind, const char *file, int line) {
  if (kind >= GC_KIND_ATOMIC && kind <= GC_KIND_ATOMIC_UNCOLLECTABLE)
    return gc_debug_allocate(bytes, (unsigned)kind, file, line);
  void *object = GC_generic_or_special_malloc(gc_annotation_request(bytes), kind);
  return gc_debug_annotate("GC_debug_generic_or_special_malloc", object, bytes, file, line);
}

void
GC_register_describe_type_fn(int number, GC_describe_type_fn function) {
  unsigned kind = gc_compat_kind("GC_register_describe_type_fn", number, 1);
  gc_lock_acquire(&gc_lock);
  gc_kinds[kind].describe = function;
  if (kind == GC_KIND_NORMAL)
    gc_kinds[GC_KIND_EXACT].describe = function;
  gc_lock_release(&gc_lock);
}
