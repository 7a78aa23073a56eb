// Tables of primitives, one per file, and argument checks they share.
#ifndef SCHEME_PRIMITIVES_H
#define SCHEME_PRIMITIVES_H

#include "error.h"
#include "vm.h"

extern const struct primitive_entry number_primitives[];
extern const struct primitive_entry real_primitives[];
extern const struct primitive_entry integer_primitives[];
extern const struct primitive_entry list_primitives[];
extern const struct primitive_entry char_primitives[];
extern const struct primitive_entry string_primitives[];
extern const struct primitive_entry vector_primitives[];
extern const struct primitive_entry bytevector_primitives[];
extern const struct primitive_entry table_primitives[];
extern const struct primitive_entry control_primitives[];
extern const struct primitive_entry record_primitives[];
extern const struct primitive_entry port_primitives[];
extern const struct primitive_entry input_primitives[];
extern const struct primitive_entry output_primitives[];
extern const struct primitive_entry system_primitives[];

extern const char *const prelude_control_text[]; // Scheme source, NULL-terminated
extern const char *const prelude_library_text[];

// An index in [0, limit], or an error.
static inline size_t
check_index(const char *who, value v, size_t limit) {
  if (!is_fixnum(v))
    raise_type(who, "an index", v);
  if (fixnum_of(v) < 0 || (size_t)fixnum_of(v) > limit)
    raise_range(who, v);
  return (size_t)fixnum_of(v);
}

static inline void
check_type(const char *who, const char *expected, value v, enum object_type type) {
  if (!is_type(v, type))
    raise_type(who, expected, v);
}

// Optional arguments [at, at + 1] of argv as a range of something that long: [0, length) when left out.
struct range {
  size_t start;
  size_t end;
};

static inline struct range
check_range(const char *who, uint32_t argc, value *argv, uint32_t at, size_t length) {
  struct range range = {0, length};
  if (argc > at + 1)
    range.end = check_index(who, argv[at + 1], length);
  if (argc > at)
    range.start = check_index(who, argv[at], range.end);
  return range;
}

#endif
