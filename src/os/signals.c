// Signal handlers, and the ones that were there before.
#include "os/signals.h"

#include <pthread.h>
#include <unistd.h>

#include "base/check.h"

void
gc_os_signal_install(int signal_number, gc_os_signal_handler *handler, struct sigaction *before) {
  struct sigaction action = {.sa_flags = SA_RESTART | SA_SIGINFO};
  action.sa_sigaction = handler;
  sigfillset(&action.sa_mask);
  GC_CHECK(sigaction(signal_number, &action, before) == 0, "signal %d cannot be used to stop threads",
           signal_number);
}

bool
gc_os_signal_is_handled_by(int signal_number, gc_os_signal_handler *handler) {
  struct sigaction action;
  return sigaction(signal_number, NULL, &action) != 0 ||
         ((action.sa_flags & SA_SIGINFO) && action.sa_sigaction == handler);
}

void
gc_os_signal_pass_on(const struct sigaction *before, int signal_number, siginfo_t *info, void *context) {
  if (before->sa_flags & SA_SIGINFO)
    before->sa_sigaction(signal_number, info, context);
  else if (before->sa_handler != SIG_DFL && before->sa_handler != SIG_IGN)
    before->sa_handler(signal_number);
}

void
gc_os_signal_block_asynchronous(sigset_t *before) {
  static const int others[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT, SIGPROF};
  sigset_t set;
  sigfillset(&set);
  for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
    sigdelset(&set, others[i]);
  pthread_sigmask(SIG_BLOCK, &set, before);
}

void
gc_os_signal_restore(const sigset_t *before) {
  pthread_sigmask(SIG_SETMASK, before, NULL);
}

void
gc_os_signal_unblock(int signal_number) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal_number);
  pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

bool
gc_os_signal_is_own(const siginfo_t *info) {
  return info->si_code == SI_TKILL && info->si_pid == getpid();
}

// `syscall` leaves in rcx where it returns to, unless the processor has FRED; a call that is to be made again
// goes back by its two bytes.
bool
gc_os_signal_interrupted_call(const void *context) {
#if defined __x86_64__
  const greg_t *registers = ((const ucontext_t *)context)->uc_mcontext.gregs;
  return registers[REG_RIP] == registers[REG_RCX] || registers[REG_RIP] == registers[REG_RCX] - 2;
#else
  (void)context;
  return false;
#endif
}
