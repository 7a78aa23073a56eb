// A team of markers against the model of graph.h: with any number of helpers the same objects are marked.
#include "mark/team.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "graph.h"
#include "heap/sweep.h"
#include "os/clock.h"

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

// One root goes to one marker; only what that one shares can reach another.  On a busy machine it may be long
// before two run at once.
static void
assert_several_mark(void) {
  const uint64_t until_ns = gc_os_now_ns() + UINT64_C(120000000000);
  unsigned most = 0;
  markers_with_work();
  while (most < 2 && gc_os_now_ns() < until_ns) {
    assert_true(mark_with(MARKERS, NULL));
    graph_check_marks();
    most = (unsigned)gc_max(most, markers_with_work());
  }
  assert_in_range(most, 2, MARKERS);
}

static void
work_that_one_marker_starts_with_is_shared(void **state) {
  (void)state;
  make_tree(20000);
  assert_several_mark();
}

// Nothing but the rest of the array is on its marker's stack.
static void
a_long_array_of_pointer_free_objects_is_shared(void **state) {
  (void)state;
  enum { LEAVES = 2000, WORDS = 500 };
  begin();
  graph_add_node(LEAVES * WORDS * sizeof(void *), GC_KIND_EXACT);
  for (uint32_t leaf = 1; leaf <= LEAVES; leaf++) {
    graph_add_node(32, GC_KIND_ATOMIC);
    graph_add_edge(0, (leaf - 1) * WORDS, leaf, 0);
  }
  graph_add_root(0, 0);
  graph_reach(true);
  assert_several_mark();
}

// The granules of the entries, from the oldest on.
static void
assert_entries(const struct gc_mark_stack *stack, const size_t *granules, size_t count) {
  assert_int_equal(gc_mark_stack_count(stack), count);
  for (size_t i = 0; i < count; i++)
    assert_int_equal(gc_mark_entry_granules(stack->base[i]), granules[i]);
}

