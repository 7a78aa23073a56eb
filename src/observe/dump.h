// Reports for people: the state of the heap, and the process's memory map.
#pragma once

// Write the state of the heap to the log, under `name` unless that is NULL.  Stops the world for the time of
// counting; if it will not stop, the figures of running threads may be a little off.  No lock may be held.
void gc_dump(const char *name);

// Write /proc/self/maps to the log.
void gc_dump_address_map(void);
