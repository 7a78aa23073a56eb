// SIGSEGV, shared with the program.  See writes_signal.h.
//
//   the kernel --> handle --> newest --(if it passes on what is not its own)--> handle --> oldest
//
// The oldest handler of the program is the one that was there before ours.  If the program installs
// another, ours is out of the way until we come round to install it again, with that one as the newest.  It
// may have kept our handler's address as what was there before, and call it for faults that it does not
// know: these must not be given to it again.
//
// A handler of the program's is called as the kernel would have called it: with the same arguments, and
// with the signals blocked that it asked for.  Only the stack may be another: ours is the alternate one, if
// there is one, because a handler that needs it must get it.
#include "os/writes_signal.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <ucontext.h>

#include "base/atomic.h"
#include "base/check.h"
#include "os/signals.h"

enum { OLDEST = 0, HANDLERS = 3 };

static gc_writes_take_fault *take_fault; // written before the handler is installed
static bool installed;                   // [lock of writes.h]

// The oldest stays.  The others are used in turn, so that one can be read while its successor is written.
static struct sigaction handlers[HANDLERS];
static struct gc_atomic newest; // an index  [atomic: remember -> handle, release]

static void
remember(const struct sigaction *action) {
  size_t index = gc_atomic_load_relaxed(&newest) == 1 ? 2 : 1;
  if (!installed)
    index = OLDEST;
  handlers[index] = *action;
  gc_atomic_store_release(&newest, index);
}

static void
set_default(void) {
  struct sigaction action = {.sa_handler = SIG_DFL};
  sigaction(SIGSEGV, &action, NULL);
}

// How often this very signal was passed on before.  The last byte of what the kernel tells about a signal is
// unused, and zero for each new one.
static unsigned
count_turn(siginfo_t *info) {
  unsigned char *last = (unsigned char *)(info + 1) - 1;
  return (*last)++;
}

// Whose turn it is; NULL if all have had theirs.
static const struct sigaction *
next_handler(siginfo_t *info) {
  unsigned turn = count_turn(info);
  size_t index = gc_atomic_load_acquire(&newest);
  if (turn == 0)
    return &handlers[index];
  return turn == 1 && index != OLDEST ? &handlers[OLDEST] : NULL;
}

// What was blocked when the signal came, and what the handler wants.
static void
block_for(const struct sigaction *action, const ucontext_t *context) {
  sigset_t mask;
  sigemptyset(&mask);
  memcpy(&mask, &context->uc_sigmask, _NSIG / 8); // the kernel's set is no longer
  sigorset(&mask, &mask, &action->sa_mask);
  if (!(action->sa_flags & SA_NODEFER))
    sigaddset(&mask, SIGSEGV);
  gc_os_signal_restore(&mask);
}

// A fault comes again when we return; a signal that was sent does not.
static void
end_program(const siginfo_t *info) {
  set_default();
  if (info->si_code <= 0)
    raise(SIGSEGV);
}

static bool
is_function(const struct sigaction *action) {
  return (action->sa_flags & SA_SIGINFO) || (action->sa_handler != SIG_DFL && action->sa_handler != SIG_IGN);
}

static void
pass_on(int number, siginfo_t *info, void *context) {
  const struct sigaction *shared = next_handler(info);
  struct sigaction action = shared ? *shared : (struct sigaction){.sa_handler = SIG_DFL};
  if (is_function(&action)) {
    if (action.sa_flags & SA_RESETHAND)
      remember(&(struct sigaction){.sa_handler = SIG_DFL});
    block_for(&action, context);
    gc_os_signal_pass_on(&action, number, info, context);
  } else if (action.sa_handler == SIG_DFL || info->si_code > 0) {
    end_program(info); // a fault cannot be ignored
  }
}

static void
handle(int number, siginfo_t *info, void *context) {
  int error = errno;
  if (info->si_code != SEGV_ACCERR || !take_fault(info->si_addr))
    pass_on(number, info, context);
  errno = error;
}

void
gc_writes_signal_install(gc_writes_take_fault *take) {
  struct sigaction ours = {.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART}, now;
  if (installed && gc_os_signal_is_handled_by(SIGSEGV, handle))
    return;
  take_fault = take;
  ours.sa_sigaction = handle;
  memset(&ours.sa_mask, 0xff, sizeof ours.sa_mask); // sigfillset omits the signal of pthread_cancel
  if (sigaction(SIGSEGV, NULL, &now) == 0)
    remember(&now);
  installed = true;
  GC_CHECK(sigaction(SIGSEGV, &ours, NULL) == 0, "SIGSEGV cannot be handled (error %d)", errno);
}
