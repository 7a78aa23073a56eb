// Is garbage reclaimed?  After a collection each dead object that is still there must be explained: by a root
// word that meets it (one just past the end of its neighbour does, and one at the start of the next object
// keeps the one before), by another survivor that leads to it, or, for a few, by a stray word: a stale
// register or stack slot.  The strays are counted truthfully: they are the sources of the survivors' graph,
// which a depth-first search in reverse finishing order finds (Kosaraju's).
#pragma once

#include "places.h"

enum { STRAYS_MAX = 24, STACK_CLEARED_BYTES = 96 << 10 };

__attribute__((noinline)) static void
clear_stack(void) {
  volatile char dirt[STACK_CLEARED_BYTES];
  for (size_t i = 0; i < sizeof dirt; i++)
    dirt[i] = 0;
}

// A thread's cache holds slots that are its own and not yet anybody's: it gives them back when the thread
// leaves.
static inline void
empty_cache(void) {
  int error = GC_unregister_my_thread();
  MODEL_CHECK(error == GC_SUCCESS, "GC_unregister_my_thread: %d", error);
  // The stress switch refuses one call only.
  error = GC_register_my_thread(NULL);
  if (error == GC_NO_MEMORY)
    error = GC_register_my_thread(NULL);
  MODEL_CHECK(error == GC_SUCCESS, "GC_register_my_thread: %d", error);
}

static inline void
collect_thoroughly(void) {
  clear_stack();
  GC_gcollect();
  empty_cache();
  clear_stack();
  GC_gcollect();
}

static inline bool
is_survivor(struct shadow *shadow, uint32_t number) {
  return number != NONE && shadow->objects[number].state == DEAD;
}

// Which record's object a word in memory keeps, by a survivor's view of the heap.
static inline uint32_t
survivor_at(struct shadow *shadow, uintptr_t word) {
  uint32_t number = index_lookup(shadow, word);
  return is_survivor(shadow, number) ? number : NONE;
}

static inline bool
object_is_reclaimed(const struct object *object) {
  return !object->indexed || GC_base(object_address(object)) != object_address(object);
}

// While other threads allocate, a dead object's place may have become theirs: look at the contents as well.
static inline bool
object_seems_reclaimed_racy(const struct object *object) {
  size_t words = object_words(object);
  const volatile uintptr_t *memory = (uintptr_t *)object_address(object);
  if (object_is_reclaimed(object) || words <= object->edge_count)
    return true;
  for (size_t word = 1; word < words && word < SAMPLED_WORDS; word++)
    if (memory[word] == pattern_word(object->id, word))
      return false;
  return words > 1 || memory[0] != pattern_word(object->id, 0);
}

// Bury the dead that were reclaimed; those that are left are survivors.
static inline void
bury_reclaimed(struct shadow *shadow, bool (*is_reclaimed)(const struct object *object)) {
  for (uint32_t number = 0; number < shadow->object_count; number++)
    if (shadow->objects[number].state == DEAD && is_reclaimed(&shadow->objects[number]))
      shadow_bury(shadow, number);
}

static inline void
visit_survivors_from(struct shadow *shadow, uint32_t queued) {
  for (uint32_t done = 0; done < queued; done++) {
    const struct object *object = &shadow->objects[shadow->queue[done]];
    for (unsigned edge = 0; has_edges(object) && edge < object->edge_count; edge++)
      shadow_visit(shadow, survivor_at(shadow, ~object->edges[edge].hidden), &queued);
  }
}

static inline void
visit_survivors_met_by_roots(struct model *model) {
  struct shadow *shadow = &model->shadow;
  uint32_t queued = 0;
  for (unsigned range = 0; range < RANGES_MAX; range++)
    for (unsigned index = 0; model->ranges[range].words && index < RANGE_WORDS; index++) {
      uintptr_t word = ~model->ranges[range].edges[index].hidden;
      uint32_t before = index_lookup_ending_at(shadow, word);
      shadow_visit(shadow, survivor_at(shadow, word), &queued);
      shadow_visit(shadow, is_survivor(shadow, before) ? before : NONE, &queued);
    }
  visit_survivors_from(shadow, queued);
}

struct finish_order {
  uint32_t *finished, finished_count;
  struct finish_frame {
    uint32_t object;
    unsigned edge;
  } * stack;
  uint32_t depth;
};

static inline void
finish_enter(struct shadow *shadow, struct finish_order *order, uint32_t number) {
  if (number == NONE || shadow->objects[number].visited)
    return;
  shadow->objects[number].visited = true;
  order->stack[order->depth++] = (struct finish_frame){number, 0};
}

// Depth first from `number`: the objects found, in the order in which they are finished.
static inline void
finish_from(struct shadow *shadow, struct finish_order *order, uint32_t number) {
  finish_enter(shadow, order, number);
  while (order->depth > 0) {
    struct finish_frame *frame = &order->stack[order->depth - 1];
    const struct object *object = &shadow->objects[frame->object];
    if (has_edges(object) && frame->edge < object->edge_count)
      finish_enter(shadow, order, survivor_at(shadow, ~object->edges[frame->edge++].hidden));
    else
      order->finished[order->finished_count++] = order->stack[--order->depth].object;
  }
}

static inline void
finish_order_of_survivors(struct shadow *shadow, struct finish_order *order) {
  *order = (struct finish_order){.finished = shadow_array(NULL, shadow->object_count + 1, sizeof(uint32_t)),
                                 .stack = shadow_array(NULL, shadow->object_count + 1, sizeof *order->stack)};
  shadow_unvisit(shadow);
  for (uint32_t number = 0; number < shadow->object_count; number++)
    if (is_survivor(shadow, number))
      finish_from(shadow, order, number);
}

// How many stray words it takes to explain the survivors; adds up the bytes of all survivors.
static inline unsigned
count_strays(struct model *model, size_t *survivor_bytes) {
  struct shadow *shadow = &model->shadow;
  struct finish_order order;
  unsigned strays = 0;
  finish_order_of_survivors(shadow, &order);
  shadow_unvisit(shadow);
  visit_survivors_met_by_roots(model);
  for (uint32_t i = order.finished_count; i-- > 0;) {
    uint32_t number = order.finished[i], queued = 0;
    *survivor_bytes += shadow->objects[number].slot_bytes;
    strays += !shadow->objects[number].visited;
    shadow_visit(shadow, number, &queued);
    visit_survivors_from(shadow, queued);
  }
  free(order.finished);
  free(order.stack);
  return strays;
}

// Collect, and check that what died was reclaimed.
static inline void
check_reclaimed(struct model *model) {
  size_t survivor_bytes = 0;
  model_settle(model);
  uint32_t dead = model->shadow.dead_count;
  collect_thoroughly();
  bury_reclaimed(&model->shadow, object_is_reclaimed);
  unsigned strays = count_strays(model, &survivor_bytes);
  MODEL_CHECK(strays <= STRAYS_MAX,
              "%u of %u dead objects survive, which takes %u stray words to explain (at most %u)",
              model->shadow.dead_count, dead, strays, STRAYS_MAX);
}
