// gc.h, "Debugging": checks of pointers.
#include "api/init.h"
#include "base/check.h"
#include "gc.h"
#include "heap/heap.h"

static void
fail_same_obj(void *pointer, void *other) {
  gc_fail("GC_same_obj: %p and %p do not lie in the same object", pointer, other);
}

static void
fail_is_valid_displacement(void *pointer) {
  gc_fail("GC_is_valid_displacement: %p is no valid pointer to an object", pointer);
}

static void
fail_is_visible(void *pointer) {
  gc_fail("GC_is_visible: the collector does not see what is stored at %p", pointer);
}

GC_same_obj_print_proc_t GC_same_obj_print_proc = fail_same_obj;
GC_valid_ptr_print_proc_t GC_is_valid_displacement_print_proc = fail_is_valid_displacement;
GC_valid_ptr_print_proc_t GC_is_visible_print_proc = fail_is_visible;

// ---- The checks ----------------------------------------------------------------------------------------

// The slot that an address lies in; behind a large object there is none.
static struct gc_ref
slot_of(const void *address) {
  struct gc_ref ref = gc_heap_slot_at(address);
  if (ref.start && (uintptr_t)address - (uintptr_t)ref.start >= ref.bytes)
    ref.start = NULL;
  return ref;
}

// Does an address lie in the slot, or just past it if the object may end there?
static bool
belongs_to(struct gc_ref ref, const void *address) {
  size_t displacement = (uintptr_t)address - (uintptr_t)ref.start;
  return ref.start && displacement < ref.bytes + (gc_kind_may_end_at_next(ref.kind) ? 1 : 0);
}

void *
GC_same_obj(void *pointer, void *other) {
  gc_init_ensure();
  struct gc_ref ref = slot_of(pointer), other_ref = slot_of(other);
  bool neither = !ref.start && !other_ref.start;
  if (!neither && !belongs_to(ref, other) && !belongs_to(other_ref, pointer))
    GC_same_obj_print_proc(pointer, other);
  return pointer;
}

static bool
lies_in_heap(const void *address) {
  size_t offset = (uintptr_t)address - (uintptr_t)gc_heap.base;
  return offset >= GC_PAGE_BYTES && offset >> GC_PAGE_SHIFT < gc_heap.frontier;
}

static bool
is_valid(const void *pointer) {
  struct gc_ref ref = slot_of(pointer);
  size_t displacement = (uintptr_t)pointer - (uintptr_t)ref.start;
  if (!ref.start)
    return !lies_in_heap(pointer);
  return gc_heap.all_interior_pointers ||
         (displacement < GC_DISPLACEMENTS_MAX && gc_heap_displacements[displacement]);
}

void *
GC_is_valid_displacement(void *pointer) {
  gc_init_ensure();
  if (pointer && !is_valid(pointer))
    GC_is_valid_displacement_print_proc(pointer);
  return pointer;
}

// Of what lies outside the heap nothing is known: it may be on a stack.
void *
GC_is_visible(void *place) {
  gc_init_ensure();
  bool aligned = (uintptr_t)place % sizeof(void *) == 0;
  if (!aligned || (lies_in_heap(place) && !slot_of(place).start))
    GC_is_visible_print_proc(place);
  return place;
}

static void *
moved(void *pointer, ptrdiff_t bytes) {
  void *result = GC_same_obj((void *)((uintptr_t)pointer + (uintptr_t)bytes), pointer);
  return gc_heap.all_interior_pointers ? result : GC_is_valid_displacement(result);
}

void *
GC_pre_incr(void **pointer, ptrdiff_t bytes) {
  return *pointer = moved(*pointer, bytes);
}

void *
GC_post_incr(void **pointer, ptrdiff_t bytes) {
  void *before = *pointer;
  *pointer = moved(before, bytes);
  return before;
}

// ---- What happens then ---------------------------------------------------------------------------------

void
GC_set_same_obj_print_proc(GC_same_obj_print_proc_t function) {
  GC_same_obj_print_proc = function;
}

GC_same_obj_print_proc_t
GC_get_same_obj_print_proc(void) {
  return GC_same_obj_print_proc;
}

void
GC_set_is_valid_displacement_print_proc(GC_valid_ptr_print_proc_t function) {
  GC_is_valid_displacement_print_proc = function;
}

GC_valid_ptr_print_proc_t
GC_get_is_valid_displacement_print_proc(void) {
  return GC_is_valid_displacement_print_proc;
}

void
GC_set_is_visible_print_proc(GC_valid_ptr_print_proc_t function) {
  GC_is_visible_print_proc = function;
}

GC_valid_ptr_print_proc_t
GC_get_is_visible_print_proc(void) {
  return GC_is_visible_print_proc;
}
