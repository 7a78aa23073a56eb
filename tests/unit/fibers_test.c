// Fibers: what a collection searches of them, wherever threads are with their switches.  Objects whose
// addresses are hidden tell what was found.
#include "world/fibers.h"

#include <fenv.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/hooks.h"
#include "base/lock.h"
#include "os/writes.h"
#include "world/world.h"

#define GC_THREADS
#define GC_NO_THREAD_REDIRECTS
#include "gc.h"
#include "tests/regress/objects.h"

static GC_fiber *own; // the fiber that the test runs on

static void
run_in_thread(void *(*function)(void *), void *argument) {
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, function, argument), 0);
  pthread_join(thread, NULL);
}

// ---- Switching -----------------------------------------------------------------------------------------

static GC_fiber *
give_squares(void *result_) {
  int *result = result_;
  for (int i = 0; i < 10; i++) {
    *result = i * i;
    GC_fiber_switch(GC_fiber_previous());
  }
  *result = -1;
  return GC_fiber_previous();
}

static void
generator_goes_on_where_it_was(void **state) {
  int result;
  GC_fiber *fiber = GC_fiber_create(0, give_squares, &result);
  (void)state;
  assert_non_null(fiber);
  for (int i = 0; i < 10; i++) {
    GC_fiber_switch(fiber);
    assert_int_equal(result, i * i);
    assert_ptr_equal(GC_fiber_current(), own);
    assert_ptr_equal(GC_fiber_previous(), fiber);
  }
  GC_fiber_switch(fiber);
  assert_int_equal(result, -1);
  GC_fiber_free(fiber);
}

static void
switch_to_itself_does_nothing(void **state) {
  (void)state;
  GC_fiber_switch(own);
  assert_ptr_equal(GC_fiber_current(), own);
  GC_fiber_free(NULL);
}

static GC_fiber *
round_upward(void *right) {
  *(bool *)right = fegetround() == FE_DOWNWARD;
  fesetround(FE_UPWARD);
  GC_fiber_switch(own);
  *(bool *)right &= fegetround() == FE_UPWARD;
  return own;
}

// A new fiber has its creator's.
static void
rounding_is_the_fibers(void **state) {
  bool right = false;
  (void)state;
  fesetround(FE_DOWNWARD);
  GC_fiber *fiber = GC_fiber_create(0, round_upward, &right);
  fesetround(FE_TONEAREST);
  GC_fiber_switch(fiber);
  assert_true(right);
  assert_int_equal(fegetround(), FE_TONEAREST);
  GC_fiber_switch(fiber);
  assert_true(right);
  GC_fiber_free(fiber);
}

// ---- What is kept --------------------------------------------------------------------------------------

static GC_fiber *
hold(void *hidden_address) {
  void *volatile object = reveal(*(hidden *)hidden_address);
  GC_fiber_switch(own);
  object = NULL;
  (void)object;
  GC_fiber_switch(own);
  return own;
}

enum { SEVERAL = 20 };

// Several, because a stale word may keep one.
static void
parked_stack_keeps_its_objects(void **state) {
  uintptr_t objects[SEVERAL];
  GC_fiber *fibers[SEVERAL];
  (void)state;
  for (int i = 0; i < SEVERAL; i++) {
    hidden object = objects[i] = new_hidden();
    fibers[i] = GC_fiber_create(0, hold, (void *)&object);
    GC_fiber_switch(fibers[i]);
  }
  collect();
  for (int i = 0; i < SEVERAL; i++) {
    assert_true(is_there(objects[i]));
    GC_fiber_switch(fibers[i]);
  }
  collect();
  assert_true(count_left(objects, SEVERAL) < SEVERAL / 2);
  for (int i = 0; i < SEVERAL; i++)
    GC_fiber_free(fibers[i]);
}

static void
freed_fiber_keeps_nothing(void **state) {
  uintptr_t objects[SEVERAL];
  GC_fiber *fibers[SEVERAL];
  (void)state;
  for (int i = 0; i < SEVERAL; i++) {
    hidden object = objects[i] = new_hidden();
    fibers[i] = GC_fiber_create(0, hold, (void *)&object);
    GC_fiber_switch(fibers[i]);
  }
  size_t count = gc_fibers_count();
  for (int i = 0; i < SEVERAL; i++)
    GC_fiber_free(fibers[i]);
  assert_int_equal(gc_fibers_count(), count - SEVERAL);
  collect();
  assert_true(count_left(objects, SEVERAL) < SEVERAL / 2);
}

