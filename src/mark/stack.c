// The mark stack.  See stack.h.
#include "mark/stack.h"

#include <string.h>

#include "os/memory.h"

size_t gc_mark_stack_bytes_max = SIZE_MAX;

#define KEPT_BYTES GC_MIB

// Double the memory, or more.  false if it is refused.
static bool
grow(struct gc_mark_stack *stack, size_t entries) {
  size_t base = (size_t)(stack->base - stack->memory);
  size_t top = (size_t)(stack->top - stack->memory);
  size_t old_bytes = (size_t)((char *)stack->limit - (char *)stack->memory);
  size_t bytes = gc_max(GC_MARK_STACK_BYTES_MIN, 2 * old_bytes);
  while (bytes < (top + entries) * sizeof(gc_mark_entry))
    bytes *= 2;
  if (bytes > gc_mark_stack_bytes_max)
    return false;
  gc_mark_entry *memory = old_bytes ? gc_os_remap(stack->memory, old_bytes, bytes) : gc_os_map(bytes);
  if (!memory)
    return false;
  stack->memory = memory;
  stack->base = memory + base;
  stack->top = memory + top;
  stack->limit = memory + bytes / sizeof(gc_mark_entry);
  return true;
}

bool
gc_mark_stack_reserve(struct gc_mark_stack *stack, size_t entries) {
  if (GC_LIKELY((size_t)(stack->limit - stack->top) >= entries))
    return true;
  size_t count = gc_mark_stack_count(stack);
  if (stack->base != stack->memory) {
    memmove(stack->memory, stack->base, count * sizeof(gc_mark_entry));
    stack->base = stack->memory;
    stack->top = stack->memory + count;
    if ((size_t)(stack->limit - stack->top) >= entries + count)
      return true;
  }
  if (grow(stack, entries) || (size_t)(stack->limit - stack->top) >= entries)
    return true;
  stack->overflowed = true;
  return false;
}

void
gc_mark_stack_trim(struct gc_mark_stack *stack) {
  size_t bytes = (size_t)((char *)stack->limit - (char *)stack->memory);
  if (bytes <= KEPT_BYTES)
    return;
  gc_os_unmap(stack->memory, bytes);
  *stack = (struct gc_mark_stack){.overflowed = stack->overflowed};
}
