// The code generator: trees to instructions.  Every local variable has a slot of the frame for its scope,
// temporaries come above in stack order, and unassigned variables are used where they are, so that most
// operands need no move.
//
// A procedure's captured variables are copied into its closure.  That is right because a variable that is
// ever assigned lives in a box, and because loops give their variables new boxes for each iteration.
#include "codegen.h"

#include <string.h>

#include "error.h"
#include "scope.h"

enum { SLOT_MAX = UINT16_MAX - 8 };

uint32_t
gen_emit(struct gen *g, struct insn insn) {
  if (g->count == g->capacity) {
    uint32_t capacity = 2 * g->capacity + 16;
    struct insn *grown = alloc_scanned(capacity * sizeof *grown);
    if (g->count > 0)
      memcpy(grown, g->insns, g->count * sizeof *grown);
    g->insns = grown;
    g->capacity = capacity;
  }
  g->insns[g->count] = insn;
  return g->count++;
}

uint32_t
gen_slots(struct gen *g, uint32_t count) {
  uint32_t first = g->depth;
  if (count > SLOT_MAX - first)
    raise_error("syntax error: procedure too large", NIL);
  g->depth += count;
  if (g->depth > g->frame_words)
    g->frame_words = g->depth;
  return first;
}

uint32_t
gen_target_slot(struct gen *g, uint32_t target) {
  return target == TAIL ? gen_slots(g, 1) : target;
}

void
gen_finish(struct gen *g, uint32_t slot, uint32_t target) {
  if (target == TAIL)
    gen_emit(g, (struct insn){.run = op_return, .b = (uint16_t)slot});
}

static bool
is_own(struct gen *g, struct variable *variable) {
  return lambda_home(variable->owner) == g->lambda;
}

uint32_t
gen_capture(struct gen *g, struct variable *variable) {
  for (uint32_t i = 0; i < g->captured_count; i++)
    if (g->captured[i] == variable)
      return i;
  if (g->captured_count == g->captured_capacity) {
    uint32_t capacity = 2 * g->captured_capacity + 4;
    struct variable **grown = alloc_scanned(capacity * sizeof *grown);
    if (g->captured_count > 0)
      memcpy(grown, g->captured, g->captured_count * sizeof *grown);
    g->captured = grown;
    g->captured_capacity = capacity;
  }
  g->captured[g->captured_count] = variable;
  return g->captured_count++;
}

void
gen_store(struct gen *g, struct variable *variable, uint32_t slot) {
  variable->slot = slot;
  if (variable->assigned)
    gen_emit(g, (struct insn){.run = op_box, .a = (uint16_t)slot, .b = (uint16_t)slot});
}

static void
gen_local(struct gen *g, struct variable *variable, uint32_t slot) {
  operation *run = op_move;
  uint32_t from = variable->slot;
  if (is_own(g, variable)) {
    if (variable->assigned)
      run = variable->early ? op_unbox_early : op_unbox;
    else if (from == slot)
      return;
  } else {
    from = gen_capture(g, variable);
    run = !variable->assigned ? op_captured : variable->early ? op_captured_early : op_captured_box;
  }
  gen_emit(g, (struct insn){.run = run, .a = (uint16_t)slot, .b = (uint16_t)from});
}

static void
gen_constant(struct gen *g, value constant, uint32_t slot) {
  gen_emit(g, (struct insn){.run = op_constant, .k.constant = constant, .a = (uint16_t)slot});
}

static void
gen_set(struct gen *g, struct node *node) {
  uint32_t depth = g->depth;
  struct insn insn = {.k.symbol = node->symbol, .b = (uint16_t)gen_operand(g, node->body)};
  if (node->kind == NODE_DEFINE) {
    insn.run = op_global_define;
  } else if (node->kind == NODE_SET_GLOBAL) {
    insn.run = op_global_set;
  } else if (is_own(g, node->variable)) {
    insn.run = op_box_set;
    insn.a = (uint16_t)node->variable->slot;
  } else {
    insn.run = op_captured_set;
    insn.a = (uint16_t)gen_capture(g, node->variable);
  }
  gen_emit(g, insn);
  g->depth = depth;
}

static void
gen_sequence(struct gen *g, struct node *node, uint32_t target) {
  for (uint32_t i = 0; i + 1 < node->count; i++)
    gen_effect(g, node->items[i]);
  gen_node(g, node->items[node->count - 1], target);
}

static void
gen_let(struct gen *g, struct node *node, uint32_t target) {
  uint32_t depth = g->depth, first = gen_slots(g, node->count);
  for (uint32_t i = 0; i < node->count; i++)
    gen_node(g, node->items[i], first + i);
  for (uint32_t i = 0; i < node->count; i++)
    gen_store(g, node->variables[i], first + i);
  gen_node(g, node->body, target);
  g->depth = depth;
}

void
gen_closure(struct gen *g, operation *run, uint32_t slot, struct code *code) {
  gen_emit(g, (struct insn){.run = run, .k.code = code, .a = (uint16_t)slot});
}

