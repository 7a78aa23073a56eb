// The reader: recursive descent over a port.
#include "read.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "error.h"
#include "num.h"
#include "read_token.h"
#include "table.h"
#include "text.h"

static value read_any(struct reader *r);

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
      reader_fail_at(port, line, column, "unterminated block comment starts here");
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

static value
read_atom(struct reader *r, struct token *t) {
  bool quoted = false;
  for (size_t from = 0;; from = t->length) {
    token_read(r, t, from);
    if (t->length == from || t->bytes[t->length - 1] != '|')
      break;
    t->bytes[--t->length] = '\0'; // a|b c|d: the part between bars is taken as it stands
    token_read_quoted(r, t, '|', r->line, r->column);
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
    reader_fail_here(r, "end of file in a character");
  token_add(&t, (uint32_t)first);
  size_t first_length = t.length;
  token_read(r, &t, t.length);
  if (t.length == first_length)
    return make_char((uint32_t)first);
  if (t.bytes[0] == 'x' && strspn(t.bytes + 1, "0123456789abcdefABCDEF") == t.length - 1)
    return make_char((uint32_t)strtoul(t.bytes + 1, NULL, 16));
  for (size_t i = 0; char_names[i][0] != NULL; i++)
    if (strcmp(t.bytes, char_names[i][0]) == 0)
      return make_char((uint8_t)char_names[i][1][0]);
  reader_fail_here(r, "unknown character name");
}

// The elements up to the closing parenthesis, the opening one read.  `dotted` allows a tail.
static value
read_sequence(struct reader *r, bool dotted, size_t line, size_t column) {
  value head = NIL, last = NIL;
  for (;;) {
    value item = read_any(r);
    if (item == EOF_VALUE)
      reader_fail_at(r->port, line, column, "unbalanced parenthesis opens here");
    if (item == NO_VALUE) // a closing parenthesis
      return head;
    if (item == UNBOUND) { // a lone dot
      value tail = dotted && last != NIL ? read_any(r) : NO_VALUE;
      if (tail == NO_VALUE || tail == EOF_VALUE || read_any(r) != NO_VALUE)
        reader_fail_here(r, "bad dotted list");
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
  int64_t eight = port_read_char(r->port), open = port_read_char(r->port);
  if (eight != '8' || open != '(')
    reader_fail_here(r, "expected #u8(");
  value list = read_sequence(r, false, r->port->line, r->port->column);
  value b = bytevector_new((size_t)list_length(list));
  for (size_t i = 0; is_pair(list); list = cdr(list)) {
    if (!is_fixnum(car(list)) || fixnum_of(car(list)) < 0 || fixnum_of(car(list)) > 255)
      reader_fail_here(r, "bytevector element is no byte");
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
    reader_fail_here(r, message);
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
      reader_fail_here(r, "unknown datum label");
    return v;
  }
  if (digit != '=')
    reader_fail_here(r, "bad datum label");
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
  token_read(r, &t, t.length);
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
    reader_fail_at(r->port, line, column, "unknown syntax after #");
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
      reader_fail_at(r->port, line, column, "unexpected closing parenthesis");
    return NO_VALUE;
  case '\'':
    return read_abbreviation(r, "quote", "'");
  case '`':
    return read_abbreviation(r, "quasiquote", "`");
  case ',':
    return read_comma(r);
  case '"': {
    struct token t = token_new();
    token_read_quoted(r, &t, '"', line, column);
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
  c_stack_check("read: data nested too deeply");
  r->depth++;
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
    reader_fail_at(port, r.line, r.column, "unexpected dot");
  return v;
}
