// The table of references against a slow truthful model, and what it promises while it grows.
#include "refs/table.h"

#include "fixture.h"

enum { FIRST = 1 << GC_REF_CHUNK_SHIFT, NODES = 6000, KEYS = 2500, STEPS = 60000 };

enum { CELLS = 8192, CELL_BYTES = 1 << GC_REF_CELL_SHIFT };
#define BASE ((uintptr_t)0x7e << 40)

static struct gc_ref_table table;
static uint32_t cells[CELLS];

static void
begin(void) {
  memset(&table, 0, sizeof table);
  memset(cells, 0, sizeof cells);
  gc_os_stress_fail(0);
}

static void
begin_with_cells(void) {
  begin();
  table.cells = (struct gc_ref_cells){.base = BASE, .first = cells, .count = CELLS};
}

static uint32_t
add(uintptr_t key) {
  assert_true(gc_ref_table_reserve(&table));
  uint32_t splits = table.splits, index = gc_ref_table_add(&table, key);
  assert_true(index > 0 && index < gc_ref_table_limit(&table));
  assert_true(table.splits - splits <= 1);
  return index;
}

static struct gc_ref_node *
node_of(uint32_t index) {
  return gc_ref_table_node(&table, index);
}

static void
expect_sound(void) {
  assert_int_equal(gc_ref_table_check(&table), 0);
}

// ---- The model -----------------------------------------------------------------------------------------

enum model_state { FREE, UNLINKED, LINKED };

struct model_node {
  enum model_state state;
  bool young;
  uintptr_t key, value;
};

static struct {
  struct model_node nodes[NODES + 1];
  uint32_t freed[NODES]; // the last one on top
  size_t last, freed_count, count[LINKED + 1], step;
} model;

static size_t contracted;  // by how many places
static size_t most_splits; // at once

static void
begin_model(const char *test) {
  memset(&model, 0, sizeof model);
  random_begin(test);
}

static void
move(uint32_t index, enum model_state state) {
  struct model_node *node = &model.nodes[index];
  model.count[node->state]--;
  model.count[node->state = state]++;
}

static uintptr_t
random_key(void) {
  uintptr_t stretch = BASE + (random_below(3) << 16);
  return stretch + random_below(random_below(8) ? KEYS : 4) * 8; // some have many
}

// 0: there seems to be none.
static uint32_t
random_node(enum model_state state) {
  for (int tries = 0; model.count[state] > 0 && tries < 1000; tries++) {
    uint32_t index = (uint32_t)(1 + random_below(model.last));
    if (model.nodes[index].state == state)
      return index;
  }
  return 0;
}

// ---- What the model expects ----------------------------------------------------------------------------

// All of a key; each once, since there are as many.
static void
check_key(uintptr_t key) {
  size_t found = 0, expected = 0;
  uint32_t first = gc_ref_table_find(&table, key);
  for (uint32_t i = first; i; i = gc_ref_table_find_next(&table, i), found++) {
    assert_true(model.nodes[i].state == LINKED && model.nodes[i].key == key);
    assert_true(found == 0 || i != first);
  }
  for (size_t i = 1; i <= model.last; i++)
    expected += model.nodes[i].state == LINKED && model.nodes[i].key == key;
  assert_int_equal(found, expected);
}

static void
check_empty(uintptr_t key) {
  if (!table.cells.first)
    return;
  bool empty = gc_ref_table_is_empty_at(&table, key);
  for (size_t i = 1; i <= model.last; i++)
    if (model.nodes[i].state == LINKED && (key ^ model.nodes[i].key) < CELL_BYTES)
      return assert_false(empty);
  assert_true(empty);
}

