// Weak hash tables: which entries stay and which go, in every mode, against a slow truthful model, and while
// others use them.
#include <pthread.h>

#include "cycle/cycle.h"
#include "fixture.h"
#include "gc.h"

// A collector that is conservative finds some objects that nobody has any more.
enum { MANY = 3000, STRAGGLERS = 24 };

// Serials are not used again: a thing that has been reclaimed and a thing of another serial are told apart.
struct thing {
  uint64_t id, serial;
  struct thing *refers;
};

static struct thing *kept[MANY], *kept_too[MANY]; // what the program still has
static GC_weak_map *map, *copy;
static uint64_t last_serial;

// ---- Modes ---------------------------------------------------------------------------------------------

struct mode {
  enum GC_Mode mode;
  bool tells_writes;
};

static struct mode stop = {GC_MODE_STOP, false}, generational = {GC_MODE_GENERATIONAL, false},
                   concurrent = {GC_MODE_CONCURRENT, false}, barrier = {GC_MODE_CONCURRENT, true};

// Where writes cannot be noticed all tests are of GC_MODE_STOP.
static int
begin_mode(void **state) {
  const struct mode *mode = *state;
  GC_set_mode(GC_MODE_STOP);
  GC_set_manual_vdb_allowed(mode->tells_writes);
  GC_set_mode(mode->mode);
  memset(kept, 0, sizeof kept);
  memset(kept_too, 0, sizeof kept_too);
  return 0;
}

static int
end_mode(void **state) {
  (void)state;
  GC_set_stress_collect(0);
  map = copy = NULL;
  return gc_verify() == 0 ? 0 : -1;
}

// ---- Collecting ----------------------------------------------------------------------------------------

// What dead frames have left below the stack pointer would come to light in frames to come.
__attribute__((noinline)) static void
clear_dead_frames(void) {
  volatile char dead[16384];
  for (size_t i = 0; i < sizeof dead; i++)
    dead[i] = 0;
}

static void
collect(void) {
  clear_dead_frames();
  GC_gcollect();
}

// A cycle of any sort that the mode has, or a slice of one.
static void
collect_somehow(void) {
  clear_dead_frames();
  gc_cycle_collect((struct gc_cycle_request){.reason = GC_CYCLE_STRESS});
}

static void
make_garbage(size_t objects) {
  for (size_t i = 0; i < objects; i++)
    GC_malloc(sizeof(struct thing));
}

// ---- Things --------------------------------------------------------------------------------------------

static struct thing *
new_thing(uint64_t id, struct thing *refers) {
  struct thing *thing = GC_malloc(sizeof *thing);
  assert_non_null(thing);
  thing->id = id;
  thing->serial = __atomic_add_fetch(&last_serial, 1, __ATOMIC_RELAXED);
  GC_ptr_store_and_dirty(&thing->refers, refers);
  return thing;
}

// The program's functions: by id, which spreads badly.
static size_t
hash_of_thing(const void *key, void *data) {
  assert_true(!data || *(uint64_t *)data == 4711);
  return ((const struct thing *)key)->id;
}

static int
things_are_equal(const void *key, const void *other, void *data) {
  assert_true(!data || *(uint64_t *)data == 4711);
  return ((const struct thing *)key)->id == ((const struct thing *)other)->id;
}

static GC_weak_map *
new_map(enum GC_WeakMapKind kind, bool by_id) {
  struct GC_weak_map_options options = {.kind = kind};
  if (by_id) {
    options.hash = hash_of_thing;
    options.equal = things_are_equal;
  }
  GC_weak_map *new = GC_weak_map_new(&options);
  assert_non_null(new);
  return new;
}

static void
put(void *key, void *value) {
  assert_int_equal(GC_weak_map_put(map, key, value), GC_SUCCESS);
}

static struct thing *
get(const void *key) {
  return GC_weak_map_get(map, key);
}

static struct thing *
get_by_id(uint64_t id) {
  struct thing probe = {.id = id};
  return GC_weak_map_get(map, &probe);
}

static struct thing *
get_key_by_id(uint64_t id) {
  struct thing probe = {.id = id};
  return GC_weak_map_get_key(map, &probe);
}

static int
remove_by_id(uint64_t id) {
  struct thing probe = {.id = id};
  return GC_weak_map_remove(map, &probe);
}

// As many entries, or a few more.
static void
expect_count(size_t expected) {
  size_t count = GC_weak_map_count(map);
  if (count < expected || count > expected + STRAGGLERS)
    fail_msg("%zu entries instead of %zu", count, expected);
}

// ---- Which entries stay --------------------------------------------------------------------------------

// Values that only the map has; every other one refers to its key.
__attribute__((noinline)) static void
fill_with_keys_kept(size_t count) {
  for (size_t i = 0; i < count; i++) {
    kept[i] = new_thing(i, NULL);
    put(kept[i], new_thing(i, i % 2 ? kept[i] : NULL));
  }
}

