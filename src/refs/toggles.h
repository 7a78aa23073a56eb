// References that are now strong, now weak, as the program decides at each full cycle.  They are few.
//
// A word each: the object, which makes it a root, or the object hidden.  All [gc_lock].
#pragma once

#include "os/memory.h"

enum gc_toggle { GC_TOGGLE_DROP, GC_TOGGLE_STRONG, GC_TOGGLE_WEAK };
typedef int gc_toggle_decide(void *object); // an enum gc_toggle

// false if memory is refused.
bool gc_toggles_add(void *object, bool strong);

// Ask about each.  While the world runs.
void gc_toggles_ask(gc_toggle_decide *decide);

// Append the strong ones to the roots.  After marking, forget those whose objects are dead.  [stw]
bool gc_toggles_roots_stw(struct gc_range_array *roots);
void gc_toggles_settle_stw(void);
