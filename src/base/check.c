// Lines for people: failures, warnings, the log.  Nothing here allocates or uses stdio's streams, since any
// of it may run while the world is stopped and some thread holds malloc's lock.
#include "base/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/hooks.h"

enum { LINE_BYTES = 512 };

struct gc_tunables gc_tunables;
struct gc_hooks gc_hooks = {.log_fd = STDERR_FILENO};

// By the bare system call: write(2) is a cancellation point, and a thread that holds our locks must not be
// cancelled.
static void
write_all(int fd, const char *text, size_t bytes) {
  while (bytes > 0) {
    long written = syscall(SYS_write, fd, text, bytes);
    if (written <= 0)
      return;
    text += written;
    bytes -= (size_t)written;
  }
}

// "loam: <message>\n" in `line`.  Returns its length.
static size_t
format_line(char line[LINE_BYTES], const char *format, va_list arguments) {
  static const char prefix[] = "loam: ";
  size_t used = sizeof prefix - 1;
  memcpy(line, prefix, used);
  int wanted = vsnprintf(line + used, LINE_BYTES - used - 1, format, arguments);
  if (wanted > 0)
    used += gc_min((size_t)wanted, LINE_BYTES - used - 2);
  line[used++] = '\n';
  line[used] = '\0';
  return used;
}

void
gc_log(const char *format, ...) {
  char line[LINE_BYTES];
  va_list arguments;
  va_start(arguments, format);
  size_t bytes = format_line(line, format, arguments);
  va_end(arguments);
  write_all(gc_hooks.log_fd, line, bytes);
}

void
gc_log_text(const char *text, size_t bytes) {
  write_all(gc_hooks.log_fd, text, bytes);
}

void
gc_warn(const char *format, uintptr_t argument) {
  if (gc_hooks.warn)
    gc_hooks.warn((char *)(uintptr_t)format, argument);
  else
    gc_warn_default((char *)(uintptr_t)format, argument);
}

void
gc_warn_default(char *format, unsigned long argument) {
  char message[LINE_BYTES - 32];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  snprintf(message, sizeof message, format, argument);
#pragma GCC diagnostic pop
  message[strcspn(message, "\n")] = '\0';
  gc_log("warning: %s", message);
}

void
gc_abort_default(const char *message) {
  if (message)
    write_all(STDERR_FILENO, message, strlen(message));
}

void
gc_fail(const char *format, ...) {
  char line[LINE_BYTES];
  va_list arguments;
  va_start(arguments, format);
  format_line(line, format, arguments);
  va_end(arguments);
  if (gc_hooks.abort_function)
    gc_hooks.abort_function(line);
  else
    gc_abort_default(line);
  while (gc_hooks.loop_on_abort)
    sleep(1);
  abort();
}
