// Ephemerons.  See ephemerons.h.
#include "refs/ephemerons.h"

#include "heap/heap.h"
#include "mark/team.h"
#include "refs/objects.h"

enum {
  KEY_IS_OBJECT = 1 << GC_REF_BITS, // of an ephemeron
  FOR_KEY = 1 << GC_REF_BITS        // of one that waits: its own object is marked
};

// key: the ephemeron.  object: its key.  value: its value.
static GC_STATE struct gc_ref_table table;

// Who waits for what.  key: the object that must be marked first.  object: the ephemeron's index.  value: its
// value.
static GC_STATE struct gc_ref_table waiting; // [stw]

static struct gc_ref_node *
node_at(uint32_t index) {
  return gc_ref_table_node(&table, index);
}

// ---- Registrations -------------------------------------------------------------------------------------

static bool
is_object(const void *address) {
  struct gc_ref ref = gc_heap_resolve(address);
  return ref.start && ref.start == address;
}

bool
gc_ephemerons_add(struct gc_ephemeron *ephemeron, void *key, void *value) {
  if (!gc_ref_table_reserve(&table))
    return false;
  struct gc_ref_node *node = node_at(gc_ref_table_add(&table, (uintptr_t)ephemeron));
  node->object = (uintptr_t)key;
  node->value = (uintptr_t)value;
  node->bits |= is_object(key) ? KEY_IS_OBJECT : 0;
  *ephemeron = (struct gc_ephemeron){gc_hide(key), gc_hide(value)};
  return true;
}

// What bears the current mark is old, or has been reached by the cycle that marks: the next pause need not
// ask about it.
static bool
is_unmarked(const void *address) {
  struct gc_ref ref = gc_heap_resolve(address);
  return gc_ref_is_of(ref, (uintptr_t)address) && *ref.byte != gc_heap.mark;
}

void
gc_ephemerons_set_value(struct gc_ephemeron *ephemeron, void *value) {
  uint32_t index = gc_ref_table_find(&table, (uintptr_t)ephemeron);
  if (!index) // broken
    return;
  node_at(index)->value = (uintptr_t)value;
  if (is_unmarked(value))
    gc_ref_table_note(&table, index);
  ephemeron->hidden_value = gc_hide(value);
}

size_t
gc_ephemerons_count(void) {
  return gc_ref_table_count(&table);
}

size_t
gc_ephemerons_young_count(void) {
  return gc_ref_table_young_count(&table);
}

size_t
gc_ephemerons_check(void) {
  return gc_ref_table_check(&table);
}

// ---- The fixpoint --------------------------------------------------------------------------------------

static bool
is_alive(uintptr_t object) {
  return gc_ref_state_of(gc_team_own_marker(), object) == GC_REF_ALIVE;
}

static bool
is_dead(uintptr_t object) {
  return gc_ref_state_of(gc_team_own_marker(), object) == GC_REF_DEAD;
}

// What must be marked before the value is kept on account of this ephemeron; 0: nothing.
static uintptr_t
what_it_waits_for(const struct gc_ref_node *node) {
  if (!is_alive(node->key))
    return node->key;
  return node->bits & KEY_IS_OBJECT && !is_alive(node->object) ? node->object : 0;
}

// Ephemerons whose object has been marked, as a list of nodes of `waiting` through `next`.
static GC_STATE uint32_t awakened;

static void
wake(uint32_t at) {
  gc_ref_table_unlink(&waiting, at);
  gc_ref_table_node(&waiting, at)->next = awakened;
  awakened = at;
}

// An object has been marked.
static void
found(uintptr_t object) {
  for (uint32_t at; (at = gc_ref_table_find(&waiting, object)) != 0;)
    wake(at);
}

// Mark a value, unless it lives already, and wake who waits for it.
static void
mark_value(uintptr_t value) {
  if (!is_dead(value))
    return;
  gc_marker_mark_object(gc_team_own_marker(), (const void *)value);
  found(value);
}

static void
wait_for(uintptr_t wanted, uint32_t index) {
  const struct gc_ref_node *node = node_at(index);
  struct gc_ref_node *waits = gc_ref_table_node(&waiting, gc_ref_table_add(&waiting, wanted));
  waits->object = index;
  waits->value = node->value;
  waits->bits |= wanted == node->object ? FOR_KEY : 0;
}

