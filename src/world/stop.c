// Stopping the world and letting it go on.
//
// Stops are numbered: `epoch` is odd from the start of a stop to its end and even in between, so that a
// signal that comes late, twice or never does no harm.
//
//   collector                                          a thread's handler
//   epoch = E (odd), answers = (E, 0)
//   thread->request = E, tgkill  ------------------->  is E still on, meant for me, and not yet answered?
//                                                      publish the stack pointer
//                                                      answered = E
//   sleep on `answers` until all have come  <--------  answers + 1; the last one wakes the collector
//   ... the world is stopped ...                       sleep on `epoch` while it is E
//   epoch = E + 1, wake all of them  --------------->  return from the signal
//
// The kernel's signal frame, which lies above the handler's, holds all the thread's registers.  A thread
// within gc_cache_enter and gc_cache_leave puts its answer off until it leaves.  BLOCKED threads are not
// signalled.
//
// An attempt that gets no answer from some thread within stop_warn_ms is called off, so that the warning is
// given while the world runs (the program's warn procedure may need locks that stopped threads hold), and
// then made again, until stop_timeout_ms have passed.
#include "world/stop.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/hooks.h"
#include "base/lock.h"
#include "gc.h"
#include "os/futex.h"
#include "os/images.h"
#include "os/limits.h"
#include "os/signals.h"
#include "os/threads.h"
#include "world/suspend.h"
#include "world/threads.h"

enum {
  COUNT_BITS = 32,
  SPIN_ROUNDS = 2000,      // about 200 us: the pause of a heap of a few MiB
  LOOK_ROUND_NS = 10000000 // while no answer comes: how often to look whether those who owe one still live
};

static struct gc_atomic epoch; // [atomic: collector -> all, release]
static struct gc_atomic
    answers; // the epoch in the high half, the threads that have answered in the low  [atomic]
static struct gc_atomic
    awaited;              // the answer that wakes the collector; 0 for none  [atomic: collector -> handlers]
static size_t called_off; // [gc_cycle_lock; read racily]
static size_t signalled;  // by the last stop [gc_cycle_lock]

static int signal_number;
static struct sigaction program_action;

// ---- The stopped side ----------------------------------------------------------------------------------

static bool
is_stopping(size_t now) {
  return now & 1;
}

static size_t
answers_of(size_t now, size_t count) {
  return now << COUNT_BITS | count;
}

// Count one answer to stop `now`.  false if that stop is over.
static bool
count_answer(size_t now) {
  size_t before;
  do {
    before = gc_atomic_load_relaxed(&answers);
    if (before >> COUNT_BITS != (uint32_t)now)
      return false;
  } while (!gc_atomic_compare_and_swap(&answers, before, before + 1));
  if ((uint32_t)before + 1 == gc_atomic_load_relaxed(&awaited))
    gc_futex_wake_one(&answers);
  return true;
}

// Stopped threads may spin before they sleep: all that had something to do, if each can have a CPU of its
// own; else none.  [gc_lock, before the signals]
static unsigned spin_rounds;

static void
choose_spinning(void) {
  spin_rounds = gc_thread_count() <= gc_limits_cpus() ? SPIN_ROUNDS : 0;
}

static void
sleep_until_over(size_t now, bool may_spin) {
  if (may_spin && gc_spin_while(&epoch, now, spin_rounds))
    return;
  while (gc_atomic_load_acquire(&epoch) == now)
    gc_futex_wait(&epoch, now, GC_FUTEX_FOREVER);
}

// Stop the calling thread if a stop is on that wants it.  Runs in the handler and, put off, outside: there
// the handler may come in between, and the swap of `answered` decides which of the two answers.
static void
stop_here(struct gc_thread *thread, const char *stack_pointer, bool may_spin) {
  size_t now = gc_atomic_load_acquire(&epoch);
  size_t request = gc_atomic_load_relaxed(&thread->request);
  size_t answered = gc_atomic_load_relaxed(&thread->answered);
  bool wanted = is_stopping(now) && request == now;
  if (answered == request)
    return; // a second signal
  if (!wanted) {
    gc_atomic_compare_and_swap(&thread->answered, answered, request); // late: that stop is over
    return;
  }
  gc_os_thread_delay(gc_tunables.stress_delay_us);
  const char *blocked_pointer = thread->stack_pointer;
  struct gc_range blocked_alternate = thread->alternate;
  gc_thread_publish_stack(thread, stack_pointer);
  if (gc_atomic_compare_and_swap(&thread->answered, answered, now) && count_answer(now))
    sleep_until_over(now, may_spin);
  gc_suspend_stay(thread);
  thread->stack_pointer = blocked_pointer;
  thread->alternate = blocked_alternate;
  gc_os_thread_delay(gc_tunables.stress_delay_us);
}

static void
stop_in_handler(struct gc_thread *thread, const char *stack_pointer, bool may_spin) {
  thread->handling = 1;
  stop_here(thread, stack_pointer, may_spin);
  thread->handling = 0;
}

