// Fibers: stacks that threads change between, and what of them a collection reads.
//
// A thread's own stack is a fiber as well, part of its gc_thread; the others are registered.  A thread is
// stopped at any instruction of a switch, so what the books say and where its stack pointer is may differ:
//
//            books say:      stack pointer in:
//   (1)      from            from
//   (2)      to, from before from                 `to` is not entered yet, and still as it was parked
//   (3)      to, from before to
//
// Whose stack the stack pointer lies in, of the two that the books name and the thread's own, is the fiber
// that runs: it is searched from the stack pointer.  Every other one is parked, and searched from where it
// was left.  A fiber that is left says where before the stack pointer leaves it, and one that is entered
// forgets it only afterwards; so at each moment one of the two is right.  None of it takes a lock:
// another thread enters a fiber only after the program has told it that this one is out.
//
// GC_fiber_switch leaves all registers that a call keeps in a frame at the fiber's stack pointer.  With
// GC_fiber_note_switch the program does that itself and where it likes, below the stack pointer of the call;
// so these registers are kept here besides.
//
// A long parked stack is not read in each pause.  Invariant parked-unchanged: what was searched since the
// marks last flipped, was not resumed and not written to since, refers to marked objects only, since what
// was born later can have come there by a write only.  Other threads may write to a parked stack; so the
// kernel is asked.  That costs less than reading only from some pages on, and the first write to each page
// costs 0.8 us: only a fiber that was parked over a whole cycle is watched.
#pragma once

#include "base/types.h"
#include "os/memory.h"
#include "world/fiber_switch.h"
#include "world/search.h"

struct gc_fiber {
  struct gc_range stack; // of a registered one constant; empty while it is not in use  [gc_lock]

  // Written by the thread that leaves or enters the fiber, read in pauses.
  void *frame;       // where GC_fiber_switch has left it; NULL while it runs or is switched by the program
  const char *noted; // where GC_fiber_note_switch has left it last; NULL: never
  size_t searched;   // the last search that has read it, 0: none since it was entered; see fibers.c

  size_t ran_at; // the last look at the threads that has found one on it [stw]

  // [gc_lock]
  const char *watched; // writes are noticed from here to the last whole page; NULL: they are not
  size_t passed_over;  // the last search that has not read it
  uintptr_t checksum;  // of what was read, with LOAM_VERIFY
  struct gc_fiber *next_spare;
  unsigned valgrind_number;
  bool created;                                // the stack is ours
  uintptr_t registers[GC_FIBER_REGISTERS_MAX]; // at GC_fiber_note_switch
  size_t register_count;
};

static inline bool
gc_fiber_has(const struct gc_fiber *fiber, const void *address) {
  return fiber->stack.base <= (const char *)address && (const char *)address < fiber->stack.limit;
}

// Where it was left; NULL if it runs, or was never left.
static inline const char *
gc_fiber_parked_at(const struct gc_fiber *fiber) {
  return fiber->frame ? fiber->frame : fiber->noted;
}

// Register a stack that the program owns, and switches.  NULL if memory is refused.
struct gc_fiber *gc_fiber_register(struct gc_range stack);

// One that begins with start(argument), which does not return, on a stack of ours.  The argument points to a
// copy of `bytes` bytes at the top of that.
struct gc_fiber *gc_fiber_create(size_t stack_bytes, void (*start)(void *argument), const void *argument,
                                 size_t bytes);

// Forget a fiber on which no thread is, and its stack if it is ours.  false: it is in use.
bool gc_fiber_free(struct gc_fiber *fiber);

// The calling thread, whose own stack's `own` is, ends on `last`: nothing of either will be needed.
void gc_fiber_abandon(struct gc_fiber *last, const struct gc_fiber *own);

// A look at all threads begins; and it has found one on this fiber.  [stw]
void gc_fibers_begin_look_stw(void);
void gc_fiber_runs_stw(struct gc_fiber *fiber);

// Append what is to be read of the fibers that this look has not found to run to `roots`.  false if memory is
// refused.
bool gc_fibers_push_stw(struct gc_range_array *roots, enum gc_search_which which);

// The marks have flipped, or what was appended last was not searched to the end: all must be read.  [stw]
void gc_fibers_forget_searched_stw(void);

// In a forked child nothing is watched.
void gc_fibers_after_fork_child(void);

// How many are registered, and how many the last search has passed over.  [racy]
size_t gc_fibers_count(void);
size_t gc_fibers_passed_over(void);
