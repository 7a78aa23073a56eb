// gc.h, "Weak hash tables".
//
// Open addressing with linear probing; an entry is a slot of two arrays and a pair:
//
//   hashes  |  0  | h:a |  1  | h:b |  0  | ...    pointer-free: 0 is empty, 1 deleted
//   pairs   |  .  |  |  |  .  |  |  |  .  | ...    followed by the collector
//                    v           v
//             hidden key, value  ...               pointer-free, see Pairs
//
// The collector breaks a pair, that is, sets a word of it to 0, and knows nothing of maps.  A broken pair is
// no entry for anybody; its slot is deleted by the hand that goes through the table as entries are put and
// removed, once for every collection that there has been.  What is compared first is the hash of a slot; so
// no function of the program's is called for keys that are gone, and the collector sees no key.
//
// A table that is full is replaced by another, which the hand fills from the old one, step by step:
//
//   old:      [ moved, void |hand| still entries ]      found there, replaced there, removed there
//   current:  [ moved and new entries            ]      found first; what is new goes here
//
// What has been moved keeps its slot in the old table: chains of probes stay whole, and who goes through that
// table (GC_weak_map_each) misses nothing that stays.  A pair that is removed or replaced is broken, so that
// in a slot that was left behind it counts for nothing.
//
// Invariants, under the map's lock:
//   one-entry      equal keys have one pair at most that is not broken; one that was moved is found in the
//                  current table
//   room           current has room for all of its own entries and those that the old one still has; at least
//                  a quarter of its slots is empty, which ends each chain of probes
//   hand-in-time   the old table is done before the current one is full: three eighths of that are left for
//                  puts when it comes, and each of them moves the hand on by a step (check: has_room)
//
// Lock order: a map's lock, then gc_lock.  Nothing is allocated under a map's lock, for allocation may call
// the program's finalizers, and they may use the map.
#include <pthread.h>
#include <string.h>

#include "base/check.h"
#include "base/lock.h"
#include "cycle/cycle.h"
#include "gc.h"
#include "heap/heap.h"
#include "refs/ephemerons.h"
#include "refs/hidden.h"
#include "refs/links.h"

enum { EMPTY, DELETED, HASH_MIN };

enum {
  LOG2_MIN = 4,      // of a table's slots
  LOG2_MAX = 31,     // slots are chosen by bits of a 32-bit hash
  SHRINK_LOG2 = 6,   // a table may be so much smaller than the one before, or the hand came too late
  PAIRS_A_STEP = 8,  // looked at by each put or remove: a cache miss each
  SLOTS_A_STEP = 256 // likewise, empty ones: 16 in a cache line
};

struct table {
  struct gc_ephemeron **pairs;
  uint32_t *hashes;
  unsigned log2;
  size_t used; // slots that are not empty
  size_t live; // slots that are neither empty nor deleted nor moved
};

// All but the lock and what never changes: [lock].
struct GC_weak_map {
  pthread_mutex_t lock;
  enum GC_WeakMapKind kind;
  uint32_t seed; // of hashes
  GC_weak_map_hash_proc hash;
  GC_weak_map_equal_proc equal; // NULL: by address
  void *data;
  struct table current, old;
  size_t hand; // in old, or in current if there is no old: what lies before has been looked at
  size_t seen; // how many collections there had been when the hand was at the start
};

// ---- The lock ------------------------------------------------------------------------------------------

static void
lock(GC_weak_map *map) {
  int error = pthread_mutex_lock(&map->lock);
  GC_CHECK(error == 0, "a weak map is used by its own functions (error %d)", error);
}

static void
unlock(GC_weak_map *map) {
  pthread_mutex_unlock(&map->lock);
}

// A caller that cannot be attached has a stack that does not count: it may not hold keys.
static bool
is_attached(void) {
  return gc_allocate_cache() != NULL;
}

// ---- Pairs ---------------------------------------------------------------------------------------------
//
// keys: an ephemeron.  values: an ephemeron of the value as its key, and the key as its value.  both: two
// words laid out and read as an ephemeron's, each of which is a link.

