#include "read_token.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "error.h"
#include "text.h"

enum { TOKEN_BYTES = 64 }; // of a fresh token

_Noreturn void
reader_fail_at(struct port *port, size_t line, size_t column, const char *what) {
  char message[256];
  char *name = string_to_c(string_of(port->name));
  snprintf(message, sizeof message, "%s:%zu:%zu: %s", name, line, column, what);
  raise_kind(CONDITION_READ, message, NIL);
}

_Noreturn void
reader_fail_here(struct reader *r, const char *what) {
  reader_fail_at(r->port, r->port->line, r->port->column, what);
}

static bool
is_delimiter(int64_t c) {
  return c == PORT_EOF || (c < 0x80 && (isspace((int)c) || strchr("()\";'`,", (int)c) != NULL));
}

void
token_add(struct token *t, uint32_t c) {
  if (t->length + 5 > t->capacity) {
    char *grown = alloc_pointer_free(2 * t->capacity + TOKEN_BYTES);
    if (t->length > 0)
      memcpy(grown, t->bytes, t->length);
    t->bytes = grown;
    t->capacity = 2 * t->capacity + TOKEN_BYTES;
  }
  t->length += utf8_encode(c, (uint8_t *)t->bytes + t->length);
  t->bytes[t->length] = '\0';
}

value
token_string(struct token *t) {
  return string_from_utf8((uint8_t *)t->bytes, t->length);
}

struct token
token_new(void) {
  struct token t = {.bytes = alloc_pointer_free(TOKEN_BYTES), .length = 0, .capacity = TOKEN_BYTES};
  t.bytes[0] = '\0';
  return t;
}

static uint32_t
read_hex_escape(struct reader *r) {
  uint32_t code = 0;
  int64_t c;
  while ((c = port_read_char(r->port)) != ';') {
    if (c == PORT_EOF || c >= 0x80 || !isxdigit((int)c) || code > 0x10FFFF)
      reader_fail_here(r, "bad \\x escape: expected hexadecimal digits and a semicolon");
    code = code * 16 + (uint32_t)(isdigit((int)c) ? c - '0' : tolower((int)c) - 'a' + 10);
  }
  return code;
}

// "\" newline: skip the blanks around the line's end.
static void
skip_line_continuation(struct reader *r, int64_t c) {
  while (c == ' ' || c == '\t')
    c = port_read_char(r->port);
  if (c != '\n')
    reader_fail_here(r, "bad escape in string");
  while ((c = port_peek_char(r->port)) == ' ' || c == '\t')
    port_read_char(r->port);
}

static void
read_escape(struct reader *r, struct token *t) {
  static const char names[] = "ntrab0\\\"'|", codes[] = "\n\t\r\a\b\0\\\"'|";
  int64_t c = port_read_char(r->port);
  const char *name = c > 0 && c < 0x80 ? strchr(names, (int)c) : NULL;
  if (name != NULL)
    token_add(t, (uint8_t)codes[name - names]);
  else if (c == 'x')
    token_add(t, read_hex_escape(r));
  else
    skip_line_continuation(r, c);
}

void
token_read_quoted(struct reader *r, struct token *t, char delimiter, size_t line, size_t column) {
  for (;;) {
    int64_t c = port_read_char(r->port);
    if (c == PORT_EOF)
      reader_fail_at(r->port, line, column,
                     delimiter == '"' ? "unterminated string starts here"
                                      : "unterminated symbol starts here");
    if (c == delimiter)
      return;
    if (c == '\\')
      read_escape(r, t);
    else
      token_add(t, (uint32_t)c);
  }
}

void
token_read(struct reader *r, struct token *t, size_t from) {
  while (!(t->length > from && t->bytes[t->length - 1] == '|') && !is_delimiter(port_peek_char(r->port)))
    token_add(t, (uint32_t)port_read_char(r->port));
}
