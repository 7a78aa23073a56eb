// The list of threads, and how they come and go.
//
// A thread attaches itself on its first call and is detached by the destructor of a pthread key.  Destructors
// of other keys may run later and allocate, which attaches it again; pthreads then calls our destructor once
// more, up to PTHREAD_DESTRUCTOR_ITERATIONS times.  A thread that dies attached all the same is found by the
// next stop, whose signal reaches nobody, and dropped.
//
// Between its linking and its unlinking, both under gc_lock, gc_cache_current is set, so that a thread that
// the collector may signal always knows itself.
#include "world/threads.h"

#include <errno.h>
#include <string.h>

#include "base/check.h"
#include "base/lock.h"
#include "os/signals.h"
#include "os/stacks.h"
#include "os/threads.h"
#include "os/tls.h"
#include "world/stop.h"

void (*gc_world_on_detach)(struct gc_cache *cache);

static struct gc_thread *first_thread;  // [gc_lock]
static struct gc_thread *spare_threads; // linked through next [gc_lock]
static size_t thread_count;             // [gc_lock; read racily]
static pthread_key_t detach_key;

// ---- The list ------------------------------------------------------------------------------------------

struct gc_thread *
gc_thread_first(void) {
  return first_thread;
}

struct gc_thread *
gc_thread_next(struct gc_thread *thread) {
  return thread->next;
}

size_t
gc_thread_count(void) {
  return thread_count;
}

static void
link_thread(struct gc_thread *thread) {
  thread->previous = NULL;
  thread->next = first_thread;
  if (first_thread)
    first_thread->previous = thread;
  first_thread = thread;
  thread_count++;
}

static void
unlink_thread(struct gc_thread *thread) {
  GC_ASSERT(thread_count > 0);
  if (thread->previous)
    thread->previous->next = thread->next;
  else
    first_thread = thread->next;
  if (thread->next)
    thread->next->previous = thread->previous;
  thread_count--;
}

void
gc_thread_drop(struct gc_thread *thread) {
  if (gc_world_on_detach)
    gc_world_on_detach(&thread->cache);
  unlink_thread(thread);
  thread->next = spare_threads;
  spare_threads = thread;
}

// ---- Coming --------------------------------------------------------------------------------------------

static struct gc_thread *
take_spare(void) {
  gc_lock_acquire(&gc_lock);
  struct gc_thread *thread = spare_threads;
  if (thread)
    spare_threads = thread->next;
  gc_lock_release(&gc_lock);
  return thread;
}

// A zeroed one, or NULL.
static struct gc_thread *
allocate_thread(void) {
  struct gc_thread *thread = take_spare();
  if (thread)
    memset(&thread->cache.used, 0, sizeof *thread - offsetof(struct gc_thread, cache.used)); // no run is left
  else
    thread = gc_os_map(sizeof *thread);
  return thread;
}

static bool
contains(struct gc_range range, const void *address) {
  return range.base <= (const char *)address && (const char *)address < range.limit;
}

// The stack below a base that the program names: its own affair where it ends, so as much as a stack may
// have.
static struct gc_range
stack_below(const char *base) {
  return (struct gc_range){base - gc_min((uintptr_t)base, 64 * GC_MIB), base};
}

// Descriptor and static TLS end where the stack's mapping does; they are little of it.
static void
describe_tls(struct gc_thread *thread, struct gc_range given_stack) {
  enum { DESCRIPTOR_AND_STATIC_BYTES = 64 * 1024 };
  size_t bytes = gc_min(gc_range_bytes(given_stack), DESCRIPTOR_AND_STATIC_BYTES);
  thread->tls_block = (struct gc_range){given_stack.limit - bytes, given_stack.limit};
  thread->tls_place = contains(thread->stack, thread->thread_pointer) ? GC_TLS_IN_STACK
                      : contains(given_stack, thread->thread_pointer) ? GC_TLS_IN_OTHER_STACK
                                                                      : GC_TLS_APART;
}

static void
describe_thread(struct gc_thread *thread, const char *stack_base) {
  struct gc_range given_stack = gc_os_stack_current();
  bool other = stack_base && !contains(given_stack, stack_base - 1);
  thread->handle = pthread_self();
  thread->tid = gc_os_thread_id();
  thread->thread_pointer = gc_os_thread_pointer();
  thread->stack = other ? stack_below(stack_base) : given_stack;
  describe_tls(thread, given_stack);
  thread->own_fiber.stack = thread->stack;
  thread->fiber = &thread->own_fiber;
}

struct gc_thread *
gc_thread_attach(void *stack_base) {
  int saved_errno = errno;
  GC_ASSERT(!gc_thread_current());
  struct gc_thread *thread = allocate_thread();
  if (!thread)
    return NULL;
  describe_thread(thread, stack_base);
  gc_os_signal_unblock(gc_stop_signal());
  gc_lock_acquire(&gc_lock);
  gc_cache_current = &thread->cache;
  link_thread(thread);
  gc_lock_release(&gc_lock);
  pthread_setspecific(detach_key, thread);
  errno = saved_errno;
  return thread;
}

struct gc_thread *
gc_thread_ensure(void) {
  struct gc_thread *thread = gc_thread_current();
  if (!thread)
    thread = gc_thread_attach(NULL);
  GC_CHECK(thread, "no memory to attach a thread");
  return thread;
}

// ---- Going ---------------------------------------------------------------------------------------------

void
gc_thread_detach(void) {
  struct gc_thread *thread = gc_thread_current();
  GC_ASSERT(thread && !thread->cache.busy);
  gc_lock_acquire(&gc_lock);
  gc_fiber_abandon(thread->fiber, &thread->own_fiber);
  gc_thread_drop(thread);
  gc_cache_current = NULL;
  gc_lock_release(&gc_lock);
}

static void
detach_at_exit(void *thread) {
  if (gc_thread_current() == thread)
    gc_thread_detach();
}

void
gc_threads_init(void) {
  int error = pthread_key_create(&detach_key, detach_at_exit);
  GC_CHECK(error == 0, "no key for thread-specific data (error %d)", error);
}
