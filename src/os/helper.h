// Threads of the collector's own: detached, with a small stack and all signals blocked, so that no handler of
// the program runs on them and no stop signal reaches them; save SIGSEGV, since the collector itself writes
// to objects that may be armed by PROTECT (os/writes.h).
#pragma once

#include "base/types.h"

// false if the system refuses.
bool gc_os_start_helper(void *(*main)(void *), void *argument);