static bool
is_both(const GC_weak_map *map) {
  return map->kind == GC_WEAK_BOTH;
}

// What is no object needs no link.
static bool
watch(uintptr_t *hidden, const void *address) {
  *hidden = gc_hide(address);
  return gc_heap_resolve(address).start != address ||
         gc_links_register(GC_LINK_ORDINARY, (void **)hidden, address) != GC_LINK_REFUSED;
}

static struct gc_ephemeron *
new_links(const void *key, const void *value) {
  struct gc_ephemeron *pair = GC_malloc_atomic(sizeof *pair);
  if (!pair)
    return NULL;
  gc_lock_acquire(&gc_lock);
  bool watched = watch(&pair->hidden_key, key) && watch(&pair->hidden_value, value);
  gc_lock_release(&gc_lock);
  GC_reachable_here(key);
  GC_reachable_here(value);
  return watched ? pair : NULL;
}

static struct gc_ephemeron *
new_pair(const GC_weak_map *map, void *key, void *value) {
  if (is_both(map))
    return new_links(key, value);
  bool by_value = map->kind == GC_WEAK_VALUES;
  return (struct gc_ephemeron *)GC_ephemeron_new(by_value ? value : key, by_value ? key : value);
}

static void *
key_of(const GC_weak_map *map, struct gc_ephemeron *pair) {
  GC_ephemeron *ephemeron = (GC_ephemeron *)pair;
  return map->kind == GC_WEAK_VALUES ? GC_ephemeron_value(ephemeron) : GC_ephemeron_key(ephemeron);
}

static void *
value_of(const GC_weak_map *map, struct gc_ephemeron *pair) {
  GC_ephemeron *ephemeron = (GC_ephemeron *)pair;
  return map->kind == GC_WEAK_VALUES ? GC_ephemeron_key(ephemeron) : GC_ephemeron_value(ephemeron);
}

// Does a pair have this very key?  Without making a reference of what is hidden.
static bool
has_key(const GC_weak_map *map, const struct gc_ephemeron *pair, const void *key) {
  const volatile uintptr_t *hidden = map->kind == GC_WEAK_VALUES ? &pair->hidden_value : &pair->hidden_key;
  return *hidden == gc_hide(key);
}

// A word that is 0 stays so.
static bool
is_broken(const struct gc_ephemeron *pair) {
  const volatile struct gc_ephemeron *words = pair;
  return words->hidden_key == 0 || words->hidden_value == 0;
}

// Its registration goes with the pair itself.
static void
break_pair(struct gc_ephemeron *pair) {
  *pair = (struct gc_ephemeron){0, 0};
}

// ---- A table -------------------------------------------------------------------------------------------

static size_t
slots_of(const struct table *table) {
  return (size_t)1 << table->log2;
}

static bool
is_entry(const struct table *table, size_t slot) {
  return table->hashes[slot] >= HASH_MIN;
}

// By the high bits: a table that is filled from another in order is written in order.
static size_t
home_of(const struct table *table, uint32_t hash) {
  return hash >> (32 - table->log2);
}

static size_t
after(const struct table *table, size_t slot) {
  return (slot + 1) & (slots_of(table) - 1);
}

// `pairs` is NULL if memory is refused.
static struct table
new_table(unsigned log2) {
  struct table table = {.log2 = log2};
  size_t hash_bytes = slots_of(&table) * sizeof *table.hashes;
  table.hashes = GC_malloc_atomic(hash_bytes);
  if (!table.hashes)
    return table;
  memset(table.hashes, 0, hash_bytes);
  table.pairs = GC_malloc(slots_of(&table) * sizeof(struct gc_ephemeron *));
  return table;
}

// There is no equal key.
static void
insert(struct table *table, uint32_t hash, struct gc_ephemeron *pair) {
  size_t slot = home_of(table, hash);
  while (is_entry(table, slot))
    slot = after(table, slot);
  table->used += table->hashes[slot] == EMPTY;
  table->live++;
  table->hashes[slot] = hash;
  GC_ptr_store_and_dirty(&table->pairs[slot], pair);
}