static GC_fiber *
take_argument(void *object) {
  memset(object, OBJECT_MARK, 1);
  return own;
}

__attribute__((noinline)) static GC_fiber *
create_with_object(hidden *object) {
  *object = new_hidden();
  return GC_fiber_create(0, take_argument, reveal(*object));
}

static void
new_fiber_keeps_its_argument(void **state) {
  hidden object;
  (void)state;
  GC_fiber *fiber = create_with_object(&object);
  collect();
  assert_true(is_there(object));
  GC_fiber_switch(fiber);
  GC_fiber_free(fiber);
}

static GC_fiber *
collect_and_end(void *unused) {
  (void)unused;
  collect();
  return own;
}

static void
own_stack_is_parked_meanwhile(void **state) {
  hidden object = new_hidden();
  void *volatile kept = reveal(object);
  (void)state;
  GC_fiber *fiber = GC_fiber_create(0, collect_and_end, NULL);
  GC_fiber_switch(fiber);
  assert_true(is_there(object));
  kept = NULL;
  (void)kept;
  GC_fiber_free(fiber);
}

// ---- Threads -------------------------------------------------------------------------------------------

static GC_fiber *
go_round(void *places_) {
  GC_fiber **places = places_;
  hidden object = new_hidden();
  void *volatile kept = reveal(object);
  for (int i = 0; i < 4; i++) {
    collect();
    assert_true(is_there(object));
    GC_fiber_switch(places[i % 2]);
  }
  kept = NULL;
  (void)kept;
  return places[0];
}

struct migration {
  GC_fiber *fiber, *places[2]; // of the two threads
};

static void *
go_on_with(void *migration_) {
  struct migration *migration = migration_;
  migration->places[1] = GC_fiber_current();
  GC_fiber_switch(migration->fiber);
  assert_ptr_equal(GC_fiber_current(), migration->places[1]);
  assert_ptr_equal(GC_fiber_previous(), migration->fiber);
  return NULL;
}

static void
fiber_goes_from_thread_to_thread(void **state) {
  struct migration migration = {.places = {own, NULL}};
  (void)state;
  migration.fiber = GC_fiber_create(0, go_round, migration.places);
  GC_fiber_switch(migration.fiber);
  run_in_thread(go_on_with, &migration);
  GC_fiber_switch(migration.fiber);
  run_in_thread(go_on_with, &migration);
  GC_fiber_switch(migration.fiber);
  GC_fiber_free(migration.fiber);
}

static GC_fiber *
end_thread(void *hidden_address) {
  void *volatile object = reveal(*(hidden *)hidden_address);
  (void)object;
  pthread_exit(NULL);
}

struct ending {
  hidden object;
  GC_fiber *fiber;
};

static void *
end_on_fiber(void *ending_) {
  struct ending *ending = ending_;
  ending->object = new_hidden();
  ending->fiber = GC_fiber_create(0, end_thread, (void *)&ending->object);
  GC_fiber_switch(ending->fiber);
  return NULL;
}

static void
thread_may_end_on_a_fiber(void **state) {
  struct ending endings[SEVERAL];
  uintptr_t objects[SEVERAL];
  (void)state;
  for (int i = 0; i < SEVERAL; i++) {
    run_in_thread(end_on_fiber, &endings[i]);
    objects[i] = endings[i].object;
    collect();
  }
  collect();
  assert_true(count_left(objects, SEVERAL) < SEVERAL / 2);
  for (int i = 0; i < SEVERAL; i++)
    GC_fiber_free(endings[i].fiber);
}

// ---- Signals -------------------------------------------------------------------------------------------

enum { ALTERNATE_BYTES = 64 << 10 };

static volatile sig_atomic_t in_handler, released;

static const void *volatile in_parked_stack;

// Its frame has a pointer into a stack that it has not interrupted.
static void
wait_in_handler(int number) {
  const void *volatile pointer = in_parked_stack;
  (void)number, (void)pointer;
  in_handler = 1;
  while (!released)
    continue;
}

struct interruption {
  hidden on_own, on_fiber, on_parked;
  GC_fiber *parked;
};

static GC_fiber *
be_interrupted(void *interruption_) {
  struct interruption *interruption = interruption_;
  void *volatile object = reveal(interruption->on_fiber);
  raise(SIGUSR1);
  object = NULL;
  (void)object;
  return GC_fiber_previous();
}