// Each young node is listed once, and what was freed since is not.
static void
check_young(void) {
  static bool seen[NODES + 1];
  memset(seen, 0, sizeof seen);
  for (size_t i = 0; i < gc_ref_table_young_count(&table); i++) {
    uint32_t index = gc_ref_table_young(&table, i);
    assert_false(index && seen[index]);
    seen[index] = true;
  }
  for (size_t i = 1; i <= model.last; i++)
    assert_true(seen[i] == (model.nodes[i].state != FREE && model.nodes[i].young));
}

static void
check_nodes(void) {
  assert_int_equal(gc_ref_table_limit(&table), model.last + 1);
  assert_int_equal(gc_ref_table_count(&table), model.count[LINKED]);
  for (uint32_t i = 1; i <= model.last; i++) {
    struct model_node *expected = &model.nodes[i];
    assert_true(gc_ref_table_is_linked(&table, i) == (expected->state == LINKED));
    if (expected->state == FREE)
      continue;
    assert_true(node_of(i)->key == expected->key);
    assert_true(node_of(i)->object == ~expected->value && node_of(i)->value == expected->value);
    assert_int_equal(node_of(i)->bits >> GC_REF_BITS, (uint32_t)expected->value >> GC_REF_BITS);
    if (expected->state == UNLINKED)
      assert_int_equal(node_of(i)->next, (uint32_t)expected->value);
  }
}

static void
check_all(void) {
  expect_sound();
  assert_int_equal(gc_ref_table_check_cells(&table, 0, CELLS), 0);
  check_nodes();
  check_young();
}

// ---- The steps -----------------------------------------------------------------------------------------

// What the owner keeps in a node.
static void
own(uint32_t index) {
  struct gc_ref_node *node = node_of(index);
  uintptr_t value = model.nodes[index].value = (uintptr_t)random_next();
  node->object = ~value;
  node->value = value;
  node->bits = (node->bits & ((1u << GC_REF_BITS) - 1)) | ((uint32_t)value >> GC_REF_BITS << GC_REF_BITS);
}

static void
step_add(void) {
  if (model.last - model.freed_count == NODES)
    return;
  uintptr_t key = random_key();
  uint32_t expected = (uint32_t)(model.freed_count ? model.freed[--model.freed_count] : ++model.last);
  uint32_t index = add(key);
  assert_int_equal(index, expected);
  assert_true(node_of(index)->object == 0 && node_of(index)->value == 0);
  assert_int_equal(node_of(index)->bits >> GC_REF_BITS, 0);
  model.nodes[index] = (struct model_node){.young = true, .key = key};
  model.count[FREE]++;
  most_splits = gc_max(most_splits, table.splits);
  move(index, LINKED);
  own(index);
}

static void
step_unlink(void) {
  uint32_t index = random_node(LINKED);
  if (!index)
    return;
  gc_ref_table_unlink(&table, index);
  node_of(index)->next = (uint32_t)model.nodes[index].value;
  move(index, UNLINKED);
}

static void
step_link(void) {
  uint32_t index = random_node(UNLINKED);
  if (!index)
    return;
  uintptr_t key = random_below(2) ? random_key() : model.nodes[index].key;
  gc_ref_table_link(&table, index, key);
  model.nodes[index].key = key;
  move(index, LINKED);
}

static void
step_free(enum model_state state) {
  uint32_t index = random_node(state);
  if (!index)
    return;
  if (state == LINKED)
    gc_ref_table_remove(&table, index);
  else
    gc_ref_table_free(&table, index);
  move(index, FREE);
  model.freed[model.freed_count++] = index;
}

static void
step_note(void) {
  uint32_t index = random_node(random_below(2) ? LINKED : UNLINKED);
  if (!index)
    return;
  gc_ref_table_note(&table, index);
  model.nodes[index].young = true;
}

static void
step_forget_young(void) {
  gc_ref_table_forget_young(&table);
  assert_int_equal(gc_ref_table_young_count(&table), 0);
  for (size_t i = 1; i <= model.last; i++)
    model.nodes[i].young = false;
}

static bool
has_even_value(const struct gc_ref_node *node) {
  return node->value % 2 == 0;
}

