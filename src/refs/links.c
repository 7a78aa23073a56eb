// Links.  See links.h.
#include "refs/links.h"

#include "mark/team.h"
#include "refs/objects.h"

// key: the link.  object: what it follows.
static GC_STATE struct gc_ref_table tables[GC_LINK_SORTS];

enum gc_linked
gc_links_register(enum gc_link_sort sort, void **link, const void *object) {
  struct gc_ref_table *table = &tables[sort];
  uint32_t index = gc_ref_table_find(table, (uintptr_t)link);
  bool before = index != 0;
  if (!before) {
    if (!gc_ref_table_reserve(table))
      return GC_LINK_REFUSED;
    index = gc_ref_table_add(table, (uintptr_t)link);
  }
  gc_ref_table_node(table, index)->object = (uintptr_t)object;
  gc_ref_table_note(table, index);
  return before ? GC_LINKED_BEFORE : GC_LINKED;
}

enum gc_linked
gc_links_move(enum gc_link_sort sort, void **link, void **new_link) {
  struct gc_ref_table *table = &tables[sort];
  uint32_t index = gc_ref_table_find(table, (uintptr_t)link);
  if (!index)
    return GC_LINK_UNKNOWN;
  if (link == new_link)
    return GC_LINKED;
  if (gc_ref_table_find(table, (uintptr_t)new_link))
    return GC_LINKED_BEFORE;
  gc_ref_table_unlink(table, index);
  gc_ref_table_link(table, index, (uintptr_t)new_link);
  gc_ref_table_note(table, index);
  return GC_LINKED;
}

bool
gc_links_unregister(enum gc_link_sort sort, void **link) {
  uint32_t index = gc_ref_table_find(&tables[sort], (uintptr_t)link);
  if (index)
    gc_ref_table_remove(&tables[sort], index);
  return index != 0;
}

const struct gc_ref_table *
gc_links_table(enum gc_link_sort sort) {
  return &tables[sort];
}

size_t
gc_links_count(enum gc_link_sort sort) {
  return gc_ref_table_count(&tables[sort]);
}

size_t
gc_links_check(void) {
  size_t faults = 0;
  for (unsigned sort = 0; sort < GC_LINK_SORTS; sort++)
    faults += gc_ref_table_check(&tables[sort]);
  return faults;
}

void
gc_links_each(enum gc_link_sort sort, void (*visit)(void **link, void *object)) {
  const struct gc_ref_table *table = &tables[sort];
  size_t position = 0;
  for (uint32_t index;
       (index = gc_ref_scope_next((struct gc_ref_scope){.all = true}, table, &position)) != 0;)
    visit((void **)gc_ref_table_node(table, index)->key, (void *)gc_ref_table_node(table, index)->object);
}

// ---- At the end of marking -----------------------------------------------------------------------------

static enum gc_ref_state
state_of(const struct gc_ref_node *node) {
  return gc_ref_state_of(gc_team_own_marker(), node->object);
}

static enum gc_ref_state
state_around(const struct gc_ref_node *node) {
  return gc_ref_state_around(gc_team_own_marker(), node->key);
}

// A link in memory that is free by now may be anybody's word.  One in a dead object is cleared, since that
// may live once more for its finalizer.
bool
gc_links_clear_stw(enum gc_link_sort sort, struct gc_ref_scope scope) {
  struct gc_ref_table *table = &tables[sort];
  size_t position = 0;
  bool some_lie_in_dead = false;
  for (uint32_t index; (index = gc_ref_scope_next(scope, table, &position)) != 0;) {
    struct gc_ref_node *node = gc_ref_table_node(table, index);
    enum gc_ref_state around = state_around(node);
    if (state_of(node) == GC_REF_ALIVE) {
      some_lie_in_dead |= around != GC_REF_ALIVE;
      continue;
    }
    if (around != GC_REF_GONE)
      gc_ref_store((uintptr_t *)node->key, 0);
    gc_ref_table_remove(table, index);
  }
  return some_lie_in_dead;
}

void
gc_links_forget_stw(enum gc_link_sort sort, struct gc_ref_scope scope) {
  struct gc_ref_table *table = &tables[sort];
  size_t position = 0;
  for (uint32_t index; (index = gc_ref_scope_next(scope, table, &position)) != 0;)
    if (state_around(gc_ref_table_node(table, index)) != GC_REF_ALIVE)
      gc_ref_table_remove(table, index);
}

void
gc_links_end_stw(void) {
  for (unsigned sort = 0; sort < GC_LINK_SORTS; sort++) {
    gc_ref_table_forget_young(&tables[sort]);
    gc_ref_table_contract(&tables[sort]);
  }
}

static bool
is_settled(const struct gc_ref_node *node) {
  return state_of(node) == GC_REF_ALIVE && state_around(node) == GC_REF_ALIVE;
}

bool
gc_links_look_ahead(enum gc_link_sort sort, size_t *position, size_t nodes) {
  struct gc_ref_table *table = &tables[sort];
  size_t limit = gc_min(*position + nodes, gc_ref_table_limit(table));
  for (; *position < limit; ++*position) {
    uint32_t index = (uint32_t)*position;
    if (index == 0 || !gc_ref_table_is_linked(table, index))
      continue;
    const struct gc_ref_node *node = gc_ref_table_node(table, index);
    if (!is_settled(node))
      gc_ref_table_note(table, index);
  }
  return *position < gc_ref_table_limit(table);
}

size_t
gc_links_review(enum gc_link_sort sort, size_t *position, size_t nodes) {
  return gc_ref_table_review_young(&tables[sort], position, nodes, is_settled);
}
