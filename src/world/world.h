// The world: the program's threads, how they stop and go on, and where their roots are.
//
//   threads.h   the list of threads; attach and detach; blocking
//   stop.h      stop and resume
//   fibers.h    stacks that threads change between
//   roots.h     what to search
//   start.h     what a new thread begins with and leaves behind
//   fork.h      fork
#pragma once

#include "world/fibers.h"
#include "world/fork.h"
#include "world/roots.h"
#include "world/stop.h"
#include "world/threads.h"

// Once, from GC_init: installs the stop signal's handler and fork's, reads the list of libraries.
void gc_world_init(void);
