// References: what a cycle decides about them, and when.
//
//   finalizers.h   functions to call when objects die, and cleaners
//   links.h        words that become 0
//   softs.h        which of them keep what was got lately
//   ephemerons.h   values that live as long as their keys
//   toggles.h      references that are now strong, now weak
//   queues.h       what is ready to be called
//   run.h          calling it
//   table.h        what all of them are kept in
//
// All of it is decided at the end of marking, in the pause, so that the program sees a cycle's decisions at
// once (at-once in gc.h), in this order:
//
//   0. what unexpired soft references refer to is marked
//   1. values of ephemerons whose keys are marked are marked, until nothing changes; the others lose both
//   2. ordinary links and weak references to white objects are cleared             links-first
//   3. what white finalizable objects refer to is marked; those still white become ready and are marked
//   4. links that lie in what is white now are forgotten
//   5. long links to white objects are cleared                                     long-last
//   6. cleaners of white objects become ready                                      cleaner-after
//
// From 3 on nothing becomes reachable that steps 1 and 2 have not taken from the program: it can only be
// reached through objects that are ready, which nobody has yet.
//
// A minor cycle looks at young registrations only (old-stays-old): those since the last cycle.  The last
// pause of a concurrent cycle also, if before it all others have been looked at (gc_refs_look_ahead) and
// those with white objects been noted as young: since an object that is marked stays so.  For the same reason
// young ones whose objects are marked by then are young no more.  A registration is made under gc_lock, never
// in a pause, and belongs to the next one.
#pragma once

#include "os/memory.h"

// Before a full cycle, while the world runs: ask the program about toggle references, decide about soft ones.
// Takes gc_lock.
void gc_refs_prepare(bool memory_is_short);

// What is ready, and strong toggle references.  false if memory is refused.  [stw]
bool gc_refs_roots_stw(struct gc_range_array *roots);

// Decide, after marking: about all registrations, or the young ones.  Marks more.  [stw]
void gc_refs_settle_stw(bool all, bool minor);

// While a concurrent cycle marks: begin to look ahead; some more, which may push on the collecting thread's
// stack; false when there is no more.  [gc_cycle_lock]
void gc_refs_begin_to_look_ahead(void);
bool gc_refs_look_ahead(void);

// Faults in the tables, each reported by one line to the log.  [gc_lock]
size_t gc_refs_check(void);
