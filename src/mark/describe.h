// What an object with a descriptor refers to.
#pragma once

#include "heap/heap.h"
#include "heap/kinds.h"

// Who is told.  The entries are what mark procedures hand on: from the limit they are given,
// gc_describe_found finds the visitor.
struct gc_visitor {
  const char *object; // that is being described; gc_describe sets it
  void (*word)(struct gc_visitor *visitor, uintptr_t word, const void *at); // found there; an address or not
  void (*range)(struct gc_visitor *visitor, struct gc_range range); // words of this range; NULL: one by one
  void *entries[2];
};

// The descriptor of one object of a described kind, after any PER_OBJECT has been followed.
uintptr_t gc_describe_object(const char *object, size_t bytes, unsigned kind);

// Tell the visitor of all words that an object with this descriptor may have its pointers in.
void gc_describe(struct gc_visitor *visitor, const char *object, size_t bytes, uintptr_t descriptor);

// A mark procedure's word: `word` may refer to an object.  `limit` is what the procedure was given.  Where it
// was found does not matter: for the visitor that is the object.
void gc_describe_found(struct GC_ms_entry *limit, uintptr_t word);

// For mark procedures that know a part's descriptor.  One of a length may be anywhere in memory.
void gc_describe_part(struct GC_ms_entry *limit, const char *part, size_t bytes, uintptr_t descriptor);