// All other entries together are nothing to the array: given away whole with them, it would be back before
// another marker has woken.
static void
of_a_long_array_half_is_shared(void **state) {
  (void)state;
  begin();
  struct gc_mark_stack *stack = &gc_team_own_marker()->stack;
  assert_true(gc_mark_stack_reserve(stack, 4));
  const size_t before[] = {2, 2, 100001, 64}, kept[] = {2, 2, 50000, 64}, shared[] = {50001};
  for (size_t i = 0; i < 4; i++)
    *stack->top++ = gc_mark_entry_make(i * 200000, before[i]);
  gc_team_share(stack);
  assert_entries(stack, kept, 4);
  assert_entries(gc_team_pool(), shared, 1);
  assert_int_equal(gc_mark_entry_granule(stack->base[2]), 400000);
  assert_int_equal(gc_mark_entry_granule(*gc_team_pool()->base), 450000);

  stack->base[2] = gc_mark_entry_make(400000, 64); // a short one
  const size_t both[] = {50001, 2, 2}, left[] = {64, 64};
  gc_team_share(stack);
  assert_entries(stack, left, 2);
  assert_entries(gc_team_pool(), both, 3);
  gc_mark_stack_clear(stack);
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

// ---- Minor jobs ----------------------------------------------------------------------------------------

enum { WRITTEN_MAX = 4000, PART_BYTES = 4096 };

static struct gc_range written[WRITTEN_MAX]; // parts of pages
static size_t written_count;

static void
note_write(const char *word) {
  const char *base = gc_heap.base + gc_round_down((size_t)(word - gc_heap.base), PART_BYTES);
  assert_true(written_count < WRITTEN_MAX);
  written[written_count++] = (struct gc_range){base, base + PART_BYTES};
}

// As graph_add_edge, with a note.
static void
write_edge(uint32_t from, uint32_t to) {
  size_t before = graph.edge_count, word = random_below(graph.nodes[from].bytes / GC_WORD_BYTES);
  graph_add_edge(from, word, to, 0);
  if (graph.edge_count > before)
    note_write(graph.nodes[from].start + word * GC_WORD_BYTES);
}

static uint32_t
random_node(size_t from) {
  return (uint32_t)(from + random_below(graph.node_count - from));
}

static void
add_random_nodes(size_t count) {
  for (size_t i = 0; i < count; i++) {
    size_t bytes = graph_random_bytes();
    graph_add_node(bytes, graph_random_kind(bytes, true));
  }
}

// Root ranges, one word each.
static struct gc_mark_job
job_with(unsigned markers) {
  static struct gc_range pieces[GRAPH_ROOTS_MAX];
  for (size_t i = 0; i < graph.root_count; i++)
    pieces[i] = (struct gc_range){(const char *)(graph.roots + i), (const char *)(graph.roots + i + 1)};
  return (struct gc_mark_job){.roots = pieces,
                              .root_count = graph.root_count,
                              .written = written,
                              .written_count = written_count,
                              .markers = markers};
}

// A heap in which all is old: marked, and no span is young.
static void
make_old(void) {
  begin();
  graph_make_random(1 + random_below(1500), true);
  for (size_t i = 0; i < graph.node_count; i++)
    *fixture_byte(graph.nodes[i].start) = gc_heap.mark;
  gc_cache_give_back(&fixture_cache);
  gc_page_set_clear(gc_heap.young, gc_heap.frontier);
  written_count = 0;
}

// What a minor cycle finds: from roots, new uncollectable objects, and what old objects have come to refer
// to.
static void
reach_minor(size_t old_count) {
  for (size_t i = 0; i < graph.node_count; i++)
    graph.nodes[i].reached = i < old_count;
  for (uint32_t i = 0; i < old_count; i++)
    for (uint32_t edge = graph.nodes[i].first_edge; edge; edge = graph.edges[edge].next)
      graph_visit(graph.edges[edge].to);
  for (size_t i = 0; i < graph.root_count; i++)
    graph_visit_root(graph.roots[i]);
  for (uint32_t i = 0; i < graph.node_count; i++)
    if (gc_kind_is_uncollectable(graph.nodes[i].kind))
      graph_visit(i);
  graph_drain();
}

static void
a_minor_job_marks_exactly_the_new_objects_that_are_reachable(void **state) {
  (void)state;
  random_begin("minor jobs");
  gc_team_prepare_helpers(MARKERS - 1);
  for (int round = 0; round < 40; round++) {
    make_old();
    size_t old_count = graph.node_count;
    add_random_nodes(1 + random_below(1000));
    for (size_t i = 0; i < graph.node_count; i++)
      write_edge(random_node(0), random_node(random_below(2) ? old_count : 0));
    graph_add_root(random_node(old_count), 0);
    reach_minor(old_count);
    for (unsigned markers = 1; markers <= MARKERS; markers++) {
      for (size_t i = old_count; i < graph.node_count; i++)
        *fixture_byte(graph.nodes[i].start) = GC_SLOT_NEW;
      struct gc_mark_job job = job_with(markers);
      job.minor = true;
      assert_true(gc_team_mark(&job));
      graph_check_marks();
    }
  }
}

// ---- Continued jobs ------------------------------------------------------------------------------------

static size_t black; // nodes from here on were born black

// A cycle begins.
static void
begin_continued(void) {
  struct gc_mark_job job = job_with(1);
  fixture_flip();
  written_count = 0;
  black = SIZE_MAX;
  assert_true(gc_team_begin(&job));
}

// From here on objects are born black.
static void
blacken(void) {
  struct gc_mark_job job = job_with(1);
  gc_cache_shield_stw(&fixture_cache);
  assert_true(gc_team_go_on(&job));
  black = gc_min(black, graph.node_count);
  gc_heap.birth = gc_heap.mark;
  gc_cache_unshield_stw(&fixture_cache);
}

// The program goes on: it makes objects and lets others, marked ones and white ones, refer to anything.
static void
run_program(size_t steps) {
  for (; steps > 0; steps--) {
    if (random_below(3) == 0)
      add_random_nodes(1);
    write_edge(random_node(0), random_node(0));
  }
}

static void
end_continued(void) {
  graph_reach(true);
  for (size_t i = black; i < graph.node_count; i++)
    if (!graph.nodes[i].reached)
      graph_visit((uint32_t)i); // and what it refers to
  graph_drain();
  graph_check_marks();
  assert_int_equal(gc_mark_stack_count(&gc_team_own_marker()->stack), 0);
  gc_heap.birth = GC_SLOT_NEW;
}

// Each try is given only what was written since the one before.  true if it was not called off.
static bool
try_to_finish(unsigned markers, int stop_after) {
  struct gc_mark_job job = job_with(markers);
  job.continued = true;
  job.stop = stop_after > 0 ? stop_after_some : NULL;
  stop_countdown = stop_after;
  bool finished = gc_team_mark(&job);
  written_count = 0;
  return finished;
}

enum { GUESTS = 2 };

static volatile int hurry; // the guests are to leave

static void *
come_as_guest(void *until_ns) {
  while (!hurry)
    gc_team_mark_as_guest(GUESTS, &hurry, gc_os_now_ns() + *(uint64_t *)until_ns);
  return NULL;
}

// The program stands still meanwhile.  Returns whether something is left.
static bool
mark_with_guests(uint64_t slice_ns, uint64_t guest_ns) {
  pthread_t guests[GUESTS];
  gc_marker_look_at_all(gc_team_own_marker());
  hurry = 0;
  for (size_t i = 0; i < GUESTS; i++)
    assert_int_equal(pthread_create(&guests[i], NULL, come_as_guest, &guest_ns), 0);
  bool more = gc_team_drain_until(gc_os_now_ns() + slice_ns);
  hurry = 1;
  for (size_t i = 0; i < GUESTS; i++)
    pthread_join(guests[i], NULL);
  return more;
}

static void
mark_a_slice(void) {
  mark_with_guests(random_below(30000), random_below(20000));
}

static void
a_continued_job_finishes_what_slices_began(void **state) {
  (void)state;
  random_begin("continued");
  for (int round = 0; round < 40; round++) {
    begin();
    graph_make_random(1 + random_below(2000), true);
    begin_continued();
    for (size_t slices = random_below(4); slices > 0; slices--) {
      mark_a_slice();
      run_program(random_below(200));
      if (random_below(3) == 0)
        blacken();
    }
    assert_true(try_to_finish(1 + (unsigned)random_below(MARKERS), 0));
    end_continued();
  }
}

static void
a_continued_job_that_is_called_off_loses_nothing(void **state) {
  (void)state;
  random_begin("called off");
  size_t called_off = 0;
  for (int round = 0; round < 60; round++) {
    begin();
    graph_make_random(1 + random_below(4000), true);
    begin_continued();
    bool finished = false;
    for (size_t tries = random_below(6); tries > 0 && !finished; tries--) {
      run_program(random_below(400));
      if (random_below(3) == 0)
        blacken();
      finished = try_to_finish(1 + (unsigned)random_below(MARKERS), 1 + (int)random_below(4));
      called_off += !finished;
      if (random_below(2))
        mark_a_slice();
    }
    run_program(finished ? 0 : 100);
    assert_true(finished || try_to_finish(1 + (unsigned)random_below(MARKERS), 0));
    end_continued();
  }
  assert_true(called_off > 0);
}

// Changes with every object that a guest scans.
static size_t
work_of_guests(void) {
  size_t sum = 0;
  for (size_t i = 1; i <= GUESTS; i++) {
    struct gc_mark_trial trial = gc_team_own_marker()[i].trial;
    sum += trial.until + trial.drains + trial.scanned;
  }
  return sum;
}

static void
guests_do_a_part_and_leave_nothing_behind(void **state) {
  (void)state;
  random_begin("guests");
  size_t before = work_of_guests();
  for (int round = 0; round < 200 && work_of_guests() == before; round++) {
    make_tree(100000);
    begin_continued();
    while (mark_with_guests(5000000, 300000))
      ;
    assert_true(gc_mark_stack_count(gc_team_pool()) == 0);
    graph_reach(true);
    graph_check_marks();
    assert_true(try_to_finish(1, 0));
    end_continued();
  }
  assert_true(work_of_guests() != before);
}

// With stacks that cannot grow, leftovers of helpers and guests may have no room with the caller.
static void
neither_does_one_whose_stacks_overflow(void **state) {
  (void)state;
  random_begin("called off, overflow");
  for (unsigned markers = 1; markers <= MARKERS; markers++) {
    begin();
    gc_mark_stack_bytes_max = GC_MARK_STACK_BYTES_MIN;
    uint32_t array = graph_add_node(40000 * GC_WORD_BYTES, GC_KIND_EXACT);
    for (size_t i = 0; i < 30000; i++) {
      uint32_t child = graph_add_node(40, GC_KIND_NORMAL);
      graph_add_edge(array, i, child, 0);
      graph_add_edge(child, 4, graph_add_node(40, GC_KIND_NORMAL), 0);
    }
    graph_add_root(array, 0);
    begin_continued();
    bool finished = false;
    for (int tries = 0; tries < 6 && !finished; tries++) {
      mark_a_slice();
      run_program(100);
      finished = try_to_finish(markers, 1 + tries);
    }
    assert_true(finished || try_to_finish(markers, 0));
    end_continued();
  }
  gc_mark_stack_bytes_max = SIZE_MAX;
}

int
main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(any_number_of_markers_marks_exactly_what_is_reachable),
      cmocka_unit_test(helpers_are_created_once),
      cmocka_unit_test(work_that_one_marker_starts_with_is_shared),
      cmocka_unit_test(a_long_array_of_pointer_free_objects_is_shared),
      cmocka_unit_test(of_a_long_array_half_is_shared),
      cmocka_unit_test(marks_survive_overflow_of_any_marker),
      cmocka_unit_test(more_uncollectable_objects_than_the_stack_holds),
      cmocka_unit_test(a_job_that_was_called_off_can_be_undone_and_done_again),
      cmocka_unit_test(the_stop_function_is_asked_now_and_then),
      cmocka_unit_test(a_minor_job_marks_exactly_the_new_objects_that_are_reachable),
      cmocka_unit_test(a_continued_job_finishes_what_slices_began),
      cmocka_unit_test(a_continued_job_that_is_called_off_loses_nothing),
      cmocka_unit_test(guests_do_a_part_and_leave_nothing_behind),
      cmocka_unit_test(neither_does_one_whose_stacks_overflow),
      cmocka_unit_test(a_forked_child_marks_alone_and_then_with_helpers_of_its_own),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
