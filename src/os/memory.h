// Memory from the operating system.  Address space is reserved once, committed upward, and released in
// place: the number of mappings stays constant however the heap grows and shrinks.
//
// Every call that can fail for want of memory goes through one counter, so that the stress switch can make
// the n-th one fail.
#pragma once

#include "base/types.h"

// 4096 on x86-64; asked from the kernel on others.
size_t gc_os_page_bytes(void);

// Those that lie in a range as a whole.  Without any its base is not below its limit.
struct gc_range gc_os_whole_pages(struct gc_range range);

// Reserve `bytes` of address space at a multiple of `alignment` (both multiples of the OS page), without
// access.  NULL if refused.
void *gc_os_reserve(size_t bytes, size_t alignment);

// Give back a reservation.
void gc_os_unreserve(void *base, size_t bytes);

// Make a part of a reservation readable and writable.  Fresh memory reads as zero.  false if refused; then
// nothing has changed.
bool gc_os_commit(void *base, size_t bytes);

// What committed memory can be used for, as mprotect has it: PROT_READ and PROT_WRITE, and PROT_EXEC if asked
// for before the first commit.
extern int gc_os_access;

// Let the system take the memory behind a committed range; it stays committed and reads as zero.  false if
// the system would not.
bool gc_os_release(void *base, size_t bytes);

// Ask for huge pages in a range, or no longer.  A hint.  Nothing gets them unasked.
void gc_os_advise_huge_pages(void *base, size_t bytes, bool wanted);

// Have the system give memory for a committed range now, and not at its first use.  A hint.
void gc_os_populate(void *base, size_t bytes);

// Memory of the collector's own (tables, stacks), zeroed, page-granular, outside the heap.  NULL if refused.
void *gc_os_map(size_t bytes);
void gc_os_unmap(void *base, size_t bytes);

// The same for a table that is used in few places: it counts as obtained for nothing, and costs only what is
// touched.
void *gc_os_map_sparse(size_t bytes);
void gc_os_unmap_sparse(void *base, size_t bytes);

// A stack of `bytes` usable bytes above a guard page that ends the program when it is touched.  Nothing of it
// takes memory before it is used, nor is it made of huge pages.  Gives the lowest usable address, NULL if
// refused.
void *gc_os_map_stack(size_t bytes);
void gc_os_unmap_stack(void *base, size_t bytes);

// Grow or shrink such memory, moving it if need be; what it held stays.  NULL if refused, and then the old
// block is as it was.
void *gc_os_remap(void *base, size_t old_bytes, size_t new_bytes);

// Make an array in such memory at least twice as large: gives where it is now, and *capacity, its items, 0 at
// first. NULL if refused, and then it is as it was.
void *gc_os_grow(void *items, size_t *capacity, size_t item_bytes);

// Bytes obtained by map and commit and not given back, for the statistics.
size_t gc_os_obtained_bytes(void);

// Make the n-th call from now fail, once; 0 turns it off.
void gc_os_stress_fail(size_t nth);

// A growing array of ranges in memory of its own, usable while the world is stopped.
struct gc_range_array {
  struct gc_range *items;
  size_t count;
  size_t capacity;
};

// false if memory is refused; the array is as it was.
bool gc_range_array_push(struct gc_range_array *array, struct gc_range range);
void gc_range_array_clear(struct gc_range_array *array);
