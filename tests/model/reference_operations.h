// The operations of the model of references: each does one thing to the collector's objects and the same to
// the model, and checks what the collector answers.  Whatever an operation works on is held until its end.
#pragma once

#include "reference_events.h"

enum { UNCOLLECTABLE_MAX = 20 };

// ---- Looking -------------------------------------------------------------------------------------------

static inline void
note_refusal(void) {
  __atomic_add_fetch(&progress->failures, 1, __ATOMIC_RELAXED);
}

static inline bool
may_be_refused(void) {
  return getenv("LOAM_STRESS_FAIL_OS") != NULL;
}

// Look, and leave collections disabled, so that nothing changes until look_away().
static inline void
look_closely(void) {
  GC_disable();
  look();
}

static inline void
look_away(void) {
  GC_enable();
}

static void register_some_finalizer(uint32_t number);

// What becomes of an object after its finalizer: it is dropped, stored somewhere, or finalizable again.
static inline void
decide_about(uint32_t number) {
  if (number == NONE || one_in(2))
    return;
  hold(number);
  if (one_in(2))
    register_some_finalizer(number);
  if (one_in(2))
    store(random_place(), number);
}

static inline void
observe(void) {
  static bool within;
  look_closely();
  look_away();
  if (within) // what is done about calls allocates
    return;
  within = true;
  unsigned call_count = called.taken;
  for (unsigned i = 0; i < call_count; i++)
    decide_about(called.calls[i].node);
  drop_calls(call_count);
  within = false;
}

// ---- Allocation ----------------------------------------------------------------------------------------

// Take an object into the model.  If its place was another's, that must have been dead.
static inline uint32_t
adopt(void *address, enum type type, size_t bytes) {
  uint32_t before = find_node(address);
  if (before != NONE) {
    model->nodes[before].reused = true;
    observe();
    MODEL_CHECK(find_node(address) == NONE, "%p is given away twice", address);
  }
  return add_node(address, type, bytes);
}

static inline size_t
random_word_count(void) {
  static const size_t counts[] = {2, 3, 4, 4, 5, 6, 6, 7, 8, 8, 13, 16, 20, 40, 200, 400};
  return one_in(400) ? 20000 : counts[below(sizeof counts / sizeof counts[0])];
}

static inline void *
allocate_memory(enum type type, size_t bytes) {
  return type == PLAIN    ? GC_malloc(bytes)
         : type == ATOMIC ? GC_malloc_atomic(bytes)
                          : GC_malloc_uncollectable(bytes);
}

// An object whose edges are empty.  NONE if memory is refused.
static inline uint32_t
new_object(enum type type) {
  size_t words = random_word_count(), bytes = words * sizeof(uintptr_t) + (one_in(2) ? 0 : below(8));
  void *address = allocate_memory(type, bytes);
  if (!address) {
    note_refusal();
    return NONE;
  }
  uint32_t number = adopt(address, type, bytes);
  struct node *node = &model->nodes[number];
  size_t room = words - FIRST_EDGE;
  node->edge_count = has_edges(node) ? (unsigned)below((room < EDGES_MAX ? room : EDGES_MAX) + 1) : 0;
  room -= node->edge_count;
  node->link_count = (unsigned)(room < NODE_LINKS_MAX ? room : NODE_LINKS_MAX);
  fill_node(number);
  hold(number);
  GC_reachable_here(address);
  return number;
}

// A new object, stored somewhere.
static inline uint32_t
new_stored_object(enum type type) {
  uint32_t number = new_object(type);
  if (number != NONE)
    store(random_place(), number);
  return number;
}

static inline void
operate_allocate(void) {
  enum type type = one_in(3) ? ATOMIC : PLAIN;
  new_stored_object(type);
}

static inline unsigned
count_of_type(enum type type) {
  unsigned found = 0;
  for (uint32_t number = 0; number < model->node_limit; number++)
    found += model->nodes[number].state == HERE && model->nodes[number].type == type;
  return found;
}

static inline void
operate_allocate_uncollectable(void) {
  if (count_of_type(UNCOLLECTABLE) < UNCOLLECTABLE_MAX)
    new_stored_object(UNCOLLECTABLE);
}

// What nobody has in the model, so that cycles become due.
static inline void
operate_waste(void) {
  size_t bytes = 100 + below(2000);
  for (size_t left = below(256 << 10); left > bytes; left -= bytes)
    GC_reachable_here(GC_malloc(bytes));
}

