// What the collector has done since the model last looked, and whether it might.
//
// Callbacks only note what happens; observe() judges it, with collections disabled.  It finds that of a word
// that was cleared, of a finalizer that became ready or a cleaner that was called, the object was dead; that
// all links to an object are cleared or none; that what is not dead is whole; and, if asked to count, how
// much of what ought to be gone is gone.
#pragma once

#include "reference_reach.h"

// ---- Counting ------------------------------------------------------------------------------------------

enum account { ORDINARY_LINKS, LONG_LINKS, EPHEMERONS, FINALIZERS, CLEANERS, OBJECTS, ACCOUNTS };

static const char *const account_names[] = {"links and references", "long links", "ephemerons",
                                            "finalizers",           "cleaners",   "objects"};

static struct { unsigned long due, done; } accounts[ACCOUNTS];

static bool counting;

// Each is due once.
static inline void
count(enum account account, bool *is_due, bool done) {
  accounts[account].due += counting && !*is_due;
  *is_due |= counting;
  accounts[account].done += *is_due && done;
  *is_due &= !done;
}

// ---- Words that are cleared ----------------------------------------------------------------------------

// A reference to `target` was found cleared, or not.
static inline void
note_cleared(uint32_t target, bool cleared) {
  if (target == NONE)
    return;
  if (cleared)
    model->nodes[target].cleared = true;
  else
    model->nodes[target].uncleared = true;
}

static inline void
check_referent(uint32_t number, const char *what) {
  if (number == NONE)
    return;
  NODE_CHECK(number, model->nodes[number].state == HERE && !is_reclaimed(number),
             "it has been reclaimed, and %s still refers to it", what);
}

static inline uintptr_t *
memory_of_link(const struct link *link) {
  if (link->owner == NONE)
    return (uintptr_t *)(void *)&free_links[link - model->links];
  return words_of(link->owner) + FIRST_EDGE + model->nodes[link->owner].edge_count + link->index;
}

// The registrations are gone, or go now: of both sorts the one may be left when the other one's has cleared
// the word.
static inline void
drop_link(struct link *link) {
  uintptr_t *memory = memory_of_link(link);
  if (link->ordinary != NONE && link->lasting != NONE) {
    GC_unregister_disappearing_link((void **)(void *)memory);
    GC_unregister_long_link((void **)(void *)memory);
  }
  link->used = false;
  if (link->owner == NONE)
    return;
  model->nodes[link->owner].links[link->index] = NONE;
  write_word(link->owner, (size_t)(memory - words_of(link->owner)));
}

static inline bool
is_outside(uint32_t target, unsigned set) {
  return target != NONE && !is_in(target, set);
}

static inline void
count_link(struct link *link, bool cleared) {
  if (link->owner != NONE && !is_in(link->owner, REACHED))
    return;
  if (is_outside(link->ordinary, REACHED))
    count(ORDINARY_LINKS, &link->is_due, cleared);
  else if (link->ordinary == NONE && is_outside(link->lasting, KEPT))
    count(LONG_LINKS, &link->is_due, cleared);
}

// May the program read it again?  What is dead and not yet reclaimed is looked at nevertheless, because what
// is not cleared yet may bring it back; but its links may have been forgotten.
static inline bool
is_readable(uint32_t owner) {
  return owner == NONE || is_in(owner, KEPT);
}

static inline void
check_link(struct link *link) {
  uintptr_t contents = *(volatile uintptr_t *)memory_of_link(link);
  bool may_be = is_outside(link->ordinary, REACHED) || is_outside(link->lasting, KEPT);
  uint32_t target = link->ordinary != NONE ? link->ordinary : link->lasting;
  count_link(link, contents == 0);
  if (contents ? is_readable(link->owner) : link->lasting == NONE)
    note_cleared(link->ordinary, contents == 0);
  if (contents == 0) {
    NODE_CHECK(target, may_be, "a %s link to it was cleared",
               link->ordinary != NONE ? "disappearing" : "long");
    drop_link(link);
    return;
  }
  NODE_CHECK(target, contents == link_contents(link), "a link to it holds %#lx", (unsigned long)contents);
  if (!is_readable(link->owner))
    return;
  check_referent(link->ordinary, "a link");
  check_referent(link->lasting, "a long link");
}