__attribute__((noinline)) static void
expect_values_of_kept_keys(size_t count) {
  for (size_t i = 0; i < count; i++)
    if (kept[i]) {
      assert_non_null(get(kept[i]));
      assert_int_equal(get(kept[i])->id, i);
      assert_ptr_equal(get(kept[i])->refers, i % 2 ? kept[i] : NULL);
      assert_ptr_equal(GC_weak_map_get_key(map, kept[i]), kept[i]);
    }
}

static void
drop_two_of_three(struct thing **things, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (i % 3)
      things[i] = NULL;
}

static void
a_weak_key_keeps_its_value_until_it_goes(void **state) {
  (void)state;
  map = new_map(GC_WEAK_KEYS, false);
  fill_with_keys_kept(MANY);
  assert_int_equal(GC_weak_map_count(map), MANY);
  for (int i = 0; i < 3; i++) {
    make_garbage(20000);
    collect_somehow();
    expect_values_of_kept_keys(MANY);
  }
  collect();
  assert_int_equal(GC_weak_map_count(map), MANY);
  drop_two_of_three(kept, MANY);
  collect();
  expect_count(MANY / 3);
  expect_values_of_kept_keys(MANY);
  drop_two_of_three(kept + 1, MANY - 1);
  collect();
  expect_count(0);
}

__attribute__((noinline)) static void
fill_chain(void) {
  struct thing *key = kept[0] = new_thing(0, NULL);
  for (size_t i = 1; i < MANY; i++) {
    struct thing *next = new_thing(i, NULL);
    put(key, next);
    key = next;
  }
}

__attribute__((noinline)) static size_t
chain_length(void) {
  size_t length = 0;
  for (struct thing *key = kept[0]; key; key = get(key))
    assert_int_equal(key->id, length++);
  return length;
}

static void
a_value_may_be_the_key_of_another_entry(void **state) {
  (void)state;
  map = new_map(GC_WEAK_KEYS, false);
  fill_chain();
  make_garbage(20000);
  collect_somehow();
  collect();
  assert_int_equal(chain_length(), MANY);
  kept[0] = NULL;
  collect();
  expect_count(0);
}

// Keys that only the map has; every other one refers to its value.
__attribute__((noinline)) static void
fill_with_values_kept(size_t count) {
  for (size_t i = 0; i < count; i++) {
    kept[i] = new_thing(i + count, NULL);
    put(new_thing(i, i % 2 ? kept[i] : NULL), kept[i]);
  }
}

__attribute__((noinline)) static void
expect_keys_of_kept_values(size_t count) {
  for (size_t i = 0; i < count; i++)
    if (kept[i]) {
      assert_ptr_equal(get_by_id(i), kept[i]);
      assert_int_equal(get_key_by_id(i)->id, i);
      assert_ptr_equal(get_key_by_id(i)->refers, i % 2 ? kept[i] : NULL);
    }
}

static void
a_weak_value_keeps_its_key_until_it_goes(void **state) {
  (void)state;
  map = new_map(GC_WEAK_VALUES, true);
  fill_with_values_kept(MANY);
  make_garbage(20000);
  collect_somehow();
  collect();
  assert_int_equal(GC_weak_map_count(map), MANY);
  expect_keys_of_kept_values(MANY);
  drop_two_of_three(kept, MANY);
  collect();
  expect_count(MANY / 3);
  expect_keys_of_kept_values(MANY);
}

__attribute__((noinline)) static void
fill_with_both_kept(size_t count) {
  for (size_t i = 0; i < count; i++) {
    kept[i] = new_thing(i, NULL);
    kept_too[i] = new_thing(i + count, NULL);
    put(kept[i], kept_too[i]);
  }
}

__attribute__((noinline)) static void
expect_entries_of_kept_pairs(size_t count) {
  for (size_t i = 0; i < count; i++)
    if (kept[i] && kept_too[i]) {
      assert_ptr_equal(get(kept[i]), kept_too[i]);
      assert_ptr_equal(GC_weak_map_get_key(map, kept[i]), kept[i]);
    }
}

// An entry without its value is none, though its key is there; and may be put again.
__attribute__((noinline)) static void
expect_no_values_lost_by_kept_keys(size_t count) {
  size_t found = 0;
  for (size_t i = 0; i < count; i++)
    if (kept[i] && !kept_too[i])
      found += get(kept[i]) || GC_weak_map_get_key(map, kept[i]) || GC_weak_map_remove(map, kept[i]);
  assert_true(found <= STRAGGLERS);
}