// Some of them, and then the rest: those that are found old are young no more.
static void
step_review_young(void) {
  size_t position = 0, slice = 1 + random_below(1000);
  while (gc_ref_table_review_young(&table, &position, slice, has_even_value) >= slice)
    ;
  assert_int_equal(position, gc_ref_table_young_count(&table));
  for (size_t i = 1; i <= model.last; i++)
    if (model.nodes[i].state == LINKED && model.nodes[i].value % 2 == 0)
      model.nodes[i].young = false;
}

// Linked nodes may be elsewhere now: each is known by its value.
static uint32_t
new_place_of(const struct model_node *node) {
  for (uint32_t i = gc_ref_table_find(&table, node->key); i; i = gc_ref_table_find_next(&table, i))
    if (node_of(i)->value == node->value)
      return i;
  fail_msg("a node of key %#zx is lost", (size_t)node->key);
  return 0;
}

static void
follow_nodes(void) {
  static struct model_node before[NODES + 1];
  size_t last = model.last;
  memcpy(before, model.nodes, sizeof before);
  memset(model.nodes, 0, sizeof model.nodes);
  model.last = gc_ref_table_limit(&table) - 1;
  assert_true(model.last <= last);
  for (uint32_t i = 1; i <= last; i++)
    if (before[i].state != FREE) {
      uint32_t place = before[i].state == LINKED ? new_place_of(&before[i]) : i;
      assert_true(place <= i && model.nodes[place].state == FREE);
      model.nodes[place] = before[i];
    }
  model.count[FREE] = model.last - model.count[LINKED] - model.count[UNLINKED];
}

// Those that are free now are handed out in an order of the table's own.
static void
follow_free_nodes(void) {
  model.freed_count = 0;
  for (uint32_t i = table.free; i; i = node_of(i)->next) {
    assert_true(i <= model.last && model.nodes[i].state == FREE && model.freed_count < NODES);
    model.freed[model.freed_count++] = i;
  }
  for (size_t low = 0, high = model.freed_count; low + 1 < high; low++) {
    uint32_t swapped = model.freed[low];
    model.freed[low] = model.freed[--high];
    model.freed[high] = swapped;
  }
  assert_int_equal(model.freed_count, model.count[FREE]);
}

static void
step_contract(void) {
  step_forget_young();
  contracted += gc_ref_table_limit(&table);
  gc_ref_table_contract(&table);
  contracted -= gc_ref_table_limit(&table);
  follow_nodes();
  follow_free_nodes();
}

// Neither a refusal nor memory that is not used may change anything.
static void
step_reserve(void) {
  struct gc_ref_table before = table;
  gc_os_stress_fail(1);
  if (!gc_ref_table_reserve(&table))
    assert_memory_equal(&table, &before, sizeof table);
  gc_os_stress_fail(0);
}

// Now it grows and now it shrinks.
static void
random_step(void) {
  size_t dice = random_below(100), adds = model.step % 20000 < 8000 ? 60 : 10;
  if (dice < adds)
    step_add();
  else if (dice < 65)
    step_free(random_below(4) ? LINKED : UNLINKED);
  else if (dice < 75)
    step_unlink();
  else if (dice < 82)
    step_link();
  else if (dice < 90)
    step_note();
  else if (dice < 95)
    step_reserve();
  else if (dice < 97)
    check_key(random_key());
  else
    check_empty(random_key());
  if (random_below(1000) == 0)
    step_forget_young();
  if (random_below(1000) == 0)
    step_contract();
  if (random_below(1000) == 0)
    step_review_young();
}

static void
contract_what_is_left(void) {
  while (model.count[LINKED] + model.count[UNLINKED] > 20)
    step_free(model.count[UNLINKED] > 0 ? UNLINKED : LINKED);
  for (int i = 0; i < 3; i++)
    step_contract();
  check_all();
  assert_true(contracted > 0);
}