// ---- References ----------------------------------------------------------------------------------------

// What refers weakly to `key` is an object itself; it is stored somewhere, or not at all.
static inline uint32_t
adopt_reference(void *address, enum type type, struct datum key, struct datum value) {
  if (!address) {
    note_refusal();
    return NONE;
  }
  uint32_t number = adopt(address, type, 2 * sizeof(uintptr_t));
  model->nodes[number].key = key;
  model->nodes[number].value = value;
  hold(number);
  GC_reachable_here(address);
  return number;
}

static inline uint32_t
new_reference(enum type type, uint32_t target) {
  void *object = address_of(target), *address = NULL;
  switch (type) {
  case WEAK:
    address = GC_weak_ref_new(object);
    break;
  case LONG:
    address = GC_long_ref_new(object);
    break;
  default:
    address = GC_soft_ref_new(object);
  }
  uint32_t number = adopt_reference(address, type, datum_of_node(target), datum_of_number(0));
  GC_reachable_here(object);
  return number;
}

static inline uint32_t
new_ephemeron(struct datum key, struct datum value) {
  void *address = GC_ephemeron_new((void *)word_of_datum(key), (void *)word_of_datum(value));
  return adopt_reference(address, EPHEMERON, key, value);
}

static inline void
operate_refer(void) {
  uint32_t target = random_node();
  if (target == NONE)
    return;
  uint32_t number = new_reference((enum type)(WEAK + below(3)), target);
  if (number != NONE && !one_in(4))
    store(random_place(), number);
}

static inline struct datum
random_datum(void) {
  uint32_t number = one_in(8) ? NONE : random_node();
  return number == NONE ? datum_of_number(one_in(2) ? 0 : 2 * below(1000) + 1) : datum_of_node(number);
}

static inline void
operate_pair(void) {
  struct datum key = random_datum(), value = random_datum();
  if (key.node == NONE && key.number == 0)
    return;
  uint32_t number = new_ephemeron(key, value);
  if (number != NONE && !one_in(4))
    store(random_place(), number);
}

// A chain of ephemerons in random order, each of whose values is the next one's key; the first key is stored
// somewhere, and sometimes what the last value refers to.
static inline void
operate_chain(void) {
  enum { LENGTH_MAX = 12 };
  uint32_t keys[LENGTH_MAX + 1], length = 2 + (uint32_t)below(LENGTH_MAX - 2);
  for (uint32_t i = 0; i <= length; i++)
    if ((keys[i] = new_object(PLAIN)) == NONE)
      return;
  for (uint32_t i = 0, step = 1 + 2 * (uint32_t)below(3); i < length; i++) {
    uint32_t at = length % step ? i * step % length : i;
    uint32_t last = at == length - 1 && one_in(3) ? keys[0] : keys[at + 1];
    uint32_t number = new_ephemeron(datum_of_node(keys[at]), datum_of_node(last));
    if (number != NONE)
      store(random_place(), number);
  }
  store(random_place(), keys[0]);
}

// Look at what a reference has, and keep it.  That may bring back what is dead and not yet gone.
static inline void
operate_get(void) {
  look_closely();
  uint32_t number = random_node_of_type(WEAK, EPHEMERON);
  if (number != NONE && !model->nodes[number].broken) {
    const struct node *node = &model->nodes[number];
    bool value = node->type == EPHEMERON && one_in(2);
    struct datum found = value ? node->value : node->key;
    void *address = address_of(number);
    void *word = node->type != EPHEMERON ? GC_weak_ref_get(address)
                 : value                 ? GC_ephemeron_value(address)
                                         : GC_ephemeron_key(address);
    NODE_CHECK(number, is_same_datum(found, word), "getting gives %p", word);
    if (found.node != NONE)
      store(random_place(), found.node);
    GC_reachable_here(word);
  }
  look_away();
}

static inline void
operate_clear_reference(void) {
  look_closely();
  uint32_t number = random_node_of_type(WEAK, SOFT);
  if (number != NONE) {
    GC_weak_ref_clear((GC_weak_ref *)(void *)address_of(number));
    model->nodes[number].broken = true;
  }
  look_away();
}

static inline void
operate_set_value(void) {
  look_closely();
  uint32_t number = random_node_of_type(EPHEMERON, EPHEMERON);
  if (number != NONE) {
    struct datum value = random_datum();
    GC_ephemeron_set_value((GC_ephemeron *)(void *)address_of(number), (void *)word_of_datum(value));
    if (!model->nodes[number].broken)
      model->nodes[number].value = value;
  }
  look_away();
}

