// Finalizers and cleaners: who has registered what, and what becomes ready when an object dies.
//
// Of a registration:
//
//                     register                 pause: the object is dead          taken
//   (none) ------------------> registered --------------------------> ready ---------------> called
//      ^                        |     ^                                |
//      +--- taken back, freed --+     +-- unreachable: still reached --+
//
// Invariants:
//   old-stays-old    a registration that is not young refers to an object that has the current mark between
//                    cycles; so minor cycles look at young ones only
//   ready-is-alive   the object and the data of what is ready are roots until it is taken
//
// All [gc_lock]; the _stw ones with the world stopped, after marking.
#pragma once

#include "refs/ready.h"
#include "refs/scope.h"

enum gc_finalizer_sort {
  GC_FINALIZER_IS_ORDERED,
  GC_FINALIZER_IS_IGNORE_SELF,
  GC_FINALIZER_IS_NO_ORDER,
  GC_FINALIZER_IS_UNREACHABLE,
  GC_FINALIZER_IS_CLEANER
};

struct gc_registration {
  void (*function)(void); // NULL: none
  void *data;
  enum gc_finalizer_sort sort;
  uint32_t queue; // its number, see queues.h
};

enum gc_registered { GC_REGISTERED, GC_NOT_AN_OBJECT, GC_NO_ROOM, GC_NO_STRONG_ROOM };

// Register a finalizer for `object`, or take it back if its function is NULL; *old becomes what was
// registered, if anything was. With GC_NO_STRONG_ROOM nothing has changed: give strong.h a chunk and try
// again.
enum gc_registered gc_finalizers_register(void *object, const struct gc_registration *new,
                                          struct gc_registration *old);

// Cleaners, of which an object may have several.  Take back: false if there is none such.
enum gc_registered gc_finalizers_add_cleaner(void *object, const struct gc_registration *cleaner);
bool gc_finalizers_remove_cleaner(void *object, void (*function)(void), void *data);

// The object is being freed: forget all that is registered for it.
void gc_finalizers_forget(void *object);

// Whether that is of use.  For a page that is `referred`; without a lock, since nobody else has the object.
bool gc_finalizers_seem_to_know(const void *object);

// Make all finalizers ready, whether their objects are dead or not.  Returns how many.
size_t gc_finalizers_make_all_ready(void);

// What the registrations since the last cycle count for in its budget, in bytes.  [racy: a hint]
size_t gc_finalizers_pressure_bytes(void);

// How many are registered.
size_t gc_finalizers_count(void);

// Dead objects that were found, since the last call, to keep others until their finalizers have been called.
// [gc_cycle_lock]
size_t gc_finalizers_take_keepers(void);
size_t gc_finalizers_check(void); // faults in the table

// Call `visit` with the objects that have finalizers.
void gc_finalizers_each(void (*visit)(void *object));

// Decide which finalizers become ready, and mark what they keep.  Then, when all that is going to be marked
// is: which cleaners.
void gc_finalizers_settle_stw(struct gc_ref_scope scope);
void gc_finalizers_settle_cleaners_stw(struct gc_ref_scope scope);

// Note registrations whose objects are white so far, `nodes` more from *position on: a later pause needs to
// look at these only.  false when all have been looked at.  While marking.
bool gc_finalizers_look_ahead(size_t *position, size_t nodes);

// Before that: from a position on, skip registrations that it would note nothing of, `nodes` at most, and
// return where it has come to.  Others may register meanwhile: such registrations are young, and looked at
// with those.  [no lock but gc_cycle_lock]
size_t gc_finalizers_skip_ahead(size_t position, size_t nodes);

// After that: those whose objects have been marked are young no more.  As gc_ref_table_review_young.
size_t gc_finalizers_review(size_t *position, size_t nodes);

// Warnings of the last pause about cycles of finalizable objects, given while the world runs.
void gc_finalizers_warn(void);

// The settings of gc.h that are no variables (base/variables.h).
struct gc_finalizer_settings {
  void (*await)(void *object); // NULL: none
  size_t bytes_each;           // a hundred times what a registration counts for in the budget
};
extern struct gc_finalizer_settings gc_finalizer_settings;
