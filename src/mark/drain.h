// Draining a mark stack: the marker's inner loop, one function for each instruction set.
#pragma once

#include "base/types.h"
#include "mark/stack.h"

struct gc_marker;

// Scan until the stack is empty or about `budget` entries have been scanned.  Returns how many have.
typedef size_t gc_drain(struct gc_marker *marker, size_t budget);

// The best one for this CPU.
gc_drain *gc_drain_choose(void);

// Without vectors.
gc_drain gc_drain_scalar;

// For the inner loop: push a large object, whose length its page descriptor does not hold.  Returns the new
// top, below which there is again room for what scanning an entry can push.
gc_mark_entry *gc_marker_push_large(struct gc_marker *marker, gc_mark_entry *top, size_t first_page);

// For the inner loop: scan an object whose kind has a descriptor, marking and pushing what it refers to.
// Returns the new top, with room as above.
gc_mark_entry *gc_marker_scan_described(struct gc_marker *marker, gc_mark_entry *top, size_t granule);

// For the inner loop: make room for what scanning one entry can push.  Returns the top, moved with the
// stack if it grew.  If it cannot grow, entries are dropped, and the stack says so.
gc_mark_entry *gc_marker_make_room(struct gc_marker *marker, gc_mark_entry *top);
