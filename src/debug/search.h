// What keeps an object alive: a way to it from a root, found by searching the heap when somebody asks.
//
// Breadth first from all roots but the calling thread's stack; then from that, word by word from its base on,
// since the innermost frames know the object only because they ask about it.  The order does not depend on
// the object, so that who asks again about the referrer, and so on, comes to a root: while nothing changes
// each object has one referrer, and the referrers make a forest.
//
// Nothing is kept for it, neither in objects nor between searches.  A search takes as long as a collection by
// a single, slow marker, with the world stopped, and needs 8 bytes for each slot and 16 for each object.
#pragma once

#include "debug/description.h"

enum gc_search_source {
  GC_SEARCH_NO_OBJECT,      // the address lies in no object
  GC_SEARCH_FROM_NOWHERE,   // nothing was found that refers to it
  GC_SEARCH_FROM_ROOT,      // a word of a stack, of static data, of a registered range, of a thread's data
  GC_SEARCH_FROM_REGISTER,  // of the calling thread
  GC_SEARCH_FROM_FINALIZER, // it waits for its finalizer
  GC_SEARCH_FROM_OBJECT
};

// One step of the way.
struct gc_search_step {
  enum gc_search_source source;
  const char *at;                 // the word that refers to what the step before was about
  struct gc_description referrer; // FROM_OBJECT: the object that it lies in
};

// The way from the object at an address to a root.  Stores the first `capacity` steps, and what is known of
// the object itself in *object.  Returns how many steps there are, 1 at least; the last one is no
// FROM_OBJECT.  The address is hidden (GC_HIDE_POINTER), lest asking be what keeps it; what the calling
// thread has on its stack below `registers_limit` counts as registers.  No lock may be held.
size_t gc_search(uintptr_t hidden_address, const void *registers_limit, struct gc_description *object,
                 struct gc_search_step *steps, size_t capacity);
