// Ephemerons through pauses, and against a slow model of what they keep.
#include "refs/ephemerons.h"

#include "refs_fixture.h"

static struct gc_ephemeron *
new_ephemeron(void *key, void *value) {
  struct gc_ephemeron *ephemeron = (void *)fixture_allocate(sizeof *ephemeron, GC_KIND_ATOMIC);
  assert_non_null(ephemeron);
  assert_true(gc_ephemerons_add(ephemeron, key, value));
  return ephemeron;
}

static struct gc_ephemeron *
keep_pair(void *key, void *value) {
  return keep(new_ephemeron(key, value));
}

static bool
has(const struct gc_ephemeron *ephemeron, const void *key, const void *value) {
  return ephemeron->hidden_key == gc_hide(key) && ephemeron->hidden_value == gc_hide(value);
}

static bool
is_broken(const struct gc_ephemeron *ephemeron) {
  return ephemeron->hidden_key == 0 && ephemeron->hidden_value == 0;
}

static void
make_finalizable(void *object) {
  struct gc_registration new = {.function = (void (*)(void))abort}, old = {0};
  assert_int_equal(gc_finalizers_register(object, &new, &old), GC_REGISTERED);
}

// ---- One -----------------------------------------------------------------------------------------------

static void
a_value_lives_as_long_as_its_key(void **state) {
  (void)state;
  void **key = keep_new(), **value = new_object(), **held = new_object();
  value[0] = held;
  struct gc_ephemeron *ephemeron = keep_pair(key, value), *other = keep_pair(new_object(), value);
  pause_full();
  assert_true(has(ephemeron, key, value) && is_object(value) && is_object(held));
  assert_true(is_broken(other));
  forget_roots();
  keep(ephemeron);
  pause_full();
  assert_true(is_broken(ephemeron) && !is_object(key) && !is_object(value) && !is_object(held));
  end_refs();
}

static void
a_value_does_not_keep_its_own_key(void **state) {
  (void)state;
  void **key = new_object(), **value = new_object();
  value[0] = key;
  key[0] = value;
  struct gc_ephemeron *ephemeron = keep_pair(key, value), *itself = keep_pair(value, value);
  pause_full();
  assert_true(is_broken(ephemeron) && is_broken(itself) && !is_object(key));
  end_refs();
}

static void
what_nothing_refers_to_keeps_nothing(void **state) {
  (void)state;
  void **value = new_object();
  struct gc_ephemeron *ephemeron = new_ephemeron(keep_new(), value);
  pause_full();
  assert_true(!is_object(ephemeron) && !is_object(value));
  assert_int_equal(gc_ephemerons_count(), 0);
  end_refs();
}

static void
an_ephemeron_may_be_its_own_key_or_value(void **state) {
  (void)state;
  struct gc_ephemeron *ephemeron = (void *)fixture_allocate(sizeof *ephemeron, GC_KIND_ATOMIC);
  void *value = new_object(), *key = keep_new();
  assert_true(gc_ephemerons_add(keep(ephemeron), ephemeron, value));
  struct gc_ephemeron *other = (void *)fixture_allocate(sizeof *other, GC_KIND_ATOMIC);
  assert_true(gc_ephemerons_add(other, key, other));
  pause_full();
  assert_true(has(ephemeron, ephemeron, value) && is_object(value));
  assert_false(is_object(other));
  end_refs();
}

static void
what_is_no_object_counts_as_reachable(void **state) {
  (void)state;
  static int number;
  void *value = new_object(), *key = keep_new();
  struct gc_ephemeron *of_key = keep_pair(&number, value), *of_value = keep_pair(key, &number);
  struct gc_ephemeron *of_none = keep_pair((void *)7, NULL), *inside = keep_pair((char *)value + 8, value);
  pause_full();
  assert_true(has(of_key, &number, value) && is_object(value) && has(of_value, key, &number));
  assert_true(has(of_none, (void *)7, NULL) && has(inside, (char *)value + 8, value));
  end_refs();
}

