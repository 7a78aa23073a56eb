// Checks.  GC_CHECK is always on: corruption and misuse end in one line and an abort.  GC_ASSERT is for
// debug builds and states an invariant of ours by name.
#pragma once

#include "base/types.h"

#ifndef GC_DEBUG_CHECKS
#error "GC_DEBUG_CHECKS must be defined as 0 or 1"
#endif

// Format one line, hand it to the program's abort function, and abort.  Formats know %s %d %u %zu %lu %p %x.
_Noreturn void gc_fail(const char *format, ...) GC_PRINTF(1, 2);

// Write one line "loam: ..." to the log descriptor, without stdio and without malloc.
void gc_log(const char *format, ...) GC_PRINTF(1, 2);

// Write text as it is to the log descriptor.
void gc_log_text(const char *text, size_t bytes);

// The same for what the program itself wants printed: to standard output and standard error, or to the log's
// file where the user has said so.
void gc_output_text(const char *text, size_t bytes);
void gc_error_text(const char *text, size_t bytes);

// Hand a message to the program's abort function; NULL says that the program exits.
void gc_abort_tell(const char *message);

// As gc_log, for something odd but survivable: goes through the program's warn procedure, with one word as
// argument.
void gc_warn(const char *format, uintptr_t argument);

#define GC_CHECK(condition, ...)   \
  do {                             \
    if (GC_UNLIKELY(!(condition))) \
      gc_fail(__VA_ARGS__);        \
  } while (0)

#define GC_ASSERT(condition)                                                   \
  do {                                                                         \
    if (GC_DEBUG_CHECKS && GC_UNLIKELY(!(condition)))                          \
      gc_fail("assertion failed: %s (%s:%d)", #condition, __FILE__, __LINE__); \
  } while (0)