static void
both_weak_keep_neither(void **state) {
  (void)state;
  map = new_map(GC_WEAK_BOTH, false);
  fill_with_both_kept(MANY);
  collect_somehow();
  collect();
  assert_int_equal(GC_weak_map_count(map), MANY);
  expect_entries_of_kept_pairs(MANY);
  for (size_t i = 0; i < MANY; i++)
    *(i % 3 == 0 ? &kept[i] : &kept_too[i]) = i % 3 == 2 ? kept_too[i] : NULL;
  collect();
  expect_no_values_lost_by_kept_keys(MANY);
  expect_count(MANY / 3);
  expect_entries_of_kept_pairs(MANY);
  put(kept[1], kept[1]);
  assert_ptr_equal(get(kept[1]), kept[1]);
}

// ---- What is no object ---------------------------------------------------------------------------------

static void *
integer(size_t number) {
  return (void *)number; // NOLINT
}

__attribute__((noinline)) static void
fill_with_integers(bool keys, bool values) {
  for (size_t i = 1; i <= 100; i++)
    put(keys ? integer(i) : new_thing(i, NULL), values ? integer(i * 2) : new_thing(i * 2, NULL));
}

static void
an_integer_is_always_reachable(void **state) {
  (void)state;
  const enum GC_WeakMapKind kinds[] = {GC_WEAK_KEYS, GC_WEAK_VALUES, GC_WEAK_BOTH};
  for (size_t i = 0; i < 3; i++) {
    map = new_map(kinds[i], false);
    fill_with_integers(true, true);
    collect();
    assert_int_equal(GC_weak_map_count(map), 100);
    assert_ptr_equal(get(integer(7)), integer(14));
    assert_ptr_equal(GC_weak_map_get_key(map, integer(7)), integer(7));
    assert_null(get(integer(101)));
  }
}

// Of -1 no bit is left if all are turned over; 0 stands for what is gone.
static void
an_integer_may_be_negative(void **state) {
  (void)state;
  const enum GC_WeakMapKind kinds[] = {GC_WEAK_KEYS, GC_WEAK_VALUES, GC_WEAK_BOTH};
  void *minus_one = integer(SIZE_MAX), *minus_two = integer(SIZE_MAX - 1);
  for (size_t i = 0; i < 3; i++) {
    map = new_map(kinds[i], false);
    put(minus_one, minus_two);
    put(minus_two, minus_one);
    collect();
    assert_int_equal(GC_weak_map_count(map), 2);
    assert_ptr_equal(get(minus_one), minus_two);
    assert_ptr_equal(get(minus_two), minus_one);
    assert_ptr_equal(GC_weak_map_get_key(map, minus_one), minus_one);
    put(minus_two, minus_two);
    assert_ptr_equal(get(minus_two), minus_two);
    assert_int_equal(GC_weak_map_remove(map, minus_one), 1);
    assert_null(get(minus_one));
    assert_int_equal(GC_weak_map_count(map), 1);
  }
}

static void
an_ephemeron_may_hold_a_negative_integer(void **state) {
  (void)state;
  void *minus_one = integer(SIZE_MAX);
  GC_ephemeron *ephemeron = GC_ephemeron_new(minus_one, minus_one);
  assert_non_null(ephemeron);
  collect();
  assert_ptr_equal(GC_ephemeron_key(ephemeron), minus_one);
  assert_ptr_equal(GC_ephemeron_value(ephemeron), minus_one);
  GC_ephemeron_set_value(ephemeron, ephemeron);
  assert_ptr_equal(GC_ephemeron_value(ephemeron), ephemeron);
  GC_ephemeron_set_value(ephemeron, minus_one);
  assert_ptr_equal(GC_ephemeron_value(ephemeron), minus_one);
}

static void
what_has_an_integer_as_its_partner_goes_with_the_other(void **state) {
  (void)state;
  map = new_map(GC_WEAK_KEYS, false);
  fill_with_integers(true, false);
  collect();
  assert_int_equal(GC_weak_map_count(map), 100);
  assert_int_equal(get(integer(7))->id, 14);
  map = new_map(GC_WEAK_BOTH, false);
  fill_with_integers(true, false);
  collect();
  expect_count(0);
  map = new_map(GC_WEAK_BOTH, false);
  fill_with_integers(false, true);
  collect();
  expect_count(0);
  map = new_map(GC_WEAK_VALUES, true);
  fill_with_integers(false, true);
  collect();
  assert_ptr_equal(get_by_id(7), integer(14));
}

// ---- Entries that come and go --------------------------------------------------------------------------

__attribute__((noinline)) static void
put_equal_keys(size_t count) {
  for (size_t i = 0; i < count; i++) {
    kept[i] = new_thing(i, NULL);
    put(kept[i], kept_too[i] = new_thing(1, NULL));
    assert_int_equal(get_by_id(i)->id, 1);
    kept_too[i] = new_thing(i, NULL);
    put(kept_too[i], new_thing(2, NULL));
    assert_ptr_equal(get_key_by_id(i), kept_too[i]);
    assert_int_equal(get(kept[i])->id, 2);
  }
}

