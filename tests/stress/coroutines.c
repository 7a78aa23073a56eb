// A program that switches stacks by itself, by libgc's means, as Crystal's runtime does: it says where the
// stack ends that a thread is on, some time before the switch, or after, and pushes the parked stacks when
// the collector looks for roots; while another thread collects all the time.  What the parked frames hold,
// some of it in saved registers only, must be whole when they go on.
#define GC_THREADS
#define GC_NO_THREAD_REDIRECTS
#include "compat/include/gc/gc_mark.h"

#include <sys/mman.h>
#include <ucontext.h>

#include "tests/stress/stress.h"

enum { LANES = 4, COROUTINES_PER_LANE = 50, STACK_BYTES = 64 * 1024, GUARD_BYTES = 4096, FRAME_BYTES = 512 };
enum { DEPTH = 2, LEVELS = 4 }; // of the trees that frames hold, and of frames

// A stack, of a coroutine or the one that a thread had from the start.
struct stack {
  char *base, *limit;
  const char *volatile parked_at; // the hot end; NULL while it runs or has not begun
  ucontext_t context;             // static data, which is searched: it holds registers while parked
  struct lane *lane;
  uint64_t seed;
  bool begun;
};

// A thread and its coroutines.
struct lane {
  struct stack own, coroutines[COROUTINES_PER_LANE];
  struct stack *running;
  void *handle; // NULL: the initial thread, which assigns GC_stackbottom
  uint64_t random;
  unsigned long switches;
};

static struct lane lanes[LANES];
static double deadline;
static volatile int running_lanes;

// ---- Roots ---------------------------------------------------------------------------------------------

static GC_push_other_roots_proc previous;

static void
push_if_parked(const struct stack *stack) {
  const char *parked_at = stack->parked_at;
  if (parked_at)
    GC_push_all_eager((void *)(uintptr_t)parked_at, stack->limit);
}

static void GC_CALLBACK
push_parked(void) {
  for (size_t i = 0; i < LANES; i++) {
    push_if_parked(&lanes[i].own);
    for (size_t j = 0; j < COROUTINES_PER_LANE; j++)
      push_if_parked(&lanes[i].coroutines[j]);
  }
  previous();
}

// ---- Switching -----------------------------------------------------------------------------------------

static void
name_stack(struct lane *lane, const struct stack *stack) {
  struct GC_stack_base bottom = {stack->limit};
  if (lane->handle)
    GC_set_stackbottom(lane->handle, &bottom);
  else
    GC_stackbottom = stack->limit;
}

// Work between naming and switching.
static void
linger(struct lane *lane) {
  if (stress_random(&lane->random) % 4)
    return;
  uint64_t seed = stress_random(&lane->random);
  struct tree *tree = tree_build(DEPTH, seed);
  if (seed % 8 == 0)
    GC_gcollect();
  STRESS_CHECK(tree_is_right(tree, DEPTH, seed));
}

// Frames from here on upwards are parked, this one too, which may hold registers of the others.  The rest of
// them are in the context.
static __attribute__((noinline)) void
switch_to(struct lane *lane, struct stack *next) {
  struct stack *here = lane->running;
  bool name_first = stress_random(&lane->random) % 2;
  lane->switches++;
  if (name_first) {
    name_stack(lane, next);
    linger(lane);
  }
  here->parked_at = (char *)__builtin_frame_address(0) - FRAME_BYTES;
  if (name_first)
    next->parked_at = NULL; // it is the thread's to show
  lane->running = next;
  swapcontext(&here->context, &next->context);
  here->parked_at = NULL;
  linger(lane);
  name_stack(lane, here);
}

static void
switch_to_some(struct lane *lane) {
  size_t i = stress_random(&lane->random) % (COROUTINES_PER_LANE + 1);
  struct stack *next = i < COROUTINES_PER_LANE ? &lane->coroutines[i] : &lane->own;
  if (next != lane->running)
    switch_to(lane, next);
}

// ---- What they do --------------------------------------------------------------------------------------

