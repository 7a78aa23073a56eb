// What the parts of the code generator share.
#ifndef SCHEME_CODEGEN_H
#define SCHEME_CODEGEN_H

#include "ast.h"
#include "ops.h"

// The generation of one procedure's code.
struct gen {
  struct gen *parent;
  struct lambda *lambda;
  struct insn *insns;
  uint32_t count;
  uint32_t capacity;
  uint32_t depth; // slots in use; the next temporary's number
  uint32_t frame_words;
  struct variable **captured;
  uint32_t captured_count;
  uint32_t captured_capacity;
};

// Where a value is to go: into a slot, or back to the caller.
enum { TAIL = UINT32_MAX };

// Jumps waiting for their target: the index of the last, whose k.offset holds the one before; NO_JUMP ends
// the list.
typedef intptr_t jump_list;
enum { NO_JUMP = -1 };

// codegen.c
uint32_t gen_emit(struct gen *g, struct insn insn);
uint32_t gen_slots(struct gen *g, uint32_t count); // take the next slots; release by setting depth back
void gen_node(struct gen *g, struct node *node, uint32_t target);
void gen_effect(struct gen *g, struct node *node);      // value not wanted
uint32_t gen_operand(struct gen *g, struct node *node); // a slot that holds the value; may be a new one
void gen_finish(struct gen *g, uint32_t slot,
                uint32_t target);                         // the value is in slot: return it if target is TAIL
uint32_t gen_target_slot(struct gen *g, uint32_t target); // target, or a temporary to return from
uint32_t gen_capture(struct gen *g, struct variable *variable);
void gen_store(struct gen *g, struct variable *variable,
               uint32_t slot); // give a new variable its slot, boxing it
struct code *gen_lambda(struct gen *parent, struct lambda *lambda);
void gen_closure(struct gen *g, operation *run, uint32_t slot, struct code *code);

// codegen_jump.c
void gen_jump_on(struct gen *g, struct node *test, bool sense,
                 jump_list *jumps); // jump if truth(test) == sense
void gen_patch(struct gen *g, jump_list jumps);
void gen_jump(struct gen *g, jump_list *jumps);
void gen_if(struct gen *g, struct node *node, uint32_t target);
void gen_logical(struct gen *g, struct node *node, uint32_t target);
void gen_loop(struct gen *g, struct node *node, uint32_t target);
void gen_loop_again(struct gen *g, struct node *call);

// codegen_call.c
void gen_call(struct gen *g, struct node *node, uint32_t target);
const struct primitive *known_primitive(const struct node *call);
const struct fast_op *known_fast_op(const struct node *call);

#endif