static void
run_model(void) {
  begin_model("references");
  contracted = most_splits = 0;
  for (model.step = 1; model.step <= STEPS; model.step++) {
    random_step();
    if (model.step % 512 == 0)
      check_all();
  }
  check_all();
  assert_true((most_splits > 0) == !table.cells.first);
  contract_what_is_left();
}

static void
random_operations_agree_with_the_model(void **state) {
  (void)state;
  begin();
  run_model();
}

static void
so_they_do_with_cells(void **state) {
  (void)state;
  begin_with_cells();
  run_model();
}

static void
nothing_is_found_beyond_the_cells(void **state) {
  (void)state;
  begin_with_cells();
  table.cells.count = 4;
  uint32_t last = add(BASE + 4 * CELL_BYTES - 1);
  assert_int_equal(cells[3], last);
  assert_int_equal(gc_ref_table_find(&table, BASE + 4 * CELL_BYTES - 1), last);
  assert_false(gc_ref_table_is_empty_at(&table, BASE + 3 * CELL_BYTES));
  cells[4] = last;
  const uintptr_t beyond[] = {BASE + 4 * CELL_BYTES, BASE - 1, 0, UINTPTR_MAX};
  for (size_t i = 0; i < sizeof beyond / sizeof beyond[0]; i++) {
    assert_int_equal(gc_ref_table_find(&table, beyond[i]), 0);
    assert_true(gc_ref_table_is_empty_at(&table, beyond[i]));
  }
  table.cells.count = CELLS;
  cells[4] = 0;
  node_of(last)->object = add(BASE + 4 * CELL_BYTES); // what was there before stays
  assert_int_equal(gc_ref_table_find(&table, BASE + 4 * CELL_BYTES - 1), last);
  expect_sound();
}

// ---- Growth --------------------------------------------------------------------------------------------

static void
an_empty_table_is_all_zero_and_finds_nothing(void **state) {
  (void)state;
  begin();
  expect_sound();
  assert_int_equal(gc_ref_table_find(&table, 4096), 0);
  assert_int_equal(gc_ref_table_limit(&table), 1);
  assert_int_equal(gc_ref_table_count(&table), 0);
  gc_ref_table_forget_young(&table);
  assert_true(gc_ref_table_reserve(&table));
  assert_int_equal(gc_ref_table_find(&table, 4096), 0);
  expect_sound();
}

// Over a million, so that no place of a chunk can be another's: then the same once more in the same memory.
static void
growth_keeps_everything_and_moves_nothing(void **state) {
  (void)state;
  enum { MANY = 1100 * 1000, BYTES = 32 };
  begin();
  struct gc_ref_node *first = NULL;
  size_t obtained = 0;
  for (int round = 0; round < 2; round++) {
    for (uint32_t i = 1; i <= MANY; i++)
      node_of(add((uintptr_t)i * BYTES))->object = i;
    first = first ? first : node_of(1);
    assert_ptr_equal(node_of(1), first);
    assert_int_equal(gc_ref_table_count(&table), MANY);
    assert_int_equal(gc_ref_table_young_count(&table), MANY);
    for (uint32_t i = 1; i <= MANY; i++)
      assert_int_equal(node_of(gc_ref_table_find(&table, (uintptr_t)i * BYTES))->object, i);
    expect_sound();
    assert_true(round == 0 || gc_os_obtained_bytes() == obtained);
    obtained = gc_os_obtained_bytes();
    for (uint32_t i = MANY; i > 0; i--)
      gc_ref_table_remove(&table, i);
    assert_int_equal(gc_ref_table_count(&table), 0);
    assert_int_equal(gc_ref_table_limit(&table), MANY + 1);
    expect_sound();
  }
}

