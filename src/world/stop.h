// Stopping the world and letting it go on.
#pragma once

#include "base/types.h"

// Run `function` with every other attached thread stopped and the loader's lock and gc_lock held, so that no
// library comes or goes meanwhile.  Called with gc_cycle_lock held, gc_lock not held, within
// gc_world_call_spilled.  false, without a call, if a thread did not answer within stop_timeout_ms or memory
// for the loader's tables was refused: then everything runs.
bool gc_world_call_stopped(void (*function)(void *argument), void *argument);

// The same in two steps, without the loader's lock in between: a thread that is not stopped, since it is
// blocked or not attached, may then unload a library whose data are being searched.  On true the caller holds
// gc_lock until gc_world_resume.
bool gc_world_stop(void);
void gc_world_resume(void);

// Install the handler.  Once, from gc_world_init.
void gc_stop_init(void);

// The signal that stops threads; it may be chosen before gc_stop_init only.  0: none chosen, not initialised.
int gc_stop_signal(void);
void gc_stop_set_signal(int signal_number);

// Threads that the last stop has signalled: those that ran.  [gc_cycle_lock]
size_t gc_stop_signalled(void);

// Stops that were called off because a thread did not answer.  [gc_cycle_lock; read racily]
size_t gc_stop_called_off(void);
