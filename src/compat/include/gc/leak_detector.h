/* Finding leaks of a program that uses malloc and free: included before its own sources (gcc -include), this
   makes them the collector's functions for debugging, and CHECK_LEAKS() reports objects that were not freed
   and cannot be reached.  The program also says GC_set_find_leak(1) before the first allocation, or has
   GC_FIND_LEAK in its environment. */

#ifndef GC_LEAK_DETECTOR_H
#define GC_LEAK_DETECTOR_H

#ifndef GC_DEBUG
#define GC_DEBUG
#endif
#include "gc.h"

/* What declares the functions comes before they get other names. */
#ifndef GC_DONT_INCLUDE_STDLIB
#include <stdlib.h>
#include <string.h>
#endif

#undef malloc
#undef calloc
#undef realloc
#undef reallocarray
#undef reallocf
#undef free
#undef free_sized
#undef freezero
#undef free_aligned_sized
#undef cfree
#undef strdup
#undef strndup
#undef memalign
#undef aligned_alloc
#undef posix_memalign
#undef malloc_usable_size
#ifndef GC_NO_VALLOC
#undef valloc
#undef pvalloc
#define valloc(bytes) GC_valloc(bytes)
#define pvalloc(bytes) GC_pvalloc(bytes)
#endif
#define malloc(bytes) GC_MALLOC(bytes)
#define calloc(count, bytes) GC_MALLOC((count) * (bytes))
#define realloc(object, bytes) GC_REALLOC(object, bytes)
#define reallocarray(object, count, bytes) GC_REALLOC(object, (count) * (bytes))
#define reallocf(object, bytes) GC_REALLOCF(object, bytes)
#define free(object) GC_FREE(object)
#define freezero(object, bytes) GC_FREEZERO(object, bytes)
#define free_sized(object, bytes) ((void)(bytes), GC_FREE(object))
#define free_aligned_sized(object, alignment, bytes) ((void)(alignment), (void)(bytes), GC_free(object))
#define cfree(object) GC_FREE(object)
#define strdup(string) GC_STRDUP(string)
#define strndup(string, limit) GC_STRNDUP(string, limit)
#define memalign(alignment, bytes) GC_memalign(alignment, bytes)
#define aligned_alloc(alignment, bytes) GC_memalign(alignment, bytes)
#define posix_memalign(object, alignment, bytes) GC_posix_memalign(object, alignment, bytes)
#define malloc_usable_size(object) GC_size(object)

#ifdef GC_REQUIRE_WCSDUP
#include <wchar.h>
#undef wcsdup
#define wcsdup(string) GC_WCSDUP(string)
#endif

/* Look for leaks now; it is also done at exit. */
#ifndef CHECK_LEAKS
#define CHECK_LEAKS() GC_gcollect()
#endif

#endif
