// Calls: of loops, of primitives that are known, and of procedures.
#include "codegen.h"

// The primitive that a call surely reaches: a constant, or an integrable global.  NULL when there is none
// or the number of arguments does not fit.
const struct primitive *
known_primitive(const struct node *call) {
  if (call->kind != NODE_CALL)
    return NULL;
  const struct node *callee = call->callee;
  value v = FALSE_VALUE;
  if (callee->kind == NODE_CONST)
    v = callee->constant;
  else if (callee->kind == NODE_GLOBAL && (callee->symbol->head.flags & SYMBOL_INTEGRABLE))
    v = callee->symbol->global;
  if (!is_type(v, TYPE_PRIMITIVE))
    return NULL;
  const struct primitive *p = (const struct primitive *)v;
  int32_t argc = (int32_t)call->count;
  return argc >= p->min_args && (p->max_args < 0 || argc <= p->max_args) ? p : NULL;
}

const struct fast_op *
known_fast_op(const struct node *call) {
  const struct primitive *p = known_primitive(call);
  return p != NULL && call->count < 3 ? p->fast[call->count] : NULL;
}

// (f x 1): the constant goes into the instruction.
static bool
gen_with_constant(struct gen *g, const struct fast_op *fast, struct node *node, uint32_t slot) {
  if (fast->run_constant == NULL || node->items[1]->kind != NODE_CONST ||
      !is_fixnum(node->items[1]->constant))
    return false;
  struct insn insn = {.run = fast->run_constant, .a = (uint16_t)slot};
  insn.b = (uint16_t)gen_operand(g, node->items[0]);
  insn.k.constant = node->items[1]->constant;
  gen_emit(g, insn);
  return true;
}

static void
gen_fixed_primitive(struct gen *g, operation *run, union primitive_code code, struct node *node,
                    uint32_t slot) {
  uint32_t operands[3] = {0, 0, 0};
  for (uint32_t i = 0; i < node->count; i++)
    operands[i] = gen_operand(g, node->items[i]);
  gen_emit(g, (struct insn){.run = run,
                            .k.primitive = code,
                            .a = (uint16_t)slot,
                            .b = (uint16_t)operands[0],
                            .c = (uint16_t)operands[1],
                            .d = (uint16_t)operands[2]});
}

static void
gen_variadic_primitive(struct gen *g, const struct primitive *p, struct node *node, uint32_t slot) {
  uint32_t first = gen_slots(g, node->count);
  for (uint32_t i = 0; i < node->count; i++)
    gen_node(g, node->items[i], first + i);
  gen_emit(g, (struct insn){.run = op_primitive_n,
                            .k.primitive = p->code,
                            .a = (uint16_t)slot,
                            .b = (uint16_t)node->count,
                            .c = (uint16_t)first});
}

// (+ a b c) as (+ (+ a b) c).
static struct node *
fold(struct node *node) {
  struct node *inner = node_call(node->callee, node->count - 1);
  for (uint32_t i = 0; i < inner->count; i++)
    inner->items[i] = node->items[i];
  struct node *outer = node_call(node->callee, 2);
  outer->items[0] = inner;
  outer->items[1] = node->items[inner->count];
  return outer;
}

static void
gen_primitive(struct gen *g, const struct primitive *p, struct node *node, uint32_t slot) {
  static operation *const by_shape[] = {op_primitive0, op_primitive1, op_primitive2, op_primitive3};
  if (node->count > 2 && p->fast[2] != NULL && p->fast[2]->folds)
    node = fold(node);
  const struct fast_op *fast = known_fast_op(node);
  if (fast != NULL && gen_with_constant(g, fast, node, slot))
    return;
  if (fast != NULL)
    gen_fixed_primitive(g, fast->run, p->code, node, slot);
  else if (p->head.flags == SHAPE_N)
    gen_variadic_primitive(g, p, node, slot);
  else
    gen_fixed_primitive(g, by_shape[p->head.flags], p->code, node, slot);
}

static void
gen_arguments(struct gen *g, struct node *node, uint32_t first) {
  for (uint32_t i = 0; i < node->count; i++)
    gen_node(g, node->items[i], first + i);
}

static void
gen_general_call(struct gen *g, struct node *node, uint32_t target) {
  struct node *callee = node->callee;
  bool global = callee->kind == NODE_GLOBAL, tail = target == TAIL;
  struct insn insn = {.b = (uint16_t)node->count};
  if (global)
    insn.k.symbol = callee->symbol;
  else
    insn.d = (uint16_t)gen_operand(g, callee);
  uint32_t base = gen_slots(g, node->count + (tail ? 0 : HEADER_WORDS));
  gen_arguments(g, node, base + (tail ? 0 : HEADER_WORDS));
  insn.a = (uint16_t)base;
  insn.c = tail ? 0 : (uint16_t)target;
  if (tail)
    insn.run = global ? op_tail_call_global : op_tail_call;
  else
    insn.run = global ? op_call_global : op_call;
  gen_emit(g, insn);
}

// ((lambda (x) ...) v) binds like let.
static bool
gen_as_let(struct gen *g, struct node *node, uint32_t target) {
  if (node->callee->kind != NODE_LAMBDA)
    return false;
  struct lambda *lambda = node->callee->lambda;
  if (lambda->has_rest || lambda->required != node->count)
    return false;
  lambda->inlined_into = g->lambda;
  struct node let = {.kind = NODE_LET, .count = node->count, .items = node->items};
  let.variables = lambda->variables;
  let.body = lambda->body;
  gen_node(g, &let, target);
  return true;
}

void
gen_call(struct gen *g, struct node *node, uint32_t target) {
  if (node->callee->kind == NODE_LOCAL && node->callee->variable->loop != NULL) {
    gen_loop_again(g, node);
    return;
  }
  if (gen_as_let(g, node, target))
    return;
  uint32_t depth = g->depth;
  const struct primitive *p = known_primitive(node);
  if (p != NULL && p->head.flags <= SHAPE_N) {
    uint32_t slot = gen_target_slot(g, target);
    gen_primitive(g, p, node, slot);
    gen_finish(g, slot, target);
  } else {
    gen_general_call(g, node, target);
  }
  g->depth = depth;
}
