// Printing for programs and for debuggers, without stdio's streams.
#include <stdarg.h>
#include <stdio.h>

#include "base/check.h"
#include "gc.h"

enum { PRINT_BYTES = 1024 }; // as much as libgc prints at a time

// Returns the length of the text.
static size_t
format_text(char text[PRINT_BYTES], const char *format, va_list arguments) {
  int wanted = vsnprintf(text, PRINT_BYTES, format, arguments);
  return wanted > 0 ? gc_min((size_t)wanted, PRINT_BYTES - 1) : 0;
}

void
GC_printf(const char *format, ...) {
  char text[PRINT_BYTES];
  va_list arguments;
  va_start(arguments, format);
  gc_output_text(text, format_text(text, format, arguments));
  va_end(arguments);
}

void
GC_err_printf(const char *format, ...) {
  char text[PRINT_BYTES];
  va_list arguments;
  va_start(arguments, format);
  gc_error_text(text, format_text(text, format, arguments));
  va_end(arguments);
}

void
GC_log_printf(const char *format, ...) {
  char text[PRINT_BYTES];
  va_list arguments;
  va_start(arguments, format);
  gc_log_text(text, format_text(text, format, arguments));
  va_end(arguments);
}
