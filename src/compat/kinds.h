// libgc's numbers of kinds, and ours.
#pragma once

#include "heap/kinds.h"

// Ours for a request of `bytes` bytes of a kind that a program names.  A number that is no kind ends the
// program.
unsigned gc_compat_kind(const char *caller, int number, size_t bytes);

// libgc's for one of ours.
int gc_compat_number(unsigned kind);

// A new object of `bytes` bytes and `more`, or what the out-of-memory function returns.
void *gc_compat_allocate(size_t bytes, size_t more, unsigned kind);
