// What a new thread begins with, and what it leaves behind.
//
// GC_pthread_create's argument is kept by nobody between the creator's call and the thread's first
// instruction, and the result by nobody between the thread's end and pthread_join.  A start record keeps
// both:
//
//             create            begin                 end                   forget
//   (spare) ----------> given ----------> running ------------> ended ------------------> (spare)
//      ^     creator              thread     |       thread             who joins or detaches
//      +-------------------------------------+
//                end, when detached
//
// A thread that was joined by other means than GC_pthread_join leaves its record behind until its pthread_t
// is used again.
#pragma once

#include <pthread.h>

#include "base/atomic.h"
#include "base/types.h"
#include "os/memory.h"

struct gc_start {
  void *(*function)(void *argument);
  void *argument;
  void *result;
  struct gc_start *next; // in its bucket, or among the spare
  pthread_t handle;      // once begun
  size_t serial;
  bool begun, ended, detached;
  struct gc_range stack;   // the thread's
  struct gc_atomic placed; // 1: `stack` is known [creator -> thread, release]
};

// NULL if memory is refused.
struct gc_start *gc_start_create(void *(*function)(void *argument), void *argument, bool detached);

// When the thread could not be created.
void gc_start_cancel(struct gc_start *start);

// By the creator when it has been, and by the thread before all else: where its stack is.  A thread that
// asked for itself would call malloc, and each would have an arena for that, of 12 KiB, or of 2 MiB in huge
// pages.
void gc_start_place(struct gc_start *start, pthread_t handle);
void gc_start_await_place(struct gc_start *start);

// By the thread, attached, first and last.
void gc_start_begin(struct gc_start *start);
void gc_start_end(struct gc_start *start, void *result);

// By the thread, if GC_pthread_create started it: the result that it will end with unless it returns.
void gc_start_set_result(pthread_t handle, void *result);

// Is there a thread that has been given a record and has not begun?
bool gc_start_is_any_given(void);

// The serial number of the record of a thread that is about to be joined; 0 if it has not begun.
size_t gc_start_find(pthread_t handle);

// The thread has been joined: its record goes.
void gc_start_forget(pthread_t handle, size_t serial);

// The thread has been detached: its record goes when it ends.
void gc_start_detach(pthread_t handle);

// In a forked child: only the calling thread's record is still of use.
void gc_start_after_fork_child(void);

// Append the records to `roots`.  false if memory is refused.
bool gc_start_push_stw(struct gc_range_array *roots);
