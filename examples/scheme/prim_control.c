// Primitives on procedures, dynamic state, conditions and promises.  What calls procedures is in the
// prelude, or takes over the frame it was called in (SHAPE_CONTROL).
#include <string.h>

#include "primitives.h"
#include "text.h"

static value
prim_is_procedure(value v) {
  return make_bool(is_procedure(v));
}

// (apply f a b '(c d))
static const struct insn *
control_apply(struct vm *vm, const struct insn *pc) {
  (void)pc;
  value callee = vm->fp[0], list = vm->argc > 1 ? vm->fp[vm->argc - 1] : NIL;
  ptrdiff_t spread = list_length(list);
  if (spread < 0)
    raise_type("apply", "a proper list", list);
  uint32_t direct = vm->argc > 1 ? vm->argc - 2 : 0, argc = direct + (uint32_t)spread;
  stack_reserve(vm, argc + 1);
  memmove(vm->fp, vm->fp + 1, direct * sizeof(value));
  for (uint32_t i = direct; is_pair(list); list = cdr(list))
    vm->fp[i++] = car(list);
  vm->argc = argc;
  return vm_enter(vm, callee);
}

static value
prim_values(uint32_t argc, value *argv) {
  if (argc == 1)
    return argv[0];
  value v = vector_new(TYPE_VALUES, argc, NIL);
  memcpy(vector_of(v)->items, argv, argc * sizeof *argv);
  return v;
}

// (%apply-values f v): call f with the values that v holds.
static const struct insn *
control_apply_values(struct vm *vm, const struct insn *pc) {
  (void)pc;
  value callee = vm->fp[0], v = vm->fp[1];
  if (!is_type(v, TYPE_VALUES)) {
    vm->fp[0] = v;
    vm->argc = 1;
    return vm_enter(vm, callee);
  }
  struct vector *values = vector_of(v);
  stack_reserve(vm, (uint32_t)values->length);
  memcpy(vm->fp, values->items, values->length * sizeof(value));
  vm->argc = (uint32_t)values->length;
  return vm_enter(vm, callee);
}

// (%values->list v)
static value
prim_values_to_list(value v) {
  return is_type(v, TYPE_VALUES) ? list_from_array(vector_of(v)->items, vector_of(v)->length, NIL) : list1(v);
}

static const struct insn *
control_eval(struct vm *vm, const struct insn *pc) {
  (void)pc;
  value thunk = compile_toplevel(vm->fp[0]);
  vm->argc = 0;
  return vm_enter(vm, thunk);
}

// (%uncaught object): the end of this run.
static const struct insn *
control_uncaught(struct vm *vm, const struct insn *pc) {
  (void)pc;
  vm->result = vm->fp[0];
  vm->uncaught = true;
  return NULL;
}

// (%throw k value): after the winds were run.
static const struct insn *
control_throw(struct vm *vm, const struct insn *pc) {
  (void)pc;
  value k = vm->fp[0];
  check_type("%throw", "a continuation", k, TYPE_CONTINUATION);
  vm->winds = ((struct continuation *)k)->winds;
  if (is_type(vm->fp[1], TYPE_VALUES)) {
    vm->fp[0] = k;
    return control_apply_values(vm, pc);
  }
  vm->fp[0] = vm->fp[1];
  vm->argc = 1;
  return vm_enter(vm, k);
}

static value
prim_winds(void) {
  return vm_state.winds;
}

static value
prim_set_winds(value winds) {
  vm_state.winds = winds;
  return UNSPECIFIED;
}

static value
prim_handlers(void) {
  return vm_state.handlers;
}

static value
prim_set_handlers(value handlers) {
  vm_state.handlers = handlers;
  return UNSPECIFIED;
}

static value
prim_set_hooks(value raise, value rewind) {
  vm_state.raise_procedure = raise;
  vm_state.rewind_procedure = rewind;
  return UNSPECIFIED;
}

static value
prim_case_lambda(uint32_t argc, value *argv) {
  value v = vector_new(TYPE_CASE_LAMBDA, argc, NIL);
  memcpy(vector_of(v)->items, argv, argc * sizeof *argv);
  return v;
}

static value
prim_make_parameter(value content, value converter) {
  struct parameter *p = object_new(TYPE_PARAMETER, sizeof *p);
  p->content = content;
  p->converter = converter;
  return (value)p;
}

static struct parameter *
check_parameter(value v) {
  check_type("parameterize", "a parameter", v, TYPE_PARAMETER);
  return (struct parameter *)v;
}

static value
prim_parameter_content(value parameter) {
  return check_parameter(parameter)->content;
}

static value
prim_set_parameter(value parameter, value content) {
  check_parameter(parameter)->content = content;
  return UNSPECIFIED;
}

static value
prim_parameter_converter(value parameter) {
  return check_parameter(parameter)->converter;
}

