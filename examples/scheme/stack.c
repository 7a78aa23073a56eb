// Regions of the segmented stack, and the continuations made of them; vm.h has the picture.
#include <string.h>

#include "error.h"
#include "vm.h"

enum {
  SEGMENT_WORDS = 4096, // of a fresh region; large enough that crossing from one to the next is rare
  SLACK_WORDS = 16,     // room beyond vm->limit, for control primitives
  REGIONS_MAX = 8192,   // nested regions: 256 MiB of frames, after which recursion is taken to be endless
  HANDLER_REGIONS = 64, // more for the handler of that error; when they are used up too, the program is over
};

static const struct insn *op_underflow(struct vm *vm, const struct insn *pc);

static const struct insn *
op_never(struct vm *vm, const struct insn *pc) {
  (void)vm;
  return pc;
}

// The pc of a region's first header: the return puts its result in slot 0 of the "frame" at vm->base, then
// comes here.
const struct insn stack_underflow_header[2] = {{.run = op_never, .c = 0}, {.run = op_underflow}};

static void
region_begin(struct vm *vm, value *base, value *limit) {
  vm->base = base;
  vm->limit = limit;
  base[0] = (value)&stack_underflow_header[0];
  base[1] = NULL;
  base[2] = (value)base;
}

static void
region_new(struct vm *vm, uint32_t words) {
  size_t needed = (size_t)words + HEADER_WORDS;
  if (vm->spare != NULL && vm->spare + needed <= vm->spare_limit) {
    region_begin(vm, vm->spare, vm->spare_limit);
    vm->spare = NULL;
    return;
  }
  size_t size = needed > SEGMENT_WORDS ? needed : SEGMENT_WORDS;
  value *base = alloc_scanned((size + SLACK_WORDS) * sizeof *base);
  region_begin(vm, base, base + size);
}

void
stack_start(struct vm *vm) {
  vm->link = NULL;
  vm->spare = NULL;
  vm->winds = NIL;
  vm->handlers = NIL;
  vm->uncaught = false;
  vm->too_deep = false;
  region_new(vm, 0);
  vm->fp = vm->base + HEADER_WORDS;
}

static struct link *
link_new(struct link *prev, struct link contents) {
  struct link *link = alloc_scanned(sizeof *link);
  *link = contents;
  link->prev = prev;
  link->depth = prev == NULL ? 0 : prev->depth + 1;
  return link;
}

static bool
is_region_empty(const struct vm *vm) {
  return vm->fp == vm->base + HEADER_WORDS;
}

static void
check_depth(struct vm *vm, uint32_t depth) {
  if (depth <= REGIONS_MAX) {
    vm->too_deep = false;
    return;
  }
  if (vm->too_deep && depth <= REGIONS_MAX + HANDLER_REGIONS)
    return;
  if (vm->too_deep)
    stack_start(vm); // drop all frames and all handlers
  vm->too_deep = true;
  raise_error("recursion too deep: out of stack", NIL);
}

void
stack_grow(struct vm *vm, uint32_t words) {
  struct link *link = vm->link;
  if (!is_region_empty(vm))
    link = link_new(link, (struct link){.base = vm->base, .top = vm->fp, .limit = vm->limit});
  check_depth(vm, link == NULL ? 0 : link->depth);
  value *arguments = vm->fp;
  region_new(vm, words > vm->argc ? words : vm->argc);
  vm->link = link;
  vm->fp = vm->base + HEADER_WORDS;
  memcpy(vm->fp, arguments, vm->argc * sizeof *arguments);
}

// Copy the newest frame of a shared link to the start of the current region.
static void
thaw_frame(struct vm *vm, struct link *link, value *frame, struct closure *closure) {
  size_t words = (size_t)(link->top - HEADER_WORDS - frame);
  uint32_t frame_words = closure->code->frame_words;
  if (vm->base + HEADER_WORDS + frame_words > vm->limit)
    region_new(vm, frame_words);
  vm->fp = vm->base + HEADER_WORDS;
  memcpy(vm->fp, frame, words * sizeof *frame);
  bool is_oldest = frame == link->base + HEADER_WORDS;
  struct link rest = *link;
  rest.top = frame;
  vm->link = is_oldest ? link->prev : link_new(link->prev, rest);
}

static const struct insn *
op_underflow(struct vm *vm, const struct insn *pc) {
  (void)pc;
  value result = vm->base[0];
  struct link *link = vm->link;
  if (link == NULL) {
    vm->result = result;
    return NULL;
  }
  const struct insn *call = (const struct insn *)link->top[HEADER_PC];
  struct closure *closure = (struct closure *)link->top[HEADER_CLOSURE];
  value *frame = (value *)link->top[HEADER_FP] + link->moved;
  vm->base[0] = (value)&stack_underflow_header[0];
  if (link->shared) {
    thaw_frame(vm, link, frame, closure);
  } else {
    vm->spare = vm->base;
    vm->spare_limit = vm->limit;
    vm->base = link->base;
    vm->limit = link->limit;
    vm->link = link->prev;
    vm->fp = frame;
  }
  vm->closure = closure;
  vm->fp[call->c] = result;
  return call + 1;
}

// Links below a shared one are shared already.
static void
links_share(struct link *link) {
  for (; link != NULL && !link->shared; link = link->prev)
    link->shared = true;
}

// Move all frames below the current one to a chunk, and the current one, a control primitive's, to their
// place.
static void
freeze_frames(struct vm *vm) {
  size_t words = (size_t)(vm->fp - vm->base);
  value *chunk = alloc_scanned(words * sizeof *chunk);
  memcpy(chunk, vm->base, words * sizeof *chunk);
  struct link frozen = {.base = chunk, .top = chunk + words, .moved = chunk - vm->base, .shared = true};
  vm->link = link_new(vm->link, frozen);
  vm->fp = vm->base + HEADER_WORDS;
}

// (call/cc receiver)
static const struct insn *
control_call_cc(struct vm *vm, const struct insn *pc) {
  (void)pc;
  value receiver = vm->fp[0];
  links_share(vm->link);
  if (!is_region_empty(vm))
    freeze_frames(vm);
  struct continuation *k = object_new(TYPE_CONTINUATION, sizeof *k);
  k->link = vm->link;
  k->winds = vm->winds;
  k->handlers = vm->handlers;
  vm->fp[0] = (value)k;
  vm->argc = 1;
  return vm_enter(vm, receiver);
}

const struct primitive_entry stack_primitives[] = {
    PRIMITIVE_CONTROL("call/cc", control_call_cc, 1, 1),
    PRIMITIVE_CONTROL("call-with-current-continuation", control_call_cc, 1, 1),
    PRIMITIVE_END,
};
