// gc.h, "Weak references".
#include "api/init.h"
#include "base/hooks.h"
#include "base/lock.h"
#include "cycle/cycle.h"
#include "gc.h"
#include "heap/heap.h"
#include "refs/ephemerons.h"
#include "refs/hidden.h"
#include "refs/links.h"
#include "refs/softs.h"

// ---- References ----------------------------------------------------------------------------------------

static bool
register_reference(struct gc_weak_ref *reference, const void *object) {
  gc_lock_acquire(&gc_lock);
  enum gc_linked linked =
      gc_links_register((enum gc_link_sort)reference->sort, (void **)&reference->hidden, object);
  gc_lock_release(&gc_lock);
  return linked == GC_LINKED;
}

static GC_weak_ref *
new_reference(void *object, enum gc_link_sort sort) {
  struct gc_weak_ref *reference = GC_malloc_atomic(sizeof *reference);
  if (!reference || gc_heap_resolve(object).start != object)
    return NULL;
  *reference = (struct gc_weak_ref){gc_hide(object), sort, gc_heap.now_ms};
  if (!register_reference(reference, object))
    return NULL;
  GC_reachable_here(object);
  return (GC_weak_ref *)reference;
}

GC_weak_ref *
GC_weak_ref_new(void *object) {
  return new_reference(object, GC_LINK_ORDINARY);
}

GC_weak_ref *
GC_long_ref_new(void *object) {
  return new_reference(object, GC_LINK_LONG);
}

GC_weak_ref *
GC_soft_ref_new(void *object) {
  return new_reference(object, GC_LINK_SOFT);
}

// Read a hidden pointer where no pause can come between reading and revealing; from then on the caller's
// stack keeps the object.
static void *
reveal(const uintptr_t *hidden) {
  struct gc_cache *cache = gc_allocate_cache();
  if (!cache)
    return NULL;
  gc_cache_enter(cache);
  uintptr_t word = *(const volatile uintptr_t *)hidden;
  void *volatile object = word ? gc_reveal(word) : NULL;
  gc_cache_leave(cache);
  return object;
}

void *
GC_weak_ref_get(GC_weak_ref *public) {
  struct gc_weak_ref *reference = (struct gc_weak_ref *)public;
  if (reference->sort == GC_LINK_SOFT)
    reference->got_ms = gc_heap.now_ms;
  return reveal(&reference->hidden);
}

void
GC_weak_ref_clear(GC_weak_ref *public) {
  struct gc_weak_ref *reference = (struct gc_weak_ref *)public;
  gc_lock_acquire(&gc_lock);
  gc_links_unregister((enum gc_link_sort)reference->sort, (void **)&reference->hidden);
  reference->hidden = 0;
  gc_lock_release(&gc_lock);
}

void
GC_set_soft_ref_policy(unsigned long ms_per_free_mib) {
  gc_tunables.soft_ref_ms = (unsigned)gc_min(ms_per_free_mib, UINT32_MAX);
}

unsigned long
GC_get_soft_ref_policy(void) {
  return gc_tunables.soft_ref_ms;
}

// ---- Ephemerons ----------------------------------------------------------------------------------------

GC_ephemeron *
GC_ephemeron_new(void *key, void *value) {
  struct gc_ephemeron *ephemeron = GC_malloc_atomic(sizeof *ephemeron);
  if (!ephemeron)
    return NULL;
  gc_lock_acquire(&gc_lock);
  bool added = gc_ephemerons_add(ephemeron, key, value);
  gc_lock_release(&gc_lock);
  GC_reachable_here(key);
  GC_reachable_here(value);
  return added ? (GC_ephemeron *)ephemeron : NULL;
}

void *
GC_ephemeron_key(GC_ephemeron *ephemeron) {
  return reveal(&((struct gc_ephemeron *)ephemeron)->hidden_key);
}

void *
GC_ephemeron_value(GC_ephemeron *ephemeron) {
  return reveal(&((struct gc_ephemeron *)ephemeron)->hidden_value);
}

void
GC_ephemeron_set_value(GC_ephemeron *ephemeron, void *value) {
  gc_lock_acquire(&gc_lock);
  gc_ephemerons_set_value((struct gc_ephemeron *)ephemeron, value);
  gc_lock_release(&gc_lock);
  GC_reachable_here(value);
}
