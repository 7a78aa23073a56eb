// Primitives on ports.  current-input-port and its like are parameters, so parameterize redirects them.
#include <string.h>
#include <unistd.h>

#include "primitives.h"
#include "print.h"
#include "read.h"
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

static struct port *
check_port(const char *who, value v, uint32_t flags) {
  const char *expected = flags & PORT_INPUT    ? "an input port"
                         : flags & PORT_OUTPUT ? "an output port"
                                               : "a port";
  check_type(who, expected, v, TYPE_PORT);
  if ((v->flags & flags) != flags)
    raise_type(who, expected, v);
  return port_of(v);
}

static struct port *
optional_port(const char *who, uint32_t argc, value *argv, uint32_t at, uint32_t flags) {
  value port = argc > at ? argv[at] : flags & PORT_INPUT ? current_input->content : current_output->content;
  struct port *p = check_port(who, port, flags);
  if ((flags & PORT_INPUT) && !(p->head.flags & PORT_OPEN))
    raise_error("port is closed:", list1(port));
  return p;
}

static value
print_to(const char *who, uint32_t argc, value *argv, enum print_style style) {
  print_value(optional_port(who, argc, argv, 1, PORT_OUTPUT), argv[0], style);
  return UNSPECIFIED;
}

static value
prim_write(uint32_t argc, value *argv) {
  return print_to("write", argc, argv, PRINT_WRITE);
}

static value
prim_display(uint32_t argc, value *argv) {
  return print_to("display", argc, argv, PRINT_DISPLAY);
}

static value
prim_newline(uint32_t argc, value *argv) {
  port_write_c(optional_port("newline", argc, argv, 0, PORT_OUTPUT), "\n");
  return UNSPECIFIED;
}

static value
prim_write_char(uint32_t argc, value *argv) {
  if (!is_char(argv[0]))
    raise_type("write-char", "a character", argv[0]);
  port_write_char(optional_port("write-char", argc, argv, 1, PORT_OUTPUT), char_of(argv[0]));
  return UNSPECIFIED;
}

static value
prim_write_string(uint32_t argc, value *argv) {
  check_type("write-string", "a string", argv[0], TYPE_STRING);
  struct string *s = string_of(argv[0]);
  struct range r = check_range("write-string", argc, argv, 2, s->length);
  port_write_string(optional_port("write-string", argc, argv, 1, PORT_OUTPUT), s, r.start, r.end);
  return UNSPECIFIED;
}

static value
prim_write_u8(uint32_t argc, value *argv) {
  uint8_t byte = (uint8_t)check_index("write-u8", argv[0], UINT8_MAX);
  port_write_bytes(optional_port("write-u8", argc, argv, 1, PORT_OUTPUT), &byte, 1);
  return UNSPECIFIED;
}

static value
prim_write_bytes(uint32_t argc, value *argv) {
  check_type("write-bytevector", "a bytevector", argv[0], TYPE_BYTEVECTOR);
  struct bytevector *b = bytevector_of(argv[0]);
  struct range r = check_range("write-bytevector", argc, argv, 2, b->length);
  port_write_bytes(optional_port("write-bytevector", argc, argv, 1, PORT_OUTPUT), b->bytes + r.start,
                   r.end - r.start);
  return UNSPECIFIED;
}

static value
prim_flush(uint32_t argc, value *argv) {
  port_flush(optional_port("flush-output-port", argc, argv, 0, PORT_OUTPUT));
  return UNSPECIFIED;
}

static value
prim_read(uint32_t argc, value *argv) {
  return read_datum(optional_port("read", argc, argv, 0, PORT_INPUT));
}

static value
char_or_eof(int64_t c) {
  return c == PORT_EOF ? EOF_VALUE : make_char((uint32_t)c);
}

static value
prim_read_char(uint32_t argc, value *argv) {
  return char_or_eof(port_read_char(optional_port("read-char", argc, argv, 0, PORT_INPUT)));
}

static value
prim_peek_char(uint32_t argc, value *argv) {
  return char_or_eof(port_peek_char(optional_port("peek-char", argc, argv, 0, PORT_INPUT)));
}

static value
prim_is_ready(uint32_t argc, value *argv) {
  return make_bool(port_is_ready(optional_port("char-ready?", argc, argv, 0, PORT_INPUT)));
}

// Bytes gathered in a growing pointer-free buffer.
struct bytes {
  uint8_t *at;
  size_t length;
  size_t capacity;
};

static void
bytes_add(struct bytes *b, const uint8_t *more, size_t count) {
  if (b->length + count > b->capacity) {
    size_t capacity = 2 * b->capacity + count + 64;
    uint8_t *grown = alloc_pointer_free(capacity);
    if (b->length > 0)
      memcpy(grown, b->at, b->length);
    b->at = grown;
    b->capacity = capacity;
  }
  memcpy(b->at + b->length, more, count);
  b->length += count;
}

