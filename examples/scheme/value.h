// How a Scheme value is laid out in one machine word, and the objects a word can name.
//
//    63                                   3 2 1 0
//   +--------------------------------------+-----+
//   | 63-bit two's complement integer          |1|   fixnum
//   | address of an object with a header   |0 0 0|   everything that is not below
//   | address of a struct pair, plus 4     |1 0 0|   pair: no header, 16 bytes
//   | address of a double, plus 6          |1 1 0|   flonum: no header, pointer-free
//   | code point or constant << 8, kind    |0 1 0|   character, (), #t, #f, ...
//   +--------------------------------------+-----+
//
// Tagged addresses point inside their objects, which a conservative collector recognises.
#ifndef SCHEME_VALUE_H
#define SCHEME_VALUE_H

#include <gmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alloc.h"

typedef struct object *value; // tagged: dereference only through the functions below

enum object_type {
  TYPE_STRING,
  TYPE_SYMBOL,
  TYPE_VECTOR,
  TYPE_BYTEVECTOR,
  TYPE_BIGNUM,
  TYPE_RATIO,
  TYPE_CLOSURE,
  TYPE_PRIMITIVE,
  TYPE_CASE_LAMBDA,
  TYPE_CONTINUATION,
  TYPE_PARAMETER,
  TYPE_BOX,
  TYPE_VALUES,
  TYPE_PROMISE,
  TYPE_RECORD,
  TYPE_RECORD_TYPE,
  TYPE_TABLE,
  TYPE_PORT,
  TYPE_CONDITION,
  TYPE_ALIAS,
};

struct object {
  uint32_t type;  // enum object_type
  uint32_t flags; // meaning depends on the type
};

struct pair {
  value car;
  value cdr;
};

struct vector { // also values, records (item 0 is the record type) and case-lambdas
  struct object head;
  size_t length;
  value items[];
};

struct bytevector {
  struct object head;
  size_t length;
  uint8_t bytes[];
};

enum { STRING_WIDE = 1 }; // flag: characters are uint32_t, not uint8_t

struct string {
  struct object head;
  size_t length; // characters
  void *chars;   // pointer-free
};

struct symbol {
  struct object head;
  value name;             // string
  value global;           // value of the global variable, or UNBOUND
  struct binding *syntax; // what the name means to the expander when it is a keyword, else NULL
  struct symbol *next;    // in the symbol table's bucket
  uint64_t hash;
};

struct bignum {
  struct object head;
  mpz_t z;
};

struct ratio { // in lowest terms, den > 1
  struct object head;
  value num;
  value den;
};

struct box {
  struct object head;
  value content;
};

struct promise {
  struct object head; // flags: 1 when content is the value, 0 when it is a thunk
  struct promise_state *state;
};

struct parameter {
  struct object head;
  value content;
  value converter; // procedure or #f
};

struct record_type {
  struct object head;
  value name;   // symbol
  value fields; // list of symbols
  size_t field_count;
};

enum condition_kind { CONDITION_ERROR, CONDITION_READ, CONDITION_FILE };

struct condition { // flags: enum condition_kind
  struct object head;
  value message;
  value irritants; // list
  value where;     // name of the procedure that was running, or #f
};

enum { TAG_MASK = 7, PAIR_TAG = 4, FLONUM_TAG = 6, IMMEDIATE_TAG = 2, CHAR_TAG = 0x0A, CHAR_SHIFT = 8 };

#define IMMEDIATE(n) ((value)(uintptr_t)(((n) << CHAR_SHIFT) | IMMEDIATE_TAG))
#define NIL IMMEDIATE(0)
#define FALSE_VALUE IMMEDIATE(1)
#define TRUE_VALUE IMMEDIATE(2)
#define UNSPECIFIED IMMEDIATE(3)
#define EOF_VALUE IMMEDIATE(4)
#define UNBOUND IMMEDIATE(5)  // a variable that has no value yet
#define NO_VALUE IMMEDIATE(6) // an optional argument that was left out

