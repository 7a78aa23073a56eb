// Tree constructors, and the analysis that finds loops.
//
// A procedure bound by NODE_FIX is a loop when it is called once from the body of the binding and otherwise
// only by itself in tail position.  Then its frame never outlives an iteration: it becomes a NODE_LOOP
// inside the procedure around it, its calls become jumps, and no closure is made.  Named let, do, and most
// inner helpers end up so.
#include "ast.h"

struct node *
node_new(enum node_kind kind, uint32_t count) {
  struct node *node = alloc_scanned(sizeof *node);
  node->kind = kind;
  node->count = count;
  if (count > 0)
    node->items = alloc_scanned(count * sizeof *node->items);
  return node;
}

struct node *
node_const(value constant) {
  struct node *node = node_new(NODE_CONST, 0);
  node->constant = constant;
  return node;
}

struct node *
node_local(struct variable *variable) {
  struct node *node = node_new(NODE_LOCAL, 0);
  node->variable = variable;
  variable->references++;
  return node;
}

struct node *
node_let(uint32_t count) {
  struct node *node = node_new(NODE_LET, count);
  node->variables = alloc_scanned((count + 1) * sizeof *node->variables);
  return node;
}

struct node *
node_call(struct node *callee, uint32_t count) {
  struct node *node = node_new(NODE_CALL, count);
  node->callee = callee;
  return node;
}

void
node_name_procedure(struct node *node, value name) {
  if (node->kind == NODE_LAMBDA && node->lambda->name == NIL)
    node->lambda->name = name;
}

struct lambda *
lambda_home(struct lambda *lambda) {
  while (lambda->inlined_into != NULL)
    lambda = lambda->inlined_into;
  return lambda;
}

bool
node_mentions(const struct node *node, const struct variable *variable) {
  if ((node->kind == NODE_LOCAL || node->kind == NODE_SET_LOCAL) && node->variable == variable)
    return true;
  if (node->kind == NODE_CALL && node_mentions(node->callee, variable))
    return true;
  if (node->kind == NODE_LAMBDA && node_mentions(node->lambda->body, variable))
    return true;
  for (uint32_t i = 0; i < node->count; i++)
    if (node_mentions(node->items[i], variable))
      return true;
  return node->body != NULL && node_mentions(node->body, variable);
}

bool
node_is_simple(const struct node *node) {
  return node->kind == NODE_CONST || (node->kind == NODE_LOCAL && !node->variable->assigned);
}

// Calls of one variable in tail position.
struct tail_calls {
  const struct variable *variable;
  uint32_t arity;
  uint32_t count;
  struct node *last;
};

static void
find_tail_calls(struct node *node, struct tail_calls *found) {
  switch (node->kind) {
  case NODE_CALL:
    if (node->callee->kind == NODE_LOCAL && node->callee->variable == found->variable &&
        node->count == found->arity) {
      found->count++;
      found->last = node;
    }
    break;
  case NODE_IF:
    find_tail_calls(node->items[1], found);
    find_tail_calls(node->items[2], found);
    break;
  case NODE_AND:
  case NODE_OR:
  case NODE_SEQUENCE:
    find_tail_calls(node->items[node->count - 1], found);
    break;
  case NODE_LET:
  case NODE_FIX:
  case NODE_LOOP:
    find_tail_calls(node->body, found);
    break;
  default:
    break;
  }
}

struct node *
node_settle_fix(struct node *fix) {
  if (fix->count != 1)
    return fix;
  struct variable *variable = fix->variables[0];
  struct lambda *lambda = fix->items[0]->lambda;
  if (variable->assigned || lambda->has_rest)
    return fix;
  struct tail_calls inner = {.variable = variable, .arity = lambda->required, .count = 0, .last = NULL};
  struct tail_calls outer = inner;
  find_tail_calls(lambda->body, &inner);
  find_tail_calls(fix->body, &outer);
  if (outer.count != 1 || inner.count + 1 != variable->references)
    return fix;
  struct node *loop = outer.last; // the entering call becomes the loop; its arguments are the first inits
  loop->kind = NODE_LOOP;
  loop->variable = variable;
  loop->variables = lambda->variables;
  loop->body = lambda->body;
  variable->loop = loop;
  lambda->inlined_into = variable->owner;
  return fix->body;
}
