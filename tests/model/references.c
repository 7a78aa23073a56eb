// Random operations on references of all kinds, over a graph that the test knows exactly: finalizers of all
// orders, cleaners, queues, disappearing and long links, weak, long and soft references, ephemerons, toggle
// references, while collections of all kinds go on.  Nothing that the model reaches may be cleared, finalized
// or lost; what is called was dead, in order, and is called once; and most of what is dead must go.
//
// A failure prints the operation's number and the command that replays it; but collections beside the program
// do not come at the same places again.  reference_nodes.h, reference_notes.h, reference_reach.h,
// reference_events.h and reference_operations.h are the model.

#include "reference_operations.h"

#include "phases.h"

enum { HERE_MAX = 1200, STACK_CLEARED_BYTES = 96 << 10, CHILD_SECONDS = 100 };

static void run_operations(unsigned long count);

// ---- Collecting ----------------------------------------------------------------------------------------

__attribute__((noinline)) static void
clear_stack(void) {
  volatile char dirt[STACK_CLEARED_BYTES];
  for (size_t i = 0; i < sizeof dirt; i++)
    dirt[i] = 0;
}

static bool
still_waits(const struct waiting *one) {
  for (unsigned i = 0; i < model->waiting_count; i++)
    if (model->waiting[i].node == one->node && model->waiting[i].finalizer.queue == 0)
      return true;
  return false;
}

static void
check_own_queue(const struct waiting *waiting, unsigned waiting_count) {
  if (GC_get_finalize_on_demand() || GC_get_interrupt_finalizers() || model->has_thread)
    return;
  for (unsigned i = 0; i < waiting_count; i++)
    NODE_CHECK(waiting[i].node, waiting[i].finalizer.queue != 0 || !still_waits(&waiting[i]),
               "its finalizer has been ready since before a collection, and was not called");
}

static void
check_notified(unsigned number, unsigned long unnoticed, unsigned long seen) {
  struct queue *queue = &model->queues[number];
  MODEL_CHECK(unnoticed == 0 || !queue->notifies || notified[number] != queue->seen,
              "%lu have become ready in queue %u, and it was not told", unnoticed, number);
  queue->seen = seen;
  queue->unnoticed -= unnoticed;
}

// What was ready before has been called, if that is to happen at once, and owners of queues have been told.
static void
operate_collect(void) {
  static struct waiting waiting[WAITING_MAX];
  unsigned long unnoticed[QUEUES], seen[QUEUES];
  look_closely();
  unsigned waiting_count = model->waiting_count;
  memcpy(waiting, model->waiting, waiting_count * sizeof waiting[0]);
  for (unsigned i = 0; i < QUEUES; i++) {
    seen[i] = notified[i];
    unnoticed[i] = model->queues[i].unnoticed;
  }
  look_away();
  GC_gcollect();
  for (unsigned i = 1; i < QUEUES; i++)
    if (model->queues[i].handle)
      check_notified(i, unnoticed[i], seen[i]);
  look_closely();
  check_own_queue(waiting, waiting_count);
  look_away();
}

static void
drain_all(void) {
  for (unsigned i = 1; i < QUEUES; i++)
    if (model->queues[i].handle)
      GC_finalizer_queue_drain(model->queues[i].handle, 0, 0);
  while (GC_should_invoke_finalizers())
    GC_invoke_finalizers();
}

// Nobody works on anything, and most of what is dead is gone afterwards.
static void
operate_count(void) {
  observe();
  release_all();
  clear_stack();
  GC_gcollect();
  drain_all();
  counting = true;
  observe();
  counting = false;
}

static void
operate_collect_a_little(void) {
  if (one_in(3))
    GC_start_incremental_collection();
  for (size_t i = below(20); i > 0; i--)
    GC_collect_a_little();
}

static void
operate_set_mode(void) {
  GC_set_mode((enum GC_Mode)below(4));
}

static void
operate_set_stress(void) {
  static const unsigned often[] = {0, 0, 1, 10, 100, 1000};
  GC_set_stress_collect(often[below(6)]);
}

// It holds for what a full collection decides that begins afterwards.
static void
operate_set_soft_policy(void) {
  bool strong = below(2);
  if (may_be_refused())
    return;
  look_closely();
  GC_set_soft_ref_policy(strong ? 1000000 : 0);
  model->soft_is_strong &= strong;
  look_away();
  GC_gcollect();
  look_closely();
  model->soft_is_strong = strong;
  look_away();
}

static void
operate_verify(void) {
  size_t faults = gc_verify();
  MODEL_CHECK(faults == 0, "gc_verify found %zu faults", faults);
}

// ---- Forking -------------------------------------------------------------------------------------------

static bool is_child;

__attribute__((noreturn)) static void
be_child(void) {
  is_child = true;
  alarm(CHILD_SECONDS);
  observe();
  run_operations(below(200));
  operate_count();
  operate_verify();
  fflush(stdout);
  _exit(EXIT_SUCCESS);
}

// What a thread of the collector's was about to call would not be called in the child.
static void
operate_fork(void) {
  int status = -1;
  if (is_child || model->has_thread)
    return;
  fflush(stdout);
  pid_t child = fork();
  if (child == 0)
    be_child();
  waitpid(child, &status, 0);
  MODEL_CHECK(status == 0, "the child ended with status %#x", (unsigned)status);
}

// ---- Running them --------------------------------------------------------------------------------------