// A line, without its end: taken from the buffer by whole stretches.
static value
prim_read_line(uint32_t argc, value *argv) {
  struct port *port = optional_port("read-line", argc, argv, 0, PORT_INPUT);
  if (port_peek_byte(port) == PORT_EOF)
    return EOF_VALUE;
  struct bytes line = {0};
  bool ended = false;
  while (!ended && port_peek_byte(port) != PORT_EOF) {
    const uint8_t *start = port->bytes + port->position;
    const uint8_t *end = memchr(start, '\n', port->length - port->position);
    size_t length = end != NULL ? (size_t)(end - start) : port->length - port->position;
    bytes_add(&line, start, length);
    ended = end != NULL;
    port->position += length + ended;
  }
  port->line++;
  port->column = 1;
  return string_from_utf8(line.at, line.length);
}

static value
prim_read_string(uint32_t argc, value *argv) {
  value count = argv[0], port_value = argc > 1 ? argv[1] : current_input->content;
  if (is_type(count, TYPE_PORT)) { // either order
    count = port_value;
    port_value = argv[0];
  }
  struct port *port = check_port("read-string", port_value, PORT_INPUT);
  size_t wanted = check_index("read-string", count, SIZE_MAX >> 8);
  struct bytes text = {0};
  size_t got = 0;
  for (int64_t c; got < wanted && (c = port_read_char(port)) != PORT_EOF; got++) {
    uint8_t utf8[4];
    bytes_add(&text, utf8, utf8_encode((uint32_t)c, utf8));
  }
  return got == 0 && wanted > 0 ? EOF_VALUE : string_from_utf8(text.at, text.length);
}

static value
byte_or_eof(int byte) {
  return byte == PORT_EOF ? EOF_VALUE : make_fixnum(byte);
}

static value
prim_read_u8(uint32_t argc, value *argv) {
  return byte_or_eof(port_read_byte(optional_port("read-u8", argc, argv, 0, PORT_INPUT)));
}

static value
prim_peek_u8(uint32_t argc, value *argv) {
  return byte_or_eof(port_peek_byte(optional_port("peek-u8", argc, argv, 0, PORT_INPUT)));
}

static value
prim_read_bytes(uint32_t argc, value *argv) {
  size_t wanted = check_index("read-bytevector", argv[0], SIZE_MAX >> 8);
  struct port *port = optional_port("read-bytevector", argc, argv, 1, PORT_INPUT);
  struct bytes bytes = {0};
  for (int c; bytes.length < wanted && (c = port_read_byte(port)) != PORT_EOF;)
    bytes_add(&bytes, &(uint8_t){(uint8_t)c}, 1);
  if (bytes.length == 0 && wanted > 0)
    return EOF_VALUE;
  value b = bytevector_new(bytes.length);
  if (bytes.length > 0)
    memcpy(bytevector_of(b)->bytes, bytes.at, bytes.length);
  return b;
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
  struct port *port = check_port("get-output-string", v, PORT_OUTPUT);
  return string_from_utf8(port->bytes, port->length);
}

static value
prim_get_bytes(value v) {
  struct port *port = check_port("get-output-bytevector", v, PORT_OUTPUT);
  value b = bytevector_new(port->length);
  if (port->length > 0)
    memcpy(bytevector_of(b)->bytes, port->bytes, port->length);
  return b;
}

static value
prim_close(value v) {
  port_close(check_port("close-port", v, 0));
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
    PRIMITIVE_N("write", prim_write, 1, 2),
    PRIMITIVE_N("write-shared", prim_write, 1, 2),
    PRIMITIVE_N("write-simple", prim_write, 1, 2),
    PRIMITIVE_N("display", prim_display, 1, 2),
    PRIMITIVE_N("newline", prim_newline, 0, 1),
    PRIMITIVE_N("write-char", prim_write_char, 1, 2),
    PRIMITIVE_N("write-string", prim_write_string, 1, 4),
    PRIMITIVE_N("write-u8", prim_write_u8, 1, 2),
    PRIMITIVE_N("write-bytevector", prim_write_bytes, 1, 4),
    PRIMITIVE_N("flush-output-port", prim_flush, 0, 1),
    PRIMITIVE_N("read", prim_read, 0, 1),
    PRIMITIVE_N("read-char", prim_read_char, 0, 1),
    PRIMITIVE_N("peek-char", prim_peek_char, 0, 1),
    PRIMITIVE_N("char-ready?", prim_is_ready, 0, 1),
    PRIMITIVE_N("read-line", prim_read_line, 0, 1),
    PRIMITIVE_N("read-string", prim_read_string, 1, 2),
    PRIMITIVE_N("read-u8", prim_read_u8, 0, 1),
    PRIMITIVE_N("peek-u8", prim_peek_u8, 0, 1),
    PRIMITIVE_N("u8-ready?", prim_is_ready, 0, 1),
    PRIMITIVE_N("read-bytevector", prim_read_bytes, 1, 2),
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
