// References at the end of a cycle.  See refs.h.
#include "refs/refs.h"

#include <string.h>

#include "base/check.h"
#include "base/lock.h"
#include "heap/kinds.h"
#include "mark/team.h"
#include "refs/ephemerons.h"
#include "refs/finalizers.h"
#include "refs/links.h"
#include "refs/queues.h"
#include "refs/run.h"
#include "refs/softs.h"
#include "refs/toggles.h"

void
gc_refs_prepare(bool memory_is_short) {
  gc_lock_acquire(&gc_lock);
  gc_toggles_ask(gc_run_settings.toggle);
  gc_softs_begin(memory_is_short);
  gc_lock_release(&gc_lock);
}

bool
gc_refs_roots_stw(struct gc_range_array *roots) {
  return gc_queues_roots_stw(roots) && gc_toggles_roots_stw(roots);
}

static void
ask_program(void) {
  struct gc_marker *marker = gc_team_own_marker();
  while (gc_on_mark_stack_empty && gc_marker_ask(marker, gc_on_mark_stack_empty)) {
    gc_marker_drain(marker, NULL);
    gc_marker_rescan(marker);
  }
}

void
gc_refs_settle_stw(bool all, bool minor) {
  struct gc_ref_scope scope = {.all = all, .minor = minor};
  ask_program();
  gc_softs_keep_stw(scope);
  gc_ephemerons_settle_stw(scope);
  while (gc_softs_keep_stw(scope)) // those that only values lead to
    gc_ephemerons_settle_again_stw();
  gc_ephemerons_break_stw();
  bool soft = gc_links_clear_stw(GC_LINK_SOFT, scope), ordinary = gc_links_clear_stw(GC_LINK_ORDINARY, scope);
  gc_finalizers_settle_stw(scope);
  if (soft)
    gc_links_forget_stw(GC_LINK_SOFT, scope);
  if (ordinary)
    gc_links_forget_stw(GC_LINK_ORDINARY, scope);
  gc_toggles_settle_stw();
  if (gc_links_clear_stw(GC_LINK_LONG, scope))
    gc_links_forget_stw(GC_LINK_LONG, scope);
  gc_finalizers_settle_cleaners_stw(scope);
  gc_links_end_stw();
  gc_queues_remind();
}

// ---- Looking ahead -------------------------------------------------------------------------------------

// First all registrations, then those that are young by then: what has been made since the cycle began is
// young, and most of its objects that live are marked by then.
//
// Tables one after the other.
enum { SOFTS, EPHEMERONS, LINKS, FINALIZERS = LINKS + GC_LINK_SORTS, TABLES };

enum {
  // A round that has marked values or what soft references keep is followed by another one, since that may
  // be keys; but chains of ephemerons are the pause's.
  ROUNDS_MAX = 8,
  // A review is followed by another one if there were more young registrations, which came meanwhile.
  REVIEWS_MAX = 16,
  LITTLE_NODES = 4096,          // for which the pause takes 0.2 ms
  NODES_AT_ONCE = 1024,         // some 0.1 ms, for which others wait
  NODES_SKIPPED_AT_ONCE = 16384 // in as much, for which nobody does
};

static GC_STATE struct {
  unsigned round, review, table; // review 0: not yet
  size_t position;
  size_t reviewed[TABLES]; // positions in the lists of young nodes
  size_t seen;             // in this review
  bool marked;             // something in this round
} ahead;                   // [gc_cycle_lock]

static void
begin_round(unsigned round) {
  ahead.round = round;
  ahead.table = 0;
  ahead.position = 0;
  ahead.marked = false;
}

static void
begin_review(unsigned review) {
  ahead.review = review;
  ahead.table = EPHEMERONS;
  ahead.seen = 0;
}

void
gc_refs_begin_to_look_ahead(void) {
  begin_round(1);
  ahead.review = 0;
  memset(ahead.reviewed, 0, sizeof ahead.reviewed);
}

static bool
look_in_table(size_t nodes) {
  switch (ahead.table) {
  case SOFTS:
    return gc_softs_look_ahead(&ahead.position, nodes);
  case EPHEMERONS:
    return gc_ephemerons_look_ahead(&ahead.position, nodes);
  case FINALIZERS:
    return gc_finalizers_look_ahead(&ahead.position, nodes);
  default:
    return gc_links_look_ahead((enum gc_link_sort)(ahead.table - LINKS), &ahead.position, nodes);
  }
}

static bool
look_at_some(void) {
  const struct gc_mark_stack *stack = &gc_team_own_marker()->stack;
  if (ahead.table == FINALIZERS)
    ahead.position = gc_finalizers_skip_ahead(ahead.position, NODES_SKIPPED_AT_ONCE);
  gc_lock_acquire(&gc_lock);
  bool more = look_in_table(NODES_AT_ONCE);
  gc_lock_release(&gc_lock);
  ahead.marked |= stack->top != stack->base;
  return more;
}

static size_t
review_in_table(size_t nodes) {
  size_t *position = &ahead.reviewed[ahead.table];
  switch (ahead.table) {
  case EPHEMERONS:
    return gc_ephemerons_review(position, nodes);
  case FINALIZERS:
    return gc_finalizers_review(position, nodes);
  default:
    return gc_links_review((enum gc_link_sort)(ahead.table - LINKS), position, nodes);
  }
}

static bool
review_some(void) {
  gc_lock_acquire(&gc_lock);
  size_t nodes = review_in_table(NODES_AT_ONCE);
  gc_lock_release(&gc_lock);
  ahead.seen += nodes;
  return nodes >= NODES_AT_ONCE;
}

static bool
review(void) {
  if (review_some())
    return true;
  ahead.table++;
  if (ahead.table < TABLES)
    return true;
  if (ahead.seen <= LITTLE_NODES || ahead.review == REVIEWS_MAX)
    return false;
  begin_review(ahead.review + 1);
  return true;
}

bool
gc_refs_look_ahead(void) {
  if (ahead.review > 0)
    return review();
  if (look_at_some())
    return true;
  ahead.table++;
  ahead.position = 0;
  if (ahead.table < TABLES)
    return true;
  if (!ahead.marked || ahead.round == ROUNDS_MAX)
    begin_review(1);
  else
    begin_round(ahead.round + 1);
  return true;
}

size_t
gc_refs_check(void) {
  size_t faults = gc_finalizers_check() + gc_links_check() + gc_ephemerons_check();
  if (faults > 0)
    gc_log("verify: refs-found violated: %zu registrations are not where they belong", faults);
  return faults;
}
