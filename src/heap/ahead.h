// Memory ahead of its use, and in huge pages as long as the system is quick to give them.
//
//            large enough          the system is quick          some of late were slow
//   UNTRIED --------------> ON_TRIAL ---------------> QUICK ---------------------------> SLOW
//      ^                        |                                                         ^ |
//      |                        +---------------------------------------------------------+ |
//      +------------------------------------------------------------------------------------+
//                                   the heap is twice as large
#pragma once

#include "base/types.h"

enum gc_huge_state { GC_HUGE_UNTRIED, GC_HUGE_ON_TRIAL, GC_HUGE_QUICK, GC_HUGE_SLOW };

// The heap has been committed further: ask for huge pages there if they come quickly, and for none if they do
// not; in one growing range, so that it costs one mapping more, and two others only during a trial.
// [gc_lock]
void gc_ahead_ask_for_huge_pages(void);

// The system has taken so long for one, in CPU time: on trial; or of those that are asked for.  [gc_lock]
void gc_ahead_end_trial(uint64_t huge_page_ns);
void gc_ahead_learn(uint64_t huge_page_ns);

// These pages come into use, and have had no memory: those beside them are probably next.  [gc_lock]
void gc_ahead_look(uint32_t page, uint32_t pages, bool pointers);

// Have the system give memory that is probably going to be used next.  While gc_heap.wants_ahead does not
// change there is no more to do.  Takes gc_lock.
void gc_ahead_populate(void);
