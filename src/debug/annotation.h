// Annotated objects: what GC_debug_malloc and its kin allocate.
//
//   | file | line | bytes | start mark | what the program sees ... | end mark |  (spare)  | end mark |
//   ^ GC_base                          ^ 32 bytes on               ^ in the next word     ^ the last word
//
// The marks are made from the object's address, so that a copy of them, or what another object has left
// behind, is none.  Who writes beyond his object hits a mark.
//
//   plain --annotate--> annotated --retire--> retired
//     ^                     |                    |
//     +----- forget: given back, or found dead --+
//
// A retired object has been given to GC_debug_free and is filled with GC_ANNOTATION_FILLER, but nobody else
// gets its memory before a collection finds that nothing refers to it.
//
// Invariant, which lets the marks be believed: no slot that is not an object bears both marks of its address.
// So who gives an object back, or finds it dead, makes it plain.
//
// All [gc_lock, or stw], since a pause looks at the marks.
#pragma once

#include "heap/heap.h"

// As the program knows it by GC_get_debug_header_size.
struct gc_annotation {
  const char *file;
  intptr_t line;
  size_t bytes; // as asked for; of a retired object those of its slot
  uintptr_t start_mark;
};
#define GC_ANNOTATION_BYTES sizeof(struct gc_annotation)
_Static_assert(sizeof(struct gc_annotation) == 32, "libgc's size");

#define GC_ANNOTATION_FILLER UINT64_C(0xEFBEADDEDEADBEEF)

enum gc_annotation_state { GC_IS_PLAIN, GC_IS_ANNOTATED, GC_IS_RETIRED };

// Set, for good, by the first annotation.  [gc_lock; read racily]
extern bool gc_annotation_any;

// What to ask for so that `bytes` bytes can be annotated; SIZE_MAX if that is too much.
size_t gc_annotation_request(size_t bytes);

// Annotate an object that was allocated so.  Returns what the program gets.
void *gc_annotation_add(struct gc_ref ref, size_t bytes, const char *file, int line);

enum gc_annotation_state gc_annotation_state_of(struct gc_ref ref);

static inline struct gc_annotation *
gc_annotation_of(struct gc_ref ref) {
  return (struct gc_annotation *)(void *)ref.start;
}

// The first mark that is not what it ought to be; NULL if all are.  For a retired object that is its size.
const char *gc_annotation_damage(struct gc_ref ref);

// Note that the program has freed the object.  Who does that fills it afterwards, without the lock.
void gc_annotation_retire(struct gc_ref ref);
void gc_annotation_fill(char *from, const char *limit);

// Where a retired object was written to; NULL if nowhere.
const char *gc_annotation_use_after_free(struct gc_ref ref);

// Make an object plain, if it is not.
void gc_annotation_forget(struct gc_ref ref);