static GC_fiber *
hold_and_return(void *hidden_address) {
  void *volatile object = reveal(*(hidden *)hidden_address);
  GC_fiber_switch(GC_fiber_previous());
  object = NULL;
  (void)object;
  return GC_fiber_previous();
}

static void *
run_with_alternate_stack(void *interruption_) {
  struct interruption *interruption = interruption_;
  stack_t stack = {.ss_sp = malloc(ALTERNATE_BYTES), .ss_size = ALTERNATE_BYTES}, old;
  struct sigaction action = {.sa_handler = wait_in_handler, .sa_flags = SA_ONSTACK};
  void *volatile object = reveal(interruption->on_own);
  sigaltstack(&stack, &old);
  sigaction(SIGUSR1, &action, NULL);
  interruption->parked = GC_fiber_create(0, hold_and_return, (void *)&interruption->on_parked);
  GC_fiber_switch(interruption->parked);
  in_parked_stack = interruption->parked->stack.limit - 8;
  GC_fiber *fiber = GC_fiber_create(0, be_interrupted, interruption);
  GC_fiber_switch(fiber);
  object = NULL;
  (void)object;
  sigaltstack(&old, NULL);
  free(stack.ss_sp);
  GC_fiber_free(fiber);
  GC_fiber_free(interruption->parked);
  return NULL;
}

static void
handler_on_an_alternate_stack(void **state) {
  struct interruption interruption;
  pthread_t thread;
  (void)state;
  in_handler = released = 0;
  GC_disable();
  interruption.on_own = new_hidden();
  interruption.on_fiber = new_hidden();
  interruption.on_parked = new_hidden();
  assert_int_equal(pthread_create(&thread, NULL, run_with_alternate_stack, &interruption), 0);
  while (!in_handler)
    continue;
  GC_enable();
  collect();
  assert_true(is_there(interruption.on_own));
  assert_true(is_there(interruption.on_fiber));
  assert_true(is_there(interruption.on_parked));
  released = 1;
  pthread_join(thread, NULL);
}

// ---- Stacks that the program switches ------------------------------------------------------------------

enum { STACK_BYTES = 128 << 10 };

// Contexts lie where nobody searches.
struct routine {
  GC_fiber *fiber;
  ucontext_t context, back;
  char *stack;
  hidden object;
  bool whole;
};

static void
run_routine(unsigned high, unsigned low) {
  struct routine *routine = (struct routine *)((uintptr_t)high << 32 | low);
  void *volatile object = reveal(routine->object);
  for (int i = 0; i < 3; i++) {
    GC_fiber_note_switch(own);
    swapcontext(&routine->context, &routine->back);
    routine->whole &= is_there(hide(object));
  }
  object = NULL;
  (void)object;
  GC_fiber_note_switch(own);
}

static struct routine *
make_routine(uintptr_t object) {
  struct routine *routine = calloc(1, sizeof *routine);
  routine->stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  routine->fiber = GC_fiber_register(routine->stack, STACK_BYTES);
  routine->object = object;
  routine->whole = true;
  getcontext(&routine->context);
  routine->context.uc_stack = (stack_t){.ss_sp = routine->stack, .ss_size = STACK_BYTES};
  routine->context.uc_link = &routine->back;
  makecontext(&routine->context, (void (*)(void))run_routine, 2, (unsigned)((uintptr_t)routine >> 32),
              (unsigned)(uintptr_t)routine);
  return routine;
}

static void
enter_routine(struct routine *routine) {
  GC_fiber_note_switch(routine->fiber);
  swapcontext(&routine->back, &routine->context);
}

static void
free_routine(struct routine *routine) {
  GC_fiber_free(routine->fiber);
  munmap(routine->stack, STACK_BYTES);
  free(routine);
}

static void
contexts_are_switched(void **state) {
  struct routine *routines[SEVERAL];
  (void)state;
  for (int i = 0; i < SEVERAL; i++) {
    routines[i] = make_routine(new_hidden());
    enter_routine(routines[i]);
  }
  for (int turn = 0; turn < 3; turn++) {
    collect();
    for (int i = 0; i < SEVERAL; i++) {
      assert_true(is_there(routines[i]->object));
      enter_routine(routines[i]);
      assert_ptr_equal(GC_fiber_current(), own);
    }
  }
  for (int i = 0; i < SEVERAL; i++) {
    assert_true(routines[i]->whole);
    free_routine(routines[i]);
  }
}

