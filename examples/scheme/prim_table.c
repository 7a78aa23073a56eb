// Primitives on hash tables, under SRFI 69's names.  Those that call procedures are in the prelude.
#include "primitives.h"
#include "table.h"

static struct table *
check_table(const char *who, value v) {
  check_type(who, "a hash table", v, TYPE_TABLE);
  return (struct table *)v;
}

static value
make_equal(void) {
  return table_new(TABLE_EQUAL);
}

static value
make_eq(void) {
  return table_new(TABLE_EQ);
}

static value
make_eqv(void) {
  return table_new(TABLE_EQV);
}

static value
make_string(void) {
  return table_new(TABLE_STRING);
}

static value
prim_is_table(value v) {
  return make_bool(is_type(v, TYPE_TABLE));
}

static value
prim_ref_default(value table, value key, value otherwise) {
  return table_ref(check_table("hash-table-ref", table), key, otherwise);
}

static value
prim_set(value table, value key, value content) {
  table_set(check_table("hash-table-set!", table), key, content);
  return UNSPECIFIED;
}

static value
prim_delete(value table, value key) {
  return make_bool(table_delete(check_table("hash-table-delete!", table), key));
}

static value
prim_has(value table, value key) {
  return make_bool(table_ref(check_table("hash-table-exists?", table), key, NO_VALUE) != NO_VALUE);
}

static value
prim_count(value table) {
  return make_fixnum((intptr_t)check_table("hash-table-size", table)->count);
}

static value
prim_clear(value table) {
  table_clear(check_table("hash-table-clear!", table));
  return UNSPECIFIED;
}

static value
prim_copy(uint32_t argc, value *argv) {
  (void)argc; // whether the copy may be changed: it may
  return table_copy(check_table("hash-table-copy", argv[0]));
}

static value
prim_to_alist(value table) {
  return table_to_alist(check_table("hash-table->alist", table));
}

static value
prim_keys(value table) {
  value list = prim_to_alist(table);
  for (value l = list; is_pair(l); l = cdr(l))
    pair_of(l)->car = car(car(l));
  return list;
}

static value
prim_contents(value table) {
  value list = prim_to_alist(table);
  for (value l = list; is_pair(l); l = cdr(l))
    pair_of(l)->car = cdr(car(l));
  return list;
}

static value
prim_hash(value v) {
  return make_fixnum((intptr_t)(hash_equal(v) >> 2));
}

const struct primitive_entry table_primitives[] = {
    PRIMITIVE_0("%make-equal-table", make_equal),
    PRIMITIVE_0("make-eq-hash-table", make_eq),
    PRIMITIVE_0("make-eqv-hash-table", make_eqv),
    PRIMITIVE_0("make-string-hash-table", make_string),
    PRIMITIVE_1("hash-table?", prim_is_table),
    PRIMITIVE_3("hash-table-ref/default", prim_ref_default),
    PRIMITIVE_3("hash-table-set!", prim_set),
    PRIMITIVE_2("hash-table-delete!", prim_delete),
    PRIMITIVE_2("hash-table-exists?", prim_has),
    PRIMITIVE_2("hash-table-contains?", prim_has),
    PRIMITIVE_1("hash-table-size", prim_count),
    PRIMITIVE_1("hash-table-count", prim_count),
    PRIMITIVE_1("hash-table-clear!", prim_clear),
    PRIMITIVE_N("hash-table-copy", prim_copy, 1, 2),
    PRIMITIVE_1("hash-table->alist", prim_to_alist),
    PRIMITIVE_1("hash-table-keys", prim_keys),
    PRIMITIVE_1("hash-table-values", prim_contents),
    PRIMITIVE_1("hash", prim_hash),
    PRIMITIVE_END,
};
