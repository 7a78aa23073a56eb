// For programs in C and C++ that are built with libgc's headers and Loam's, and run on either library.

#pragma once

#include <stdio.h>

// Print that something is so, or not.
static inline void
check(const char *what, int is_so) {
  printf("%s: %s\n", what, is_so ? "yes" : "no");
}

// Objects that are to be found reclaimed: for each a word that becomes NULL with it.
enum { GARBAGE_MAX = 1000 };
struct garbage {
  GC_word hidden[GARBAGE_MAX];
  int count;
};

static inline void
garbage_add(struct garbage *garbage, void *object) {
  GC_word *hidden = &garbage->hidden[garbage->count++];
  *hidden = GC_HIDE_POINTER(object);
  GC_general_register_disappearing_link((void **)hidden, GC_base(object));
}

// Collect, and say how many are gone.
static inline int
garbage_gone(const struct garbage *garbage) {
  int gone = 0, i;
  for (i = 0; i < 3; i++)
    GC_gcollect();
  for (i = 0; i < garbage->count; i++)
    gone += garbage->hidden[i] == 0;
  return gone;
}

// All but those that a stale word may keep.
static inline int
most_are_gone(const struct garbage *garbage) {
  return garbage->count == GARBAGE_MAX && garbage_gone(garbage) >= GARBAGE_MAX * 9 / 10;
}

static inline int
none_is_gone(const struct garbage *garbage) {
  return garbage->count == GARBAGE_MAX && garbage_gone(garbage) == 0;
}
