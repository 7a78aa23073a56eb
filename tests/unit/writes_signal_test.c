// PROTECT and the program's own handlers of SIGSEGV, each story in a child of its own; and the limit of
// mappings.
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>

#include "writes_fixture.h"

static void
choose_protect(void) {
  CHILD_CHECK(gc_writes_choose(heap, RESERVED_BYTES, GC_WRITES_PROTECT));
  grain = GC_WRITES_ARM_BYTES;
}

static void
arm_all(void) {
  choose_protect();
  CHILD_CHECK(write_and_arm());
}

static void
expect_tracking(size_t offset) {
  write_at(offset);
  CHILD_CHECK(harvest_finds_only(offset));
}

// ---- A program's handlers -----------------------------------------------------------------------------

static sigjmp_buf back;
static volatile int calls, other_calls;
static siginfo_t told;
static sigset_t blocked;
static char *volatile local;
static struct sigaction before;

// Not of this heap: a page of the reservation that was never committed.
static char *
wild_address(void) {
  return heap + COMMITTED_BYTES + 4321;
}

// Whether a write came to a handler that jumped back.
static bool
is_caught(char *address) {
  if (sigsetjmp(back, 1))
    return true;
  *(volatile char *)address = 1;
  return false;
}

static void
jump_back(int number, siginfo_t *info, void *context) {
  char here;
  (void)context;
  CHILD_CHECK(number == SIGSEGV);
  told = *info;
  local = &here;
  calls++;
  pthread_sigmask(SIG_SETMASK, NULL, &blocked);
  siglongjmp(back, 1);
}

static void
jump_back_simply(int number) {
  CHILD_CHECK(number == SIGSEGV);
  calls++;
  siglongjmp(back, 1);
}

// What a second library does: knows nothing of this fault, asks who was there before.
static void
pass_on(int number, siginfo_t *info, void *context) {
  other_calls++;
  before.sa_sigaction(number, info, context);
}

static void
set_handler(void (*handler)(int, siginfo_t *, void *), int more_flags) {
  struct sigaction action = {.sa_flags = SA_SIGINFO | more_flags};
  action.sa_sigaction = handler;
  sigaddset(&action.sa_mask, SIGUSR1);
  CHILD_CHECK(sigaction(SIGSEGV, &action, &before) == 0);
}

static void
set_simple_handler(void (*handler)(int)) {
  struct sigaction action = {.sa_handler = handler};
  CHILD_CHECK(sigaction(SIGSEGV, &action, NULL) == 0);
}

// ---- The handler before ours --------------------------------------------------------------------------

static void
catch_wild_writes(void) {
  char *unmapped = (char *)16;
  set_handler(jump_back, 0);
  arm_all();
  for (int i = 1; i <= 3; i++) {
    CHILD_CHECK(is_caught(wild_address()));
    CHILD_CHECK(calls == i && told.si_addr == wild_address() && told.si_code == SEGV_ACCERR);
    CHILD_CHECK(is_caught(unmapped) && told.si_addr == unmapped && told.si_code == SEGV_MAPERR);
    calls--;
    expect_tracking((size_t)i * GC_MIB);
  }
}

static void
catch_simply(void) {
  set_simple_handler(jump_back_simply);
  arm_all();
  CHILD_CHECK(is_caught(wild_address()) && calls == 1);
  expect_tracking(0);
}

static void
catch_with_its_signals_blocked(void) {
  set_handler(jump_back, 0);
  arm_all();
  CHILD_CHECK(is_caught(wild_address()));
  CHILD_CHECK(sigismember(&blocked, SIGUSR1) && sigismember(&blocked, SIGSEGV));
  CHILD_CHECK(!sigismember(&blocked, SIGUSR2) && !sigismember(&blocked, SIGTERM));
}

static void
catch_on_the_alternate_stack(void) {
  static char stack[64 * 1024];
  CHILD_CHECK(sigaltstack(&(stack_t){.ss_sp = stack, .ss_size = sizeof stack}, NULL) == 0);
  set_handler(jump_back, SA_ONSTACK);
  arm_all();
  CHILD_CHECK(is_caught(wild_address()));
  CHILD_CHECK(stack <= local && local < stack + sizeof stack);
  expect_tracking(0);
}

static int *volatile sink;

// More stack than there is.
static void
overflow(int depth) {
  int frame[1000] = {depth};
  sink = frame;
  if (depth < INT_MAX)
    overflow(depth + 1);
  sink[0]++;
}

static void
catch_an_overflow(void) {
  static char stack[64 * 1024];
  CHILD_CHECK(sigaltstack(&(stack_t){.ss_sp = stack, .ss_size = sizeof stack}, NULL) == 0);
  set_handler(jump_back, SA_ONSTACK);
  arm_all();
  if (!sigsetjmp(back, 1))
    overflow(0);
  CHILD_CHECK(calls == 1);
  expect_tracking(0);
}

// ---- A handler after ours -----------------------------------------------------------------------------

