// Ten thousand fibers over eight threads, switched from any to any, while another thread collects: each has
// on its stack the only pointer to a tree that it checks.  Switched by Loam, and by the program itself.  And
// long stacks of parked fibers, into which other threads write the only pointers to trees.
#include <sys/mman.h>
#include <ucontext.h>

#include "tests/stress/stress.h"
#include "world/fibers.h"

enum { THREADS = 8, FIBERS = 10000, STACK_BYTES = 64 << 10, DEPTH = 2 };

// gcc 12's AddressSanitizer does not follow swapcontext.
#if defined(__SANITIZE_ADDRESS__)
enum { CONTEXTS_ARE_FOLLOWED = 0, MANY = FIBERS / 10 };
#else
enum { CONTEXTS_ARE_FOLLOWED = 1, MANY = FIBERS };
#endif

static double deadline;
static bool by_program; // switches with swapcontext
static unsigned long switches;

// ---- Routines: fibers, in memory that is not searched --------------------------------------------------

struct routine {
  GC_fiber *fiber;
  ucontext_t context;
  void *stack;
  uint64_t seed;
};

static __thread struct routine *current, *left, *home;

// A function may go on in another thread after a switch; the address of its thread-local variables must not
// be kept over that.
__attribute__((noinline)) static struct routine *
routine_current(void) {
  return current;
}

__attribute__((noinline)) static struct routine *
routine_left(void) {
  return left;
}

__attribute__((noinline)) static struct routine *
routine_home(void) {
  return home;
}

__attribute__((noinline)) static struct routine *
routine_change(struct routine *to) {
  struct routine *from = current;
  left = from;
  current = to;
  return from;
}

static void
routine_switch(struct routine *to) {
  struct routine *from = routine_change(to);
  if (by_program) {
    GC_fiber_note_switch(to->fiber);
    swapcontext(&from->context, &to->context);
  } else {
    GC_fiber_switch(to->fiber);
  }
  STRESS_CHECK(routine_current() == from && GC_fiber_current() == from->fiber);
  STRESS_CHECK(GC_fiber_previous() == routine_left()->fiber);
}

// ---- The queue of those that can go on -----------------------------------------------------------------

static struct routine *queue[MANY];
static size_t queue_first, queue_count;
static pthread_mutex_t queue_mutex = PTHREAD_MUTEX_INITIALIZER;

static void
queue_put(struct routine *routine) {
  pthread_mutex_lock(&queue_mutex);
  queue[(queue_first + queue_count++) % MANY] = routine;
  pthread_mutex_unlock(&queue_mutex);
}

static struct routine *
queue_take(void) {
  struct routine *routine = NULL;
  pthread_mutex_lock(&queue_mutex);
  if (queue_count > 0) {
    routine = queue[queue_first];
    queue_first = (queue_first + 1) % MANY;
    queue_count--;
    switches++;
  }
  pthread_mutex_unlock(&queue_mutex);
  return routine;
}

// Whoever arrives puts the one that was left where others may take it.
static void
go_to(struct routine *to) {
  routine_switch(to);
  struct routine *before = routine_left();
  if (before != routine_home())
    queue_put(before);
}

// ---- What they do --------------------------------------------------------------------------------------

static void
let_another(uint64_t *random) {
  bool over = stress_now() >= deadline;
  struct routine *next = over || stress_random(random) % 8 == 0 ? NULL : queue_take();
  go_to(next ? next : routine_home());
}

// Some park a little deeper than others.
static void
let_another_below(int frames, uint64_t *random) {
  volatile char frame[200];
  frame[0] = 1;
  if (frames == 0)
    let_another(random);
  else
    let_another_below(frames - 1, random);
  frame[1] = frame[0];
}

static void
live(struct routine *self) {
  uint64_t random = self->seed * 0x9e3779b97f4a7c15 | 1;
  for (uint64_t i = 0;; i++) {
    uint64_t seed = self->seed + i;
    struct tree *volatile tree = tree_build(DEPTH, seed);
    for (int turn = 0; turn < 3; turn++) {
      let_another_below((int)(stress_random(&random) % 8), &random);
      STRESS_CHECK(tree_is_right(tree, DEPTH, seed));
    }
  }
}

