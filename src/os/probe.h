// Memory that may not be there: asking before reading.
#pragma once

#include "base/types.h"

// The leading part of a range that can be read, page by page, at this moment.  All of it if the kernel will
// not say.
struct gc_range gc_os_readable_prefix(struct gc_range range);

// As above, from the end: the trailing part that can be read.
struct gc_range gc_os_readable_suffix(struct gc_range range);

// The mapping that contains an address, from /proc/self/maps: slow.  false if there is none, or no /proc.
bool gc_os_mapping_at(const void *address, struct gc_range *mapping);
