// The printer.  A first walk with a step budget decides whether the value is small and so surely acyclic
// when it ends; only values that exhaust it pay for finding cycles.
#include "print.h"

#include <stdio.h>
#include <string.h>

#include "error.h"
#include "num.h"
#include "table.h"
#include "text.h"
#include "vm.h"

struct printer {
  struct port *port;
  enum print_style style;
  struct table *cycles; // object -> #t on a cycle, then its label; NULL when there is none
  intptr_t next_label;
};

static void print_any(struct printer *p, value v);

static void
print_number(struct printer *p, const char *prefix, intptr_t n, const char *suffix) {
  char text[64];
  snprintf(text, sizeof text, "%s%ld%s", prefix, (long)n, suffix);
  port_write_c(p->port, text);
}

// Write a label where v needs one; true when v was already written and the reference is all there is to say.
static bool
print_label(struct printer *p, value v) {
  value label = p->cycles == NULL ? FALSE_VALUE : table_ref(p->cycles, v, FALSE_VALUE);
  if (label == FALSE_VALUE)
    return false;
  if (label == TRUE_VALUE) {
    table_set(p->cycles, v, make_fixnum(p->next_label));
    print_number(p, "#", p->next_label++, "=");
    return false;
  }
  print_number(p, "#", fixnum_of(label), "#");
  return true;
}

static const char *
quote_prefix(value v) {
  static const char *const table[][2] = {
      {"quote", "'"}, {"quasiquote", "`"}, {"unquote", ","}, {"unquote-splicing", ",@"}};
  if (!is_symbol(car(v)) || !is_pair(cdr(v)) || cdr(cdr(v)) != NIL)
    return NULL;
  for (size_t i = 0; i < sizeof table / sizeof *table; i++)
    if (car(v) == symbol_from_c(table[i][0]))
      return table[i][1];
  return NULL;
}

static void
print_list(struct printer *p, value v) {
  const char *prefix = quote_prefix(v);
  if (prefix != NULL) {
    port_write_c(p->port, prefix);
    print_any(p, car(cdr(v)));
    return;
  }
  port_write_c(p->port, "(");
  print_any(p, car(v));
  for (v = cdr(v); is_pair(v); v = cdr(v)) {
    if (p->cycles != NULL && table_ref(p->cycles, v, FALSE_VALUE) != FALSE_VALUE)
      break;
    port_write_c(p->port, " ");
    print_any(p, car(v));
  }
  if (v != NIL) {
    port_write_c(p->port, " . ");
    print_any(p, v);
  }
  port_write_c(p->port, ")");
}

static void
print_vector(struct printer *p, struct vector *v) {
  port_write_c(p->port, "#(");
  for (size_t i = 0; i < v->length; i++) {
    if (i > 0)
      port_write_c(p->port, " ");
    print_any(p, v->items[i]);
  }
  port_write_c(p->port, ")");
}

static void
print_bytevector(struct printer *p, struct bytevector *b) {
  port_write_c(p->port, "#u8(");
  for (size_t i = 0; i < b->length; i++)
    print_number(p, i > 0 ? " " : "", b->bytes[i], "");
  port_write_c(p->port, ")");
}

// A string or symbol between delimiters, with escapes.
static void
print_quoted(struct printer *p, struct string *s, char delimiter) {
  static const char codes[] = "\n\t\r\a\b", names[] = "ntrab";
  port_write_char(p->port, (uint32_t)delimiter);
  for (size_t i = 0; i < s->length; i++) {
    uint32_t c = string_ref(s, i);
    const char *code = c != 0 && c < 0x80 ? strchr(codes, (int)c) : NULL;
    if (code != NULL) {
      port_write_c(p->port, "\\");
      port_write_char(p->port, (uint32_t)names[code - codes]);
    } else {
      if (c == (uint32_t)delimiter || c == '\\')
        port_write_c(p->port, "\\");
      port_write_char(p->port, c);
    }
  }
  port_write_char(p->port, (uint32_t)delimiter);
}

static bool
symbol_needs_bars(struct string *s) {
  if (s->length == 0 || num_parse(string_to_c(s), 10) != FALSE_VALUE)
    return true;
  for (size_t i = 0; i < s->length; i++) {
    uint32_t c = string_ref(s, i);
    if (c <= ' ' || (c < 0x80 && strchr("()\"';`,|", (int)c) != NULL))
      return true;
  }
  return (s->length == 1 && string_ref(s, 0) == '.') || string_ref(s, 0) == '#';
}

static void
print_symbol(struct printer *p, struct symbol *symbol) {
  struct string *name = string_of(symbol->name);
  if (p->style == PRINT_WRITE && symbol_needs_bars(name))
    print_quoted(p, name, '|');
  else
    port_write_string(p->port, name, 0, name->length);
}

const char *const char_names[][2] = {{"space", " "},     {"newline", "\n"},   {"tab", "\t"},
                                     {"return", "\r"},   {"nul", "\0"},       {"null", "\0"},
                                     {"alarm", "\a"},    {"backspace", "\b"}, {"delete", "\x7f"},
                                     {"escape", "\x1b"}, {NULL, NULL}};