// ---- Edges ---------------------------------------------------------------------------------------------

static inline void
operate_link(void) {
  uint32_t target = random_node();
  if (target != NONE)
    store(random_place(), target);
}

static inline void
operate_unlink(void) {
  store(random_place(), NONE);
}

static inline void
operate_forget(void) {
  for (unsigned i = 0; i < ROOTS / 3; i++)
    store(random_root(), NONE);
}

// ---- Disappearing links --------------------------------------------------------------------------------

// A word of an object that is not a link yet; of a new one as often, which is soon dead.
static inline bool
find_free_word(struct link *link) {
  link->owner = one_in(2) ? new_object(ATOMIC) : random_node();
  const struct node *owner = link->owner == NONE ? NULL : &model->nodes[link->owner];
  if (!owner || owner->link_count == 0)
    return false;
  link->index = (unsigned)below(owner->link_count);
  return owner->links[link->index] == NONE;
}

static inline struct link *
find_unused_link(unsigned number, unsigned limit) {
  while (number < limit && model->links[number].used)
    number++;
  return number < limit ? &model->links[number] : NULL;
}

// A word that is to be one.  NULL if there is no room.
static inline struct link *
new_link(void) {
  struct link new = {.used = true, .owner = NONE, .ordinary = NONE, .lasting = NONE};
  bool inside = !one_in(3);
  if (inside && !find_free_word(&new))
    return NULL;
  struct link *link = inside ? find_unused_link(FREE_LINKS, LINKS_MAX) : find_unused_link(0, FREE_LINKS);
  if (!link)
    return NULL;
  *link = new;
  if (inside)
    model->nodes[new.owner].links[new.index] = (uint32_t)(link - model->links);
  return link;
}

// What a link in memory that is searched holds must be hidden.
static inline void
point_link(struct link *link, uint32_t target) {
  uintptr_t address = (uintptr_t)address_of(target);
  bool hide = link->owner != NONE && model->nodes[link->owner].type != ATOMIC;
  link->hidden_contents = hide ? address : ~address;
  *(volatile uintptr_t *)memory_of_link(link) = link_contents(link);
}

static inline int
register_link(struct link *link, bool lasting, uint32_t target) {
  void **word = (void **)(void *)memory_of_link(link), *object = address_of(target);
  int result =
      lasting ? GC_register_long_link(word, object) : GC_general_register_disappearing_link(word, object);
  GC_reachable_here(object);
  return result;
}

static inline void
check_result(const char *call, int result, int expected) {
  if (result == GC_NO_MEMORY && may_be_refused())
    note_refusal();
  else
    MODEL_CHECK(result == expected, "%s: %d, ought to be %d", call, result, expected);
}

static inline void
operate_register_link(void) {
  uint32_t target = random_node();
  struct link *link = target == NONE ? NULL : new_link();
  if (!link)
    return;
  bool lasting = one_in(3), both = one_in(6);
  point_link(link, target);
  int result = register_link(link, lasting, target);
  check_result("registering a link", result, GC_SUCCESS);
  if (result == GC_SUCCESS)
    *(lasting ? &link->lasting : &link->ordinary) = target;
  if (both && register_link(link, !lasting, target) == GC_SUCCESS)
    *(lasting ? &link->ordinary : &link->lasting) = target;
  if (link->ordinary == NONE && link->lasting == NONE)
    drop_link(link);
}

// A link that can be reached.
static inline struct link *
random_link(void) {
  for (unsigned tries = 0; tries < 20; tries++) {
    struct link *link = &model->links[below(LINKS_MAX)];
    if (link->used && (link->owner == NONE || is_in(link->owner, REACHED)))
      return link;
  }
  return NULL;
}

// Follow another object.
static inline void
replace_link(struct link *link) {
  uint32_t target = random_node();
  bool lasting = link->ordinary == NONE;
  if (target == NONE)
    return;
  check_result("registering a link again", register_link(link, lasting, target), GC_DUPLICATE);
  *(lasting ? &link->lasting : &link->ordinary) = target;
  if (link->ordinary == NONE || link->lasting == NONE)
    point_link(link, target);
}

