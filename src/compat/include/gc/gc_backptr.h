/* What refers to an object, for finding out why it is not reclaimed.  libgc has these functions only if it
   was built for them; Loam has them always.  They keep nothing in objects: each search stops the world and
   takes as long as a collection by a single, slow marker. */

#ifndef GC_BACKPTR_H
#define GC_BACKPTR_H

#include "gc.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Where a reference to an object was found. */
typedef enum {
  GC_UNREFERENCED,   /* nowhere; so it is with uncollectable objects to which nothing else refers */
  GC_NO_SPACE,       /* the address lies in no object */
  GC_REFD_FROM_ROOT, /* in a root: static data, a stack, a thread's data, a range of GC_add_roots */
  GC_REFD_FROM_REG,  /* in a register of the calling thread, which has no address */
  GC_REFD_FROM_HEAP, /* in another object */
  GC_FINALIZER_REFD  /* among what waits for a finalizer */
} GC_ref_kind;

/* What keeps the object that `address` lies in.  *base becomes the address of the root, and *offset 0; or
   *base becomes the object that refers to it, as the program knows it, and *offset where in that object, in
   bytes.  Otherwise both stay as they are.  Who goes on and asks about *base comes to a root at last, if
   nothing changes meanwhile.  What is only on the calling thread's own stack counts last, its innermost
   frames after all else.  Takes locks: not from within hooks. */
GC_API GC_ref_kind GC_CALL GC_get_back_ptr_info(void *address, void **base, size_t *offset)
    GC_ATTR_NONNULL(1);

/* An address in the heap, and one in an object that the last collection found reachable (NULL if there is
   none), by chance. */
GC_API void *GC_CALL GC_generate_random_heap_address(void);
GC_API void *GC_CALL GC_generate_random_valid_address(void);

/* Print to the log how an object can be reached from a root, at most 100 steps; and collect first and print
   it of an object by chance. */
GC_API void GC_CALL GC_print_backtrace(void *address) GC_ATTR_NONNULL(1);
GC_API void GC_CALL GC_generate_random_backtrace(void);

#ifdef __cplusplus
}
#endif

#endif
