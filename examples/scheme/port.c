#include "port.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "text.h"

enum { PORT_BUFFER_BYTES = 8192, FILE_MODE = 0666 };

static struct port *
port_new(uint32_t flags, const char *name) {
  struct port *port = object_new(TYPE_PORT, sizeof *port);
  port->head.flags = flags | PORT_OPEN;
  port->file = NO_FILE;
  port->line = 1;
  port->column = 1;
  port->name = string_from_c(name);
  return port;
}

value
port_from_file(int file, uint32_t flags, const char *name) {
  struct port *port = port_new(flags, name);
  port->file = file;
  port->capacity = PORT_BUFFER_BYTES;
  port->bytes = alloc_pointer_free(port->capacity);
  return (value)port;
}

// Closing is the program's business: a port that it forgets keeps its file open, as in any Scheme without
// finalization.
value
port_open(const char *path, uint32_t flags) {
  int mode = flags & PORT_OUTPUT ? O_WRONLY | O_CREAT | O_TRUNC : O_RDONLY;
  int file = open(path, mode | O_CLOEXEC, FILE_MODE);
  if (file < 0)
    raise_kind(CONDITION_FILE,
               "cannot open file:", list2(string_from_c(path), string_from_c(strerror(errno))));
  return port_from_file(file, flags, path);
}

value
port_from_bytes(const uint8_t *bytes, size_t length, uint32_t flags, const char *name) {
  struct port *port = port_new(flags | PORT_INPUT, name);
  port->bytes = alloc_pointer_free(length + 1);
  memcpy(port->bytes, bytes, length);
  port->length = length;
  port->at_end = true;
  return (value)port;
}

value
port_to_memory(uint32_t flags) {
  return (value)port_new(flags | PORT_OUTPUT, "memory");
}

void
port_close(struct port *port) {
  if (!(port->head.flags & PORT_OPEN))
    return;
  if (port->head.flags & PORT_OUTPUT)
    port_flush(port);
  port->head.flags &= ~(uint32_t)PORT_OPEN;
  if (port->file > STDERR_FILENO)
    close(port->file);
}

// Read more bytes; false at the end.
static bool
port_fill(struct port *port) {
  if (port->at_end || !(port->head.flags & PORT_OPEN))
    return false;
  ssize_t got = read(port->file, port->bytes, port->capacity);
  if (got < 0)
    raise_kind(CONDITION_FILE, "cannot read:", list2(port->name, string_from_c(strerror(errno))));
  port->position = 0;
  port->length = (size_t)got;
  port->at_end = got == 0 && !isatty(port->file);
  return got > 0;
}

int
port_peek_byte(struct port *port) {
  if (port->position == port->length && !port_fill(port))
    return PORT_EOF;
  return port->bytes[port->position];
}

int
port_read_byte(struct port *port) {
  int byte = port_peek_byte(port);
  if (byte != PORT_EOF)
    port->position++;
  return byte;
}

// A sequence can straddle the end of the buffer: gather it byte by byte, then put the port back where it was.
int64_t
port_peek_char(struct port *port) {
  int lead = port_peek_byte(port);
  if (lead < 0x80)
    return lead;
  size_t length = utf8_length((uint8_t)lead), left = port->length - port->position;
  if (length > left) {
    memmove(port->bytes, port->bytes + port->position, left);
    port->position = 0;
    port->length = left;
    while (port->length < length && !port->at_end) {
      ssize_t got = read(port->file, port->bytes + port->length, port->capacity - port->length);
      port->at_end = got <= 0;
      port->length += got > 0 ? (size_t)got : 0;
    }
    length = length < port->length ? length : port->length;
  }
  return utf8_decode(port->bytes + port->position, length);
}

int64_t
port_read_char(struct port *port) {
  int64_t c = port_peek_char(port);
  if (c == PORT_EOF)
    return c;
  size_t length = utf8_length(port->bytes[port->position]), left = port->length - port->position;
  port->position += length < left ? length : left;
  port->column++;
  if (c == '\n') {
    port->line++;
    port->column = 1;
  }
  return c;
}

bool
port_is_ready(struct port *port) {
  if (port->position < port->length || port->at_end)
    return true;
  struct pollfd poller = {.fd = port->file, .events = POLLIN, .revents = 0};
  return poll(&poller, 1, 0) > 0;
}

static void
port_reserve(struct port *port, size_t bytes) {
  if (port->length + bytes <= port->capacity)
    return;
  size_t capacity = 2 * port->capacity + bytes;
  uint8_t *grown = alloc_pointer_free(capacity);
  if (port->length > 0)
    memcpy(grown, port->bytes, port->length);
  port->bytes = grown;
  port->capacity = capacity;
}

static void
write_all(struct port *port, const uint8_t *bytes, size_t length) {
  while (length > 0) {
    ssize_t put = write(port->file, bytes, length);
    if (put < 0 && errno != EINTR) {
      port->head.flags &= ~(uint32_t)PORT_OPEN;
      raise_kind(CONDITION_FILE, "cannot write:", list2(port->name, string_from_c(strerror(errno))));
    }
    bytes += put > 0 ? put : 0;
    length -= put > 0 ? (size_t)put : 0;
  }
}

void
port_flush(struct port *port) {
  if (port->file == NO_FILE)
    return;
  size_t length = port->length;
  port->length = 0;
  write_all(port, port->bytes, length);
}

void
port_write_bytes(struct port *port, const void *bytes, size_t length) {
  if (!(port->head.flags & PORT_OPEN))
    raise_error("port is closed:", list1((value)port));
  if (port->file != NO_FILE && port->length + length > PORT_BUFFER_BYTES)
    port_flush(port);
  if (port->file != NO_FILE && length > PORT_BUFFER_BYTES) {
    write_all(port, bytes, length);
    return;
  }
  port_reserve(port, length);
  memcpy(port->bytes + port->length, bytes, length);
  port->length += length;
  if ((port->head.flags & PORT_LINE_FLUSH) && memchr(bytes, '\n', length) != NULL)
    port_flush(port);
}

void
port_write_char(struct port *port, uint32_t code_point) {
  uint8_t utf8[4];
  size_t length = utf8_encode(code_point, utf8);
  port_write_bytes(port, utf8, length);
}

void
port_write_c(struct port *port, const char *utf8) {
  port_write_bytes(port, utf8, strlen(utf8));
}

void
port_write_string(struct port *port, const struct string *s, size_t start, size_t end) {
  for (size_t i = start; i < end; i++)
    port_write_char(port, string_ref(s, i));
}
