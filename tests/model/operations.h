// The operations of the model: each does one thing to the heap and the same to the shadow, and checks what
// the collector answers.
#pragma once

#include <errno.h>

#include "survivors.h"

enum { FRAMES_MAX = 5, LIVE_MAX = 4000, DEATHS_MAX = 5000 };

struct operation {
  const char *name;
  void (*function)(struct model *model);
  unsigned weight;
};

static void run_operations(struct model *model, unsigned long count);

// ---- Allocation ----------------------------------------------------------------------------------------

enum way { PLAIN, IGNORE_OFF_PAGE, MEMALIGN, POSIX_MEMALIGN, STRDUP, STRNDUP };

struct request {
  enum kind kind;
  enum way way;
  size_t bytes;
  size_t alignment;
};

static inline enum kind
random_kind(struct model *model) {
  size_t roll = random_below(&model->random, 32);
  if (roll == 0 && model->pinned_count < PINNED_MAX)
    return UNCOLLECTABLE;
  if (roll == 1 && model->pinned_count < PINNED_MAX)
    return ATOMIC_UNCOLLECTABLE;
  return roll < 10 ? ATOMIC : NORMAL;
}

static inline size_t
random_bytes(struct model *model) {
  bool full = model->shadow.live_bytes > model->live_bytes_max;
  size_t bytes = random_size(&model->random, full ? 256 : (size_t)16 << 20);
  // A third fills its slot to the end, so that the end is the next slot's start.
  return random_one_in(&model->random, 3) ? (bytes + 15) & ~(size_t)15 : bytes;
}

static inline struct request
random_request(struct model *model) {
  static const enum way ways[2][8] = {
      [NORMAL] = {PLAIN, PLAIN, PLAIN, PLAIN, PLAIN, IGNORE_OFF_PAGE, MEMALIGN, POSIX_MEMALIGN},
      [ATOMIC] = {PLAIN, PLAIN, PLAIN, PLAIN, PLAIN, IGNORE_OFF_PAGE, STRDUP, STRNDUP}};
  struct request request = {.kind = random_kind(model), .bytes = random_bytes(model)};
  size_t roll = random_below(&model->random, 8), shift = random_below(&model->random, 15);
  request.alignment = sizeof(void *) << (shift > 10 && !random_one_in(&model->random, 8) ? 3 : shift);
  request.way = kind_is_pinned(request.kind) ? PLAIN : ways[request.kind][roll];
  return request;
}

static inline void *
allocate_string(const struct request *request) {
  char *string = malloc(request->bytes + 8);
  MODEL_CHECK(string, "out of malloc memory for a string");
  memset(string, 'x', request->bytes + 7);
  string[request->way == STRDUP ? request->bytes - 1 : request->bytes + 7] = '\0';
  char *copy = request->way == STRDUP ? GC_strdup(string) : GC_strndup(string, request->bytes - 1);
  MODEL_CHECK(!copy || (strlen(copy) == request->bytes - 1 && copy[strspn(copy, "x")] == '\0'),
              "a string of %zu bytes was copied wrongly", request->bytes - 1);
  free(string);
  return copy;
}

static inline void *
allocate_aligned(const struct request *request) {
  void *untouched = (void *)request, *object = untouched;
  if (request->way == MEMALIGN)
    return GC_memalign(request->alignment, request->bytes);
  int error = GC_posix_memalign(&object, request->alignment, request->bytes);
  MODEL_CHECK(error == 0 || (error == ENOMEM && object == untouched),
              "GC_posix_memalign: error %d and object %p", error, object);
  return error ? NULL : object;
}

static inline void *
allocate_plain(enum kind kind, size_t bytes) {
  switch (kind) {
  case NORMAL:
    return GC_malloc(bytes);
  case ATOMIC:
    return GC_malloc_atomic(bytes);
  case UNCOLLECTABLE:
    return GC_malloc_uncollectable(bytes);
  case ATOMIC_UNCOLLECTABLE:
    return GC_malloc_atomic_uncollectable(bytes);
  }
  return NULL;
}

static inline void *
allocate(const struct request *request) {
  switch (request->way) {
  case PLAIN:
    break;
  case IGNORE_OFF_PAGE:
    return request->kind == NORMAL ? GC_malloc_ignore_off_page(request->bytes)
                                   : GC_malloc_atomic_ignore_off_page(request->bytes);
  case MEMALIGN:
  case POSIX_MEMALIGN:
    return allocate_aligned(request);
  case STRDUP:
  case STRNDUP:
    return allocate_string(request);
  }
  return allocate_plain(request->kind, request->bytes);
}

