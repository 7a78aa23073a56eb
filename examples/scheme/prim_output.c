// Primitives that write to ports.
#include "port.h"
#include "primitives.h"
#include "print.h"

static value
print_to(const char *who, uint32_t argc, value *argv, enum print_style style) {
  print_value(port_optional(who, argc, argv, 1, PORT_OUTPUT), argv[0], style);
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
  port_write_c(port_optional("newline", argc, argv, 0, PORT_OUTPUT), "\n");
  return UNSPECIFIED;
}

static value
prim_write_char(uint32_t argc, value *argv) {
  if (!is_char(argv[0]))
    raise_type("write-char", "a character", argv[0]);
  port_write_char(port_optional("write-char", argc, argv, 1, PORT_OUTPUT), char_of(argv[0]));
  return UNSPECIFIED;
}

static value
prim_write_string(uint32_t argc, value *argv) {
  check_type("write-string", "a string", argv[0], TYPE_STRING);
  struct string *s = string_of(argv[0]);
  struct range r = check_range("write-string", argc, argv, 2, s->length);
  port_write_string(port_optional("write-string", argc, argv, 1, PORT_OUTPUT), s, r.start, r.end);
  return UNSPECIFIED;
}

static value
prim_write_u8(uint32_t argc, value *argv) {
  uint8_t byte = (uint8_t)check_index("write-u8", argv[0], UINT8_MAX);
  port_write_bytes(port_optional("write-u8", argc, argv, 1, PORT_OUTPUT), &byte, 1);
  return UNSPECIFIED;
}

static value
prim_write_bytes(uint32_t argc, value *argv) {
  check_type("write-bytevector", "a bytevector", argv[0], TYPE_BYTEVECTOR);
  struct bytevector *b = bytevector_of(argv[0]);
  struct range r = check_range("write-bytevector", argc, argv, 2, b->length);
  port_write_bytes(port_optional("write-bytevector", argc, argv, 1, PORT_OUTPUT), b->bytes + r.start,
                   r.end - r.start);
  return UNSPECIFIED;
}

static value
prim_flush(uint32_t argc, value *argv) {
  port_flush(port_optional("flush-output-port", argc, argv, 0, PORT_OUTPUT));
  return UNSPECIFIED;
}

const struct primitive_entry output_primitives[] = {
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
    PRIMITIVE_END,
};
