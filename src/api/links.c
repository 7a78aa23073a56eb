// gc.h, "Disappearing links".
#include "refs/links.h"

#include "api/init.h"
#include "base/check.h"
#include "base/lock.h"
#include "base/variables.h"
#include "gc.h"
#include "heap/heap.h"
#include "refs/run.h"
#include "refs/toggles.h"

_Static_assert(GC_TOGGLE_REF_DROP == (int)GC_TOGGLE_DROP && GC_TOGGLE_REF_STRONG == (int)GC_TOGGLE_STRONG &&
                   GC_TOGGLE_REF_WEAK == (int)GC_TOGGLE_WEAK,
               "gc.h and toggles.h agree");

static int
result_of(enum gc_linked linked) {
  static const int results[] = {
      [GC_LINKED] = GC_SUCCESS,
      [GC_LINKED_BEFORE] = GC_DUPLICATE,
      [GC_LINK_REFUSED] = GC_NO_MEMORY,
      [GC_LINK_UNKNOWN] = GC_NOT_FOUND,
  };
  return results[linked];
}

static bool
is_aligned(void **link) {
  return (uintptr_t)link % sizeof(void *) == 0;
}

static int
register_link(enum gc_link_sort sort, void **link, const void *object, const char *caller) {
  gc_init_ensure();
  GC_CHECK(is_aligned(link), "%s: the link %p is not aligned", caller, (void *)link);
  if (GC_READ(GC_find_leak))
    return GC_UNIMPLEMENTED;
  gc_lock_acquire(&gc_lock);
  enum gc_linked linked = gc_links_register(sort, link, object);
  gc_lock_release(&gc_lock);
  return result_of(linked);
}

static int
move_link(enum gc_link_sort sort, void **link, void **new_link, const char *caller) {
  gc_init_ensure();
  GC_CHECK(is_aligned(new_link), "%s: the link %p is not aligned", caller, (void *)new_link);
  gc_lock_acquire(&gc_lock);
  enum gc_linked linked = gc_links_move(sort, link, new_link);
  gc_lock_release(&gc_lock);
  return result_of(linked);
}

static int
unregister_link(enum gc_link_sort sort, void **link) {
  gc_init_ensure();
  gc_lock_acquire(&gc_lock);
  bool unregistered = gc_links_unregister(sort, link);
  gc_lock_release(&gc_lock);
  return unregistered;
}

int
GC_register_disappearing_link(void **link) {
  gc_init_ensure();
  const char *base = gc_heap_resolve(link).start;
  GC_CHECK(base, "GC_register_disappearing_link: %p does not lie in an object", (void *)link);
  return GC_general_register_disappearing_link(link, base);
}

int
GC_general_register_disappearing_link(void **link, const void *object) {
  return register_link(GC_LINK_ORDINARY, link, object, "GC_general_register_disappearing_link");
}

int
GC_move_disappearing_link(void **link, void **new_link) {
  return move_link(GC_LINK_ORDINARY, link, new_link, "GC_move_disappearing_link");
}

int
GC_unregister_disappearing_link(void **link) {
  return unregister_link(GC_LINK_ORDINARY, link);
}

int
GC_register_long_link(void **link, const void *object) {
  return register_link(GC_LINK_LONG, link, object, "GC_register_long_link");
}

int
GC_move_long_link(void **link, void **new_link) {
  return move_link(GC_LINK_LONG, link, new_link, "GC_move_long_link");
}

int
GC_unregister_long_link(void **link) {
  return unregister_link(GC_LINK_LONG, link);
}

// ---- Toggle references ---------------------------------------------------------------------------------

void
GC_set_toggleref_func(GC_toggleref_func function) {
  gc_run_settings.toggle = (int (*)(void *))function;
}

GC_toggleref_func
GC_get_toggleref_func(void) {
  return (GC_toggleref_func)gc_run_settings.toggle;
}

int
GC_toggleref_add(void *object, int is_strong) {
  gc_init_ensure();
  if (!gc_run_settings.toggle)
    return GC_SUCCESS;
  gc_lock_acquire(&gc_lock);
  bool added = gc_toggles_add(object, is_strong);
  gc_lock_release(&gc_lock);
  return added ? GC_SUCCESS : GC_NO_MEMORY;
}
