// What a program tells the collector while it looks for roots; marks; stacks that the program switches by
// itself.
//
// A and B are targets that tables or frames refer to.
#define GC_THREADS
#include <gc/gc.h>
#include <gc/gc_mark.h>
#include <pthread.h>
#include <ucontext.h>

#include "kept.h"

extern void (*GC_push_other_roots)(void); // libgc exports it without declaring it

static void **table; // malloc's memory

static void
to_table(int i) {
  table[i] = target(A, i);
}

static void
make_table(void) {
  table = calloc(OBJECTS, sizeof *table);
  each(to_table);
}

static void
collect_and_say(void) {
  collect(2);
  say_kept();
}

// ---- Pushing -------------------------------------------------------------------------------------------

static GC_push_other_roots_proc previous;
static int pushed;

static void
push_all(void) {
  pushed++;
  GC_push_all(table, table + OBJECTS);
  previous();
}

static void
push_all_eager(void) {
  GC_push_all_eager(table, table + OBJECTS);
  previous();
}

static void
push_conditional(void) {
  GC_push_conditional(table, table + OBJECTS, 1);
  previous();
}

static void
push_whole_words(void) {
  GC_push_all((char *)table + 1, (char *)(table + OBJECTS / 2) + 7);
  GC_push_all(table + OBJECTS / 2, table + OBJECTS / 2);
  GC_push_all_eager((char *)(table + OBJECTS / 2) + 1, (char *)(table + OBJECTS) + 7);
  previous();
}

// As long as the procedure is there.
static void
run_push(void (*procedure)(void)) {
  previous = GC_get_push_other_roots();
  GC_set_push_other_roots(procedure);
  make_table();
  collect_and_say();
  GC_set_push_other_roots(previous);
  collect_and_say();
}

static void
all(void) {
  run_push(push_all);
}

static void
eager(void) {
  run_push(push_all_eager);
}

static void
conditional(void) {
  run_push(push_conditional);
}

static void
whole_words(void) {
  previous = GC_get_push_other_roots();
  GC_set_push_other_roots(push_whole_words);
  make_table();
  collect(2);
  int left = 0;
  for (int i = 0; i < OBJECTS; i++)
    left += links[A][i] != NULL;
  say("%d", left);
  say("%d", links[A][0] || links[A][OBJECTS / 2]);
}

static void
through_variable(void) {
  make_table();
  say("%s", yes(GC_push_other_roots && GC_push_other_roots == GC_get_push_other_roots()));
  previous = GC_push_other_roots;
  GC_push_other_roots = push_all;
  say("%s", yes(GC_get_push_other_roots() == push_all));
  collect_and_say();
  GC_push_other_roots = previous;
  collect_and_say();
}

static void
each_collection(void) {
  previous = GC_get_push_other_roots();
  GC_set_push_other_roots(push_all);
  make_table();
  for (int i = 0; i < 5; i++) {
    int before = pushed;
    GC_gcollect();
    say("%s", yes(pushed > before));
  }
}

// The procedure may tell of what it finds at that moment.
static void
changing(void) {
  previous = GC_get_push_other_roots();
  GC_set_push_other_roots(push_all);
  make_table();
  collect_and_say();
  void **before = table;
  table = calloc(OBJECTS, sizeof *table);
  memcpy(table, before, OBJECTS * sizeof *table);
  memset(before, 0, OBJECTS * sizeof *before);
  collect_and_say();
  memset(table, 0, OBJECTS / 2 * sizeof *table);
  collect(2);
  int left = 0;
  for (int i = 0; i < OBJECTS / 2; i++)
    left += links[A][i] != NULL;
  say("%s", left <= OBJECTS / 10 ? "few" : "many");
}

// ---- Registered ranges ---------------------------------------------------------------------------------

static void
to_holder(int i) {
  holders[i] = target(A, i);
}

// Of what is not found any longer nothing must be left elsewhere.
static void
clear_roots(void) {
  GC_set_no_dls(1);
  GC_clear_roots();
  each(to_holder);
  collect_and_say();
  forget_targets();
  GC_add_roots(holders, holders + OBJECTS);
  each(to_holder);
  collect_and_say();
  GC_clear_roots();
  collect_and_say();
}

static void
clear_and_push(void) {
  GC_set_no_dls(1);
  GC_clear_roots();
  table = holders;
  previous = GC_get_push_other_roots();
  GC_push_other_roots = push_all;
  each(to_holder);
  collect_and_say();
}

