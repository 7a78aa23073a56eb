// Memory ahead of its use, and in huge pages as long as the system is quick to give them.
#pragma once

#include "base/types.h"

// Ask for huge pages in what has been committed since the last time, once the heap is large.  In one growing
// range, so that it costs one mapping more and no others.  [gc_lock]
void gc_ahead_ask_for_huge_pages(void);

// The system has taken so long for one, in CPU time.  If that is too much as a rule small ones are used,
// until the heap is twice as large; then it is tried again.  [gc_lock]
void gc_ahead_learn(uint64_t huge_page_ns);

bool gc_ahead_are_huge_pages_slow(void);

// These pages come into use, and have had no memory: those beside them are probably next.  [gc_lock]
void gc_ahead_look(uint32_t page, uint32_t pages, bool pointers);

// Have the system give memory that is probably going to be used next.  While gc_heap.wants_ahead does not
// change there is no more to do.  Takes gc_lock.
void gc_ahead_populate(void);