static void
an_equal_key_takes_the_place_of_the_old_one(void **state) {
  (void)state;
  map = new_map(GC_WEAK_KEYS, true);
  put_equal_keys(300);
  memset(kept, 0, sizeof kept);
  collect();
  assert_int_equal(GC_weak_map_count(map), 300);
  assert_int_equal(get_by_id(7)->id, 2);
  memset(kept_too, 0, sizeof kept_too);
  collect();
  expect_count(0);
}

// kept_too: what refers weakly to the first values.
__attribute__((noinline)) static void
put_two_values(size_t count) {
  for (size_t i = 0; i < count; i++) {
    struct thing *first = new_thing(1, NULL);
    kept[i] = new_thing(i, NULL);
    put(kept[i], first);
    kept_too[i] = (struct thing *)GC_weak_ref_new(first);
    collect_somehow();
    put(kept[i], new_thing(2, NULL));
    assert_int_equal(get(kept[i])->id, 2);
  }
}

static void
a_value_that_was_replaced_goes(void **state) {
  (void)state;
  map = new_map(GC_WEAK_KEYS, false);
  put_two_values(300);
  collect();
  size_t alive = 0;
  for (size_t i = 0; i < 300; i++)
    alive += GC_weak_ref_get((GC_weak_ref *)kept_too[i]) != NULL;
  assert_true(alive <= STRAGGLERS);
  assert_int_equal(GC_weak_map_count(map), 300);
  assert_int_equal(get(kept[7])->id, 2);
}

static void
what_is_removed_is_gone_until_it_is_put_again(void **state) {
  (void)state;
  for (int by_id = 0; by_id < 2; by_id++) {
    map = new_map(GC_WEAK_KEYS, by_id);
    fill_with_keys_kept(MANY);
    for (size_t i = 0; i < MANY; i += 2) {
      assert_int_equal(GC_weak_map_remove(map, kept[i]), 1);
      assert_int_equal(GC_weak_map_remove(map, kept[i]), 0);
      assert_null(get(kept[i]));
      assert_null(GC_weak_map_get_key(map, kept[i]));
    }
    assert_int_equal(GC_weak_map_count(map), MANY / 2);
    for (size_t i = 0; i < MANY; i += 2)
      put(kept[i], new_thing(i, NULL));
    assert_int_equal(GC_weak_map_count(map), MANY);
    collect();
    expect_values_of_kept_keys(MANY);
  }
}

__attribute__((noinline)) static uint64_t *
new_number(uint64_t number) {
  uint64_t *new = GC_malloc_atomic(sizeof *new);
  *new = number;
  return new;
}

static void
the_data_of_the_functions_is_kept(void **state) {
  (void)state;
  struct GC_weak_map_options options = {GC_WEAK_KEYS, hash_of_thing, things_are_equal, new_number(4711)};
  map = GC_weak_map_new(&options);
  options.data = NULL;
  for (int i = 0; i < 3; i++) {
    collect();
    new_number(1);
    kept[i] = new_thing(1, NULL);
    put(kept[i], kept[i]);
  }
  assert_int_equal(GC_weak_map_count(map), 1);
  assert_ptr_equal(get_by_id(1), kept[2]);
}

static void
no_options_are_weak_keys_by_address(void **state) {
  (void)state;
  map = GC_weak_map_new(NULL);
  fill_with_keys_kept(100);
  assert_null(get_by_id(3));
  collect();
  expect_values_of_kept_keys(100);
}

// ---- Visiting ------------------------------------------------------------------------------------------

struct visit {
  unsigned char seen[MANY];
  size_t count, most;
};

static int
note_visit(void *key_, void *value_, void *visit_) {
  struct thing *key = key_, *value = value_;
  struct visit *visit = visit_;
  if (key->id < MANY) {
    assert_int_equal(key->id, value->id);
    visit->seen[key->id]++;
  }
  return ++visit->count < visit->most;
}

static void
expect_each_visited_once(const struct visit *visit) {
  for (size_t i = 0; i < MANY; i++)
    assert_int_equal(visit->seen[i], kept[i] != NULL);
}

static void
each_visits_all_until_it_is_told_to_stop(void **state) {
  (void)state;
  map = new_map(GC_WEAK_KEYS, false);
  struct visit none = {.most = SIZE_MAX}, all = {.most = SIZE_MAX}, some = {.most = 1000};
  GC_weak_map_each(map, note_visit, &none);
  assert_int_equal(none.count, 0);
  fill_with_keys_kept(MANY);
  GC_weak_map_each(map, note_visit, &all);
  expect_each_visited_once(&all);
  GC_weak_map_each(map, note_visit, &some);
  assert_int_equal(some.count, 1000);
}

static int
visit_and_remove(void *key, void *value, void *visit) {
  note_visit(key, value, visit);
  assert_int_equal(GC_weak_map_remove(map, key), 1);
  return 1;
}