static void
handle_signal(int number, siginfo_t *info, void *context) {
  int saved_errno = errno;
  struct gc_thread *thread = gc_thread_current();
  if (!gc_os_signal_is_own(info))
    gc_os_signal_pass_on(&program_action, number, info, context);
  else if (thread && thread->cache.busy)
    thread->cache.stop_pending = 1;
  else if (thread)
    stop_in_handler(thread, __builtin_frame_address(0), !gc_os_signal_interrupted_call(context));
  errno = saved_errno;
}

static void *
stop_published(void *thread_) {
  struct gc_thread *thread = thread_;
  stop_here(thread, thread->stack_pointer, true);
  return NULL;
}

// gc_cache_stop_now: the answer that was put off.
static void
stop_now(void) {
  struct gc_thread *thread = gc_thread_current();
  int saved_errno = errno;
  thread->cache.stop_pending = 0;
  gc_world_call_spilled(stop_published, thread);
  errno = saved_errno;
}

// ---- The stopping side ---------------------------------------------------------------------------------

// Signal one thread.  Returns whether it will answer.
static bool
signal_thread(struct gc_thread *thread, size_t now) {
  bool silent = gc_atomic_load_relaxed(&thread->answered) != gc_atomic_load_relaxed(&thread->request);
  gc_atomic_store_release(&thread->request, now);
  if (silent && !gc_tunables.retry_signals)
    return true;
  enum gc_os_sent sent;
  while ((sent = gc_os_thread_signal(thread->tid, signal_number)) == GC_OS_SENT_LATER)
    gc_os_thread_delay(1000);
  return sent == GC_OS_SENT;
}

// Whether a BLOCKED thread, which gets no signal, is still there.
static bool
is_alive(const struct gc_thread *thread) {
  return gc_os_thread_signal(thread->tid, 0) != GC_OS_SENT_NOBODY;
}

// Signal all that run, drop those that died.  Returns how many answers are due.
static size_t
signal_threads(size_t now) {
  size_t due = 0;
  struct gc_thread *next;
  for (struct gc_thread *thread = gc_thread_first(); thread; thread = next) {
    next = gc_thread_next(thread);
    if (thread == gc_thread_current())
      continue;
    bool blocked = gc_atomic_load_acquire(&thread->state) == GC_THREAD_BLOCKED;
    if (blocked ? !is_alive(thread) : !signal_thread(thread, now))
      gc_thread_drop(thread);
    else
      due += !blocked;
  }
  return due;
}

static bool
is_silent(const struct gc_thread *thread, size_t now) {
  return gc_atomic_load_relaxed(&thread->request) == now && gc_atomic_load_relaxed(&thread->answered) != now;
}

// A thread may have died after its signal was sent.  Returns how many such have been dropped.
static size_t
drop_dead(size_t now) {
  size_t dropped = 0;
  struct gc_thread *next;
  for (struct gc_thread *thread = gc_thread_first(); thread; thread = next) {
    next = gc_thread_next(thread);
    if (is_silent(thread, now) && !is_alive(thread)) {
      gc_thread_drop(thread);
      dropped++;
    }
  }
  return dropped;
}

// Sleep until all of `due` threads that are alive have answered.  false when `rounds` times no answer has
// come for LOOK_ROUND_NS.  The clock is not asked, so that a time when the whole machine stood still counts
// as one round.
static bool
await_answers(size_t now, size_t due, size_t rounds) {
  size_t seen;
  gc_atomic_store_relaxed(&awaited, due);
  gc_atomic_fence(); // with the swap in count_answer: either it sees `awaited` or we see its answer
  while ((seen = gc_atomic_load_acquire(&answers)) != answers_of(now, due)) {
    gc_futex_wait(&answers, seen, LOOK_ROUND_NS);
    if (gc_atomic_load_relaxed(&answers) != seen)
      continue;
    due -= drop_dead(now);
    gc_atomic_store_relaxed(&awaited, due);
    gc_atomic_fence();
    if (rounds-- == 0)
      return gc_atomic_load_acquire(&answers) == answers_of(now, due);
  }
  return true;
}

static size_t
begin_epoch(void) {
  size_t now = (uint32_t)(gc_atomic_load_relaxed(&epoch) + 1);
  GC_ASSERT(is_stopping(now));
  gc_atomic_store_relaxed(&awaited, 0);
  gc_atomic_store_relaxed(&answers, answers_of(now, 0));
  gc_atomic_store_release(&epoch, now);
  return now;
}

// The threads that sleep wake one by one; those that have not answered find that it is over.
static void
end_epoch(void) {
  size_t now = gc_atomic_load_relaxed(&epoch);
  GC_ASSERT(is_stopping(now));
  gc_atomic_store_relaxed(&answers, answers_of(now + 1, 0));
  gc_atomic_store_release(&epoch, (uint32_t)(now + 1));
}

// ---- Threads that do not answer ------------------------------------------------------------------------

enum { SILENT_MAX = 8 };

// Those that will be named, remembered while the list is locked.
struct silent_threads {
  pid_t tids[SILENT_MAX];
  bool handling[SILENT_MAX];
  size_t count;
};

