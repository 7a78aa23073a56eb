// Soft references.  See softs.h.
#include "refs/softs.h"

#include "base/hooks.h"
#include "heap/heap.h"
#include "mark/team.h"
#include "os/limits.h"
#include "refs/links.h"
#include "refs/objects.h"

static GC_STATE uint64_t kept_ms; // [gc_lock] how long ago is lately

static size_t
free_bytes(void) {
  size_t limit_bytes = gc_heap.max_bytes ? gc_heap.max_bytes : gc_limits_memory_bytes() / 4;
  return limit_bytes - gc_min(limit_bytes, gc_heap.live_bytes);
}

void
gc_softs_begin(bool memory_is_short) {
  kept_ms = memory_is_short ? 0 : (uint64_t)(free_bytes() / GC_MIB) * gc_tunables.soft_ref_ms;
}

// The clock wraps after 49 days.
static bool
is_kept(const struct gc_ref_node *node) {
  const struct gc_weak_ref *reference = (const struct gc_weak_ref *)node->key;
  return gc_heap.now_ms - reference->got_ms < kept_ms;
}

static bool
keep(const struct gc_ref_node *node) {
  struct gc_marker *marker = gc_team_own_marker();
  if (gc_ref_state_of(marker, node->object) != GC_REF_DEAD ||
      gc_ref_state_around(marker, node->key) != GC_REF_ALIVE)
    return false;
  gc_marker_mark_object(marker, (const void *)node->object);
  return true;
}

bool
gc_softs_keep_stw(struct gc_ref_scope scope) {
  bool kept = false;
  const struct gc_ref_table *table = gc_links_table(GC_LINK_SOFT);
  size_t position = 0;
  for (uint32_t index; (index = gc_ref_scope_next(scope, table, &position)) != 0;)
    if (scope.minor || is_kept(gc_ref_table_node(table, index)))
      kept |= keep(gc_ref_table_node(table, index));
  gc_marker_drain(gc_team_own_marker(), NULL);
  gc_marker_rescan(gc_team_own_marker());
  return kept;
}

bool
gc_softs_look_ahead(size_t *position, size_t nodes) {
  const struct gc_ref_table *table = gc_links_table(GC_LINK_SOFT);
  size_t limit = gc_min(*position + nodes, gc_ref_table_limit(table));
  for (; *position < limit; ++*position) {
    uint32_t index = (uint32_t)*position;
    if (index && gc_ref_table_is_linked(table, index) && is_kept(gc_ref_table_node(table, index)))
      keep(gc_ref_table_node(table, index));
  }
  return *position < gc_ref_table_limit(table);
}
