// The commonest primitives as instructions of their own: fixnum arithmetic and list access without a call,
// and predicates that jump.  The macros only spell out operand access; what is not fast goes to the general
// function.
#include "error.h"
#include "num.h"
#include "ops.h"
#include "text.h"

#define A (vm->fp[pc->a])
#define B (vm->fp[pc->b])
#define C (vm->fp[pc->c])

// An operation that computes: A = expression.
#define COMPUTE(name, expression)                                 \
  const struct insn *name(struct vm *vm, const struct insn *pc) { \
    A = (expression);                                             \
    return pc + 1;                                                \
  }

// A predicate, as a value and as two jumps.
#define PREDICATE(name, condition)         \
  COMPUTE(op_##name, make_bool(condition)) \
  JUMPS(name, condition)

#define JUMPS(name, condition)                                                         \
  static const struct insn *jump_if_##name(struct vm *vm, const struct insn *pc) {     \
    return pc + ((condition) ? pc->k.offset : 1);                                      \
  }                                                                                    \
  static const struct insn *jump_unless_##name(struct vm *vm, const struct insn *pc) { \
    return pc + ((condition) ? 1 : pc->k.offset);                                      \
  }

static inline value
checked_car(value v) {
  if (!is_pair(v))
    raise_type("car", "a pair", v);
  return car(v);
}

static inline value
checked_cdr(value v) {
  if (!is_pair(v))
    raise_type("cdr", "a pair", v);
  return cdr(v);
}

static value
checked_cadr(value v) {
  return checked_car(checked_cdr(v));
}

static value
checked_cddr(value v) {
  return checked_cdr(checked_cdr(v));
}

// The sum of two fixnums' words, less one tag, is the sum's word.
static inline value
fast_add(value a, value b) {
  intptr_t sum;
  if (are_fixnums(a, b) && !__builtin_add_overflow((intptr_t)a, (intptr_t)b - 1, &sum))
    return (value)sum;
  return num_add(a, b);
}

static inline value
fast_sub(value a, value b) {
  intptr_t difference;
  if (are_fixnums(a, b) && !__builtin_sub_overflow((intptr_t)a, (intptr_t)b - 1, &difference))
    return (value)difference;
  return num_sub(a, b);
}

static inline value
fast_mul(value a, value b) {
  intptr_t product;
  if (are_fixnums(a, b) && !__builtin_mul_overflow((intptr_t)a - 1, fixnum_of(b), &product))
    return (value)(product + 1);
  if (is_flonum(a) && is_flonum(b))
    return make_flonum(flonum_of(a) * flonum_of(b));
  return num_mul(a, b);
}

static inline bool
fast_less(value a, value b) {
  return are_fixnums(a, b) ? (intptr_t)a < (intptr_t)b : num_less(a, b);
}

static inline bool
fast_less_equal(value a, value b) {
  return are_fixnums(a, b) ? (intptr_t)a <= (intptr_t)b : num_less_equal(a, b);
}

static inline bool
fast_equal(value a, value b) {
  return are_fixnums(a, b) ? a == b : num_equal(a, b);
}

static inline value
fast_vector_ref(value v, value index) {
  if (!is_vector(v))
    raise_type("vector-ref", "a vector", v);
  if (!is_fixnum(index))
    raise_type("vector-ref", "an index", index);
  if ((uintptr_t)fixnum_of(index) >= vector_of(v)->length)
    raise_range("vector-ref", index);
  return vector_of(v)->items[fixnum_of(index)];
}

static inline value
fast_eqv(value a, value b) {
  return make_bool(a == b || values_eqv(a, b));
}

// The 16-bit constant of a comparing jump.
static inline value
short_constant(const struct insn *pc) {
  return make_fixnum((int16_t)pc->c);
}

// One line each, as in a table.
// clang-format off
static COMPUTE(op_car, checked_car(B))
static COMPUTE(op_cdr, checked_cdr(B))
static COMPUTE(op_cadr, checked_cadr(B))
static COMPUTE(op_cddr, checked_cddr(B))
static COMPUTE(op_cons, cons(B, C))
static COMPUTE(op_add, fast_add(B, C))
static COMPUTE(op_sub, fast_sub(B, C))
static COMPUTE(op_mul, fast_mul(B, C))
static COMPUTE(op_add_constant, fast_add(B, pc->k.constant))
static COMPUTE(op_sub_constant, fast_sub(B, pc->k.constant))
static COMPUTE(op_vector_ref, fast_vector_ref(B, C))
static COMPUTE(op_vector_ref_constant, fast_vector_ref(B, pc->k.constant))
COMPUTE(op_not, make_bool(B == FALSE_VALUE))
static PREDICATE(is_null, B == NIL)
static PREDICATE(is_pair, is_pair(B))
static PREDICATE(is_symbol, is_symbol(B))
static PREDICATE(is_eof, B == EOF_VALUE)
static PREDICATE(eq, B == C)
static PREDICATE(eqv, is_true(fast_eqv(B, C)))
static PREDICATE(less, fast_less(B, C))
static PREDICATE(less_equal, fast_less_equal(B, C))
static PREDICATE(greater, fast_less(C, B))
static PREDICATE(greater_equal, fast_less_equal(C, B))
static PREDICATE(equal, fast_equal(B, C))
static PREDICATE(is_zero, fast_equal(B, make_fixnum(0)))
JUMPS(eq_constant, B == short_constant(pc))
JUMPS(eqv_constant, B == short_constant(pc))
JUMPS(less_constant, fast_less(B, short_constant(pc)))
JUMPS(less_equal_constant, fast_less_equal(B, short_constant(pc)))
JUMPS(greater_constant, fast_less(short_constant(pc), B))
JUMPS(greater_equal_constant, fast_less_equal(short_constant(pc), B))
    // clang-format on
    JUMPS(equal_constant, fast_equal(B, short_constant(pc)))