// Refused memory to wait, all three live until the next cycle.
static void
consider(uint32_t index) {
  uintptr_t wanted = what_it_waits_for(node_at(index));
  if (wanted && gc_ref_table_reserve(&waiting)) {
    wait_for(wanted, index);
    return;
  }
  if (wanted) {
    mark_value(node_at(index)->key);
    mark_value(node_at(index)->object);
  }
  mark_value(node_at(index)->value);
}

// Who has waited for its key has waited for nothing else.
static void
consider_again(uint32_t at) {
  struct gc_ref_node waits = *gc_ref_table_node(&waiting, at);
  gc_ref_table_free(&waiting, at);
  if (waits.bits & FOR_KEY)
    mark_value(waits.value);
  else
    consider((uint32_t)waits.object);
}

// Trace what has been marked, and consider who has waited for that, until neither is left.
static void
settle_awakened(void) {
  for (;;) {
    gc_marker_drain_watched(gc_team_own_marker(), found);
    uint32_t at = awakened;
    if (at == 0)
      return;
    awakened = gc_ref_table_node(&waiting, at)->next;
    consider_again(at);
  }
}

// What recovery from an overflow marks it does not tell of.
static void
recover(void) {
  struct gc_marker *marker = gc_team_own_marker();
  while (marker->stack.overflowed) {
    gc_marker_rescan(marker);
    size_t position = 0;
    for (uint32_t at; (at = gc_ref_scope_next((struct gc_ref_scope){.all = true}, &waiting, &position)) != 0;)
      if (is_alive(gc_ref_table_node(&waiting, at)->key))
        wake(at);
    settle_awakened();
  }
}

// Who still waits is broken; also one that is dead itself, which may live once more for a finalizer.
static void
break_up(uint32_t index) {
  const struct gc_ref_node *node = node_at(index);
  struct gc_ephemeron *ephemeron = (struct gc_ephemeron *)node->key;
  if (gc_ref_state_of(gc_team_own_marker(), node->key) != GC_REF_GONE) {
    gc_ref_store(&ephemeron->hidden_key, 0);
    gc_ref_store(&ephemeron->hidden_value, 0);
  }
  gc_ref_table_remove(&table, index);
}

static void
break_those_that_wait(void) {
  size_t position = 0;
  for (uint32_t at; (at = gc_ref_scope_next((struct gc_ref_scope){.all = true}, &waiting, &position)) != 0;) {
    break_up((uint32_t)gc_ref_table_node(&waiting, at)->object);
    gc_ref_table_remove(&waiting, at);
  }
  gc_ref_table_reset(&waiting);
  gc_ref_table_contract(&waiting);
}

void
gc_ephemerons_settle_stw(struct gc_ref_scope scope) {
  size_t position = 0;
  for (uint32_t index; (index = gc_ref_scope_next(scope, &table, &position)) != 0;) {
    consider(index);
    settle_awakened();
  }
  recover();
}

void
gc_ephemerons_settle_again_stw(void) {
  size_t position = 0;
  for (uint32_t at; (at = gc_ref_scope_next((struct gc_ref_scope){.all = true}, &waiting, &position)) != 0;)
    if (is_alive(gc_ref_table_node(&waiting, at)->key))
      wake(at);
  settle_awakened();
  recover();
}

void
gc_ephemerons_break_stw(void) {
  break_those_that_wait();
  gc_ref_table_forget_young(&table);
  gc_ref_table_contract(&table);
}

bool
gc_ephemerons_look_ahead(size_t *position, size_t nodes) {
  size_t limit = gc_min(*position + nodes, gc_ref_table_limit(&table));
  for (; *position < limit; ++*position) {
    uint32_t index = (uint32_t)*position;
    if (index == 0 || !gc_ref_table_is_linked(&table, index))
      continue;
    const struct gc_ref_node *node = node_at(index);
    if (what_it_waits_for(node))
      gc_ref_table_note(&table, index);
    else if (is_dead(node->value))
      gc_marker_mark_object(gc_team_own_marker(), (const void *)node->value);
  }
  return *position < gc_ref_table_limit(&table);
}

static bool
is_settled(const struct gc_ref_node *node) {
  if (what_it_waits_for(node))
    return false;
  if (is_dead(node->value))
    gc_marker_mark_object(gc_team_own_marker(), (const void *)node->value);
  return true;
}

size_t
gc_ephemerons_review(size_t *position, size_t nodes) {
  return gc_ref_table_review_young(&table, position, nodes, is_settled);
}
