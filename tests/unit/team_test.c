// A team of markers against the model of graph.h: with any number of helpers the same objects are marked.
#include "mark/team.h"

#include <sys/wait.h>
#include <unistd.h>

#include "graph.h"
#include "heap/sweep.h"

enum { MARKERS = 4 };

static int stop_countdown;
static size_t stop_calls;

static int
stop_after_some(void) {
  stop_calls++;
  return --stop_countdown <= 0;
}

static int
never_stop(void) {
  stop_calls++;
  return 0;
}

// As a cycle does: roots in pieces, the caller's marker begun.
static bool
mark_with(unsigned markers, int (*stop)(void)) {
  static struct gc_range pieces[GRAPH_ROOTS_MAX];
  for (size_t i = 0; i < graph.root_count; i++)
    pieces[i] = (struct gc_range){(const char *)(graph.roots + i), (const char *)(graph.roots + i + 1)};
  fixture_flip();
  return gc_team_mark(&(struct gc_mark_job){
      .roots = pieces, .root_count = graph.root_count, .markers = markers, .stop = stop});
}

// A heap, and stacks that have not grown yet.
static void
begin(void) {
  fixture_heap(GC_GIB);
  graph_clear();
  gc_mark_stack_bytes_max = SIZE_MAX;
  for (size_t i = 0; i < MARKERS; i++) {
    struct gc_mark_stack *stack = &gc_team_own_marker()[i].stack;
    if (stack->memory)
      gc_os_unmap(stack->memory, (size_t)((char *)stack->limit - (char *)stack->memory));
    *stack = (struct gc_mark_stack){0};
  }
}

// A tree of small objects below one root, with a few that nothing refers to.
static void
make_tree(size_t count) {
  begin();
  for (uint32_t i = 0; i < count; i++) {
    graph_add_node(32, GC_KIND_EXACT);
    if (i > 0 && i % 17 != 5)
      graph_add_edge((i - 1) / 3, (i - 1) % 3, i, 0);
  }
  graph_add_root(0, 0);
  graph_reach(true);
}

static void
any_number_of_markers_marks_exactly_what_is_reachable(void **state) {
  (void)state;
  random_begin("team");
  gc_team_prepare_helpers(MARKERS - 1);
  for (int round = 0; round < 40; round++) {
    begin();
    graph_make_random(1 + random_below(2000), true);
    graph_reach(true);
    for (unsigned markers = 1; markers <= MARKERS; markers++) {
      assert_true(mark_with(markers, NULL));
      graph_check_marks();
    }
  }
}

static void
helpers_are_created_once(void **state) {
  (void)state;
  gc_team_prepare_helpers(MARKERS - 1);
  assert_int_equal(gc_team_helpers(), MARKERS - 1);
  gc_team_prepare_helpers(1);
  assert_int_equal(gc_team_helpers(), MARKERS - 1);
}

// How many markers have had an entry on their stacks since the last call.
static unsigned
markers_with_work(void) {
  unsigned count = 0;
  for (size_t i = 0; i < MARKERS; i++) {
    gc_mark_entry *memory = gc_team_own_marker()[i].stack.memory;
    count += memory && *memory;
    if (memory)
      *memory = 0;
  }
  return count;
}

// One root goes to one marker; only what that one shares can reach another.
static void
work_that_one_marker_starts_with_is_shared(void **state) {
  (void)state;
  make_tree(20000);
  unsigned most = 0;
  markers_with_work();
  for (int round = 0; round < 3000 && most < 2; round++) {
    assert_true(mark_with(MARKERS, NULL));
    graph_check_marks();
    most = (unsigned)gc_max(most, markers_with_work());
  }
  assert_in_range(most, 2, MARKERS);
}

