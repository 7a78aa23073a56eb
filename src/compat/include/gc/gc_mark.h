/* For implementations of languages, which know how their objects look: descriptors of what the collector is
   to read in an object, procedures that mark, kinds of objects, and the marker's own doors.  All of it is
   easy to use wrongly: what is not marked is reclaimed. */

#ifndef GC_MARK_H
#define GC_MARK_H

#include "gc.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Mark procedures ---------------------------------------------------------------------------------- */

/* An entry of the mark stack.  A mark procedure only passes on the pointers to it that it was given. */
#if defined(GC_BUILD) || defined(NOT_GCBUILD)
struct GC_ms_entry;
#else
struct GC_ms_entry {
  void *opaque;
};
#endif

/* Marks what the object at `object` refers to, by GC_MARK_AND_PUSH with `top` and `limit`, and returns the
   last `top` that it got from there, or its own.  `environment` is what the descriptor says.  At least one
   entry is free when it is called; it should do work worth about GC_PROC_BYTES bytes and push what is left
   over as an object of its own.

   It may be called for an object that has not been filled yet or is no longer in use: that is zero but for
   its first word.  It may be called by several threads at once, and the world may be running: what it reads
   may change meanwhile.  The collector may as well search the object conservatively; so a procedure may mark
   less than that would, not more.  It may neither allocate nor lock. */
typedef struct GC_ms_entry *(*GC_mark_proc)(GC_word *object, struct GC_ms_entry *top,
                                            struct GC_ms_entry *limit, GC_word environment);
#define GC_PROC_BYTES 100

/* No object lies below or above these addresses.  They are right whenever a mark procedure runs; to be read
   only. */
GC_API void *GC_least_plausible_heap_addr;
GC_API void *GC_greatest_plausible_heap_addr;

/* If `address` is that of an object, mark it, and have it searched later if it was not marked yet.  Returns
   the new `top`.  `source` is where the address was found, or NULL.  Only within mark procedures. */
GC_API struct GC_ms_entry *GC_CALL GC_mark_and_push(void *address, struct GC_ms_entry *top,
                                                    struct GC_ms_entry *limit, void **source);

/* The same, quicker for what is no address of the heap. */
#define GC_MARK_AND_PUSH(address, top, limit, source)              \
  (((GC_word)(address) < (GC_word)GC_least_plausible_heap_addr ||  \
    (GC_word)(address) > (GC_word)GC_greatest_plausible_heap_addr) \
       ? (top)                                                     \
       : GC_mark_and_push(address, top, limit, source))

/* Enter a mark procedure; returns its index, at least GC_RESERVED_MARK_PROCS and less than GC_MAX_MARK_PROCS.
   Too many of them abort the program.  `_inner` with the collector's lock held (GC_call_with_alloc_lock). */
GC_API unsigned GC_CALL GC_new_proc(GC_mark_proc procedure);
GC_API unsigned GC_CALL GC_new_proc_inner(GC_mark_proc procedure);
#define GC_LOG_MAX_MARK_PROCS 6
#define GC_MAX_MARK_PROCS (1 << GC_LOG_MAX_MARK_PROCS)
#define GC_RESERVED_MARK_PROCS 8          /* indices below are for programs that compile them in */
#define GC_GCJ_RESERVED_MARK_PROC_INDEX 0 /* and this for gc_gcj.h */

/* GC_init_gcj_malloc of gc_gcj.h with its arguments' types; aborts unless `descriptor_offset` is
   GC_GCJ_MARK_DESCR_OFFSET (libgc 8.3). */
GC_API void GC_CALL GC_init_gcj_malloc_mp(unsigned index, GC_mark_proc procedure, size_t descriptor_offset);

/* ---- Descriptors --------------------------------------------------------------------------------------- */

/* A word that says what to read in an object.  Its two lowest bits are a tag, which says what the others are:

     GC_DS_LENGTH      the bytes to search from the object's start on, a multiple of 4
     GC_DS_BITMAP      a bit for each of the object's first words, the first one's being the highest: 1 if the
                       word may be a pointer
     GC_DS_PROC        the index of a mark procedure and its environment: GC_MAKE_PROC
     GC_DS_PER_OBJECT  with the tag taken off, an offset: if it is not negative, the descriptor is the word at
                       that offset in the object; else it is the word at -offset - GC_INDIR_PER_OBJ_BIAS in
                       what the object's first word points to

   A descriptor in the object itself must be in its first two words or its last two; an object not filled yet
   has 0 there, which is a length of nothing. */
