// Raising Scheme errors from C.  None of these returns: they jump back to the virtual machine, which calls
// the program's exception handler in place of the frame that was running.
#ifndef SCHEME_ERROR_H
#define SCHEME_ERROR_H

#include <setjmp.h>

#include "value.h"

extern jmp_buf *error_catcher; // where raise_value jumps to; set by whoever runs code that may raise
extern value error_raised;     // what was raised, for the catcher

value condition_new(enum condition_kind kind, const char *message, value irritants);

_Noreturn void raise_value(value object);
_Noreturn void raise_error(const char *message, value irritants);
_Noreturn void raise_kind(enum condition_kind kind, const char *message, value irritants);

// "WHO: expected EXPECTED, got VALUE".
_Noreturn void raise_type(const char *who, const char *expected, value got);

// "WHO: index out of range: VALUE".
_Noreturn void raise_range(const char *who, value index);

// "bad FORM-NAME: FORM", for the expander.
_Noreturn void raise_syntax(const char *message, value form);

// Recursion in C is bounded by the C stack.  c_stack_start tells where that begins; c_stack_check, called
// wherever the program's data decides how deep to go, raises an error with the message before it is used up.
void c_stack_start(const void *base);
void c_stack_check(const char *message);

#endif
