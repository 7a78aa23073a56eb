// Primitives behind define-record-type.  Constructors are closures of the prelude; the others are made here.
#include "primitives.h"
#include "text.h"

static value
prim_make_type(value name, value fields) {
  struct record_type *type = object_new(TYPE_RECORD_TYPE, sizeof *type);
  type->name = is_pair(name) ? car(name) : name;
  type->fields = fields;
  type->field_count = (size_t)list_length(fields);
  return (value)type;
}

static struct record_type *
check_record_type(value v) {
  check_type("define-record-type", "a record type", v, TYPE_RECORD_TYPE);
  return (struct record_type *)v;
}

static size_t
field_index(struct record_type *type, value field) {
  size_t index = 1; // after the type
  for (value l = type->fields; is_pair(l); l = cdr(l), index++)
    if (car(l) == field)
      return index;
  raise_error("no such field in the record type:", list2(type->name, field));
}

static value
make_accessor(value type, value field, enum primitive_shape shape, int32_t args) {
  struct primitive_entry entry = {"record accessor", shape, {.f0 = NULL}, args, args};
  struct primitive *p = primitive_new(&entry);
  p->name = field;
  p->type = type;
  p->index = field_index(check_record_type(type), field);
  return (value)p;
}

static value
prim_make_getter(value type, value field) {
  return make_accessor(type, field, SHAPE_RECORD_REF, 1);
}

static value
prim_make_setter(value type, value field) {
  return make_accessor(type, field, SHAPE_RECORD_SET, 2);
}

static value
prim_make_predicate(value type) {
  struct primitive_entry entry = {"record predicate", SHAPE_RECORD_TEST, {.f0 = NULL}, 1, 1};
  struct primitive *p = primitive_new(&entry);
  p->type = (value)check_record_type(type);
  return (value)p;
}

// A constructor knows for each field the argument it comes from: a list of indices into the record.
static value
prim_make_constructor(value type, value arguments) {
  struct record_type *t = check_record_type(type);
  value indices = NIL;
  int32_t count = 0;
  for (value l = arguments; is_pair(l); l = cdr(l), count++)
    indices = cons(make_fixnum((intptr_t)field_index(t, car(l))), indices);
  struct primitive_entry entry = {"record constructor", SHAPE_RECORD_NEW, {.f0 = NULL}, count, count};
  struct primitive *p = primitive_new(&entry);
  p->name = t->name;
  p->type = type;
  p->indices = list_reverse(indices);
  return (value)p;
}

value
record_construct(const struct primitive *p, value *argv) {
  struct record_type *type = (struct record_type *)p->type;
  value record = vector_new(TYPE_RECORD, type->field_count + 1, FALSE_VALUE);
  vector_of(record)->items[0] = p->type;
  for (value l = p->indices; is_pair(l); l = cdr(l))
    vector_of(record)->items[fixnum_of(car(l))] = *argv++;
  return record;
}

const struct primitive_entry record_primitives[] = {
    PRIMITIVE_2("%make-record-type", prim_make_type),
    PRIMITIVE_2("%make-getter", prim_make_getter),
    PRIMITIVE_2("%make-setter", prim_make_setter),
    PRIMITIVE_1("%make-predicate", prim_make_predicate),
    PRIMITIVE_2("%make-constructor", prim_make_constructor),
    PRIMITIVE_END,
};