static void
each_may_remove_what_it_visits(void **state) {
  (void)state;
  map = new_map(GC_WEAK_KEYS, false);
  for (size_t i = 0; i < MANY; i++)
    kept[i] = new_thing(MANY, NULL);
  for (size_t i = 0; i < MANY; i++)
    put(kept[i], kept[i]);
  struct visit removing = {.most = SIZE_MAX}, nothing = {.most = SIZE_MAX};
  GC_weak_map_each(map, visit_and_remove, &removing);
  assert_int_equal(removing.count, MANY);
  assert_int_equal(GC_weak_map_count(map), 0);
  GC_weak_map_each(map, note_visit, &nothing);
  assert_int_equal(nothing.count, 0);
}

static int
put_into_copy(void *key, void *value, void *unused) {
  (void)unused;
  return GC_weak_map_put(copy, key, value) == GC_SUCCESS;
}

// The table is replaced several times while it is gone through.
static int
put_into_copy_and_grow(void *key, void *value, void *next_) {
  size_t *next = next_;
  if ((size_t)key > MANY)
    return 1;
  assert_null(GC_weak_map_get(copy, key));
  for (int i = 0; i < 8; i++, ++*next)
    put(integer(*next), integer(*next));
  return put_into_copy(key, value, NULL);
}

static void
each_visits_what_stays_once_while_the_table_grows(void **state) {
  (void)state;
  map = new_map(GC_WEAK_KEYS, false);
  copy = new_map(GC_WEAK_BOTH, false);
  for (size_t i = 1; i <= MANY; i++)
    put(integer(i), integer(i));
  size_t next = MANY + 1;
  GC_weak_map_each(map, put_into_copy_and_grow, &next);
  assert_int_equal(GC_weak_map_count(copy), MANY);
  assert_int_equal(GC_weak_map_count(map), 9 * MANY);
}

// After so many visits the table is replaced, and nothing is left of what there was.
static int
visit_and_replace_all(void *key, void *value, void *visit_) {
  struct visit *visit = visit_;
  assert_ptr_equal(key, value);
  if (++visit->count != visit->most)
    return 1;
  for (size_t i = MANY + 1; i <= 9 * MANY; i++)
    put(integer(i), integer(i));
  for (size_t i = 1; i <= MANY; i++)
    assert_int_equal(GC_weak_map_remove(map, integer(i)), 1);
  return 1;
}

// But for those that have been got ready for visits.
static void
each_visits_what_is_removed_no_more(void **state) {
  (void)state;
  map = new_map(GC_WEAK_BOTH, false);
  for (size_t i = 1; i <= MANY; i++)
    put(integer(i), integer(i));
  struct visit visit = {.most = 1000};
  GC_weak_map_each(map, visit_and_replace_all, &visit);
  assert_true(visit.count < visit.most + 100);
  assert_int_equal(GC_weak_map_count(map), 8 * MANY);
}

// ---- Growth --------------------------------------------------------------------------------------------

enum { LARGE = 100000 };
static struct thing *many[LARGE];

__attribute__((noinline)) static void
fill_large(enum GC_WeakMapKind kind) {
  for (size_t i = 0; i < LARGE; i++) {
    many[i] = new_thing(i, NULL);
    if (kind == GC_WEAK_KEYS)
      put(many[i], new_thing(i, NULL));
    else
      put(integer(i + 1), many[i]);
    if (i % 997 == 0)
      collect_somehow();
  }
}

__attribute__((noinline)) static void
expect_large(enum GC_WeakMapKind kind) {
  for (size_t i = 0; i < LARGE; i++)
    if (many[i]) {
      struct thing *value = get(kind == GC_WEAK_KEYS ? (void *)many[i] : integer(i + 1));
      assert_non_null(value);
      assert_int_equal(value->id, i);
    }
}

static void
grow_and_shrink(enum GC_WeakMapKind kind) {
  map = new_map(kind, false);
  collect();
  size_t before = GC_get_memory_use();
  fill_large(kind);
  expect_large(kind);
  assert_int_equal(GC_weak_map_count(map), LARGE);
  drop_two_of_three(many, LARGE);
  collect();
  expect_count((LARGE + 2) / 3);
  expect_large(kind);
  memset(many, 0, sizeof many);
  collect();
  expect_count(0);
  for (size_t i = 0; i < 3000; i++)
    put(integer(i + LARGE), integer(i + LARGE));
  collect();
  expect_count(3000);
  assert_true(GC_get_memory_use() < before + GC_MIB);
}

static void
it_grows_while_objects_come_and_go(void **state) {
  (void)state;
  grow_and_shrink(GC_WEAK_KEYS);
  grow_and_shrink(GC_WEAK_BOTH);
}

// Into each of the maps that `kept` has.
__attribute__((noinline)) static void
put_into_all(size_t first, size_t limit) {
  for (size_t i = 0; i < MANY; i++)
    for (size_t key = first; key < limit; key++)
      assert_int_equal(GC_weak_map_put((GC_weak_map *)kept[i], integer(key), integer(i + 1)), GC_SUCCESS);
}

