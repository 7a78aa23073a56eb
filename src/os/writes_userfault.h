// The back end USERFAULT.
#pragma once

#include "os/writes_backend.h"

extern const struct gc_writes_backend gc_writes_userfault;

int gc_writes_userfault_pagemap(void);

// Outside the heap; see writes.h.
bool gc_writes_userfault_watch(struct gc_range range);
bool gc_writes_userfault_is_clean(struct gc_range range);
bool gc_writes_userfault_find_watched(struct gc_range range, struct gc_range_array *found);
void gc_writes_userfault_unwatch(struct gc_range range);