static inline void
unregister_link(struct link *link) {
  void **word = (void **)(void *)memory_of_link(link);
  int ordinary = GC_unregister_disappearing_link(word), lasting = GC_unregister_long_link(word);
  MODEL_CHECK(ordinary == (link->ordinary != NONE) && lasting == (link->lasting != NONE),
              "unregistering a link: %d and %d", ordinary, lasting);
  drop_link(link);
}

static inline int
move_registration(struct link *link, bool lasting, void **from, void **to) {
  int expected = (lasting ? link->lasting : link->ordinary) == NONE ? GC_NOT_FOUND : GC_SUCCESS;
  int result = lasting ? GC_move_long_link(from, to) : GC_move_disappearing_link(from, to);
  check_result("moving a link", result, expected);
  return result;
}

static inline void
move_link(struct link *link) {
  struct link *to = new_link();
  void **from = (void **)(void *)memory_of_link(link);
  if (!to)
    return;
  to->ordinary = link->ordinary;
  to->lasting = link->lasting;
  point_link(to, link->ordinary != NONE ? link->ordinary : link->lasting);
  move_registration(link, false, from, (void **)(void *)memory_of_link(to));
  move_registration(link, true, from, (void **)(void *)memory_of_link(to));
  drop_link(link);
}

static inline void
operate_change_link(void) {
  look_closely();
  struct link *link = random_link();
  if (link) {
    size_t roll = below(4);
    (roll == 0 ? replace_link : roll == 1 ? unregister_link : move_link)(link);
  }
  look_away();
}

// ---- Finalizers ----------------------------------------------------------------------------------------

static inline unsigned
random_queue(void) {
  unsigned queue = (unsigned)below(QUEUES);
  return model->queues[queue].handle ? queue : 0;
}

// A new object, one that there is, or a number.
static inline struct datum
random_data(void) {
  uint32_t number = one_in(3) ? NONE : one_in(3) ? new_object(PLAIN) : one_in(4) ? random_node() : NONE;
  return number == NONE ? datum_of_number(2 * below(1000) + 1) : datum_of_node(number);
}

static inline void
call_register(void *object, const struct finalizer *new, void *data, GC_finalization_proc *old,
              void **old_data) {
  switch (new->order) {
  case GC_FINALIZER_ORDERED:
    GC_register_finalizer(object, new->function, data, old, old_data);
    break;
  case GC_FINALIZER_IGNORE_SELF:
    GC_register_finalizer_ignore_self(object, new->function, data, old, old_data);
    break;
  case GC_FINALIZER_NO_ORDER:
    GC_register_finalizer_no_order(object, new->function, data, old, old_data);
    break;
  case GC_FINALIZER_UNREACHABLE:
    GC_register_finalizer_unreachable(object, new->function, data, old, old_data);
  }
}

static void
finalize_never(void *object, void *data) {
  model_fail("%p is finalized with %p", object, data);
}

static inline void
register_finalizer(uint32_t number, const struct finalizer *new) {
  struct finalizer *registered = &model->nodes[number].finalizer;
  void *object = address_of(number), *data = (void *)word_of_datum(new->data);
  if (new->queue > 0) {
    int result =
        GC_register_finalizer_on(model->queues[new->queue].handle, object, new->order, new->function, data);
    check_result("registering a finalizer", result, GC_SUCCESS);
    if (result == GC_SUCCESS)
      *registered = *new;
  } else {
    GC_finalization_proc old = finalize_never;
    void *old_data = NULL;
    call_register(object, new, data, &old, &old_data);
    if (old == finalize_never && may_be_refused()) {
      note_refusal();
    } else {
      NODE_CHECK(number, old == registered->function, "the old finalizer is %p", (void *)(uintptr_t)old);
      NODE_CHECK(number, !old || is_same_datum(registered->data, old_data), "the old data is %p", old_data);
      *registered = *new;
    }
  }
}

static inline void
register_some_finalizer(uint32_t number) {
  static const GC_finalization_proc functions[] = {finalize_one_way, finalize_another_way};
  struct finalizer new = {.function = functions[below(2)],
                          .order = (enum GC_FinalizerOrder)below(4),
                          .queue = one_in(2) ? random_queue() : 0,
                          .data = random_data()};
  register_finalizer(number, &new);
}

static inline void
operate_finalizer(void) {
  uint32_t number = random_node();
  if (number != NONE)
    register_some_finalizer(number);
}

