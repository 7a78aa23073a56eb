// Operations that transfer control.
#include <string.h>

#include "error.h"
#include "ops.h"

const struct insn *
op_enter(struct vm *vm, const struct insn *pc) {
  if (vm->argc != pc->b)
    raise_arity((value)vm->closure, vm->argc);
  stack_reserve(vm, (uint32_t)pc->k.words);
  return pc + 1;
}

const struct insn *
op_enter_rest(struct vm *vm, const struct insn *pc) {
  if (vm->argc < pc->b)
    raise_arity((value)vm->closure, vm->argc);
  stack_reserve(vm, (uint32_t)pc->k.words);
  vm->fp[pc->b] = list_from_array(vm->fp + pc->b, vm->argc - pc->b, NIL);
  return pc + 1;
}

const struct insn *
op_jump(struct vm *vm, const struct insn *pc) {
  (void)vm;
  return pc + pc->k.offset;
}

const struct insn *
op_jump_if(struct vm *vm, const struct insn *pc) {
  return pc + (is_true(vm->fp[pc->b]) ? pc->k.offset : 1);
}

const struct insn *
op_jump_unless(struct vm *vm, const struct insn *pc) {
  return pc + (is_true(vm->fp[pc->b]) ? 1 : pc->k.offset);
}

// The callee's frame above the header at slot a.
static inline void
push_frame(struct vm *vm, const struct insn *pc) {
  value *header = vm->fp + pc->a;
  header[0] = (value)pc;
  header[1] = (value)vm->closure;
  header[2] = (value)vm->fp;
  vm->fp = header + HEADER_WORDS;
  vm->argc = pc->b;
}

static inline const struct insn *
call(struct vm *vm, const struct insn *pc, value callee) {
  if (is_type(callee, TYPE_PRIMITIVE) && callee->flags != SHAPE_CONTROL) { // needs no frame
    vm->fp[pc->c] = primitive_call((struct primitive *)callee, pc->b, vm->fp + pc->a + HEADER_WORDS);
    return pc + 1;
  }
  push_frame(vm, pc);
  if (!is_type(callee, TYPE_CLOSURE))
    return vm_enter(vm, callee);
  vm->closure = (struct closure *)callee;
  return vm->closure->code->insns;
}

const struct insn *
op_call(struct vm *vm, const struct insn *pc) {
  return call(vm, pc, vm->fp[pc->d]);
}

const struct insn *
op_call_global(struct vm *vm, const struct insn *pc) {
  value callee = pc->k.symbol->global;
  if (callee == UNBOUND)
    raise_error("undefined variable:", list1((value)pc->k.symbol));
  return call(vm, pc, callee);
}

static inline const struct insn *
tail_call(struct vm *vm, const struct insn *pc, value callee) {
  value *from = vm->fp + pc->a, *to = vm->fp;
  for (uint32_t i = 0; i < pc->b; i++)
    to[i] = from[i];
  vm->argc = pc->b;
  if (!is_type(callee, TYPE_CLOSURE))
    return vm_enter(vm, callee);
  vm->closure = (struct closure *)callee;
  return vm->closure->code->insns;
}

const struct insn *
op_tail_call(struct vm *vm, const struct insn *pc) {
  return tail_call(vm, pc, vm->fp[pc->d]);
}

const struct insn *
op_tail_call_global(struct vm *vm, const struct insn *pc) {
  value callee = pc->k.symbol->global;
  if (callee == UNBOUND)
    raise_error("undefined variable:", list1((value)pc->k.symbol));
  return tail_call(vm, pc, callee);
}

const struct insn *
op_return(struct vm *vm, const struct insn *pc) {
  return vm_return(vm, vm->fp[pc->b]);
}
