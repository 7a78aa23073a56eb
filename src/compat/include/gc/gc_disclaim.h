/* Functions that are asked when an object is about to be reclaimed: finalizers of a simpler and cheaper sort
   than those of gc.h. */

#ifndef GC_DISCLAIM_H
#define GC_DISCLAIM_H

#include "gc.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Called with an object that is about to be reclaimed, with the collector's lock held: it may not call the
   collector.  Other than 0 keeps the object until a later collection; it may not make it reachable. */
typedef int(GC_CALLBACK *GC_disclaim_proc)(void *object);

/* Ask `procedure` about each object of a kind (gc_mark.h) that is about to be reclaimed.  If
   `mark_from_all` is not 0, what such objects refer to is kept until they have been reclaimed, so that the
   procedure may read it; chains of them then take as many collections as they are long.  GC_free does not
   ask. */
GC_API void GC_CALL GC_register_disclaim_proc(int kind, GC_disclaim_proc procedure, int mark_from_all)
    GC_ATTR_NONNULL(2);

/* Prepare for GC_finalized_malloc; before it, any number of times. */
GC_API void GC_CALL GC_init_finalized_malloc(void);

/* What is called for an object, and with what besides the object. */
struct GC_finalizer_closure {
  GC_finalization_proc proc;
  void *cd;
};

/* A new object, all zero, for which `closure->proc(object, closure->cd)` is called when it is reclaimed, with
   the collector's lock held.  What the object refers to is still there then, and so is what `closure` points
   to, an aligned address that the object keeps; the object itself is gone afterwards.  A word before the
   object belongs to it: GC_base gives its address, and GC_size the size with it. */
GC_API void *GC_CALL GC_finalized_malloc(size_t bytes,
                                         const struct GC_finalizer_closure *closure) GC_ATTR_MALLOC
    GC_ATTR_ALLOC_SIZE(1) GC_ATTR_NONNULL(2);

#ifdef __cplusplus
}
#endif

#endif
