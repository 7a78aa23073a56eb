/* Allocation without a call: free lists of the program's own, for instance one array of them for each thread,
   filled by GC_generic_malloc_many.

       static void *lists[GC_TINY_FREELISTS];    searched, being static data; NULL at first

       void *pair;
       GC_CONS(pair, head, tail, lists);

   An object's last byte is not added here, unlike with GC_malloc.  Loam does not need it: a pointer just past
   the end keeps the object while it lies in a root. */

#ifndef GC_INLINE_H
#define GC_INLINE_H

#include "gc.h"
#include "gc_tiny_fl.h"

/* `expression`, with the hint that it is usually `outcome`. */
#ifdef __GNUC__
#define GC_EXPECT(expression, outcome) __builtin_expect(expression, outcome)
#else
#define GC_EXPECT(expression, outcome) (expression)
#endif

/* A check in programs that are built with checks. */
#ifndef GC_ASSERT
#ifdef NDEBUG
#define GC_ASSERT(expression) (void)0
#else
#include <assert.h>
#define GC_ASSERT(expression) assert(expression)
#endif
#endif

/* The hint that an object will be written soon. */
#ifndef GC_PREFETCH_FOR_WRITE
#if defined(__GNUC__) && !defined(GC_NO_PREFETCH_FOR_WRITE)
#define GC_PREFETCH_FOR_WRITE(address) __builtin_prefetch(address, 1)
#else
#define GC_PREFETCH_FOR_WRITE(address) (void)0
#endif
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* The kinds (gc_mark.h) of GC_malloc_atomic and GC_malloc. */
#define GC_I_PTRFREE 0
#define GC_I_NORMAL 1

/* Several objects of exactly `bytes` bytes, a multiple of GC_GRANULE_BYTES, and of a kind, at the price of
   about one: the first one's address goes to *list, and the first word of each leads to the next, the last
   one's being NULL.  Apart from that word, objects that are cleared when allocated are zero.  NULL goes to
   *list if memory is short.  The collector must find *list, and each object of it by itself if it does not
   read the first words of that kind. */
GC_API void GC_CALL GC_generic_malloc_many(size_t bytes, int kind, void **list);

/* GC_malloc, of any kind. */
GC_API void *GC_CALL GC_malloc_kind(size_t bytes, int kind) GC_ATTR_MALLOC GC_ATTR_ALLOC_SIZE(1);

/* The same; in libgc, from what the threads share. */
GC_API void *GC_CALL GC_malloc_kind_global(size_t bytes, int kind) GC_ATTR_MALLOC GC_ATTR_ALLOC_SIZE(1);

/* 1 if requests need no byte added for pointers past the end, which is so (libgc 8.3). */
GC_API int GC_CALL GC_get_dont_add_byte_at_end(void);

/* Print to the log which pieces of the heap have room for objects of a kind and of so many granules. */
GC_API void GC_CALL GC_print_free_list(int kind, size_t granules);

/* Replace a list's first object, in a way that a marker which reads it sees either. */
#define GC_FAST_M_AO_STORE(list, next) (void)(*(list) = (next))

/* Set `result` to an object of `granules` granules and of a kind: from the free list at that index of
   `lists`, an array of GC_TINY_FREELISTS pointers; to what `otherwise` gives for more granules than it has;
   or to what the out-of-memory function gives.  `init` is done with an object from the list, whose first word
   is not zero.

   The lists are NULL at first.  Or they are (void *)1, and then so many objects that their granules, with one
   for each, come to `direct` are from `otherwise`, before the list is filled. */
#define GC_FAST_MALLOC_GRANS(result, granules, lists, direct, kind, otherwise, init)                  \
  do {                                                                                                \
    if (GC_EXPECT((granules) >= GC_TINY_FREELISTS, 0)) {                                              \
      result = (otherwise);                                                                           \
    } else {                                                                                          \
      void **gc_list_ = (lists) + (granules);                                                         \
      void *gc_first_ = *gc_list_;                                                                    \
      if (GC_EXPECT((GC_word)gc_first_ <= (GC_word)(direct) + GC_TINY_FREELISTS + 1, 0)) {            \
        if (gc_first_ && (GC_word)gc_first_ <= (GC_word)(direct)) {                                   \
          GC_FAST_M_AO_STORE(gc_list_, (void *)((char *)gc_first_ + (granules) + 1));                 \
          result = (otherwise);                                                                       \
          break;                                                                                      \
        }                                                                                             \
        GC_generic_malloc_many(GC_RAW_BYTES_FROM_INDEX((granules) ? (granules) : 1), kind, gc_list_); \
        gc_first_ = *gc_list_;                                                                        \
        if (!gc_first_) {                                                                             \
          result = GC_get_oom_fn()((granules)*GC_GRANULE_BYTES);                                      \
          break;                                                                                      \
        }                                                                                             \
      }                                                                                               \
      GC_FAST_M_AO_STORE(gc_list_, GC_NEXT(gc_first_));                                               \
      result = gc_first_;                                                                             \
      gc_first_ = *gc_list_;                                                                          \
      init;                                                                                           \
      GC_PREFETCH_FOR_WRITE(gc_first_);                                                               \
      if ((kind) != GC_I_PTRFREE) {                                                                   \
        GC_end_stubborn_change(gc_list_);                                                             \
        GC_reachable_here(gc_first_);                                                                 \
      }                                                                                               \
      GC_ASSERT(GC_size(result) >= (granules)*GC_GRANULE_BYTES);                                      \
      GC_ASSERT((kind) == GC_I_PTRFREE || ((GC_word *)(result))[1] == 0);                             \
    }                                                                                                 \
  } while (0)

/* The same for `count` words. */
#define GC_MALLOC_WORDS_KIND(result, count, lists, kind, init)                        \
  do {                                                                                \
    size_t gc_granules_ = GC_WORDS_TO_WHOLE_GRANULES(count);                          \
    GC_FAST_MALLOC_GRANS(result, gc_granules_, lists, 0, kind,                        \
                         GC_malloc_kind(gc_granules_ *GC_GRANULE_BYTES, kind), init); \
  } while (0)

/* GC_malloc and GC_malloc_atomic of `count` words. */
#define GC_MALLOC_WORDS(result, count, lists) \
  GC_MALLOC_WORDS_KIND(result, count, lists, GC_I_NORMAL, GC_NEXT(result) = 0)
#define GC_MALLOC_ATOMIC_WORDS(result, count, lists) \
  GC_MALLOC_WORDS_KIND(result, count, lists, GC_I_PTRFREE, (void)0)

/* An object of two words that hold the pointers `first` and `second`; NULL if memory is short. */
#define GC_CONS(result, first, second, lists)                     \
  do {                                                            \
    void *gc_car_ = (void *)(first);                              \
    void *gc_cdr_ = (void *)(second);                             \
    GC_MALLOC_WORDS_KIND(result, 2, lists, GC_I_NORMAL, (void)0); \
    if ((result) != 0) {                                          \
      GC_NEXT(result) = gc_car_;                                  \
      GC_PTR_STORE_AND_DIRTY((void **)(result) + 1, gc_cdr_);     \
      GC_reachable_here(gc_car_);                                 \
    }                                                             \
  } while (0)

#ifdef __cplusplus
}
#endif

#endif
