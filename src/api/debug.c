// gc.h, "Debugging": allocation with positions, leaks.
#include "api/debug.h"

#include <errno.h>
#include <string.h>
#include <wchar.h>

#include "api/init.h"
#include "base/check.h"
#include "base/hooks.h"
#include "base/lock.h"
#include "base/variables.h"
#include "debug/findings.h"
#include "gc.h"
#include "heap/heap.h"

// Also declared, without its const, by gc_mark.h.
GC_API const size_t GC_debug_header_size;
const size_t GC_debug_header_size = GC_ANNOTATION_BYTES;

size_t
GC_get_debug_header_size(void) {
  return GC_ANNOTATION_BYTES;
}

// ---- Allocation ----------------------------------------------------------------------------------------

// What the out-of-memory function gave is no object, and stays as it is.
void *
gc_debug_annotate(const char *caller, void *object, size_t bytes, const char *file, int line) {
  if (!object) {
    gc_log("%s(%zu) returns NULL (%s:%d)", caller, bytes, file ? file : "unknown", line);
    return NULL;
  }
  if (!gc_annotation_any)
    GC_register_displacement(GC_ANNOTATION_BYTES);
  gc_lock_acquire(&gc_lock);
  struct gc_ref ref = gc_heap_resolve(object);
  void *annotated = ref.start == object ? gc_annotation_add(ref, bytes, file, line) : object;
  gc_lock_release(&gc_lock);
  return annotated;
}

void *
GC_debug_malloc(size_t bytes, const char *file, int line) {
  return gc_debug_annotate("GC_debug_malloc", GC_malloc(gc_annotation_request(bytes)), bytes, file, line);
}

void *
GC_debug_malloc_atomic(size_t bytes, const char *file, int line) {
  return gc_debug_annotate("GC_debug_malloc_atomic", GC_malloc_atomic(gc_annotation_request(bytes)), bytes,
                           file, line);
}

void *
GC_debug_malloc_uncollectable(size_t bytes, const char *file, int line) {
  return gc_debug_annotate("GC_debug_malloc_uncollectable",
                           GC_malloc_uncollectable(gc_annotation_request(bytes)), bytes, file, line);
}

void *
GC_debug_malloc_atomic_uncollectable(size_t bytes, const char *file, int line) {
  return gc_debug_annotate("GC_debug_malloc_atomic_uncollectable",
                           GC_malloc_atomic_uncollectable(gc_annotation_request(bytes)), bytes, file, line);
}

void *
GC_debug_malloc_ignore_off_page(size_t bytes, const char *file, int line) {
  return gc_debug_annotate("GC_debug_malloc_ignore_off_page",
                           GC_malloc_ignore_off_page(gc_annotation_request(bytes)), bytes, file, line);
}

void *
GC_debug_malloc_atomic_ignore_off_page(size_t bytes, const char *file, int line) {
  return gc_debug_annotate("GC_debug_malloc_atomic_ignore_off_page",
                           GC_malloc_atomic_ignore_off_page(gc_annotation_request(bytes)), bytes, file, line);
}

void *
GC_debug_malloc_stubborn(size_t bytes, const char *file, int line) {
  return GC_debug_malloc(bytes, file, line);
}

void *
GC_debug_malloc_uncollectable_replacement(size_t bytes) {
  return GC_debug_malloc_uncollectable(bytes, "unknown", 0);
}

void *
GC_debug_malloc_replacement(size_t bytes) {
  return GC_debug_malloc(bytes, "unknown", 0);
}

void *
gc_debug_allocate(size_t bytes, unsigned kind, const char *file, int line) {
  switch (kind) {
  case GC_KIND_ATOMIC:
    return GC_debug_malloc_atomic(bytes, file, line);
  case GC_KIND_UNCOLLECTABLE:
    return GC_debug_malloc_uncollectable(bytes, file, line);
  case GC_KIND_ATOMIC_UNCOLLECTABLE:
    return GC_debug_malloc_atomic_uncollectable(bytes, file, line);
  default:
    return GC_debug_malloc(bytes, file, line);
  }
}

// ---- Strings -------------------------------------------------------------------------------------------

static void *
copy(const void *from, size_t bytes, size_t terminator_bytes, const char *file, int line) {
  char *to = GC_debug_malloc_atomic(bytes + terminator_bytes, file, line);
  if (!to) {
    errno = ENOMEM;
    return NULL;
  }
  memcpy(to, from, bytes);
  memset(to + bytes, 0, terminator_bytes);
  return to;
}

char *
GC_debug_strdup(const char *string, const char *file, int line) {
  return string ? copy(string, strlen(string), 1, file, line) : NULL;
}

char *
GC_debug_strndup(const char *string, size_t limit, const char *file, int line) {
  return copy(string, strnlen(string, limit), 1, file, line);
}

wchar_t *
GC_debug_wcsdup(const wchar_t *string, const char *file, int line) {
  return copy(string, wcslen(string) * sizeof *string, sizeof *string, file, line);
}

// ---- Free and realloc ----------------------------------------------------------------------------------

