// One marker against the model of graph.h, and the cases that random graphs seldom meet.
#include "mark/marker.h"

#include "graph.h"

static struct gc_marker marker;

static void
begin(size_t reserve_bytes) {
  fixture_heap(reserve_bytes);
  graph_clear();
  gc_mark_stack_trim(&marker.stack);
  if (marker.stack.memory)
    gc_os_unmap(marker.stack.memory, (size_t)((char *)marker.stack.limit - (char *)marker.stack.memory));
  marker.stack = (struct gc_mark_stack){0};
  gc_mark_stack_bytes_max = SIZE_MAX;
}

static void
begin_cycle(void) {
  fixture_flip();
  gc_marker_begin(&marker, false);
  assert_true(gc_mark_stack_reserve(&marker.stack, 1));
}

static void
mark_from(struct gc_range roots) {
  begin_cycle();
  gc_marker_scan_root(&marker, roots);
  gc_marker_drain(&marker, NULL);
  gc_marker_rescan(&marker);
}

static void
mark_from_word(uintptr_t word) {
  static uintptr_t root;
  root = word;
  mark_from((struct gc_range){(const char *)&root, (const char *)(&root + 1)});
}

static bool
is_marked(const char *object) {
  return *fixture_byte(object) == gc_heap.mark;
}

// ---- Random graphs -------------------------------------------------------------------------------------

static void
exactly_the_reachable_objects_are_marked(void **state) {
  (void)state;
  random_begin("graphs");
  for (int round = 0; round < 60; round++) {
    begin(GC_GIB);
    graph_make_random(1 + random_below(1500), false);
    for (int cycle = 0; cycle < 3; cycle++) { // each with the other mark
      graph_reach(false);
      mark_from(graph_root_range());
      graph_check_marks();
    }
  }
}

static void
without_interior_pointers_only_registered_displacements_count(void **state) {
  (void)state;
  random_begin("displacements");
  gc_heap_register_displacement(8);
  gc_heap_register_displacement(40);
  for (int round = 0; round < 40; round++) {
    begin(GC_GIB);
    gc_heap_set_all_interior_pointers(false);
    graph_make_random(200, false);
    for (uint32_t i = 0; i < 400; i++) {
      uint32_t from = (uint32_t)random_below(200), to = (uint32_t)random_below(200);
      graph_add_edge(from, random_below(graph.nodes[from].bytes / GC_WORD_BYTES), to,
                     random_below(gc_min(graph.nodes[to].bytes / 8, 12)) * 8);
    }
    graph_reach(false);
    mark_from(graph_root_range());
    graph_check_marks();
  }
  gc_heap_displacements[8] = gc_heap_displacements[40] = false;
}

// Stale words: freed slots, slots that are held, free pages, tails of spans, page 0, beyond the frontier.
static void
words_that_refer_to_no_object_mark_nothing(void **state) {
  (void)state;
  begin(64 * GC_MIB);
  char *freed = fixture_allocate(48, GC_KIND_NORMAL), *held = fixture_allocate(48, GC_KIND_NORMAL);
  char *large = fixture_allocate(200000, GC_KIND_NORMAL), *page = fixture_allocate(48 * 1365, GC_KIND_NORMAL);
  assert_non_null(fixture_allocate(200000, GC_KIND_NORMAL));
  gc_large_free(gc_heap_slot_at(large).page);
  *fixture_byte(freed) = GC_SLOT_FREE;
  *fixture_byte(held) = GC_SLOT_HELD_A;
  const char *words[] = {freed,
                         held,
                         large,
                         large + 70000,
                         gc_heap.base,
                         gc_heap.base + 100,
                         gc_heap_page_address(gc_heap.frontier),
                         page - 1};
  mark_from((struct gc_range){(const char *)words, (const char *)(words + 8)});
  assert_int_equal(*fixture_byte(freed), GC_SLOT_FREE);
  assert_int_equal(*fixture_byte(held), GC_SLOT_HELD_A);
  assert_int_equal(gc_heap.slot_bytes[0], GC_SLOT_FREE);
  assert_int_equal(gc_mark_stack_count(&marker.stack), 0);
}

// ---- Just past the end ---------------------------------------------------------------------------------

