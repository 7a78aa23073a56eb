// Operations that move data, make closures and call primitives.
#include "error.h"
#include "ops.h"

const struct insn *
op_move(struct vm *vm, const struct insn *pc) {
  vm->fp[pc->a] = vm->fp[pc->b];
  return pc + 1;
}

const struct insn *
op_constant(struct vm *vm, const struct insn *pc) {
  vm->fp[pc->a] = pc->k.constant;
  return pc + 1;
}

_Noreturn static void
raise_unbound(struct symbol *symbol) {
  raise_error("undefined variable:", list1((value)symbol));
}

_Noreturn static void
raise_early(void) {
  raise_error("variable used before it has a value", NIL);
}

const struct insn *
op_global(struct vm *vm, const struct insn *pc) {
  value v = pc->k.symbol->global;
  if (v == UNBOUND)
    raise_unbound(pc->k.symbol);
  vm->fp[pc->a] = v;
  return pc + 1;
}

const struct insn *
op_captured(struct vm *vm, const struct insn *pc) {
  vm->fp[pc->a] = vm->closure->captured[pc->b];
  return pc + 1;
}

static value
content_of(value box) {
  return ((struct box *)box)->content;
}

const struct insn *
op_captured_box(struct vm *vm, const struct insn *pc) {
  vm->fp[pc->a] = content_of(vm->closure->captured[pc->b]);
  return pc + 1;
}

const struct insn *
op_box(struct vm *vm, const struct insn *pc) {
  vm->fp[pc->a] = box_new(vm->fp[pc->b]);
  return pc + 1;
}

const struct insn *
op_unbox(struct vm *vm, const struct insn *pc) {
  vm->fp[pc->a] = content_of(vm->fp[pc->b]);
  return pc + 1;
}

const struct insn *
op_unbox_early(struct vm *vm, const struct insn *pc) {
  if (content_of(vm->fp[pc->b]) == UNBOUND)
    raise_early();
  return op_unbox(vm, pc);
}

const struct insn *
op_captured_early(struct vm *vm, const struct insn *pc) {
  if (content_of(vm->closure->captured[pc->b]) == UNBOUND)
    raise_early();
  return op_captured_box(vm, pc);
}

const struct insn *
op_box_set(struct vm *vm, const struct insn *pc) {
  ((struct box *)vm->fp[pc->a])->content = vm->fp[pc->b];
  return pc + 1;
}

const struct insn *
op_captured_set(struct vm *vm, const struct insn *pc) {
  ((struct box *)vm->closure->captured[pc->a])->content = vm->fp[pc->b];
  return pc + 1;
}

const struct insn *
op_global_set(struct vm *vm, const struct insn *pc) {
  if (pc->k.symbol->global == UNBOUND)
    raise_unbound(pc->k.symbol);
  pc->k.symbol->global = vm->fp[pc->b];
  return pc + 1;
}

const struct insn *
op_global_define(struct vm *vm, const struct insn *pc) {
  pc->k.symbol->global = vm->fp[pc->b];
  return pc + 1;
}

const struct insn *
op_closure_alloc(struct vm *vm, const struct insn *pc) {
  struct code *code = pc->k.code;
  struct closure *closure = object_new(TYPE_CLOSURE, sizeof *closure + code->capture_count * sizeof(value));
  closure->code = code;
  vm->fp[pc->a] = (value)closure;
  return pc + 1;
}

const struct insn *
op_closure_fill(struct vm *vm, const struct insn *pc) {
  struct code *code = pc->k.code;
  struct closure *closure = (struct closure *)vm->fp[pc->a];
  for (uint32_t i = 0; i < code->capture_count; i++) {
    uint32_t from = code->captures[i];
    closure->captured[i] = from & CAPTURE_FREE ? vm->closure->captured[from & ~CAPTURE_FREE] : vm->fp[from];
  }
  return pc + 1;
}

const struct insn *
op_closure(struct vm *vm, const struct insn *pc) {
  op_closure_alloc(vm, pc);
  return op_closure_fill(vm, pc);
}

const struct insn *
op_primitive0(struct vm *vm, const struct insn *pc) {
  vm->fp[pc->a] = pc->k.primitive.f0();
  return pc + 1;
}

const struct insn *
op_primitive1(struct vm *vm, const struct insn *pc) {
  vm->fp[pc->a] = pc->k.primitive.f1(vm->fp[pc->b]);
  return pc + 1;
}

const struct insn *
op_primitive2(struct vm *vm, const struct insn *pc) {
  vm->fp[pc->a] = pc->k.primitive.f2(vm->fp[pc->b], vm->fp[pc->c]);
  return pc + 1;
}

const struct insn *
op_primitive3(struct vm *vm, const struct insn *pc) {
  vm->fp[pc->a] = pc->k.primitive.f3(vm->fp[pc->b], vm->fp[pc->c], vm->fp[pc->d]);
  return pc + 1;
}

const struct insn *
op_primitive_n(struct vm *vm, const struct insn *pc) {
  vm->fp[pc->a] = pc->k.primitive.fn(pc->b, vm->fp + pc->c);
  return pc + 1;
}
