// Reports for people: the state of the heap, and the process's memory map.
#pragma once

#include <stddef.h>

// Write the state of the heap to the log, under `name` unless that is NULL.  Stops the world for the time of
// counting; if it will not stop, the figures of running threads may be a little off.  No lock may be held.
void gc_dump(const char *name);

// The same with a line for each span; and for each span with free slots of `bytes` bytes and of one of
// `kinds`, which are bits numbered by enum gc_kind.
void gc_dump_regions(void);
void gc_dump_free(unsigned kinds, size_t bytes);

const char *gc_kind_name(unsigned kind);

// Write /proc/self/maps to the log.
void gc_dump_address_map(void);