static inline void
check_zero(const char *memory, size_t from, size_t to) {
  for (size_t byte = from; byte < to; byte++)
    MODEL_CHECK(memory[byte] == 0, "byte %zu of %p, which is to be %zu long, is not zero", byte,
                (const void *)memory, to);
}

// No live object may lie in [address, address + bytes); dead ones there were reclaimed.
static inline void
check_no_overlap(struct model *model, const char *address, size_t bytes) {
  struct shadow *shadow = &model->shadow;
  bool searched = false;
  for (;;) {
    uint32_t at = index_find(shadow, (uintptr_t)address + bytes - 1);
    uint32_t number = at < shadow->index_count ? shadow->index[at].object : NONE;
    struct object *object = number == NONE ? NULL : &shadow->objects[number];
    if (!object || object_address(object) + object->slot_bytes <= address)
      return;
    if (object->state == LIVE && !searched)
      model_find_reachable(model);
    searched |= object->state == LIVE;
    if (object->state == LIVE && object->visited)
      object_fail(object, "a new object overlaps it");
    index_remove(shadow, number);
  }
}

static inline void
check_new(struct model *model, char *object, size_t bytes, size_t alignment, enum kind kind) {
  size_t slot_bytes = GC_size(object);
  size_t inside = random_below(&model->random, bytes);
  MODEL_CHECK((uintptr_t)object % alignment == 0, "new object %p is not aligned to %zu", (void *)object,
              alignment);
  MODEL_CHECK(slot_bytes >= bytes, "GC_size of %p is %zu, asked for %zu", (void *)object, slot_bytes, bytes);
  MODEL_CHECK(GC_base(object + inside) == object, "GC_base(%p + %zu) is %p", (void *)object, inside,
              GC_base(object + inside));
  MODEL_CHECK(GC_is_heap_ptr(object + inside), "%p + %zu is no heap pointer", (void *)object, inside);
  check_no_overlap(model, object, slot_bytes);
  if (kind_is_scanned(kind))
    check_zero(object, 0, slot_bytes);
}

// Give a new object its edges: none, or a few; decoys if it is pointer-free.
static inline void
draw_edges(struct model *model, struct object *object) {
  size_t words = object_words(object), limit = words < EDGES_MAX ? words : EDGES_MAX;
  object->edge_count = (unsigned)random_between(&model->random, 0, limit);
  for (unsigned edge = 0; !kind_is_scanned(object->kind) && edge < object->edge_count; edge++) {
    uint32_t decoy = (uint32_t)random_below(&model->random, model->shadow.object_count);
    object->edges[edge].hidden = model->shadow.objects[decoy].hidden;
  }
}

// Take an object that the collector gave into the model; it must be stored before the next operation, or it
// is garbage.
static inline uint32_t
adopt(struct model *model, char *address, size_t bytes, enum kind kind) {
  uint32_t number = shadow_add(&model->shadow, address, bytes, kind);
  struct object *object = &model->shadow.objects[number];
  draw_edges(model, object);
  object_fill(object);
  if (kind_is_pinned(kind))
    model->pinned[model->pinned_count++] = number;
  return number;
}

static inline void
note_refusal(void) {
  __atomic_add_fetch(&progress->failures, 1, __ATOMIC_RELAXED);
}

static inline void
operate_allocate(struct model *model) {
  struct request request = random_request(model);
  bool aligned = request.way == MEMALIGN || request.way == POSIX_MEMALIGN;
  char *object = allocate(&request);
  if (!object) {
    note_refusal();
    return;
  }
  check_new(model, object, request.bytes, aligned && request.alignment > 16 ? request.alignment : 16,
            request.kind);
  uint32_t number = adopt(model, object, request.bytes, request.kind);
  model->shadow.objects[number].near = request.way == IGNORE_OFF_PAGE;
  if (!random_one_in(&model->random, 6))
    place_store_random(model, random_place(model), number);
  GC_reachable_here(object);
}

static inline void
operate_allocate_many(struct model *model) {
  size_t bytes = random_size(&model->random, 2000), wanted = random_between(&model->random, 1, 20);
  bytes = bytes < sizeof(void *) ? sizeof(void *) : bytes;
  char *list = GC_malloc_many(bytes);
  if (!list)
    note_refusal();
  // All are the model's: one that it did not know might be taken for a dead one that was there before.
  for (size_t taken = 0; list; taken++) {
    char *object = list;
    list = GC_NEXT(object);
    GC_NEXT(object) = NULL;
    check_new(model, object, bytes, 16, NORMAL);
    uint32_t number = adopt(model, object, bytes, NORMAL);
    if (taken < wanted)
      place_store_random(model, random_place(model), number);
    GC_reachable_here(object);
  }
}

