// The pagemap in /proc and its PAGEMAP_SCAN (Linux 6.7): which pages of this process have memory, and which
// were written since they were protected.  No malloc, no stdio: it may be asked while the world is stopped.
#pragma once

#include <sys/ioctl.h>

#include "base/types.h"

// By names of our own: <linux/fs.h>, which has them since Linux 6.7, and glibc's headers disagree about
// others.
struct gc_pagemap_region {
  uint64_t base, limit; // addresses
  uint64_t categories;
};

struct gc_pagemap_request {
  uint64_t size, flags;
  uint64_t base, limit;
  uint64_t stopped_at; // what the kernel answers
  uint64_t regions, capacity;
  uint64_t pages_max;
  uint64_t inverted, all_of, any_of, returned; // sets of categories
};

#define GC_PAGEMAP_SCAN _IOWR('f', 16, struct gc_pagemap_request)

enum { GC_PAGEMAP_WRITTEN = 1 << 1, GC_PAGEMAP_PRESENT = 1 << 3, GC_PAGEMAP_SWAPPED = 1 << 4 }; // categories
enum { GC_PAGEMAP_PROTECT = 1 << 0, GC_PAGEMAP_REFUSE_UNREGISTERED = 1 << 1 };                  // flags

static inline struct gc_range
gc_pagemap_range_of(const struct gc_pagemap_region *region) {
  return (struct gc_range){(const char *)(uintptr_t)region->base, (const char *)(uintptr_t)region->limit};
}

// A descriptor of it, which means the memory of the process that has opened it, or -1.
int gc_pagemap_open(void);
void gc_pagemap_close(int pagemap);

// Call `visit` for the parts of a range that have been touched, or may have been, in order; all else reads as
// zero.  A part that is touched meanwhile may be visited or not.  Returns how many bytes were visited: all of
// them where the system does not tell, or the descriptor is none.
size_t gc_pagemap_visit_touched(int pagemap, struct gc_range range,
                                void (*visit)(struct gc_range part, void *data), void *data);
