// Hidden objects: is what only one place refers to kept, and what nothing refers to reclaimed?
#pragma once

#include <stdint.h>
#include <string.h>

#include "gc.h"
#include "tests/tap.h"

enum { OBJECT_BYTES = 64, OBJECT_MARK = 0x5a };

// The complement of an object's address, which the collector does not see.
typedef volatile uintptr_t hidden;

__attribute__((noinline, unused)) static uintptr_t
hide(void *object) {
  return ~(uintptr_t)object;
}

__attribute__((noinline, unused)) static void *
reveal(uintptr_t hidden_address) {
  return (void *)~hidden_address;
}

// A new object, hidden, with contents to recognise it by.
__attribute__((noinline, unused)) static uintptr_t
new_hidden(void) {
  void *object = GC_malloc(OBJECT_BYTES);
  memset(object, OBJECT_MARK, OBJECT_BYTES);
  return hide(object);
}

__attribute__((noinline, unused)) static void
clear_stack(void) {
  volatile char dirt[8000];
  for (size_t i = 0; i < sizeof dirt; i++)
    dirt[i] = 0;
}

__attribute__((noinline, unused)) static void
collect(void) {
  clear_stack();
  GC_gcollect();
}

// Whether a hidden object of new_hidden is there and whole.
__attribute__((noinline, unused)) static bool
is_there(uintptr_t hidden_address) {
  const unsigned char *object = reveal(hidden_address);
  if (GC_base((void *)object) != object)
    return false;
  for (size_t i = 0; i < OBJECT_BYTES; i++)
    if (object[i] != OBJECT_MARK)
      return false;
  return true;
}

__attribute__((noinline, unused)) static size_t
count_left(const uintptr_t *hidden_addresses, size_t count) {
  size_t left = 0;
  for (size_t i = 0; i < count; i++)
    left += GC_base(reveal(hidden_addresses[i])) == reveal(hidden_addresses[i]);
  return left;
}