static void
a_root_just_past_an_object_keeps_it_unless_it_has_room_to_spare(void **state) {
  (void)state;
  static const struct {
    unsigned kind;
    bool kept;
  } cases[] = {{GC_KIND_EXACT, true}, {GC_KIND_ATOMIC, true}, {GC_KIND_NORMAL, false}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    begin(64 * GC_MIB);
    char *object = fixture_allocate(64, cases[i].kind), *next = fixture_allocate(64, cases[i].kind);
    mark_from_word((uintptr_t)object + 64);
    assert_true(is_marked(next));
    assert_int_equal(is_marked(object), cases[i].kept);
    mark_from_word((uintptr_t)object + 65);
    assert_false(is_marked(object));
  }
}

static void
a_root_just_past_a_large_object_keeps_it(void **state) {
  (void)state;
  begin(64 * GC_MIB);
  static const size_t sizes[] = {200000, 3 * GC_PAGE_BYTES, 3 * GC_PAGE_BYTES + 16};
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    char *object = fixture_allocate(sizes[i], GC_KIND_EXACT);
    mark_from_word((uintptr_t)object + gc_heap_slot_at(object).bytes);
    assert_true(is_marked(object));
  }
}

static void
a_root_just_past_the_heap_keeps_its_last_object(void **state) {
  (void)state;
  begin(64 * GC_MIB);
  size_t bytes = gc_classes[GC_CLASSES - 1].slot_bytes; // fills its span
  char *object = fixture_allocate(bytes, GC_KIND_EXACT);
  assert_ptr_equal(object + bytes, gc_heap_page_address(gc_heap.frontier));
  mark_from_word((uintptr_t)object + bytes);
  assert_true(is_marked(object));
}

static void
a_heap_word_just_past_an_object_does_not_keep_it(void **state) {
  (void)state;
  begin(64 * GC_MIB);
  char **holder = (char **)(void *)fixture_allocate(16, GC_KIND_EXACT);
  char *object = fixture_allocate(64, GC_KIND_EXACT), *next = fixture_allocate(64, GC_KIND_EXACT);
  holder[0] = object + 64;
  mark_from_word((uintptr_t)holder);
  assert_true(is_marked(next));
  assert_false(is_marked(object));
}

static void
roots_need_not_be_aligned(void **state) {
  (void)state;
  begin(64 * GC_MIB);
  char *object = fixture_allocate(64, GC_KIND_NORMAL);
  uintptr_t words[3] = {0, (uintptr_t)object, 0};
  mark_from((struct gc_range){(const char *)words + 3, (const char *)words + 19});
  assert_true(is_marked(object));
  mark_from((struct gc_range){(const char *)words + 3, (const char *)words + 15}); // cuts the word
  assert_false(is_marked(object));
}

// ---- Long objects --------------------------------------------------------------------------------------

// An object longer than an entry holds, with pointers at its ends and where entries and pieces meet.
static void
long_objects_are_scanned_to_the_end(void **state) {
  (void)state;
  begin(256 * GC_MIB);
  const size_t bytes = 40 * GC_MIB, words = bytes / GC_WORD_BYTES;
  const size_t entry_words = GC_ENTRY_GRANULES_MAX * GC_GRANULE_BYTES / GC_WORD_BYTES;
  const size_t at[] = {0,
                       1,
                       127,
                       128,
                       1023,
                       1024,
                       entry_words - 1,
                       entry_words,
                       2 * entry_words - 1,
                       2 * entry_words,
                       words - 2,
                       words - 1};
  uint32_t holder = graph_add_node(bytes, GC_KIND_NORMAL);
  for (size_t i = 0; i < sizeof at / sizeof at[0]; i++)
    graph_add_edge(holder, at[i], graph_add_node(24, GC_KIND_NORMAL), 0);
  graph_add_root(holder, 30 * GC_MIB);
  assert_int_equal(graph_reach(false), graph.node_count);
  mark_from(graph_root_range());
  graph_check_marks();
}

// Every word of a wide array refers to an object with a child of its own.
static uint32_t
add_wide_array(size_t width) {
  uint32_t array = graph_add_node(width * GC_WORD_BYTES, GC_KIND_EXACT);
  for (size_t i = 0; i < width; i++) {
    uint32_t child = graph_add_node(40, GC_KIND_NORMAL);
    graph_add_edge(array, i, child, 0);
    graph_add_edge(child, 4, graph_add_node(40, GC_KIND_NORMAL), 0);
  }
  return array;
}

static void
every_word_of_a_wide_array_counts(void **state) {
  (void)state;
  begin(256 * GC_MIB);
  graph_add_root(add_wide_array(9000), 0);
  assert_int_equal(graph_reach(false), graph.node_count);
  mark_from(graph_root_range());
  graph_check_marks();
}