static bool
is_at_annotated_place(struct gc_ref ref, const void *object) {
  return (const char *)object == ref.start + GC_ANNOTATION_BYTES;
}

static void
tell_damage(const char *what, const char *damage, const struct gc_description *description) {
  char text[GC_DESCRIPTION_BYTES];
  gc_log("GC_debug_free: %s at %p, in or near %s", what, (const void *)damage,
         gc_description_print(description, text));
  gc_findings_note();
}

// Look whether an object that the program frees is sound, and note that it does.  false if it has done so
// before.
static bool
retire(struct gc_ref ref) {
  gc_lock_acquire(&gc_lock);
  bool gone = !gc_slot_is_object(*ref.byte) || gc_cache_has_unused(gc_cache_current, ref.start, ref.page);
  bool retired = gone || gc_annotation_state_of(ref) == GC_IS_RETIRED;
  const char *damage = retired ? ref.start : gc_annotation_damage(ref);
  struct gc_description description = gc_description_of(ref);
  if (!retired)
    gc_annotation_retire(ref);
  gc_lock_release(&gc_lock);
  if (damage)
    tell_damage(retired ? "found an object freed before" : "found a smashed location", damage, &description);
  return !retired;
}

// In libgc an object that is annotated keeps its memory until a collection finds that nothing refers to it,
// so that what the program writes there does no harm.
static bool
goes_at_once(struct gc_ref ref, bool annotated) {
  bool for_leaks = GC_READ(GC_find_leak) && !(annotated && gc_tunables.findleak_delay_free);
  return for_leaks || gc_kind_is_uncollectable(ref.kind);
}

void
GC_debug_free(void *object) {
  if (!object)
    return;
  gc_init_ensure();
  struct gc_ref ref = gc_heap_slot_at(object);
  GC_CHECK(ref.start, "GC_debug_free: %p does not lie in an object of the heap", object);
  bool annotated = is_at_annotated_place(ref, object);
  if (!annotated)
    gc_log("GC_debug_free: %p was allocated without debugging", object);
  else if (!retire(ref))
    return;
  if (goes_at_once(ref, annotated))
    GC_free(ref.start);
  else
    gc_annotation_fill(object, ref.start + ref.bytes);
}

void *
GC_debug_realloc(void *object, size_t bytes, const char *file, int line) {
  if (!object)
    return GC_debug_malloc(bytes, file, line);
  if (bytes == 0) {
    GC_debug_free(object);
    return NULL;
  }
  gc_init_ensure();
  struct gc_ref ref = gc_heap_resolve(object);
  GC_CHECK(ref.start, "GC_debug_realloc: %p does not lie in an object of the heap", object);
  if (!is_at_annotated_place(ref, object)) {
    gc_log("GC_debug_realloc: %p was allocated without debugging", object);
    return GC_realloc(object, bytes);
  }
  struct gc_description old = gc_description_of(ref);
  void *moved = gc_debug_allocate(bytes, ref.kind, file, line);
  if (moved) {
    memcpy(moved, object, gc_min(old.bytes, bytes));
    GC_end_stubborn_change(moved);
    GC_debug_free(object);
  }
  return moved;
}

void *
GC_debug_reallocf(void *object, size_t bytes, const char *file, int line) {
  void *moved = GC_debug_realloc(object, bytes, file, line);
  if (!moved && bytes > 0)
    GC_debug_free(object);
  return moved;
}

void *
GC_debug_reallocf_replacement(void *object, size_t bytes) {
  return GC_debug_reallocf(object, bytes, "unknown", 0);
}

// As much of it as is the program's; what is no object is left to GC_debug_free to complain of.
void
GC_debug_freezero(void *object, size_t bytes) {
  struct gc_ref ref = gc_heap_resolve(object);
  if (object && ref.start)
    explicit_bzero(object, gc_min(bytes, gc_description_of(ref).bytes));
  GC_debug_free(object);
}

void *
GC_debug_realloc_replacement(void *object, size_t bytes) {
  return GC_debug_realloc(object, bytes, "unknown", 0);
}

// ---- Telling writes, displacements ---------------------------------------------------------------------

void
GC_debug_change_stubborn(const void *object) {
  (void)object;
}

void
GC_debug_end_stubborn_change(const void *object) {
  const void *base = GC_base((void *)(uintptr_t)object);
  GC_CHECK(base, "GC_debug_end_stubborn_change: %p does not lie in an object of the heap", object);
  GC_end_stubborn_change(base);
}

void
GC_debug_ptr_store_and_dirty(void *place, const void *value) {
  *(void **)GC_is_visible(place) = GC_is_valid_displacement((void *)(uintptr_t)value);
  GC_debug_end_stubborn_change(place);
  GC_reachable_here(value);
}

void
GC_debug_register_displacement(size_t displacement) {
  GC_register_displacement(displacement);
  GC_register_displacement(displacement + GC_ANNOTATION_BYTES);
}

// ---- Leaks ---------------------------------------------------------------------------------------------

void
GC_set_find_leak(int on) {
  GC_WRITE(GC_find_leak, on);
}

int
GC_get_find_leak(void) {
  return GC_READ(GC_find_leak);
}