// ---- Pointers ------------------------------------------------------------------------------------------

static inline void
operate_link(struct model *model) {
  struct place from, to = random_place(model);
  if (random_full_place(model, &from))
    place_store_random(model, to, place_target(model, from));
}

static inline void
operate_clear(struct model *model) {
  place_clear(model, random_place(model));
}

// Drop a lot at once.
static inline void
operate_forget(struct model *model) {
  unsigned range = random_root(model).range;
  range_clear(model, range);
}

// ---- Giving back and changing --------------------------------------------------------------------------

static inline void
operate_free(struct model *model) {
  struct place place;
  if (!random_full_place(model, &place))
    return;
  uint32_t number = place_target(model, place);
  const struct object *object = &model->shadow.objects[number];
  if (object->references != 1 || kind_is_pinned(object->kind))
    return;
  object_check(object, failure_operation);
  void *volatile address = object_address(object); // seen by a collection that another thread starts
  place_clear(model, place);
  GC_free(address);
  shadow_remove(&model->shadow, number);
}

static inline void
operate_free_pinned(struct model *model) {
  if (model->pinned_count == 0)
    return;
  unsigned chosen = (unsigned)random_below(&model->random, model->pinned_count);
  uint32_t number = model->pinned[chosen];
  const struct object *object = &model->shadow.objects[number];
  if (object->references > 0)
    return;
  object_check(object, failure_operation);
  model->pinned[chosen] = model->pinned[--model->pinned_count];
  GC_free(object_address(object));
  shadow_remove(&model->shadow, number);
}

static inline void
operate_free_new(struct model *model) {
  struct request request = random_request(model);
  char *object = allocate(&request);
  if (object)
    memset(object, 0xaa, request.bytes);
  GC_free(object);
}

// What was kept of an object that was `before` and is now at `moved`, `bytes` long.
static inline void
check_moved(const struct object *before, const char *moved, size_t bytes) {
  size_t kept = bytes < before->bytes ? bytes : before->bytes;
  object_check_words(before, moved, 0, kept / sizeof(uintptr_t));
  if (bytes >= before->bytes)
    object_check_tail(before, moved);
  if (kind_is_scanned(before->kind) && bytes > before->bytes)
    check_zero(moved, before->bytes, bytes);
}

// The edges that an object keeps at its new size.
static inline void
trim_edges(struct model *model, uint32_t number, size_t bytes) {
  struct object *object = &model->shadow.objects[number];
  while (object->edge_count > bytes / sizeof(uintptr_t)) {
    struct edge *edge = &object->edges[--object->edge_count];
    if (edge->target != NONE)
      model->shadow.objects[edge->target].references--;
    *edge = edge_empty;
  }
}

// `place` (NULL for a pinned object) is the only reference.  What the edges lead to is held while they are
// moved.
static inline void
resize(struct model *model, uint32_t number, struct place *place) {
  struct shadow *shadow = &model->shadow;
  struct object *object = &shadow->objects[number];
  size_t bytes = random_one_in(&model->random, 2) ? random_bytes(model)
                                                  : random_between(&model->random, 1, object->bytes + 64);
  uintptr_t held[EDGES_MAX];
  for (unsigned edge = 0; edge < EDGES_MAX; edge++)
    held[edge] = ~object->edges[edge].hidden;
  GC_reachable_here(&held);
  char *moved = GC_realloc(object_address(object), bytes);
  if (!moved) {
    note_refusal();
    return;
  }
  check_moved(object, moved, bytes);
  index_remove(shadow, number);
  check_no_overlap(model, moved, GC_size(moved));
  trim_edges(model, number, bytes);
  shadow->live_bytes += bytes - object->bytes;
  object->hidden = ~(uintptr_t)moved;
  object->bytes = bytes;
  object->moved = failure_operation;
  object->slot_bytes = GC_size(moved);
  index_insert(shadow, number);
  object_fill(object);
  if (place)
    place_store_random(model, *place, number);
  GC_reachable_here(moved);
  GC_reachable_here(&held);
}