__attribute__((noinline)) static void
expect_in_all(size_t first, size_t limit) {
  for (size_t i = 0; i < MANY; i++)
    for (size_t key = first; key < limit; key++)
      assert_ptr_equal(GC_weak_map_get((GC_weak_map *)kept[i], integer(key)), integer(i + 1));
}

// In the memory of tables that a minor cycle has missed.
static void
make_garbage_of_many_sizes(void) {
  for (size_t bytes = 64; bytes <= 2048; bytes *= 2)
    for (size_t i = 0; i < MANY; i++)
      memset(i % 2 ? GC_malloc(bytes) : GC_malloc_atomic(bytes), 0x55, bytes);
}

// So many that nothing else in their pages is written: each must say that it has another table.
static void
old_maps_grow(void **state) {
  (void)state;
  for (size_t i = 0; i < MANY; i++)
    kept[i] = (struct thing *)new_map(GC_WEAK_KEYS, false);
  for (size_t limit = 2; limit < 100; limit = limit * 3 / 2 + 1) {
    put_into_all(limit * 2 / 3, limit);
    collect_somehow();
    make_garbage_of_many_sizes();
    expect_in_all(1, limit);
  }
}

// Quadratic if entries came in the order of the slots that they go to.
static void
one_map_can_be_filled_from_another(void **state) {
  (void)state;
  map = new_map(GC_WEAK_KEYS, false);
  for (size_t i = 1; i <= LARGE; i++)
    put(integer(i * 16), integer(i));
  copy = new_map(GC_WEAK_KEYS, false);
  GC_weak_map_each(map, put_into_copy, NULL);
  assert_int_equal(GC_weak_map_count(copy), LARGE);
  for (size_t i = 1; i <= LARGE; i++)
    assert_ptr_equal(GC_weak_map_get(copy, integer(i * 16)), integer(i));
}

// Entries that go as fast as they come leave no more behind than the last collections have not seen.
static void
what_is_gone_makes_room_for_what_comes(void **state) {
  (void)state;
  map = new_map(GC_WEAK_KEYS, false);
  collect();
  size_t before = GC_get_memory_use();
  for (size_t round = 0; round < 100; round++) {
    for (size_t i = 0; i < 2000; i++)
      put(new_thing(i, NULL), integer(1));
    GC_gcollect();
  }
  collect();
  expect_count(0);
  assert_true(GC_get_memory_use() < before + GC_MIB);
}

// ---- Refusals ------------------------------------------------------------------------------------------

static void *
give_nothing(size_t bytes) {
  (void)bytes;
  return NULL;
}

// As many as there is memory for.
__attribute__((noinline)) static size_t
fill_to_the_limit(void) {
  for (size_t i = 1;; i++)
    if (GC_weak_map_put(map, integer(i), integer(i + 1)) != GC_SUCCESS)
      return i - 1;
}

static void
refused_memory_loses_nothing(void **state) {
  (void)state;
  GC_oom_func before = GC_get_oom_fn();
  map = new_map(GC_WEAK_KEYS, false);
  collect();
  GC_set_oom_fn(give_nothing);
  GC_set_max_heap_size(GC_get_heap_size() + 4 * GC_MIB);
  size_t count = fill_to_the_limit();
  assert_true(count > 1000);
  assert_int_equal(GC_weak_map_count(map), count);
  for (size_t i = 1; i <= count; i++)
    assert_ptr_equal(get(integer(i)), integer(i + 1));
  assert_null(get(integer(count + 1)));
  GC_set_max_heap_size(0);
  GC_set_oom_fn(before);
  put(integer(count + 1), integer(1));
  assert_int_equal(GC_weak_map_count(map), count + 1);
}

// ---- Finalizers ----------------------------------------------------------------------------------------

static size_t finalized, found_by_finalizer, refused_to_finalizer;

// Called from allocations, the map's among them; of stragglers in later tests.
static void
finalize_thing(void *object, void *own_map) {
  struct thing *thing = object;
  finalized++;
  found_by_finalizer += GC_weak_map_get(own_map, thing) != NULL;
  refused_to_finalizer += GC_weak_map_put(own_map, integer(1000 + thing->id % 10), integer(1)) != GC_SUCCESS;
  if (thing->id % 10 == 3)
    GC_weak_map_remove(own_map, integer(1003));
}

__attribute__((noinline)) static void
put_finalizable(size_t count) {
  for (size_t i = 0; i < count; i++) {
    struct thing *key = new_thing(i, NULL);
    GC_register_finalizer(key, finalize_thing, map, NULL, NULL);
    put(key, new_thing(i, key));
  }
}

static void
finalizers_find_no_entry_and_may_use_the_map(void **state) {
  (void)state;
  map = new_map(GC_WEAK_KEYS, false);
  finalized = found_by_finalizer = refused_to_finalizer = 0;
  GC_set_stress_collect(50);
  put_finalizable(MANY);
  GC_set_stress_collect(0);
  collect();
  GC_invoke_finalizers();
  assert_true(finalized >= MANY - STRAGGLERS);
  assert_int_equal(found_by_finalizer, 0);
  assert_int_equal(refused_to_finalizer, 0);
  collect();
  expect_count(9);
  assert_ptr_equal(get(integer(1007)), integer(1));
}

