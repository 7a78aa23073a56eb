// The virtual machine: a register machine whose frames live on a segmented stack.
//
// An instruction is a C function and its operands; the function returns the next instruction.  Frames are
// windows of slots:
//
//      ... caller's slots | pc | closure | caller's fp | arguments, locals, temporaries ...
//                         ^ header                     ^ fp
//
// Slots are assigned by the code generator, so there is no stack pointer: a call with base b puts its
// header at fp[b] and its arguments after it.  The header's pc is the call instruction itself, whose `c`
// says where the result goes.
//
// The stack is a chain of regions.  Each region begins with a header whose pc is the underflow instruction:
// returning through it resumes what vm->link describes.  call/cc moves the frames of the current region to
// a chunk of their own, which never changes again; resuming copies frames out of it one at a time.  So a
// continuation can be entered any number of times, and no frame is moved twice for one capture.  Running
// out of a region starts another, so recursion is as deep as memory.
//
// Chunks are cut to size, although freezing frames where they are would spare the copy: a region shared by
// many captures would be kept whole by any of them, and with it everything its dead frames point to.
#ifndef SCHEME_VM_H
#define SCHEME_VM_H

#include "value.h"

struct vm;
struct insn;

typedef const struct insn *operation(struct vm *vm, const struct insn *pc);

enum primitive_shape {
  SHAPE_0,
  SHAPE_1,
  SHAPE_2,
  SHAPE_3,
  SHAPE_N,
  SHAPE_CONTROL,
  SHAPE_RECORD_REF,
  SHAPE_RECORD_SET,
  SHAPE_RECORD_TEST,
  SHAPE_RECORD_NEW,
};

enum { ANY_ARGUMENTS = -1 };

union primitive_code {
  value (*f0)(void);
  value (*f1)(value);
  value (*f2)(value, value);
  value (*f3)(value, value, value);
  value (*fn)(uint32_t argc, value *argv);
  operation *control; // called with the arguments in a frame of its own, as a procedure's
};

struct primitive {
  struct object head; // flags: enum primitive_shape
  union primitive_code code;
  value name; // symbol
  int32_t min_args;
  int32_t max_args;              // or ANY_ARGUMENTS
  value type;                    // of the record primitives, as are index and indices
  size_t index;                  // of the field
  value indices;                 // of the fields that the constructor's arguments are for
  const struct fast_op *fast[3]; // instructions for calls with 1 and 2 arguments, or NULL
};

struct code {
  uint32_t frame_words;
  uint32_t capture_count;
  uint32_t *captures; // pointer-free; see capture_slot
  value name;         // symbol, or #f for the top level
  struct insn *insns;
};

// Where a closure's captured value comes from when it is made: slot of the maker's frame, or index among
// its own captures.
enum { CAPTURE_FREE = 1U << 31 };

struct insn {
  operation *run;
  union {
    value constant;
    struct symbol *symbol;
    struct code *code;
    intptr_t offset; // of a jump, in instructions from this one
    intptr_t words;
    union primitive_code primitive;
  } k;
  uint16_t a; // where the result goes, or the base of a call
  uint16_t b; // first source, or number of arguments
  uint16_t c; // second source; of a call, where the result goes
  uint16_t d; // third source
};

struct closure {
  struct object head;
  struct code *code;
  value captured[];
};

// Where frames continue below a region.
struct link {
  struct link *prev; // what is below
  value *base;       // the header before the oldest frame
  value *top; // end of the newest frame's callee's header: the frame's pc, closure and fp are at top[-3..-1]
  value *limit;    // of the region, while the frames are still in it
  ptrdiff_t moved; // words from where the saved fps say to where the frames are
  uint32_t depth;  // links below
  bool shared; // belongs to a continuation: copy frames out, never run them in place; then prev is shared too
};

struct continuation {
  struct object head;
  struct link *link;
  value winds;
  value handlers;
};

struct vm {
  value *fp;
  value *limit; // a frame may not reach beyond; SLACK_WORDS more exist
  struct closure *closure;
  uint32_t argc; // set by callers for the callee's entry
  value *base;   // the current region's underflow header
  struct link *link;
  value *spare; // a region to use again, with its limit
  value *spare_limit;
  bool too_deep;          // recursion has run out of stack, and its handler has some more
  value winds;            // list of dynamic-wind entries
  value handlers;         // list of exception handlers
  value result;           // of the program that has just halted
  bool uncaught;          // result was raised and nobody handled it
  value raise_procedure;  // what to call with an error raised in C
  value rewind_procedure; // what to call when a continuation has other winds
};

extern struct vm vm_state;

enum { HEADER_WORDS = 3, HEADER_PC = -3, HEADER_CLOSURE = -2, HEADER_FP = -1 };

enum {
  SYMBOL_INTEGRABLE = 1
}; // symbol flag: names a primitive that code may call without looking the variable up

// The program defines or assigns the variable: stop treating its primitive as known.
static inline void
symbol_release(struct symbol *symbol) {
  symbol->head.flags &= ~(uint32_t)SYMBOL_INTEGRABLE;
}

// vm.c
value
vm_run(value thunk); // call with no arguments, to the end; what nobody handles is raised again in the caller
const struct insn *vm_return(struct vm *vm, value result); // from the current frame
const struct insn *vm_enter(struct vm *vm,
                            value callee); // callee takes over the current frame: argc and slots are set
value primitive_call(const struct primitive *p, uint32_t argc, value *argv);
value record_construct(const struct primitive *p, value *argv); // prim_record.c
_Noreturn void raise_arity(value procedure, uint32_t argc);

// stack.c
void stack_start(struct vm *vm); // a fresh region to run a program in
void stack_grow(struct vm *vm,
                uint32_t words); // move the current frame (argc slots) to a region with room for words
extern const struct insn stack_underflow_header[2]; // pc of the header that begins a region

static inline void
stack_reserve(struct vm *vm, uint32_t words) {
  if (vm->fp + words > vm->limit)
    stack_grow(vm, words);
}

// codegen.c
value compile_toplevel(value form); // a procedure of no arguments

// Definitions of primitives: a table per file, ended by an entry without name.
struct primitive_entry {
  const char *name;
  enum primitive_shape shape;
  union primitive_code code;
  int32_t min_args; // of SHAPE_N and SHAPE_CONTROL; the others say it themselves
  int32_t max_args;
};

#define PRIMITIVE_0(name, f) \
  { name, SHAPE_0, {.f0 = f}, 0, 0 }
#define PRIMITIVE_1(name, f) \
  { name, SHAPE_1, {.f1 = f}, 1, 1 }
#define PRIMITIVE_2(name, f) \
  { name, SHAPE_2, {.f2 = f}, 2, 2 }
#define PRIMITIVE_3(name, f) \
  { name, SHAPE_3, {.f3 = f}, 3, 3 }
#define PRIMITIVE_N(name, f, min, max) \
  { name, SHAPE_N, {.fn = f}, min, max }
#define PRIMITIVE_CONTROL(name, f, min, max) \
  { name, SHAPE_CONTROL, {.control = f}, min, max }
#define PRIMITIVE_END \
  { NULL, SHAPE_0, {.f0 = NULL}, 0, 0 }

extern const struct primitive_entry stack_primitives[];

void primitives_define(const struct primitive_entry *entry);
struct primitive *primitive_new(const struct primitive_entry *entry);

#endif
