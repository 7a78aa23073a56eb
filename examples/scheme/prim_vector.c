// Primitives on vectors and bytevectors.
#include <string.h>

#include "primitives.h"
#include "text.h"

static struct vector *
check_vector(const char *who, value v) {
  check_type(who, "a vector", v, TYPE_VECTOR);
  return vector_of(v);
}

static value
prim_is_vector(value v) {
  return make_bool(is_vector(v));
}

static value
prim_make(uint32_t argc, value *argv) {
  size_t length = check_index("make-vector", argv[0], SIZE_MAX >> 8);
  return vector_new(TYPE_VECTOR, length, argc == 2 ? argv[1] : UNSPECIFIED);
}

static value
prim_vector(uint32_t argc, value *argv) {
  value v = vector_new(TYPE_VECTOR, argc, NIL);
  memcpy(vector_of(v)->items, argv, argc * sizeof *argv);
  return v;
}

static value
prim_length(value v) {
  return make_fixnum((intptr_t)check_vector("vector-length", v)->length);
}

static value
prim_set(value v, value index, value item) {
  struct vector *vector = check_vector("vector-set!", v);
  if (!is_fixnum(index))
    raise_type("vector-set!", "an index", index);
  if ((uintptr_t)fixnum_of(index) >= vector->length)
    raise_range("vector-set!", index);
  vector->items[fixnum_of(index)] = item;
  return UNSPECIFIED;
}

static value
prim_to_list(uint32_t argc, value *argv) {
  struct vector *v = check_vector("vector->list", argv[0]);
  struct range r = check_range("vector->list", argc, argv, 1, v->length);
  return list_from_array(v->items + r.start, r.end - r.start, NIL);
}

static value
prim_from_list(value list) {
  ptrdiff_t length = list_length(list);
  if (length < 0)
    raise_type("list->vector", "a proper list", list);
  value v = vector_new(TYPE_VECTOR, (size_t)length, NIL);
  for (size_t i = 0; is_pair(list); list = cdr(list))
    vector_of(v)->items[i++] = car(list);
  return v;
}

static value
prim_fill(uint32_t argc, value *argv) {
  struct vector *v = check_vector("vector-fill!", argv[0]);
  struct range r = check_range("vector-fill!", argc, argv, 2, v->length);
  for (size_t i = r.start; i < r.end; i++)
    v->items[i] = argv[1];
  return UNSPECIFIED;
}

static value
prim_copy(uint32_t argc, value *argv) {
  struct vector *v = check_vector("vector-copy", argv[0]);
  struct range r = check_range("vector-copy", argc, argv, 1, v->length);
  return prim_vector((uint32_t)(r.end - r.start), v->items + r.start);
}

static value
prim_copy_to(uint32_t argc, value *argv) {
  struct vector *to = check_vector("vector-copy!", argv[0]), *from = check_vector("vector-copy!", argv[2]);
  size_t at = check_index("vector-copy!", argv[1], to->length);
  struct range r = check_range("vector-copy!", argc, argv, 3, from->length);
  if (r.end - r.start > to->length - at)
    raise_range("vector-copy!", argv[1]);
  memmove(to->items + at, from->items + r.start, (r.end - r.start) * sizeof(value));
  return UNSPECIFIED;
}

static value
prim_append(uint32_t argc, value *argv) {
  size_t length = 0, at = 0;
  for (uint32_t i = 0; i < argc; i++)
    length += check_vector("vector-append", argv[i])->length;
  value result = vector_new(TYPE_VECTOR, length, NIL);
  for (uint32_t i = 0; i < argc; i++) {
    struct vector *v = vector_of(argv[i]);
    memcpy(vector_of(result)->items + at, v->items, v->length * sizeof(value));
    at += v->length;
  }
  return result;
}

const struct primitive_entry vector_primitives[] = {
    PRIMITIVE_1("vector?", prim_is_vector),
    PRIMITIVE_N("make-vector", prim_make, 1, 2),
    PRIMITIVE_N("vector", prim_vector, 0, ANY_ARGUMENTS),
    PRIMITIVE_1("vector-length", prim_length),
    PRIMITIVE_3("vector-set!", prim_set),
    PRIMITIVE_N("vector->list", prim_to_list, 1, 3),
    PRIMITIVE_1("list->vector", prim_from_list),
    PRIMITIVE_N("vector-fill!", prim_fill, 2, 4),
    PRIMITIVE_N("vector-copy", prim_copy, 1, 3),
    PRIMITIVE_N("subvector", prim_copy, 3, 3),
    PRIMITIVE_N("vector-copy!", prim_copy_to, 3, 5),
    PRIMITIVE_N("vector-append", prim_append, 0, ANY_ARGUMENTS),
    PRIMITIVE_END,
};

static struct bytevector *
check_bytes(const char *who, value v) {
  check_type(who, "a bytevector", v, TYPE_BYTEVECTOR);
  return bytevector_of(v);
}

static uint8_t
check_byte(const char *who, value v) {
  return (uint8_t)check_index(who, v, UINT8_MAX);
}

static size_t
check_position(const char *who, struct bytevector *b, value index) {
  if (b->length == 0)
    raise_range(who, index);
  return check_index(who, index, b->length - 1);
}