static void
a_reset_table_begins_anew_in_its_memory(void **state) {
  (void)state;
  enum { MANY = 5 * FIRST };
  begin();
  for (int round = 0; round < 3; round++) {
    uint32_t nodes = round == 1 ? 10 : MANY;
    for (uint32_t i = 1; i <= nodes; i++)
      assert_int_equal(add(i * 32), i);
    assert_int_equal(table.splits, MANY - FIRST);
    expect_sound();
    for (uint32_t i = 1; i <= nodes; i++)
      gc_ref_table_remove(&table, i);
    gc_ref_table_reset(&table);
    assert_int_equal(gc_ref_table_limit(&table), 1);
    assert_int_equal(gc_ref_table_young_count(&table), 0);
    expect_sound();
  }
}

static size_t
contract_until_it_stays(void) {
  size_t calls = 0;
  struct gc_ref_table before;
  do {
    before = table;
    gc_ref_table_contract(&table);
    expect_sound();
    assert_true(++calls < 1000);
  } while (memcmp(&table, &before, sizeof table) != 0);
  return calls;
}

// Every `stays`-th of many; unlinking goes up or down.
static void
leave_few(uint32_t many, uint32_t stays) {
  begin();
  for (uint32_t i = 1; i <= many; i++)
    node_of(add((uintptr_t)i * 48))->object = i;
  gc_ref_table_forget_young(&table);
  for (uint32_t i = 1; i <= many; i++) {
    uint32_t index = stays % 2 ? i : many + 1 - i;
    if (index % stays)
      gc_ref_table_remove(&table, index);
  }
}

static void
expect_few(uint32_t many, uint32_t stays) {
  assert_int_equal(gc_ref_table_count(&table), many / stays);
  for (uint32_t i = 1; i <= many; i++) {
    uint32_t index = gc_ref_table_find(&table, (uintptr_t)i * 48);
    assert_true((index != 0) == (i % stays == 0));
    assert_true(index == 0 || node_of(index)->object == i);
  }
}

static void
a_table_of_which_little_is_left_contracts(void **state) {
  (void)state;
  enum { MANY = 300000 };
  const uint32_t stays[] = {10, 101, 10000, MANY};
  for (size_t i = 0; i < sizeof stays / sizeof stays[0]; i++) {
    leave_few(MANY, stays[i]);
    gc_ref_table_contract(&table); // of late all places were in use
    assert_int_equal(gc_ref_table_limit(&table), MANY + 1);
    size_t calls = contract_until_it_stays(), wanted = 2 * MANY / stays[i] + FIRST;
    assert_in_range(calls, 3, 60);
    assert_true(gc_ref_table_limit(&table) <= wanted + 1 && FIRST + table.splits <= wanted);
    assert_true(table.touched <= wanted);
    expect_few(MANY, stays[i]);
    for (uint32_t more = 1; more <= MANY; more++)
      add((uintptr_t)(MANY + more) * 48);
    gc_ref_table_forget_young(&table);
    for (uint32_t more = 1; more <= MANY; more++)
      assert_true(gc_ref_table_find(&table, (uintptr_t)(MANY + more) * 48) != 0);
    expect_sound();
  }
}

// A call's steps are bounded: there are a million of them to do.
static void
a_contraction_takes_many_calls_if_there_is_much_to_do(void **state) {
  (void)state;
  enum { MANY = 1000000 };
  leave_few(MANY, MANY);
  gc_ref_table_contract(&table);
  size_t limit = gc_ref_table_limit(&table), calls = 0;
  for (size_t before = limit; before > 2 * FIRST; before = limit, calls++) {
    gc_ref_table_contract(&table);
    limit = gc_ref_table_limit(&table);
    assert_true(limit < before && before - limit <= 60000);
  }
  assert_true(calls < 30);
}