static inline void
operate_take_finalizer_back(void) {
  static const struct finalizer none = {.data = {NONE, 0}};
  uint32_t number = random_node();
  if (number != NONE)
    register_finalizer(number, &none);
}

// Several objects with finalizers that refer to each other in all ways, and weakly.
static inline void
operate_family(void) {
  enum { MEMBERS = 6 };
  uint32_t members[MEMBERS];
  for (unsigned i = 0; i < MEMBERS; i++) {
    members[i] = one_in(3) ? random_node() : new_object(PLAIN);
    if (members[i] == NONE)
      return;
    if (!one_in(4))
      register_some_finalizer(members[i]);
  }
  for (unsigned i = 0; i < 2 * MEMBERS; i++) {
    uint32_t from = members[below(MEMBERS)], to = members[below(MEMBERS)];
    uint32_t target = one_in(3) ? new_reference((enum type)(WEAK + below(3)), to) : to;
    if (target != NONE && model->nodes[from].edge_count > 0)
      store((struct place){from, (unsigned)below(model->nodes[from].edge_count)}, target);
  }
  store(random_place(), members[0]);
}

// ---- Cleaners ------------------------------------------------------------------------------------------

// Data by which a cleaner is known: an object of its own, or a number.
static inline struct datum
cleaner_data(unsigned cleaner) {
  uint32_t number = one_in(2) ? new_object(PLAIN) : NONE;
  uintptr_t serial = model->next_id++ % (1 << 20) * CLEANERS_MAX + cleaner;
  return number == NONE ? datum_of_number(2 * serial + 1) : datum_of_node(number);
}

static inline void
operate_cleaner(void) {
  unsigned cleaner = 0, queue = one_in(2) ? random_queue() : 0;
  uint32_t number = random_node();
  while (cleaner < CLEANERS_MAX && model->cleaners[cleaner].node != NONE)
    cleaner++;
  if (number == NONE || cleaner == CLEANERS_MAX)
    return;
  struct datum data = cleaner_data(cleaner);
  int result = GC_register_cleaner(model->queues[queue].handle, address_of(number), clean,
                                   (void *)word_of_datum(data));
  check_result("registering a cleaner", result, GC_SUCCESS);
  if (result == GC_SUCCESS)
    model->cleaners[cleaner] = (struct cleaner){.node = number, .queue = queue, .data = data};
}

static inline void
operate_take_cleaner_back(void) {
  look_closely();
  struct cleaner *cleaner = &model->cleaners[below(CLEANERS_MAX)];
  if (cleaner->node != NONE && is_in(cleaner->node, REACHED)) {
    int result =
        GC_unregister_cleaner(address_of(cleaner->node), clean, (void *)word_of_datum(cleaner->data));
    NODE_CHECK(cleaner->node, result == 1, "taking its cleaner back: %d", result);
    cleaner->node = NONE;
  }
  look_away();
}

// ---- Queues --------------------------------------------------------------------------------------------

static inline void
open_queue(unsigned number) {
  struct queue *queue = &model->queues[number];
  queue->notifies = !one_in(3);
  queue->handle =
      GC_finalizer_queue_new(queue->notifies ? note_notification : NULL, (void *)(uintptr_t)number);
  queue->unnoticed = 0;
  queue->seen = notified[number];
  if (!queue->handle)
    note_refusal();
}

// What was its own becomes the collector's own.
static inline void
close_queue(unsigned number) {
  GC_finalizer_queue_free(model->queues[number].handle);
  model->queues[number].handle = NULL;
  for (uint32_t node = 0; node < model->node_limit; node++)
    if (model->nodes[node].finalizer.queue == number)
      model->nodes[node].finalizer.queue = 0;
  for (unsigned i = 0; i < model->waiting_count; i++)
    if (model->waiting[i].finalizer.queue == number)
      model->waiting[i].finalizer.queue = 0;
}

static inline void
operate_queue(void) {
  unsigned number = 1 + (unsigned)below(QUEUES - 1);
  if (model->queues[number].handle)
    close_queue(number);
  else
    open_queue(number);
}

static inline void
operate_drain(void) {
  unsigned number = 1 + (unsigned)below(QUEUES - 1);
  unsigned long before = called.total;
  if (!model->queues[number].handle)
    return;
  size_t at_most = below(5),
         done = GC_finalizer_queue_drain(model->queues[number].handle, at_most, below(2) * 1000);
  MODEL_CHECK(at_most == 0 || done <= at_most, "draining at most %zu called %zu", at_most, done);
  MODEL_CHECK(called.total - before >= done, "draining says that %zu were called", done);
}

