// Primitives that make, close and classify ports.  current-input-port and its like are parameters, so that
// parameterize redirects them.
#include <string.h>
#include <unistd.h>

#include "port.h"
#include "primitives.h"
#include "text.h"

static struct parameter *current_input, *current_output, *current_error;

static struct parameter *
define_parameter(const char *name, value port) {
  struct parameter *p = object_new(TYPE_PARAMETER, sizeof *p);
  p->content = port;
  p->converter = FALSE_VALUE;
  symbol_of(symbol_from_c(name))->global = (value)p;
  return p;
}

void
ports_start(void) {
  uint32_t flags = PORT_OUTPUT | (isatty(STDOUT_FILENO) ? PORT_LINE_FLUSH : 0);
  current_input = define_parameter("current-input-port", port_from_file(STDIN_FILENO, PORT_INPUT, "stdin"));
  current_output = define_parameter("current-output-port", port_from_file(STDOUT_FILENO, flags, "stdout"));
  current_error = define_parameter("current-error-port",
                                   port_from_file(STDERR_FILENO, PORT_OUTPUT | PORT_LINE_FLUSH, "stderr"));
}

struct port *
port_output(void) {
  return port_of(current_output->content);
}

struct port *
port_error(void) {
  return port_of(current_error->content);
}

struct port *
port_input(void) {
  return port_of(current_input->content);
}

struct port *
port_check(const char *who, value v, uint32_t flags) {
  const char *expected = flags & PORT_INPUT    ? "an input port"
                         : flags & PORT_OUTPUT ? "an output port"
                                               : "a port";
  check_type(who, expected, v, TYPE_PORT);
  if ((v->flags & flags) != flags)
    raise_type(who, expected, v);
  return port_of(v);
}

struct port *
port_optional(const char *who, uint32_t argc, value *argv, uint32_t at, uint32_t flags) {
  value port = argc > at ? argv[at] : flags & PORT_INPUT ? current_input->content : current_output->content;
  struct port *p = port_check(who, port, flags);
  if ((flags & PORT_INPUT) && !(p->head.flags & PORT_OPEN))
    raise_error("port is closed:", list1(port));
  return p;
}

static value
open_file(const char *who, value path, uint32_t flags) {
  check_type(who, "a string", path, TYPE_STRING);
  return port_open(string_to_c(string_of(path)), flags);
}

static value
prim_open_input(value path) {
  return open_file("open-input-file", path, PORT_INPUT);
}

static value
prim_open_output(value path) {
  return open_file("open-output-file", path, PORT_OUTPUT);
}

static value
prim_open_binary_input(value path) {
  return open_file("open-binary-input-file", path, PORT_INPUT | PORT_BINARY);
}

static value
prim_open_binary_output(value path) {
  return open_file("open-binary-output-file", path, PORT_OUTPUT | PORT_BINARY);
}

static value
prim_open_input_string(value s) {
  check_type("open-input-string", "a string", s, TYPE_STRING);
  const char *utf8 = string_to_c(string_of(s));
  return port_from_bytes((const uint8_t *)utf8, strlen(utf8), 0, "string");
}

static value
prim_open_input_bytes(value b) {
  check_type("open-input-bytevector", "a bytevector", b, TYPE_BYTEVECTOR);
  return port_from_bytes(bytevector_of(b)->bytes, bytevector_of(b)->length, PORT_BINARY, "bytevector");
}

static value
prim_open_output_string(void) {
  return port_to_memory(0);
}

static value
prim_open_output_bytes(void) {
  return port_to_memory(PORT_BINARY);
}

static value
prim_get_string(value v) {
  struct port *port = port_check("get-output-string", v, PORT_OUTPUT);
  return string_from_utf8(port->bytes, port->length);
}

static value
prim_get_bytes(value v) {
  struct port *port = port_check("get-output-bytevector", v, PORT_OUTPUT);
  value b = bytevector_new(port->length);
  if (port->length > 0)
    memcpy(bytevector_of(b)->bytes, port->bytes, port->length);
  return b;
}

static value
prim_close(value v) {
  port_close(port_check("close-port", v, 0));
  return UNSPECIFIED;
}

static value
has_port_flags(value v, uint32_t flags) {
  return make_bool(is_type(v, TYPE_PORT) && (v->flags & flags) == flags);
}

static value
prim_is_port(value v) {
  return has_port_flags(v, 0);
}

static value
prim_is_input(value v) {
  return has_port_flags(v, PORT_INPUT);
}

static value
prim_is_output(value v) {
  return has_port_flags(v, PORT_OUTPUT);
}

static value
prim_is_binary(value v) {
  return has_port_flags(v, PORT_BINARY);
}

static value
prim_is_textual(value v) {
  return make_bool(is_type(v, TYPE_PORT) && !(v->flags & PORT_BINARY));
}

static value
prim_is_input_open(value v) {
  return has_port_flags(v, PORT_INPUT | PORT_OPEN);
}

static value
prim_is_output_open(value v) {
  return has_port_flags(v, PORT_OUTPUT | PORT_OPEN);
}

static value
prim_eof(void) {
  return EOF_VALUE;
}

const struct primitive_entry port_primitives[] = {
    PRIMITIVE_1("open-input-file", prim_open_input),
    PRIMITIVE_1("open-output-file", prim_open_output),
    PRIMITIVE_1("open-binary-input-file", prim_open_binary_input),
    PRIMITIVE_1("open-binary-output-file", prim_open_binary_output),
    PRIMITIVE_1("open-input-string", prim_open_input_string),
    PRIMITIVE_1("open-input-bytevector", prim_open_input_bytes),
    PRIMITIVE_0("open-output-string", prim_open_output_string),
    PRIMITIVE_0("open-output-bytevector", prim_open_output_bytes),
    PRIMITIVE_1("get-output-string", prim_get_string),
    PRIMITIVE_1("get-output-bytevector", prim_get_bytes),
    PRIMITIVE_1("close-port", prim_close),
    PRIMITIVE_1("close-input-port", prim_close),
    PRIMITIVE_1("close-output-port", prim_close),
    PRIMITIVE_1("port?", prim_is_port),
    PRIMITIVE_1("input-port?", prim_is_input),
    PRIMITIVE_1("output-port?", prim_is_output),
    PRIMITIVE_1("binary-port?", prim_is_binary),
    PRIMITIVE_1("textual-port?", prim_is_textual),
    PRIMITIVE_1("input-port-open?", prim_is_input_open),
    PRIMITIVE_1("output-port-open?", prim_is_output_open),
    PRIMITIVE_0("eof-object", prim_eof),
    PRIMITIVE_END,
};
