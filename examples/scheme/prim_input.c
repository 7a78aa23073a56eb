// Primitives that read from ports.
#include <string.h>

#include "port.h"
#include "primitives.h"
#include "read.h"
#include "text.h"

static value
prim_read(uint32_t argc, value *argv) {
  return read_datum(port_optional("read", argc, argv, 0, PORT_INPUT));
}

static value
char_or_eof(int64_t c) {
  return c == PORT_EOF ? EOF_VALUE : make_char((uint32_t)c);
}

static value
prim_read_char(uint32_t argc, value *argv) {
  return char_or_eof(port_read_char(port_optional("read-char", argc, argv, 0, PORT_INPUT)));
}

static value
prim_peek_char(uint32_t argc, value *argv) {
  return char_or_eof(port_peek_char(port_optional("peek-char", argc, argv, 0, PORT_INPUT)));
}

static value
prim_is_ready(uint32_t argc, value *argv) {
  return make_bool(port_is_ready(port_optional("char-ready?", argc, argv, 0, PORT_INPUT)));
}

// Bytes gathered in a growing pointer-free buffer.
struct bytes {
  uint8_t *at;
  size_t length;
  size_t capacity;
};

static void
bytes_add(struct bytes *b, const uint8_t *more, size_t count) {
  if (count == 0)
    return;
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
  struct port *port = port_optional("read-line", argc, argv, 0, PORT_INPUT);
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
  value count = argv[0], port_value = argc > 1 ? argv[1] : (value)port_input();
  if (is_type(count, TYPE_PORT)) { // either order
    count = port_value;
    port_value = argv[0];
  }
  struct port *port = port_check("read-string", port_value, PORT_INPUT);
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
  return byte_or_eof(port_read_byte(port_optional("read-u8", argc, argv, 0, PORT_INPUT)));
}

static value
prim_peek_u8(uint32_t argc, value *argv) {
  return byte_or_eof(port_peek_byte(port_optional("peek-u8", argc, argv, 0, PORT_INPUT)));
}

static value
prim_read_bytes(uint32_t argc, value *argv) {
  size_t wanted = check_index("read-bytevector", argv[0], SIZE_MAX >> 8);
  struct port *port = port_optional("read-bytevector", argc, argv, 1, PORT_INPUT);
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

const struct primitive_entry input_primitives[] = {
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
    PRIMITIVE_END,
};