static inline void
check_links(void) {
  for (unsigned i = 0; i < LINKS_MAX; i++) {
    struct link *link = &model->links[i];
    if (link->used)
      check_link(link);
  }
}

static inline void
check_weak(uint32_t number) {
  struct node *node = &model->nodes[number];
  uint32_t target = node->key.node;
  unsigned set = node->type == LONG ? KEPT : REACHED;
  void *found = GC_weak_ref_get((GC_weak_ref *)(void *)address_of(number));
  if (node->sets & REACHED && !is_in(target, set) && !(node->type == SOFT && model->soft_is_strong))
    count(node->type == LONG ? LONG_LINKS : ORDINARY_LINKS, &node->is_due, !found);
  if (node->type != LONG && (!found || is_readable(number)))
    note_cleared(target, !found);
  if (!found) {
    NODE_CHECK(target, !is_in(target, set), "a %s reference to it was cleared", type_names[node->type]);
    node->broken = true;
    return;
  }
  NODE_CHECK(number, found == address_of(target), "it refers to %p, ought to %p", found,
             (void *)address_of(target));
  if (is_readable(number))
    check_referent(target, "a reference");
}

static inline void
check_ephemeron(uint32_t number) {
  struct node *node = &model->nodes[number];
  GC_ephemeron *ephemeron = (GC_ephemeron *)(void *)address_of(number);
  void *key = GC_ephemeron_key(ephemeron), *value = GC_ephemeron_value(ephemeron);
  if (node->sets & REACHED && !is_datum_in(node->key, REACHED))
    count(EPHEMERONS, &node->is_due, !key);
  if (key ? is_readable(number) : node->sets & REACHED)
    note_cleared(node->key.node, !key);
  if (!key) {
    NODE_CHECK(number, !value, "it is broken and has a value");
    NODE_CHECK(number, !(node->sets & REACHED) || !is_datum_in(node->key, REACHED),
               "it is broken, and its key is reached");
    node->broken = true;
    return;
  }
  NODE_CHECK(number, is_same_datum(node->key, key), "its key is %p", key);
  NODE_CHECK(number, is_same_datum(node->value, value), "its value is %p", value);
  if (!is_readable(number))
    return;
  check_referent(node->key.node, "an ephemeron");
  check_referent(node->value.node, "the value of an ephemeron");
}

static inline void
check_references(void) {
  for (uint32_t number = 0; number < model->node_limit; number++) {
    const struct node *node = &model->nodes[number];
    if (node->state != HERE || !is_reference(node) || node->broken)
      continue;
    if (progress->failures > 0 && !is_readable(number))
      continue; // a reference that was refused may lie in its place
    if (node->type == EPHEMERON)
      check_ephemeron(number);
    else
      check_weak(number);
  }
}

static inline void
check_cleared_at_once(void) {
  for (uint32_t number = 0; number < model->node_limit; number++) {
    struct node *node = &model->nodes[number];
    NODE_CHECK(number, !node->cleared || !node->uncleared, "only some of the links to it have been cleared");
    node->cleared = node->uncleared = false;
  }
}

// ---- Objects -------------------------------------------------------------------------------------------

static inline void
check_objects(void) {
  for (uint32_t number = 0; number < model->node_limit; number++) {
    struct node *node = &model->nodes[number];
    if (is_in(number, KEPT)) {
      check_node(number);
    } else if (node->state == HERE) {
      bool reclaimed = is_reclaimed(number);
      count(OBJECTS, &node->is_due_itself, reclaimed);
      if (reclaimed)
        retire_node(number);
    }
  }
}

// ---- Finalizers and cleaners ---------------------------------------------------------------------------

// Of those that were decided, remember that they wait; they are roots from the next look on.
static inline void
take_decision(void *object) {
  uint32_t number = find_node(object);
  MODEL_CHECK(number != NONE, "the finalizer of %p is ready, which is no object here", object);
  struct node *node = &model->nodes[number];
  NODE_CHECK(number, node->finalizer.function, "its finalizer is ready, and it has none");
  NODE_CHECK(number, !is_in(number, REACHED), "its finalizer is ready");
  NODE_CHECK(number, !is_in(number, HELD_BACK), "its finalizer is ready before that of what refers to it");
  NODE_CHECK(number, is_to_be_ready(number), "it is not unreachable, and its finalizer is ready");
  NODE_CHECK(number, !node->uncleared, "its finalizer is ready, and links to it have not been cleared");
  MODEL_CHECK(model->waiting_count < WAITING_MAX, "too many finalizers wait");
  model->waiting[model->waiting_count++] = (struct waiting){number, node->finalizer};
  model->queues[node->finalizer.queue].unnoticed++;
  node->finalizer = (struct finalizer){.data = {NONE, 0}};
  node->ready++;
}

