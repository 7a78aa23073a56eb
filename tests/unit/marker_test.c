// One marker against the model of graph.h, and the cases that random graphs seldom meet; each in all ways of
// draining, and once more while trials go on, without vectors.
#include "mark/marker.h"

#include "graph.h"
#include "os/clock.h"
#include "os/pagemap.h"

static struct gc_marker marker;
static unsigned way_in_use; // GC_DRAIN_WAYS: what trials choose

static void
use_way(void) {
  marker.trial = (struct gc_mark_trial){.until = way_in_use < GC_DRAIN_WAYS ? SIZE_MAX : 0, .between = 1};
  memset(marker.trial.cost, UINT8_MAX, sizeof marker.trial.cost);
  marker.way = way_in_use % GC_DRAIN_WAYS;
  marker.drain = way_in_use < GC_DRAIN_WAYS ? gc_drain_choose() : gc_drain_scalar;
}

static void
begin(size_t reserve_bytes) {
  use_way();
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

// ---- Large objects that are mostly untouched -----------------------------------------------------------

static void
count_bytes(struct gc_range part, void *bytes) {
  *(size_t *)bytes += gc_range_bytes(part);
}

static size_t
touched_bytes(const char *object, size_t bytes) {
  size_t touched = 0;
  int pagemap = gc_pagemap_open();
  gc_pagemap_visit_touched(pagemap, (struct gc_range){object, object + bytes}, count_bytes, &touched);
  gc_pagemap_close(pagemap);
  return touched;
}

static void
assert_all_marked(char *const *objects, size_t count) {
  for (size_t i = 0; i < count; i++)
    assert_true(is_marked(objects[i]));
}

static void
what_was_never_touched_is_not_read(void **state) {
  (void)state;
  enum { BYTES = 8 << 20, WORDS = BYTES / sizeof(char *), TARGETS = 300 };
  char *targets[TARGETS];
  random_begin("touched");
  begin(64 * GC_MIB);
  char **table = (char **)(void *)fixture_allocate(BYTES - 1, GC_KIND_NORMAL);
  assert_true(gc_heap.infos[gc_heap_page_of(table)].sparse);
  for (size_t i = 0; i < TARGETS; i++) {
    size_t at = i == 0 ? 0 : i == 1 ? WORDS - 1 : random_below(WORDS);
    while (i > 0 && table[at])
      at = random_below(WORDS);
    table[at] = targets[i] = fixture_allocate(48, GC_KIND_NORMAL);
  }
  size_t before = touched_bytes((const char *)table, BYTES);
  mark_from_word((uintptr_t)table);
  assert_all_marked(targets, TARGETS);
  assert_int_equal(touched_bytes((const char *)table, BYTES), before);
  for (size_t i = 0; i < WORDS; i++)
    if (!table[i])
      table[i] = (char *)(uintptr_t)i;
  for (int cycle = 0; cycle < 2; cycle++) { // the first finds that nothing is left to be spared
    mark_from_word((uintptr_t)table);
    assert_all_marked(targets, TARGETS);
    assert_false(gc_heap.infos[gc_heap_page_of(table)].sparse);
  }
}

// More parts than a stack that cannot grow has room for: what is left out must not be left out each time.
static void
a_sparse_object_of_many_parts_is_searched(void **state) {
  (void)state;
  enum { BYTES = 288 << 20, EVERY_BYTES = 8192, WORDS = EVERY_BYTES / sizeof(char *) };
  begin(GC_GIB);
  gc_mark_stack_bytes_max = GC_MARK_STACK_BYTES_MIN;
  char **table = (char **)(void *)fixture_allocate(BYTES - 1, GC_KIND_NORMAL);
  char *first = fixture_allocate(48, GC_KIND_NORMAL), *last = fixture_allocate(48, GC_KIND_NORMAL);
  for (size_t i = 0; i < BYTES / EVERY_BYTES; i++)
    table[i * WORDS] = i < 100 ? first : last;
  mark_from_word((uintptr_t)table);
  assert_true(is_marked(first) && is_marked(last));
}

static void
large_sparse_objects_are_asked_about_by_parts(void **state) {
  (void)state;
  enum { BYTES = 100 << 20, WORDS = BYTES / sizeof(char *), TARGETS = 1000 };
  static char *targets[TARGETS];
  random_begin("stretches");
  begin(GC_GIB);
  char **table = (char **)(void *)fixture_allocate(BYTES - 1, GC_KIND_NORMAL);
  for (size_t i = 0; i < TARGETS; i++) {
    size_t at = i == 0 ? WORDS - 1 : random_below(WORDS);
    if (!table[at])
      table[at] = targets[i] = fixture_allocate(48, GC_KIND_NORMAL);
    else
      targets[i] = table[at];
  }
  size_t before = touched_bytes((const char *)table, BYTES);
  mark_from_word((uintptr_t)table);
  assert_all_marked(targets, TARGETS);
  assert_int_equal(touched_bytes((const char *)table, BYTES), before);
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

// Objects side by side, each with a child that counts and, if only the first word of their kind is searched,
// one that does not.
static uint32_t
add_neighbours(size_t count, size_t bytes, unsigned kind, bool first_word_only) {
  uint32_t first = graph_add_node(bytes, kind);
  for (size_t i = 1; i < count; i++)
    graph_add_node(bytes, kind);
  for (uint32_t object = first; object < first + count; object++) {
    uint32_t child = graph_add_node(32, GC_KIND_EXACT), other = graph_add_node(32, GC_KIND_EXACT);
    graph_add_edge(object, 0, child, 0);
    if (first_word_only)
      ((char **)(void *)graph.nodes[object].start)[1] = graph.nodes[other].start;
    else
      graph_add_edge(object, 1, other, 0);
  }
  return first;
}

// Arrays, enough of them to be scanned in batches, whose words refer to three quarters of these objects: some
// in a row to one, and into one place of it, so that several in a row lie in one page.
static void
refer_to_neighbours(size_t bytes, unsigned kind, bool first_word_only) {
  enum { OBJECTS = 100, ARRAYS = 40, WORDS = 48, NEAR_BYTES = 64 };
  uint32_t first = add_neighbours(OBJECTS, bytes, kind, first_word_only);
  for (size_t i = 0; i < ARRAYS; i++) {
    uint32_t array = graph_add_node(WORDS * GC_WORD_BYTES, GC_KIND_EXACT);
    size_t from = random_below(OBJECTS), words_each = 1 + random_below(12);
    size_t place = random_below(2) ? random_below(bytes) : 0;
    graph_add_root(array, 0);
    for (size_t word = 0; word < WORDS; word++) {
      size_t object = (from + word / words_each) % OBJECTS;
      size_t start = object % 2 && random_below(2) ? 0 : place;
      if (object % 4 < 3)
        graph_add_edge(array, word, first + (uint32_t)object,
                       start + random_below(gc_min(NEAR_BYTES, bytes - start)));
    }
  }
}

static void
words_that_refer_into_one_page_count_as_others_do(void **state) {
  (void)state;
  static unsigned described;
  static const size_t sizes[] = {16, 48, 1008, 5000, 24000, 200000};
  random_begin("neighbours");
  gc_heap_register_displacement(40);
  if (!described)
    described = gc_kind_make(GC_WORD_BYTES | GC_DESCRIPTOR_LENGTH, false);
  const unsigned kinds[] = {GC_KIND_NORMAL, GC_KIND_EXACT, GC_KIND_ATOMIC, GC_KIND_ATOMIC_UNCOLLECTABLE,
                            described};
  for (size_t round = 0; round < 2 * 6 * 5; round++) {
    begin(256 * GC_MIB);
    gc_heap_set_all_interior_pointers(round % 2);
    unsigned kind = kinds[round / 2 % 5];
    refer_to_neighbours(sizes[round / 10], kind, kind == described);
    assert_in_range(graph_reach(false), 10, graph.node_count - 10);
    mark_from(graph_root_range());
    graph_check_marks();
  }
  gc_heap_displacements[40] = false;
}

// A large one is more than its entry can say, and the words beside it refer to small ones in many pages.
static void
large_objects_among_small_ones_are_searched_to_the_end(void **state) {
  (void)state;
  enum { ARRAYS = 40, WORDS = 48, LARGE_BYTES = 20 << 20 };
  begin(GC_GIB);
  for (size_t i = 0; i < ARRAYS; i++) {
    uint32_t array = graph_add_node(WORDS * GC_WORD_BYTES, GC_KIND_EXACT);
    graph_add_root(array, 0);
    for (size_t word = 0; word < WORDS; word++) {
      bool large = word == i && i % 10 == 0;
      size_t bytes = large ? LARGE_BYTES : 16 * (1 + word);
      uint32_t object = graph_add_node(bytes, GC_KIND_EXACT);
      graph_add_edge(array, word, object, 0);
      graph_add_edge(object, bytes / GC_WORD_BYTES - 1, graph_add_node(32, GC_KIND_EXACT), 0);
    }
  }
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

// ---- Minor marking -------------------------------------------------------------------------------------

enum { WRITES_MAX = 4000 };

// Words of old objects that refer to new ones.
static struct {
  const char *word;
  uint32_t to;
} writes[WRITES_MAX];
static size_t write_count;
static uint32_t old_count; // nodes from here on are new

// All that is there so far becomes old.
static void
make_old(void) {
  for (size_t i = 0; i < graph.node_count; i++)
    *fixture_byte(graph.nodes[i].start) = gc_heap.mark;
  old_count = (uint32_t)graph.node_count;
  write_count = 0;
}

static void
write_edge(uint32_t from, size_t word, uint32_t to) {
  size_t before = graph.edge_count;
  graph_add_edge(from, word, to, 0);
  if (graph.edge_count == before || from >= old_count)
    return;
  writes[write_count].word = graph.nodes[from].start + word * GC_WORD_BYTES;
  writes[write_count++].to = to;
}

// New objects that refer to one another and to old ones, and old ones that come to refer to them.
static void
make_new_random(size_t count) {
  for (size_t i = 0; i < count; i++) {
    size_t bytes = graph_random_bytes();
    graph_add_node(bytes, graph_random_kind(bytes, false));
  }
  for (size_t i = 0; i < 2 * count; i++) {
    uint32_t from = (uint32_t)random_below(graph.node_count), to = (uint32_t)random_below(graph.node_count);
    if (from < old_count)
      to = old_count + to % (uint32_t)count;
    write_edge(from, random_below(graph.nodes[from].bytes / GC_WORD_BYTES), to);
  }
}

static void
begin_minor(void) {
  gc_marker_begin(&marker, true);
  assert_true(gc_mark_stack_reserve(&marker.stack, 1));
}

static void
visit_new(uint32_t node) {
  if (node >= old_count)
    graph_visit(node);
}

// What is new and reachable from roots and what was written in parts that were searched: `searched[i]` tells
// of writes[i].  Old objects stay marked, and what they refer to besides does not count.
static void
reach_new(const bool *searched) {
  for (uint32_t i = 0; i < graph.node_count; i++)
    graph.nodes[i].reached = i < old_count;
  for (size_t i = 0; i < write_count; i++)
    if (searched[i])
      visit_new(writes[i].to);
  graph_drain();
}

static void
drain_and_check(const bool *searched) {
  gc_marker_drain(&marker, NULL);
  gc_marker_rescan(&marker);
  assert_false(marker.stack.overflowed);
  reach_new(searched);
  graph_check_marks();
}

// The part of a page, `bytes` long, that an address lies in.
static struct gc_range
part_of(const char *address, size_t bytes) {
  const char *base = gc_heap.base + gc_round_down((size_t)(address - gc_heap.base), bytes);
  return (struct gc_range){base, base + bytes};
}

// Search some of the parts that were written, each as long as `part_bytes`; nothing outside of them is.
static void
written_parts_are_searched_and_nothing_else(void **state) {
  (void)state;
  static const size_t part_bytes[] = {GC_GRANULE_BYTES, 4096, 4 * 4096, GC_PAGE_BYTES};
  random_begin("written parts");
  for (int round = 0; round < 80; round++) {
    static bool searched[WRITES_MAX];
    begin(GC_GIB);
    graph_make_random(1 + random_below(1000), false);
    make_old();
    make_new_random(1 + random_below(500));
    size_t bytes = part_bytes[round % 4];
    begin_minor();
    memset(searched, 0, sizeof searched);
    for (size_t i = 0; i < write_count; i++) {
      if (random_below(4) == 0)
        continue;
      struct gc_range part = part_of(writes[i].word, bytes);
      gc_marker_push_marked(&marker, part);
      for (size_t j = 0; j < write_count; j++)
        searched[j] |= writes[j].word >= part.base && writes[j].word < part.limit;
    }
    drain_and_check(searched);
  }
}

// An object over several OS pages, pages, or spans of more than one page, written at every place where two
// parts meet.
static void
check_parts_of(size_t bytes, size_t part_bytes) {
  static bool searched[WRITES_MAX];
  begin(256 * GC_MIB);
  graph_add_node(16, GC_KIND_EXACT);
  uint32_t holder = graph_add_node(bytes, GC_KIND_EXACT);
  graph_add_node(bytes, GC_KIND_EXACT);
  make_old();
  memset(searched, 0, sizeof searched);
  size_t words = graph.nodes[holder].bytes / GC_WORD_BYTES;
  const char *start = graph.nodes[holder].start;
  for (size_t word = 0; word < words; word++)
    if ((uintptr_t)(start + word * GC_WORD_BYTES) % part_bytes == 0 || word == 0 ||
        (uintptr_t)(start + (word + 1) * GC_WORD_BYTES) % part_bytes == 0 || word == words - 1)
      write_edge(holder, word, graph_add_node(16, GC_KIND_EXACT));
  begin_minor();
  for (size_t i = 0; i < write_count; i++) {
    struct gc_range part = part_of(writes[i].word, part_bytes);
    for (size_t j = 0; j < write_count; j++)
      searched[j] |= writes[j].word >= part.base && writes[j].word < part.limit;
    gc_marker_push_marked(&marker, part);
    drain_and_check(searched);
  }
  for (size_t i = 0; i < write_count; i++)
    assert_true(searched[i]);
}

static void
objects_that_cross_parts_and_pages_are_searched_piece_by_piece(void **state) {
  (void)state;
  static const size_t sizes[] = {48, 1008, 5008, 20016, 40000, 65536, 100000, 131072, 200000, 300016, 700000};
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    check_parts_of(sizes[i], 4096);
    check_parts_of(sizes[i], GC_PAGE_BYTES);
  }
}

// What lies behind a large object in its last page may have been written before it shrank.
static void
nothing_is_searched_behind_a_large_object(void **state) {
  (void)state;
  static const size_t sizes[] = {131088, 140000, 3 * GC_PAGE_BYTES - 16, 3 * GC_PAGE_BYTES, 300016};
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    begin(64 * GC_MIB);
    char *object = fixture_allocate(sizes[i], GC_KIND_NORMAL);
    *fixture_byte(object) = gc_heap.mark;
    begin_minor();
    char *page_end = object + gc_divide_up(sizes[i] + 1, GC_PAGE_BYTES) * GC_PAGE_BYTES;
    for (char *part = object; part < page_end; part += 4096) {
      gc_marker_push_marked(&marker, part_of(part, 4096));
      assert_int_equal(gc_mark_stack_count(&marker.stack) > 0, (size_t)(part - object) < sizes[i]);
      gc_marker_drain(&marker, NULL);
    }
  }
}

static void
only_marked_objects_of_a_part_are_searched(void **state) {
  (void)state;
  begin(64 * GC_MIB);
  static const uint8_t bytes[] = {GC_SLOT_NEW, GC_SLOT_MARK_A, GC_SLOT_MARK_B, GC_SLOT_HELD_A, GC_SLOT_FREE};
  char *slots[sizeof bytes], *referents[sizeof bytes];
  for (size_t i = 0; i < sizeof bytes; i++) {
    slots[i] = fixture_allocate(64, GC_KIND_EXACT);
    referents[i] = fixture_allocate(64, GC_KIND_ATOMIC);
    *(char **)(void *)slots[i] = referents[i];
  }
  for (size_t i = 0; i < sizeof bytes; i++)
    *fixture_byte(slots[i]) = bytes[i];
  begin_minor();
  gc_marker_push_marked(&marker, part_of(slots[0], GC_PAGE_BYTES));
  gc_marker_drain(&marker, NULL);
  for (size_t i = 0; i < sizeof bytes; i++) {
    assert_int_equal(is_marked(referents[i]), bytes[i] == gc_heap.mark);
    assert_int_equal(*fixture_byte(slots[i]), bytes[i]);
  }
}

static void
in_a_minor_cycle_only_new_objects_are_white(void **state) {
  (void)state;
  begin(64 * GC_MIB);
  char *object = fixture_allocate(64, GC_KIND_EXACT), *next = fixture_allocate(64, GC_KIND_EXACT);
  *(char **)(void *)object = next;
  uintptr_t root = (uintptr_t)object;
  struct gc_range roots = {(const char *)&root, (const char *)(&root + 1)};
  uint8_t mark = gc_heap.mark, other = mark == GC_SLOT_MARK_A ? GC_SLOT_MARK_B : GC_SLOT_MARK_A;
  static const bool minor[] = {true, false};
  for (size_t i = 0; i < 2; i++) {
    *fixture_byte(object) = GC_SLOT_NEW;
    *fixture_byte(next) = other;
    gc_marker_begin(&marker, minor[i]);
    assert_true(gc_mark_stack_reserve(&marker.stack, 1));
    gc_marker_scan_root(&marker, roots);
    gc_marker_drain(&marker, NULL);
    assert_true(is_marked(object));
    assert_int_equal(is_marked(next), !minor[i]);
  }
  *fixture_byte(object) = mark; // black: what it refers to is of no interest
  *fixture_byte(next) = GC_SLOT_NEW;
  begin_minor();
  gc_marker_scan_root(&marker, roots);
  gc_marker_drain(&marker, NULL);
  assert_false(is_marked(next));
}

// More parts than the stack holds: what was dropped is found again.
static void
more_written_parts_than_the_stack_holds(void **state) {
  (void)state;
  static bool searched[WRITES_MAX];
  begin(256 * GC_MIB);
  gc_mark_stack_bytes_max = GC_MARK_STACK_BYTES_MIN;
  for (size_t i = 0; i < GRAPH_NODES_MAX / 2; i++)
    graph_add_node(48, GC_KIND_EXACT);
  make_old();
  for (size_t i = 0; i < WRITES_MAX; i++) {
    write_edge((uint32_t)(i * (old_count / WRITES_MAX)), 3, graph_add_node(32, GC_KIND_EXACT));
    searched[i] = true;
  }
  begin_minor();
  for (size_t page = 1; page < gc_heap.frontier; page++)
    if (gc_heap.pages[page].state == GC_PAGE_SLOTS)
      gc_marker_push_marked(&marker, part_of(gc_heap_page_address(page), GC_PAGE_BYTES));
  assert_true(marker.stack.overflowed);
  drain_and_check(searched);
}

// ---- Slices --------------------------------------------------------------------------------------------

static void
marking_in_slices_comes_to_the_same(void **state) {
  (void)state;
  random_begin("slices");
  for (int round = 0; round < 20; round++) {
    begin(GC_GIB);
    graph_make_random(1 + random_below(3000), false);
    graph_reach(false);
    begin_cycle();
    gc_marker_scan_root(&marker, graph_root_range());
    size_t left = gc_mark_stack_count(&marker.stack);
    assert_int_equal(gc_marker_drain_until(&marker, 0), left > 0); // the time is over before it begins
    assert_int_equal(gc_mark_stack_count(&marker.stack), left);
    while (gc_marker_drain_until(&marker, gc_os_now_ns() + 1 + random_below(20000)))
      ;
    assert_int_equal(gc_mark_stack_count(&marker.stack), 0);
    graph_check_marks();
  }
}

// A guest's, in a child that was forked while it was at work.
static void
a_marker_that_was_left_at_work_begins_anew(void **state) {
  (void)state;
  begin(GC_GIB);
  marker.world_runs = true;
  begin_cycle();
  assert_false(marker.world_runs);
}

// ---- Trials --------------------------------------------------------------------------------------------

// A trial has several rounds of all ways, and each way leaves the next one's work on the stack.
static void
a_trial_marks_what_is_reachable_and_ends(void **state) {
  (void)state;
  begin(256 * GC_MIB);
  marker.trial.until = 0;
  graph_add_root(add_wide_array(45000), 0);
  assert_int_equal(graph_reach(false), graph.node_count);
  mark_from(graph_root_range());
  graph_check_marks();
  assert_true(marker.trial.between > 1); // one has ended
  assert_true(marker.way < GC_DRAIN_WAYS);
}

// A drain that scans next to nothing says nothing of how fast it is.
static void
small_heaps_are_not_judged(void **state) {
  (void)state;
  begin(64 * GC_MIB);
  marker.trial.until = 0;
  for (int i = 0; i < 100; i++)
    mark_from_word((uintptr_t)fixture_allocate(64, GC_KIND_NORMAL));
  assert_int_equal(marker.trial.drains, 0);
  assert_true(marker.trial.until > 0); // nor timed each time
}

// What may happen in a trial is a matter of times, so they are given here.
static void
the_fastest_way_is_chosen_if_it_is_clearly_so(void **state) {
  (void)state;
  static const struct {
    uint64_t cost[GC_DRAIN_WAYS];
    enum gc_drain_way in_use, chosen;
  } cases[] = {
      {{100, 80, 50, 70}, GC_DRAIN_BATCHES, GC_DRAIN_AHEAD},
      {{100, 50, 80, 70}, GC_DRAIN_BATCHES, GC_DRAIN_GATHERED},
      {{100, 80, 70, 50}, GC_DRAIN_BATCHES, GC_DRAIN_DEPTH_FIRST},
      {{50, 80, 70, 100}, GC_DRAIN_DEPTH_FIRST, GC_DRAIN_BATCHES},
      {{1000, 1000, 990, 980}, GC_DRAIN_BATCHES, GC_DRAIN_BATCHES},
      {{980, 980, 1000, 990}, GC_DRAIN_AHEAD, GC_DRAIN_AHEAD},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct gc_mark_trial trial = {0};
    for (unsigned way = 0; way < GC_DRAIN_WAYS; way++)
      for (unsigned round = 0; round < GC_TRIAL_ROUNDS; round++) // in ascending order, and one far off
        trial.cost[way][round] = round == 0 ? 1 : round < GC_TRIAL_ROUNDS - 1 ? cases[i].cost[way] : 5000;
    assert_int_equal(gc_mark_fastest_way(&trial, cases[i].in_use), cases[i].chosen);
  }
}

#define IN_EACH_WAY(test)                                                                                   \
  {"in batches: " #test, test, in_batches, NULL, NULL}, {"gathered: " #test, test, gathered, NULL, NULL},   \
      {"ahead: " #test, test, ahead, NULL, NULL}, {"depth first: " #test, test, depth_first, NULL, NULL}, { \
    "by trial: " #test, test, by_trial, NULL, NULL                                                          \
  }

static int
in_batches(void **state) {
  (void)state;
  way_in_use = GC_DRAIN_BATCHES;
  return 0;
}

static int
gathered(void **state) {
  (void)state;
  way_in_use = GC_DRAIN_GATHERED;
  return 0;
}

static int
ahead(void **state) {
  (void)state;
  way_in_use = GC_DRAIN_AHEAD;
  return 0;
}

static int
depth_first(void **state) {
  (void)state;
  way_in_use = GC_DRAIN_DEPTH_FIRST;
  return 0;
}

static int
by_trial(void **state) {
  (void)state;
  way_in_use = GC_DRAIN_WAYS;
  return 0;
}

int
main(void) {
  const struct CMUnitTest tests[] = {
      IN_EACH_WAY(exactly_the_reachable_objects_are_marked),
      IN_EACH_WAY(without_interior_pointers_only_registered_displacements_count),
      IN_EACH_WAY(words_that_refer_to_no_object_mark_nothing),
      IN_EACH_WAY(a_root_just_past_an_object_keeps_it_unless_it_has_room_to_spare),
      IN_EACH_WAY(a_root_just_past_a_large_object_keeps_it),
      IN_EACH_WAY(what_was_never_touched_is_not_read),
      IN_EACH_WAY(a_sparse_object_of_many_parts_is_searched),
      IN_EACH_WAY(large_sparse_objects_are_asked_about_by_parts),
      IN_EACH_WAY(a_root_just_past_the_heap_keeps_its_last_object),
      IN_EACH_WAY(a_heap_word_just_past_an_object_does_not_keep_it),
      IN_EACH_WAY(roots_need_not_be_aligned),
      IN_EACH_WAY(long_objects_are_scanned_to_the_end),
      IN_EACH_WAY(every_word_of_a_wide_array_counts),
      IN_EACH_WAY(words_that_refer_into_one_page_count_as_others_do),
      IN_EACH_WAY(large_objects_among_small_ones_are_searched_to_the_end),
      IN_EACH_WAY(after_an_overflow_all_is_marked_even_so),
      IN_EACH_WAY(a_tree_deeper_than_the_stack_is_marked),
      IN_EACH_WAY(more_roots_than_the_stack_holds_are_all_marked),
      IN_EACH_WAY(more_objects_marked_by_hand_than_the_stack_holds),
      IN_EACH_WAY(written_parts_are_searched_and_nothing_else),
      IN_EACH_WAY(objects_that_cross_parts_and_pages_are_searched_piece_by_piece),
      IN_EACH_WAY(nothing_is_searched_behind_a_large_object),
      IN_EACH_WAY(only_marked_objects_of_a_part_are_searched),
      IN_EACH_WAY(in_a_minor_cycle_only_new_objects_are_white),
      IN_EACH_WAY(more_written_parts_than_the_stack_holds),
      IN_EACH_WAY(marking_in_slices_comes_to_the_same),
      IN_EACH_WAY(a_marker_that_was_left_at_work_begins_anew),
      cmocka_unit_test(a_trial_marks_what_is_reachable_and_ends),
      cmocka_unit_test(small_heaps_are_not_judged),
      cmocka_unit_test(the_fastest_way_is_chosen_if_it_is_clearly_so),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
