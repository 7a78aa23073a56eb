// The live parts of a thread's stacks.
//
// Mostly the thread is on its ordinary stack, and that is searched from the stack pointer to the base.  The
// red zone of x86-64, 128 bytes below the interrupted stack pointer, lies between the signal frame and the
// frames.
//
// On an alternate signal stack both are searched: that one from the stack pointer to its end, and the
// ordinary one from where it was interrupted.  The kernel has stored that stack pointer in the signal frame,
// so it is one of the words of the alternate stack's live part that point into the ordinary stack; the least
// of these is where the search begins, less the red zone.
//
// Either may be a fiber's stack instead of the ordinary one; which, fibers.h tells.  What is not found here
// to run is parked, and left to fibers.c.
//
// On a stack that nobody has told us of (a coroutine's) all is searched from the stack pointer to the end of
// its mapping, and all of the ordinary stack, both found in /proc/self/maps: slow, but nothing is lost.
//
// A program that switches stacks by itself may name the end of the one that a thread is on; then that one is
// searched up to there, and no other: parked ones are the program's to tell of.  Since it can be stopped
// between naming and switching, a stack pointer that lies in another mapping than the end is possible.  Then
// both are searched, all that may be live.
#include "world/thread_roots.h"

#include <unistd.h>

#include "base/hooks.h"
#include "os/probe.h"
#include "os/stacks.h"

enum { RED_ZONE_BYTES = 128 };

static bool
contains(struct gc_range range, const void *address) {
  return range.base <= (const char *)address && (const char *)address < range.limit;
}

static bool
push(struct gc_range_array *roots, const char *base, const char *limit) {
  base = (const char *)gc_round_down((uintptr_t)base, GC_WORD_BYTES);
  return base >= limit || gc_range_array_push(roots, (struct gc_range){base, limit});
}

// What of the ordinary stack is memory: the initial thread's grows with use.
static struct gc_range
present_stack(const struct gc_thread *thread) {
  struct gc_range mapping, stack = thread->stack;
  if (gc_os_mapping_at(stack.limit - 1, &mapping) && mapping.base > stack.base)
    stack.base = mapping.base;
  return stack;
}

// The least word in `range` that is an address in `stack`, or the stack's limit.
static GC_NO_SANITIZE const char *
least_pointer_into(struct gc_range stack, struct gc_range range) {
  const char *least = stack.limit;
  const char *const *word = (const char *const *)gc_round_up((uintptr_t)range.base, GC_WORD_BYTES);
  for (; (const char *)(word + 1) <= range.limit; word++)
    if (contains(stack, *word) && *word < least)
      least = *word;
  return least;
}

static bool
push_all_of_own(struct gc_thread *thread, struct gc_range_array *roots) {
  struct gc_range stack = present_stack(thread);
  gc_fiber_runs_stw(&thread->own_fiber);
  return push(roots, stack.base, stack.limit);
}

// A fiber that the thread may have been on when it was interrupted.  If it is one that was left before it is
// searched as parked as well, since a pointer to it need not be the stack pointer.
static bool
push_if_interrupted(const struct gc_thread *thread, struct gc_fiber *fiber, struct gc_range stack,
                    struct gc_range_array *roots, bool *found) {
  const char *least = least_pointer_into(stack, thread->alternate);
  if (least == stack.limit)
    return true;
  *found = true;
  if (!gc_fiber_parked_at(fiber))
    gc_fiber_runs_stw(fiber);
  return push(roots, least - gc_min((size_t)(least - stack.base), RED_ZONE_BYTES), stack.limit);
}

static bool
push_interrupted(struct gc_thread *thread, struct gc_range_array *roots) {
  struct gc_fiber *own = &thread->own_fiber, *fibers[] = {thread->fiber, thread->previous_fiber};
  bool found = false;
  if (!push(roots, thread->alternate.base, thread->alternate.limit))
    return false;
  for (size_t i = 0; i < 2; i++)
    if (fibers[i] && fibers[i] != own && fibers[i]->stack.limit &&
        !push_if_interrupted(thread, fibers[i], fibers[i]->stack, roots, &found))
      return false;
  if (!push_if_interrupted(thread, own, present_stack(thread), roots, &found))
    return false;
  return found || push_all_of_own(thread, roots); // the latter cannot be
}

