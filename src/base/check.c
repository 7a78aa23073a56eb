// Lines for people: failures, warnings, the log.  Nothing here allocates or uses stdio's streams, since any
// of it may run while the world is stopped and some thread holds malloc's lock.
#include "base/check.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/hooks.h"
#include "base/variables.h"

enum { LINE_BYTES = 512 };

struct gc_hooks gc_hooks = {
    .log_fd = STDERR_FILENO,
    .output_fd = STDOUT_FILENO,
    .error_fd = STDERR_FILENO,
};

// By the bare system call: write(2) is a cancellation point, and a thread that holds our locks must not be
// cancelled.  0, or the error that kept it from writing all.
static int
write_all(int fd, const char *text, size_t bytes) {
  while (bytes > 0) {
    long written = syscall(SYS_write, fd, text, bytes);
    if (written < 0 && errno == EINTR)
      continue;
    if (written <= 0)
      return errno;
    text += written;
    bytes -= (size_t)written;
  }
  return 0;
}

static bool
swap_fd(int *fd, int old, int new) {
  return old != new &&__atomic_compare_exchange_n(fd, &old, new, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

// What can no longer be written, because the disk is full perhaps, goes to the standard streams from now on.
// The warning does not go through the program's procedure, since our locks may be held.
static void
give_up(int fd, int error) {
  char line[LINE_BYTES];
  bool log = swap_fd(&gc_hooks.log_fd, fd, STDERR_FILENO);
  bool output = swap_fd(&gc_hooks.output_fd, fd, STDOUT_FILENO);
  bool errors = swap_fd(&gc_hooks.error_fd, fd, STDERR_FILENO);
  if (!log && !output && !errors)
    return;
  int length = snprintf(line, sizeof line,
                        "loam: warning: the log cannot be written (errno %d); it goes on here\n", error);
  write_all(STDERR_FILENO, line, (size_t)length);
}

// Write to one of gc_hooks' descriptors.  A reader that is slow only misses something.
static void
write_to(const int *fd, const char *text, size_t bytes) {
  int saved_errno = errno, to = GC_READ(*fd), error = write_all(to, text, bytes);
  if (error != 0 && error != EAGAIN) {
    give_up(to, error);
    if (GC_READ(*fd) != to)
      write_all(GC_READ(*fd), text, bytes);
  }
  errno = saved_errno;
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
  gc_log_text(line, bytes);
}

void
gc_log_text(const char *text, size_t bytes) {
  write_to(&gc_hooks.log_fd, text, bytes);
}

void
gc_output_text(const char *text, size_t bytes) {
  write_to(&gc_hooks.output_fd, text, bytes);
}

void
gc_error_text(const char *text, size_t bytes) {
  write_to(&gc_hooks.error_fd, text, bytes);
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
gc_abort_tell(const char *message) {
  GC_abort_func function = GC_READ(GC_on_abort);
  if (function)
    function(message);
}

void
gc_fail(const char *format, ...) {
  char line[LINE_BYTES];
  va_list arguments;
  va_start(arguments, format);
  format_line(line, format, arguments);
  va_end(arguments);
  gc_abort_tell(line);
  while (gc_hooks.loop_on_abort)
    sleep(1);
  abort();
}
