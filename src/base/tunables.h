// What a user may set from the environment, and its defaults.  The table is tunables.def; policy reads a
// `const struct gc_tunables *` and never the environment.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef size_t gc_tunable_size;
typedef unsigned gc_tunable_number;
typedef bool gc_tunable_flag;
typedef const char *gc_tunable_text; // the environment's own string; NULL when not set

// One field per row, and for each whether the environment has said it.  Written by the program's setters, and
// from the environment while the collector starts.
struct gc_tunables {
#define GC_TUNABLE(field, type, ...) gc_tunable_##type field;
#include "base/tunables.def"
#undef GC_TUNABLE
  struct {
#define GC_TUNABLE(field, ...) bool field;
#include "base/tunables.def"
#undef GC_TUNABLE
  } said;
};

// The tunables in force: the defaults from the very start, and what setters and the environment have said.
extern struct gc_tunables gc_tunables;

enum gc_tunable_type { GC_TUNABLE_size, GC_TUNABLE_number, GC_TUNABLE_flag, GC_TUNABLE_text };

// A row of the table, for code that treats all tunables alike.  Texts are never NULL, but may be empty.
struct gc_tunable {
  const char *field;
  enum gc_tunable_type type;
  size_t offset;      // of the field in struct gc_tunables
  size_t said_offset; // and of its flag in `said`
  uint64_t initial, min, max;
  const char *unit;        // of a text: the values allowed, separated by single spaces; "": any
  const char *zero;        // what 0 stands for; then 0 is allowed even below min
  const char *environment; // variable names, separated by single spaces, the first that is set counts
  const char *about, *grows, *shrinks;
};

extern const struct gc_tunable gc_tunable_table[];
extern const unsigned gc_tunable_count;

typedef const char *gc_tunable_getter(const char *name);
typedef void gc_tunable_warner(const char *message);

void gc_tunables_init_defaults(struct gc_tunables *tunables);

// Override `tunables` from the variables that `get` finds (getenv, or secure_getenv where the program may
// run with more rights than its user).  A value that makes no sense leaves the field as it is, one out of
// range is clamped; either gives one line, without a newline, to `warn`.
void gc_tunables_read_environment(struct gc_tunables *tunables, gc_tunable_getter *get,
                                  gc_tunable_warner *warn);

// One line per tunable: variable, value, range, default.
void gc_tunables_print(const struct gc_tunables *tunables, int fd);
