// Start-up, and running forms one after the other with errors reported.
#include "interpreter.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "num.h"
#include "ops.h"
#include "primitives.h"
#include "print.h"
#include "read.h"
#include "scope.h"
#include "text.h"

enum outcome { OUTCOME_DONE, OUTCOME_END, OUTCOME_ERROR };

// Where the form now being run starts.
struct position {
  size_t line;
  size_t column;
};

static void
define_everything(void) {
  static const struct primitive_entry *const tables[] = {
      fast_primitives,   number_primitives,  real_primitives,   integer_primitives,    list_primitives,
      char_primitives,   string_primitives,  vector_primitives, bytevector_primitives, table_primitives,
      stack_primitives,  control_primitives, record_primitives, port_primitives,       input_primitives,
      output_primitives, system_primitives,
  };
  for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
    primitives_define(tables[i]);
  fast_ops_install();
  define_specials();
  define_binding_specials();
  define_derived_specials();
}

static void
load_prelude(const char *const *text) {
  for (; *text != NULL; text++) {
    value port = port_from_bytes((const uint8_t *)*text, strlen(*text), 0, "prelude");
    if (!interpreter_run_port(port_of(port), "prelude", false))
      exit(1);
  }
}

void
interpreter_start(void) {
  num_start();
  ports_start();
  vm_state.raise_procedure = FALSE_VALUE;
  vm_state.rewind_procedure = FALSE_VALUE;
  define_everything();
  load_prelude(prelude_control_text);
  load_prelude(prelude_library_text);
}

_Noreturn void
interpreter_exit(int status) {
  port_flush(port_output());
  port_flush(port_error());
  stats_finish();
  exit(status);
}

// Read, compile and run the next form of port; what it evaluates to, or raises, goes to *result.
static enum outcome
run_next(struct port *port, struct position *position, value *result) {
  jmp_buf catcher, *outer = error_catcher;
  enum outcome outcome = OUTCOME_DONE;
  if (setjmp(catcher) == 0) {
    error_catcher = &catcher;
    read_skip(port);
    *position = (struct position){.line = port->line, .column = port->column};
    value form = read_datum(port);
    if (form == EOF_VALUE)
      outcome = OUTCOME_END;
    else
      *result = vm_run(compile_toplevel(form));
  } else {
    *result = error_raised;
    outcome = OUTCOME_ERROR;
  }
  error_catcher = outer;
  return outcome;
}

static void
report(value raised, const char *path, struct position position) {
  port_flush(port_output());
  struct port *port = port_error();
  bool placed = is_type(raised, TYPE_CONDITION) && raised->flags == CONDITION_READ; // its message says where
  if (!placed && path != NULL) {
    port_write_c(port, path);
    port_write_c(port, ":");
    port_write_c(port, num_print(make_fixnum((intptr_t)position.line), 10));
    port_write_c(port, ":");
    port_write_c(port, num_print(make_fixnum((intptr_t)position.column), 10));
    port_write_c(port, ": ");
  }
  port_write_c(port, "error: ");
  print_raised(port, raised);
  port_write_c(port, "\n");
}

static void
echo_result(value result) {
  if (result == UNSPECIFIED)
    return;
  print_value(port_output(), result, PRINT_WRITE);
  port_write_c(port_output(), "\n");
}

bool
interpreter_run_port(struct port *port, const char *path, bool echo) {
  for (;;) {
    struct position position;
    value result = UNSPECIFIED;
    enum outcome outcome = run_next(port, &position, &result);
    if (outcome == OUTCOME_ERROR)
      report(result, path, position);
    else if (outcome == OUTCOME_DONE && echo)
      echo_result(result);
    if (outcome != OUTCOME_DONE)
      return outcome == OUTCOME_END;
  }
}

// After bad input: drop the rest of what has been typed, so that the user starts afresh.
static void
discard_line(struct port *port) {
  while (port->position < port->length && port->bytes[port->position] != '\n')
    port->position++;
}

void
interpreter_repl(void) {
  bool prompts = isatty(STDIN_FILENO);
  struct port *input = port_input();
  for (;;) {
    struct position position;
    value result = UNSPECIFIED;
    if (prompts)
      port_write_c(port_output(), "> ");
    port_flush(port_output());
    enum outcome outcome = run_next(input, &position, &result);
    if (outcome == OUTCOME_END)
      break;
    if (outcome == OUTCOME_ERROR) {
      report(result, NULL, position);
      if (is_type(result, TYPE_CONDITION) && result->flags == CONDITION_READ)
        discard_line(input);
    } else {
      echo_result(result);
    }
  }
  if (prompts)
    port_write_c(port_output(), "\n");
}
