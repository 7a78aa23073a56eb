// gc_disclaim.h.
#include "api/init.h"
#include "base/check.h"
#include "base/lock.h"
#include "compat/include/gc/gc_disclaim.h"
#include "compat/kinds.h"
#include "cycle/cycle.h"
#include "heap/heap.h"

// [gc_lock]
static void
ask_about(unsigned kind, gc_disclaim *procedure, bool mark_from_all) {
  gc_kinds[kind].disclaim = procedure;
  gc_kinds[kind].mark_from_all = mark_from_all;
}

void
GC_register_disclaim_proc(int number, GC_disclaim_proc procedure, int mark_from_all) {
  gc_init_ensure();
  unsigned kind = gc_compat_kind("GC_register_disclaim_proc", number, 0);
  gc_lock_acquire(&gc_lock);
  ask_about(kind, procedure, mark_from_all != 0);
  if (kind == GC_KIND_EXACT)
    ask_about(GC_KIND_NORMAL, procedure, mark_from_all != 0);
  gc_lock_release(&gc_lock);
}

// ---- Finalized objects ---------------------------------------------------------------------------------

// The first word holds the closure's address plus 1, until when the object is zero.
enum { IS_CLOSURE = 1 };

static GC_STATE unsigned finalized_kind; // [gc_lock, until made]

static int
finalize(void *object) {
  uintptr_t word = *(uintptr_t *)object;
  if (word & IS_CLOSURE) {
    const struct GC_finalizer_closure *closure = (const void *)(word - IS_CLOSURE);
    closure->proc((uintptr_t *)object + 1, closure->cd);
  }
  return 0;
}

void
GC_init_finalized_malloc(void) {
  gc_init_ensure();
  gc_lock_acquire(&gc_lock);
  if (!finalized_kind) {
    finalized_kind = gc_kind_make(0, true);
    GC_CHECK(finalized_kind, "GC_init_finalized_malloc: there are too many kinds");
    ask_about(finalized_kind, finalize, true);
    gc_heap_register_displacement(sizeof(uintptr_t));
    gc_heap_register_displacement(IS_CLOSURE);
  }
  gc_lock_release(&gc_lock);
}

void *
GC_finalized_malloc(size_t bytes, const struct GC_finalizer_closure *closure) {
  GC_CHECK(finalized_kind, "GC_finalized_malloc: GC_init_finalized_malloc has not been called");
  uintptr_t *object = gc_compat_allocate(bytes, sizeof *object, finalized_kind);
  if (!object)
    return NULL;
  *object = (uintptr_t)closure + IS_CLOSURE;
  GC_end_stubborn_change(object);
  return object + 1;
}
