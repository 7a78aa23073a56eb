/* What refers to an object, for finding out why it is not reclaimed.  Like a libgc that was not built for it,
   the library has none of these functions. */

#ifndef GC_BACKPTR_H
#define GC_BACKPTR_H

#include "gc.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Where a reference to an object was found. */
typedef enum {
  GC_UNREFERENCED,   /* nowhere that is known */
  GC_NO_SPACE,       /* the object was not allocated for debugging */
  GC_REFD_FROM_ROOT, /* in a root */
  GC_REFD_FROM_REG,  /* in a register, which has no address */
  GC_REFD_FROM_HEAP, /* in another object */
  GC_FINALIZER_REFD  /* among what waits for a finalizer */
} GC_ref_kind;

/* Where the collection last found a reference to the object that `address` lies in; *base becomes the root's
   address or the other object's, *offset 0 or where in that object it is, in bytes. */
GC_API GC_ref_kind GC_CALL GC_get_back_ptr_info(void *address, void **base, size_t *offset)
    GC_ATTR_NONNULL(1);

/* An address in the heap, and one in a reachable object, by chance. */
GC_API void *GC_CALL GC_generate_random_heap_address(void);
GC_API void *GC_CALL GC_generate_random_valid_address(void);

/* Print to the log the chain of references that leads to an address, and to one by chance after a
   collection. */
GC_API void GC_CALL GC_print_backtrace(void *address) GC_ATTR_NONNULL(1);
GC_API void GC_CALL GC_generate_random_backtrace(void);

#ifdef __cplusplus
}
#endif

#endif