// Where makecontext or the program puts what the first function is given.
static void
stack_that_was_not_entered_yet(void **state) {
  (void)state;
  char *stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  hidden object = new_hidden();
  GC_fiber *fiber = GC_fiber_register(stack, STACK_BYTES);
  *(void **)(stack + STACK_BYTES - 256) = reveal(object);
  collect();
  assert_true(is_there(object));
  GC_fiber_free(fiber);
  munmap(stack, STACK_BYTES);
}

// As if the world were stopped between the note and the switch: a collection there, on the old stack.
static void
between_note_and_switch(void **state) {
  hidden on_other = new_hidden(), here = new_hidden();
  void *volatile kept = reveal(here);
  (void)state;
  struct routine *routine = make_routine(on_other);
  enter_routine(routine);
  GC_fiber_note_switch(routine->fiber);
  collect();
  assert_true(is_there(here));
  assert_true(is_there(on_other));
  swapcontext(&routine->back, &routine->context);
  assert_true(is_there(here));
  kept = NULL;
  (void)kept;
  free_routine(routine);
}

#if defined(__x86_64__)

// Parks with the only pointer in rbx, which this switch saves nowhere.
void park_with_rbx(uintptr_t hidden_address, GC_fiber *to, void **from_pointer, void **to_pointer);
__asm__(".text\n"
        ".type park_with_rbx, @function\n"
        "park_with_rbx:\n"
        "  push %rbx\n push %rbp\n push %r12\n push %r13\n push %r14\n"
        "  mov %rdx, %r12\n mov %rcx, %r13\n"
        "  mov %rdi, %rbx\n not %rbx\n"
        "  mov %rsi, %rdi\n"
        "  call GC_fiber_note_switch@PLT\n"
        "  xor %ebx, %ebx\n"
        "  mov %rsp, (%r12)\n mov (%r13), %rsp\n"
        "  pop %r14\n pop %r13\n pop %r12\n pop %rbp\n pop %rbx\n"
        "  ret\n"
        ".size park_with_rbx, . - park_with_rbx\n");

static void *main_pointer, *routine_pointer;
static uintptr_t in_register;

static void
run_on_bare_stack(void) {
  collect();
  assert_true(is_there(in_register));
  park_with_rbx(0, own, &routine_pointer, &main_pointer);
  abort();
}

static void
registers_at_the_note_are_kept(void **state) {
  (void)state;
  char *stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  void **frame = (void **)(stack + STACK_BYTES) - 7; // its ret leaves the stack as a call does
  frame[5] = (void *)run_on_bare_stack;
  routine_pointer = frame;
  GC_fiber *fiber = GC_fiber_register(stack, STACK_BYTES);
  in_register = new_hidden();
  park_with_rbx(in_register, fiber, &main_pointer, &routine_pointer);
  assert_ptr_equal(GC_fiber_current(), own);
  GC_fiber_free(fiber);
  munmap(stack, STACK_BYTES);
}

// ---- Every instruction of a switch ---------------------------------------------------------------------
//
// With the trap flag set a signal comes after each instruction; its handler waits, there, until another
// thread has collected and looked for the objects.

static struct {
  pthread_t looker;
  volatile sig_atomic_t wanted, over;
  hidden objects[2];
  int steps, lost;
} stepping;

static void
look_after_step(int number) {
  (void)number;
  stepping.wanted = 1;
  while (stepping.wanted)
    sched_yield();
}

static void *
look_at_each_step(void *unused) {
  while (!stepping.over) {
    if (stepping.wanted) {
      collect();
      for (size_t i = 0; i < 2; i++)
        stepping.lost += stepping.objects[i] && !is_there(stepping.objects[i]);
      stepping.steps++;
      stepping.wanted = 0;
    }
    sched_yield();
  }
  return unused;
}

// Below the red zone.
#define BEGIN_STEPPING()                                                             \
  __asm__ volatile("lea -128(%%rsp), %%rsp\n pushfq\n orq $0x100, (%%rsp)\n popfq\n" \
                   "lea 128(%%rsp), %%rsp" ::                                        \
                       : "memory", "cc")
