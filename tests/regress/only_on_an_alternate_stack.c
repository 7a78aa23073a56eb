// An object vanished whose only pointer was in a signal handler's frame on an alternate stack, or on the
// ordinary stack below that handler.

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "tests/regress/objects.h"

enum { ALTERNATE_BYTES = 64 << 10 };

static atomic_int in_handler, released;
static hidden in_frame, below;

static void
handle(int number) {
  void *volatile object = reveal(in_frame);
  (void)number;
  in_handler = 1;
  while (!released)
    continue;
  object = NULL;
  (void)object;
}

// Raise a signal whose handler runs on the alternate stack.
static void
raise_on(void *memory) {
  stack_t stack = {.ss_sp = memory, .ss_size = ALTERNATE_BYTES}, old;
  struct sigaction action = {.sa_handler = handle, .sa_flags = SA_ONSTACK};
  sigaltstack(&stack, &old);
  sigaction(SIGUSR1, &action, NULL);
  raise(SIGUSR1);
  sigaltstack(&old, NULL);
}

static void *
run(void *memory) {
  void *volatile object = reveal(below);
  GC_register_my_thread(NULL);
  raise_on(memory);
  object = NULL;
  (void)object;
  return NULL;
}

static void
check(const char *where, void *memory) {
  pthread_t thread;
  in_handler = released = 0;
  in_frame = new_hidden();
  GC_disable();
  below = new_hidden();
  pthread_create(&thread, NULL, run, memory);
  while (!in_handler)
    continue;
  GC_enable();
  collect();
  bool frame_kept = is_there(in_frame), below_kept = is_there(below);
  released = 1;
  pthread_join(thread, NULL);
  tap_ok(frame_kept, "in the handler's frame, the alternate stack in %s", where);
  tap_ok(below_kept, "on the stack below, the alternate stack in %s", where);
}

int
main(void) {
  static char static_memory[ALTERNATE_BYTES];
  void *malloced = malloc(ALTERNATE_BYTES);
  GC_INIT();
  check("static memory", static_memory);
  check("malloc's memory", malloced);
  check("collected memory", GC_malloc_uncollectable(ALTERNATE_BYTES));
  free(malloced);
  return tap_done();
}