static inline void
operate_realloc(struct model *model) {
  struct place place;
  if (!random_full_place(model, &place))
    return;
  uint32_t number = place_target(model, place);
  const struct object *object = &model->shadow.objects[number];
  if (object->references != 1 || kind_is_pinned(object->kind))
    return;
  resize(model, number, &place);
}

static inline void
operate_realloc_pinned(struct model *model) {
  if (model->pinned_count == 0)
    return;
  uint32_t number = model->pinned[random_below(&model->random, model->pinned_count)];
  if (model->shadow.objects[number].references == 0)
    resize(model, number, NULL);
}

// ---- Roots ---------------------------------------------------------------------------------------------

static inline void
operate_add_roots(struct model *model) {
  void *volatile *words = calloc(RANGE_WORDS, sizeof *words);
  MODEL_CHECK(words, "out of malloc memory for roots");
  unsigned range = range_open(model, words);
  if (range == RANGES_MAX) {
    free((void *)words);
    return;
  }
  model->ranges[range].registered = true;
  GC_add_roots((void *)words, (void *)(words + RANGE_WORDS));
}

static inline void
range_unregister(struct model *model, unsigned range) {
  void **words = (void **)model->ranges[range].words;
  range_close(model, range);
  GC_remove_roots(words, words + RANGE_WORDS);
  free(words);
}

static inline void
operate_remove_roots(struct model *model) {
  unsigned range = random_root(model).range;
  if (model->ranges[range].registered)
    range_unregister(model, range);
}

// Some operations deeper in the stack, with roots in a frame of their own.
__attribute__((noinline)) static void
operate_nest(struct model *model) {
  void *volatile words[RANGE_WORDS] = {NULL};
  if (model->frame_depth == FRAMES_MAX)
    return;
  unsigned range = range_open(model, words);
  if (range == RANGES_MAX)
    return;
  model->frame_depth++;
  run_operations(model, random_between(&model->random, 1, 60));
  model->frame_depth--;
  range_close(model, range);
}

// ---- Collecting ----------------------------------------------------------------------------------------

static inline void
operate_collect(struct model *model) {
  (void)model;
  GC_gcollect();
}

static __thread unsigned stop_after;

static inline int
stop_now(void) {
  return stop_after-- == 0;
}

static inline void
operate_try_to_collect(struct model *model) {
  stop_after = (unsigned)random_below(&model->random, 6);
  int finished = GC_try_to_collect(stop_now);
  MODEL_CHECK(finished == 0 || finished == 1, "GC_try_to_collect returned %d", finished);
  MODEL_CHECK(!finished || model->disable_depth == 0,
              "GC_try_to_collect collected though collection is disabled");
}

static inline void
operate_disable(struct model *model) {
  if (model->disable_depth == 3)
    return;
  GC_disable();
  if (model->disable_depth++ == 0)
    model->gc_no_disabled = GC_get_gc_no();
}

static inline void
operate_enable(struct model *model) {
  if (model->disable_depth == 0)
    return;
  MODEL_CHECK(!model->alone || GC_get_gc_no() == model->gc_no_disabled,
              "a collection ran though collection was disabled");
  model->disable_depth--;
  GC_enable();
}

static inline void
enable_fully(struct model *model) {
  while (model->disable_depth > 0)
    operate_enable(model);
}

static inline void
operate_expand(struct model *model) {
  size_t bytes = random_size(&model->random, 1 << 20), heap_bytes = GC_get_heap_size();
  if (heap_bytes > 256u << 20)
    return;
  if (!GC_expand_hp(bytes))
    note_refusal();
}

// ---- Checking ------------------------------------------------------------------------------------------

static inline void
operate_verify(struct model *model) {
  (void)model;
  size_t faults = gc_verify();
  MODEL_CHECK(faults == 0, "gc_verify found %zu faults", faults);
}

// Say which words ought to have kept an object.
static inline void
print_references(struct model *model, uint32_t number) {
  uintptr_t start = ~model->shadow.objects[number].hidden;
  for (unsigned range = 0; range < RANGES_MAX; range++)
    for (unsigned index = 0; model->ranges[range].words && index < RANGE_WORDS; index++)
      if (model->ranges[range].edges[index].target == number)
        printf("# kept by word %u of range %u (%s) at %p: start + %zu\n", index, range,
               model->ranges[range].registered ? "registered"
               : range < 3                     ? "fixed"
                                               : "frame",
               (const void *)&model->ranges[range].words[index],
               (size_t)(~model->ranges[range].edges[index].hidden - start));
  for (uint32_t owner = 0; owner < model->shadow.object_count; owner++) {
    const struct object *object = &model->shadow.objects[owner];
    for (unsigned edge = 0; object->state == LIVE && edge < object->edge_count; edge++)
      if (object->edges[edge].target == number)
        printf("# kept by edge %u of the %s object of %zu bytes at %p (number %lu, allocated by operation "
               "%lu): start + %zu\n",
               edge, kind_names[object->kind], object->bytes, (void *)object_address(object),
               (unsigned long)object->id, object->born, (size_t)(~object->edges[edge].hidden - start));
  }
}

