// Giving back the memory of free slots in pages that are in use.
//
// A page of 64 KiB that was full of objects once is kept by the few that live on.  A program's start, or one
// of its phases, leaves such pages in most size classes.  Caches take the emptiest pages first, and go on at
// the start of those that they own: so where nothing has been allocated for a while there is more room than
// the class needs.  The system gets the memory of the gaps between the objects there, as far as these hold
// whole pages of the system's.  When a cache comes to such a page after all it finds zeros.
//
//   objects   |##|                    |##|##|                         |##|
//   memory    |----|                |----------|                  |------|----|      OS pages
//                   ^ given back ^              ^  given back  ^
//
//             at least half free, and nothing           a quarter of LOAM_RELEASE later
//             allocated since the last cycle            still so
//   (in use) --------------------------------> RESTING --------------------------------> EMPTIED
//      ^                                         | ^                                        |
//      +----- a cache takes from the page -------+ +------- more of its objects die --------+
//
// Of itself not in heaps of huge pages, which that would break up.
#pragma once

#include "base/types.h"

// In each pause in which caches are restarted: first begin, then rest for each page that a cache owns and was
// idle in since the last cycle, too.  Few are emptied in one pause.  [gc_lock]
void gc_gaps_begin_stw(void);
void gc_gaps_rest(uint32_t page);

// Before a cycle, when all is swept: look at pages that no cache owns, not all at once in a large heap.
// [gc_lock]
void gc_gaps_look(void);

// Give back all gaps in the pages that no cache owns, from page *from on, as far as `pages` pages, and move
// *from on.  false at the heap's end.  [gc_lock]
bool gc_gaps_release_some(uint32_t *from, uint32_t pages);