static GC_fiber *
live_on_fiber(void *self) {
  struct routine *before = routine_left();
  if (before != routine_home())
    queue_put(before);
  live(self);
  return NULL;
}

static void
live_on_context(unsigned high, unsigned low) {
  live_on_fiber((void *)((uintptr_t)high << 32 | low));
}

static void
make_routine(struct routine *routine, uint64_t seed) {
  routine->seed = seed << 20;
  if (!by_program) {
    routine->fiber = GC_fiber_create(STACK_BYTES, live_on_fiber, routine);
    STRESS_CHECK(routine->fiber);
    return;
  }
  routine->stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  STRESS_CHECK(routine->stack != MAP_FAILED);
  routine->fiber = GC_fiber_register(routine->stack, STACK_BYTES);
  getcontext(&routine->context);
  routine->context.uc_stack = (stack_t){.ss_sp = routine->stack, .ss_size = STACK_BYTES};
  makecontext(&routine->context, (void (*)(void))live_on_context, 2, (unsigned)((uintptr_t)routine >> 32),
              (unsigned)(uintptr_t)routine);
}

static void
free_routine(struct routine *routine) {
  GC_fiber_free(routine->fiber);
  if (routine->stack)
    munmap(routine->stack, STACK_BYTES);
}

// ---- Threads -------------------------------------------------------------------------------------------

static void *
work(void *unused) {
  struct routine own = {.fiber = GC_fiber_current()};
  struct tree *volatile tree = tree_build(DEPTH, 1);
  home = current = &own;
  while (stress_now() < deadline) {
    struct routine *next = queue_take();
    if (next)
      go_to(next);
    STRESS_CHECK(routine_current() == &own && tree_is_right(tree, DEPTH, 1));
  }
  return unused;
}

static void *
collect(void *unused) {
  for (unsigned i = 0; stress_now() < deadline; i++) {
    GC_gcollect();
    if (i % 64 == 63)
      STRESS_CHECK(gc_verify() == 0);
  }
  return unused;
}