// A promise is a shared, mutable state, so that chains of delay-force can be joined in constant space.
struct promise_state {
  bool kept;
  value content; // the value, or the thunk that makes a promise of it
};

static value
promise_new(bool kept, value content) {
  struct promise *p = object_new(TYPE_PROMISE, sizeof *p);
  p->state = alloc_scanned(sizeof *p->state);
  *p->state = (struct promise_state){.kept = kept, .content = content};
  return (value)p;
}

static value
prim_make_lazy(value thunk) {
  return promise_new(false, thunk);
}

static value
prim_make_promise(value v) {
  return is_type(v, TYPE_PROMISE) ? v : promise_new(true, v);
}

static value
prim_is_promise(value v) {
  return make_bool(is_type(v, TYPE_PROMISE));
}

static struct promise_state *
state_of(value promise) {
  check_type("force", "a promise", promise, TYPE_PROMISE);
  return ((struct promise *)promise)->state;
}

static value
prim_promise_is_kept(value promise) {
  return make_bool(state_of(promise)->kept);
}

static value
prim_promise_content(value promise) {
  return state_of(promise)->content;
}

// (%promise-join! promise made): promise takes over the state of the promise its thunk made.
static value
prim_promise_join(value promise, value made) {
  struct promise_state *from = state_of(made);
  *state_of(promise) = *from;
  ((struct promise *)made)->state = state_of(promise);
  return UNSPECIFIED;
}

static value
prim_make_condition(value message, value irritants) {
  value condition = condition_new(CONDITION_ERROR, "", irritants);
  ((struct condition *)condition)->message = message;
  return condition;
}

static bool
is_condition(value v, enum condition_kind kind) {
  return is_type(v, TYPE_CONDITION) && v->flags == kind;
}

static value
prim_is_error(value v) {
  return make_bool(is_type(v, TYPE_CONDITION));
}

static value
prim_is_read_error(value v) {
  return make_bool(is_condition(v, CONDITION_READ));
}

static value
prim_is_file_error(value v) {
  return make_bool(is_condition(v, CONDITION_FILE));
}

static value
prim_condition_message(value v) {
  check_type("error-object-message", "an error object", v, TYPE_CONDITION);
  return ((struct condition *)v)->message;
}

static value
prim_condition_irritants(value v) {
  check_type("error-object-irritants", "an error object", v, TYPE_CONDITION);
  return ((struct condition *)v)->irritants;
}

const struct primitive_entry control_primitives[] = {
    PRIMITIVE_1("procedure?", prim_is_procedure),
    PRIMITIVE_CONTROL("apply", control_apply, 1, ANY_ARGUMENTS),
    PRIMITIVE_N("values", prim_values, 0, ANY_ARGUMENTS),
    PRIMITIVE_CONTROL("%apply-values", control_apply_values, 2, 2),
    PRIMITIVE_1("%values->list", prim_values_to_list),
    PRIMITIVE_CONTROL("eval", control_eval, 1, 2),
    PRIMITIVE_CONTROL("%uncaught", control_uncaught, 1, 1),
    PRIMITIVE_CONTROL("%throw", control_throw, 2, 2),
    PRIMITIVE_0("%winds", prim_winds),
    PRIMITIVE_1("%set-winds!", prim_set_winds),
    PRIMITIVE_0("%handlers", prim_handlers),
    PRIMITIVE_1("%set-handlers!", prim_set_handlers),
    PRIMITIVE_2("%set-hooks!", prim_set_hooks),
    PRIMITIVE_N("%case-lambda", prim_case_lambda, 0, ANY_ARGUMENTS),
    PRIMITIVE_2("%make-parameter", prim_make_parameter),
    PRIMITIVE_1("%parameter-content", prim_parameter_content),
    PRIMITIVE_2("%set-parameter!", prim_set_parameter),
    PRIMITIVE_1("%parameter-converter", prim_parameter_converter),
    PRIMITIVE_1("%make-lazy", prim_make_lazy),
    PRIMITIVE_1("make-promise", prim_make_promise),
    PRIMITIVE_1("promise?", prim_is_promise),
    PRIMITIVE_1("%promise-kept?", prim_promise_is_kept),
    PRIMITIVE_1("%promise-content", prim_promise_content),
    PRIMITIVE_2("%promise-join!", prim_promise_join),
    PRIMITIVE_2("%make-condition", prim_make_condition),
    PRIMITIVE_1("error-object?", prim_is_error),
    PRIMITIVE_1("condition?", prim_is_error),
    PRIMITIVE_1("read-error?", prim_is_read_error),
    PRIMITIVE_1("file-error?", prim_is_file_error),
    PRIMITIVE_1("error-object-message", prim_condition_message),
    PRIMITIVE_1("error-object-irritants", prim_condition_irritants),
    PRIMITIVE_END,
};
