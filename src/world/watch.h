// Static roots that are watched: a search passes over their OS pages in which nothing was written since an
// earlier one, whose objects are marked.  So minor cycles, and the later pauses of concurrent ones, do not
// follow the size of static data.
//
// All [gc_lock, or stw] unless said otherwise.
#pragma once

#include "os/memory.h"
#include "world/search.h"

// These ranges, normalized, are searched from now on.  false if memory is refused: none is watched then.
bool gc_watch_set(const struct gc_range_array *ranges);

// Append what is to be read of them to `roots`.  Where `later` is not NULL, what may be read beside the
// program is appended to it instead, as it will be, before the next search that counts on it: where the
// program writes in the meantime is found then.  false if memory is refused.  [stw]
bool gc_watch_push_stw(const struct gc_range_array *ranges, struct gc_range_array *roots,
                       struct gc_range_array *later, enum gc_search_which which);

// How many bytes the last search has passed over, or put off.  [racy]
size_t gc_watch_passed_over_bytes(void);

// Append to `later` what was written in what need not be read, and begin that question anew.  The world may
// run.  It will be read as what was put off is.
void gc_watch_find_written(struct gc_range_array *later);

// Append what the last search was to read.  false if memory is refused.
bool gc_watch_push_read(struct gc_range_array *later);

// What was put off could not be read here: the next search reads all of what is watched that has a part in
// `range`.
void gc_watch_forget(struct gc_range range);

// The marks have flipped, or what was appended last was not searched to the end: all must be read.  [stw]
void gc_watch_forget_searched_stw(void);

// In a forked child nothing is watched.
void gc_watch_after_fork_child(void);