static void
what_comes_again_and_again_keeps_its_places(void **state) {
  (void)state;
  enum { MANY = 20000 };
  begin();
  for (uint32_t round = 0; round < 10; round++) {
    for (uint32_t i = 1; i <= MANY; i++)
      add((uintptr_t)i * 16);
    assert_int_equal(gc_ref_table_limit(&table), MANY + 1);
    for (uint32_t i = 1; i <= MANY; i++)
      gc_ref_table_remove(&table, gc_ref_table_find(&table, (uintptr_t)i * 16));
    gc_ref_table_forget_young(&table);
    gc_ref_table_contract(&table);
    assert_int_equal(gc_ref_table_limit(&table), MANY + 1);
    expect_sound();
  }
}

static void
a_node_that_is_not_linked_stays_where_it_is(void **state) {
  (void)state;
  enum { MANY = 20000, PLACE = 15000 };
  leave_few(MANY, PLACE);
  gc_ref_table_unlink(&table, PLACE);
  contract_until_it_stays();
  assert_int_equal(gc_ref_table_limit(&table), PLACE + 1);
  assert_int_equal(node_of(PLACE)->object, PLACE);
  gc_ref_table_free(&table, PLACE);
  contract_until_it_stays();
  assert_true(gc_ref_table_limit(&table) <= FIRST + 1);
}

// As many buckets as nodes, and none with many: what a node has behind it is what it costs to pass it.
static void
addresses_are_spread_whatever_lies_between_them(void **state) {
  (void)state;
  const size_t strides[] = {8, 16, 32, 48, 256, 1040, 4096, 16384, 65536, GC_MIB, GC_GIB + 4096};
  enum { MANY = 50000, LONG = 24 };
  for (size_t s = 0; s < sizeof strides / sizeof strides[0]; s++) {
    begin();
    for (size_t i = 0; i < MANY; i++)
      add(((uintptr_t)0x7e << 40) + i * strides[s]);
    assert_int_equal(table.splits, MANY - FIRST);
    size_t sum = 0;
    for (uint32_t i = 1; i <= MANY; i++) {
      size_t length = 0;
      for (uint32_t at = i; at; at = node_of(at)->next)
        length++;
      assert_true(length < LONG);
      sum += length;
    }
    assert_true(sum < 2 * MANY); // 1.5 of each if they were random
  }
}

static void
a_small_table_takes_little_memory(void **state) {
  (void)state;
  begin();
  size_t before = gc_os_obtained_bytes();
  for (uintptr_t i = 1; i < FIRST; i++)
    add(i * 16);
  assert_true(gc_os_obtained_bytes() - before <= 40 * GC_KIB);
  assert_int_equal(table.splits, 0);
  expect_sound();
}

// ---- Refusals ------------------------------------------------------------------------------------------

static void
refused_memory_changes_nothing(void **state) {
  (void)state;
  begin();
  size_t refused = 0;
  for (uintptr_t i = 1; i <= 20 * FIRST; i++) {
    struct gc_ref_table before = table;
    gc_os_stress_fail(1);
    if (!gc_ref_table_reserve(&table)) {
      refused++;
      assert_memory_equal(&table, &before, sizeof table);
      assert_int_equal(gc_ref_table_find(&table, 16), i > 1 ? 1 : 0);
      expect_sound();
    }
    gc_os_stress_fail(0);
    add(i * 16);
  }
  assert_int_equal(refused, 5); // chunks of 1, 2, 4, 8 and 16 times the first
}

static void
after_a_reserve_no_call_needs_memory(void **state) {
  (void)state;
  begin();
  for (uintptr_t i = 1; i <= 5 * FIRST; i++) {
    assert_true(gc_ref_table_reserve(&table));
    gc_os_stress_fail(1);
    uint32_t index = gc_ref_table_add(&table, i * 16);
    gc_ref_table_unlink(&table, index);
    gc_ref_table_link(&table, index, i * 16 + 8);
    gc_ref_table_note(&table, index);
    assert_null(gc_os_map(1)); // it has not happened yet
  }
  expect_sound();
}

// ---- The young -----------------------------------------------------------------------------------------

