// Calling what is ready.  See run.h.
#include "refs/run.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>

#include "base/lock.h"
#include "base/variables.h"
#include "os/clock.h"
#include "os/futex.h"
#include "refs/finalizers.h"
#include "world/world.h"

struct gc_run_settings gc_run_settings;

// ---- Draining ------------------------------------------------------------------------------------------

static void
call(struct gc_ready_item item) {
  if (item.object)
    ((void (*)(void *, void *))item.function)(item.object, item.data);
  else
    ((void (*)(void *))item.function)(item.data);
}

static bool
take(struct gc_queue *queue, struct gc_ready_item *item) {
  if (gc_atomic_load_relaxed(&queue->ready.count) == 0)
    return false;
  gc_lock_acquire(&gc_lock);
  bool taken = gc_ready_take(&queue->ready, item);
  gc_lock_release(&gc_lock);
  return taken;
}

size_t
gc_run_drain(struct gc_queue *queue, size_t count, uint64_t deadline_ns) {
  size_t called = 0;
  struct gc_ready_item item;
  while ((count == 0 || called < count) && (deadline_ns == 0 || gc_os_now_ns() < deadline_ns) &&
         take(queue, &item)) {
    call(item);
    called++;
  }
  return called;
}

// ---- The collector's thread ----------------------------------------------------------------------------

static struct {
  struct gc_atomic running; // 0, or it exists
  struct gc_atomic wanted;  // futex: raised to wake it
} runner;

static void *
sleep_until_wanted(void *seen) {
  gc_futex_wait(&runner.wanted, (size_t)(uintptr_t)seen, GC_FUTEX_FOREVER);
  return NULL;
}

static void *
runner_main(void *unused) {
  bool attached = gc_thread_attach(NULL) != NULL;
  while (attached && gc_run_settings.own_thread) {
    size_t seen = gc_atomic_load_acquire(&runner.wanted);
    gc_run_drain(gc_queues_own(), 0, 0);
    gc_thread_call_blocking(sleep_until_wanted, (void *)(uintptr_t)seen);
  }
  gc_atomic_store_relaxed(&runner.running, 0);
  return unused;
}

// No handler of the program runs on it; but it is stopped like other threads.
static bool
start_thread(void) {
  sigset_t blocked, old;
  pthread_t thread;
  sigfillset(&blocked);
  sigdelset(&blocked, gc_stop_signal());
  sigdelset(&blocked, SIGSEGV), sigdelset(&blocked, SIGBUS), sigdelset(&blocked, SIGFPE);
  pthread_sigmask(SIG_SETMASK, &blocked, &old);
  bool started = pthread_create(&thread, NULL, runner_main, NULL) == 0;
  if (started)
    pthread_detach(thread);
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  return started;
}

static bool
ensure_thread(void) {
  gc_atomic_add(&runner.wanted, 1);
  gc_futex_wake_one(&runner.wanted);
  if (!gc_atomic_compare_and_swap(&runner.running, 0, 1))
    return true;
  bool started = start_thread();
  if (!started)
    gc_atomic_store_relaxed(&runner.running, 0);
  return started;
}

bool
gc_run_set_thread(bool on) {
  gc_run_settings.own_thread = on;
  if (on && !ensure_thread())
    gc_run_settings.own_thread = false;
  if (!on) {
    gc_atomic_add(&runner.wanted, 1);
    gc_futex_wake_all(&runner.wanted);
  }
  return gc_run_settings.own_thread == on;
}

void
gc_run_after_fork_child(void) {
  gc_atomic_store_relaxed(&runner.running, 0);
}

// ---- Attending -----------------------------------------------------------------------------------------

// Finalizers that allocate find others ready.  They are left to the call further out, save now and then, lest
// one that makes much garbage finalizable fill the memory.
static __thread unsigned depth, skipped;

static bool
may_go_deeper(void) {
  if (depth > 0 && ++skipped < 1u << gc_min(depth, 16))
    return false;
  skipped = 0;
  return true;
}

static void
call_ready(void) {
  if (!may_go_deeper())
    return;
  depth++;
  gc_run_drain(gc_queues_own(), gc_run_settings.at_most, 0);
  depth--;
}

static void
tell_owners(void) {
  for (;;) {
    gc_lock_acquire(&gc_lock);
    struct gc_queue *queue = gc_queues_next_with_news();
    gc_lock_release(&gc_lock);
    if (!queue)
      return;
    if (queue->notify)
      queue->notify(queue, queue->data);
  }
}

static bool
has_news(void) {
  struct gc_ready_queue *ready = &gc_queues_own()->ready;
  gc_lock_acquire(&gc_lock);
  bool news = ready->has_more;
  ready->has_more = false;
  gc_lock_release(&gc_lock);
  return news;
}

static void
notify(void) {
  GC_finalizer_notifier_proc notifier = GC_READ(GC_finalizer_notifier);
  if (notifier)
    notifier();
}

static void
attend(void) {
  gc_finalizers_warn();
  tell_owners();
  bool news = has_news();
  if (gc_run_settings.own_thread)
    news = news && !ensure_thread();
  if (gc_run_settings.own_thread && !news)
    return;
  if (!GC_READ(GC_finalize_on_demand))
    call_ready();
  else if (news)
    notify();
}

void
gc_run_attend(void) {
  if (gc_atomic_load_relaxed(&gc_queues_news) == 0)
    return;
  int saved_errno = errno;
  gc_atomic_store_relaxed(&gc_queues_news, 0);
  attend();
  bool more = gc_atomic_load_relaxed(&gc_queues_own()->ready.count) > 0;
  if (more && !GC_READ(GC_finalize_on_demand) && !gc_run_settings.own_thread)
    gc_atomic_store_relaxed(&gc_queues_news, 1);
  errno = saved_errno;
}