#define END_STEPPING()                                                                 \
  __asm__ volatile("lea -128(%%rsp), %%rsp\n pushfq\n andq $~0x100, (%%rsp)\n popfq\n" \
                   "lea 128(%%rsp), %%rsp" ::                                          \
                       : "memory", "cc")

static void
prepare_stepping(int flags) {
  struct sigaction action = {.sa_handler = look_after_step, .sa_flags = flags};
  memset(&stepping, 0, sizeof stepping);
  sigaction(SIGTRAP, &action, NULL);
  assert_int_equal(pthread_create(&stepping.looker, NULL, look_at_each_step, NULL), 0);
}

static void
finish_stepping(int least_steps) {
  stepping.over = 1;
  pthread_join(stepping.looker, NULL);
  print_message("# %d instructions\n", stepping.steps);
  assert_int_equal(stepping.lost, 0);
  assert_true(stepping.steps >= least_steps);
}

// Entered with stepping, left with it.
static GC_fiber *
step_through(void *object_) {
  void *volatile object = object_;
  END_STEPPING();
  object_ = NULL;
  for (int i = 0; i < 2; i++) {
    BEGIN_STEPPING();
    GC_fiber_switch(own);
    END_STEPPING();
  }
  object = NULL;
  (void)object;
  return own;
}

__attribute__((noinline)) static GC_fiber *
create_stepping_fiber(void) {
  void *object = GC_malloc(OBJECT_BYTES);
  memset(object, OBJECT_MARK, OBJECT_BYTES);
  stepping.objects[0] = hide(object);
  return GC_fiber_create(0, step_through, object);
}

static void
step_between_fibers(int flags) {
  prepare_stepping(flags);
  void *volatile kept = GC_malloc(OBJECT_BYTES);
  memset(kept, OBJECT_MARK, OBJECT_BYTES);
  stepping.objects[1] = hide(kept);
  GC_fiber *fiber = create_stepping_fiber();
  for (int i = 0; i < 2; i++) {
    BEGIN_STEPPING();
    GC_fiber_switch(fiber);
    END_STEPPING();
  }
  finish_stepping(100);
  kept = NULL;
  (void)kept;
  GC_fiber_switch(fiber);
  GC_fiber_free(fiber);
}

static void
every_instruction_of_a_switch(void **state) {
  stack_t stack = {.ss_sp = malloc(ALTERNATE_BYTES), .ss_size = ALTERNATE_BYTES}, old;
  (void)state;
  step_between_fibers(0);
  sigaltstack(&stack, &old);
  step_between_fibers(SA_ONSTACK);
  sigaltstack(&old, NULL);
  free(stack.ss_sp);
}

static void
run_stepped_on_bare_stack(void) {
  END_STEPPING();
  for (int i = 0; i < 2; i++) {
    BEGIN_STEPPING();
    park_with_rbx(0, own, &routine_pointer, &main_pointer);
    END_STEPPING();
  }
  abort();
}

// The object on the other stack takes the place of a return address at its top.
static void
every_instruction_of_a_noted_switch(void **state) {
  (void)state;
  char *stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  void **frame = (void **)(stack + STACK_BYTES) - 7;
  frame[5] = (void *)run_stepped_on_bare_stack;
  routine_pointer = frame;
  GC_fiber *fiber = GC_fiber_register(stack, STACK_BYTES);
  prepare_stepping(0);
  hidden on_other = new_hidden(), here = new_hidden();
  void *volatile kept = reveal(here);
  frame[6] = reveal(on_other);
  stepping.objects[0] = here;
  stepping.objects[1] = on_other;
  for (int i = 0; i < 2; i++) {
    BEGIN_STEPPING();
    park_with_rbx(0, fiber, &main_pointer, &routine_pointer);
    END_STEPPING();
  }
  finish_stepping(100);
  kept = NULL;
  (void)kept;
  GC_fiber_free(fiber);
  munmap(stack, STACK_BYTES);
}

#else

static void
registers_at_the_note_are_kept(void **state) {
  (void)state;
  skip(); // written for x86-64, as those below
}

static void
every_instruction_of_a_switch(void **state) {
  (void)state;
  skip();
}

static void
every_instruction_of_a_noted_switch(void **state) {
  (void)state;
  skip();
}

#endif

// ---- Memory --------------------------------------------------------------------------------------------