// ---- Threads -------------------------------------------------------------------------------------------

enum { WORKERS = 2, SHARED = 64, OWN = 1500, ROUNDS = 12 };

struct worker {
  uint64_t number;
  struct thing *own[OWN];
  const char *wrong; // NULL: nothing
};

static struct worker workers[WORKERS];

static bool
work_is_right(struct worker *worker, bool right, const char *what) {
  if (!right)
    worker->wrong = what;
  return right;
}

// Ids that are this thread's alone: nobody else may disturb them.
static void
work_on_own(struct worker *worker, size_t i) {
  uint64_t id = SHARED + worker->number + WORKERS * i;
  worker->own[i] = new_thing(id, NULL);
  work_is_right(worker, GC_weak_map_put(map, worker->own[i], worker->own[i]) == GC_SUCCESS, "put");
  uint64_t earlier = SHARED + worker->number + WORKERS * (i / 2);
  work_is_right(worker, get_by_id(earlier) == worker->own[i / 2], "an own entry is gone");
}

// Ids that both fight for, the things being dropped at once.
static void
work_on_shared(struct worker *worker, uint64_t id) {
  struct thing *value = get_by_id(id), *key = new_thing(id, NULL);
  work_is_right(worker, !value || value->id == id, "another's value");
  work_is_right(worker, GC_weak_map_put(map, key, new_thing(id, key)) == GC_SUCCESS, "put");
  if (id % 4 == 0)
    remove_by_id(id);
}

static int
visit_shared(void *key_, void *value_, void *worker_) {
  struct thing *key = key_, *value = value_;
  return work_is_right(worker_, key->id == value->id, "each: another's value");
}

static void *
work(void *worker_) {
  struct worker *worker = worker_;
  for (size_t round = 0; round < ROUNDS && !worker->wrong; round++) {
    for (size_t i = 0; i < OWN && !worker->wrong; i++) {
      work_on_own(worker, i);
      work_on_shared(worker, i % SHARED);
    }
    GC_weak_map_each(map, visit_shared, worker);
    collect_somehow();
  }
  return NULL;
}

static void
threads_share_a_map(void **state) {
  (void)state;
  pthread_t threads[WORKERS];
  map = new_map(GC_WEAK_KEYS, true);
  memset(workers, 0, sizeof workers);
  for (size_t i = 0; i < WORKERS; i++) {
    workers[i].number = i;
    assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
  }
  for (size_t i = 0; i < WORKERS; i++)
    pthread_join(threads[i], NULL);
  for (size_t i = 0; i < WORKERS; i++)
    if (workers[i].wrong)
      fail_msg("thread %zu: %s", i, workers[i].wrong);
  collect();
  expect_count(OWN * WORKERS);
  memset(workers, 0, sizeof workers);
  collect();
  expect_count(0);
}

// ---- The model -----------------------------------------------------------------------------------------

enum { IDS = 400, STEPS = 20000, STEPS_UNDER_STRESS = 4000 };

// What the map must have of each id: `kept` and `kept_too` are its key and value, if the program has them.
static struct model_entry {
  bool entered; // and not removed
  bool certain; // what keeps the entry has been there ever since
  uint64_t key_serial, value_serial;
} model[IDS];

static enum GC_WeakMapKind model_kind;

static bool
has_what_it_needs(size_t id) {
  return (model_kind == GC_WEAK_VALUES || kept[id]) && (model_kind == GC_WEAK_KEYS || kept_too[id]);
}

// Of a value that refers to its key the map alone knows, or the program would have both.
static void
step_put(size_t id) {
  bool refers = model_kind == GC_WEAK_KEYS && random_below(2);
  kept[id] = random_below(3) && kept[id] ? kept[id] : new_thing(id, NULL);
  kept_too[id] = new_thing(id, refers ? kept[id] : NULL);
  put(kept[id], kept_too[id]);
  model[id] = (struct model_entry){true, true, kept[id]->serial, kept_too[id]->serial};
  if (refers)
    kept_too[id] = NULL;
}

static void
step_remove(size_t id) {
  int removed = remove_by_id(id);
  assert_true(removed <= model[id].entered);
  assert_true(removed || !model[id].certain);
  model[id] = (struct model_entry){0};
}

static void
step_drop(size_t id) {
  *(random_below(2) ? &kept[id] : &kept_too[id]) = NULL;
  model[id].certain = model[id].certain && has_what_it_needs(id);
}

