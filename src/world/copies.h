// Copies of memory that may vanish while it is searched, since its owner is not stopped or has left it half
// changed.
#pragma once

#include "os/memory.h"

// Throw away the copies of the last collection.
void gc_copies_reset_stw(void);

// Copy what can be read of a range (of whole words), from its end if `backwards`, and append the copy to
// `roots`. false if memory is refused.
bool gc_copies_push_stw(struct gc_range range, bool backwards, struct gc_range_array *roots);
