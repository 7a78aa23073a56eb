// Where the calling thread's stacks are.
//
// pthread_getattr_np is right for every thread but costs the initial one a walk through /proc/self/maps, so
// that one is recognised first: its stack ends, a few bytes above the name of the executed file, where the
// kernel wrote it.
#include "os/stacks.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/check.h"
#include "os/memory.h"
#include "os/threads.h"

// The kernel maps nothing within so much below the initial stack's end, save where the soft limit is lower
// still when the program starts.  For an unlimited stack, which has no such gap, a distance that only the
// stack itself reaches.
static const size_t stack_gap_bytes = 128 * GC_MIB;
static const size_t unlimited_stack_bytes = 64 * GC_GIB;

// glibc's: the stack pointer at the program's entry.
extern void *__libc_stack_end __attribute__((weak));

static __thread struct gc_range stack_of_thread __attribute__((tls_model("initial-exec")));

static const char *
initial_stack_limit(void) {
  const char *name = (const char *)getauxval(AT_EXECFN);
  uintptr_t inside = name                ? (uintptr_t)name + strlen(name)
                     : &__libc_stack_end ? (uintptr_t)__libc_stack_end
                                         : 0;
  return (const char *)gc_round_up(inside, gc_os_page_bytes());
}

static size_t
initial_stack_bytes_max(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_STACK, &limit) != 0)
    return stack_gap_bytes;
  return limit.rlim_cur == RLIM_INFINITY ? unlimited_stack_bytes : gc_max(limit.rlim_cur, stack_gap_bytes);
}

struct gc_range
gc_os_stack_initial(void) {
  const char *limit = initial_stack_limit();
  return (struct gc_range){limit - gc_min((uintptr_t)limit, initial_stack_bytes_max()), limit};
}

struct gc_range
gc_os_stack_of(pthread_t thread) {
  pthread_attr_t attributes;
  void *base = NULL;
  size_t bytes = 0;
  if (pthread_getattr_np(thread, &attributes) != 0)
    return (struct gc_range){0};
  pthread_attr_getstack(&attributes, &base, &bytes);
  pthread_attr_destroy(&attributes);
  return (struct gc_range){base, (char *)base + bytes};
}

void
gc_os_stack_know(struct gc_range stack) {
  stack_of_thread = stack;
}

// Whether the caller runs on the initial stack.  The thread id is not enough: in a forked child it is the
// forking thread's.
static bool
on_initial_stack(struct gc_range initial) {
  const char *here = __builtin_frame_address(0);
  return gc_os_thread_id() == getpid() && initial.base <= here && here < initial.limit &&
         (size_t)(initial.limit - here) < stack_gap_bytes;
}

struct gc_range
gc_os_stack_current(void) {
  if (!stack_of_thread.limit) {
    struct gc_range initial = gc_os_stack_initial();
    stack_of_thread = on_initial_stack(initial) ? initial : gc_os_stack_of(pthread_self());
    if (!stack_of_thread.limit)
      stack_of_thread = initial;
    GC_CHECK(stack_of_thread.limit, "the stack of a thread cannot be found");
  }
  return stack_of_thread;
}

bool
gc_os_stack_alternate(const char *stack_pointer, struct gc_range *live) {
  stack_t stack;
  if (sigaltstack(NULL, &stack) != 0 || !(stack.ss_flags & SS_ONSTACK))
    return false;
  *live = (struct gc_range){stack_pointer, (char *)stack.ss_sp + stack.ss_size};
  return true;
}