static void
print_char(struct printer *p, uint32_t c) {
  if (p->style == PRINT_DISPLAY) {
    port_write_char(p->port, c);
    return;
  }
  port_write_c(p->port, "#\\");
  for (size_t i = 0; char_names[i][0] != NULL; i++) {
    if (c == (uint8_t)char_names[i][1][0]) {
      port_write_c(p->port, char_names[i][0]);
      return;
    }
  }
  port_write_char(p->port, c);
}

static void
print_constant(struct printer *p, value v) {
  const char *text = v == NIL           ? "()"
                     : v == FALSE_VALUE ? "#f"
                     : v == TRUE_VALUE  ? "#t"
                     : v == EOF_VALUE   ? "#<eof>"
                     : v == UNBOUND     ? "#<unbound>"
                                        : "#<unspecified>";
  port_write_c(p->port, text);
}

static void
print_named(struct printer *p, const char *kind, value name) {
  port_write_c(p->port, "#<");
  port_write_c(p->port, kind);
  if (is_symbol(name) || is_string(name)) {
    port_write_c(p->port, " ");
    print_value(p->port, name, PRINT_DISPLAY);
  }
  port_write_c(p->port, ">");
}

static void
print_record(struct printer *p, struct vector *record) {
  struct record_type *type = (struct record_type *)record->items[0];
  port_write_c(p->port, "#<");
  print_value(p->port, type->name, PRINT_DISPLAY);
  for (size_t i = 1; i < record->length; i++) {
    port_write_c(p->port, " ");
    print_any(p, record->items[i]);
  }
  port_write_c(p->port, ">");
}

static void
print_condition(struct printer *p, struct condition *c) {
  port_write_c(p->port, "#<condition ");
  print_any(p, c->message);
  for (value rest = c->irritants; is_pair(rest); rest = cdr(rest)) {
    port_write_c(p->port, " ");
    print_any(p, car(rest));
  }
  port_write_c(p->port, ">");
}

static void
print_opaque(struct printer *p, value v) {
  switch (v->type) {
  case TYPE_CLOSURE:
    print_named(p, "procedure", ((struct closure *)v)->code->name);
    break;
  case TYPE_PRIMITIVE:
    print_named(p, "procedure", ((struct primitive *)v)->name);
    break;
  case TYPE_CASE_LAMBDA:
    print_named(p, "procedure", NIL);
    break;
  case TYPE_CONTINUATION:
    print_named(p, "continuation", NIL);
    break;
  case TYPE_PARAMETER:
    print_named(p, "parameter", NIL);
    break;
  case TYPE_PROMISE:
    print_named(p, "promise", NIL);
    break;
  case TYPE_TABLE:
    print_named(p, "hash-table", NIL);
    break;
  case TYPE_PORT:
    print_named(p, "port", port_of(v)->name);
    break;
  case TYPE_RECORD_TYPE:
    print_named(p, "record-type", ((struct record_type *)v)->name);
    break;
  default:
    print_named(p, "object", NIL);
  }
}

static void
print_object(struct printer *p, value v) {
  switch (v->type) {
  case TYPE_STRING:
    if (p->style == PRINT_WRITE)
      print_quoted(p, string_of(v), '"');
    else
      port_write_string(p->port, string_of(v), 0, string_of(v)->length);
    break;
  case TYPE_SYMBOL:
    print_symbol(p, symbol_of(v));
    break;
  case TYPE_VECTOR:
    print_vector(p, vector_of(v));
    break;
  case TYPE_BYTEVECTOR:
    print_bytevector(p, bytevector_of(v));
    break;
  case TYPE_RECORD:
    print_record(p, vector_of(v));
    break;
  case TYPE_CONDITION:
    print_condition(p, (struct condition *)v);
    break;
  case TYPE_VALUES:
    for (size_t i = 0; i < vector_of(v)->length; i++) {
      port_write_c(p->port, i > 0 ? "\n" : "");
      print_any(p, vector_of(v)->items[i]);
    }
    break;
  default:
    print_opaque(p, v);
  }
}

static void
print_any(struct printer *p, value v) {
  c_stack_check("write: structure nested too deeply");
  if (is_number(v))
    port_write_c(p->port, num_print(v, 10));
  else if (is_char(v))
    print_char(p, char_of(v));
  else if (!is_pair(v) && !is_object(v))
    print_constant(p, v);
  else if (!print_label(p, v)) {
    if (is_pair(v))
      print_list(p, v);
    else
      print_object(p, v);
  }
}

void
print_value(struct port *port, value v, enum print_style style) {
  struct printer p = {.port = port, .style = style, .cycles = print_find_cycles(v), .next_label = 0};
  print_any(&p, v);
}

void
print_raised(struct port *port, value raised) {
  if (!is_type(raised, TYPE_CONDITION)) {
    port_write_c(port, "uncaught: ");
    print_value(port, raised, PRINT_WRITE);
    return;
  }
  struct condition *c = (struct condition *)raised;
  print_value(port, c->message, PRINT_DISPLAY);
  for (value rest = c->irritants; is_pair(rest); rest = cdr(rest)) {
    port_write_c(port, " ");
    print_value(port, car(rest), PRINT_WRITE);
  }
  if (is_symbol(c->where)) {
    port_write_c(port, " (in ");
    print_value(port, c->where, PRINT_DISPLAY);
    port_write_c(port, ")");
  }
}
