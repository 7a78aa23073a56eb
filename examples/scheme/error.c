#include "error.h"

#include <stdio.h>

#include "text.h"

enum { C_STACK_BYTES_MAX = 4 << 20 }; // half of what Linux gives by default

jmp_buf *error_catcher;
value error_raised;

static uintptr_t c_stack_base;

void
c_stack_start(const void *base) {
  c_stack_base = (uintptr_t)base;
}

void
c_stack_check(const char *message) {
  uintptr_t here = (uintptr_t)__builtin_frame_address(0);
  if (c_stack_base - here > C_STACK_BYTES_MAX)
    raise_error(message, NIL);
}

value
condition_new(enum condition_kind kind, const char *message, value irritants) {
  struct condition *c = object_new(TYPE_CONDITION, sizeof *c);
  c->head.flags = kind;
  c->message = string_from_c(message);
  c->irritants = irritants;
  c->where = FALSE_VALUE;
  return (value)c;
}

_Noreturn void
raise_value(value object) {
  error_raised = object;
  longjmp(*error_catcher, 1);
}

_Noreturn void
raise_kind(enum condition_kind kind, const char *message, value irritants) {
  raise_value(condition_new(kind, message, irritants));
}

_Noreturn void
raise_error(const char *message, value irritants) {
  raise_kind(CONDITION_ERROR, message, irritants);
}

_Noreturn void
raise_type(const char *who, const char *expected, value got) {
  char message[128];
  snprintf(message, sizeof message, "%s: expected %s, got", who, expected);
  raise_error(message, list1(got));
}

_Noreturn void
raise_range(const char *who, value index) {
  char message[128];
  snprintf(message, sizeof message, "%s: index out of range:", who);
  raise_error(message, list1(index));
}

_Noreturn void
raise_syntax(const char *message, value form) {
  char text[128];
  snprintf(text, sizeof text, "syntax error: %s:", message);
  raise_error(text, list1(form));
}