static void
a_node_freed_and_used_again_is_young_once(void **state) {
  (void)state;
  begin();
  uint32_t a = add(16), b = add(32);
  gc_ref_table_remove(&table, a);
  assert_int_equal(gc_ref_table_young(&table, 0), 0);
  assert_int_equal(gc_ref_table_young(&table, 1), b);
  assert_int_equal(add(48), a);
  gc_ref_table_note(&table, a);
  assert_int_equal(gc_ref_table_young_count(&table), 2);
  assert_int_equal(gc_ref_table_young(&table, 0), a);
  expect_sound();
}

static void
what_is_forgotten_may_be_noted_again(void **state) {
  (void)state;
  begin();
  uint32_t a = add(16), b = add(32);
  gc_ref_table_remove(&table, b);
  gc_ref_table_forget_young(&table);
  gc_ref_table_unlink(&table, a);
  gc_ref_table_note(&table, a);
  gc_ref_table_note(&table, a);
  assert_int_equal(gc_ref_table_young_count(&table), 1);
  assert_int_equal(gc_ref_table_young(&table, 0), a);
  assert_int_equal(add(64), b);
  assert_int_equal(gc_ref_table_young(&table, 1), b);
  expect_sound();
}

// ---- The check -----------------------------------------------------------------------------------------

// Another value of a word is noticed.
static void
expect_fault(uint32_t *word, uint32_t wrong) {
  uint32_t right = *word;
  *word = wrong;
  assert_true(gc_ref_table_check(&table) > 0);
  *word = right;
}

// Bits that each are some node's, but not this one's: no count gives them away.
static void
expect_fault_if_exchanged(uint32_t a, uint32_t b) {
  uint32_t bits = node_of(a)->bits;
  node_of(a)->bits = node_of(b)->bits;
  expect_fault(&node_of(b)->bits, bits);
  node_of(a)->bits = bits;
  expect_sound();
}

enum { UNUSED = 3, LOOSE = 6, YOUNG = 7, OLD = 8 };

static void
begin_with_all_states(void) {
  begin();
  for (uintptr_t i = 1; i < 3 * FIRST - 1; i++) // two chunks, full
    add(i * 32);
  for (uint32_t i = 1; i < LOOSE; i++)
    gc_ref_table_remove(&table, i);
  gc_ref_table_unlink(&table, LOOSE);
  gc_ref_table_forget_young(&table);
  gc_ref_table_note(&table, YOUNG);
}

static void
the_check_finds_wrong_counts(void **state) {
  (void)state;
  begin_with_all_states();
  expect_fault(&table.last, table.last + 1);
  expect_fault(&table.last, UINT32_MAX);
  expect_fault(&table.linked, table.linked - 1);
  expect_fault(&table.linked, table.linked + 1);
  expect_fault(&table.linked, UINT32_MAX);
  expect_fault(&table.young, 0);
  expect_fault(&table.young, 2);
  expect_fault(&table.young, UINT32_MAX);
  expect_fault(&table.splits, table.splits + FIRST);
  expect_fault(&table.splits, table.last);
  expect_fault(&table.splits, UINT32_MAX);
  expect_fault(&table.splits, 0);
  expect_fault(&table.free, 0);
  expect_fault(&table.free, LOOSE);
  expect_fault(&table.free, UINT32_MAX);
  expect_sound();
}

static void
the_check_finds_wrong_nodes(void **state) {
  (void)state;
  begin_with_all_states();
  expect_fault(&node_of(UNUSED)->bits, GC_REF_USED);
  expect_fault(&node_of(UNUSED)->bits, GC_REF_LINKED);
  expect_fault(&node_of(UNUSED)->bits, GC_REF_YOUNG);
  expect_fault(&node_of(UNUSED)->next, UNUSED);
  expect_fault(&node_of(UNUSED)->next, 0);
  expect_fault((uint32_t *)&node_of(UNUSED)->key, OLD);
  expect_fault(&node_of(LOOSE)->bits, 0);
  expect_fault(&node_of(LOOSE)->bits, GC_REF_USED | GC_REF_LINKED);
  expect_fault(&node_of(YOUNG)->bits, GC_REF_USED | GC_REF_LINKED);
  expect_fault(&node_of(OLD)->bits, GC_REF_USED);
  expect_fault(&node_of(OLD)->bits, GC_REF_USED | GC_REF_LINKED | GC_REF_YOUNG);
  expect_fault(&node_of(OLD)->next, OLD);
  expect_fault(&node_of(OLD)->next, YOUNG);
  expect_fault(&node_of(OLD)->next, UINT32_MAX);
  expect_sound();
}

