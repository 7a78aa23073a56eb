// Which parts of the heap may have been written since they were last searched: what os/writes.h has noticed
// in armed pages, and all of the pages that are not armed.
//
//          take_page, large object              arm
//   (free) ----------------------> open ------------------> armed
//                                   ^                          |
//                                   +--------- open -----------+   a cache takes it to allocate in
//
// Open pages count as written; so allocation takes no write faults, save the first in the page of a cache
// that was idle.  A page is armed when it is not being allocated in, even if such a cache owns it;
// pointer-free ones never are.  Invariant
// written-or-searched: an object that bears the current mark, and refers to a white one, lies in an open page
// or a page that the next harvest reports; or it is grey.  Between cycles, where old objects bear the mark
// and new ones are white, it makes minor cycles possible; within a concurrent one, with roots added, it is
// what the last pause relies on.
//
// All [gc_lock].
#pragma once

#include "os/memory.h"

// Whether a page may hold pointers and is open, and no cache allocates in it.
bool gc_remember_may_arm(size_t page);

// Arm those pages in [page, limit); if `settled`, only those that will not soon be allocated in again.
void gc_remember_arm(size_t page, size_t limit, bool settled);

// Ask what was written in [page, limit), and arm it again.
void gc_remember_harvest(size_t page, size_t limit);

// Append what was found written in [page, limit), and open pages if `open`, to `written`, and forget it;
// without `written` only forget it.  Each range lies in one page.  false if memory is refused: some of it
// is then lost, and all must be disarmed.
bool gc_remember_gather(size_t page, size_t limit, bool open, struct gc_range_array *written);

// A program that writes all over a table while a concurrent cycle marks would take a fault for each OS page
// of it after each pass.  Such pages are *hot*: they are left open until the program is held back.
//
// Pages become hot of which a quarter was found written.  What was found there leaves `written`.  Returns how
// many were not hot before.
size_t gc_remember_take_hot(struct gc_range_array *written);

// Arm all others.  Returns how many stay open because they are hot.
size_t gc_remember_arm_cool(size_t page, size_t limit);

// No page is hot any more.
void gc_remember_forget_hot(void);

// Nothing is armed any more in [page, limit).
void gc_remember_disarm(size_t page, size_t limit);

// In a forked child, where nothing is armed.
void gc_remember_after_fork_child(void);