static inline void
check_live(struct model *model, uint32_t number) {
  const struct object *object = &model->shadow.objects[number];
  if (GC_base(object_address(object)) != object_address(object))
    print_references(model, number);
  object_check(object, failure_operation);
}

static inline void
operate_check(struct model *model) {
  struct shadow *shadow = &model->shadow;
  model_settle(model);
  for (uint32_t number = 0; number < shadow->object_count; number++)
    if (shadow->objects[number].state == LIVE)
      check_live(model, number);
  if (shadow->live_count > LIVE_MAX)
    operate_forget(model);
}

static inline void
operate_check_reclaimed(struct model *model) {
  if (model->frame_depth > 0)
    return;
  if (model->alone) {
    enable_fully(model);
    check_reclaimed(model);
  } else {
    model_settle(model);
    bury_reclaimed(&model->shadow, object_seems_reclaimed_racy);
  }
  model->shadow.deaths = 0;
}

// ---- Running them --------------------------------------------------------------------------------------

static const struct operation operations[] = {
    {"allocate", operate_allocate, 4000},
    {"allocate many", operate_allocate_many, 100},
    {"link", operate_link, 1500},
    {"clear", operate_clear, 400},
    {"forget", operate_forget, 10},
    {"free", operate_free, 400},
    {"free pinned", operate_free_pinned, 150},
    {"free new", operate_free_new, 100},
    {"realloc", operate_realloc, 300},
    {"realloc pinned", operate_realloc_pinned, 50},
    {"add roots", operate_add_roots, 30},
    {"remove roots", operate_remove_roots, 100},
    {"nest", operate_nest, 50},
    {"collect", operate_collect, 10},
    {"try to collect", operate_try_to_collect, 5},
    {"disable", operate_disable, 5},
    {"enable", operate_enable, 25},
    {"expand", operate_expand, 5},
    {"verify", operate_verify, 2},
    {"check", operate_check, 20},
    {"check reclaimed", operate_check_reclaimed, 2},
};

static inline size_t
total_weight(void) {
  size_t total = 0;
  for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++)
    total += operations[i].weight;
  return total;
}

static inline const struct operation *
random_operation(struct model *model) {
  size_t roll = random_below(&model->random, model->total_weight);
  const struct operation *operation = operations;
  while (roll >= operation->weight)
    roll -= operation++->weight;
  return operation;
}

static inline void
run_operation(struct model *model, const struct operation *operation) {
  failure_operation++;
  failure_name = operation->name;
  operation->function(model);
  __atomic_add_fetch(&progress->operations, 1, __ATOMIC_RELAXED);
}

static void
run_operations(struct model *model, unsigned long count) {
  static const struct operation bury = {"check reclaimed", operate_check_reclaimed, 0};
  for (unsigned long i = 0; i < count; i++) {
    run_operation(model, random_operation(model));
    if (model->shadow.deaths > DEATHS_MAX && model->frame_depth == 0)
      run_operation(model, &bury);
  }
}

// ---- A model's beginning and end -----------------------------------------------------------------------

static inline void
model_begin(struct model *model, uint64_t seed, bool alone) {
  *model = (struct model){
      .random = {seed}, .alone = alone, .live_bytes_max = (size_t)32 << 20, .total_weight = total_weight()};
}

// Drop every root, so that nothing is reachable, and give back what is uncollectable.
static inline void
model_drop(struct model *model) {
  enable_fully(model);
  for (unsigned range = 0; range < RANGES_MAX; range++)
    if (model->ranges[range].registered)
      range_unregister(model, range);
    else if (model->ranges[range].words)
      range_close(model, range);
  for (unsigned pinned = 0; pinned < model->pinned_count; pinned++) {
    object_check(&model->shadow.objects[model->pinned[pinned]], pinned);
    GC_free(object_address(&model->shadow.objects[model->pinned[pinned]]));
  }
  while (model->pinned_count > 0)
    shadow_remove(&model->shadow, model->pinned[--model->pinned_count]);
  model_settle(model);
}
