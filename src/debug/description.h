// What can be said about an object to people: where it is, and where it was allocated if it is annotated.
#pragma once

#include "debug/annotation.h"

// All of it is copied when the object is looked at, so that it can be told later, when the object is gone.
struct gc_description {
  const char *object; // as the program knows it
  const char *file;   // NULL: unknown
  int line;
  size_t bytes; // as asked for, or if that is not known those that there is room for
  uint8_t kind;
  bool bytes_known;
};

enum { GC_DESCRIPTION_BYTES = 320 };

// [gc_lock, or stw]
struct gc_description gc_description_of(struct gc_ref ref);

// "0x7f12e4c01020 (list.c:12, 20 bytes, normal)", or with "about 24 bytes".  Instead of the kind it has what
// the program says of an object of that kind, if it is still there; so no lock may be held.  What is no
// string where the file's name ought to be does no harm.  Returns `text`.
const char *gc_description_print(const struct gc_description *description, char text[GC_DESCRIPTION_BYTES]);
