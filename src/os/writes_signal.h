// SIGSEGV, shared with the program.
#pragma once

#include "base/types.h"

// Whether a fault at this address was ours, and is dealt with: then the access is tried again.  Called in a
// handler that blocks all signals, or by one of the program's that passes on what it does not know.
typedef bool gc_writes_take_fault(const void *address);

// Have `take` called for faults.  All others go to the program's handler, which is the one that is there
// now, or was when this was called first: a program may install its own at any time, so call this again and
// again. [lock of writes.h]
void gc_writes_signal_install(gc_writes_take_fault *take);