static void
registered(void) {
  make_table();
  GC_add_roots(table, table + OBJECTS);
  collect_and_say();
  GC_add_roots(table, table + OBJECTS);
  GC_remove_roots(table, table + OBJECTS);
  collect_and_say();
}

// ---- Threads -------------------------------------------------------------------------------------------

static int ready[2], done[2];

static void
pass(const int *pipe_ends) {
  char byte = 0;
  if (write(pipe_ends[1], &byte, 1) != 1)
    abort();
}

static void
await(const int *pipe_ends) {
  char byte;
  while (read(pipe_ends[0], &byte, 1) != 1)
    ;
}

// With OBJECTS targets of `set` in its frame, and then zeros.
OUT_OF_LINE void
hold_while(void (*function)(void), int set) {
  void *volatile objects[OBJECTS];
  GC_disable();
  for (int i = 0; i < OBJECTS; i++)
    objects[i] = target(set, i);
  GC_enable();
  function();
  for (int i = 0; i < OBJECTS; i++)
    if (!objects[i])
      faults++;
  for (int i = 0; i < OBJECTS; i++)
    objects[i] = NULL;
}

static void
report_and_wait(void) {
  pass(ready);
  await(done);
}

static void *
hold_in_thread(void *unused) {
  hold_while(report_and_wait, B);
  return unused;
}

static pthread_t
start_thread(void *(*function)(void *)) {
  pthread_t thread;
  if (pipe(ready) != 0 || pipe(done) != 0 || pthread_create(&thread, NULL, function, NULL) != 0)
    abort();
  return thread;
}

static void
chain_to_threads(void) {
  make_table();
  previous = GC_get_push_other_roots();
  GC_set_push_other_roots(push_all);
  pthread_t thread = start_thread(hold_in_thread);
  await(ready);
  collect_and_say();
  pass(done);
  pthread_join(thread, NULL);
}

// ---- Marks ---------------------------------------------------------------------------------------------

static GC_word hidden_parents[OBJECTS];

// A are referred to by objects to which nothing refers.
static void
make_parent(int i) {
  GC_malloc(64);
  void **parent = GC_malloc(64);
  parent[1] = target(A, i);
  parent[2] = (void *)STAMP;
  hidden_parents[i] = GC_HIDE_POINTER(parent);
}

static void
mark_parents(void) {
  for (int i = 0; i < OBJECTS; i++)
    GC_set_mark_bit(GC_REVEAL_POINTER(hidden_parents[i]));
  previous();
}

static int
whole_parents(void) {
  int count = 0;
  for (int i = 0; i < OBJECTS; i++)
    count += ((GC_word *)GC_REVEAL_POINTER(hidden_parents[i]))[2] == STAMP;
  return count;
}

// A marked object is kept and not searched.
static void
mark_while_pushing(void) {
  previous = GC_get_push_other_roots();
  GC_set_push_other_roots(mark_parents);
  each(make_parent);
  collect_and_say();
  each(dirty);
  say("marked %s", precisely(whole_parents(), OBJECTS));
}

static void *GC_CALLBACK
try_marks(void *result) {
  bool *right = result;
  *right = true;
  for (int i = 0; i < OBJECTS; i++) {
    struct node *node = object(A, i);
    *right = *right && GC_is_marked(node) == 1;
    GC_clear_mark_bit(node);
    *right = *right && GC_is_marked(node) == 0;
    GC_set_mark_bit(node);
    *right = *right && GC_is_marked(node) == 1;
    if (i % 2)
      GC_clear_mark_bit(node);
  }
  return NULL;
}

static void
marks(void) {
  bool right;
  each(to_holder);
  collect_and_say();
  GC_call_with_alloc_lock(try_marks, &right);
  say("%s", yes(right));
  collect_and_say();
}

static void
large_to_holder(int i) {
  struct node *node = known_as(GC_malloc(300000), A, i);
  watch(A, i, node);
  made[A]++;
  holders[i] = node;
}

static void
marks_of_large(void) {
  bool right;
  each(large_to_holder);
  collect_and_say();
  GC_call_with_alloc_lock(try_marks, &right);
  say("%s", yes(right));
  collect_and_say();
}

static int seen[SETS * OBJECTS];

static void GC_CALLBACK
visit(void *visited, size_t bytes, void *data) {
  if (data != seen)
    faults++;
  if (bytes < sizeof(struct node))
    return;
  const struct node *node = visited;
  int number = number_of(node);
  if (number >= 0 && hidden[number / OBJECTS][number % OBJECTS] == GC_HIDE_POINTER(visited))
    seen[number]++;
}