static inline void
count_finalizers(void) {
  for (uint32_t number = 0; number < model->node_limit; number++) {
    bool ready = false;
    for (unsigned i = 0; i < decided.count; i++)
      ready |= decided.hidden[i] == model->nodes[number].hidden;
    if (is_to_be_ready(number))
      count(FINALIZERS, &model->nodes[number].finalizer_is_due, ready);
  }
}

static inline void
take_decisions(void) {
  count_finalizers();
  for (unsigned i = 0; i < decided.count; i++)
    take_decision((void *)~decided.hidden[i]);
  decided.count = 0;
}

static inline void
take_finalization(struct call *call) {
  void *object = (char *)call->inside - 8;
  uint32_t number = find_node(object);
  MODEL_CHECK(number != NONE, "%p is finalized, which is no object here", object);
  unsigned i = 0;
  while (i < model->waiting_count &&
         (model->waiting[i].node != number || model->waiting[i].finalizer.function != call->function ||
          !is_same_datum(model->waiting[i].finalizer.data, call->data)))
    i++;
  NODE_CHECK(number, i < model->waiting_count, "it is finalized with data %p, and was not ready for that",
             call->data);
  call->node = number;
  call->datum = model->waiting[i].finalizer.data;
  memmove(&model->waiting[i], &model->waiting[i + 1],
          (--model->waiting_count - i) * sizeof model->waiting[0]);
  model->nodes[number].ready--;
}

static inline void
take_cleaning(struct call *call) {
  unsigned i = 0;
  while (i < CLEANERS_MAX &&
         (model->cleaners[i].node == NONE || !is_same_datum(model->cleaners[i].data, call->data)))
    i++;
  MODEL_CHECK(i < CLEANERS_MAX, "a cleaner is called with %p, and none was registered with that", call->data);
  uint32_t number = model->cleaners[i].node;
  NODE_CHECK(number, !is_in(number, KEPT), "its cleaner is called");
  call->node = NONE;
  call->datum = model->cleaners[i].data;
  model->cleaners[i].node = NONE;
}

static inline void
count_cleaners(unsigned call_count) {
  for (unsigned i = 0; i < CLEANERS_MAX; i++) {
    bool done = false;
    for (unsigned c = called.taken; c < call_count; c++)
      done |= !called.calls[c].function && is_same_datum(model->cleaners[i].data, called.calls[c].data);
    if (model->cleaners[i].node != NONE && !is_in(model->cleaners[i].node, KEPT))
      count(CLEANERS, &model->cleaners[i].is_due, done);
  }
}

// ---- All of it -----------------------------------------------------------------------------------------

static inline void
take_calls(unsigned call_count) {
  count_cleaners(call_count);
  for (; called.taken < call_count; called.taken++) {
    struct call *call = &called.calls[called.taken];
    if (call->function)
      take_finalization(call);
    else
      take_cleaning(call);
  }
}

static inline unsigned
waiting_in(unsigned queue) {
  unsigned found = 0;
  for (unsigned i = 0; i < model->waiting_count; i++)
    found += model->waiting[i].finalizer.queue == queue;
  return found;
}

static inline void
check_queues(void) {
  for (unsigned i = 1; i < QUEUES; i++) {
    GC_finalizer_queue *queue = model->queues[i].handle;
    size_t ready = queue ? GC_finalizer_queue_ready(queue) : 0;
    MODEL_CHECK(!queue || ready >= waiting_in(i), "%zu are ready in queue %u, where %u wait", ready, i,
                waiting_in(i));
  }
}

// Judge all that was noted and all that can be seen.  Collections are disabled.  What was called was decided
// before, so it is counted first.
static inline void
look(void) {
  unsigned call_count = called.count;
  find_sets();
  check_objects();
  check_references();
  check_links();
  take_decisions();
  take_calls(call_count);
  check_cleared_at_once();
  check_queues();
}
