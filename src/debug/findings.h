// What the collector finds out about the program's mistakes: annotated objects that were written beyond, or
// after they were freed; and, while GC_find_leak is set, objects that nothing refers to and nobody freed.
//
// Each pause looks, after marking, at every object of the heap, but only if there has ever been an annotated
// object or leaks are wanted; what it finds is told after the pause.
#pragma once

#include "debug/description.h"

// Once, from GC_init.
void gc_findings_init(void);

// Tell what has been found since the last time, to the log, and end the program if GC_ABORT_ON_LEAK wants it.
// No lock may be held.
void gc_findings_report(void);

// The program has been told of a mistake at once: with GC_ABORT_ON_LEAK the next report ends it.
void gc_findings_note(void);
