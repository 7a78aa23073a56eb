// Places: where a pointer can be kept.  A place is a word of a root range (static data, thread-local storage,
// a stack frame, memory given to GC_add_roots) or an edge of an object.
#pragma once

#include "shadow.h"

enum { RANGES_MAX = 24, PINNED_MAX = 48, RANGE_WORDS = 24 };

struct range {
  void *volatile *words; // NULL: not in use
  bool registered;       // by GC_add_roots, in malloc memory
  struct edge edges[RANGE_WORDS];
};

struct model {
  struct shadow shadow;
  struct random random; // of the operations: their sequence depends on the seed and on nothing else
  struct range ranges[RANGES_MAX];
  uint32_t pinned[PINNED_MAX]; // live uncollectable objects
  unsigned pinned_count;
  unsigned frame_depth;   // operations nested in stack frames of their own
  unsigned disable_depth; // GC_disable not yet matched
  GC_word gc_no_disabled; // GC_get_gc_no() at the first of them
  bool alone;             // no other thread uses the collector
  size_t live_bytes_max;
  size_t total_weight; // of the operations
};

struct place {
  uint32_t owner; // an object, or NONE for a root
  unsigned range; // which range, of a root
  unsigned index; // the word or edge
};

static inline struct edge *
place_edge(struct model *model, struct place place) {
  return place.owner == NONE ? &model->ranges[place.range].edges[place.index]
                             : &model->shadow.objects[place.owner].edges[place.index];
}

static inline uint32_t
place_target(struct model *model, struct place place) {
  return place_edge(model, place)->target;
}

// Write what the shadow says to memory.
static inline void
place_write(struct model *model, struct place place) {
  if (place.owner == NONE)
    model->ranges[place.range].words[place.index] = (void *)~place_edge(model, place)->hidden;
  else
    object_write_edge(&model->shadow.objects[place.owner], place.index);
}

static inline void
place_set(struct model *model, struct place place, struct edge edge) {
  struct object *objects = model->shadow.objects;
  struct edge *old = place_edge(model, place);
  if (old->target != NONE)
    objects[old->target].references--;
  if (edge.target != NONE)
    objects[edge.target].references++;
  *old = edge;
  place_write(model, place);
}

static inline void
place_clear(struct model *model, struct place place) {
  place_set(model, place, edge_empty);
}

static inline void
place_store(struct model *model, struct place place, uint32_t target, size_t offset) {
  place_set(model, place, (struct edge){target, model->shadow.objects[target].hidden - offset});
}

// An offset that keeps the object: its start, its inside, or, from a root, just past its end.
static inline size_t
random_offset(struct model *model, const struct object *object, bool from_root) {
  size_t limit = object->near && object->bytes > NEAR_BYTES ? NEAR_BYTES : object->bytes;
  if (from_root && !object->near && random_one_in(&model->random, 6))
    return object->bytes;
  if (random_one_in(&model->random, 8))
    return limit - 1;
  return random_one_in(&model->random, 3) ? random_below(&model->random, limit) : 0;
}

static inline void
place_store_random(struct model *model, struct place place, uint32_t target) {
  const struct object *object = &model->shadow.objects[target];
  place_store(model, place, target, random_offset(model, object, place.owner == NONE));
}

static inline struct place
random_root(struct model *model) {
  unsigned range;
  do
    range = (unsigned)random_below(&model->random, RANGES_MAX);
  while (!model->ranges[range].words);
  return (struct place){NONE, range, (unsigned)random_below(&model->random, RANGE_WORDS)};
}

static inline bool
has_edges(const struct object *object) {
  return kind_is_scanned(object->kind) && object->edge_count > 0;
}

static inline struct place
random_edge_of(struct model *model, uint32_t owner) {
  unsigned count = model->shadow.objects[owner].edge_count;
  return (struct place){owner, 0, (unsigned)random_below(&model->random, count)};
}

static inline struct place
random_start(struct model *model) {
  if (model->pinned_count > 0 && random_one_in(&model->random, 8)) {
    uint32_t owner = model->pinned[random_below(&model->random, model->pinned_count)];
    if (has_edges(&model->shadow.objects[owner]))
      return random_edge_of(model, owner);
  }
  return random_root(model);
}

// A place that the program can reach: a root, or what a walk of random length from one leads to.
static inline struct place
random_place(struct model *model) {
  struct place place = random_start(model);
  while (!random_one_in(&model->random, 5)) {
    uint32_t target = place_target(model, place);
    if (target == NONE || !has_edges(&model->shadow.objects[target]))
      break;
    place = random_edge_of(model, target);
  }
  return place;
}

// A place that holds a pointer; false if a few tries found none.
static inline bool
random_full_place(struct model *model, struct place *place) {
  for (unsigned tries = 0; tries < 8; tries++) {
    *place = random_place(model);
    if (place_target(model, *place) != NONE)
      return true;
  }
  return false;
}

// ---- Root ranges ---------------------------------------------------------------------------------------

// Take `words` (all NULL) as a range; RANGES_MAX if there is no room.
static inline unsigned
range_open(struct model *model, void *volatile *words) {
  unsigned range = 0;
  while (range < RANGES_MAX && model->ranges[range].words)
    range++;
  if (range == RANGES_MAX)
    return range;
  model->ranges[range] = (struct range){.words = words};
  for (unsigned index = 0; index < RANGE_WORDS; index++)
    model->ranges[range].edges[index] = edge_empty;
  return range;
}

static inline void
range_clear(struct model *model, unsigned range) {
  for (unsigned index = 0; index < RANGE_WORDS; index++)
    place_clear(model, (struct place){NONE, range, index});
}

static inline void
range_close(struct model *model, unsigned range) {
  range_clear(model, range);
  model->ranges[range] = (struct range){0};
}

// ---- Reachability from all places ----------------------------------------------------------------------

static inline void
model_find_reachable(struct model *model) {
  struct shadow *shadow = &model->shadow;
  uint32_t queued = 0;
  shadow_unvisit(shadow);
  for (unsigned range = 0; range < RANGES_MAX; range++)
    for (unsigned index = 0; model->ranges[range].words && index < RANGE_WORDS; index++)
      shadow_visit(shadow, model->ranges[range].edges[index].target, &queued);
  for (unsigned pinned = 0; pinned < model->pinned_count; pinned++)
    shadow_visit(shadow, model->pinned[pinned], &queued);
  shadow_trace(shadow, queued);
}

// Find out which objects have died.
static inline void
model_settle(struct model *model) {
  struct shadow *shadow = &model->shadow;
  model_find_reachable(model);
  for (uint32_t number = 0; number < shadow->object_count; number++)
    if (shadow->objects[number].state == LIVE && !shadow->objects[number].visited)
      shadow_kill(shadow, &shadow->objects[number]);
}