static void *GC_CALLBACK
enumerate(void *data) {
  GC_enumerate_reachable_objects_inner(visit, data);
  return NULL;
}

// A and C, which are large and referred to by A, are held, B is not.
static void
make_for_visit(int i) {
  struct node *node = new_node(A, i);
  holders[i] = node;
  node->next = known_as(GC_malloc_atomic(100000 + (size_t)i * 5000), C, i);
  new_node(B, i);
}

static int
seen_once(int set) {
  int count = 0;
  for (int i = 0; i < OBJECTS; i++)
    count += seen[set * OBJECTS + i] == 1;
  return count;
}

static void
reachable_objects(void) {
  each(make_for_visit);
  collect(2);
  GC_call_with_alloc_lock(enumerate, seen);
  int dead = seen_once(B);
  say("A %s", precisely(seen_once(A), OBJECTS));
  say("B %s", dead * 10 <= OBJECTS ? "few" : "many");
  say("C %s", precisely(seen_once(C), OBJECTS));
  say_faults();
}

static GC_word total, sizes_wrong;

static void GC_CALLBACK
compare_sizes(void *visited, size_t bytes, void *unused) {
  (void)unused;
  total += bytes;
  sizes_wrong += GC_size(visited) != bytes;
}

static void *GC_CALLBACK
enumerate_sizes(void *unused) {
  GC_enumerate_reachable_objects_inner(compare_sizes, unused);
  return NULL;
}

static void
sizes_of_reachable(void) {
  each(make_for_visit);
  collect(2);
  GC_call_with_alloc_lock(enumerate_sizes, NULL);
  say("%s, %lu wrong", yes(total >= OBJECTS * (sizeof(struct node) + 100000) && total <= GC_get_heap_size()),
      (unsigned long)sizes_wrong);
}

// ---- Stacks that the program switches ------------------------------------------------------------------

enum { STACK_BYTES = 256 * 1024 };

static struct {
  char *stack;
  ucontext_t context, back; // hold the registers, in static data
} coroutine;

static const char *parked_at;       // the hot end of the thread's own stack while the coroutine runs
static struct GC_stack_base bottom; // the cold end

static void
make_coroutine(void (*function)(void)) {
  coroutine.stack =
      mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (coroutine.stack == MAP_FAILED || getcontext(&coroutine.context) != 0)
    abort();
  coroutine.context.uc_stack.ss_sp = coroutine.stack;
  coroutine.context.uc_stack.ss_size = STACK_BYTES;
  coroutine.context.uc_link = &coroutine.back;
  makecontext(&coroutine.context, function, 0);
}

OUT_OF_LINE void
enter_coroutine(void) {
  swapcontext(&coroutine.back, &coroutine.context);
}

OUT_OF_LINE void
leave_coroutine(void) {
  swapcontext(&coroutine.context, &coroutine.back);
}

// libgc can only collect while a thread is on the stack that it knows.
static void
hold_while_away(void) {
  GC_disable();
  hold_while(leave_coroutine, A);
  GC_enable();
}

static void
registered_stack(void) {
  make_coroutine(hold_while_away);
  enter_coroutine();
  GC_enable();
  GC_add_roots(coroutine.stack, coroutine.stack + STACK_BYTES);
  collect_and_say();
  GC_disable();
  enter_coroutine();
  make_coroutine(hold_while_away);
  forget_targets();
  enter_coroutine();
  GC_enable();
  GC_add_roots(coroutine.stack, coroutine.stack + STACK_BYTES);
  GC_remove_roots(coroutine.stack, coroutine.stack + STACK_BYTES);
  collect_and_say();
}

// Parked: the coroutine, or the thread's own stack.
static void
push_parked(void) {
  if (parked_at)
    GC_push_all_eager((void *)parked_at, bottom.mem_base);
  else
    GC_push_all_eager(coroutine.stack, coroutine.stack + STACK_BYTES);
  previous();
}

static void
assign_stackbottom(void *address) {
  GC_stackbottom = address;
}

static void
set_stackbottom(void *address) {
  struct GC_stack_base base = {address}, before;
  GC_set_stackbottom(GC_get_my_stackbottom(&before), &base);
}

static void (*set_bottom)(void *address);

OUT_OF_LINE void
switch_to_coroutine(void) {
  parked_at = (char *)__builtin_frame_address(0) - 512; // a bound of this frame
  set_bottom(coroutine.stack + STACK_BYTES);
  enter_coroutine();
  set_bottom(bottom.mem_base);
  parked_at = NULL;
}