static inline void
operate_invoke(void) {
  unsigned long before = called.total;
  int done = GC_invoke_finalizers();
  MODEL_CHECK(done >= 0 && called.total - before >= (unsigned long)done, "invoking says that %d were called",
              done);
}

static inline void
operate_set_calling(void) {
  switch (below(4)) {
  case 0:
    GC_set_finalize_on_demand((int)below(2));
    break;
  case 1:
    GC_set_interrupt_finalizers((unsigned)below(3));
    break;
  case 2:
    look_closely();
    GC_set_java_finalization((int)below(2));
    look_away();
    break;
  case 3:
    if (model->has_thread && GC_set_finalizer_thread((int)below(2)) != GC_SUCCESS)
      note_refusal();
    break;
  }
}

// ---- Toggle references ---------------------------------------------------------------------------------

// A full collection asks, so that what was decided holds.
static inline void
toggle(uint32_t number, enum toggle decision) {
  model->nodes[number].toggle = decision;
  write_word(number, 1);
  GC_gcollect();
}

static inline void
operate_toggle(void) {
  uint32_t number = random_node();
  if (number == NONE || is_reference(&model->nodes[number]) || may_be_refused())
    return;
  if (model->nodes[number].toggle != UNTOGGLED) {
    toggle(number, (enum toggle)below(3));
    return;
  }
  bool strong = below(2);
  check_result("adding a toggle reference", GC_toggleref_add(address_of(number), strong), GC_SUCCESS);
  model->nodes[number].toggle = strong ? STRONGLY : WEAKLY;
  write_word(number, 1);
}

// A few remain.
static inline void
operate_untoggle(void) {
  for (uint32_t number = 0; number < model->node_limit; number++)
    if (model->nodes[number].state == HERE && model->nodes[number].toggle == STRONGLY && one_in(2)) {
      model->nodes[number].toggle = UNTOGGLED;
      write_word(number, 1);
    }
  GC_gcollect();
}

// ---- Giving back ---------------------------------------------------------------------------------------

static inline unsigned
count_references(uint32_t number) {
  unsigned found = 0;
  for (unsigned i = 0; i < ROOTS; i++)
    found += model->roots[i] == number;
  for (uint32_t i = 0; i < model->node_limit; i++) {
    const struct node *node = &model->nodes[i];
    for (unsigned edge = 0; node->state == HERE && edge < node->edge_count; edge++)
      found += node->edges[edge] == number;
    if (node->state == HERE)
      found +=
          (node->key.node == number) + (node->value.node == number) + (node->finalizer.data.node == number);
  }
  for (unsigned i = 0; i < LINKS_MAX; i++)
    if (model->links[i].used)
      found += (model->links[i].ordinary == number) + (model->links[i].lasting == number) +
               (model->links[i].owner == number);
  for (unsigned i = 0; i < CLEANERS_MAX; i++)
    found += model->cleaners[i].node != NONE && model->cleaners[i].data.node == number;
  for (unsigned i = 0; i < model->waiting_count; i++)
    found += (model->waiting[i].node == number) + (model->waiting[i].finalizer.data.node == number);
  for (unsigned i = 0; i < called.taken; i++)
    found += (called.calls[i].node == number) + (called.calls[i].datum.node == number);
  return found;
}

// Its finalizer and cleaners are forgotten.
static inline void
free_object(uint32_t number) {
  check_node(number);
  GC_free(address_of(number));
  for (unsigned i = 0; i < CLEANERS_MAX; i++)
    if (model->cleaners[i].node == number)
      model->cleaners[i].node = NONE;
  retire_node(number);
}

static inline void
operate_free(void) {
  look_closely();
  struct place place = random_root();
  uint32_t number = *at_place(place);
  if (number != NONE && !is_reference(&model->nodes[number]) && model->nodes[number].toggle == UNTOGGLED &&
      count_references(number) == 1) {
    store(place, NONE);
    free_object(number);
  }
  look_away();
}

static inline void
operate_free_uncollectable(void) {
  look_closely();
  for (uint32_t number = 0; number < model->node_limit; number++)
    if (model->nodes[number].state == HERE && model->nodes[number].type == UNCOLLECTABLE &&
        model->nodes[number].toggle == UNTOGGLED && one_in(4) && count_references(number) == 0)
      free_object(number);
  look_away();
}