// Integers next to each power of two, the negative ones too; what is hidden as 0 would be broken.
static void
an_integer_is_not_taken_for_what_is_broken(void **state) {
  (void)state;
  void *key = keep_new();
  for (unsigned power = 0; power < 64; power++)
    for (unsigned i = 0; i < 6; i++) {
      uintptr_t beside = ((uintptr_t)1 << power) + i % 3 - 1, word = i < 3 ? beside : -beside;
      struct gc_ephemeron *of_word = keep_pair((void *)word, (void *)word);
      struct gc_ephemeron *of_value = keep_pair(key, key);
      gc_ephemerons_set_value(of_value, (void *)word);
      pause_full();
      assert_true(of_word->hidden_key != 0 && of_word->hidden_value != 0 && of_value->hidden_value != 0);
      assert_ptr_equal(gc_reveal(of_word->hidden_key), word);
      assert_ptr_equal(gc_reveal(of_value->hidden_value), word);
    }
  end_refs();
}

// The finalizer is going to look at it: it finds both words, or neither.
static void
what_lives_once_more_has_nothing_that_does_not(void **state) {
  (void)state;
  void **object = new_object(), *live_key = keep_new(), *dead_key = new_object(), *value = new_object();
  struct gc_ephemeron *of_live = object[0] = new_ephemeron(live_key, value);
  struct gc_ephemeron *of_dead = object[1] = new_ephemeron(dead_key, live_key);
  struct gc_ephemeron *of_object = object[2] = new_ephemeron(object, new_object());
  make_finalizable(object);
  pause_full();
  assert_int_equal(take_all_ready(), 1);
  assert_true(is_object(of_live) && is_object(of_dead) && is_object(of_object));
  assert_true(is_broken(of_dead) && is_broken(of_object));
  assert_true(is_broken(of_live) || (has(of_live, live_key, value) && is_object(value)));
  end_refs();
}

static void
another_value_takes_the_place_of_the_first(void **state) {
  (void)state;
  void *key = keep_new(), *first = new_object(), *second = new_object();
  struct gc_ephemeron *ephemeron = keep_pair(key, first), *broken = keep_pair(new_object(), first);
  gc_ephemerons_set_value(ephemeron, second);
  pause_full();
  assert_true(has(ephemeron, key, second) && is_object(second) && !is_object(first));
  gc_ephemerons_set_value(broken, second);
  assert_true(is_broken(broken));
  end_refs();
}

// ---- Many ----------------------------------------------------------------------------------------------

enum { LENGTH = 30000 };

static struct gc_ephemeron *chain[LENGTH];

// Each value is the next one's key.  Registered in an order that has nothing to do with theirs.
static void
make_chain(void *first, void *last) {
  static void *links[LENGTH + 1];
  links[0] = first;
  links[LENGTH] = last;
  for (size_t i = 1; i < LENGTH; i++)
    links[i] = new_object();
  for (size_t i = 0; i < LENGTH; i++) {
    size_t at = i * 7919 % LENGTH;
    chain[at] = keep_pair(links[at], links[at + 1]);
  }
}

static size_t
broken_in_chain(void) {
  size_t count = 0;
  for (size_t i = 0; i < LENGTH; i++)
    count += is_broken(chain[i]);
  return count;
}

static void
a_chain_lives_and_dies_in_one_pause(void **state) {
  (void)state;
  void *first = new_object(), *last = new_object();
  make_chain(first, last);
  size_t roots = refs_root_count;
  keep(first);
  pause_full();
  assert_int_equal(broken_in_chain(), 0);
  assert_true(is_object(last));
  refs_root_count = roots;
  pause_full();
  assert_int_equal(broken_in_chain(), LENGTH);
  assert_false(is_object(last));
  end_refs();
}

static void
a_ring_of_values_keeps_none_of_its_keys(void **state) {
  (void)state;
  void *object = new_object();
  make_chain(object, object);
  pause_full();
  assert_int_equal(broken_in_chain(), LENGTH);
  end_refs();
}

// Each ephemeron can only be reached through the value before.
static void
ephemerons_that_values_lead_to_are_found(void **state) {
  (void)state;
  void *key = keep_new(), **value = new_object(), *last = value;
  struct gc_ephemeron *ephemeron = NULL;
  for (size_t i = 0; i < LENGTH; i++) {
    ephemeron = new_ephemeron(key, value);
    value = new_object();
    value[i % 5] = ephemeron;
  }
  keep(ephemeron);
  pause_full();
  assert_int_equal(gc_ephemerons_count(), LENGTH);
  assert_true(is_object(last));
  end_refs();
}