static void
gen_fix(struct gen *g, struct node *node, uint32_t target) {
  uint32_t depth = g->depth, first = gen_slots(g, node->count);
  struct code **codes = alloc_scanned((node->count + 1) * sizeof *codes);
  for (uint32_t i = 0; i < node->count; i++)
    node->variables[i]->slot = first + i;
  for (uint32_t i = 0; i < node->count; i++) {
    codes[i] = gen_lambda(g, node->items[i]->lambda);
    gen_closure(g, op_closure_alloc, first + i, codes[i]);
  }
  for (uint32_t i = 0; i < node->count; i++)
    gen_closure(g, op_closure_fill, first + i, codes[i]);
  gen_node(g, node->body, target);
  g->depth = depth;
}

// Nodes whose value comes from one instruction or two, into a slot.
static void
gen_plain(struct gen *g, struct node *node, uint32_t slot) {
  switch (node->kind) {
  case NODE_CONST:
    gen_constant(g, node->constant, slot);
    break;
  case NODE_LOCAL:
    gen_local(g, node->variable, slot);
    break;
  case NODE_GLOBAL:
    gen_emit(g, (struct insn){.run = op_global, .k.symbol = node->symbol, .a = (uint16_t)slot});
    break;
  case NODE_LAMBDA:
    gen_closure(g, op_closure, slot, gen_lambda(g, node->lambda));
    break;
  default:
    gen_set(g, node);
    gen_constant(g, UNSPECIFIED, slot);
  }
}

void
gen_node(struct gen *g, struct node *node, uint32_t target) {
  c_stack_check("syntax error: form nested too deeply");
  switch (node->kind) {
  case NODE_IF:
    gen_if(g, node, target);
    return;
  case NODE_AND:
  case NODE_OR:
    gen_logical(g, node, target);
    return;
  case NODE_SEQUENCE:
    gen_sequence(g, node, target);
    return;
  case NODE_CALL:
    gen_call(g, node, target);
    return;
  case NODE_LET:
    gen_let(g, node, target);
    return;
  case NODE_FIX:
    gen_fix(g, node, target);
    return;
  case NODE_LOOP:
    gen_loop(g, node, target);
    return;
  default:
    break;
  }
  uint32_t depth = g->depth;
  if (target == TAIL)
    gen_finish(g, gen_operand(g, node), TAIL);
  else
    gen_plain(g, node, target);
  g->depth = depth;
}

void
gen_effect(struct gen *g, struct node *node) {
  if (node_is_simple(node))
    return;
  if (node->kind == NODE_SET_LOCAL || node->kind == NODE_SET_GLOBAL) {
    gen_set(g, node);
    return;
  }
  uint32_t depth = g->depth;
  gen_node(g, node, gen_slots(g, 1));
  g->depth = depth;
}

uint32_t
gen_operand(struct gen *g, struct node *node) {
  if (node->kind == NODE_LOCAL && !node->variable->assigned && is_own(g, node->variable))
    return node->variable->slot;
  uint32_t slot = gen_slots(g, 1);
  if (node->kind <= NODE_DEFINE || node->kind == NODE_LAMBDA)
    gen_plain(g, node, slot);
  else
    gen_node(g, node, slot);
  return slot;
}

// Resolve the captured variables of a finished procedure in the procedure around it.
static struct code *
code_new(struct gen *g) {
  struct code *code = alloc_scanned(sizeof *code);
  code->frame_words = g->frame_words;
  code->name = g->lambda->name == NIL ? FALSE_VALUE : g->lambda->name;
  code->capture_count = g->captured_count;
  code->captures = alloc_pointer_free((g->captured_count + 1) * sizeof *code->captures);
  for (uint32_t i = 0; i < g->captured_count; i++) {
    struct variable *variable = g->captured[i];
    code->captures[i] =
        is_own(g->parent, variable) ? variable->slot : gen_capture(g->parent, variable) | CAPTURE_FREE;
  }
  code->insns = alloc_scanned(g->count * sizeof *code->insns);
  memcpy(code->insns, g->insns, g->count * sizeof *code->insns);
  code->insns[0].k.words = g->frame_words;
  return code;
}

struct code *
gen_lambda(struct gen *parent, struct lambda *lambda) {
  struct gen g = {.parent = parent, .lambda = lambda};
  gen_slots(&g, lambda->variable_count);
  gen_emit(&g, (struct insn){.run = lambda->has_rest ? op_enter_rest : op_enter,
                             .b = (uint16_t)lambda->required,
                             .c = lambda->has_rest});
  for (uint32_t i = 0; i < lambda->variable_count; i++)
    gen_store(&g, lambda->variables[i], i);
  gen_node(&g, lambda->body, TAIL);
  return code_new(&g);
}

value
compile_toplevel(value form) {
  struct lambda *lambda = expand_toplevel(form);
  struct closure *closure = object_new(TYPE_CLOSURE, sizeof *closure);
  closure->code = gen_lambda(NULL, lambda);
  return (value)closure;
}
