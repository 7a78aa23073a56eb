// The collector crashed: it remembered the mapping in which a named stack had been found and read all of it
// from the stack pointer on, but in the meantime a stack in the middle of that mapping had been unmapped.
#include <sys/mman.h>
#include <ucontext.h>

#include "tests/regress/objects.h"

enum { STACK_BYTES = 256 * 1024 };

static char *stacks; // three, one mapping: the program unmaps the one in the middle
static ucontext_t initial, on_stack;
static volatile int collections;

static void
collect_there(void) {
  for (;;) {
    GC_gcollect();
    collections++;
    swapcontext(&on_stack, &initial);
  }
}

static char *
limit_of(int stack) {
  return stacks + (stack + 1) * STACK_BYTES;
}

// Collect on one stack while the name is that of the last.
static void
run_on(int stack) {
  char *before = GC_stackbottom;
  getcontext(&on_stack);
  on_stack.uc_stack.ss_sp = stacks + stack * STACK_BYTES;
  on_stack.uc_stack.ss_size = STACK_BYTES;
  makecontext(&on_stack, collect_there, 0);
  GC_stackbottom = limit_of(2);
  swapcontext(&initial, &on_stack);
  GC_stackbottom = before;
}

int
main(void) {
  GC_INIT();
  stacks = mmap(NULL, 3 * STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (stacks == MAP_FAILED)
    return EXIT_FAILURE;
  run_on(2);
  tap_ok(collections == 1, "collected on the stack that is named");
  munmap(stacks + STACK_BYTES, STACK_BYTES);
  run_on(0);
  tap_ok(collections == 2, "collected on another, before it is named");
  return tap_done();
}