static void
many_may_share_a_key(void **state) {
  (void)state;
  void *key = new_object(), **before = new_object(), *first = keep_new();
  before[0] = key;
  for (size_t i = 0; i < LENGTH; i++)
    chain[i] = keep_pair(key, i % 2 ? new_object() : key);
  size_t roots = refs_root_count;
  keep_pair(first, before); // considered last, and all wait for it
  pause_full();
  assert_int_equal(broken_in_chain(), 0);
  refs_root_count = roots;
  pause_full();
  assert_int_equal(broken_in_chain(), LENGTH);
  end_refs();
}

// ---- The young -----------------------------------------------------------------------------------------

static void
a_minor_pause_decides_about_young_ones(void **state) {
  (void)state;
  void *old = keep_new();
  struct gc_ephemeron *of_old = keep_pair(old, new_object()), *changed = keep_pair(old, new_object());
  pause_full();
  forget_roots();
  void *key = keep_new(), *value = new_object(), *other = new_object();
  struct gc_ephemeron *alive = keep_pair(key, value), *dead = keep_pair(new_object(), new_object());
  gc_ephemerons_set_value(changed, other);
  pause_minor();
  assert_true(has(alive, key, value) && is_object(value) && is_broken(dead));
  assert_true(has(changed, old, other) && is_object(other) && !is_broken(of_old));
  assert_int_equal(gc_ephemerons_count(), 3);
  end_refs();
}

static void
a_young_one_that_dies_is_forgotten_by_a_minor_pause(void **state) {
  (void)state;
  void *key = keep_new();
  pause_full();
  struct gc_ephemeron *ephemeron = new_ephemeron(key, new_object());
  pause_minor();
  assert_false(is_object(ephemeron));
  assert_int_equal(gc_ephemerons_count(), 0);
  end_refs();
}

static void
another_value_makes_it_young_if_that_is_young(void **state) {
  (void)state;
  static int number;
  void *key = keep_new(), *old = keep_new(), *young;
  struct gc_ephemeron *ephemeron = keep_pair(key, old);
  pause_full();
  assert_int_equal(gc_ephemerons_young_count(), 0);
  void *const values[] = {old, key, ephemeron, &number, NULL, (char *)key + 8};
  for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
    gc_ephemerons_set_value(ephemeron, values[i]);
    assert_int_equal(gc_ephemerons_young_count(), 0);
    pause_minor();
    assert_true(has(ephemeron, key, values[i]));
  }
  gc_ephemerons_set_value(ephemeron, young = new_object());
  assert_int_equal(gc_ephemerons_young_count(), 1);
  pause_minor();
  assert_true(has(ephemeron, key, young) && is_object(young));
  assert_int_equal(gc_ephemerons_young_count(), 0);
  gc_ephemerons_set_value(ephemeron, (char *)(young = new_object()) + 3); // a tag
  pause_minor();
  assert_true(is_object(young));
  end_refs();
}

// While a concurrent cycle marks it has looked at the ephemeron before, and not at the value, which is old.
static void
another_value_after_the_look_ahead_is_marked_too(void **state) {
  (void)state;
  void *key = keep_new(), **old = keep_new(), *held = old[0] = new_object(), *young;
  struct gc_ephemeron *of_old = keep_pair(key, key), *of_young = keep_pair(key, key);
  pause_full();
  forget_roots();
  keep(key), keep(of_old), keep(of_young);
  young = new_object();
  begin_pause(false);
  look_ahead();
  gc_ephemerons_set_value(of_old, old);
  gc_ephemerons_set_value(of_young, young);
  gc_refs_settle_stw(false, false);
  end_pause(false);
  assert_true(has(of_old, key, old) && is_object(old) && is_object(held));
  assert_true(has(of_young, key, young) && is_object(young));
  end_refs();
}

// What was registered while a concurrent cycle marked is not left to its last pause.
static void
what_is_found_alive_ahead_is_young_no_more(void **state) {
  (void)state;
  enum { MANY = 5000 };
  void *key = keep_new(), *dead_key = new_object();
  for (size_t i = 0; i < MANY; i++)
    chain[i] = keep_pair(i % 10 ? key : dead_key, new_object());
  assert_int_equal(gc_ephemerons_young_count(), MANY);
  begin_pause(false);
  look_ahead();
  assert_int_equal(gc_ephemerons_young_count(), MANY / 10);
  gc_refs_settle_stw(false, false);
  end_pause(false);
  for (size_t i = 0; i < MANY; i++)
    assert_true(is_broken(chain[i]) == (i % 10 == 0));
  end_refs();
}

// ---- Memory --------------------------------------------------------------------------------------------

