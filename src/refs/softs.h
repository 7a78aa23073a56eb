// Soft references: links that keep their objects for a while after they were last got, the longer the more
// memory there is.  Full cycles decide; for minor ones they are strong.
//
// All [gc_lock].
#pragma once

#include "refs/scope.h"

// The object of a weak reference of any sort: the link, and for soft ones when it was last got.
struct gc_weak_ref {
  uintptr_t hidden; // as in hidden.h; 0: cleared
  uint32_t sort;    // enum gc_link_sort
  uint32_t got_ms;  // of the heap's clock
};

// Before a full cycle: when a reference must have been got last to be kept; never, if memory is short.
void gc_softs_begin(bool memory_is_short);

// Mark what those that are kept refer to, as far as they can be reached.  false if nothing was left to mark.
// [stw]
bool gc_softs_keep_stw(struct gc_ref_scope scope);

// The same, without draining, while a concurrent cycle marks: `nodes` more from *position on.  false when all
// have been looked at.
bool gc_softs_look_ahead(size_t *position, size_t nodes);
