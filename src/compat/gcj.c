// gc_gcj.h.
#include "api/debug.h"
#include "api/init.h"
#include "base/check.h"
#include "base/hooks.h"
#include "base/lock.h"
#include "compat/include/gc/gc_gcj.h"
#include "compat/include/gc/gc_mark.h"
#include "compat/kinds.h"
#include "cycle/cycle.h"
#include "debug/annotation.h"

// The descriptor is in what the first word points to.
#define DESCRIPTOR_IN_TYPE \
  ((uintptr_t) - ((intptr_t)sizeof(GC_word) + GC_INDIRECTION_BIAS) | GC_DESCRIPTOR_PER_OBJECT)

int GC_gcj_kind, GC_gcj_debug_kind;

static GC_STATE unsigned kind, debug_kind; // [gc_lock, until made]

static void
make_kinds(unsigned index, gc_mark_procedure *procedure) {
  bool ignore = gc_tunables.ignore_gcj_info;
  GC_CHECK(index < GC_PROCEDURES_RESERVED, "GC_init_gcj_malloc: %u is no reserved index", index);
  gc_procedures[index] = procedure;
  kind = gc_kind_make(ignore ? 0 : DESCRIPTOR_IN_TYPE, ignore);
  debug_kind = gc_kind_make(ignore ? 0 : GC_MAKE_PROC(index, 1), ignore);
  GC_CHECK(kind && debug_kind, "GC_init_gcj_malloc: there are too many kinds");
  GC_gcj_kind = gc_compat_number(kind);
  GC_gcj_debug_kind = gc_compat_number(debug_kind);
}

void
GC_init_gcj_malloc_mp(unsigned index, GC_mark_proc procedure, size_t descriptor_offset) {
  GC_CHECK(descriptor_offset == GC_GCJ_MARK_DESCR_OFFSET,
           "GC_init_gcj_malloc: descriptors are at offset %zu of a type", GC_GCJ_MARK_DESCR_OFFSET);
  gc_init_ensure();
  gc_lock_acquire(&gc_lock);
  if (!kind)
    make_kinds(index, procedure);
  gc_lock_release(&gc_lock);
}

void
GC_init_gcj_malloc(int index, void *procedure) {
  GC_init_gcj_malloc_mp((unsigned)index, (GC_mark_proc)(uintptr_t)procedure, GC_GCJ_MARK_DESCR_OFFSET);
}

void *
GC_gcj_malloc(size_t bytes, void *type) {
  GC_CHECK(kind, "GC_gcj_malloc: GC_init_gcj_malloc has not been called");
  void **object = gc_compat_allocate(bytes, 0, kind);
  if (object) {
    *object = type;
    GC_end_stubborn_change(object);
  }
  return object;
}

void *
GC_gcj_malloc_ignore_off_page(size_t bytes, void *type) {
  return GC_gcj_malloc(bytes, type);
}

// The type is in the first word that the program sees; the mark procedure finds it there (environment 1).
void *
GC_debug_gcj_malloc(size_t bytes, void *type, const char *file, int line) {
  GC_CHECK(kind, "GC_debug_gcj_malloc: GC_init_gcj_malloc has not been called");
  bytes = gc_max(bytes, sizeof type);
  void **object = gc_compat_allocate(gc_annotation_request(bytes), 0, debug_kind);
  object = gc_debug_annotate("GC_debug_gcj_malloc", object, bytes, file, line);
  if (object) {
    *object = type;
    GC_end_stubborn_change(object);
  }
  return object;
}