static value
prim_is_bytevector(value v) {
  return make_bool(is_type(v, TYPE_BYTEVECTOR));
}

static value
prim_make_bytes(uint32_t argc, value *argv) {
  size_t length = check_index("make-bytevector", argv[0], SIZE_MAX >> 8);
  value b = bytevector_new(length);
  memset(bytevector_of(b)->bytes, argc == 2 ? check_byte("make-bytevector", argv[1]) : 0, length);
  return b;
}

static value
prim_bytevector(uint32_t argc, value *argv) {
  value b = bytevector_new(argc);
  for (uint32_t i = 0; i < argc; i++)
    bytevector_of(b)->bytes[i] = check_byte("bytevector", argv[i]);
  return b;
}

static value
prim_bytes_length(value v) {
  return make_fixnum((intptr_t)check_bytes("bytevector-length", v)->length);
}

static value
prim_bytes_ref(value v, value index) {
  struct bytevector *b = check_bytes("bytevector-u8-ref", v);
  return make_fixnum(b->bytes[check_position("bytevector-u8-ref", b, index)]);
}

static value
prim_bytes_set(value v, value index, value byte) {
  struct bytevector *b = check_bytes("bytevector-u8-set!", v);
  b->bytes[check_position("bytevector-u8-set!", b, index)] = check_byte("bytevector-u8-set!", byte);
  return UNSPECIFIED;
}

static value
prim_bytes_copy(uint32_t argc, value *argv) {
  struct bytevector *b = check_bytes("bytevector-copy", argv[0]);
  struct range r = check_range("bytevector-copy", argc, argv, 1, b->length);
  value copy = bytevector_new(r.end - r.start);
  memcpy(bytevector_of(copy)->bytes, b->bytes + r.start, r.end - r.start);
  return copy;
}

static value
prim_bytes_copy_to(uint32_t argc, value *argv) {
  struct bytevector *to = check_bytes("bytevector-copy!", argv[0]);
  struct bytevector *from = check_bytes("bytevector-copy!", argv[2]);
  size_t at = check_index("bytevector-copy!", argv[1], to->length);
  struct range r = check_range("bytevector-copy!", argc, argv, 3, from->length);
  if (r.end - r.start > to->length - at)
    raise_range("bytevector-copy!", argv[1]);
  memmove(to->bytes + at, from->bytes + r.start, r.end - r.start);
  return UNSPECIFIED;
}

static value
prim_bytes_append(uint32_t argc, value *argv) {
  size_t length = 0, at = 0;
  for (uint32_t i = 0; i < argc; i++)
    length += check_bytes("bytevector-append", argv[i])->length;
  value result = bytevector_new(length);
  for (uint32_t i = 0; i < argc; i++) {
    struct bytevector *b = bytevector_of(argv[i]);
    memcpy(bytevector_of(result)->bytes + at, b->bytes, b->length);
    at += b->length;
  }
  return result;
}

static value
prim_bytes_fill(uint32_t argc, value *argv) {
  struct bytevector *b = check_bytes("bytevector-fill!", argv[0]);
  struct range r = check_range("bytevector-fill!", argc, argv, 2, b->length);
  memset(b->bytes + r.start, check_byte("bytevector-fill!", argv[1]), r.end - r.start);
  return UNSPECIFIED;
}

static value
prim_utf8_to_string(uint32_t argc, value *argv) {
  struct bytevector *b = check_bytes("utf8->string", argv[0]);
  struct range r = check_range("utf8->string", argc, argv, 1, b->length);
  return string_from_utf8(b->bytes + r.start, r.end - r.start);
}

static value
prim_string_to_utf8(uint32_t argc, value *argv) {
  check_type("string->utf8", "a string", argv[0], TYPE_STRING);
  struct range r = check_range("string->utf8", argc, argv, 1, string_of(argv[0])->length);
  const char *utf8 = string_to_c(string_of(string_copy(string_of(argv[0]), r.start, r.end)));
  value b = bytevector_new(strlen(utf8));
  memcpy(bytevector_of(b)->bytes, utf8, bytevector_of(b)->length);
  return b;
}

const struct primitive_entry bytevector_primitives[] = {
    PRIMITIVE_1("bytevector?", prim_is_bytevector),
    PRIMITIVE_N("make-bytevector", prim_make_bytes, 1, 2),
    PRIMITIVE_N("bytevector", prim_bytevector, 0, ANY_ARGUMENTS),
    PRIMITIVE_1("bytevector-length", prim_bytes_length),
    PRIMITIVE_2("bytevector-u8-ref", prim_bytes_ref),
    PRIMITIVE_3("bytevector-u8-set!", prim_bytes_set),
    PRIMITIVE_N("bytevector-copy", prim_bytes_copy, 1, 3),
    PRIMITIVE_N("bytevector-copy!", prim_bytes_copy_to, 3, 5),
    PRIMITIVE_N("bytevector-append", prim_bytes_append, 0, ANY_ARGUMENTS),
    PRIMITIVE_N("bytevector-fill!", prim_bytes_fill, 2, 4),
    PRIMITIVE_N("utf8->string", prim_utf8_to_string, 1, 3),
    PRIMITIVE_N("string->utf8", prim_string_to_utf8, 1, 3),
    PRIMITIVE_END,
};
