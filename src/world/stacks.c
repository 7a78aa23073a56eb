// Showing the stack: spilled registers, and the state that goes with them.
#include "world/threads.h"

#include "base/check.h"
#include "os/stacks.h"
#include "os/threads.h"
#include "world/suspend.h"

void
gc_thread_publish_stack(struct gc_thread *thread, const char *stack_pointer) {
  thread->stack_pointer = stack_pointer;
  if (!gc_os_stack_alternate(stack_pointer, &thread->alternate))
    thread->alternate = (struct gc_range){NULL, NULL};
}

// ---- Spilling ------------------------------------------------------------------------------------------

struct call {
  void *(*function)(void *);
  void *argument;
};

// Its frame lies right below its caller's, which holds the registers.
static GC_NOINLINE void *
call_published(struct call *call) {
  struct gc_thread *thread = gc_thread_current();
  if (thread)
    gc_thread_publish_stack(thread, __builtin_frame_address(0));
  void *result = call->function(call->argument);
  __asm__ volatile("" ::: "memory"); // no tail call: the frame stays
  return result;
}

GC_NOINLINE void *
gc_world_call_spilled(void *(*function)(void *), void *argument) {
  struct call call = {function, argument};
  __builtin_unwind_init(); // all callee-saved registers, those of vectors too, go to this frame
  void *result = call_published(&call);
  __asm__ volatile("" ::: "memory");
  return result;
}

// ---- Blocking ------------------------------------------------------------------------------------------

static bool
is_blocked(const struct gc_thread *thread) {
  return gc_atomic_load_relaxed(&thread->state) == GC_THREAD_BLOCKED;
}

// Release: the stack pointer goes before it.  The collector reads it in stop.c.
static void
enter_blocking(struct gc_thread *thread) {
  gc_atomic_store_release(&thread->state, GC_THREAD_BLOCKED);
}

// When the thread is cancelled or calls pthread_exit in a blocking call: destructors to come may use the
// heap.
static void
leave_blocking_at_exit(void *thread) {
  if (is_blocked(thread))
    gc_suspend_become_running(thread);
}

static void *
call_blocked(void *call_) {
  struct call *call = call_;
  struct gc_thread *thread = gc_thread_current();
  void *result;
  enter_blocking(thread);
  pthread_cleanup_push(leave_blocking_at_exit, thread);
  result = call->function(call->argument);
  pthread_cleanup_pop(0);
  gc_suspend_become_running(thread);
  return result;
}

void *
gc_thread_call_blocking(void *(*function)(void *), void *argument) {
  struct call call = {function, argument};
  if (is_blocked(gc_thread_current()))
    return function(argument);
  return gc_world_call_spilled(call_blocked, &call);
}

// What is published for the blocking call around this one must be so again when it goes on.
void *
gc_thread_call_running(void *(*function)(void *), void *argument) {
  struct gc_thread *thread = gc_thread_current();
  if (!is_blocked(thread))
    return function(argument);
  const char *stack_pointer = thread->stack_pointer;
  struct gc_range alternate = thread->alternate;
  gc_suspend_become_running(thread);
  void *result = function(argument);
  thread->stack_pointer = stack_pointer;
  thread->alternate = alternate;
  enter_blocking(thread);
  return result;
}