// What may be gone and is stays so.
static void
step_get(size_t id) {
  struct model_entry *entry = &model[id];
  const struct thing *value = get_by_id(id), *key = value ? get_key_by_id(id) : NULL;
  if (value && key) {
    assert_true(entry->entered);
    assert_int_equal(value->serial, entry->value_serial);
    assert_int_equal(key->serial, entry->key_serial);
    return;
  }
  assert_false(entry->certain);
  entry->entered = false;
}

static void
step_collect(void) {
  if (random_below(50) == 0)
    collect();
  else if (random_below(3) == 0)
    collect_somehow();
  else
    make_garbage(100);
}

__attribute__((noinline)) static void
random_step(void) {
  size_t id = random_below(IDS), choice = random_below(64);
  if (choice < 20)
    step_put(id);
  else if (choice < 24)
    step_remove(id);
  else if (choice < 40)
    step_drop(id);
  else if (choice < 63)
    step_get(id);
  else
    step_collect();
}

static int
check_visited(void *key_, void *value_, void *count_) {
  const struct thing *key = key_, *value = value_;
  size_t *count = count_;
  assert_true(key->id < IDS && model[key->id].entered);
  assert_int_equal(key->serial, model[key->id].key_serial);
  assert_int_equal(value->serial, model[key->id].value_serial);
  *count += model[key->id].certain;
  return 1;
}

static void
check_all(void) {
  size_t certain = 0, visited = 0;
  for (size_t id = 0; id < IDS; id++)
    certain += model[id].certain;
  GC_weak_map_each(map, check_visited, &visited);
  assert_int_equal(visited, certain);
  collect();
  expect_count(certain);
}

static void
run_model(enum GC_WeakMapKind kind, size_t steps, unsigned stress) {
  memset(model, 0, sizeof model);
  memset(kept, 0, sizeof kept);
  memset(kept_too, 0, sizeof kept_too);
  model_kind = kind;
  map = new_map(kind, true);
  GC_set_stress_collect(stress);
  for (size_t step = 1; step <= steps; step++) {
    random_step();
    if (step % (steps / 8) == 0)
      check_all();
  }
}

static void
random_operations_agree_with_the_model(void **state) {
  (void)state;
  random_begin("random_operations_agree_with_the_model");
  run_model(GC_WEAK_KEYS, STEPS, 0);
  run_model(GC_WEAK_VALUES, STEPS, 0);
  run_model(GC_WEAK_BOTH, STEPS, 0);
  run_model(GC_WEAK_KEYS, STEPS_UNDER_STRESS, 60);
  run_model(GC_WEAK_VALUES, STEPS_UNDER_STRESS, 60);
  run_model(GC_WEAK_BOTH, STEPS_UNDER_STRESS, 60);
}

#define IN_MODE(test, mode) \
  { #test ": " #mode, test, begin_mode, end_mode, &mode }
#define IN_ALL_MODES(test) \
  IN_MODE(test, stop), IN_MODE(test, generational), IN_MODE(test, concurrent), IN_MODE(test, barrier)

int
main(void) {
  const struct CMUnitTest tests[] = {
      // the large ones last: full collections take longer after them
      IN_ALL_MODES(a_weak_key_keeps_its_value_until_it_goes),
      IN_ALL_MODES(a_value_may_be_the_key_of_another_entry),
      IN_ALL_MODES(a_weak_value_keeps_its_key_until_it_goes),
      IN_ALL_MODES(both_weak_keep_neither),
      IN_MODE(an_integer_is_always_reachable, stop),
      IN_MODE(an_integer_may_be_negative, stop),
      IN_MODE(an_ephemeron_may_hold_a_negative_integer, stop),
      IN_MODE(what_has_an_integer_as_its_partner_goes_with_the_other, stop),
      IN_ALL_MODES(an_equal_key_takes_the_place_of_the_old_one),
      IN_ALL_MODES(a_value_that_was_replaced_goes),
      IN_ALL_MODES(what_is_removed_is_gone_until_it_is_put_again),
      IN_MODE(the_data_of_the_functions_is_kept, stop),
      IN_MODE(no_options_are_weak_keys_by_address, stop),
      IN_MODE(each_visits_all_until_it_is_told_to_stop, stop),
      IN_MODE(each_may_remove_what_it_visits, stop),
      IN_MODE(each_visits_what_stays_once_while_the_table_grows, stop),
      IN_MODE(each_visits_what_is_removed_no_more, stop),
      IN_ALL_MODES(random_operations_agree_with_the_model),
      IN_ALL_MODES(old_maps_grow),
      IN_ALL_MODES(it_grows_while_objects_come_and_go),
      IN_MODE(one_map_can_be_filled_from_another, stop),
      IN_ALL_MODES(what_is_gone_makes_room_for_what_comes),
      IN_MODE(refused_memory_loses_nothing, stop),
      IN_ALL_MODES(finalizers_find_no_entry_and_may_use_the_map),
      IN_ALL_MODES(threads_share_a_map),
  };
  GC_INIT();
  return cmocka_run_group_tests(tests, NULL, NULL);
}
