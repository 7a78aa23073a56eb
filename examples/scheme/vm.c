#include "vm.h"

#include "error.h"
#include "text.h"

struct vm vm_state;

_Noreturn void
raise_arity(value procedure, uint32_t argc) {
  raise_error("wrong number of arguments:", list2(procedure, make_fixnum(argc)));
}

static void
check_arity(const struct primitive *p, uint32_t argc) {
  if ((int32_t)argc < p->min_args || (p->max_args >= 0 && (int32_t)argc > p->max_args))
    raise_arity((value)p, argc);
}

static struct vector *
record_of_type(const struct primitive *p, value v) {
  if (!is_type(v, TYPE_RECORD) || vector_of(v)->items[0] != p->type)
    raise_error("wrong record type:", list2(p->name, v));
  return vector_of(v);
}

value
primitive_call(const struct primitive *p, uint32_t argc, value *argv) {
  check_arity(p, argc);
  switch (p->head.flags) {
  case SHAPE_0:
    return p->code.f0();
  case SHAPE_1:
    return p->code.f1(argv[0]);
  case SHAPE_2:
    return p->code.f2(argv[0], argv[1]);
  case SHAPE_3:
    return p->code.f3(argv[0], argv[1], argv[2]);
  case SHAPE_RECORD_REF:
    return record_of_type(p, argv[0])->items[p->index];
  case SHAPE_RECORD_SET:
    return record_of_type(p, argv[0])->items[p->index] = argv[1], UNSPECIFIED;
  case SHAPE_RECORD_TEST:
    return make_bool(is_type(argv[0], TYPE_RECORD) && vector_of(argv[0])->items[0] == p->type);
  case SHAPE_RECORD_NEW:
    return record_construct(p, argv);
  default:
    return p->code.fn(argc, argv);
  }
}

const struct insn *
vm_return(struct vm *vm, value result) {
  value *fp = vm->fp;
  const struct insn *call = (const struct insn *)fp[HEADER_PC];
  vm->closure = (struct closure *)fp[HEADER_CLOSURE];
  vm->fp = (value *)fp[HEADER_FP];
  vm->fp[call->c] = result;
  return call + 1;
}

// Leave what is running and give v to the continuation.
static const struct insn *
enter_continuation(struct vm *vm, struct continuation *k) {
  value v = vm->argc == 1 ? vm->fp[0] : vector_new(TYPE_VALUES, vm->argc, NIL);
  for (uint32_t i = 0; vm->argc != 1 && i < vm->argc; i++)
    vector_of(v)->items[i] = vm->fp[i];
  if (k->winds != vm->winds) { // Scheme code runs the winds, then comes back here
    vm->fp[0] = (value)k;
    vm->fp[1] = v;
    vm->fp[2] = k->winds;
    vm->argc = 3;
    return vm_enter(vm, vm->rewind_procedure);
  }
  vm->link = k->link;
  vm->handlers = k->handlers;
  vm->fp = vm->base;
  vm->fp[0] = v;
  return &stack_underflow_header[1];
}

static const struct insn *
enter_parameter(struct vm *vm, struct parameter *parameter) {
  if (vm->argc != 0)
    raise_arity((value)parameter, vm->argc);
  return vm_return(vm, parameter->content);
}

// A case-lambda holds closures; the first whose arity fits takes the call.
static const struct insn *
enter_case_lambda(struct vm *vm, struct vector *clauses) {
  for (size_t i = 0; i < clauses->length; i++) {
    const struct insn *entry = ((struct closure *)clauses->items[i])->code->insns;
    if (entry->c ? vm->argc >= entry->b : vm->argc == entry->b)
      return vm_enter(vm, clauses->items[i]);
  }
  raise_arity((value)clauses, vm->argc);
}

static const struct insn *
enter_primitive(struct vm *vm, struct primitive *p) {
  if (p->head.flags != SHAPE_CONTROL)
    return vm_return(vm, primitive_call(p, vm->argc, vm->fp));
  check_arity(p, vm->argc);
  return p->code.control(vm, NULL);
}

const struct insn *
vm_enter(struct vm *vm, value callee) {
  if (!is_procedure(callee))
    raise_error("not a procedure:", list1(callee));
  switch (callee->type) {
  case TYPE_CLOSURE:
    vm->closure = (struct closure *)callee;
    return vm->closure->code->insns;
  case TYPE_PRIMITIVE:
    return enter_primitive(vm, (struct primitive *)callee);
  case TYPE_CONTINUATION:
    return enter_continuation(vm, (struct continuation *)callee);
  case TYPE_CASE_LAMBDA:
    return enter_case_lambda(vm, vector_of(callee));
  default:
    return enter_parameter(vm, (struct parameter *)callee);
  }
}

// An error raised in C takes over the frame it happened in: the raise procedure is called there and does
// not return.
static const struct insn *
enter_raise(struct vm *vm) {
  value raised = error_raised;
  if (is_type(raised, TYPE_CONDITION) && vm->closure != NULL)
    ((struct condition *)raised)->where = vm->closure->code->name;
  vm->fp[0] = raised;
  vm->argc = 1;
  return vm_enter(vm, vm->raise_procedure);
}

value
vm_run(value thunk) {
  struct vm *vm = &vm_state;
  jmp_buf catcher, *outer = error_catcher;
  stack_start(vm);
  vm->argc = 0;
  vm->closure = NULL;
  vm->fp[0] = thunk;
  const struct insn *pc;
  if (setjmp(catcher) == 0) {
    error_catcher = &catcher;
    pc = vm_enter(vm, vm->fp[0]);
  } else {
    pc = enter_raise(vm);
  }
  while (pc != NULL)
    pc = pc->run(vm, pc);
  error_catcher = outer;
  if (vm->uncaught)
    raise_value(vm->result);
  return vm->result;
}

struct primitive *
primitive_new(const struct primitive_entry *entry) {
  struct primitive *p = object_new(TYPE_PRIMITIVE, sizeof *p);
  p->head.flags = entry->shape;
  p->code = entry->code;
  p->name = symbol_from_c(entry->name);
  p->min_args = entry->min_args;
  p->max_args = entry->max_args;
  return p;
}

void
primitives_define(const struct primitive_entry *entry) {
  for (; entry->name != NULL; entry++) {
    struct primitive *p = primitive_new(entry);
    struct symbol *symbol = symbol_of(p->name);
    symbol->global = (value)p;
    symbol->head.flags |= SYMBOL_INTEGRABLE;
  }
}
