// gc_mark.h, "Kinds of objects" and mark procedures; gc_inline.h.
#include "compat/kinds.h"

#include "api/init.h"
#include "base/check.h"
#include "base/lock.h"
#define GC_TINY_FREELISTS 25 // or the header would compute it from its own GC_GRANULE_BYTES
#include "compat/include/gc/gc_inline.h"
#include "compat/include/gc/gc_mark.h"
#include "cycle/cycle.h"
#include "heap/heap.h"
#include "mark/describe.h"

// ---- Numbers -------------------------------------------------------------------------------------------

enum { FIRST_MADE = 4 }; // libgc's number of the first kind that a program makes

unsigned
gc_compat_kind(const char *caller, int number, size_t bytes) {
  if (number == GC_KIND_NORMAL)
    return gc_kind_of_normal(bytes);
  if (number >= 0 && number < FIRST_MADE)
    return (unsigned)number;
  unsigned kind = GC_KIND_DESCRIBED + (unsigned)number - FIRST_MADE;
  GC_CHECK(number >= 0 && gc_kind_exists(kind), "%s: there is no kind %d", caller, number);
  return kind;
}

int
gc_compat_number(unsigned kind) {
  if (kind == GC_KIND_EXACT)
    return GC_KIND_NORMAL;
  return (int)(gc_kind_is_described(kind) ? kind - GC_KIND_DESCRIBED + FIRST_MADE : kind);
}

// ---- Making kinds and procedures -----------------------------------------------------------------------

// Free lists are not what Loam allocates from: theirs is the same for all kinds, and stays empty.
void **
GC_new_free_list_inner(void) {
  enum { LISTS = 4096 / 2 / GC_GRANULE_BYTES + 1 }; // as many as libgc has
  static void *lists[LISTS];
  return lists;
}

void **
GC_new_free_list(void) {
  return GC_new_free_list_inner();
}

unsigned
GC_new_kind_inner(void **free_list, GC_word descriptor, int add_size, int clear) {
  (void)free_list, (void)clear; // they are always cleared
  unsigned kind = gc_kind_make(descriptor, add_size != 0);
  GC_CHECK(kind, "GC_new_kind: there are too many kinds");
  return (unsigned)gc_compat_number(kind);
}

unsigned
GC_new_kind(void **free_list, GC_word descriptor, int add_size, int clear) {
  gc_init_ensure();
  gc_lock_acquire(&gc_lock);
  unsigned number = GC_new_kind_inner(free_list, descriptor, add_size, clear);
  gc_lock_release(&gc_lock);
  return number;
}

unsigned
GC_new_proc_inner(GC_mark_proc procedure) {
  unsigned number = gc_procedure_make(procedure);
  GC_CHECK(number, "GC_new_proc: there are too many mark procedures");
  return number;
}

unsigned
GC_new_proc(GC_mark_proc procedure) {
  gc_init_ensure();
  gc_lock_acquire(&gc_lock);
  unsigned number = GC_new_proc_inner(procedure);
  gc_lock_release(&gc_lock);
  return number;
}

struct GC_ms_entry *
GC_mark_and_push(void *address, struct GC_ms_entry *top, struct GC_ms_entry *limit, void **source) {
  (void)source;
  gc_describe_found(limit, (uintptr_t)address);
  return top;
}

struct GC_ms_entry *
GC_custom_push_range(void *bottom, void *limit_address, struct GC_ms_entry *top, struct GC_ms_entry *limit) {
  size_t bytes = (size_t)((char *)limit_address - (char *)bottom);
  gc_describe_part(limit, bottom, bytes, gc_round_down(bytes, GC_WORD_BYTES));
  return top;
}

struct GC_ms_entry *
GC_custom_push_proc(GC_word descriptor, void *object, struct GC_ms_entry *top, struct GC_ms_entry *limit) {
  gc_describe_part(limit, object, SIZE_MAX, descriptor);
  return top;
}

void
GC_set_on_mark_stack_empty(GC_on_mark_stack_empty_proc procedure) {
  gc_lock_acquire(&gc_lock);
  gc_on_mark_stack_empty = procedure;
  gc_lock_release(&gc_lock);
}

GC_on_mark_stack_empty_proc
GC_get_on_mark_stack_empty(void) {
  return gc_on_mark_stack_empty;
}

// ---- Allocation ----------------------------------------------------------------------------------------

void *
gc_compat_allocate(size_t bytes, size_t more, unsigned kind) {
  bytes = bytes > SIZE_MAX - more ? SIZE_MAX : bytes + more;
  struct gc_cache *cache = gc_cache_current;
  if (GC_LIKELY(cache && bytes <= GC_LOOKUP_BYTES_MAX)) {
    void *slot = gc_cache_bump(cache, gc_cache_run_of(bytes, kind));
    if (GC_LIKELY(slot))
      return slot;
  }
  gc_init_ensure();
  return gc_allocate_slow(bytes, kind);
}

static void *
allocate(const char *caller, size_t bytes, int number) {
  return gc_compat_allocate(bytes, 0, gc_compat_kind(caller, number, bytes));
}

void *
GC_generic_malloc(size_t bytes, int kind) {
  return allocate("GC_generic_malloc", bytes, kind);
}

void *
GC_generic_malloc_ignore_off_page(size_t bytes, int kind) {
  return allocate("GC_generic_malloc_ignore_off_page", bytes, kind);
}

// What has a descriptor is searched as a whole here.
void *
GC_generic_malloc_uncollectable(size_t bytes, int kind) {
  unsigned own = gc_compat_kind("GC_generic_malloc_uncollectable", kind, bytes);
  return gc_kind_is_pointer_free(own) ? GC_malloc_atomic_uncollectable(bytes)
                                      : GC_malloc_uncollectable(bytes);
}

void *
GC_generic_or_special_malloc(size_t bytes, int kind) {
  return allocate("GC_generic_or_special_malloc", bytes, kind);
}

void *
GC_malloc_kind(size_t bytes, int kind) {
  return allocate("GC_malloc_kind", bytes, kind);
}

void *
GC_malloc_kind_global(size_t bytes, int kind) {
  return allocate("GC_malloc_kind_global", bytes, kind);
}

// A collection in between must find all of the chain in the caller's list: of objects without pointers only a
// mark procedure of the program's finds the rest from there.
void
GC_generic_malloc_many(size_t bytes, int number, void **list) {
  unsigned kind = gc_compat_kind("GC_generic_malloc_many", number, bytes);
  gc_init_ensure();
  gc_allocate_many(bytes, kind, list);
}

int
GC_get_kind_and_size(const void *object, size_t *bytes) {
  struct gc_ref ref = gc_heap_slot_at(object);
  GC_CHECK(ref.start, "GC_get_kind_and_size: %p is not an object of the heap", object);
  if (bytes)
    *bytes = ref.bytes;
  return gc_compat_number(ref.kind);
}
