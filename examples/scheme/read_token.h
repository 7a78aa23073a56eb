// Tokens: what the reader is made of below the level of data.  A token grows as it is read; it is UTF-8 with
// a final NUL.
#ifndef SCHEME_READ_TOKEN_H
#define SCHEME_READ_TOKEN_H

#include "port.h"
#include "value.h"

struct reader {
  struct port *port;
  int depth;
  size_t line; // where the datum being read starts
  size_t column;
  struct table *labels; // #n= labels, or NULL
};

struct token {
  char *bytes;
  size_t length;
  size_t capacity;
};

_Noreturn void reader_fail_at(struct port *port, size_t line, size_t column, const char *what);
_Noreturn void reader_fail_here(struct reader *r, const char *what);

struct token token_new(void);
void token_add(struct token *t, uint32_t code_point);
value token_string(struct token *t);

// Read on to the next delimiter, or through the first bar after what t held at `from`.
void token_read(struct reader *r, struct token *t, size_t from);

// The rest of a string or |symbol|, whose opening delimiter, at line and column, has been read.
void token_read_quoted(struct reader *r, struct token *t, char delimiter, size_t line, size_t column);

#endif
