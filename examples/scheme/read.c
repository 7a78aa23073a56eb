// The reader: recursive descent over a port.
#include "read.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "error.h"
#include "num.h"
#include "table.h"
#include "text.h"

enum { READ_DEPTH_MAX = 10000, TOKEN_BYTES = 64 };

struct reader {
  struct port *port;
  int depth;
  size_t line; // where the datum being read starts
  size_t column;
  struct table *labels; // #n= labels, or NULL
};

// A token that grows: UTF-8 with a final NUL.
struct token {
  char *bytes;
  size_t length;
  size_t capacity;
};

static value read_any(struct reader *r);

_Noreturn static void
fail_at(struct port *port, size_t line, size_t column, const char *what) {
  char message[256];
  char *name = string_to_c(string_of(port->name));
  snprintf(message, sizeof message, "%s:%zu:%zu: %s", name, line, column, what);
  raise_kind(CONDITION_READ, message, NIL);
}

_Noreturn static void
fail_here(struct reader *r, const char *what) {
  fail_at(r->port, r->port->line, r->port->column, what);
}

static bool
is_delimiter(int64_t c) {
  return c == PORT_EOF || (c < 0x80 && (isspace((int)c) || strchr("()\";'`,", (int)c) != NULL));
}

static void
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

static value
token_string(struct token *t) {
  return string_from_utf8((uint8_t *)t->bytes, t->length);
}

static struct token
token_new(void) {
  struct token t = {.bytes = alloc_pointer_free(TOKEN_BYTES), .length = 0, .capacity = TOKEN_BYTES};
  t.bytes[0] = '\0';
  return t;
}

static void
skip_line(struct port *port) {
  int64_t c;
  while ((c = port_peek_char(port)) != PORT_EOF && c != '\n')
    port_read_char(port);
}

// After "#|": skip to the matching "|#".
static void
skip_block(struct port *port, size_t line, size_t column) {
  for (int depth = 1; depth > 0;) {
    int64_t c = port_read_char(port);
    if (c == PORT_EOF)
      fail_at(port, line, column, "unterminated block comment starts here");
    if (c == '|' && port_peek_char(port) == '#') {
      port_read_char(port);
      depth--;
    } else if (c == '#' && port_peek_char(port) == '|') {
      port_read_char(port);
      depth++;
    }
  }
}

// Skip blanks and line comments.  "#|" and "#;" need the '#' consumed, so they are the datum reader's.
void
read_skip(struct port *port) {
  for (;;) {
    int64_t c = port_peek_char(port);
    if (c == ';')
      skip_line(port);
    else if (c != PORT_EOF && c < 0x80 && isspace((int)c))
      port_read_char(port);
    else
      return;
  }
}