static void
discard(struct table *table, size_t slot) {
  table->pairs[slot] = NULL;
  table->hashes[slot] = DELETED;
  table->live--;
}

// ---- Finding -------------------------------------------------------------------------------------------

struct query {
  const void *key;
  uint32_t hash;
};

// Mixed with a seed, or filling a map from another one, in the order of its slots, would fill its slots in
// order.
static struct query
query_for(const GC_weak_map *map, const void *key) {
  const uint64_t golden = 0x9e3779b97f4a7c15;
  uint64_t hash = (map->hash ? map->hash(key, map->data) : (uintptr_t)key) ^ map->seed;
  hash = (hash ^ hash >> 32) * golden;
  hash = (hash ^ hash >> 32) * golden >> 32;
  return (struct query){key, (uint32_t)gc_max(hash, HASH_MIN)};
}

static bool
matches(const GC_weak_map *map, struct gc_ephemeron *pair, const void *key) {
  if (is_broken(pair))
    return false;
  if (!map->equal || has_key(map, pair, key))
    return has_key(map, pair, key);
  const void *other = key_of(map, pair);
  return other && map->equal(other, key, map->data);
}

struct spot {
  struct table *table; // NULL: nowhere
  size_t slot;
};

static struct spot
find_in(const GC_weak_map *map, struct table *table, struct query query) {
  for (size_t slot = home_of(table, query.hash); table->hashes[slot] != EMPTY; slot = after(table, slot))
    if (table->hashes[slot] == query.hash && matches(map, table->pairs[slot], query.key))
      return (struct spot){table, slot};
  return (struct spot){NULL, 0};
}

// one-entry: what has been moved is found before the slot that it has left.
static struct spot
find(GC_weak_map *map, struct query query) {
  struct spot spot = find_in(map, &map->current, query);
  if (!spot.table && map->old.pairs)
    spot = find_in(map, &map->old, query);
  return spot;
}

static struct gc_ephemeron *
pair_at(struct spot spot) {
  return spot.table->pairs[spot.slot];
}

// ---- The hand ------------------------------------------------------------------------------------------

static struct table *
table_of_hand(GC_weak_map *map) {
  return map->old.pairs ? &map->old : &map->current;
}

// At the end of the current table it waits for the next collection.
static bool
hand_has_work(GC_weak_map *map) {
  if (map->hand < slots_of(table_of_hand(map)))
    return true;
  if (map->seen == GC_get_gc_no())
    return false;
  map->seen = GC_get_gc_no();
  map->hand = 0;
  return true;
}

static void
look_at(GC_weak_map *map, struct table *table, size_t slot) {
  struct gc_ephemeron *pair = table->pairs[slot];
  if (is_broken(pair)) {
    discard(table, slot);
  } else if (table == &map->old) {
    insert(&map->current, table->hashes[slot], pair);
    table->live--;
  }
}

// All that has been moved has been looked at.
static void
end_move(GC_weak_map *map) {
  GC_ASSERT(map->old.live == 0);
  map->old = (struct table){0};
  map->hand = slots_of(&map->current);
}

// Go on, past so many slots and entries at most.  false if all entries have been looked at since the last
// collection.
static bool
advance(GC_weak_map *map, size_t slots, size_t pairs) {
  if (!hand_has_work(map))
    return false;
  struct table *table = table_of_hand(map);
  size_t limit = map->hand + gc_min(slots, slots_of(table) - map->hand);
  for (; map->hand < limit && pairs > 0; map->hand++) {
    if (!is_entry(table, map->hand))
      continue;
    look_at(map, table, map->hand);
    pairs--;
  }
  if (table == &map->old && map->hand == slots_of(table))
    end_move(map);
  return true;
}

static void
advance_a_step(GC_weak_map *map) {
  advance(map, SLOTS_A_STEP, PAIRS_A_STEP);
}

// For those who go through all of it anyway, and let others at the map between.
static bool
advance_far(GC_weak_map *map) {
  return advance(map, 16 * SLOTS_A_STEP, SIZE_MAX);
}