static void
find_silent(struct silent_threads *silent, size_t now) {
  silent->count = 0;
  for (struct gc_thread *thread = gc_thread_first(); thread; thread = gc_thread_next(thread)) {
    if (!is_silent(thread, now) || silent->count == SILENT_MAX)
      continue;
    silent->handling[silent->count] = thread->handling;
    silent->tids[silent->count++] = thread->tid;
  }
}

static const char *
excuse_of(pid_t tid, bool handling) {
  if (gc_os_thread_signal(tid, 0) == GC_OS_SENT_NOBODY)
    return "it has ended";
  if (handling)
    return "it has not yet left the previous stop";
  if (gc_os_thread_blocks(tid, signal_number))
    return "it blocks the signal";
  if (!gc_os_signal_is_handled_by(signal_number, handle_signal))
    return "the program has replaced the signal's handler";
  return "it does not block the signal";
}

// The name becomes part of a format.
static void
replace_percents(char *name) {
  while ((name = strchr(name, '%')))
    *name = '?';
}

static void
warn_of(const struct silent_threads *silent) {
  for (size_t i = 0; i < silent->count; i++) {
    char name[GC_OS_THREAD_NAME_BYTES], format[160];
    gc_os_thread_name(silent->tids[i], name);
    replace_percents(name);
    snprintf(format, sizeof format, "thread %%lu (%s) does not answer stop signal %d: %s (state %c)\n", name,
             signal_number, excuse_of(silent->tids[i], silent->handling[i]),
             gc_os_thread_doing(silent->tids[i]));
    gc_warn(format, (uintptr_t)silent->tids[i]);
  }
}

// ---- One attempt, and more -----------------------------------------------------------------------------

struct attempt {
  size_t rounds; // of patience
  bool stopped;
  struct silent_threads silent;
  void (*function)(void *argument); // to call while stopped; NULL: leave the world stopped
  void *argument;
};

static bool threads_told; // that they are suspended  [gc_lock]

// Tell the program of each thread that was stopped, or that may go on.  [gc_lock]
static void
tell_of_threads(int event) {
  for (struct gc_thread *thread = gc_thread_first(); thread; thread = gc_thread_next(thread))
    if (thread != gc_thread_current() && gc_atomic_load_relaxed(&thread->state) == GC_THREAD_RUNNING)
      gc_hooks.thread_event(event, (void *)thread->handle);
}

static void
stop_or_give_up(struct attempt *attempt) {
  gc_lock_acquire(&gc_lock);
  size_t now = begin_epoch();
  choose_spinning();
  signalled = signal_threads(now);
  attempt->stopped = await_answers(now, signalled, attempt->rounds);
  threads_told = attempt->stopped && gc_hooks.thread_event;
  if (threads_told)
    tell_of_threads(GC_EVENT_THREAD_SUSPENDED);
  if (attempt->stopped)
    return;
  find_silent(&attempt->silent, now);
  gc_world_resume();
}

static void
call_if_stopped(struct attempt *attempt) {
  stop_or_give_up(attempt);
  if (attempt->stopped && attempt->function) {
    attempt->function(attempt->argument);
    gc_world_resume();
  }
}

// Under the loader's lock.  The collecting thread is as deaf as those that it stops: a handler might leave by
// a jump, or change what is being searched.
static void
run_attempt(void *attempt) {
  sigset_t before;
  gc_os_signal_block_asynchronous(&before);
  call_if_stopped(attempt);
  gc_os_signal_restore(&before);
}

static size_t
rounds_in(unsigned ms) {
  return gc_divide_up(ms, LOOK_ROUND_NS / 1000000);
}

static bool
stop_patiently(void (*function)(void *argument), void *argument) {
  struct attempt attempt = {.function = function, .argument = argument};
  for (size_t left = rounds_in(gc_tunables.stop_timeout_ms); left > 0; left -= attempt.rounds) {
    attempt.rounds = gc_min(left, rounds_in(gc_tunables.stop_warn_ms));
    if (!gc_images_call(run_attempt, &attempt))
      return false;
    if (attempt.stopped)
      return true;
    warn_of(&attempt.silent);
  }
  called_off++;
  return false;
}

bool
gc_world_call_stopped(void (*function)(void *argument), void *argument) {
  return stop_patiently(function, argument);
}

bool
gc_world_stop(void) {
  return stop_patiently(NULL, NULL);
}

void
gc_world_resume(void) {
  if (threads_told && gc_hooks.thread_event)
    tell_of_threads(GC_EVENT_THREAD_UNSUSPENDED);
  threads_told = false;
  end_epoch();
  gc_lock_release(&gc_lock);
  gc_futex_wake_all(&epoch);
}

size_t
gc_stop_signalled(void) {
  return signalled;
}

size_t
gc_stop_called_off(void) {
  return called_off;
}

// ---- The signal ----------------------------------------------------------------------------------------

int
gc_stop_signal(void) {
  return signal_number;
}

void
gc_stop_set_signal(int number) {
  signal_number = number;
}

void
gc_stop_init(void) {
  if (signal_number == 0)
    signal_number = SIGPWR;
  gc_cache_stop_now = stop_now;
  gc_os_signal_install(signal_number, handle_signal, &program_action);
}
