// The operations of the virtual machine, as the code generator knows them.  fp[a] and so on are written a,
// b, c, d.
#ifndef SCHEME_OPS_H
#define SCHEME_OPS_H

#include "vm.h"

// ops_data.c
operation op_move;           // a = b
operation op_constant;       // a = k
operation op_global;         // a = global k, which must have a value
operation op_captured;       // a = captured[b]
operation op_captured_box;   // a = content of the box captured[b]
operation op_box;            // a = box holding b
operation op_unbox;          // a = content of the box b
operation op_unbox_early;    // likewise, but an error while it has no value
operation op_captured_early; // op_captured_box, likewise
operation op_box_set;        // content of the box a = b
operation op_captured_set;   // content of the box captured[a] = b
operation op_global_set;     // global k, which must have a value, = b
operation op_global_define;  // global k = b
operation op_closure;        // a = closure of code k, capturing
operation op_closure_alloc;  // a = closure of code k, captures still missing
operation op_closure_fill;   // set the captures of the closure a of code k
operation op_primitive0;     // a = k()
operation op_primitive1;     // a = k(b)
operation op_primitive2;     // a = k(b, c)
operation op_primitive3;     // a = k(b, c, d)
operation op_primitive_n;    // a = k(b values from slot c on)

// ops_call.c
operation op_enter;            // a procedure's first: exactly b arguments, k.words of frame; c is 0
operation op_enter_rest;       // b or more, the rest as a list; c is 1
operation op_jump;             // to k.offset
operation op_jump_if;          // when b is true
operation op_jump_unless;      // when b is false
operation op_call;             // c = call of d with the b arguments after the header at a
operation op_call_global;      // likewise, of global k
operation op_tail_call;        // of d with the b arguments from slot a on, in place of this frame
operation op_tail_call_global; // likewise, of global k
operation op_return;           // b

// ops_fast.c: what op_primitive1 and 2 would do for the commonest primitives, in line.
struct fast_op {
  const char *name;            // of the primitive
  uint32_t arity;              // 1 or 2
  operation *run;              // a = f(b) or f(b, c)
  operation *run_constant;     // a = f(b, fixnum k)
  operation *jump_if;          // to k.offset if f(b) or f(b, c)
  operation *jump_unless;      // to k.offset unless so
  operation *jump_if_constant; // to k.offset if f(b, the 16-bit fixnum c)
  operation *jump_unless_constant;
  bool folds; // (f a b c) is (f (f a b) c)
};

operation op_not;
void fast_ops_install(void); // point the primitives at their fast_op
extern const struct primitive_entry fast_primitives[];

#endif
