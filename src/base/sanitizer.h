// What AddressSanitizer must be told, in a program that has been built with it; the library need not be.
#pragma once

#include "base/types.h"

// Not there without AddressSanitizer.  `fake_stack` is what it keeps for the stack that is left, NULL for one
// that ends; it wants it back on the next arrival there, NULL on the first.
void __sanitizer_start_switch_fiber(void **fake_stack, const void *base, size_t bytes) __attribute__((weak));
void __sanitizer_finish_switch_fiber(void *fake_stack, const void **base, size_t *bytes)
    __attribute__((weak));
void __asan_unpoison_memory_region(const volatile void *base, size_t bytes) __attribute__((weak));

#define GC_SANITIZER_WATCHES_STACKS (&__sanitizer_start_switch_fiber != NULL)

// Before memory that was a stack becomes something else: frames that did not return have left their marks.
static inline void
gc_sanitizer_forget_stack(void *base, size_t bytes) {
  if (&__asan_unpoison_memory_region)
    __asan_unpoison_memory_region(base, bytes);
}
