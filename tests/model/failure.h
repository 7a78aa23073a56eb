// How a model test fails: with the operation's number and the command that replays it, at once.
#pragma once

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

// What a run tells the process that started it; in memory that both share.
struct progress {
  volatile int started;              // the collector is initialised
  volatile unsigned long operations; // that were finished, by all threads
  volatile unsigned long failures;   // allocations that were refused
};

static struct progress *progress;
static const char *replay_command = "";

static __thread unsigned failure_thread;         // the thread's number, 0 for the only one
static __thread unsigned long failure_operation; // the operation that it is in
static __thread const char *failure_name = "none";

__attribute__((noreturn, format(printf, 1, 2))) static inline void
model_fail(const char *format, ...) {
  char reason[600];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(reason, sizeof reason, format, arguments);
  va_end(arguments);
  printf("# operation %lu (%s) of thread %u: %s\n# replay: %s\n", failure_operation, failure_name,
         failure_thread, reason, replay_command);
  fflush(stdout);
  if (getenv("LOAM_TEST_ABORT"))
    abort();
  _exit(EXIT_FAILURE);
}

#define MODEL_CHECK(condition, ...)        \
  do {                                     \
    if (__builtin_expect(!(condition), 0)) \
      model_fail(__VA_ARGS__);             \
  } while (0)
