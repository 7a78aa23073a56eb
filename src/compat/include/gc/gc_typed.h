/* Objects of which the program says where pointers are.  The collector reads those words only.

       struct pair { unsigned long hash; struct pair *next; };

       GC_word bitmap[GC_BITMAP_SIZE(struct pair)] = {0};
       GC_set_bit(bitmap, GC_WORD_OFFSET(struct pair, next));
       GC_descr descriptor = GC_make_descriptor(bitmap, GC_WORD_LEN(struct pair));
       struct pair *pair = GC_MALLOC_EXPLICITLY_TYPED(sizeof *pair, descriptor);
*/

#ifndef GC_TYPED_H
#define GC_TYPED_H

#include "gc.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Bits, one for each word of an object from its start on, beginning with the least significant bit of the
   first element: 1 if the word may be a pointer. */
typedef GC_word *GC_bitmap;

#define GC_WORDSZ (8 * sizeof(GC_word)) /* bits in an element */
#define GC_get_bit(bitmap, index) (((bitmap)[(index) / GC_WORDSZ] >> ((index) % GC_WORDSZ)) & 1)
#define GC_set_bit(bitmap, index) ((bitmap)[(index) / GC_WORDSZ] |= (GC_word)1 << ((index) % GC_WORDSZ))

/* The words in a type, the index of a field among them, and the elements of a bitmap for a type. */
#define GC_SIZEOF_IN_PTRS(type) (sizeof(type) / sizeof(void *))
#define GC_OFFSETOF_IN_PTRS(type, field) (offsetof(type, field) / sizeof(void *))
#define GC_WORD_LEN(type) GC_SIZEOF_IN_PTRS(type)
#define GC_WORD_OFFSET(type, field) GC_OFFSETOF_IN_PTRS(type, field)
#define GC_BITMAP_SIZE(type) ((GC_WORD_LEN(type) + GC_WORDSZ - 1) / GC_WORDSZ)

/* A layout: one of the descriptors of gc_mark.h. */
typedef GC_word GC_descr;

/* The descriptor of a layout, given by the first `bits` bits of a bitmap, which is not needed any longer; the
   words after them hold no pointers.  Layouts with many words may take up memory for good: ask once for a
   type, not once for an object.  If memory is short, the descriptor says that any word may be a pointer. */
GC_API GC_descr GC_CALL GC_make_descriptor(const GC_word *bitmap, size_t bits);

/* A new object, all zero, of at least `bytes` bytes and with that layout, which is no larger.  It may not be
   given to GC_realloc.  Otherwise as GC_malloc. */
GC_API void *GC_CALL GC_malloc_explicitly_typed(size_t bytes, GC_descr descriptor) GC_ATTR_MALLOC
    GC_ATTR_ALLOC_SIZE(1);

/* The same, with the promise of GC_malloc_ignore_off_page. */
GC_API void *GC_CALL GC_malloc_explicitly_typed_ignore_off_page(size_t bytes,
                                                                GC_descr descriptor) GC_ATTR_MALLOC
    GC_ATTR_ALLOC_SIZE(1);

/* A new array of `count` elements of `bytes` bytes each, a multiple of the size of a pointer, all zero and
   each with that layout. */
GC_API void *GC_CALL GC_calloc_explicitly_typed(size_t count, size_t bytes,
                                                GC_descr descriptor) GC_ATTR_MALLOC GC_ATTR_CALLOC_SIZE(1, 2);

/* The same in two steps, for several arrays of the same number of elements (libgc 8.3).  The first fills what
   `array` points to, of sizeof(struct GC_calloc_typed_descr_s) bytes, as `array_bytes` says; it returns 1, or
   0 if that cannot be, and then the second does what the out-of-memory function does. */
#define GC_CALLOC_TYPED_DESCR_PTRS 1
#define GC_CALLOC_TYPED_DESCR_WORDS 8
struct GC_calloc_typed_descr_s {
  GC_word opaque[GC_CALLOC_TYPED_DESCR_WORDS];
};
GC_API int GC_CALL GC_calloc_prepare_explicitly_typed(struct GC_calloc_typed_descr_s *array,
                                                      size_t array_bytes, size_t count, size_t bytes,
                                                      GC_descr descriptor);
GC_API void *GC_CALL GC_calloc_do_explicitly_typed(const struct GC_calloc_typed_descr_s *array,
                                                   size_t array_bytes) GC_ATTR_MALLOC;

/* With GC_DEBUG ordinary objects for debugging take their place. */
#ifdef GC_DEBUG
#define GC_MALLOC_EXPLICITLY_TYPED(bytes, descriptor) ((void)(descriptor), GC_MALLOC(bytes))
#define GC_MALLOC_EXPLICITLY_TYPED_IGNORE_OFF_PAGE(bytes, descriptor) \
  GC_MALLOC_EXPLICITLY_TYPED(bytes, descriptor)
#define GC_CALLOC_EXPLICITLY_TYPED(count, bytes, descriptor) \
  ((void)(descriptor), GC_MALLOC((count) * (bytes)))
#else
#define GC_MALLOC_EXPLICITLY_TYPED(bytes, descriptor) GC_malloc_explicitly_typed(bytes, descriptor)
#define GC_MALLOC_EXPLICITLY_TYPED_IGNORE_OFF_PAGE(bytes, descriptor) \
  GC_malloc_explicitly_typed_ignore_off_page(bytes, descriptor)
#define GC_CALLOC_EXPLICITLY_TYPED(count, bytes, descriptor) \
  GC_calloc_explicitly_typed(count, bytes, descriptor)
#endif

#ifdef __cplusplus
}
#endif

#endif