static void
a_registration_that_is_refused_changes_nothing(void **state) {
  (void)state;
  void *key = keep_new(), *value = keep_new();
  size_t refused = 0;
  for (size_t i = 0; i < LENGTH; i++) {
    struct gc_ephemeron *ephemeron = (void *)fixture_allocate(sizeof *ephemeron, GC_KIND_ATOMIC);
    size_t count = gc_ephemerons_count();
    gc_os_stress_fail(1);
    bool added = gc_ephemerons_add(ephemeron, key, value);
    gc_os_stress_fail(0);
    refused += !added;
    assert_int_equal(gc_ephemerons_count(), count + added);
  }
  assert_int_not_equal(refused, LENGTH);
  end_refs();
}

static void
pause_without_room_to_wait(void) {
  begin_pause(false);
  gc_os_stress_fail(1);
  gc_refs_settle_stw(true, false);
  gc_os_stress_fail(0);
  end_pause(false);
}

// Nothing dangles, and the next pause makes up for it.  Half of them are dead themselves.
static size_t
put_off_some_of(size_t count) {
  static void *keys[LENGTH], *values[LENGTH];
  size_t put_off = 0;
  for (size_t i = 0; i < count; i++) {
    keys[i] = new_object();
    values[i] = new_object();
    chain[i] = (count - i) % 2 ? new_ephemeron(keys[i], values[i]) : keep_pair(keys[i], values[i]);
  }
  pause_without_room_to_wait();
  for (size_t i = 0; i < count; i++) {
    bool decided = is_object(chain[i]) ? is_broken(chain[i]) : !is_object(values[i]);
    put_off += !decided;
    if (!decided)
      assert_true(has(chain[i], keys[i], values[i]) && is_object(keys[i]) && is_object(values[i]));
  }
  pause_full();
  for (size_t i = 0; i < count; i++)
    assert_true(!is_object(chain[i]) || is_broken(chain[i]));
  end_refs();
  return put_off;
}

// Before any other test has made room.
static void
refused_memory_to_wait_puts_decisions_off(void **state) {
  (void)state;
  size_t put_off = 0;
  for (size_t count = 500; count <= LENGTH; count *= 2)
    put_off += put_off_some_of(count);
  assert_in_range(put_off, 4, 6); // each time that there is to be more room
}

// A value whose many parts the stack has no room for; each is a key.
static void
overflow_of_the_mark_stack_loses_nothing(void **state) {
  (void)state;
  enum { PARTS = 45000 };
  static struct gc_ephemeron *of_parts[PARTS];
  gc_mark_stack_bytes_max = GC_MARK_STACK_BYTES_MIN;
  void **value = new_words(PARTS), *key = keep_new();
  for (size_t i = 0; i < PARTS; i++) {
    void **part = new_object(), **inner = new_object();
    value[i] = part;
    part[0] = inner;
    of_parts[i] = keep_pair(i % 2 ? part : inner, new_object());
  }
  struct gc_ephemeron *whole = keep_pair(key, value);
  pause_full();
  assert_false(is_broken(whole));
  for (size_t i = 0; i < PARTS; i++)
    assert_true(!is_broken(of_parts[i]) && is_object(gc_reveal(of_parts[i]->hidden_value)));
  gc_mark_stack_bytes_max = SIZE_MAX;
  end_refs();
}

// ---- The model -----------------------------------------------------------------------------------------

enum { NODES = 120, EDGES = 3, PAIRS = 100, ROUNDS = 1500 };

// Objects that refer to objects, of which the first PAIRS also to ephemerons, which may be keys and values
// too.
static struct {
  void **objects[NODES];
  struct gc_ephemeron *pairs[PAIRS];
  size_t edges[NODES][EDGES], to_pair[NODES], key[PAIRS], value[PAIRS]; // from NODES on: ephemerons
  bool is_root[NODES + PAIRS], reached[NODES + PAIRS], changed;
} model;

static void *
thing(size_t number) {
  return number < NODES ? (void *)model.objects[number] : model.pairs[number - NODES];
}

