/* Objects that begin with a pointer to a description of their type (a "vtable"), as compilers of Java and its
   like make them; the description says where pointers are. */

#ifndef GC_GCJ_H
#define GC_GCJ_H

#include "gc.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Where in a type's description its mark descriptor (gc_mark.h) is, in bytes. */
#ifndef GC_GCJ_MARK_DESCR_OFFSET
#define GC_GCJ_MARK_DESCR_OFFSET sizeof(GC_word)
#endif

/* Prepare for the allocations below; once, before them.  `procedure`, a GC_mark_proc, becomes the mark
   procedure of index `index`, usually GC_GCJ_RESERVED_MARK_PROC_INDEX and in any case less than
   GC_RESERVED_MARK_PROCS.  It marks all objects of GC_debug_gcj_malloc, being called with 1 for its
   environment, and those of which the descriptor names it, which may use other environments. */
GC_API void GC_CALL GC_init_gcj_malloc(int index, void *procedure);

/* A new object of at least `bytes` bytes with `type` in its first word and otherwise zero, or what the
   out-of-memory function returns. */
GC_API void *GC_CALL GC_gcj_malloc(size_t bytes, void *type) GC_ATTR_MALLOC GC_ATTR_ALLOC_SIZE(1);

/* The same, with the promise of GC_malloc_ignore_off_page. */
GC_API void *GC_CALL GC_gcj_malloc_ignore_off_page(size_t bytes, void *type) GC_ATTR_MALLOC
    GC_ATTR_ALLOC_SIZE(1);

/* The same for debugging, as GC_debug_malloc; always marked by the mark procedure. */
GC_API void *GC_CALL GC_debug_gcj_malloc(size_t bytes, void *type, const char *file, int line) GC_ATTR_MALLOC
    GC_ATTR_ALLOC_SIZE(1);

/* The kinds (gc_mark.h) of these objects and of those for debugging; to be read only. */
GC_API int GC_gcj_kind;
GC_API int GC_gcj_debug_kind;

#ifdef GC_DEBUG
#define GC_GCJ_MALLOC(bytes, type) GC_debug_gcj_malloc(bytes, type, __FILE__, __LINE__)
#define GC_GCJ_MALLOC_IGNORE_OFF_PAGE(bytes, type) GC_GCJ_MALLOC(bytes, type)
#else
#define GC_GCJ_MALLOC(bytes, type) GC_gcj_malloc(bytes, type)
#define GC_GCJ_MALLOC_IGNORE_OFF_PAGE(bytes, type) GC_gcj_malloc_ignore_off_page(bytes, type)
#endif

#ifdef __cplusplus
}
#endif

#endif
