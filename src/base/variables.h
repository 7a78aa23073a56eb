// The variables of libgc's interface, which programs read and write at any time without a call: gc.h,
// "Settings as variables".
//
// Each is the one place where its setting is kept: setters, getters and the environment write and read it,
// and the collector reads it where it acts on it.  The program may have a copy of its own, which the dynamic
// linker then gives to all (an R_X86_64_COPY relocation of a program that is not position-independent).  So
// they have default visibility and are reached through the global offset table; nothing may be linked with
// -Bsymbolic.
//
// A program may write anything.  What is outside the sensible range counts as its nearest end.
#pragma once

#include "base/tunables.h"
#include "gc.h"

// One access, whatever the compiler thinks of it; the program's writes take no lock.
#define GC_READ(variable) __atomic_load_n(&(variable), __ATOMIC_RELAXED)
#define GC_WRITE(variable, value) __atomic_store_n(&(variable), value, __ATOMIC_RELAXED)

// Not in libgc's headers, but exported and used by programs that look inside.
GC_API GC_abort_func GC_on_abort;
GC_API void **GC_objfreelist_ptr; // free lists by granules, for code that takes from them: always empty
GC_API void **GC_aobjfreelist_ptr;
GC_API void **GC_uobjfreelist_ptr;
GC_API void **GC_auobjfreelist_ptr;

// Has the program or its user said anything about these?  Their initial values are libgc's, for programs that
// read them; unless they were said, the collector does better.
struct gc_variables_said {
  bool full_freq;
  bool time_limit;
};
extern struct gc_variables_said gc_variables_said;

// What the environment says goes into the variables.
void gc_variables_take(const struct gc_tunables *tunables);

// The settings as policy wants them.
size_t gc_variables_divisor(void);         // 1 to 1000
unsigned gc_variables_full_freq(void);     // minor cycles between two full ones at most; 0: any number
size_t gc_variables_pause_target_ms(void); // GC_TIME_UNLIMITED or less
size_t gc_variables_retries(void);         // collections more before memory counts as exhausted

// Ask GC_oom_fn for what an allocation is to return.
void *gc_variables_out_of_memory(size_t bytes);
