// Kinds that programs make, and their descriptors, which say where objects have pointers.
//
// A descriptor is a word whose two low bits are a tag (libgc's format, which programs write):
//
//   LENGTH      the first so many bytes of the object are scanned
//   BITMAP      the word's upper 62 bits, the highest first, say which of the first 62 words are scanned
//   PROCEDURE   bits 2 to 7 are the number of a mark procedure, those above are handed to it
//   PER_OBJECT  the descriptor is in the object: so many bytes from its start; or, if the word is negative,
//               in the type that the object's first word points to
//
// A kind has one descriptor for all its objects.
#pragma once

#include "base/types.h"
#include "heap/classes.h"

enum gc_descriptor_tag {
  GC_DESCRIPTOR_LENGTH,
  GC_DESCRIPTOR_BITMAP,
  GC_DESCRIPTOR_PROCEDURE,
  GC_DESCRIPTOR_PER_OBJECT
};

enum { GC_DESCRIPTOR_TAG_BITS = 2, GC_PROCEDURE_BITS = 6, GC_BITMAP_BITS = 62 };
#define GC_PROCEDURES_MAX ((size_t)1 << GC_PROCEDURE_BITS)
#define GC_PROCEDURES_RESERVED 8 // numbers below are never given out

// What a type's own descriptor is away from where a negative PER_OBJECT descriptor points.
#define GC_INDIRECTION_BIAS 0x10

// Tells of the objects that it refers to by gc_describe_found, and returns the entry that the last of these
// calls returned.
struct GC_ms_entry;
typedef struct GC_ms_entry *gc_mark_procedure(uintptr_t *object, struct GC_ms_entry *entry,
                                              struct GC_ms_entry *limit, uintptr_t environment);

// Asked what else is to be marked when marking has come to its end.
typedef struct GC_ms_entry *gc_mark_stack_empty(struct GC_ms_entry *entry, struct GC_ms_entry *limit);
extern gc_mark_stack_empty *gc_on_mark_stack_empty; // NULL: nobody is [gc_lock]

// Asked about each object of the kind that is about to be freed; non-zero: it lives until the next cycle.
// Under gc_lock.
typedef int gc_disclaim(void *object);

struct gc_kind_description {
  uintptr_t descriptor;
  bool add_size; // the object's size is to be added to it
  bool mark_from_all;
  gc_disclaim *disclaim;                      // NULL: none
  void (*describe)(void *object, char *text); // for reports; NULL: nobody can
};

// What follows changes under gc_lock, by adding only.
extern struct gc_kind_description gc_kinds[GC_KINDS]; // of all kinds; only DESCRIBED ones have descriptors
extern gc_mark_procedure *gc_procedures[GC_PROCEDURES_MAX];

// A new kind or procedure; 0 if there are none left.  One of the collector's own procedures may be called
// while the program runs.  [gc_lock]
unsigned gc_kind_make(uintptr_t descriptor, bool add_size);
unsigned gc_procedure_make(gc_mark_procedure *procedure);
unsigned gc_procedure_make_own(gc_mark_procedure *procedure);

bool gc_kind_exists(unsigned kind);

static inline enum gc_descriptor_tag
gc_descriptor_tag_of(uintptr_t descriptor) {
  return (enum gc_descriptor_tag)(descriptor & (((uintptr_t)1 << GC_DESCRIPTOR_TAG_BITS) - 1));
}

static inline size_t
gc_descriptor_procedure(uintptr_t descriptor) {
  return descriptor >> GC_DESCRIPTOR_TAG_BITS & (GC_PROCEDURES_MAX - 1);
}

// Must the world stand still while an object with this descriptor is scanned?  What a program's procedure
// looks at is the program's affair.
bool gc_descriptor_needs_stop(uintptr_t descriptor);

// Does what describes an object lie at its end, so that it would be lost with another length?
bool gc_kind_describes_at_end(unsigned kind);

// May objects of the kind refer to what lies in memory whose writes are not noticed?  Then they are searched
// in each cycle.
static inline bool
gc_kind_is_always_searched(unsigned kind) {
  return gc_kind_is_described(kind) && gc_descriptor_needs_stop(gc_kinds[kind].descriptor);
}