// ---- Growing -------------------------------------------------------------------------------------------

static bool
is_full(const GC_weak_map *map) {
  size_t slots = slots_of(&map->current);
  return map->current.used + map->old.live >= slots - slots / 4;
}

// Nearly all is gone, and it was much.
static bool
is_worn(const struct table *table) {
  return table->used >= slots_of(table) / 4 && table->live < table->used / 4;
}

static bool
needs_table(const GC_weak_map *map) {
  return !map->old.pairs && (is_full(map) || is_worn(&map->current));
}

static bool
has_room(GC_weak_map *map) {
  if (is_full(map))
    while (map->old.pairs) // hand-in-time: it does not come to this
      advance_far(map);
  return !needs_table(map);
}

// The least number of slots of which the entries there are take three eighths.
static unsigned
log2_wanted(const GC_weak_map *map) {
  unsigned log2 = gc_max(map->current.log2, LOG2_MIN + SHRINK_LOG2) - SHRINK_LOG2;
  while (map->current.live > ((size_t)3 << log2) / 8)
    log2++;
  return log2;
}

static void
begin_move(GC_weak_map *map, struct table table) {
  map->old = map->current;
  map->current = table;
  map->hand = 0;
  map->seen = GC_get_gc_no();
  GC_end_stubborn_change(map);
}

static unsigned
log2_wanted_now(GC_weak_map *map) {
  lock(map);
  unsigned log2 = log2_wanted(map);
  unlock(map);
  return log2;
}

// Let the map have another table, if it still needs that one.  false if memory is refused.
static bool
grow(GC_weak_map *map) {
  unsigned log2 = log2_wanted_now(map);
  struct table table = log2 <= LOG2_MAX ? new_table(log2) : (struct table){0};
  if (!table.pairs)
    return false;
  lock(map);
  if (needs_table(map) && log2_wanted(map) <= table.log2)
    begin_move(map, table);
  unlock(map);
  GC_reachable_here(table.pairs);
  GC_reachable_here(table.hashes);
  return true;
}

// ---- gc.h ----------------------------------------------------------------------------------------------

static void
begin(GC_weak_map *map, const struct GC_weak_map_options *options) {
  map->lock = (pthread_mutex_t)PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;
  map->seed = (uint32_t)((uintptr_t)map >> GC_GRANULE_SHIFT);
  map->hand = slots_of(&map->current);
  map->seen = GC_get_gc_no();
  if (!options)
    return;
  map->kind = options->kind;
  map->hash = options->hash;
  map->equal = options->hash ? options->equal : NULL;
  map->data = options->data;
}

GC_weak_map *
GC_weak_map_new(const struct GC_weak_map_options *options) {
  GC_CHECK(!options || (unsigned)options->kind <= GC_WEAK_BOTH, "GC_weak_map_new: %u is no kind",
           (unsigned)options->kind);
  struct table table = new_table(LOG2_MIN);
  GC_weak_map *map = table.pairs ? GC_malloc(sizeof *map) : NULL;
  if (!map)
    return NULL;
  map->current = table;
  begin(map, options);
  GC_end_stubborn_change(map);
  GC_reachable_here(table.pairs);
  GC_reachable_here(table.hashes);
  return map;
}

void *
GC_weak_map_get(GC_weak_map *map, const void *key) {
  if (!is_attached())
    return NULL;
  struct query query = query_for(map, key);
  lock(map);
  struct spot spot = find(map, query);
  void *value = spot.table ? value_of(map, pair_at(spot)) : NULL;
  unlock(map);
  return value;
}

void *
GC_weak_map_get_key(GC_weak_map *map, const void *key) {
  if (!is_attached())
    return NULL;
  struct query query = query_for(map, key);
  lock(map);
  struct spot spot = find(map, query);
  void *found = spot.table ? key_of(map, pair_at(spot)) : NULL;
  unlock(map);
  return found;
}

