// Ports: a buffer of bytes over a file descriptor, or over nothing (string and bytevector ports).
//
// Input:   bytes[position..length) is what has been read and not yet consumed; fill() brings more.
// Output:  bytes[0..length) waits to be written; string ports only ever grow it.
#ifndef SCHEME_PORT_H
#define SCHEME_PORT_H

#include "value.h"

enum port_flag { PORT_INPUT = 1, PORT_OUTPUT = 2, PORT_BINARY = 4, PORT_OPEN = 8, PORT_LINE_FLUSH = 16 };

enum { PORT_EOF = -1, NO_FILE = -1 };

struct port {
  struct object head; // flags: enum port_flag
  int file;           // descriptor, or NO_FILE
  bool at_end;        // the descriptor has reported its end
  uint8_t *bytes;     // pointer-free
  size_t length;
  size_t position;
  size_t capacity;
  size_t line;   // of the next character, from 1
  size_t column; // of the next character, from 1
  value name;    // string, for messages
};

static inline struct port *
port_of(value v) {
  return (struct port *)v;
}

value port_from_file(int file, uint32_t flags, const char *name);
value port_open(const char *path, uint32_t flags); // raises a file error
value port_from_bytes(const uint8_t *bytes, size_t length, uint32_t flags, const char *name);
value port_to_memory(uint32_t flags);
void port_close(struct port *port);

int port_read_byte(struct port *port); // or PORT_EOF
int port_peek_byte(struct port *port);
int64_t port_read_char(struct port *port); // code point or PORT_EOF
int64_t port_peek_char(struct port *port);
bool port_is_ready(struct port *port); // a read would not wait

void port_write_bytes(struct port *port, const void *bytes, size_t length);
void port_write_char(struct port *port, uint32_t code_point);
void port_write_c(struct port *port, const char *utf8);
void port_write_string(struct port *port, const struct string *s, size_t start, size_t end);
void port_flush(struct port *port);

// prim_port.c: the current ports, which are parameters of the program.
void ports_start(void);
struct port *port_input(void);
struct port *port_output(void);
struct port *port_error(void);

// Arguments of primitives: a port with all the flags, or an error; and one that may be left out for the
// current one.
struct port *port_check(const char *who, value v, uint32_t flags);
struct port *port_optional(const char *who, uint32_t argc, value *argv, uint32_t at, uint32_t flags);

#endif