// A is on the coroutine's stack, B on the thread's own; collections on both.
static void
collect_there(void) {
  collect(2);
  GC_gcollect();
  say_kept();
  leave_coroutine();
  collect(2);
  GC_gcollect();
  say_kept();
}

static void
run_there(void) {
  hold_while(collect_there, A);
}

static void
collect_here_and_there(void) {
  for (int i = 0; i < 2; i++) {
    switch_to_coroutine();
    collect(2);
    say_kept();
  }
}

static void
run_switches(void (*set)(void *address)) {
  set_bottom = set;
  GC_get_my_stackbottom(&bottom);
  previous = GC_get_push_other_roots();
  make_coroutine(run_there);
  GC_set_push_other_roots(push_parked);
  hold_while(collect_here_and_there, B);
}

static void
stackbottom_assigned(void) {
  run_switches(assign_stackbottom);
}

static void
stackbottom_set(void) {
  run_switches(set_stackbottom);
}

static void *
switch_in_thread(void *unused) {
  run_switches(set_stackbottom);
  return unused;
}

static void
stackbottom_of_thread(void) {
  pthread_join(start_thread(switch_in_thread), NULL);
}

static void *
compare_bottoms(void *unused) {
  struct GC_stack_base first, second;
  void *handle = GC_get_my_stackbottom(&first);
  const char *here = __builtin_frame_address(0), *base = first.mem_base;
  say("%s", yes(handle && base > here && base - here < 100000));
  set_stackbottom((char *)first.mem_base - 16);
  say("%s", yes(GC_get_my_stackbottom(&second) == handle && second.mem_base == (char *)first.mem_base - 16));
  GC_set_stackbottom(NULL, &first);
  say("%s", yes(GC_get_my_stackbottom(&second) == handle && second.mem_base == first.mem_base));
  return unused;
}

static void
bottoms(void) {
  struct GC_stack_base base;
  GC_get_my_stackbottom(&base);
  say("%s", yes(base.mem_base == GC_stackbottom));
  compare_bottoms(NULL);
  say("%s", yes(base.mem_base == GC_stackbottom));
  pthread_join(start_thread(compare_bottoms), NULL);
}

int
main(int argc, char **argv) {
  static const char while_there[] = "A all; A few",
                    switched[] = "A all, B all; A all, B all; A all, B all; A few, B all";
  static const struct clause clauses[] = {
      {"push_other_roots: GC_push_all", all, while_there},
      {"push_other_roots: GC_push_all_eager", eager, while_there},
      {"push_other_roots: GC_push_conditional of all", conditional, while_there},
      {"push_other_roots: whole words are pushed", whole_words, "98; 0"},
      {"push_other_roots: through the variable", through_variable, "yes; yes; A all; A few"},
      {"push_other_roots: called by each collection", each_collection, "yes; yes; yes; yes; yes"},
      {"push_other_roots: what it tells of may change", changing, "A all; A all; few"},
      {"push_other_roots: the procedure before it searches the threads", chain_to_threads, "A all, B all"},
      {"clear_roots: without no libraries, only what is registered later", clear_roots,
       "A few; A all; A few"},
      {"clear_roots: or pushed", clear_and_push, "A all"},
      {"add_roots, remove_roots", registered, while_there},
      {"set_mark_bit: keeps an object that is not searched", mark_while_pushing, "A few; marked all"},
      {"is_marked, clear_mark_bit, set_mark_bit", marks, "A all; yes; A all"},
      {"is_marked, clear_mark_bit, set_mark_bit: large objects", marks_of_large, "A all; yes; A all"},
      {"enumerate_reachable_objects_inner: each of them once", reachable_objects, "A all; B few; C all"},
      {"enumerate_reachable_objects_inner: their sizes", sizes_of_reachable, "yes, 0 wrong"},
      {"add_roots, remove_roots: a coroutine's stack", registered_stack, while_there},
      {"stackbottom: assigned when stacks are switched", stackbottom_assigned, switched},
      {"set_stackbottom: when the main thread switches stacks", stackbottom_set, switched},
      {"set_stackbottom: when another thread switches stacks", stackbottom_of_thread, switched},
      {"get_my_stackbottom, set_stackbottom: what was set", bottoms,
       "yes; yes; yes; yes; yes; yes; yes; yes"},
  };
  return RUN_CLAUSES(clauses, argc > 1 ? argv[1] : NULL);
}
