// For clauses about what keeps objects: targets to which only the words in question refer, and which of them
// are still there.
#pragma once

#include "../clauses.h"

static int made[SETS]; // targets of each set

// In static data: what the clauses are about.  Not a static name, lest the compiler leave out what is only
// written.
void *holders[OBJECTS];

static inline struct node *
target(int set, int i) {
  struct node *node = new_node(set, i);
  watch(set, i, node);
  made[set]++;
  return node;
}

// As many may be kept by stray words as `most` may lack.
static inline const char *
kept(int set) {
  int count = 0;
  for (int i = 0; i < OBJECTS; i++)
    count += links[set][i] && number_of(object(set, i)) == set * OBJECTS + i;
  return count == made[set] ? "all" : count * 10 <= made[set] ? "few" : share(count, made[set]);
}

static inline void
forget_targets(void) {
  for (int set = 0; set < SETS; set++) {
    made[set] = 0;
    for (int i = 0; i < OBJECTS; i++)
      GC_unregister_disappearing_link(&links[set][i]);
  }
}

// Of each set that there is.
static inline void
say_kept(void) {
  char text[200] = "";
  for (int set = 0; set < SETS; set++) {
    size_t length = strlen(text);
    if (made[set])
      snprintf(text + length, sizeof text - length, "%s%c %s", length ? ", " : "", 'A' + set, kept(set));
  }
  say("%s", text);
  say_faults();
}

// holders[i] is to be made by make(i); then what is kept is told.
static inline void
run_holders(void (*make)(int)) {
  each(make);
  collect(2);
  say_kept();
}

static inline void
check_zero(const void *memory, size_t bytes) {
  for (size_t i = 0; i < bytes; i++)
    if (((const char *)memory)[i] != 0) {
      faults++;
      return;
    }
}

// Much memory with anything in it is free.
static inline void
dirty(int i) {
  size_t bytes = (size_t)(i % 20 + 1) * 16;
  memset(GC_malloc(bytes), 0xa5, bytes);
  if (i < 10)
    memset(GC_malloc(bytes * 1000), 0xa5, bytes * 1000);
}
