// The loaded program and its libraries: their writable data and their thread-local storage.
//
// glibc's loader changes its list, maps before and unmaps after, under a lock that dl_iterate_phdr holds
// while it calls back.  So within gc_images_call no library comes, none goes, and no thread is in the middle
// of either.
//
// Only libraries of the caller's own namespace are seen: those of dlmopen are not.
#pragma once

#include "base/types.h"
#include "os/memory.h"

struct gc_images {
  size_t version;                // counts the changes of the list; 0: never read
  struct gc_range_array program; // writable segments without RELRO
  struct gc_range_array libraries;
  struct gc_range_array unwanted; // segments of both that the program's filter does not want searched
  struct gc_range_array gone;     // segments that the last change took away
  size_t *tls_bytes;              // indexed by module number, 0 for none
  size_t tls_modules;             // highest module number
  bool tls_layout_fits;           // os/tls.h's view is that of the loader
  bool tls_numbers_reused;        // some thread's vector may still hold a block of a module that is gone
};

// Written within gc_images_call, by the collecting thread; read there and while the world is stopped.
// [gc_cycle_lock]
extern struct gc_images gc_images;

// The program's filter: 0 for a segment not to be searched.  It is asked under the loader's lock whenever the
// list is read.
typedef int gc_images_filter(const char *file, void *segment, size_t bytes);

// Have it from the next gc_images_call on; NULL: none.
void gc_images_set_filter(gc_images_filter *filter);

// Run `function` under the loader's lock with gc_images up to date.  false, without a call, if memory for the
// tables was refused. The loader's lock is recursive; `function` may not wait for another thread that loads a
// library.
bool gc_images_call(void (*function)(void *argument), void *argument);
