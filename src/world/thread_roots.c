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
// On a stack that nobody has told us of (a coroutine's) all is searched from the stack pointer to the end of
// its mapping, and all of the ordinary stack, both found in /proc/self/maps: slow, but nothing is lost.
#include "world/thread_roots.h"

#include "os/probe.h"

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
push_interrupted(const struct gc_thread *thread, struct gc_range_array *roots) {
  struct gc_range stack = present_stack(thread);
  const char *least = least_pointer_into(stack, thread->alternate);
  const char *base = least - gc_min((size_t)(least - stack.base), RED_ZONE_BYTES);
  if (least == stack.limit)
    base = stack.base; // not there, which cannot be: all of it
  return push(roots, thread->alternate.base, thread->alternate.limit) && push(roots, base, stack.limit);
}

static bool
push_foreign(const struct gc_thread *thread, struct gc_range_array *roots) {
  struct gc_range mapping, stack = present_stack(thread);
  if (gc_os_mapping_at(thread->stack_pointer, &mapping) && !push(roots, thread->stack_pointer, mapping.limit))
    return false;
  return push(roots, stack.base, stack.limit);
}

bool
gc_thread_push_stacks_stw(const struct gc_thread *thread, struct gc_range_array *roots) {
  if (thread->alternate.base)
    return push_interrupted(thread, roots);
  if (contains(thread->stack, thread->stack_pointer))
    return push(roots, thread->stack_pointer, thread->stack.limit);
  return push_foreign(thread, roots);
}
