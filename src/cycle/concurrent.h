// Concurrent cycles: full ones of which most is done while the program runs.
//
//          arm, start (a pause)
//   IDLE ----------------------> MARKING <------------+
//    ^ all disarmed                 | stack empty      | the pause took too long and was called off
//   SETTLING                        |                  |
//    ^ all swept                    v                  |
//   SWEEPING <-- LOOKING_AHEAD <-- REMARKING            |
//       finish (a pause) |          |     ^            |
//                        +----------|-----|------------+
//                                   +-----+ a pass over the heap searches what was written; after the first
//                                           blacken (a pause); another one follows while passes find much,
//                                           up to a limit
//
// Objects are born white until `blacken`: what dies by then is neither searched nor kept, and what lives is
// found by looking at the roots once more.  From there on they are born black, so that the last pause need
// not trace them.  Without much born the pause in between is left out.
//
// LOOKING_AHEAD is for references (refs/refs.h): the last pause then looks at few of them.
//
// The work is done in slices, each under gc_cycle_lock: by a thread of its own where there is more than one
// CPU, else by allocating threads; and by GC_collect_a_little.  From the third pass on (the second, if
// nothing was blackened or there are hot pages: remember.h), and when they have allocated more than the pacer
// allows for, allocating threads wait for a slice each time they need more memory: so what is written shrinks
// from pass to pass, however fast the program writes.  Meanwhile they mark as guests (mark/team.h), without
// that lock.  Where that is cheaper because nearly all pages are hot, they do so from the start to the end.
//
// Invariant in force between slices (after Dijkstra et al. 1978, with the kernel's protection as the barrier;
// Boehm, Demers and Shenker 1991): what a marked object refers to is marked, or the marked object is grey, or
// it lies where the program may have written since it was searched (remember.h).  Roots count as written.
#pragma once

#include "base/types.h"

// [gc_cycle_lock]
bool gc_concurrent_is_under_way(void);

// Before a full cycle in one pause, arm what is not being allocated in, while the world runs.
void gc_concurrent_arm(void);

// After a cycle, disarm all, unless minor cycles rely on it, or a concurrent one may come and the program
// will write so little before that, `expected_bytes` in OS pages (SIZE_MAX: that is not known), that to arm
// all again would be dearer.
void gc_concurrent_settle(size_t expected_bytes);

// So much has been found written by a minor cycle that was called off; SIZE_MAX: it had not come to that.
void gc_concurrent_note_written(size_t written_bytes);

// What has been learnt of hot pages may not hold any more: the program has asked for a collection, say.
void gc_concurrent_expect_another_phase(void);

// Begin a cycle; none is under way.  false if it was called off.  [gc_cycle_lock, spilled]
bool gc_concurrent_start(void);

// Do a slice.  true if the cycle is still under way after it.  [gc_cycle_lock, spilled]
bool gc_concurrent_slice(void);

// What an allocating thread does that has used up its budget, where no other thread does it.  Returns whether
// a cycle has been finished.  [gc_cycle_lock, spilled]
bool gc_concurrent_assist(void);

// Finish the cycle under way, if any, with the world stopped as long as that takes.  false if it cannot be
// stopped: then it is still under way.  [gc_cycle_lock, spilled]
bool gc_concurrent_complete(void);

// Should allocating threads wait, although their budget is not used up?  [racy]
bool gc_concurrent_is_throttling(void);

// The collector's thread may go on.
void gc_concurrent_wake(void);

// Wait until it is this thread's turn after slices of another, marking meanwhile.  false if none is going to
// do one.  No lock is held.
bool gc_concurrent_wait_for_slice(void);

void gc_concurrent_after_fork_child(void);
