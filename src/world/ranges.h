// Sets of addresses as sorted arrays of ranges.
#pragma once

#include "os/memory.h"

// Sort an array and merge ranges that touch or overlap; empty ones go.
void gc_ranges_normalize(struct gc_range_array *array);

// `array` loses what it shares with `hole`, and is normalized.  false if memory is refused; then nothing is
// lost.
bool gc_ranges_remove(struct gc_range_array *array, struct gc_range hole);

// `result` += `array` without all of `holes`, both normalized.  false if memory is refused.
bool gc_ranges_push_difference(const struct gc_range_array *array, const struct gc_range_array *holes,
                               struct gc_range_array *result);

// `result` += `array`.  false if memory is refused.
bool gc_ranges_push_all(const struct gc_range_array *array, struct gc_range_array *result);

// In those from `first` on.
size_t gc_ranges_bytes(const struct gc_range_array *array, size_t first);

bool gc_ranges_contain(const struct gc_range_array *array, const void *address);

// Does one of them share something with `range`?
bool gc_ranges_overlap(const struct gc_range_array *array, struct gc_range range);
