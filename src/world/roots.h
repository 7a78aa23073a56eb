// What a collection searches.
//
//   of each thread   the live part of its stack, of an alternate signal stack it is on, its TLS (tls.h)
//   of each fiber    the live part of its stack while no thread is on it, unless it is known and unchanged
//   static           writable data of the program and its libraries, less what is excluded; ranges registered
#pragma once

#include "base/types.h"
#include "os/memory.h"

// Read the list of libraries for the first time.  [gc_cycle_lock]
void gc_roots_init(void);

// What to search, while the world is stopped: appended to `roots`.  Stacks from the stack pointer (with the
// red zone) to the base, alternate signal stacks in use, static and dynamic TLS, data segments (without
// RELRO, the gc_state section, excluded ranges), registered ranges. false if memory for the array was refused
// (the cycle must then be called off).
bool gc_roots_collect_stw(struct gc_range_array *roots);

// The same for a search, after which all that these and earlier roots refer to is marked: without stacks of
// fibers and static data that have not changed since an earlier one.  If that is not brought to its end, and
// when the marks flip, gc_roots_forget_searched_stw must be called.
//
// Static data that may be read beside the program is appended to `later`, unless that is NULL; it may be
// unmapped by then.  What cannot be read is to be told of by gc_roots_forget_put_off: the next search reads
// all of the ranges that it is in.
bool gc_roots_begin_search_stw(struct gc_range_array *roots, struct gc_range_array *later);
void gc_roots_find_written(struct gc_range_array *later); // since then; the world may run
void gc_roots_forget_put_off(struct gc_range range);
void gc_roots_forget_all_put_off(void);
void gc_roots_forget_searched_stw(void);

// Instead of forgetting all, where a concurrent cycle will go on: what the search was to read of static data
// must then be read beside the program.  It is appended to `later`; false if memory is refused.
void gc_roots_call_off_search_stw(void);
bool gc_roots_push_called_off(struct gc_range_array *later);

// How much static data the last search has passed over or put off.  [racy]
size_t gc_roots_passed_over_bytes(void);

// About how much static data there is, registered ranges included, before any search.  [gc_cycle_lock]
size_t gc_roots_static_bytes(void);

// In a forked child nothing is watched.
void gc_roots_after_fork_child(void);

// For the verifier: what the last search has been given.
bool gc_roots_collect_searched_stw(struct gc_range_array *roots);

// Appends roots that a higher layer knows of; false if memory is refused.  NULL: none.  [set once]
extern bool (*gc_roots_more_stw)(struct gc_range_array *roots);

// libgc's way for a program to tell of more: called while roots are collected, by the collecting thread.  It
// is a variable that programs change, and call the function that they have found there.
extern __attribute__((visibility("default"))) void (*GC_push_other_roots)(void);

// Has the program put one of its own there?
bool gc_roots_has_program_function(void);

// For that function: append a range.
void gc_roots_push(struct gc_range range);

// GC_add_roots and its kin; see gc.h.  They take gc_lock.  false if memory is refused.
bool gc_roots_add(struct gc_range range);
bool gc_roots_remove(struct gc_range range);
bool gc_roots_exclude(struct gc_range range);
void gc_roots_clear(void);
bool gc_roots_clear_excluded(void);

// Does the address lie in a segment that is searched because the program or a library is loaded?
bool gc_roots_has_segment_at(const void *address);

// Static data and registered ranges as the last collection searched them.  [gc_lock]
const struct gc_range_array *gc_roots_static(void);
