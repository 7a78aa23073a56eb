// GC_malloc and its kin: the fast path, and argument checks around the rest.
#include <errno.h>
#include <string.h>
#include <wchar.h>

#include "api/init.h"
#include "base/check.h"
#include "base/hooks.h"
#include "base/lock.h"
#include "cycle/cycle.h"
#include "debug/annotation.h"
#include "gc.h"
#include "heap/heap.h"
#include "heap/kinds.h"
#include "refs/finalizers.h"

// ---- The fast path -------------------------------------------------------------------------------------

static GC_NOINLINE void *
allocate_slow(size_t bytes, unsigned kind) {
  gc_init_ensure();
  return gc_allocate_slow(bytes, kind);
}

// One load of thread-local storage, one table look-up, one bump.
GC_INLINE void *
allocate(size_t bytes, unsigned kind) {
  struct gc_cache *cache = gc_cache_current;
  if (GC_LIKELY(cache && bytes <= GC_LOOKUP_BYTES_MAX)) {
    void *slot = gc_cache_bump(cache, gc_cache_run_of(bytes, kind));
    if (GC_LIKELY(slot))
      return slot;
  }
  return allocate_slow(bytes, kind);
}

// The same, the kind depending on whether the request fills its slot.
GC_INLINE void *
allocate_normal(size_t bytes) {
  struct gc_cache *cache = gc_cache_current;
  if (GC_LIKELY(cache && bytes <= GC_LOOKUP_BYTES_MAX)) {
    void *slot = gc_cache_bump(cache, gc_cache_normal_run[bytes]);
    if (GC_LIKELY(slot))
      return slot;
  }
  return allocate_slow(bytes, gc_kind_of_normal(bytes));
}

void *
GC_malloc(size_t bytes) {
  return allocate_normal(bytes);
}

void *
GC_malloc_atomic(size_t bytes) {
  return allocate(bytes, GC_KIND_ATOMIC);
}

void *
GC_malloc_uncollectable(size_t bytes) {
  return allocate(bytes, GC_KIND_UNCOLLECTABLE);
}

void *
GC_malloc_atomic_uncollectable(size_t bytes) {
  return allocate(bytes, GC_KIND_ATOMIC_UNCOLLECTABLE);
}

void *
GC_malloc_ignore_off_page(size_t bytes) {
  return allocate_normal(bytes);
}

void *
GC_malloc_atomic_ignore_off_page(size_t bytes) {
  return allocate(bytes, GC_KIND_ATOMIC);
}

// ---- Free and realloc ----------------------------------------------------------------------------------

// The object that starts at `object`; anything else ends the program.
static struct gc_ref
require_object(const char *caller, const void *object) {
  struct gc_ref ref = gc_heap_slot_at(object);
  GC_CHECK(ref.start, "%s: %p is not an object of the heap", caller, object);
  bool freed = !gc_slot_is_object(*ref.byte) || gc_cache_has_unused(gc_cache_current, ref.start, ref.page);
  GC_CHECK(!freed, "%s: %p was freed before", caller, object);
  GC_CHECK(ref.start == object, "%s: %p points inside the object at %p", caller, object, (void *)ref.start);
  return ref;
}

static void
free_large(struct gc_ref ref) {
  gc_lock_acquire(&gc_lock);
  gc_large_free_explicit(ref);
  gc_lock_release(&gc_lock);
}

static void
forget_registrations(void *object) {
  if (!gc_finalizers_seem_to_know(object))
    return;
  gc_lock_acquire(&gc_lock);
  gc_finalizers_forget(object);
  gc_lock_release(&gc_lock);
}

static void
forget_annotation(struct gc_ref ref) {
  gc_lock_acquire(&gc_lock);
  gc_annotation_forget(ref);
  gc_lock_release(&gc_lock);
}

// A thread that cannot be attached for want of memory leaves the slot to the next collection.
static void
free_object(struct gc_ref ref) {
  struct gc_cache *cache;
  if (GC_UNLIKELY(gc_page_set_has(gc_heap.referred, gc_heap_page_of(ref.start))))
    forget_registrations(ref.start);
  if (GC_UNLIKELY(gc_annotation_any))
    forget_annotation(ref);
  if (gc_heap.pages[ref.page].slot_granules == 0)
    free_large(ref);
  else if ((cache = gc_allocate_cache()) != NULL)
    gc_cache_free(cache, ref);
}

void
GC_free(void *object) {
  if (!object)
    return;
  gc_init_ensure();
  free_object(require_object("GC_free", object));
}

// An object of another length of a kind that says at its objects' ends where their pointers are becomes one
// that is searched as a whole.
static bool
becomes_normal(unsigned kind) {
  bool is_normal = kind == GC_KIND_NORMAL || kind == GC_KIND_EXACT;
  return is_normal || (gc_kind_is_described(kind) && gc_kind_describes_at_end(kind));
}

