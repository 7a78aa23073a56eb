// gc.h, "Threads" and "Thread functions".
#define GC_THREADS
#define GC_NO_THREAD_REDIRECTS
#include "gc.h"

#include <errno.h>
#include <signal.h>

#include "api/init.h"
#include "base/check.h"
#include "base/lock.h"
#include "os/stacks.h"
#include "world/start.h"
#include "world/stop.h"
#include "world/threads.h"

// libgc's: only remembered.
static int restart_signal = SIGXCPU; // libgc's default; Loam sends none

// ---- Attaching -----------------------------------------------------------------------------------------

static void
ensure_attached(void) {
  gc_init_ensure();
  gc_thread_ensure();
}

int
GC_register_my_thread(const struct GC_stack_base *base) {
  gc_init_ensure();
  if (gc_thread_current())
    return GC_DUPLICATE;
  bool attached = gc_thread_attach(base ? base->mem_base : NULL) != NULL;
  GC_CHECK(attached, "no memory to attach a thread");
  return GC_SUCCESS;
}

int
GC_thread_is_registered(void) {
  return gc_thread_current() != NULL;
}

int
GC_unregister_my_thread(void) {
  struct gc_thread *thread = gc_thread_current();
  GC_CHECK(!thread || thread->fiber == &thread->own_fiber,
           "GC_unregister_my_thread: the thread is on a fiber");
  if (thread)
    gc_thread_detach();
  return GC_SUCCESS;
}

void
GC_allow_register_threads(void) {
}

int
GC_get_stack_base(struct GC_stack_base *base) {
  base->mem_base = (void *)(uintptr_t)gc_os_stack_current().limit;
  return GC_SUCCESS;
}

void *
GC_call_with_stack_base(GC_stack_base_func function, void *argument) {
  struct GC_stack_base base;
  GC_get_stack_base(&base);
  return function(&base, argument);
}

void
GC_register_altstack(void *stack, GC_word stack_bytes, void *altstack, GC_word altstack_bytes) {
  (void)stack, (void)stack_bytes, (void)altstack, (void)altstack_bytes;
}

// ---- Blocking and locking ------------------------------------------------------------------------------

void *
GC_do_blocking(GC_fn_type function, void *argument) {
  ensure_attached();
  return gc_thread_call_blocking(function, argument);
}

void *
GC_call_with_gc_active(GC_fn_type function, void *argument) {
  ensure_attached();
  return gc_thread_call_running(function, argument);
}

void *
GC_call_with_alloc_lock(GC_fn_type function, void *argument) {
  gc_init_ensure();
  gc_lock_acquire(&gc_lock);
  void *result = function(argument);
  gc_lock_release(&gc_lock);
  return result;
}

void *
GC_call_with_reader_lock(GC_fn_type function, void *argument, int release) {
  (void)release;
  return GC_call_with_alloc_lock(function, argument);
}

// ---- Signals and fork ----------------------------------------------------------------------------------

void
GC_set_suspend_signal(int signal_number) {
  if (!gc_initialized)
    gc_stop_set_signal(signal_number);
}

int
GC_get_suspend_signal(void) {
  int signal_number = gc_stop_signal();
  return signal_number ? signal_number : -1;
}

void
GC_set_thr_restart_signal(int signal_number) {
  restart_signal = signal_number;
}

int
GC_get_thr_restart_signal(void) {
  return restart_signal;
}

void
GC_set_handle_fork(int on) {
  (void)on;
}

void
GC_atfork_prepare(void) {
}

void
GC_atfork_parent(void) {
}

void
GC_atfork_child(void) {
}

// ---- Thread functions ----------------------------------------------------------------------------------

// The thread is cancelled or calls pthread_exit.  GC_pthread_exit has left its result in the record.
static void
end_early(void *start_) {
  struct gc_start *start = start_;
  gc_start_end(start, start->result);
}

static void *
run_thread(void *start_) {
  struct gc_start *start = start_;
  gc_start_await_place(start);
  ensure_attached();
  gc_start_begin(start);
  void *(*function)(void *) = start->function, *argument = start->argument, *result;
  start->argument = NULL;
  pthread_cleanup_push(end_early, start);
  result = function(argument);
  pthread_cleanup_pop(0);
  gc_start_end(start, result);
  return result;
}

static bool
is_detached(const pthread_attr_t *attributes) {
  int state;
  return attributes && pthread_attr_getdetachstate(attributes, &state) == 0 &&
         state == PTHREAD_CREATE_DETACHED;
}

int
GC_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*function)(void *),
                  void *argument) {
  ensure_attached();
  struct gc_start *start = gc_start_create(function, argument, is_detached(attributes));
  if (!start)
    return EAGAIN;
  int error = pthread_create(thread, attributes, run_thread, start);
  if (error == 0)
    gc_start_place(start, *thread);
  else
    gc_start_cancel(start);
  return error;
}

struct join {
  pthread_t thread;
  void *result;
  int error;
};

static void *
join(void *join_) {
  struct join *join = join_;
  join->error = pthread_join(join->thread, &join->result);
  return NULL;
}

// A collection leaves who waits here alone: to wake it for nothing, twice, takes longer than to mark a small
// heap.
int
GC_pthread_join(pthread_t thread, void **result) {
  struct join call = {.thread = thread};
  size_t serial = gc_start_find(thread);
  if (gc_cache_current)
    gc_thread_call_blocking(join, &call);
  else
    join(&call);
  if (call.error != 0)
    return call.error;
  if (result)
    *result = call.result;
  gc_start_forget(thread, serial);
  return 0;
}

int
GC_pthread_detach(pthread_t thread) {
  gc_start_detach(thread); // before its pthread_t can be used again
  return pthread_detach(thread);
}

int
GC_pthread_cancel(pthread_t thread) {
  return pthread_cancel(thread);
}

void
GC_pthread_exit(void *result) {
  gc_start_set_result(pthread_self(), result);
  pthread_exit(result);
}

int
GC_pthread_sigmask(int how, const sigset_t *set, sigset_t *old) {
  if (!set || how == SIG_UNBLOCK || gc_stop_signal() == 0)
    return pthread_sigmask(how, set, old);
  sigset_t without = *set;
  sigdelset(&without, gc_stop_signal());
  return pthread_sigmask(how, &without, old);
}
