// Ephemerons (Hayes 1997): pairs of a key and a value, which is kept as long as the key can be reached, and
// the ephemeron, without it.
//
// An ephemeron is an object of two words, key and value, hidden.  What must hold after marking is a fixpoint:
// a value that is marked may lead to the keys of others.  Each ephemeron that cannot be decided waits for one
// object, itself or its key; and while values are traced, each object that is newly marked is looked up among
// those that are waited for.  So the time is linear in the ephemerons and in what their values lead to.
//
// Invariant old-stays-old: of one that is not young neither it nor its key or value is new.
//
// All [gc_lock]; the _stw ones with the world stopped, after marking.
#pragma once

#include "refs/hidden.h"
#include "refs/scope.h"

// In the ephemeron's object.
struct gc_ephemeron {
  uintptr_t hidden_key, hidden_value; // 0: broken
};

// Register one; its key may be no object and then counts as reachable.  false if memory is refused.
bool gc_ephemerons_add(struct gc_ephemeron *ephemeron, void *key, void *value);

// Give one that is registered another value.
void gc_ephemerons_set_value(struct gc_ephemeron *ephemeron, void *value);

size_t gc_ephemerons_count(void);
size_t gc_ephemerons_young_count(void); // those that the next minor cycle looks at
size_t gc_ephemerons_check(void);

// Mark the values that are to stay.  The same again, if more has been marked since, by others.  Then break
// those ephemerons whose keys are not marked.
void gc_ephemerons_settle_stw(struct gc_ref_scope scope);
void gc_ephemerons_settle_again_stw(void);
void gc_ephemerons_break_stw(void);

// While a concurrent cycle marks: mark the values of those that can be decided, and note the others, `nodes`
// more from *position on.  false when all have been looked at.
bool gc_ephemerons_look_ahead(size_t *position, size_t nodes);

// After that: those whose objects have been marked are young no more.  As gc_ref_table_review_young.
size_t gc_ephemerons_review(size_t *position, size_t nodes);