static size_t
resident_bytes(const struct gc_fiber *fiber) {
  size_t page_bytes = gc_os_page_bytes(), pages = gc_range_bytes(fiber->stack) / page_bytes, resident = 0;
  unsigned char *present = malloc(pages);
  assert_int_equal(mincore((void *)(uintptr_t)fiber->stack.base, pages * page_bytes, present), 0);
  for (size_t i = 0; i < pages; i++)
    resident += present[i] & 1;
  free(present);
  return resident * page_bytes;
}

static void
untouched_stack_takes_no_memory(void **state) {
  GC_fiber *fibers[SEVERAL];
  size_t before[SEVERAL];
  (void)state;
  for (int i = 0; i < SEVERAL; i++) {
    hidden object = new_hidden();
    fibers[i] = GC_fiber_create(1 << 20, hold, (void *)&object);
    GC_fiber_switch(fibers[i]);
    before[i] = resident_bytes(fibers[i]);
    assert_true(before[i] <= 64 << 10);
  }
  for (int i = 0; i < 3; i++)
    collect();
  for (int i = 0; i < SEVERAL; i++) {
    assert_int_equal(resident_bytes(fibers[i]), before[i]);
    GC_fiber_free(fibers[i]);
  }
}

static void
refused_memory_is_told(void **state) {
  (void)state;
  gc_os_stress_fail(1);
  GC_fiber *fiber = GC_fiber_create(0, hold, NULL);
  gc_os_stress_fail(0);
  assert_null(fiber);
  assert_null(GC_fiber_create(SIZE_MAX / 4, hold, NULL));
}

// ---- fork ----------------------------------------------------------------------------------------------

static GC_fiber *
fork_child(void *fibers_) {
  GC_fiber **fibers = fibers_;
  hidden object = new_hidden();
  void *volatile kept = reveal(object);
  int status = -1;
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    alarm(60);
    collect();
    bool right = is_there(object) && GC_fiber_current() == fibers[0];
    GC_fiber_switch(fibers[1]); // parked in the parent
    right = right && gc_verify() == 0;
    _exit(right ? 0 : 1);
  }
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(status, 0);
  kept = NULL;
  (void)kept;
  return own;
}

static GC_fiber *
hold_for_child(void *fibers_) {
  GC_fiber **fibers = fibers_;
  hidden object = new_hidden();
  void *volatile kept = reveal(object);
  GC_fiber_switch(own);
  collect();
  if (!is_there(object))
    _exit(2);
  kept = NULL;
  (void)kept;
  return fibers[0];
}

static void
child_goes_on_with_fibers(void **state) {
  GC_fiber *fibers[2];
  (void)state;
  fibers[0] = GC_fiber_create(0, fork_child, fibers);
  fibers[1] = GC_fiber_create(0, hold_for_child, fibers);
  GC_fiber_switch(fibers[1]);
  GC_fiber_switch(fibers[0]);
  GC_fiber_free(fibers[0]);
  GC_fiber_free(fibers[1]);
}

// ---- Long stacks that do not change --------------------------------------------------------------------

enum { DEEP_WORDS = 8192 }; // 64 KiB

struct deep {
  void *volatile *words;
  GC_fiber *fiber;
};

static GC_fiber *
lie_deep(void *deep_) {
  struct deep *deep = deep_;
  void *volatile words[DEEP_WORDS];
  for (size_t i = 0; i < DEEP_WORDS; i++)
    words[i] = NULL;
  deep->words = words;
  for (int i = 0; i < 100; i++)
    GC_fiber_switch(GC_fiber_previous());
  return GC_fiber_previous();
}

static struct gc_range_array roots;

struct look {
  const volatile void *word;
  bool (*collect)(struct gc_range_array *roots);
  bool found;
};

static void
look_stw(void *look_) {
  struct look *look = look_;
  gc_range_array_clear(&roots);
  assert_true(look->collect(&roots));
  for (size_t i = 0; i < roots.count; i++)
    look->found |=
        roots.items[i].base <= (const char *)look->word && (const char *)look->word < roots.items[i].limit;
}

static void *
look_spilled(void *look) {
  return gc_world_call_stopped(look_stw, look) ? look : NULL;
}

static bool
is_in_roots(const volatile void *word, bool (*collect)(struct gc_range_array *roots)) {
  struct look look = {.word = word, .collect = collect};
  gc_lock_acquire(&gc_cycle_lock);
  assert_non_null(gc_world_call_spilled(look_spilled, &look));
  gc_lock_release(&gc_cycle_lock);
  return look.found;
}

