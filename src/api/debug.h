// Allocation of annotated objects, for other ways to allocate.
#pragma once

#include "base/types.h"

// Annotate what `caller` has allocated with gc_annotation_request(bytes) bytes, and give what the program
// gets. If that is NULL the log says so, and NULL is given.
void *gc_debug_annotate(const char *caller, void *object, size_t bytes, const char *file, int line);

// An annotated object of a kind; other kinds than gc.h's own count as normal.
void *gc_debug_allocate(size_t bytes, unsigned kind, const char *file, int line);