static const struct operation {
  const char *name;
  void (*function)(void);
  unsigned weight;
} operations[] = {
    {"allocate", operate_allocate, 2000},
    {"allocate uncollectable", operate_allocate_uncollectable, 20},
    {"waste", operate_waste, 300},
    {"refer", operate_refer, 600},
    {"pair", operate_pair, 400},
    {"chain", operate_chain, 40},
    {"get", operate_get, 100},
    {"clear reference", operate_clear_reference, 20},
    {"set value", operate_set_value, 50},
    {"link", operate_link, 800},
    {"unlink", operate_unlink, 800},
    {"forget", operate_forget, 20},
    {"register link", operate_register_link, 600},
    {"change link", operate_change_link, 200},
    {"finalizer", operate_finalizer, 400},
    {"take finalizer back", operate_take_finalizer_back, 50},
    {"family", operate_family, 60},
    {"cleaner", operate_cleaner, 200},
    {"take cleaner back", operate_take_cleaner_back, 40},
    {"queue", operate_queue, 10},
    {"drain", operate_drain, 60},
    {"invoke", operate_invoke, 60},
    {"set calling", operate_set_calling, 15},
    {"toggle", operate_toggle, 8},
    {"untoggle", operate_untoggle, 3},
    {"free", operate_free, 200},
    {"free uncollectable", operate_free_uncollectable, 5},
    {"observe", observe, 100},
    {"collect", operate_collect, 12},
    {"count", operate_count, 8},
    {"collect a little", operate_collect_a_little, 60},
    {"set mode", operate_set_mode, 2},
    {"set stress", operate_set_stress, 2},
    {"set soft policy", operate_set_soft_policy, 3},
    {"verify", operate_verify, 2},
    {"fork", operate_fork, 2},
};

static const struct operation *
random_operation(void) {
  size_t roll = below(model->total_weight);
  const struct operation *operation = operations;
  while (roll >= operation->weight)
    roll -= operation++->weight;
  return operation;
}

static void
run_operation(const struct operation *operation) {
  failure_operation++;
  failure_name = operation->name;
  operation->function();
  if (called.count > 0)
    observe();
  release_all();
  __atomic_add_fetch(&progress->operations, 1, __ATOMIC_RELAXED);
}

// When there is too much, drop some.
static void
run_operations(unsigned long count) {
  static const struct operation forget = {"forget", operate_forget, 0}, tidy = {"count", operate_count, 0};
  while (count-- > 0) {
    run_operation(random_operation());
    if (model->here_count < HERE_MAX)
      continue;
    run_operation(&forget);
    run_operation(&tidy);
  }
}

// ---- The run -------------------------------------------------------------------------------------------

static void
begin(uint64_t seed) {
  model = calloc(1, sizeof *model);
  free_links = calloc(FREE_LINKS, sizeof *free_links);
  MODEL_CHECK(model && free_links, "out of malloc memory for the model");
  model->random.state = seed;
  model->has_thread = one_in(3);
  for (unsigned i = 0; i < BUCKETS; i++)
    model->buckets[i] = NONE;
  for (unsigned i = 0; i < ROOTS; i++)
    model->roots[i] = NONE;
  for (unsigned i = 0; i < CLEANERS_MAX; i++)
    model->cleaners[i].node = NONE;
  for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++)
    model->total_weight += operations[i].weight;
  GC_set_warn_proc(note_warning);
  GC_set_await_finalize_proc(note_decision);
  GC_set_toggleref_func(decide_toggle);
  GC_set_soft_ref_policy(0);
  GC_set_max_heap_size((GC_word)1 << 29);
}

// Most of what was dead is gone.
static void
check_accounts(void) {
  for (unsigned i = 0; i < ACCOUNTS; i++) {
    if (getenv("LOAM_TEST_ACCOUNTS"))
      tap_note("%s: %lu of %lu", account_names[i], accounts[i].done, accounts[i].due);
    MODEL_CHECK(accounts[i].due < 100 || accounts[i].done >= accounts[i].due / 10 * 9,
                "%lu %s ought to be gone, and only %lu are", accounts[i].due, account_names[i],
                accounts[i].done);
  }
}

static void
drop_everything(void) {
  failure_name = "end";
  for (unsigned i = 0; i < ROOTS; i++)
    store((struct place){NONE, i}, NONE);
  for (uint32_t number = 0; number < model->node_limit; number++)
    if (model->nodes[number].state == HERE && model->nodes[number].toggle == STRONGLY) {
      model->nodes[number].toggle = UNTOGGLED;
      write_word(number, 1);
    }
  GC_gcollect();
  for (unsigned i = 0; i < 5; i++)
    operate_count();
}

// Each finalizer that is left is called, whether its object is dead or not.
static void
finalize_all(void) {
  failure_name = "finalize all";
  GC_set_finalizer_thread(0);
  look_closely();
  for (uint32_t number = 0; number < model->node_limit; number++) {
    struct node *node = &model->nodes[number];
    if (node->state != HERE || !node->finalizer.function)
      continue;
    model->waiting[model->waiting_count++] = (struct waiting){number, node->finalizer};
    node->finalizer = (struct finalizer){.data = {NONE, 0}};
    node->ready++;
  }
  GC_finalize_all();
  drain_all();
  look();
  MODEL_CHECK(model->waiting_count == 0, "%u finalizers were not called", model->waiting_count);
  look_away();
}

static void
run(uint64_t seed, double seconds, unsigned long operations_max) {
  enum { BATCH = 32 };
  double limit = seconds_now() + seconds;
  GC_INIT();
  progress->started = 1;
  begin(seed);
  while (operations_max ? failure_operation < operations_max : seconds_now() < limit)
    run_operations(BATCH);
  if (!may_be_refused()) {
    drop_everything();
    check_accounts();
    finalize_all();
  }
  operate_verify();
}

int
main(int argc, char **argv) {
  return phases_main(argc, argv, run);
}
