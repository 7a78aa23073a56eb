// Asking the pagemap.  See pagemap.h.
#include "os/pagemap.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/valgrind.h"

// Not that of /proc/self, which is the first thread's: when that has ended it tells nothing any more.
int
gc_pagemap_open(void) {
  if (GC_VALGRIND_RUNNING())
    return -1; // it does not know the request
  return (int)syscall(SYS_openat, AT_FDCWD, "/proc/thread-self/pagemap", O_RDONLY | O_CLOEXEC);
}

void
gc_pagemap_close(int pagemap) {
  if (pagemap >= 0)
    syscall(SYS_close, pagemap);
}

enum { REGIONS_AT_ONCE = 64 };

// Some regions of touched pages, and where the search for more goes on; NULL: it has failed.
static const char *
find_touched(int pagemap, struct gc_range range, struct gc_pagemap_region *regions, size_t *count) {
  struct gc_pagemap_request request = {
      .size = sizeof request,
      .base = (uintptr_t)range.base,
      .limit = (uintptr_t)range.limit,
      .regions = (uintptr_t)regions,
      .capacity = REGIONS_AT_ONCE,
      .any_of = GC_PAGEMAP_PRESENT | GC_PAGEMAP_SWAPPED,
      .returned = GC_PAGEMAP_PRESENT,
  };
  int listed = ioctl(pagemap, GC_PAGEMAP_SCAN, &request);
  if (listed < 0 || request.stopped_at <= request.base)
    return NULL;
  *count = (size_t)listed;
  return (const char *)(uintptr_t)request.stopped_at;
}

size_t
gc_pagemap_visit_touched(int pagemap, struct gc_range range, void (*visit)(struct gc_range part, void *data),
                         void *data) {
  struct gc_pagemap_region regions[REGIONS_AT_ONCE];
  size_t bytes = 0, count;
  const char *next = NULL;
  while (pagemap >= 0 && range.base < range.limit &&
         (next = find_touched(pagemap, range, regions, &count)) != NULL) {
    for (size_t i = 0; i < count; i++) {
      struct gc_range part = gc_pagemap_range_of(&regions[i]);
      if (part.limit > range.limit)
        part.limit = range.limit; // in the midst of a page
      visit(part, data);
      bytes += gc_range_bytes(part);
    }
    range.base = next;
  }
  if (range.base < range.limit) {
    visit(range, data);
    bytes += gc_range_bytes(range);
  }
  return bytes;
}