// Hold a tree while others run.
static __attribute__((noinline)) void
hold(struct lane *lane, int levels, uint64_t seed) {
  struct tree *tree = tree_build(DEPTH, seed);
  switch_to_some(lane);
  if (levels > 0)
    hold(lane, levels - 1, seed + 1);
  STRESS_CHECK(tree_is_right(tree, DEPTH, seed));
  switch_to_some(lane);
  STRESS_CHECK(tree_is_right(tree, DEPTH, seed));
}

static void
live(unsigned lane_number, unsigned number) {
  struct lane *lane = &lanes[lane_number];
  struct stack *self = &lane->coroutines[number];
  name_stack(lane, self);
  for (;;) {
    hold(lane, LEVELS, self->seed += 1000);
    switch_to(lane, &lane->own);
  }
}

// Without a guard page, stacks may share a mapping with the next ones.
static char *
map_stack(bool guarded) {
  char *memory =
      mmap(NULL, GUARD_BYTES + STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED)
    exit(2);
  if (guarded)
    mprotect(memory, GUARD_BYTES, PROT_NONE);
  return memory + GUARD_BYTES;
}

static void
make_coroutine(unsigned lane, unsigned number) {
  struct stack *stack = &lanes[lane].coroutines[number];
  stack->base = map_stack(number % 2);
  stack->limit = stack->base + STACK_BYTES;
  stack->seed = (uint64_t)(lane * COROUTINES_PER_LANE + number) << 32;
  getcontext(&stack->context);
  stack->context.uc_stack.ss_sp = stack->base;
  stack->context.uc_stack.ss_size = STACK_BYTES;
  makecontext(&stack->context, (void (*)(void))live, 2, lane, number);
}

// Those of different lanes lie side by side.
static void
make_coroutines(void) {
  for (unsigned i = 0; i < COROUTINES_PER_LANE; i++)
    for (unsigned lane = 0; lane < LANES; lane++)
      make_coroutine(lane, i);
}

static void *
run_lane(void *number_) {
  unsigned number = (unsigned)(uintptr_t)number_;
  struct lane *lane = &lanes[number];
  struct GC_stack_base bottom;
  void *handle = GC_get_my_stackbottom(&bottom);
  lane->handle = number == 0 ? NULL : handle;
  lane->own.limit = bottom.mem_base;
  lane->random = number + 1;
  lane->running = &lane->own;
  do
    hold(lane, LEVELS, lane->random);
  while (stress_now() < deadline);
  STRESS_CHECK(lane->running == &lane->own);
  __atomic_fetch_sub(&running_lanes, 1, __ATOMIC_RELAXED);
  return NULL;
}

static void *
collect_meanwhile(void *unused) {
  while (running_lanes > 0) {
    GC_gcollect();
    for (uint64_t i = 0; i < 20; i++)
      STRESS_CHECK(tree_is_right(tree_build(DEPTH, i), DEPTH, i));
  }
  return unused;
}

static void
switch_stacks(void) {
  pthread_t threads[LANES], collector;
  previous = GC_get_push_other_roots();
  GC_set_push_other_roots(push_parked);
  deadline = stress_now() + stress_seconds(0.15);
  running_lanes = LANES;
  make_coroutines();
  stress_create(&collector, collect_meanwhile, NULL);
  for (uintptr_t i = 1; i < LANES; i++)
    stress_create(&threads[i], run_lane, (void *)i);
  run_lane(NULL);
  for (size_t i = 1; i < LANES; i++)
    pthread_join(threads[i], NULL);
  pthread_join(collector, NULL);
  for (size_t i = 0; i < LANES; i++)
    STRESS_CHECK(lanes[i].switches > 0);
}

int
main(void) {
  stress_phase("stacks are switched", switch_stacks, NULL, NULL);
  stress_phase("stacks are switched", switch_stacks, "LOAM_STRESS_DELAY", "100");
  stress_phase("stacks are switched", switch_stacks, "LOAM_STRESS_COLLECT", "40");
  stress_phase("stacks are switched", switch_stacks, "LOAM_VERIFY", "1");
  stress_phase_in_modes("stacks are switched", switch_stacks);
  return tap_done();
}