static bool
begin_search(struct gc_range_array *into) {
  return gc_roots_begin_search_stw(into, NULL);
}

// By the next pause that is no full collection's.
static bool
is_searched(const volatile void *word) {
  return is_in_roots(word, begin_search);
}

static void *
write_word(void *word) {
  *(void **)word = word;
  return NULL;
}

static void
unchanged_stack_is_not_read_again(void **state) {
  struct deep deep;
  (void)state;
  if (GC_set_mode(GC_MODE_GENERATIONAL) != GC_MODE_GENERATIONAL || gc_writes_kind() != GC_WRITES_USERFAULT) {
    print_message("# SKIP writes cannot be noticed by userfaultfd here\n");
    skip();
  }
  deep.fiber = GC_fiber_create(0, lie_deep, &deep);
  GC_fiber_switch(deep.fiber);
  void *volatile *word = &deep.words[DEEP_WORDS / 2];
  GC_gcollect();
  is_searched(word); // noticing begins
  assert_false(is_searched(word));
  assert_int_equal(gc_fibers_passed_over(), 1);
  run_in_thread(write_word, (void *)word);
  assert_true(is_in_roots(word, gc_roots_collect_stw)); // to look is no search
  assert_true(is_searched(word));
  assert_false(is_searched(word));
  GC_fiber_switch(deep.fiber);
  assert_true(is_searched(word));
  assert_false(is_searched(word)); // it has written lower only
  gc_fibers_forget_searched_stw();
  assert_true(is_searched(word));
  assert_false(is_searched(word));
  gc_fibers_forget_searched_stw(); // nothing was marked
  GC_fiber_free(deep.fiber);
  GC_set_mode(GC_MODE_AUTO);
}

// The only pointer is written into its frame, between one minor collection and the next.
static void
value_handed_to_a_waiting_fiber(void **state) {
  struct deep deep;
  (void)state;
  if (GC_set_mode(GC_MODE_GENERATIONAL) != GC_MODE_GENERATIONAL)
    skip();
  deep.fiber = GC_fiber_create(0, lie_deep, &deep);
  GC_fiber_switch(deep.fiber);
  GC_gcollect();
  size_t passed_over = 0;
  for (size_t i = 0; i < 50; i++) {
    hidden object = new_hidden();
    deep.words[i * 997 % DEEP_WORDS] = reveal(object);
    for (int garbage = 0; garbage < 10000; garbage++) // 2.5 nurseries
      new_hidden();
    passed_over += gc_fibers_passed_over();
    assert_true(is_there(object));
  }
  assert_int_equal(gc_verify(), 0);
  assert_true(passed_over > 0 || gc_writes_kind() != GC_WRITES_USERFAULT);
  GC_fiber_free(deep.fiber);
  GC_set_mode(GC_MODE_AUTO);
}

int
main(void) {
  setenv("LOAM_NURSERY", "256K", 1);
  setenv("LOAM_VERIFY", "1", 1);
  GC_INIT();
  own = GC_fiber_current();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(generator_goes_on_where_it_was),
      cmocka_unit_test(switch_to_itself_does_nothing),
      cmocka_unit_test(rounding_is_the_fibers),
      cmocka_unit_test(parked_stack_keeps_its_objects),
      cmocka_unit_test(freed_fiber_keeps_nothing),
      cmocka_unit_test(new_fiber_keeps_its_argument),
      cmocka_unit_test(own_stack_is_parked_meanwhile),
      cmocka_unit_test(fiber_goes_from_thread_to_thread),
      cmocka_unit_test(thread_may_end_on_a_fiber),
      cmocka_unit_test(handler_on_an_alternate_stack),
      cmocka_unit_test(contexts_are_switched),
      cmocka_unit_test(stack_that_was_not_entered_yet),
      cmocka_unit_test(between_note_and_switch),
      cmocka_unit_test(registers_at_the_note_are_kept),
      cmocka_unit_test(every_instruction_of_a_switch),
      cmocka_unit_test(every_instruction_of_a_noted_switch),
      cmocka_unit_test(untouched_stack_takes_no_memory),
      cmocka_unit_test(refused_memory_is_told),
      cmocka_unit_test(child_goes_on_with_fibers),
      cmocka_unit_test(unchanged_stack_is_not_read_again),
      cmocka_unit_test(value_handed_to_a_waiting_fiber),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
