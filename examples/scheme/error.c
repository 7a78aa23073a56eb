#include "error.h"

#include <stdio.h>

#include "text.h"

jmp_buf *error_catcher;
value error_raised;

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
