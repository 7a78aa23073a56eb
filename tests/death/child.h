// A defect in a child: a function runs in a forked process, whose end and whose standard error are compared
// with what was foreseen.
//
//     static void free_interior(void) {
//       char *object = GC_malloc(100);
//       child_expect("loam: GC_free: %p points inside the object at %p\n", object + 8, object);
//       GC_free(object + 8);
//     }
//     ...
//     child_check("free of an interior pointer", free_interior, CHILD_ABORTS);
//
// The child says what it expects on standard error, since only it knows the addresses, just before it does
// the deed.  Without child_expect the child's standard error is to be empty; child_expect_anything leaves it
// open.  The parent never touches the collector.
#pragma once

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/tap.h"

#if defined(__SANITIZE_ADDRESS__)
#define CHILD_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CHILD_ASAN 1
#endif
#endif
#ifndef CHILD_ASAN
#define CHILD_ASAN 0
#endif

enum child_end { CHILD_EXITS = 0, CHILD_ABORTS = SIGABRT };
enum { CHILD_HANG_SECONDS = 100, CHILD_TEXT_BYTES = 4096 };

static FILE *child_errors, *child_foreseen;
static const char child_anything[] = "(anything)";

// From the child: its standard error is to be this, exactly.  Several calls add up.
__attribute__((format(printf, 1, 2))) static inline void
child_expect(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vfprintf(child_foreseen, format, arguments);
  va_end(arguments);
  fflush(child_foreseen);
}

static inline void
child_expect_anything(void) {
  child_expect("%s", child_anything);
}

// From the child: something is not as it ought to be.
__attribute__((noreturn, format(printf, 1, 2))) static inline void
child_fail(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fputs("failed: ", stderr);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  va_end(arguments);
  fflush(stderr);
  _exit(EXIT_FAILURE);
}

#define CHILD_CHECK(condition)                         \
  do {                                                 \
    if (!(condition))                                  \
      child_fail("line %d: %s", __LINE__, #condition); \
  } while (0)

static inline void
child_read(FILE *file, char text[CHILD_TEXT_BYTES]) {
  rewind(file);
  text[fread(text, 1, CHILD_TEXT_BYTES - 1, file)] = '\0';
}

static inline void
child_note_text(const char *what, char *text) {
  for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
    tap_note("%s: %s", what, line);
}

// Fork; gives the status that the child ended with.  Standard error goes to child_errors.
static inline int
child_run(void (*function)(void)) {
  static const struct rlimit no_core = {0, 0};
  int status;
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    setrlimit(RLIMIT_CORE, &no_core);
    dup2(fileno(child_errors), STDERR_FILENO);
    alarm(CHILD_HANG_SECONDS);
    function();
    _exit(EXIT_SUCCESS);
  }
  waitpid(child, &status, 0);
  return status;
}

static inline bool
child_ended_as(int status, int end) {
  return end == CHILD_ABORTS ? WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT
                             : WIFEXITED(status) && WEXITSTATUS(status) == end;
}

// Report whether `function`, run in a child, ended as it should (CHILD_ABORTS or an exit status) and wrote to
// standard error what it foresaw.
static inline bool
child_check(const char *name, void (*function)(void), int end) {
  static char errors[CHILD_TEXT_BYTES], foreseen[CHILD_TEXT_BYTES];
  child_errors = tmpfile();
  child_foreseen = tmpfile();
  int status = child_run(function);
  child_read(child_errors, errors);
  child_read(child_foreseen, foreseen);
  fclose(child_errors);
  fclose(child_foreseen);
  bool said = strcmp(errors, foreseen) == 0 || strstr(foreseen, child_anything);
  bool passed = tap_ok(said && child_ended_as(status, end), "%s", name);
  if (passed)
    return true;
  if (WIFSIGNALED(status))
    tap_note("killed by signal %d (%s)", WTERMSIG(status),
             WTERMSIG(status) == SIGALRM ? "it hung" : strsignal(WTERMSIG(status)));
  else
    tap_note("exit status %d", WEXITSTATUS(status));
  child_note_text("stderr", errors);
  child_note_text("foreseen", foreseen);
  return false;
}