static uint32_t
read_hex_escape(struct reader *r) {
  uint32_t code = 0;
  int64_t c;
  while ((c = port_read_char(r->port)) != ';') {
    if (c == PORT_EOF || c >= 0x80 || !isxdigit((int)c) || code > 0x10FFFF)
      fail_here(r, "bad \\x escape: expected hexadecimal digits and a semicolon");
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
    fail_here(r, "bad escape in string");
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

// The rest of a string or |symbol|, whose opening delimiter has been read.
static void
read_quoted(struct reader *r, struct token *t, char delimiter, size_t line, size_t column) {
  for (;;) {
    int64_t c = port_read_char(r->port);
    if (c == PORT_EOF)
      fail_at(r->port, line, column,
              delimiter == '"' ? "unterminated string starts here" : "unterminated symbol starts here");
    if (c == delimiter)
      return;
    if (c == '\\')
      read_escape(r, t);
    else
      token_add(t, (uint32_t)c);
  }
}

// Read on to the next delimiter, or through the first bar after what t held at `from`.
static void
read_token(struct reader *r, struct token *t, size_t from) {
  while (!(t->length > from && t->bytes[t->length - 1] == '|') && !is_delimiter(port_peek_char(r->port)))
    token_add(t, (uint32_t)port_read_char(r->port));
}

static value
read_atom(struct reader *r, struct token *t) {
  bool quoted = false;
  for (size_t from = 0;; from = t->length) {
    read_token(r, t, from);
    if (t->length == from || t->bytes[t->length - 1] != '|')
      break;
    t->bytes[--t->length] = '\0'; // a|b c|d: the part between bars is taken as it stands
    read_quoted(r, t, '|', r->line, r->column);
    quoted = true;
  }
  value number = quoted ? FALSE_VALUE : num_parse(t->bytes, 10);
  return number != FALSE_VALUE ? number : symbol_intern(token_string(t));
}

static value
read_char_literal(struct reader *r) {
  struct token t = token_new();
  int64_t first = port_read_char(r->port);
  if (first == PORT_EOF)
    fail_here(r, "end of file in a character");
  token_add(&t, (uint32_t)first);
  size_t first_length = t.length;
  read_token(r, &t, t.length);
  if (t.length == first_length)
    return make_char((uint32_t)first);
  if (t.bytes[0] == 'x' && strspn(t.bytes + 1, "0123456789abcdefABCDEF") == t.length - 1)
    return make_char((uint32_t)strtoul(t.bytes + 1, NULL, 16));
  for (size_t i = 0; char_names[i][0] != NULL; i++)
    if (strcmp(t.bytes, char_names[i][0]) == 0)
      return make_char((uint8_t)char_names[i][1][0]);
  fail_here(r, "unknown character name");
}

// The elements up to the closing parenthesis, the opening one read.  `dotted` allows a tail.
static value
read_sequence(struct reader *r, bool dotted, size_t line, size_t column) {
  value head = NIL, last = NIL;
  for (;;) {
    value item = read_any(r);
    if (item == EOF_VALUE)
      fail_at(r->port, line, column, "unbalanced parenthesis opens here");
    if (item == NO_VALUE) // a closing parenthesis
      return head;
    if (item == UNBOUND) { // a lone dot
      value tail = dotted && last != NIL ? read_any(r) : NO_VALUE;
      if (tail == NO_VALUE || tail == EOF_VALUE || read_any(r) != NO_VALUE)
        fail_here(r, "bad dotted list");
      pair_of(last)->cdr = tail;
      return head;
    }
    value cell = list1(item);
    if (last == NIL)
      head = cell;
    else
      pair_of(last)->cdr = cell;
    last = cell;
  }
}

static value
vector_from_list(value list) {
  value v = vector_new(TYPE_VECTOR, (size_t)list_length(list), NIL);
  for (size_t i = 0; is_pair(list); list = cdr(list))
    vector_of(v)->items[i++] = car(list);
  return v;
}

static value
read_bytevector(struct reader *r) {
  if (port_read_char(r->port) != '8' || port_read_char(r->port) != '(')
    fail_here(r, "expected #u8(");
  value list = read_sequence(r, false, r->port->line, r->port->column);
  value b = bytevector_new((size_t)list_length(list));
  for (size_t i = 0; is_pair(list); list = cdr(list)) {
    if (!is_fixnum(car(list)) || fixnum_of(car(list)) < 0 || fixnum_of(car(list)) > 255)
      fail_here(r, "bytevector element is no byte");
    bytevector_of(b)->bytes[i++] = (uint8_t)fixnum_of(car(list));
  }
  return b;
}

static value
read_required(struct reader *r, const char *after) {
  value v = read_any(r);
  char message[64];
  snprintf(message, sizeof message, "expected a datum after %s", after);
  if (v == EOF_VALUE || v == NO_VALUE || v == UNBOUND)
    fail_here(r, message);
  return v;
}

// Replace the placeholder of a label by what the label stands for, everywhere inside v.
static void
patch_label(value v, value placeholder, value target) {
  for (; is_pair(v); v = cdr(v)) {
    if (car(v) == placeholder)
      pair_of(v)->car = target;
    else
      patch_label(car(v), placeholder, target);
    if (cdr(v) == placeholder) {
      pair_of(v)->cdr = target;
      return;
    }
  }
  for (size_t i = 0; is_vector(v) && i < vector_of(v)->length; i++) {
    if (vector_of(v)->items[i] == placeholder)
      vector_of(v)->items[i] = target;
    else
      patch_label(vector_of(v)->items[i], placeholder, target);
  }
}

static value
read_label(struct reader *r, int64_t digit) {
  intptr_t n = digit - '0';
  while (isdigit((int)(digit = port_read_char(r->port))))
    n = n * 10 + digit - '0';
  if (r->labels == NULL)
    r->labels = (struct table *)table_new(TABLE_EQ);
  if (digit == '#') {
    value v = table_ref(r->labels, make_fixnum(n), NO_VALUE);
    if (v == NO_VALUE)
      fail_here(r, "unknown datum label");
    return v;
  }
  if (digit != '=')
    fail_here(r, "bad datum label");
  value placeholder = box_new(NIL);
  table_set(r->labels, make_fixnum(n), placeholder);
  value v = read_required(r, "a datum label");
  table_set(r->labels, make_fixnum(n), v);
  patch_label(v, placeholder, v);
  return v;
}

static value
read_hash(struct reader *r, size_t line, size_t column) {
  int64_t c = port_peek_char(r->port);
  if (c != PORT_EOF && c < 0x80 && (strchr("(\\|;u", (int)c) != NULL || isdigit((int)c)))
    port_read_char(r->port);
  switch (c) {
  case '(':
    return vector_from_list(read_sequence(r, false, line, column));
  case '\\':
    return read_char_literal(r);
  case '|':
    skip_block(r->port, line, column);
    return read_any(r);
  case ';':
    read_required(r, "#;");
    return read_any(r);
  case 'u':
    return read_bytevector(r);
  }
  if (c != PORT_EOF && c < 0x80 && isdigit((int)c))
    return read_label(r, c);
  struct token t = token_new();
  token_add(&t, '#');
  read_token(r, &t, t.length);
  if (strcmp(t.bytes, "#t") == 0 || strcmp(t.bytes, "#true") == 0)
    return TRUE_VALUE;
  if (strcmp(t.bytes, "#f") == 0 || strcmp(t.bytes, "#false") == 0)
    return FALSE_VALUE;
  if (strcmp(t.bytes, "#!eof") == 0)
    return EOF_VALUE;
  if (t.bytes[1] == '!') { // #!fold-case, a script's first line
    skip_line(r->port);
    return read_any(r);
  }
  value number = num_parse(t.bytes, 10);
  if (number == FALSE_VALUE)
    fail_at(r->port, line, column, "unknown syntax after #");
  return number;
}

static value
read_abbreviation(struct reader *r, const char *name, const char *text) {
  return list2(symbol_from_c(name), read_required(r, text));
}

static value
read_comma(struct reader *r) {
  if (port_peek_char(r->port) != '@')
    return read_abbreviation(r, "unquote", ",");
  port_read_char(r->port);
  return read_abbreviation(r, "unquote-splicing", ",@");
}

// The datum whose first character is c.
static value
read_datum_after(struct reader *r, int64_t c, size_t line, size_t column) {
  switch (c) {
  case PORT_EOF:
    return EOF_VALUE;
  case '(':
    return read_sequence(r, true, line, column);
  case ')':
    if (r->depth <= 1)
      fail_at(r->port, line, column, "unexpected closing parenthesis");
    return NO_VALUE;
  case '\'':
    return read_abbreviation(r, "quote", "'");
  case '`':
    return read_abbreviation(r, "quasiquote", "`");
  case ',':
    return read_comma(r);
  case '"': {
    struct token t = token_new();
    read_quoted(r, &t, '"', line, column);
    return token_string(&t);
  }
  case '#':
    return read_hash(r, line, column);
  }
  struct token t = token_new();
  token_add(&t, (uint32_t)c);
  value atom = read_atom(r, &t);
  return t.length == 1 && t.bytes[0] == '.' ? UNBOUND : atom;
}

// A datum, or EOF_VALUE at the end, NO_VALUE at a closing parenthesis, UNBOUND at a lone dot.
static value
read_any(struct reader *r) {
  read_skip(r->port);
  if (++r->depth > READ_DEPTH_MAX)
    fail_here(r, "data nested too deeply");
  size_t line = r->port->line, column = r->port->column;
  r->line = line;
  r->column = column;
  value v = read_datum_after(r, port_read_char(r->port), line, column);
  r->depth--;
  return v;
}

value
read_datum(struct port *port) {
  struct reader r = {.port = port, .depth = 0, .line = 1, .column = 1, .labels = NULL};
  value v = read_any(&r);
  if (v == UNBOUND)
    fail_at(port, r.line, r.column, "unexpected dot");
  return v;
}
