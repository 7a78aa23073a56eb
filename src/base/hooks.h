// The program's own procedures, as set through gc.h, save those that are variables of libgc's (variables.h).
// Each is one aligned word, written by the program's setters and read whole; a collection that overlaps a
// setter may still use the old one.
#pragma once

#include "base/tunables.h"
#include "base/types.h"

struct gc_hooks {
  void (*warn)(char *format, unsigned long argument); // NULL: gc_warn_default
  void (*collection_event)(int event);                // NULL: none.  Called under the lock
  void (*thread_event)(int event, void *thread);      // NULL: none.  Called under the lock
  void (*os_memory)(void *base, size_t bytes);        // NULL: none.  Called under the lock
  void (*start)(void); // NULL: none.  Called under the lock, before the world stops
  void (*correct_stack_pointer)(void **pointer, void *thread); // NULL: none.  In a stopped world
  int (*stop)(void);                                           // NULL: never calls a collection off
  int log_fd;                                                  // reports and warnings
  int output_fd;                                               // GC_printf
  int error_fd;                                                // GC_err_printf
  int loop_on_abort;
};

extern struct gc_hooks gc_hooks;

// Print a warning as "loam: warning: ...".
void gc_warn_default(char *format, unsigned long argument);

// Print a message to standard error, unless it is NULL.
void gc_abort_default(const char *message);
