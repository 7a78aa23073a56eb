// Constructors shared by all, and the equivalence predicates.
#include "value.h"

#include <string.h>

#include "error.h"
#include "num.h"
#include "text.h"

value
vector_new(enum object_type type, size_t length, value fill) {
  struct vector *v = object_new(type, sizeof *v + length * sizeof(value));
  v->length = length;
  for (size_t i = 0; i < length; i++)
    v->items[i] = fill;
  return (value)v;
}

value
bytevector_new(size_t length) {
  struct bytevector *b = alloc_pointer_free(sizeof *b + length);
  b->head = (struct object){.type = TYPE_BYTEVECTOR, .flags = 0};
  b->length = length;
  return (value)b;
}

value
box_new(value content) {
  struct box *b = object_new(TYPE_BOX, sizeof *b);
  b->content = content;
  return (value)b;
}

value
list1(value a) {
  return cons(a, NIL);
}

value
list2(value a, value b) {
  return cons(a, list1(b));
}

value
list3(value a, value b, value c) {
  return cons(a, list2(b, c));
}

value
list4(value a, value b, value c, value d) {
  return cons(a, list3(b, c, d));
}

value
list_reverse(value list) {
  value result = NIL;
  for (; is_pair(list); list = cdr(list))
    result = cons(car(list), result);
  return result;
}

value
list_from_array(const value *items, size_t count, value tail) {
  value list = tail;
  while (count > 0)
    list = cons(items[--count], list);
  return list;
}

ptrdiff_t
list_length(value list) {
  ptrdiff_t length = 0;
  value slow = list;
  while (is_pair(list)) {
    list = cdr(list);
    if (length++ & 1) {
      slow = cdr(slow); // half way
      if (slow == list)
        return -1;
    }
  }
  return list == NIL ? length : -1;
}

// Tells 0.0 from -0.0, and a NaN from no other of its kind.
static uint64_t
flonum_bits(value v) {
  double d = flonum_of(v);
  uint64_t bits;
  memcpy(&bits, &d, sizeof bits);
  return bits;
}

bool
values_eqv(value a, value b) {
  if (a == b)
    return true;
  if (is_flonum(a) && is_flonum(b)) {
    return flonum_bits(a) == flonum_bits(b);
  }
  if (!is_object(a) || !is_object(b) || a->type != b->type)
    return false;
  if (a->type == TYPE_BIGNUM || a->type == TYPE_RATIO)
    return num_equal(a, b);
  return false;
}

static bool
vectors_equal(struct vector *a, struct vector *b) {
  if (a->length != b->length)
    return false;
  for (size_t i = 0; i < a->length; i++)
    if (!values_equal(a->items[i], b->items[i]))
      return false;
  return true;
}

static bool
bytevectors_equal(struct bytevector *a, struct bytevector *b) {
  return a->length == b->length && memcmp(a->bytes, b->bytes, a->length) == 0;
}

bool
values_equal(value a, value b) {
  c_stack_check("equal?: structure nested too deeply, or circular");
  for (; is_pair(a) && is_pair(b); a = cdr(a), b = cdr(b))
    if (!values_equal(car(a), car(b)))
      return false;
  if (values_eqv(a, b))
    return true;
  if (!is_object(a) || !is_object(b) || a->type != b->type)
    return false;
  switch (a->type) {
  case TYPE_STRING:
    return string_compare(string_of(a), string_of(b)) == 0;
  case TYPE_VECTOR:
    return vectors_equal(vector_of(a), vector_of(b));
  case TYPE_BYTEVECTOR:
    return bytevectors_equal(bytevector_of(a), bytevector_of(b));
  default:
    return false;
  }
}