static void
catch_with_a_later_handler(void) {
  arm_all();
  set_handler(jump_back, 0);
  CHILD_CHECK(gc_writes_harvest(everything()));
  expect_tracking(GC_MIB);
  CHILD_CHECK(calls == 0);
  CHILD_CHECK(is_caught(wild_address()) && calls == 1);
}

// kernel -> ours -> the later one -> ours -> the first
static void
catch_at_the_chains_end(void) {
  set_handler(jump_back, 0);
  arm_all();
  set_handler(pass_on, 0);
  CHILD_CHECK(gc_writes_harvest(everything()));
  for (int i = 1; i <= 3; i++) {
    expect_tracking(GC_MIB);
    CHILD_CHECK(is_caught(wild_address()) && calls == i && other_calls == i);
  }
}

// The later one passes on what is ours, before we know of it.
static void
be_asked_by_a_later_handler(void) {
  arm_all();
  set_handler(pass_on, 0);
  write_at(GC_MIB);
  CHILD_CHECK(other_calls == 1);
  CHILD_CHECK(harvest_finds_only(GC_MIB));
  expect_tracking(GC_MIB);
  CHILD_CHECK(other_calls == 1);
}

static void
meet_many_handlers(void) {
  arm_all();
  for (int i = 1; i <= 10; i++) {
    set_handler(i % 2 ? jump_back : pass_on, 0);
    CHILD_CHECK(gc_writes_harvest(everything()));
    set_handler(jump_back, 0);
    CHILD_CHECK(gc_writes_harvest(everything()));
    CHILD_CHECK(is_caught(wild_address()) && calls == i);
  }
}

// ---- No handler ---------------------------------------------------------------------------------------

static void
crash(void) {
  arm_all();
  *(volatile char *)wild_address() = 1;
}

static void
crash_ignoring_it(void) {
  set_simple_handler(SIG_IGN);
  crash();
}

static void
crash_at_the_chains_end(void) {
  arm_all();
  set_handler(pass_on, 0);
  CHILD_CHECK(gc_writes_harvest(everything()));
  *(volatile char *)wild_address() = 1;
}

static void
count_call(int number, siginfo_t *info, void *context) {
  (void)number, (void)info, (void)context;
  CHILD_CHECK(++calls == 1);
}

static void
crash_after_a_last_word(void) {
  set_handler(count_call, SA_RESETHAND);
  crash();
}

// Neither a page that is armed nor one that is open can be run.
static void
crash_jumping_into_the_heap(void) {
  void (*code)(void);
  arm_all();
  memcpy(&code, &heap, sizeof code);
  code();
}

static void
crash_when_told_to(void) {
  arm_all();
  raise(SIGSEGV);
}

static void
ignore_what_is_sent(void) {
  set_simple_handler(SIG_IGN);
  arm_all();
  raise(SIGSEGV);
  expect_tracking(0);
}

// ---- And otherwise ------------------------------------------------------------------------------------

static void
keep_errno(void) {
  sigset_t now;
  arm_all();
  errno = 123;
  write_at(0);
  CHILD_CHECK(errno == 123);
  pthread_sigmask(SIG_SETMASK, NULL, &now);
  CHILD_CHECK(!sigismember(&now, SIGSEGV) && !sigismember(&now, SIGUSR1));
}

static void
write_in_a_handler(int number) {
  (void)number;
  write_at(GC_MIB);
}

static void
notice_what_handlers_write(void) {
  signal(SIGUSR1, write_in_a_handler);
  arm_all();
  raise(SIGUSR1);
  CHILD_CHECK(harvest_finds_only(GC_MIB));
}

// ---- As many mappings as there may be -----------------------------------------------------------------

enum { SPARE_MAPPINGS = 20 };

// Every second page of a reservation made readable, until the kernel wants no more.
static void
use_up_mappings(void) {
  size_t page = gc_os_page_bytes(), used = 0;
  char *many = gc_os_reserve(GC_GIB, page);
  CHILD_CHECK(many);
  while (used < GC_GIB && mprotect(many + used, page, PROT_READ) == 0)
    used += 2 * page;
  CHILD_CHECK(used < GC_GIB);
  for (int i = 0; i < SPARE_MAPPINGS; i += 2, used -= 2 * page)
    CHILD_CHECK(mprotect(many + used - 2 * page, page, PROT_NONE) == 0);
}

static void
write_with_few_mappings(void) {
  arm_all();
  use_up_mappings();
  for (int i = 0; i < 3; i++) {
    clear_written();
    for (size_t page = 1; page < PAGES; page += 2)
      write_at(page * GC_WRITES_ARM_BYTES);
    CHILD_CHECK(gc_writes_counts().faults < (size_t)(i + 1) * SPARE_MAPPINGS);
    CHILD_CHECK(gc_writes_harvest(everything()));
    CHILD_CHECK(count_written() >= PAGES / 2 * WRITES_PER_PAGE);
    clear_written();
    CHILD_CHECK(gc_writes_harvest(everything()));
    CHILD_CHECK(count_written() == 0);
  }
}