static void
the_check_finds_nodes_in_the_wrong_state(void **state) {
  (void)state;
  begin_with_all_states();
  expect_fault_if_exchanged(UNUSED, LOOSE);
  expect_fault_if_exchanged(UNUSED, OLD);
  expect_fault_if_exchanged(LOOSE, OLD);
  expect_fault_if_exchanged(YOUNG, OLD);
}

static void
the_check_finds_wrong_cells(void **state) {
  (void)state;
  begin_with_cells();
  uint32_t a = add(BASE), b = add(BASE + 16), c = add(BASE + CELL_BYTES);
  expect_sound();
  expect_fault(&cells[0], 0);
  expect_fault(&cells[0], a);
  expect_fault(&cells[0], c);
  expect_fault(&cells[0], UINT32_MAX);
  expect_fault(&node_of(a)->next, b);
  expect_fault(&node_of(b)->next, c);
  expect_fault(&node_of(a)->bits, GC_REF_USED | GC_REF_YOUNG);
  expect_fault((uint32_t *)&node_of(a)->key, 2 * CELL_BYTES);
  cells[2] = a; // a cell that no node says is its own
  assert_int_equal(gc_ref_table_check(&table), 0);
  assert_true(gc_ref_table_check_cells(&table, 1, CELLS) > 0);
  table.cells.count = 1;
  assert_true(gc_ref_table_check(&table) > 0);
}

static void
the_check_finds_nodes_in_the_wrong_bucket(void **state) {
  (void)state;
  begin_with_all_states();
  uintptr_t key = node_of(9)->key;
  node_of(9)->key = key + 16;
  assert_int_equal(gc_ref_table_check(&table), 1);
  node_of(9)->key = key;
  expect_sound();
}

int
main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(random_operations_agree_with_the_model),
      cmocka_unit_test(so_they_do_with_cells),
      cmocka_unit_test(nothing_is_found_beyond_the_cells),
      cmocka_unit_test(an_empty_table_is_all_zero_and_finds_nothing),
      cmocka_unit_test(growth_keeps_everything_and_moves_nothing),
      cmocka_unit_test(a_reset_table_begins_anew_in_its_memory),
      cmocka_unit_test(a_table_of_which_little_is_left_contracts),
      cmocka_unit_test(a_contraction_takes_many_calls_if_there_is_much_to_do),
      cmocka_unit_test(what_comes_again_and_again_keeps_its_places),
      cmocka_unit_test(a_node_that_is_not_linked_stays_where_it_is),
      cmocka_unit_test(addresses_are_spread_whatever_lies_between_them),
      cmocka_unit_test(a_small_table_takes_little_memory),
      cmocka_unit_test(refused_memory_changes_nothing),
      cmocka_unit_test(after_a_reserve_no_call_needs_memory),
      cmocka_unit_test(a_node_freed_and_used_again_is_young_once),
      cmocka_unit_test(what_is_forgotten_may_be_noted_again),
      cmocka_unit_test(the_check_finds_wrong_counts),
      cmocka_unit_test(the_check_finds_wrong_nodes),
      cmocka_unit_test(the_check_finds_nodes_in_the_wrong_state),
      cmocka_unit_test(the_check_finds_wrong_cells),
      cmocka_unit_test(the_check_finds_nodes_in_the_wrong_bucket),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
