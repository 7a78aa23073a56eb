// Words that keep what they refer to alive: the data that programs register beside objects.
//
// They lie in uncollectable objects, so that cycles of every kind treat them as they treat the program's own
// memory: a minor cycle searches those only that were written, and ten million that stay cost it nothing.
//
// All [gc_lock], save that the memory comes from outside.
#pragma once

#include "base/types.h"

enum { GC_STRONG_CHUNK_BYTES = 4096 };

// Is there room for one more?
bool gc_strong_has_room(void);

// Give it an uncollectable object of GC_STRONG_CHUNK_BYTES, cleared; it keeps it.  false if memory for its
// own list is refused.
bool gc_strong_add_chunk(void *chunk);

// A word that holds `data`; 0 stands for NULL, which needs none.  There is room.
uint32_t gc_strong_take(void *data);
void *gc_strong_get(uint32_t index);
void gc_strong_free(uint32_t index);