#define UNARY(name, id) \
  { name, 1, op_##id, NULL, NULL, NULL, NULL, NULL, false }
#define BINARY(name, id, constant, folds) \
  { name, 2, op_##id, constant, NULL, NULL, NULL, NULL, folds }
#define TEST1(name, id) \
  { name, 1, op_##id, NULL, jump_if_##id, jump_unless_##id, NULL, NULL, false }
#define TEST2(name, id)                                                              \
  {                                                                                  \
    name, 2, op_##id, NULL, jump_if_##id, jump_unless_##id, jump_if_##id##_constant, \
        jump_unless_##id##_constant, false                                           \
  }

        static const struct fast_op fast_ops[] = {
            UNARY("car", car),
            UNARY("cdr", cdr),
            UNARY("cadr", cadr),
            UNARY("cddr", cddr),
            UNARY("not", not ),
            BINARY("cons", cons, NULL, false),
            BINARY("+", add, op_add_constant, true),
            BINARY("-", sub, op_sub_constant, true),
            BINARY("*", mul, NULL, true),
            BINARY("vector-ref", vector_ref, op_vector_ref_constant, false),
            TEST1("null?", is_null),
            TEST1("pair?", is_pair),
            TEST1("symbol?", is_symbol),
            TEST1("eof-object?", is_eof),
            TEST1("zero?", is_zero),
            TEST2("eq?", eq),
            TEST2("eqv?", eqv),
            TEST2("<", less),
            TEST2("<=", less_equal),
            TEST2(">", greater),
            TEST2(">=", greater_equal),
            TEST2("=", equal),
};

void
fast_ops_install(void) {
  for (size_t i = 0; i < sizeof fast_ops / sizeof *fast_ops; i++) {
    value v = symbol_of(symbol_from_c(fast_ops[i].name))->global;
    ((struct primitive *)v)->fast[fast_ops[i].arity] = &fast_ops[i];
  }
}

// The same primitives as procedures.
static value
primitive_cons(value a, value b) {
  return cons(a, b);
}

static value
primitive_car(value v) {
  return checked_car(v);
}

static value
primitive_cdr(value v) {
  return checked_cdr(v);
}

static value
primitive_vector_ref(value v, value index) {
  return fast_vector_ref(v, index);
}

static value
primitive_not(value v) {
  return make_bool(v == FALSE_VALUE);
}

static value
primitive_is_null(value v) {
  return make_bool(v == NIL);
}

static value
primitive_is_pair(value v) {
  return make_bool(is_pair(v));
}

static value
primitive_is_eof(value v) {
  return make_bool(v == EOF_VALUE);
}

static value
primitive_is_symbol(value v) {
  return make_bool(is_symbol(v));
}

static value
primitive_eq(value a, value b) {
  return make_bool(a == b);
}

static value
primitive_eqv(value a, value b) {
  return fast_eqv(a, b);
}

static value
primitive_is_zero(value v) {
  return make_bool(fast_equal(v, make_fixnum(0)));
}

const struct primitive_entry fast_primitives[] = {
    PRIMITIVE_2("cons", primitive_cons),
    PRIMITIVE_2("%cons", primitive_cons),
    PRIMITIVE_1("car", primitive_car),
    PRIMITIVE_1("cdr", primitive_cdr),
    PRIMITIVE_1("cadr", checked_cadr),
    PRIMITIVE_1("cddr", checked_cddr),
    PRIMITIVE_2("vector-ref", primitive_vector_ref),
    PRIMITIVE_1("not", primitive_not),
    PRIMITIVE_1("null?", primitive_is_null),
    PRIMITIVE_1("pair?", primitive_is_pair),
    PRIMITIVE_1("eof-object?", primitive_is_eof),
    PRIMITIVE_1("symbol?", primitive_is_symbol),
    PRIMITIVE_2("eq?", primitive_eq),
    PRIMITIVE_2("eqv?", primitive_eqv),
    PRIMITIVE_1("zero?", primitive_is_zero),
    PRIMITIVE_END,
};