static void
arm_with_few_mappings(void) {
  size_t armed = 0;
  choose_protect();
  write_everywhere();
  use_up_mappings();
  for (size_t page = 1; page < PAGES; page += 2)
    armed += gc_writes_arm(pages(page, page + 1));
  CHILD_CHECK(0 < armed && armed < SPARE_MAPPINGS);
  write_everywhere();
  gc_writes_disarm(everything());
  CHILD_CHECK(gc_writes_arm(everything()));
  expect_tracking(0);
}

// Closing single pages again needs mappings that the program has taken meanwhile.
static void
harvest_with_few_mappings(void) {
  size_t refused = 0;
  arm_all();
  write_everywhere();
  use_up_mappings();
  for (size_t page = 1; page < PAGES; page += 2) {
    clear_written();
    refused += !gc_writes_harvest(pages(page, page + 1));
    CHILD_CHECK(is_written(page * GC_WRITES_ARM_BYTES));
    CHILD_CHECK(count_written() == WRITES_PER_PAGE);
  }
  CHILD_CHECK(refused > 0);
  write_everywhere();
  CHILD_CHECK(gc_writes_arm(everything()));
  expect_tracking(0);
}

// ---- Children -----------------------------------------------------------------------------------------

static void (*story)(void);

static void
tell_story(void) {
  signal(SIGSEGV, SIG_DFL); // cmocka has a handler
  story();
}

static int
status_of(void (*body)(void)) {
  story = body;
  return status_of_child(tell_story);
}

#define LIVES(name, body)                 \
  static void name(void **state) {        \
    (void)state;                          \
    assert_int_equal(status_of(body), 0); \
  }

#define DIES(name, body)                                             \
  static void name(void **state) {                                   \
    (void)state;                                                     \
    int status = status_of(body);                                    \
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV); \
  }

LIVES(wild_writes_reach_the_program, catch_wild_writes)
LIVES(handlers_may_be_simple, catch_simply)
LIVES(handlers_find_blocked_what_they_asked_for, catch_with_its_signals_blocked)
LIVES(handlers_may_have_a_stack_of_their_own, catch_on_the_alternate_stack)
LIVES(overflows_reach_the_program, catch_an_overflow)
LIVES(a_later_handler_is_called, catch_with_a_later_handler)
LIVES(a_chain_has_an_end, catch_at_the_chains_end)
LIVES(a_later_handler_may_ask_ours, be_asked_by_a_later_handler)
LIVES(handlers_may_change_often, meet_many_handlers)
DIES(without_a_handler_the_program_dies, crash)
DIES(faults_cannot_be_ignored, crash_ignoring_it)
DIES(the_chains_end_is_death, crash_at_the_chains_end)
DIES(a_handler_may_be_for_once, crash_after_a_last_word)
DIES(the_heap_cannot_be_run, crash_jumping_into_the_heap)
DIES(a_signal_that_was_sent_kills, crash_when_told_to)
LIVES(a_signal_that_was_sent_can_be_ignored, ignore_what_is_sent)
LIVES(errno_and_the_signal_mask_are_kept, keep_errno)
LIVES(writes_of_handlers_are_noticed, notice_what_handlers_write)
LIVES(writing_goes_on_without_mappings, write_with_few_mappings)
LIVES(arming_may_fail_for_mappings, arm_with_few_mappings)
LIVES(harvests_may_fail_for_mappings, harvest_with_few_mappings)

#define ROW(test) cmocka_unit_test_setup_teardown(test, reserve, unreserve)

static bool
is_possible(void) {
  void *state = &(enum gc_writes_kind){GC_WRITES_PROTECT};
  return reserve(NULL) == 0 && choose(&state) && unreserve(NULL) == 0;
}

int
main(void) {
  const struct CMUnitTest tests[] = {
      ROW(wild_writes_reach_the_program),
      ROW(handlers_may_be_simple),
      ROW(handlers_find_blocked_what_they_asked_for),
      ROW(handlers_may_have_a_stack_of_their_own),
      ROW(overflows_reach_the_program),
      ROW(a_later_handler_is_called),
      ROW(a_chain_has_an_end),
      ROW(a_later_handler_may_ask_ours),
      ROW(handlers_may_change_often),
      ROW(without_a_handler_the_program_dies),
      ROW(faults_cannot_be_ignored),
      ROW(the_chains_end_is_death),
      ROW(a_handler_may_be_for_once),
      ROW(the_heap_cannot_be_run),
      ROW(a_signal_that_was_sent_kills),
      ROW(a_signal_that_was_sent_can_be_ignored),
      ROW(errno_and_the_signal_mask_are_kept),
      ROW(writes_of_handlers_are_noticed),
      ROW(writing_goes_on_without_mappings),
      ROW(arming_may_fail_for_mappings),
      ROW(harvests_may_fail_for_mappings),
  };
  if (!is_possible()) {
    printf("1..0 # SKIP %s\n", gc_writes_reason());
    return 0;
  }
  return cmocka_run_group_tests(tests, NULL, NULL);
}