static void
marks_survive_overflow_of_any_marker(void **state) {
  (void)state;
  begin();
  gc_mark_stack_bytes_max = GC_MARK_STACK_BYTES_MIN;
  uint32_t array = graph_add_node(45000 * GC_WORD_BYTES, GC_KIND_EXACT);
  for (size_t i = 0; i < 45000; i++) {
    uint32_t child = graph_add_node(40, GC_KIND_NORMAL);
    graph_add_edge(array, i, child, 0);
    graph_add_edge(child, 4, graph_add_node(40, GC_KIND_NORMAL), 0);
  }
  graph_add_root(array, 0);
  assert_int_equal(graph_reach(true), graph.node_count);
  for (unsigned markers = 1; markers <= MARKERS; markers++) {
    assert_true(mark_with(markers, NULL));
    graph_check_marks();
  }
  gc_mark_stack_bytes_max = SIZE_MAX;
}

static void
more_uncollectable_objects_than_the_stack_holds(void **state) {
  (void)state;
  begin();
  gc_mark_stack_bytes_max = GC_MARK_STACK_BYTES_MIN;
  for (size_t i = 0; i < GRAPH_NODES_MAX / 2 - 1; i++) {
    uint32_t holder = graph_add_node(16, GC_KIND_UNCOLLECTABLE);
    graph_add_edge(holder, 1, graph_add_node(24, GC_KIND_NORMAL), 0);
  }
  assert_int_equal(graph_reach(true), graph.node_count);
  assert_true(mark_with(1, NULL));
  graph_check_marks();
  gc_mark_stack_bytes_max = SIZE_MAX;
}

// With helpers the job may be over before the caller has asked twice.
static void
a_job_that_was_called_off_can_be_undone_and_done_again(void **state) {
  (void)state;
  make_tree(20000);
  for (unsigned markers = 1; markers <= MARKERS; markers++) {
    uint8_t previous_mark = gc_heap.mark;
    stop_countdown = 2;
    if (mark_with(markers, stop_after_some)) {
      assert_int_not_equal(markers, 1);
      graph_check_marks();
      continue;
    }
    assert_true(stop_countdown <= 0);
    gc_sweep_undo_marks_stw(gc_heap.mark, previous_mark);
    gc_heap.mark = previous_mark;
    assert_true(mark_with(markers, NULL));
    graph_check_marks();
  }
}

static void
the_stop_function_is_asked_now_and_then(void **state) {
  (void)state;
  make_tree(20000);
  stop_calls = 0;
  assert_true(mark_with(1, never_stop));
  assert_in_range(stop_calls, 2, 20000);
}

static void
a_forked_child_marks_alone_and_then_with_helpers_of_its_own(void **state) {
  (void)state;
  make_tree(20000);
  assert_true(mark_with(MARKERS, NULL));
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    gc_team_after_fork_child();
    bool right = gc_team_helpers() == 0 && mark_with(MARKERS, NULL);
    gc_team_prepare_helpers(2);
    right = right && gc_team_helpers() == 2 && mark_with(MARKERS, NULL);
    for (size_t i = 0; i < graph.node_count; i++)
      right = right && (*fixture_byte(graph.nodes[i].start) == gc_heap.mark) == graph.nodes[i].reached;
    _exit(right ? 0 : 1);
  }
  int status;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(status, 0);
  assert_true(mark_with(MARKERS, NULL));
  graph_check_marks();
}

int
main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(any_number_of_markers_marks_exactly_what_is_reachable),
      cmocka_unit_test(helpers_are_created_once),
      cmocka_unit_test(work_that_one_marker_starts_with_is_shared),
      cmocka_unit_test(marks_survive_overflow_of_any_marker),
      cmocka_unit_test(more_uncollectable_objects_than_the_stack_holds),
      cmocka_unit_test(a_job_that_was_called_off_can_be_undone_and_done_again),
      cmocka_unit_test(the_stop_function_is_asked_now_and_then),
      cmocka_unit_test(a_forked_child_marks_alone_and_then_with_helpers_of_its_own),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
