/* The sizes that a program's own free lists (gc_inline.h) hand out, in granules.  They are compiled into
   programs, so they cannot change. */

#ifndef GC_TINY_FL_H
#define GC_TINY_FL_H

/* A granule: what sizes are multiples of, in bytes, pointers and words. */
#ifndef GC_GRANULE_BYTES
#if defined(__LP64__) || defined(_LP64)
#define GC_GRANULE_BYTES 16
#else
#define GC_GRANULE_BYTES 8
#endif
#endif
#define GC_GRANULE_PTRS 2
#define GC_GRANULE_WORDS 2

/* Granules in so many words: whole ones, or enough of them. */
#define GC_PTRS_TO_GRANULES(count) ((count) / GC_GRANULE_PTRS)
#define GC_PTRS_TO_WHOLE_GRANULES(count) GC_PTRS_TO_GRANULES((count) + GC_GRANULE_PTRS - 1)
#define GC_WORDS_TO_GRANULES(count) GC_PTRS_TO_GRANULES(count)
#define GC_WORDS_TO_WHOLE_GRANULES(count) GC_PTRS_TO_WHOLE_GRANULES(count)

/* The free lists in an array: that at index n, 0 <= n < GC_TINY_FREELISTS, is for n granules, that at index 0
   for requests of no bytes, which get one granule. */
#ifndef GC_TINY_FREELISTS
#if GC_GRANULE_BYTES == 16
#define GC_TINY_FREELISTS 25
#else
#define GC_TINY_FREELISTS 33
#endif
#endif

/* The bytes of an object from the list at an index. */
#define GC_RAW_BYTES_FROM_INDEX(index) ((index)*GC_GRANULE_BYTES)

#endif