static void *
move_object(struct gc_ref ref, size_t bytes) {
  bool normal = becomes_normal(ref.kind);
  void *moved = normal ? allocate_normal(bytes) : allocate(bytes, ref.kind);
  if (!moved)
    return NULL;
  memcpy(moved, ref.start, gc_min(ref.bytes, bytes));
  GC_end_stubborn_change(moved); // a program that promises to tell its writes knows nothing of this one
  free_object(ref);
  return moved;
}

static bool
resize_large(struct gc_ref ref, size_t bytes) {
  gc_lock_acquire(&gc_lock);
  bool resized = gc_large_resize(ref, bytes);
  gc_lock_release(&gc_lock);
  return resized;
}

// In its slot, unless that is too small (an object that fills its slot must be of a kind that may) or more
// than twice too large.
static bool
fits_slot(struct gc_ref ref, size_t bytes) {
  return bytes < ref.bytes + gc_kind_may_end_at_next(ref.kind) && bytes >= ref.bytes / 2;
}

void *
GC_realloc(void *object, size_t bytes) {
  if (!object)
    return GC_malloc(bytes);
  gc_init_ensure();
  struct gc_ref ref = require_object("GC_realloc", object);
  if (bytes == 0) {
    free_object(ref);
    return NULL;
  }
  bool large = gc_heap.pages[ref.page].slot_granules == 0;
  if (gc_kind_is_described(ref.kind))
    return move_object(ref, bytes);
  if (large && bytes > GC_CLASS_BYTES_MAX && bytes <= PTRDIFF_MAX && resize_large(ref, bytes))
    return object;
  if (!large && fits_slot(ref, bytes)) {
    if (!gc_kind_is_pointer_free(ref.kind))
      memset(ref.start + bytes, 0, ref.bytes - bytes);
    return object;
  }
  return move_object(ref, bytes);
}

// ---- Alignment -----------------------------------------------------------------------------------------

// The least class whose slots hold `bytes` and all lie at multiples of `alignment`; GC_CLASSES if none.
static unsigned
aligned_class(size_t alignment, size_t bytes) {
  if (alignment > GC_CLASS_BYTES_MAX || bytes > GC_CLASS_BYTES_MAX)
    return GC_CLASSES;
  unsigned class = gc_class_of(gc_max(bytes, alignment));
  while (class < GC_CLASSES && gc_classes[class].slot_bytes % alignment != 0)
    class ++;
  return class;
}

static void *
allocate_aligned(size_t alignment, size_t bytes) {
  gc_init_ensure();
  if (alignment <= GC_GRANULE_BYTES)
    return GC_malloc(bytes);
  unsigned class = alignment <= GC_PAGE_BYTES ? aligned_class(alignment, bytes) : GC_CLASSES;
  if (class < GC_CLASSES)
    return GC_malloc(gc_classes[class].slot_bytes);
  return gc_allocate_large(gc_max(bytes, GC_CLASS_BYTES_MAX + 1), alignment, GC_KIND_NORMAL);
}

void *
GC_memalign(size_t alignment, size_t bytes) {
  if (!gc_is_power_of_two(alignment)) {
    errno = EINVAL;
    return NULL;
  }
  return allocate_aligned(alignment, bytes);
}

int
GC_posix_memalign(void **object, size_t alignment, size_t bytes) {
  if (!gc_is_power_of_two(alignment) || alignment % sizeof(void *) != 0)
    return EINVAL;
  int saved_errno = errno;
  void *allocated = allocate_aligned(alignment, bytes);
  errno = saved_errno;
  if (!allocated)
    return ENOMEM;
  *object = allocated;
  return 0;
}

// ---- Strings and lists ---------------------------------------------------------------------------------

static char *
copy_string(const char *string, size_t length) {
  char *copy = GC_malloc_atomic(length + 1);
  if (!copy)
    return NULL;
  memcpy(copy, string, length);
  copy[length] = '\0';
  return copy;
}

char *
GC_strdup(const char *string) {
  return string ? copy_string(string, strlen(string)) : NULL;
}

char *
GC_strndup(const char *string, size_t limit) {
  return copy_string(string, strnlen(string, limit));
}

wchar_t *
GC_wcsdup(const wchar_t *string) {
  size_t bytes = (wcslen(string) + 1) * sizeof *string;
  wchar_t *copy = GC_malloc_atomic(bytes);
  return copy ? memcpy(copy, string, bytes) : NULL;
}

void *
GC_malloc_many(size_t bytes) {
  void *volatile list;
  gc_init_ensure();
  gc_allocate_many(bytes, gc_kind_of_normal(bytes), &list);
  return list;
}
