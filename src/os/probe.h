// Memory that may not be there, or not for long.
#pragma once

#include "base/types.h"
#include "os/memory.h"

// Copy what can be read of a range to `copy`, page by page, up to the first page that cannot; `backwards`:
// from the last page down, the copy's pages then in that order, too.  Returns the bytes copied.
size_t gc_os_copy_readable(struct gc_range range, bool backwards, char *copy);

// Whether the kernel lets us copy so at all; a sandbox may forbid it.
bool gc_os_can_copy(void);

// The mapping that contains an address, from /proc/self/maps: slow where
// the kernel (before Linux 6.11) must be asked for all of them.  false if there is none, or no /proc.
bool gc_os_mapping_at(const void *address, struct gc_range *mapping);

// Append the mappings that are shared, with other processes or among themselves.  false if that cannot be
// found out, or memory is refused.
bool gc_os_find_shared_mappings(struct gc_range_array *shared);
