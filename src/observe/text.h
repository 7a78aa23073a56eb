// Text that grows in memory of the collector's own, so that a report can be composed while the world is
// stopped and written when it runs again: who reads what we write may be one of the stopped threads.
#pragma once

#include "base/check.h"
#include "base/types.h"

// All zero is an empty text.
struct gc_text {
  char *bytes;
  size_t used, capacity;
};

// Append; lines longer than 512 bytes are cut.  What finds no memory is dropped.
void gc_text_add(struct gc_text *text, const char *format, ...) GC_PRINTF(2, 3);

// Write it to the log and release its memory.
void gc_text_log(struct gc_text *text);
