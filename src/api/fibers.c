// gc.h, "Fibers".
#include "world/fibers.h"

#include "api/init.h"
#include "base/check.h"
#include "base/sanitizer.h"
#include "gc.h"
#include "world/threads.h"

enum {
  USUAL_STACK_BYTES = 256 * 1024,
  LEAST_STACK_BYTES = 16 * 1024 // room for a collection, and for a signal's frame
};

// ---- Switching -----------------------------------------------------------------------------------------

static void
change(struct gc_thread *thread, GC_fiber *to) {
  struct gc_fiber *from = thread->fiber;
  gc_thread_enter_fiber(thread, to);
  gc_fiber_swap(&from->frame, &to->frame);
}

// What it keeps for a fiber that ends, `for_ever`, goes.
static void
change_watched(struct gc_thread *thread, GC_fiber *to, bool for_ever) {
  void *fake_stack = NULL;
  __sanitizer_start_switch_fiber(for_ever ? NULL : &fake_stack, to->stack.base, gc_range_bytes(to->stack));
  change(thread, to);
  __sanitizer_finish_switch_fiber(fake_stack, NULL, NULL);
}

static GC_NOINLINE void
switch_slow(GC_fiber *to, bool for_ever) {
  struct gc_thread *thread = gc_thread_ensure();
  if (thread->fiber == to)
    return;
  GC_CHECK(to->frame, "GC_fiber_switch: a thread is on the fiber at %p, or the program switches it",
           (void *)to);
  if (GC_SANITIZER_WATCHES_STACKS)
    change_watched(thread, to, for_ever);
  else
    change(thread, to);
}

// On its way back the calling thread may be another.  With gc_fiber_swap 39 instructions on x86-64; guarded
// by bench/fibers.
void
GC_fiber_switch(GC_fiber *to) {
  struct gc_thread *thread = gc_thread_current();
  if (GC_UNLIKELY(!thread || !to->frame || GC_SANITIZER_WATCHES_STACKS))
    switch_slow(to, false);
  else
    change(thread, to);
}

// ---- Coming and going ----------------------------------------------------------------------------------

struct start {
  GC_fiber_function function;
  void *argument;
};

static void
run(void *start_) {
  struct start *start = start_;
  void *argument = start->argument;
  if (GC_SANITIZER_WATCHES_STACKS)
    __sanitizer_finish_switch_fiber(NULL, NULL, NULL);
  start->argument = NULL;
  GC_fiber *next = start->function(argument);
  GC_CHECK(next, "the function of a fiber has returned no fiber to go on with");
  switch_slow(next, true);
  gc_fail("GC_fiber_switch: the fiber has ended");
}

GC_fiber *
GC_fiber_create(size_t stack_bytes, GC_fiber_function function, void *argument) {
  struct start start = {function, argument};
  gc_init_ensure();
  if (stack_bytes == 0)
    stack_bytes = USUAL_STACK_BYTES;
  return gc_fiber_create(gc_max(stack_bytes, LEAST_STACK_BYTES), run, &start, sizeof start);
}

GC_fiber *
GC_fiber_register(void *stack, size_t bytes) {
  gc_init_ensure();
  return gc_fiber_register((struct gc_range){stack, (char *)stack + bytes});
}

void
GC_fiber_free(GC_fiber *fiber) {
  bool freed = !fiber || gc_fiber_free(fiber);
  GC_CHECK(freed, "GC_fiber_free: a thread is on the fiber at %p, or it is none", (void *)fiber);
}

GC_fiber *
GC_fiber_current(void) {
  gc_init_ensure();
  return gc_thread_ensure()->fiber;
}

GC_fiber *
GC_fiber_previous(void) {
  gc_init_ensure();
  return gc_thread_ensure()->previous_fiber;
}
