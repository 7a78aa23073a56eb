// What the expander makes of a form and the code generator takes: a tree in which every variable is resolved.
#ifndef SCHEME_AST_H
#define SCHEME_AST_H

#include "value.h"

enum node_kind {
  NODE_CONST,
  NODE_LOCAL,
  NODE_GLOBAL,
  NODE_SET_LOCAL,
  NODE_SET_GLOBAL,
  NODE_DEFINE, // of a global variable
  NODE_IF,
  NODE_AND,
  NODE_OR,
  NODE_SEQUENCE,
  NODE_LAMBDA,
  NODE_CALL,
  NODE_LET,  // inits, all evaluated before any variable is bound
  NODE_FIX,  // inits are lambdas that may refer to all the variables
  NODE_LOOP, // as NODE_LET; calls of loop->variable in the body jump back to its start
};

// A local variable.  References are counted so that loops can be told from procedures.
struct variable {
  value name;
  struct lambda *owner; // the procedure whose frame holds it; see lambda_home
  bool assigned;        // lives in a box
  bool early;           // may be referred to before it has a value
  uint32_t references;
  uint32_t slot;     // in its owner's frame (code generator)
  struct node *loop; // the NODE_LOOP that a call of it jumps to, or NULL
};

// A procedure being compiled.
struct lambda {
  struct lambda *parent;
  struct lambda *inlined_into; // this body became a loop in that procedure, or NULL
  value name;
  uint32_t required;
  bool has_rest;
  uint32_t variable_count; // required, then the rest list
  struct variable **variables;
  struct node *body;
};

struct node {
  enum node_kind kind;
  uint32_t count; // of items and variables
  union {
    value constant;
    struct variable *variable; // NODE_LOCAL, NODE_SET_LOCAL, NODE_LOOP (what to call to loop)
    struct symbol *symbol;
    struct lambda *lambda;
    struct node *callee;
  };
  struct node *body; // of bindings; the value to assign; the test of NODE_IF has items instead
  struct node **items;
  struct variable **variables;
};

struct node *node_new(enum node_kind kind, uint32_t count);
struct node *node_const(value constant);
struct node *node_local(struct variable *variable); // counts the reference
struct node *node_let(uint32_t count);
struct node *node_call(struct node *callee, uint32_t count);

// The procedure in whose frame the variables of `lambda` live.
struct lambda *lambda_home(struct lambda *lambda);

// Give a procedure without a name the name of the variable it is bound to.
void node_name_procedure(struct node *node, value name);

// Does any part of node refer to variable?
bool node_mentions(const struct node *node, const struct variable *variable);

// Can node be evaluated without side effects and without running anything: a constant or an unassigned
// variable?
bool node_is_simple(const struct node *node);

// Turn the one lambda of `fix` into a loop when every reference to it allows that; returns what stands for
// `fix`.
struct node *node_settle_fix(struct node *fix);

#endif