static void
switch_all(void) {
  static struct routine routines[MANY];
  pthread_t threads[THREADS], collector;
  for (size_t i = 0; i < MANY; i++) {
    make_routine(&routines[i], i + 1);
    queue_put(&routines[i]);
  }
  deadline = stress_now() + stress_seconds(0.2);
  for (size_t i = 0; i < THREADS; i++)
    stress_create(&threads[i], work, NULL);
  stress_create(&collector, collect, NULL);
  for (size_t i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
  pthread_join(collector, NULL);
  STRESS_CHECK(queue_count == MANY && switches > 0);
  tap_note("%lu switches, %lu collections", switches, (unsigned long)GC_get_gc_no());
  for (size_t i = 0; i < MANY; i++)
    free_routine(&routines[i]);
  GC_gcollect();
}

static void
switch_by_loam(void) {
  by_program = false;
  switch_all();
}

static void
switch_by_program(void) {
  by_program = true;
  switch_all();
}

// ---- Writing into parked stacks ------------------------------------------------------------------------

enum { LONG_STACKS = 24, WORDS = 8000, SLOTS = 16, WRITERS = 3 };

// The slots are spread over a frame of 64 KB.
struct long_stack {
  GC_fiber *fiber;
  struct tree *volatile *words;
  uint64_t seeds[SLOTS];
  pthread_mutex_t mutex;
};

static struct long_stack long_stacks[LONG_STACKS];
static volatile size_t passed_over; // stacks by the last search, added up; roughly

static GC_fiber *
lie_long(void *long_stack_) {
  struct long_stack *long_stack = long_stack_;
  struct tree *volatile words[WORDS] = {NULL};
  long_stack->words = words;
  for (;;) {
    GC_fiber_switch(GC_fiber_previous());
    for (size_t i = 0; i < SLOTS; i++)
      STRESS_CHECK(!words[i * (WORDS / SLOTS)] ||
                   tree_is_right(words[i * (WORDS / SLOTS)], DEPTH, long_stack->seeds[i]));
  }
  return NULL;
}

static void
write_one(struct long_stack *long_stack, uint64_t *random) {
  size_t slot = stress_random(random) % SLOTS;
  struct tree *volatile *word = &long_stack->words[slot * (WORDS / SLOTS)];
  STRESS_CHECK(!*word || tree_is_right(*word, DEPTH, long_stack->seeds[slot]));
  long_stack->seeds[slot] = stress_random(random) >> 8;
  *word = tree_build(DEPTH, long_stack->seeds[slot]);
}

// To some for a while, and then to others, so that most stay as they are over several cycles.  One in sixteen
// goes on for a moment.
static void *
write_into_stacks(void *seed) {
  uint64_t random = (uintptr_t)seed;
  for (size_t i = 0; stress_now() < deadline; i++) {
    size_t number = i / 64 + stress_random(&random) % 4;
    struct long_stack *long_stack = &long_stacks[number % LONG_STACKS];
    passed_over += gc_fibers_passed_over();
    pthread_mutex_lock(&long_stack->mutex);
    if (stress_random(&random) % 16 == 0)
      GC_fiber_switch(long_stack->fiber);
    else
      write_one(long_stack, &random);
    pthread_mutex_unlock(&long_stack->mutex);
    for (int i = 0; i < 50; i++)
      STRESS_CHECK(tree_build(4, 1));
  }
  return NULL;
}

static void
write_to_all(void) {
  pthread_t writers[WRITERS];
  deadline = stress_now() + stress_seconds(0.2);
  for (size_t i = 0; i < LONG_STACKS; i++) {
    pthread_mutex_init(&long_stacks[i].mutex, NULL);
    long_stacks[i].fiber = GC_fiber_create(0, lie_long, &long_stacks[i]);
    GC_fiber_switch(long_stacks[i].fiber);
  }
  for (size_t i = 0; i < WRITERS; i++)
    stress_create(&writers[i], write_into_stacks, (void *)(i * 77 + 1));
  for (size_t i = 0; i < WRITERS; i++)
    pthread_join(writers[i], NULL);
  tap_note("%lu collections, stacks passed over: %zu", (unsigned long)GC_get_gc_no(), passed_over);
  for (size_t i = 0; i < LONG_STACKS; i++) {
    GC_fiber_switch(long_stacks[i].fiber);
    GC_fiber_free(long_stacks[i].fiber);
  }
}

// Without LOAM_STRESS_COLLECT, most cycles are minor ones.
static void
write_in_modes(const char *name) {
  static const char *const modes[] = {"stop", "generational", "concurrent"};
  setenv("LOAM_NURSERY", "256K", 1);
  for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
    char title[200];
    snprintf(title, sizeof title, "%s, %s", name, modes[i]);
    setenv("GC_MODE", modes[i], 1);
    stress_phase(title, write_to_all, NULL, NULL);
    stress_phase(title, write_to_all, "LOAM_VERIFY", "1");
  }
  unsetenv("GC_MODE");
  unsetenv("LOAM_NURSERY");
}

int
main(void) {
  const char *many = "10,000 fibers over 8 threads", *parked = "writes into parked stacks";
  stress_phase(many, switch_by_loam, NULL, NULL);
  stress_phase(many, switch_by_loam, "LOAM_STRESS_DELAY", "300");
  stress_phase(many, switch_by_loam, "LOAM_STRESS_COLLECT", "97");
  stress_phase(many, switch_by_loam, "LOAM_VERIFY", "1");
  stress_phase_in_modes(many, switch_by_loam);
  if (CONTEXTS_ARE_FOLLOWED) {
    stress_phase("the same, switched by the program", switch_by_program, NULL, NULL);
    stress_phase_in_modes("the same, switched by the program", switch_by_program);
  }
  write_in_modes(parked);
  stress_phase_in_modes(parked, write_to_all);
  return tap_done();
}
