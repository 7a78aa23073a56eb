// Signal handlers, and the ones that were there before.
#pragma once

#include <signal.h>

#include "base/types.h"

typedef void gc_os_signal_handler(int signal_number, siginfo_t *info, void *context);

// Install a handler that runs with all signals blocked and restarts system calls; `before` gets the one that
// was there. Ends the program if there is no such signal.
void gc_os_signal_install(int signal_number, gc_os_signal_handler *handler, struct sigaction *before);

// Whether `handler` is still the one.
bool gc_os_signal_is_handled_by(int signal_number, gc_os_signal_handler *handler);

// Pass a signal on to the handler that was there before; one that would only end the program is not called.
void gc_os_signal_pass_on(const struct sigaction *before, int signal_number, siginfo_t *info, void *context);

// Block, in the calling thread, all signals whose handlers can wait: not those that faults raise, nor a
// profiler's.
void gc_os_signal_block_asynchronous(sigset_t *before);
void gc_os_signal_restore(const sigset_t *before);

// Unblock a signal in the calling thread.
void gc_os_signal_unblock(int signal_number);

// Whether a signal was sent to this thread by tgkill from this very process.
bool gc_os_signal_is_own(const siginfo_t *info);

// Whether the signal came while its thread was in a system call, and so had nothing to do as a rule.  false
// where that cannot be told.
bool gc_os_signal_interrupted_call(const void *context);