#define GC_DS_TAG_BITS 2
#define GC_DS_TAGS ((1 << GC_DS_TAG_BITS) - 1)
#define GC_DS_LENGTH 0
#define GC_DS_BITMAP 1
#define GC_DS_PROC 2
#define GC_DS_PER_OBJECT 3
#define GC_INDIR_PER_OBJ_BIAS 0x10
#define GC_MAKE_PROC(index, environment) \
  (((((GC_word)(environment) << GC_LOG_MAX_MARK_PROCS) | (GC_word)(index)) << GC_DS_TAG_BITS) | GC_DS_PROC)

/* ---- Kinds of objects ---------------------------------------------------------------------------------- */

/* A new kind: objects that share a descriptor.  `free_list` comes from GC_new_free_list and belongs to the
   kind from then on.  If `add_size` is not 0, each object's size in bytes is added to its descriptor; if
   `clear` is not 0, new objects are zero.  Both are 0 or 1.  Returns the kind; too many of them, about a
   dozen, abort the program.  `_inner` with the collector's lock held. */
GC_API unsigned GC_CALL GC_new_kind(void **free_list, GC_word descriptor, int add_size, int clear)
    GC_ATTR_NONNULL(1);
GC_API unsigned GC_CALL GC_new_kind_inner(void **free_list, GC_word descriptor, int add_size, int clear)
    GC_ATTR_NONNULL(1);

/* What GC_new_kind asks for; it is not the program's to read.  `_inner` with the collector's lock held. */
GC_API void **GC_CALL GC_new_free_list(void);
GC_API void **GC_CALL GC_new_free_list_inner(void);

/* A new object of a kind, of at least `bytes` bytes, as GC_malloc, GC_malloc_ignore_off_page and
   GC_malloc_uncollectable.  A kind whose descriptors are in the objects is safe only if a cleared object's
   is. */
GC_API void *GC_CALL GC_generic_malloc(size_t bytes, int kind) GC_ATTR_MALLOC GC_ATTR_ALLOC_SIZE(1);
GC_API void *GC_CALL GC_generic_malloc_ignore_off_page(size_t bytes, int kind) GC_ATTR_MALLOC
    GC_ATTR_ALLOC_SIZE(1);
GC_API void *GC_CALL GC_generic_malloc_uncollectable(size_t bytes, int kind) GC_ATTR_MALLOC
    GC_ATTR_ALLOC_SIZE(1);

/* A new object of a kind that GC_get_kind_and_size gave: of the four that gc.h allocates, or a program's own;
   not those of gc_typed.h and gc_gcj.h.  The second is for debugging, as GC_debug_malloc. */
GC_API void *GC_CALL GC_generic_or_special_malloc(size_t bytes, int kind) GC_ATTR_MALLOC
    GC_ATTR_ALLOC_SIZE(1);
GC_API void *GC_CALL GC_debug_generic_or_special_malloc(size_t bytes, int kind, const char *file,
                                                        int line) GC_ATTR_MALLOC GC_ATTR_ALLOC_SIZE(1);
#ifdef GC_DEBUG
#define GC_GENERIC_OR_SPECIAL_MALLOC(bytes, kind) \
  GC_debug_generic_or_special_malloc(bytes, kind, __FILE__, __LINE__)
#else
#define GC_GENERIC_OR_SPECIAL_MALLOC(bytes, kind) GC_generic_or_special_malloc(bytes, kind)
#endif

/* The kind of the object that starts at `object`; unless `bytes` is NULL, its size goes there. */
GC_API int GC_CALL GC_get_kind_and_size(const void *object, size_t *bytes) GC_ATTR_NONNULL(1);

/* Have objects of a kind described by `function` where they are printed for debugging: it writes at most
   GC_TYPE_DESCR_LEN characters, with the 0 at the end, and must take any object, also one not filled yet. */
typedef void(GC_CALLBACK *GC_describe_type_fn)(void *object, char *text);
GC_API void GC_CALL GC_register_describe_type_fn(int kind, GC_describe_type_fn function);
#define GC_TYPE_DESCR_LEN 40

/* The bytes before an object that was allocated for debugging: GC_base gives where they begin.  The variable
   is for old programs. */
GC_API size_t GC_CALL GC_get_debug_header_size(void) GC_ATTR_CONST;
#define GC_USR_PTR_FROM_BASE(base) ((void *)((char *)(base) + GC_get_debug_header_size()))
#ifdef GC_BUILD
GC_API const size_t GC_debug_header_size;
#else
GC_API size_t GC_debug_header_size GC_ATTR_DEPRECATED;
#endif