// Another value for the same key: an ephemeron takes it.
static bool
update(GC_weak_map *map, struct query query, void *value) {
  if (map->kind != GC_WEAK_KEYS)
    return false;
  lock(map);
  struct spot spot = find(map, query);
  bool same = spot.table && has_key(map, pair_at(spot), query.key);
  if (same)
    GC_ephemeron_set_value((GC_ephemeron *)pair_at(spot), value);
  unlock(map);
  return same;
}

static void
replace(struct spot spot, struct gc_ephemeron *pair) {
  break_pair(pair_at(spot));
  GC_ptr_store_and_dirty(&spot.table->pairs[spot.slot], pair);
}

// false if the map must grow first.
static bool
enter(GC_weak_map *map, struct query query, struct gc_ephemeron *pair) {
  lock(map);
  advance_a_step(map);
  struct spot spot = find(map, query);
  bool entered = spot.table || has_room(map);
  if (spot.table)
    replace(spot, pair);
  else if (entered)
    insert(&map->current, query.hash, pair);
  unlock(map);
  return entered;
}

int
GC_weak_map_put(GC_weak_map *map, void *key, void *value) {
  if (!is_attached())
    return GC_NO_MEMORY;
  struct query query = query_for(map, key);
  if (!update(map, query, value)) {
    struct gc_ephemeron *pair = new_pair(map, key, value);
    if (!pair)
      return GC_NO_MEMORY;
    while (!enter(map, query, pair))
      if (!grow(map))
        return GC_NO_MEMORY;
  }
  GC_reachable_here(key);
  GC_reachable_here(value);
  return GC_SUCCESS;
}

int
GC_weak_map_remove(GC_weak_map *map, const void *key) {
  if (!is_attached())
    return 0;
  struct query query = query_for(map, key);
  lock(map);
  advance_a_step(map);
  struct spot spot = find(map, query);
  if (spot.table) {
    break_pair(pair_at(spot));
    discard(spot.table, spot.slot);
  }
  unlock(map);
  return spot.table != NULL;
}

// Of what the last collection has broken nothing is counted.
size_t
GC_weak_map_count(GC_weak_map *map) {
  bool more;
  size_t count;
  do {
    lock(map);
    more = advance_far(map);
    count = map->current.live + map->old.live;
    unlock(map);
  } while (more);
  return count;
}

// ---- Visiting ------------------------------------------------------------------------------------------

enum { BATCH = 16 };

// Entries that stay while they are visited.
struct batch {
  size_t count;
  struct {
    void *key, *value;
  } entries[BATCH];
};

// The table that has all entries.
static struct table
whole_table(GC_weak_map *map) {
  lock(map);
  while (map->old.pairs) {
    advance_far(map);
    unlock(map);
    lock(map);
  }
  struct table table = map->current;
  unlock(map);
  return table;
}

static void
add_to_batch(const GC_weak_map *map, struct batch *batch, struct gc_ephemeron *pair) {
  void *key = key_of(map, pair), *value = value_of(map, pair);
  if (!key || !value)
    return;
  batch->entries[batch->count].key = key;
  batch->entries[batch->count++].value = value;
}

// From *slot on, which is moved on.
static void
fill_batch(GC_weak_map *map, struct batch *batch, const struct table *table, size_t *slot) {
  size_t limit = gc_min(*slot + SLOTS_A_STEP, slots_of(table));
  lock(map);
  for (batch->count = 0; *slot < limit && batch->count < BATCH; ++*slot)
    if (is_entry(table, *slot))
      add_to_batch(map, batch, table->pairs[*slot]);
  unlock(map);
}

void
GC_weak_map_each(GC_weak_map *map, GC_weak_map_visit_proc visit, void *data) {
  if (!is_attached())
    return;
  struct table table = whole_table(map);
  struct batch batch;
  for (size_t slot = 0; slot < slots_of(&table);) {
    fill_batch(map, &batch, &table, &slot);
    for (size_t i = 0; i < batch.count; i++)
      if (!visit(batch.entries[i].key, batch.entries[i].value, data))
        return;
  }
}
