// Hypotheses: a switch between fibers that the collector knows costs few ns more than one that it does not;
// and a pause of a minor collection grows by what lives on the stacks of parked fibers, and by no more.
//
//   case=switch  two fibers that switch to each other: by GC_fiber_switch; by a few instructions of this
//                file's, each time after GC_fiber_note_switch, and without it; by swapcontext
//   case=pause   lists come and go, `young_mib` of them, beside `fibers` that are parked with at least
//                `bytes` on their stacks; with written=1 a word is written now and then into each of these,
//                so that it must be read
#include "harness.h"

#if defined(BENCH_LOAM) && defined(__x86_64__)

#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

enum { STACK_BYTES = 64 << 10 };

static GC_fiber *main_fiber, *other_fiber;
static size_t switches;

// ---- Switches ------------------------------------------------------------------------------------------

// Saves what a call keeps, save the floating-point mode.
void bare_switch(void **from, void **to);
__asm__(".text\n"
        ".type bare_switch, @function\n"
        "bare_switch:\n"
        "  push %rbp\n push %rbx\n push %r12\n push %r13\n push %r14\n push %r15\n"
        "  mov %rsp, (%rdi)\n mov (%rsi), %rsp\n"
        "  pop %r15\n pop %r14\n pop %r13\n pop %r12\n pop %rbx\n pop %rbp\n"
        "  pop %rcx\n jmp *%rcx\n"
        ".size bare_switch, . - bare_switch\n");

static void *main_frame, *other_frame;
static ucontext_t main_context, other_context;

static char *
stack_map(void) {
  void *stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  bench_check(stack != MAP_FAILED);
  return stack;
}

static void
back_bare(void) {
  for (;;)
    bare_switch(&other_frame, &main_frame);
}

static void
back_noted(void) {
  for (;;) {
    GC_fiber_note_switch(main_fiber);
    bare_switch(&other_frame, &main_frame);
  }
}

static void
back_by_context(void) {
  for (;;)
    swapcontext(&other_context, &main_context);
}

static GC_fiber *
back_by_loam(void *unused) {
  (void)unused;
  for (;;)
    GC_fiber_switch(main_fiber);
  return main_fiber;
}

static void
prepare_bare(void (*function)(void)) {
  char *stack = stack_map();
  void **frame = (void **)(void *)(stack + STACK_BYTES) - 9; // 8 past a multiple of 16 after the jump
  frame[6] = (void *)function;
  other_frame = frame;
  other_fiber = GC_fiber_register(stack, STACK_BYTES);
}

static void
prepare_context(void) {
  getcontext(&other_context);
  other_context.uc_stack = (stack_t){.ss_sp = stack_map(), .ss_size = STACK_BYTES};
  makecontext(&other_context, back_by_context, 0);
}

static void
there_and_back_bare(void) {
  for (size_t i = 0; i < switches; i += 2)
    bare_switch(&main_frame, &other_frame);
}

static void
there_and_back_noted(void) {
  for (size_t i = 0; i < switches; i += 2) {
    GC_fiber_note_switch(other_fiber);
    bare_switch(&main_frame, &other_frame);
  }
}

static void
there_and_back_by_context(void) {
  for (size_t i = 0; i < switches; i += 2)
    swapcontext(&main_context, &other_context);
}

static void
there_and_back_by_loam(void) {
  for (size_t i = 0; i < switches; i += 2)
    GC_fiber_switch(other_fiber);
}

static void
measure_switches(const char *how, void (*there_and_back)(void)) {
  there_and_back(); // warms up
  bench_begin();
  there_and_back();
  bench_end();
  bench_report_begin("switch %s", how);
  bench_field("ns_per_op", bench_seconds() * 1e9 / (double)switches);
  bench_report_end();
}

static void
run_switches(void) {
  main_fiber = GC_fiber_current();
  prepare_bare(back_bare);
  measure_switches("bare", there_and_back_bare);
  prepare_bare(back_noted);
  measure_switches("noted", there_and_back_noted);
  other_fiber = GC_fiber_create(0, back_by_loam, NULL);
  measure_switches("GC_fiber_switch", there_and_back_by_loam);
  prepare_context();
  measure_switches("swapcontext", there_and_back_by_context);
}

// ---- Pauses --------------------------------------------------------------------------------------------

enum { LIST_ITEMS = 15, WRITE_EVERY = 4096 };

struct item {
  struct item *next;
  uint64_t number;
};

struct parked {
  GC_fiber *fiber;
  void *volatile *word; // on its stack
  size_t bytes;
};

static GC_fiber *
park(void *parked_) {
  struct parked *parked = parked_;
  size_t words = parked->bytes / sizeof(void *) + 1;
  void *volatile frame[words]; // as deep as the bench is told
  for (size_t i = 0; i < words; i++)
    frame[i] = NULL;
  frame[words / 2] = bench_alloc(sizeof(struct item));
  parked->word = &frame[words / 2];
  GC_fiber_switch(main_fiber);
  return main_fiber;
}

static struct parked *
make_parked(size_t count, size_t bytes) {
  struct parked *all = calloc(count + 1, sizeof *all);
  bench_check(all != NULL);
  main_fiber = GC_fiber_current();
  for (size_t i = 0; i < count; i++) {
    all[i].bytes = bytes;
    all[i].fiber = GC_fiber_create(bytes + STACK_BYTES, park, &all[i]);
    bench_check(all[i].fiber != NULL);
    GC_fiber_switch(all[i].fiber);
  }
  return all;
}

static void
make_and_drop_list(uint64_t number) {
  struct item *list = NULL;
  for (int i = 0; i < LIST_ITEMS; i++) {
    struct item *item = bench_alloc(sizeof *item);
    item->next = list;
    item->number = number;
    list = item;
  }
  bench_check(list->next->number == number);
}

static void
run_pauses(void) {
  size_t count = (size_t)bench_param("fibers", 10000), bytes = (size_t)bench_param("bytes", 256);
  uint64_t young_mib = (uint64_t)bench_param("young_mib", 2048);
  bool written = bench_param("written", 0) != 0;
  bench_params_done();
  struct parked *all = make_parked(count, bytes);
  bench_collect();
  bench_begin();
  for (uint64_t i = 0; i < (young_mib << 20) / (LIST_ITEMS * sizeof(struct item)); i++) {
    make_and_drop_list(i);
    for (size_t j = 0; written && i % WRITE_EVERY == 0 && j < count; j++)
      *all[j].word = *all[j].word;
  }
  bench_end();
  bench_report_begin("fibers=%zu bytes=%zu%s", count, bytes, written ? " written" : "");
  bench_field_pauses();
  bench_report_end();
  for (size_t i = 0; i < count; i++)
    bench_check(GC_base((void *)*all[i].word) == *all[i].word);
}

int
main(int argc, char **argv) {
  bench_start("fibers", argc, argv);
  if (strcmp(bench_param_text("case", "switch"), "pause") == 0) {
    run_pauses();
    return 0;
  }
  switches = (size_t)bench_param("switches", 50000000) & ~(size_t)1;
  bench_params_done();
  run_switches();
  return 0;
}

#else

int
main(int argc, char **argv) {
  bench_start("fibers", argc, argv);
  bench_skip("it has no fibers");
}

#endif