#define FIXNUM_MAX (INTPTR_MAX >> 1)
#define FIXNUM_MIN (INTPTR_MIN >> 1)

static inline uintptr_t
bits_of(value v) {
  return (uintptr_t)v;
}

static inline bool
is_fixnum(value v) {
  return bits_of(v) & 1;
}

static inline bool
are_fixnums(value a, value b) {
  return bits_of(a) & bits_of(b) & 1;
}

static inline intptr_t
fixnum_of(value v) {
  return (intptr_t)v >> 1;
}

static inline value
make_fixnum(intptr_t n) {
  return (value)(((uintptr_t)n << 1) | 1);
}

static inline bool
fits_fixnum(intptr_t n) {
  return n >= FIXNUM_MIN && n <= FIXNUM_MAX;
}

static inline bool
is_pair(value v) {
  return (bits_of(v) & TAG_MASK) == PAIR_TAG;
}

static inline struct pair *
pair_of(value v) {
  return (struct pair *)(bits_of(v) - PAIR_TAG);
}

static inline value
car(value v) {
  return pair_of(v)->car;
}

static inline value
cdr(value v) {
  return pair_of(v)->cdr;
}

static inline value
cons(value head, value tail) {
  struct pair *p = alloc_scanned(sizeof *p);
  p->car = head;
  p->cdr = tail;
  return (value)((uintptr_t)p + PAIR_TAG);
}

static inline bool
is_flonum(value v) {
  return (bits_of(v) & TAG_MASK) == FLONUM_TAG;
}

static inline double
flonum_of(value v) {
  return *(double *)(bits_of(v) - FLONUM_TAG);
}

static inline value
make_flonum(double d) {
  double *p = alloc_pointer_free(sizeof *p);
  *p = d;
  return (value)((uintptr_t)p + FLONUM_TAG);
}

static inline bool
is_char(value v) {
  return (bits_of(v) & 0xFF) == CHAR_TAG;
}

static inline uint32_t
char_of(value v) {
  return (uint32_t)(bits_of(v) >> CHAR_SHIFT);
}

static inline value
make_char(uint32_t code_point) {
  return (value)(((uintptr_t)code_point << CHAR_SHIFT) | CHAR_TAG);
}

static inline value
make_bool(bool b) {
  return b ? TRUE_VALUE : FALSE_VALUE;
}

static inline bool
is_true(value v) {
  return v != FALSE_VALUE;
}

static inline bool
is_object(value v) {
  return (bits_of(v) & TAG_MASK) == 0;
}

static inline bool
is_type(value v, enum object_type type) {
  return is_object(v) && v->type == type;
}

// A cleared object of the given type.
static inline void *
object_new(enum object_type type, size_t bytes) {
  struct object *object = alloc_scanned(bytes);
  object->type = type;
  return object;
}

static inline bool
is_symbol(value v) {
  return is_type(v, TYPE_SYMBOL);
}

static inline bool
is_string(value v) {
  return is_type(v, TYPE_STRING);
}

static inline bool
is_vector(value v) {
  return is_type(v, TYPE_VECTOR);
}

static inline struct vector *
vector_of(value v) {
  return (struct vector *)v;
}

static inline struct string *
string_of(value v) {
  return (struct string *)v;
}

static inline struct symbol *
symbol_of(value v) {
  return (struct symbol *)v;
}

static inline struct bytevector *
bytevector_of(value v) {
  return (struct bytevector *)v;
}

static inline bool
is_procedure(value v) {
  return is_object(v) && v->type >= TYPE_CLOSURE && v->type <= TYPE_PARAMETER;
}

value vector_new(enum object_type type, size_t length, value fill);
value bytevector_new(size_t length);
value box_new(value content);

// Lists.
value list1(value a);
value list2(value a, value b);
value list3(value a, value b, value c);
value list4(value a, value b, value c, value d);
value list_reverse(value list);
value list_from_array(const value *items, size_t count, value tail);
ptrdiff_t list_length(value list); // -1 when improper or circular

// Equivalence.
bool values_eqv(value a, value b);
bool values_equal(value a, value b);

#endif
