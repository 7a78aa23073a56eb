// Control flow: conditionals that jump on the test itself, and loops.
#include "codegen.h"

void
gen_patch(struct gen *g, jump_list jumps) {
  while (jumps != NO_JUMP) {
    struct insn *insn = &g->insns[jumps];
    intptr_t next = insn->k.offset;
    insn->k.offset = (intptr_t)g->count - jumps;
    jumps = next;
  }
}

static void
emit_jump(struct gen *g, struct insn insn, jump_list *jumps) {
  insn.k.offset = *jumps;
  *jumps = gen_emit(g, insn);
}

void
gen_jump(struct gen *g, jump_list *jumps) {
  emit_jump(g, (struct insn){.run = op_jump}, jumps);
}

// and/or as a test: with the sense that any one item decides, each jumps; with the other, the first that
// decides falls past.
static void
jump_on_logical(struct gen *g, struct node *node, bool sense, jump_list *jumps) {
  bool decides = node->kind == NODE_OR;
  jump_list past = NO_JUMP;
  for (uint32_t i = 0; i < node->count; i++) {
    bool last = i + 1 == node->count;
    if (decides == sense || last)
      gen_jump_on(g, node->items[i], sense, jumps);
    else
      gen_jump_on(g, node->items[i], decides, &past);
  }
  gen_patch(g, past);
}

static bool
is_short_fixnum(const struct node *node) {
  return node->kind == NODE_CONST && is_fixnum(node->constant) && fixnum_of(node->constant) >= INT16_MIN &&
         fixnum_of(node->constant) <= INT16_MAX;
}

// A known predicate jumps without making a boolean.
static bool
jump_on_predicate(struct gen *g, struct node *node, bool sense, jump_list *jumps) {
  const struct fast_op *fast = known_fast_op(node);
  if (fast == NULL || fast->jump_if == NULL)
    return false;
  uint32_t depth = g->depth;
  struct insn insn = {.run = sense ? fast->jump_if : fast->jump_unless};
  insn.b = (uint16_t)gen_operand(g, node->items[0]);
  if (node->count == 2 && fast->jump_if_constant != NULL && is_short_fixnum(node->items[1])) {
    insn.run = sense ? fast->jump_if_constant : fast->jump_unless_constant;
    insn.c = (uint16_t)fixnum_of(node->items[1]->constant);
  } else if (node->count == 2) {
    insn.c = (uint16_t)gen_operand(g, node->items[1]);
  }
  emit_jump(g, insn, jumps);
  g->depth = depth;
  return true;
}

static bool
is_not_call(struct node *node) {
  const struct fast_op *fast = known_fast_op(node);
  return fast != NULL && fast->run == op_not;
}

void
gen_jump_on(struct gen *g, struct node *test, bool sense, jump_list *jumps) {
  if (test->kind == NODE_CONST) {
    if ((test->constant != FALSE_VALUE) == sense)
      gen_jump(g, jumps);
    return;
  }
  if (test->kind == NODE_AND || test->kind == NODE_OR) {
    jump_on_logical(g, test, sense, jumps);
    return;
  }
  if (test->kind == NODE_CALL && is_not_call(test)) {
    gen_jump_on(g, test->items[0], !sense, jumps);
    return;
  }
  if (test->kind == NODE_CALL && jump_on_predicate(g, test, sense, jumps))
    return;
  uint32_t depth = g->depth;
  uint32_t slot = gen_operand(g, test);
  emit_jump(g, (struct insn){.run = sense ? op_jump_if : op_jump_unless, .b = (uint16_t)slot}, jumps);
  g->depth = depth;
}

void
gen_if(struct gen *g, struct node *node, uint32_t target) {
  jump_list to_else = NO_JUMP, to_end = NO_JUMP;
  gen_jump_on(g, node->items[0], false, &to_else);
  gen_node(g, node->items[1], target);
  if (target != TAIL)
    gen_jump(g, &to_end);
  gen_patch(g, to_else);
  gen_node(g, node->items[2], target);
  gen_patch(g, to_end);
}

// and/or for their value: each item goes to the target slot, and decides there.
void
gen_logical(struct gen *g, struct node *node, uint32_t target) {
  uint32_t depth = g->depth,
           slot = gen_slots(g, 1); // not the target itself, which later items may still read
  operation *run = node->kind == NODE_OR ? op_jump_if : op_jump_unless;
  jump_list to_end = NO_JUMP;
  uint32_t last = node->count - 1;
  for (uint32_t i = 0; i < last; i++) {
    gen_node(g, node->items[i], slot);
    emit_jump(g, (struct insn){.run = run, .b = (uint16_t)slot}, &to_end);
  }
  jump_list past = NO_JUMP;
  gen_node(g, node->items[last], target);
  if (target != TAIL)
    gen_jump(g, &past);
  gen_patch(g, to_end);
  if (target == TAIL)
    gen_finish(g, slot, TAIL);
  else
    gen_emit(g, (struct insn){.run = op_move, .a = (uint16_t)target, .b = (uint16_t)slot});
  gen_patch(g, past);
  g->depth = depth;
}

// A loop's variables are boxed (when they are) at its head, so that every iteration has its own.
void
gen_loop(struct gen *g, struct node *node, uint32_t target) {
  uint32_t depth = g->depth, first = gen_slots(g, node->count);
  for (uint32_t i = 0; i < node->count; i++)
    gen_node(g, node->items[i], first + i);
  node->variable->slot = g->count; // where the loop's head is
  for (uint32_t i = 0; i < node->count; i++)
    gen_store(g, node->variables[i], first + i);
  gen_node(g, node->body, target);
  g->depth = depth;
}

static bool
is_operation_on_simples(const struct node *node) {
  if (node->kind != NODE_CALL || known_primitive(node) == NULL)
    return node_is_simple(node);
  for (uint32_t i = 0; i < node->count; i++)
    if (!node_is_simple(node->items[i]))
      return false;
  return node->count <= 2;
}

// Can argument i be computed right into the loop variable: does nothing still to be evaluated read the old
// value?
static bool
can_go_direct(struct node *call, const struct node *loop, uint32_t i) {
  const struct variable *variable = loop->variables[i];
  for (uint32_t j = i + 1; j < call->count; j++)
    if (node_mentions(call->items[j], variable))
      return false;
  return is_operation_on_simples(call->items[i]) || !node_mentions(call->items[i], variable);
}

void
gen_loop_again(struct gen *g, struct node *call) {
  struct node *loop = call->callee->variable->loop;
  uint32_t depth = g->depth, temporaries = gen_slots(g, call->count);
  for (uint32_t i = 0; i < call->count; i++) {
    bool direct = can_go_direct(call, loop, i);
    gen_node(g, call->items[i], direct ? loop->variables[i]->slot : temporaries + i);
  }
  for (uint32_t i = 0; i < call->count; i++)
    if (!can_go_direct(call, loop, i))
      gen_emit(g, (struct insn){.run = op_move,
                                .a = (uint16_t)loop->variables[i]->slot,
                                .b = (uint16_t)(temporaries + i)});
  intptr_t head = (intptr_t)loop->variable->slot;
  gen_emit(g, (struct insn){.run = op_jump, .k.offset = head - (intptr_t)g->count});
  g->depth = depth;
}