/* ---- Roots of the program's own ------------------------------------------------------------------------ */

/* Called at each collection while the roots are searched, with the world stopped: it calls the functions
   below for what else there is to search, and the procedure that was there before, which searches the
   threads' stacks.  It may neither allocate nor lock.  Never NULL. */
typedef void(GC_CALLBACK *GC_push_other_roots_proc)(void);
GC_API void GC_CALL GC_set_push_other_roots(GC_push_other_roots_proc procedure);
GC_API GC_push_other_roots_proc GC_CALL GC_get_push_other_roots(void);

/* Search [bottom, top); the second at once, before it returns; the third only what has been written since the
   last collection, unless `all` is not 0.  Only within such a procedure. */
GC_API void GC_CALL GC_push_all(void *bottom, void *top);
GC_API void GC_CALL GC_push_all_eager(void *bottom, void *top);
GC_API void GC_CALL GC_push_conditional(void *bottom, void *top, int all);

/* Search the tables of finalizers.  Only within such a procedure; the collector does it anyway. */
GC_API void GC_CALL GC_push_finalizer_structures(void);

/* 1 if the address lies in static data that the collector found by itself, of the program or a loaded
   library, else 0.  Takes the collector's locks. */
GC_API int GC_CALL GC_is_tmp_root(void *address);

/* ---- Marks --------------------------------------------------------------------------------------------- */

/* Whether the object that starts at `object` is marked (1 or 0); mark it without searching it; take the mark
   away.  With the collector's lock held, or within the procedures above. */
GC_API int GC_CALL GC_is_marked(const void *object) GC_ATTR_NONNULL(1);
GC_API void GC_CALL GC_set_mark_bit(const void *object) GC_ATTR_NONNULL(1);
GC_API void GC_CALL GC_clear_mark_bit(const void *object) GC_ATTR_NONNULL(1);

/* Call `visit` with each marked object, its size in bytes and `data`.  With the collector's lock held, most
   usefully after a collection; `visit` may not call the collector. */
typedef void(GC_CALLBACK *GC_reachable_object_proc)(void *object, size_t bytes, void *data);
GC_API void GC_CALL GC_enumerate_reachable_objects_inner(GC_reachable_object_proc visit, void *data)
    GC_ATTR_NONNULL(1);

/* ---- Other --------------------------------------------------------------------------------------------- */

/* Clear some of the stack beyond the caller's frame, where pointers may be left.  Returns `argument`. */
GC_API void *GC_CALL GC_clear_stack(void *argument);

/* The bytes of the pieces that the heap is divided into, each of which has objects of one size and kind
   (libgc 8.3). */
GC_API size_t GC_CALL GC_get_hblk_size(void) GC_ATTR_CONST;

/* Called when marking has come to its end, with the world stopped: it may push more, for instance the values
   of tables whose keys are marked (GC_is_marked), and is called again until it pushes nothing that was not
   marked yet.  Returns the last `top` that it got.  NULL: none.  (libgc 8.3; Loam's own ephemerons need
   none.) */
typedef struct GC_ms_entry *(GC_CALLBACK *GC_on_mark_stack_empty_proc)(struct GC_ms_entry *top,
                                                                       struct GC_ms_entry *limit);
GC_API void GC_CALL GC_set_on_mark_stack_empty(GC_on_mark_stack_empty_proc procedure);
GC_API GC_on_mark_stack_empty_proc GC_CALL GC_get_on_mark_stack_empty(void);

/* For mark procedures: search [bottom, limit_address), wherever that is; search an object by a descriptor, of
   GC_DS_PROC only.  Both return the new `top`.  (libgc 8.3.) */
GC_API struct GC_ms_entry *GC_CALL GC_custom_push_range(void *bottom, void *limit_address,
                                                        struct GC_ms_entry *top, struct GC_ms_entry *limit);
GC_API struct GC_ms_entry *GC_CALL GC_custom_push_proc(GC_word descriptor, void *object,
                                                       struct GC_ms_entry *top, struct GC_ms_entry *limit);

/* Print what happened in the collection of that number, the second with the collector's lock held.  Like a
   libgc that was not built for it, the library has neither. */
GC_API void GC_CALL GC_print_trace(GC_word collection);
GC_API void GC_CALL GC_print_trace_inner(GC_word collection);

#ifdef __cplusplus
}
#endif

#endif
