// TAP for test programs that print it themselves: one line per check, the plan at the end.
//
//     tap_ok(size >= 16, "an object of %zu bytes has room", bytes);
//     return tap_done();
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static int tap_count, tap_failures;

// One line of the report.  `directive` is "" or "# SKIP reason".
__attribute__((format(printf, 3, 0))) static inline bool
tap_report(bool passed, const char *directive, const char *format, va_list arguments) {
  tap_count++;
  tap_failures += !passed;
  printf("%sok %d - ", passed ? "" : "not ", tap_count);
  vprintf(format, arguments);
  printf("%s%s\n", directive[0] ? " " : "", directive);
  fflush(stdout);
  return passed;
}

// Report whether a check passed; gives `passed` back.
__attribute__((format(printf, 2, 3))) static inline bool
tap_ok(bool passed, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  tap_report(passed, "", format, arguments);
  va_end(arguments);
  return passed;
}

// Report a check that cannot be made here.
__attribute__((format(printf, 2, 3))) static inline void
tap_skip(const char *reason, const char *format, ...) {
  char directive[200];
  va_list arguments;
  snprintf(directive, sizeof directive, "# SKIP %s", reason);
  va_start(arguments, format);
  tap_report(true, directive, format, arguments);
  va_end(arguments);
}

// Explain something: a comment line of the report.
__attribute__((format(printf, 1, 2))) static inline void
tap_note(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fputs("# ", stdout);
  vprintf(format, arguments);
  putchar('\n');
  fflush(stdout);
  va_end(arguments);
}

// Print the plan; gives main's result.
static inline int
tap_done(void) {
  printf("1..%d\n", tap_count);
  return tap_failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
