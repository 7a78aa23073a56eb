// What the collector ought to find at the end of marking if nothing stray kept anything, slowly: the sets of
// refs/refs.h, each a closure over edges.
//
//   REACHED      from the program; through values of ephemerons whose keys are reached, and through soft
//                references if they are to be strong
//   HELD_BACK    or from what waits for its finalizer, if that minds the order
//   REFERRED_TO  or ready to be finalized, or from such: not so what is registered as unreachable only
//   KEPT         or any object with a finalizer, and what that leads to
//
// Whatever a stray word keeps makes each set larger.  So an object that is none of them by the collector's
// decision is none of them here, unless the program has reached it again since.
#pragma once

#include "reference_notes.h"

struct trail {
  uint32_t done, count;
  unsigned set;
  uint32_t from;  // where the search is
  const char *as; // and what it follows
};

static inline void
visit(struct trail *trail, uint32_t number) {
  if (number == NONE || model->nodes[number].sets & trail->set)
    return;
  model->nodes[number].sets |= trail->set;
  model->nodes[number].reached_from = trail->from;
  model->nodes[number].reached_as = trail->as;
  model->trail[trail->count++] = number;
}

static inline void
visit_edges(struct trail *trail, uint32_t number, bool ignore_self) {
  const struct node *node = &model->nodes[number];
  trail->from = number;
  trail->as = "an edge";
  for (unsigned edge = 0; edge < node->edge_count; edge++)
    if (!ignore_self || node->edges[edge] != number)
      visit(trail, node->edges[edge]);
}

static inline void
follow(struct trail *trail) {
  while (trail->done < trail->count)
    visit_edges(trail, model->trail[trail->done++], false);
}

static inline bool
is_in(uint32_t number, unsigned set) {
  return model->nodes[number].sets & set;
}

static inline bool
is_datum_in(struct datum datum, unsigned set) {
  return datum.node == NONE || is_in(datum.node, set);
}

static inline bool
is_finalizable(uint32_t number) {
  return model->nodes[number].state == HERE && model->nodes[number].finalizer.function;
}

static inline bool
is_dying(uint32_t number) {
  return is_finalizable(number) && !is_in(number, REACHED);
}

static inline bool
is_unreachable_sort(uint32_t number) {
  return model->nodes[number].finalizer.order == GC_FINALIZER_UNREACHABLE && GC_get_java_finalization();
}

// ---- Reached -------------------------------------------------------------------------------------------

static inline void
visit_root(struct trail *trail, uint32_t number, const char *as) {
  trail->from = NONE;
  trail->as = as;
  visit(trail, number);
}

static inline void
visit_roots(struct trail *trail) {
  for (unsigned i = 0; i < ROOTS; i++)
    visit_root(trail, model->roots[i], "a root");
  for (unsigned i = 0; i < model->held_count; i++)
    visit_root(trail, model->held[i], "held");
  for (unsigned i = 0; i < called.taken; i++) {
    visit_root(trail, called.calls[i].node, "finalized");
    visit_root(trail, called.calls[i].datum.node, "data of a call");
  }
  for (unsigned i = 0; i < model->waiting_count; i++) {
    visit_root(trail, model->waiting[i].node, "ready");
    visit_root(trail, model->waiting[i].finalizer.data.node, "data of what is ready");
  }
  for (unsigned i = 0; i < CLEANERS_MAX; i++)
    if (model->cleaners[i].node != NONE)
      visit_root(trail, model->cleaners[i].data.node, "data of a cleaner");
  for (uint32_t number = 0; number < model->node_limit; number++) {
    const struct node *node = &model->nodes[number];
    if (node->state != HERE)
      continue;
    if (node->finalizer.function)
      visit_root(trail, node->finalizer.data.node, "data of a finalizer");
    if (node->type == UNCOLLECTABLE || node->toggle == STRONGLY)
      visit_root(trail, number, "uncollectable or strongly toggled");
  }
}

// What a reference keeps, if it does; else NONE.
static inline uint32_t
kept_by(const struct node *node) {
  if (node->broken || !(node->sets & REACHED))
    return NONE;
  if (node->type == EPHEMERON)
    return is_datum_in(node->key, REACHED) ? node->value.node : NONE;
  return node->type == SOFT && model->soft_is_strong ? node->key.node : NONE;
}

static inline void
find_reached(void) {
  struct trail trail = {.set = REACHED};
  uint32_t before;
  visit_roots(&trail);
  do {
    follow(&trail);
    before = trail.count;
    trail.as = "the value or soft referent";
    for (uint32_t number = 0; number < model->node_limit; number++) {
      trail.from = number;
      if (model->nodes[number].state == HERE && is_reference(&model->nodes[number]))
        visit(&trail, kept_by(&model->nodes[number]));
    }
  } while (trail.count > before);
}

// ---- The others ----------------------------------------------------------------------------------------

// All that is in one set is in the next.
static inline struct trail
begin_with(unsigned smaller, unsigned set) {
  for (uint32_t number = 0; number < model->node_limit; number++)
    if (is_in(number, smaller))
      model->nodes[number].sets |= set;
  return (struct trail){.set = set};
}

static inline void
find_held_back(void) {
  struct trail trail = begin_with(REACHED, HELD_BACK);
  for (uint32_t number = 0; number < model->node_limit; number++) {
    enum GC_FinalizerOrder order = model->nodes[number].finalizer.order;
    if (is_dying(number) && order != GC_FINALIZER_NO_ORDER)
      visit_edges(&trail, number, order == GC_FINALIZER_IGNORE_SELF);
  }
  follow(&trail);
}

static inline void
find_referred_to(void) {
  struct trail trail = begin_with(HELD_BACK, REFERRED_TO);
  for (uint32_t number = 0; number < model->node_limit; number++)
    if (is_dying(number) && !is_in(number, HELD_BACK) && !is_unreachable_sort(number))
      visit_root(&trail, number, "to be ready");
  follow(&trail);
}

static inline void
find_kept(void) {
  struct trail trail = begin_with(REFERRED_TO, KEPT);
  for (uint32_t number = 0; number < model->node_limit; number++)
    if (is_dying(number))
      visit_root(&trail, number, "finalizable");
  follow(&trail);
}

static inline void
find_sets(void) {
  for (uint32_t number = 0; number < model->node_limit; number++)
    model->nodes[number].sets = 0;
  find_reached();
  find_held_back();
  find_referred_to();
  find_kept();
}

// Does its finalizer become ready?
static inline bool
is_to_be_ready(uint32_t number) {
  return is_dying(number) && !is_in(number, is_unreachable_sort(number) ? REFERRED_TO : HELD_BACK);
}
