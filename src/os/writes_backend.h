// What a back end of writes.h provides, and what it may use.  All calls are made under the lock of writes.h.
#pragma once

#include "base/types.h"
#include "os/memory.h"

struct gc_writes_backend {
  // Make ready for a heap of which nothing is armed.  false, and the reason, if it cannot be had here.
  bool (*open)(struct gc_range heap, const char **reason);
  // Give up what open took.  Nothing is armed any more.
  void (*close)(void);
  // As in writes.h.  After false nothing of the range is armed.
  bool (*arm)(struct gc_range range);
  bool (*harvest)(struct gc_range range);
  void (*disarm)(struct gc_range range);
  bool (*find)(struct gc_range range, struct gc_range_array *found); // NULL: it costs as much as a harvest
  void (*note_released)(struct gc_range range);                      // NULL: makes no difference
};

// A harvest has found that this was written.
void gc_writes_report(struct gc_range range);