// ---- Overflow ------------------------------------------------------------------------------------------

static void
after_an_overflow_all_is_marked_even_so(void **state) {
  (void)state;
  begin(256 * GC_MIB);
  graph_add_root(add_wide_array(45000), 0);
  graph_reach(false);
  gc_mark_stack_bytes_max = GC_MARK_STACK_BYTES_MIN;
  begin_cycle();
  gc_marker_scan_root(&marker, graph_root_range());
  gc_marker_drain(&marker, NULL);
  gc_marker_rescan(&marker);
  assert_false(marker.stack.overflowed);
  graph_check_marks();
}

static void
a_tree_deeper_than_the_stack_is_marked(void **state) {
  (void)state;
  begin(256 * GC_MIB);
  gc_mark_stack_bytes_max = GC_MARK_STACK_BYTES_MIN;
  uint32_t first = graph_add_node(2000, GC_KIND_NORMAL), at = first;
  for (size_t level = 0; level < 400; level++) { // 200 children each, of which the first goes on
    uint32_t next = graph_add_node(2000, GC_KIND_NORMAL);
    graph_add_edge(at, 0, next, 0);
    for (size_t i = 1; i < 200; i++)
      graph_add_edge(at, i, graph_add_node(16, GC_KIND_EXACT), 0);
    at = next;
  }
  graph_add_root(first, 0);
  assert_int_equal(graph_reach(false), graph.node_count);
  mark_from(graph_root_range());
  graph_check_marks();
}

// Roots are found once: what they refer to may not be forgotten for want of room.
static void
more_roots_than_the_stack_holds_are_all_marked(void **state) {
  (void)state;
  begin(256 * GC_MIB);
  static uintptr_t roots[GRAPH_NODES_MAX / 2];
  gc_mark_stack_bytes_max = GC_MARK_STACK_BYTES_MIN;
  for (size_t i = 0; i < GRAPH_NODES_MAX / 2; i++)
    roots[i] = (uintptr_t)graph.nodes[graph_add_node(48, GC_KIND_EXACT)].start;
  for (size_t i = 0; i < graph.node_count; i++)
    graph.nodes[i].reached = true;
  mark_from((struct gc_range){(const char *)roots, (const char *)(roots + GRAPH_NODES_MAX / 2)});
  graph_check_marks();
}

static void
more_objects_marked_by_hand_than_the_stack_holds(void **state) {
  (void)state;
  begin(256 * GC_MIB);
  gc_mark_stack_bytes_max = GC_MARK_STACK_BYTES_MIN;
  for (size_t i = 0; i < GRAPH_NODES_MAX / 2; i++) {
    uint32_t node = graph_add_node(48, GC_KIND_EXACT);
    graph_add_edge(node, 3, graph_add_node(16, GC_KIND_EXACT), 0);
    graph.nodes[node].reached = graph.nodes[node + 1].reached = true;
  }
  begin_cycle();
  for (size_t i = 0; i < graph.node_count; i += 2)
    gc_marker_mark_object(&marker, graph.nodes[i].start);
  gc_marker_drain(&marker, NULL);
  gc_marker_rescan(&marker);
  graph_check_marks();
}

int
main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(exactly_the_reachable_objects_are_marked),
      cmocka_unit_test(without_interior_pointers_only_registered_displacements_count),
      cmocka_unit_test(words_that_refer_to_no_object_mark_nothing),
      cmocka_unit_test(a_root_just_past_an_object_keeps_it_unless_it_has_room_to_spare),
      cmocka_unit_test(a_root_just_past_a_large_object_keeps_it),
      cmocka_unit_test(a_root_just_past_the_heap_keeps_its_last_object),
      cmocka_unit_test(a_heap_word_just_past_an_object_does_not_keep_it),
      cmocka_unit_test(roots_need_not_be_aligned),
      cmocka_unit_test(long_objects_are_scanned_to_the_end),
      cmocka_unit_test(every_word_of_a_wide_array_counts),
      cmocka_unit_test(after_an_overflow_all_is_marked_even_so),
      cmocka_unit_test(a_tree_deeper_than_the_stack_is_marked),
      cmocka_unit_test(more_roots_than_the_stack_holds_are_all_marked),
      cmocka_unit_test(more_objects_marked_by_hand_than_the_stack_holds),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