static void
make_random_things(void) {
  for (size_t i = 0; i < NODES; i++)
    model.objects[i] = new_object();
  for (size_t i = 0; i < PAIRS; i++)
    model.pairs[i] = (void *)fixture_allocate(sizeof *model.pairs[i], GC_KIND_ATOMIC);
  size_t sparse = 1 + random_below(8);
  for (size_t i = 0; i < NODES; i++) {
    for (size_t edge = 0; edge < EDGES; edge++) {
      model.edges[i][edge] = random_below(sparse) ? i : random_below(NODES);
      model.objects[i][edge] = model.objects[model.edges[i][edge]];
    }
    model.to_pair[i] = random_below(PAIRS);
    model.objects[i][EDGES] = model.pairs[model.to_pair[i]];
  }
  for (size_t i = 0; i < PAIRS; i++) {
    model.key[i] = random_below(NODES + PAIRS);
    model.value[i] = random_below(NODES + PAIRS);
    assert_true(gc_ephemerons_add(model.pairs[i], thing(model.key[i]), thing(model.value[i])));
  }
}

static void
choose_roots(void) {
  size_t rare = 2 + random_below(30);
  forget_roots();
  for (size_t i = 0; i < NODES + PAIRS; i++) {
    model.is_root[i] = random_below(i < NODES ? rare : 3) == 0;
    if (model.is_root[i])
      keep(thing(i));
  }
}

static void
reach(size_t number) {
  model.changed |= !model.reached[number];
  model.reached[number] = true;
}

static void
reach_all(void) {
  memset(model.reached, 0, sizeof model.reached);
  for (size_t i = 0; i < NODES + PAIRS; i++)
    if (model.is_root[i])
      reach(i);
  do {
    model.changed = false;
    for (size_t i = 0; i < NODES; i++)
      for (size_t edge = 0; model.reached[i] && edge <= EDGES; edge++)
        reach(edge < EDGES ? model.edges[i][edge] : NODES + model.to_pair[i]);
    for (size_t i = 0; i < PAIRS; i++)
      if (model.reached[NODES + i] && model.reached[model.key[i]])
        reach(model.value[i]);
  } while (model.changed);
}

static void
check_things(void) {
  for (size_t i = 0; i < NODES + PAIRS; i++)
    assert_int_equal(is_object(thing(i)), model.reached[i]);
  for (size_t i = 0; i < PAIRS; i++) {
    if (!model.reached[NODES + i])
      continue;
    if (model.reached[model.key[i]])
      assert_true(has(model.pairs[i], thing(model.key[i]), thing(model.value[i])));
    else
      assert_true(is_broken(model.pairs[i]));
  }
}

static void
exactly_what_the_model_reaches_lives(void **state) {
  (void)state;
  static void (*const pauses[])(void) = {pause_full, pause_minor, pause_after_look_ahead};
  random_begin("ephemerons");
  for (size_t round = 0; round < ROUNDS; round++) {
    make_random_things();
    choose_roots();
    reach_all();
    pauses[round % 3]();
    check_things();
    end_refs();
  }
}

int
main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(refused_memory_to_wait_puts_decisions_off),
      cmocka_unit_test(a_value_lives_as_long_as_its_key),
      cmocka_unit_test(a_value_does_not_keep_its_own_key),
      cmocka_unit_test(what_nothing_refers_to_keeps_nothing),
      cmocka_unit_test(an_ephemeron_may_be_its_own_key_or_value),
      cmocka_unit_test(what_is_no_object_counts_as_reachable),
      cmocka_unit_test(an_integer_is_not_taken_for_what_is_broken),
      cmocka_unit_test(what_lives_once_more_has_nothing_that_does_not),
      cmocka_unit_test(another_value_takes_the_place_of_the_first),
      cmocka_unit_test(a_chain_lives_and_dies_in_one_pause),
      cmocka_unit_test(a_ring_of_values_keeps_none_of_its_keys),
      cmocka_unit_test(ephemerons_that_values_lead_to_are_found),
      cmocka_unit_test(many_may_share_a_key),
      cmocka_unit_test(a_minor_pause_decides_about_young_ones),
      cmocka_unit_test(a_young_one_that_dies_is_forgotten_by_a_minor_pause),
      cmocka_unit_test(another_value_makes_it_young_if_that_is_young),
      cmocka_unit_test(another_value_after_the_look_ahead_is_marked_too),
      cmocka_unit_test(what_is_found_alive_ahead_is_young_no_more),
      cmocka_unit_test(a_registration_that_is_refused_changes_nothing),
      cmocka_unit_test(overflow_of_the_mark_stack_loses_nothing),
      cmocka_unit_test(exactly_what_the_model_reaches_lives),
  };
  return cmocka_run_group_tests(tests, begin_all_refs, NULL);
}