// The program may know better where a coroutine's stack is.
static const char *
stack_pointer_of(const struct gc_thread *thread) {
  void *pointer = (void *)(uintptr_t)thread->stack_pointer;
  if (gc_hooks.correct_stack_pointer)
    gc_hooks.correct_stack_pointer(&pointer, (void *)thread->handle);
  return pointer;
}

static bool
push_foreign(struct gc_thread *thread, const char *pointer, struct gc_range_array *roots) {
  struct gc_range mapping;
  if (gc_os_mapping_at(pointer, &mapping) && !push(roots, pointer, mapping.limit))
    return false;
  return push_all_of_own(thread, roots);
}

// ---- Stacks with a name --------------------------------------------------------------------------------

char *GC_stackbottom;
static char *first_bottom; // as found at the start

void
gc_thread_roots_init(void) {
  first_bottom = (char *)(uintptr_t)gc_os_stack_initial().limit;
  if (!GC_stackbottom)
    GC_stackbottom = first_bottom;
}

static bool
is_initial(const struct gc_thread *thread) {
  return thread->tid == getpid();
}

// NULL: nobody has named it.
static char *
named_bottom(const struct gc_thread *thread) {
  if (is_initial(thread))
    return GC_stackbottom != first_bottom ? GC_stackbottom : NULL;
  return thread->named_bottom;
}

char *
gc_thread_bottom(const struct gc_thread *thread) {
  char *bottom = named_bottom(thread);
  return bottom ? bottom : (char *)(uintptr_t)thread->stack.limit;
}

void
gc_thread_set_bottom(struct gc_thread *thread, char *bottom) {
  if (is_initial(thread))
    GC_stackbottom = bottom;
  else
    thread->named_bottom = bottom == thread->stack.limit ? NULL : bottom;
}

// The stack that ends at `bottom`.  Asking the system takes long, and the answer is mostly the last one.
// Only as much of that is remembered as the thread was using: what lies below in the same mapping may be
// other stacks, and they may go.
static struct gc_range
find_named_stack(struct gc_thread *thread, const char *bottom) {
  struct gc_range mapping;
  if (thread->named_stack.limit == bottom && contains(thread->named_stack, thread->stack_pointer))
    return thread->named_stack;
  bool found = gc_os_mapping_at(bottom - 1, &mapping);
  struct gc_range stack = {found ? mapping.base : bottom, bottom};
  bool used = contains(stack, thread->stack_pointer);
  thread->named_stack = (struct gc_range){used ? thread->stack_pointer : bottom, bottom};
  return stack;
}

static bool
push_named(struct gc_thread *thread, const char *bottom, struct gc_range_array *roots) {
  struct gc_range mapping, stack = find_named_stack(thread, bottom);
  if (contains(stack, thread->stack_pointer))
    return push(roots, thread->stack_pointer, stack.limit);
  if (!push(roots, thread->alternate.base, thread->alternate.limit) || !push(roots, stack.base, stack.limit))
    return false;
  return thread->alternate.base || !gc_os_mapping_at(thread->stack_pointer, &mapping) ||
         push(roots, thread->stack_pointer, mapping.limit);
}

// ---- All -----------------------------------------------------------------------------------------------

// The fiber that the thread runs on; NULL: a stack that nobody has told us of.
static struct gc_fiber *
running_fiber(struct gc_thread *thread, const char *pointer) {
  struct gc_fiber *fibers[] = {thread->fiber, thread->previous_fiber, &thread->own_fiber};
  for (size_t i = 0; i < 3; i++)
    if (fibers[i] && gc_fiber_has(fibers[i], pointer))
      return fibers[i];
  return NULL;
}

bool
gc_thread_push_stacks_stw(struct gc_thread *thread, struct gc_range_array *roots) {
  const char *bottom = named_bottom(thread);
  if (bottom)
    return push_named(thread, bottom, roots);
  if (thread->alternate.base)
    return push_interrupted(thread, roots);
  const char *pointer = stack_pointer_of(thread);
  struct gc_fiber *fiber = running_fiber(thread, pointer);
  if (!fiber)
    return push_foreign(thread, pointer, roots);
  gc_fiber_runs_stw(fiber);
  return push(roots, pointer, fiber->stack.limit);
}
