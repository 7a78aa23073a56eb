// The program's own procedures, as set through gc.h.  Each is one aligned word, written by the program's
// setters and read whole; a collection that overlaps a setter may still use the old one.
#pragma once

#include "base/tunables.h"
#include "base/types.h"

struct gc_hooks {
  void (*warn)(char *format, unsigned long argument); // NULL: gc_warn_default
  void (*abort_function)(const char *message);        // NULL: print to standard error
  void *(*out_of_memory)(size_t bytes);               // NULL: returns NULL
  void (*collection_event)(int event);                // NULL: none.  Called under the lock
  void (*heap_resize)(unsigned long bytes);           // NULL: none.  Called under the lock
  void (*start)(void); // NULL: none.  Called under the lock, before the world stops
  int (*stop)(void);   // NULL: never calls a collection off
  int log_fd;
  int loop_on_abort;
};

extern struct gc_hooks gc_hooks;

// Print a warning as "loam: warning: ...".
void gc_warn_default(char *format, unsigned long argument);

// Print a message to standard error.
void gc_abort_default(const char *message);

// The tunables in force.  Read-only after GC_init, save what gc.h's setters change.
extern struct gc_tunables gc_tunables;
