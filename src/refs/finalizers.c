// Finalizers and cleaners.  See finalizers.h.
#include "refs/finalizers.h"

#include <string.h>

#include "base/check.h"
#include "base/lock.h"
#include "base/variables.h"
#include "heap/heap.h"
#include "mark/team.h"
#include "refs/objects.h"
#include "refs/queues.h"
#include "refs/strong.h"

struct gc_finalizer_settings gc_finalizer_settings = {.bytes_each = 10000};

// key: the object.  object: the function.  value: of most registrations the data; where that may lie in the
// heap, or a queue of the program's is meant, the data's strong word, and above it the queue's number.  Above
// the table's bits: the sort, and whether there is a strong word.
enum { IS_STRONG = 1 << GC_REF_BITS, SORT_SHIFT = GC_REF_BITS + 1 };

static GC_STATE struct gc_ref_table table;
static GC_STATE size_t cleaners; // of what is registered [gc_lock]

// Of what was registered since the cycle before, how many eighths the last cycle found dead, one at least.
enum { EIGHTHS = 8 };
static GC_STATE struct gc_atomic dead_eighths = {EIGHTHS};
static GC_STATE size_t registered_at_start, young_at_start; // of the pause that looks at them [stw]

static GC_STATE bool has_tags; // something has been registered by an address that is no start [gc_lock]

// ---- Registrations -------------------------------------------------------------------------------------

static struct gc_ref_node *
node_at(uint32_t index) {
  return gc_ref_table_node(&table, index);
}

static enum gc_finalizer_sort
sort_of(const struct gc_ref_node *node) {
  return (enum gc_finalizer_sort)(node->bits >> SORT_SHIFT);
}

static bool
is_cleaner(const struct gc_ref_node *node) {
  return sort_of(node) == GC_FINALIZER_IS_CLEANER;
}

// Data outside the heap is never going to be an object.
static bool
is_strong(const struct gc_registration *registration) {
  size_t offset = (uintptr_t)registration->data - (uintptr_t)gc_heap.base;
  return offset <= gc_heap.reserved_pages << GC_PAGE_SHIFT || registration->queue != 0;
}

static uint32_t
queue_of(const struct gc_ref_node *node) {
  return node->bits & IS_STRONG ? (uint32_t)(node->value >> 32) : 0;
}

static void *
data_of(const struct gc_ref_node *node) {
  return node->bits & IS_STRONG ? gc_strong_get((uint32_t)node->value) : (void *)node->value;
}

static void
free_strong_word(const struct gc_ref_node *node) {
  if (node->bits & IS_STRONG)
    gc_strong_free((uint32_t)node->value);
}

static void
read_registration(const struct gc_ref_node *node, struct gc_registration *registration) {
  registration->function = (void (*)(void))node->object;
  registration->data = data_of(node);
  registration->sort = sort_of(node);
  registration->queue = queue_of(node);
}

static void
write_registration(struct gc_ref_node *node, const struct gc_registration *new) {
  node->object = (uintptr_t) new->function;
  bool strong = is_strong(new);
  node->value = strong ? (uintptr_t) new->queue << 32 | gc_strong_take(new->data) : (uintptr_t) new->data;
  node->bits = (node->bits & ((1u << GC_REF_BITS) - 1)) | (strong ? IS_STRONG : 0) |
               (uint32_t) new->sort << SORT_SHIFT;
}

// Of a registration that is not in the table any more.
static void
free_registration(struct gc_ref_item item) {
  cleaners -= is_cleaner(item.node);
  free_strong_word(item.node);
  gc_ref_table_free(&table, item.index);
}

static void
remove_registration(uint32_t index) {
  gc_ref_table_unlink(&table, index);
  free_registration((struct gc_ref_item){node_at(index), index});
}

static uint32_t
find_finalizer(const void *object) {
  if (!gc_page_set_has(gc_heap.referred, gc_heap_page_of(object)) ||
      gc_ref_table_is_empty_at(&table, (uintptr_t)object))
    return 0;
  uint32_t index = gc_ref_table_find(&table, (uintptr_t)object);
  while (index && is_cleaner(node_at(index)))
    index = gc_ref_table_find_next(&table, index);
  return index;
}

_Static_assert((int)GC_REF_CELL_SHIFT == GC_CELL_SHIFT, "the table's cells are the heap's");

static volatile uint32_t *
cell_of(const void *object) {
  return &gc_heap.cells[((uintptr_t)object - (uintptr_t)gc_heap.base) >> GC_CELL_SHIFT];
}

static bool
extend_cells(size_t page) {
  if (!gc_heap_commit_cells(page))
    return false;
  table.cells = (struct gc_ref_cells){.base = (uintptr_t)gc_heap.base,
                                      .first = gc_heap.cells,
                                      .count = (size_t)gc_heap.cell_pages * GC_PAGE_CELLS};
  return true;
}

// Memory that nobody has written yet is written first: if it were read, the system would give a page of
// zeros, and another one for the first write, which other processors must be told.
static bool
let_be_referred(const void *object) {
  size_t page = gc_heap_page_of(object);
  if (gc_page_set_has(gc_heap.referred, page))
    return true;
  if (!extend_cells(page))
    return false;
  *cell_of(object) = 0;
  gc_page_set_add(gc_heap.referred, page);
  return true;
}

static enum gc_registered
add(void *object, const struct gc_registration *new) {
  if (!let_be_referred(object) || !gc_ref_table_reserve(&table))
    return GC_NO_ROOM;
  write_registration(node_at(gc_ref_table_add(&table, (uintptr_t)object)), new);
  cleaners += new->sort == GC_FINALIZER_IS_CLEANER;
  has_tags |= (uintptr_t)object % GC_GRANULE_BYTES != 0;
  return GC_REGISTERED;
}

static void
replace(struct gc_ref_node *node, const struct gc_registration *new) {
  free_strong_word(node);
  write_registration(node, new);
}

static bool
lacks_strong_room(const struct gc_registration *new) {
  return new->data &&is_strong(new) && !gc_strong_has_room();
}

enum gc_registered
gc_finalizers_register(void *object, const struct gc_registration *new, struct gc_registration *old) {
  if (lacks_strong_room(new))
    return GC_NO_STRONG_ROOM;
  if (!gc_ref_is_object_at(object))
    return new->function ? GC_NOT_AN_OBJECT : GC_REGISTERED;
  uint32_t index = find_finalizer(object);
  if (index)
    read_registration(node_at(index), old);
  if (!new->function) {
    if (index)
      remove_registration(index);
    return GC_REGISTERED;
  }
  if (!index)
    return add(object, new);
  replace(node_at(index), new);
  return GC_REGISTERED;
}

enum gc_registered
gc_finalizers_add_cleaner(void *object, const struct gc_registration *cleaner) {
  if (!gc_ref_is_object_at(object))
    return GC_NOT_AN_OBJECT;
  return lacks_strong_room(cleaner) ? GC_NO_STRONG_ROOM : add(object, cleaner);
}

static bool
is_that_cleaner(const struct gc_ref_node *node, void (*function)(void), const void *data) {
  struct gc_registration registration;
  read_registration(node, &registration);
  return registration.sort == GC_FINALIZER_IS_CLEANER && registration.function == function &&
         registration.data == data;
}

bool
gc_finalizers_remove_cleaner(void *object, void (*function)(void), void *data) {
  uint32_t index = gc_ref_table_find(&table, (uintptr_t)object);
  while (index && !is_that_cleaner(node_at(index), function, data))
    index = gc_ref_table_find_next(&table, index);
  if (index)
    remove_registration(index);
  return index != 0;
}

void
gc_finalizers_forget(void *object) {
  uintptr_t start = (uintptr_t)object, limit = start + (has_tags ? GC_GRANULE_BYTES : 1);
  for (uintptr_t address = start; address < limit; address++)
    for (uint32_t index; (index = gc_ref_table_find(&table, address)) != 0;)
      remove_registration(index);
}

// A neighbour may come to the cell or leave it, but what the object itself has there stays.
GC_NO_SANITIZE bool
gc_finalizers_seem_to_know(const void *object) {
  return *cell_of(object) != 0;
}

size_t
gc_finalizers_pressure_bytes(void) {
  size_t bytes = gc_ref_table_young_count(&table) * (gc_finalizer_settings.bytes_each / 100);
  return bytes * gc_atomic_load_relaxed(&dead_eighths) / EIGHTHS;
}

size_t
gc_finalizers_count(void) {
  return gc_ref_table_count(&table);
}

size_t
gc_finalizers_check(void) {
  size_t faults = gc_ref_table_check(&table);
  size_t limit = gc_heap.frontier;
  for (size_t page = 0; (page = gc_page_set_next(gc_heap.referred, page, limit)) < limit; page++)
    faults += gc_ref_table_check_cells(&table, page * GC_PAGE_CELLS, (page + 1) * GC_PAGE_CELLS);
  return faults;
}

static const struct gc_ref_scope everything = {.all = true};

void
gc_finalizers_each(void (*visit)(void *object)) {
  size_t position = 0;
  for (struct gc_ref_item item; (item = gc_ref_scope_next_item(everything, &table, &position)).node;)
    if (!is_cleaner(item.node))
      visit((void *)item.node->key);
}

// ---- Becoming ready ------------------------------------------------------------------------------------

static struct gc_ready_queue *
queue_for(const struct gc_ref_node *node) {
  return gc_queues_at(queue_of(node));
}

// Of what is not in the table any more.  false if memory is refused.
static bool
make_ready(struct gc_ref_item item) {
  const struct gc_ref_node *node = item.node;
  struct gc_ready_queue *queue = queue_for(node);
  if (!gc_ready_reserve(queue))
    return false;
  gc_ready_push(queue, (struct gc_ready_item){
                           .object = is_cleaner(node) ? NULL : (void *)node->key,
                           .function = (void (*)(void))node->object,
                           .data = data_of(node),
                       });
  gc_atomic_store_relaxed(&gc_queues_news, 1);
  free_registration(item);
  return true;
}

static void
register_again(struct gc_ref_item item) {
  gc_ref_table_link(&table, item.index, item.node->key);
}

size_t
gc_finalizers_make_all_ready(void) {
  size_t count = 0, position = 0;
  for (struct gc_ref_item item; (item = gc_ref_scope_next_item(everything, &table, &position)).node;) {
    if (is_cleaner(item.node))
      continue;
    if (!gc_ready_reserve(queue_for(item.node)))
      break; // before it leaves the table, where GC_free would not find it
    gc_ref_table_unlink(&table, item.index);
    count += make_ready(item);
  }
  return count;
}

// ---- Deciding ------------------------------------------------------------------------------------------

// Objects that were found to be in a cycle.
enum { WARNINGS_KEPT = 16 };
static GC_STATE struct {
  uintptr_t objects[WARNINGS_KEPT]; // not to be used, only to be named
  size_t count;
} cycles; // [stw, gc_cycle_lock]

static enum gc_ref_state
state_of(const struct gc_ref_node *node) {
  return gc_ref_state_of(gc_team_own_marker(), node->key);
}

// Finalizers of dead objects, out of the table: lists through `next`.
struct dying {
  uint32_t first, last; // 0: none
};
static GC_STATE struct dying in_order, // they die unless others refer to them
    the_others;                        // NO_ORDER and UNREACHABLE  [stw]

static void
add_dying(struct dying *list, struct gc_ref_item item) {
  item.node->next = 0;
  if (list->last)
    node_at(list->last)->next = item.index;
  else
    list->first = item.index;
  list->last = item.index;
}

static struct gc_ref_item
item_at(uint32_t index) {
  return (struct gc_ref_item){index ? node_at(index) : NULL, index};
}

static bool
is_white(const struct gc_marker *marker, const uint8_t *byte) {
  return marker->view.white >> *byte & 1;
}

static uint8_t *
byte_of(const struct gc_ref_node *node) {
  return gc_heap_byte_at((const void *)node->key);
}

static bool
still_dies(const struct gc_ref_node *node) {
  return is_white(gc_team_own_marker(), byte_of(node));
}

static GC_STATE size_t keepers; // dead objects that keep more than themselves [stw, gc_cycle_lock]

size_t
gc_finalizers_take_keepers(void) {
  size_t taken = keepers;
  keepers = 0;
  return taken;
}

// Mark what an object refers to and all that this leads to; not the object, unless that leads back to it.
static void
mark_contents(uintptr_t object, bool ignore_self) {
  struct gc_marker *marker = gc_team_own_marker();
  gc_marker_scan_object(marker, (const void *)object, ignore_self);
  keepers += marker->stack.top != marker->stack.base;
  gc_marker_drain(marker, NULL);
}

static void
note_cycle(uintptr_t object) {
  if (cycles.count < WARNINGS_KEPT)
    cycles.objects[cycles.count] = object;
  cycles.count++;
  gc_atomic_store_relaxed(&gc_queues_news, 1);
}

static void
keep_once_more(uintptr_t object) {
  mark_contents(object, false);
  *gc_heap_byte_at((const void *)object) = gc_heap.mark;
}

// Without java_finalization, as in libgc, what is registered as unreachable is like any other.
static bool
is_unreachable_sort(enum gc_finalizer_sort sort) {
  return sort == GC_FINALIZER_IS_UNREACHABLE && GC_READ(GC_java_finalization) != 0;
}

// One that is white so far.
static void
look_at_dead(struct gc_ref_item item, const uint8_t *byte) {
  enum gc_finalizer_sort sort = sort_of(item.node);
  gc_ref_table_unlink(&table, item.index);
  add_dying(sort == GC_FINALIZER_IS_NO_ORDER || is_unreachable_sort(sort) ? &the_others : &in_order, item);
  if (sort == GC_FINALIZER_IS_NO_ORDER)
    return;
  mark_contents(item.node->key, sort == GC_FINALIZER_IS_IGNORE_SELF);
  if (!is_white(gc_team_own_marker(), byte))
    note_cycle(item.node->key);
}

// Find the dead.  What they refer to must live until their finalizers have run; so what of it is finalizable
// waits.  What is registered is an object until it is freed, and then forgotten.
static void
find_dead(struct gc_ref_scope scope) {
  const struct gc_marker *marker = gc_team_own_marker();
  size_t position = 0;
  for (struct gc_ref_item item; (item = gc_ref_scope_next_item(scope, &table, &position)).node;) {
    const uint8_t *byte = byte_of(item.node);
    if (is_white(marker, byte) && !is_cleaner(item.node))
      look_at_dead(item, byte);
  }
}

// The contents of a ready object have been marked before.  Refused memory, it lives until the next cycle.
static void
finish(struct gc_ref_item item, uint8_t *byte) {
  uintptr_t object = item.node->key;
  *byte = gc_heap.mark;
  if (!make_ready(item))
    register_again(item);
  else if (gc_finalizer_settings.await)
    gc_finalizer_settings.await((void *)object);
}

static void
finish_in_order(void) {
  const struct gc_marker *marker = gc_team_own_marker();
  for (struct gc_ref_item item = item_at(in_order.first), next; item.node; item = next) {
    uint8_t *byte = byte_of(item.node);
    next = item_at(item.node->next);
    if (is_white(marker, byte))
      finish(item, byte);
    else
      register_again(item);
  }
  in_order = (struct dying){0};
}

static void
register_living_others(void) {
  struct gc_ref_item item = item_at(the_others.first), next;
  for (the_others = (struct dying){0}; item.node; item = next) {
    next = item_at(item.node->next);
    if (still_dies(item.node))
      add_dying(&the_others, item);
    else
      register_again(item);
  }
}

// Unreachable ones still need not live: others may refer to them.
static void
mark_others(void) {
  for (struct gc_ref_item item = item_at(the_others.first); item.node; item = item_at(item.node->next)) {
    if (sort_of(item.node) != GC_FINALIZER_IS_NO_ORDER || !still_dies(item.node))
      continue;
    mark_contents(item.node->key, false);
    *byte_of(item.node) = gc_heap.mark;
  }
  gc_marker_rescan(gc_team_own_marker());
}

static void
finish_others(void) {
  for (struct gc_ref_item item = item_at(the_others.first), next; item.node; item = next) {
    next = item_at(item.node->next);
    if (sort_of(item.node) == GC_FINALIZER_IS_NO_ORDER || still_dies(item.node))
      finish(item, byte_of(item.node));
    else
      register_again(item);
  }
  the_others = (struct dying){0};
}

void
gc_finalizers_settle_stw(struct gc_ref_scope scope) {
  registered_at_start = gc_ref_table_count(&table);
  young_at_start = gc_ref_table_young_count(&table);
  find_dead(scope);
  gc_marker_rescan(gc_team_own_marker());
  register_living_others();
  finish_in_order();
  mark_others();
  finish_others();
}

// Nothing, where none is new, or all of them have been reviewed before the pause.
static void
learn_how_many_die(void) {
  if (young_at_start == 0)
    return;
  size_t dead = registered_at_start - gc_min(registered_at_start, gc_ref_table_count(&table));
  size_t eighths = gc_min(dead, young_at_start) * EIGHTHS / young_at_start;
  gc_atomic_store_relaxed(&dead_eighths, gc_max(eighths, 1));
}

void
gc_finalizers_settle_cleaners_stw(struct gc_ref_scope scope) {
  size_t position = 0;
  for (struct gc_ref_item item;
       cleaners > 0 && (item = gc_ref_scope_next_item(scope, &table, &position)).node;) {
    if (!is_cleaner(item.node) || state_of(item.node) == GC_REF_ALIVE)
      continue;
    uintptr_t object = item.node->key;
    gc_ref_table_unlink(&table, item.index);
    if (make_ready(item))
      continue;
    register_again(item); // refused memory
    keep_once_more(object);
  }
  learn_how_many_die();
  gc_ref_table_forget_young(&table);
  gc_ref_table_contract(&table);
}

// Of the table, when it was last looked ahead in.  It may have contracted since: places beyond its end keep
// their memory, and hold nothing that is linked.  [gc_cycle_lock]
static GC_STATE size_t known_limit;

// Read while it may be removed, and its place be given away, so that what it says may belong to two; but what
// is there then is young, and is looked at with the young.  An old node stays as it is, and linked, until it
// is removed.
GC_NO_SANITIZE static bool
seems_to_need_no_look(const struct gc_marker *marker, const volatile struct gc_ref_node *node) {
  if (!(node->bits & GC_REF_LINKED))
    return true;
  uintptr_t key = node->key;
  return key - marker->view.base < marker->view.bytes &&
         !is_white(marker, gc_heap_byte_at((const void *)key));
}

size_t
gc_finalizers_skip_ahead(size_t position, size_t nodes) {
  const struct gc_marker *marker = gc_team_own_marker();
  size_t limit = gc_min(position + nodes, known_limit);
  while (position < limit && (position == 0 || seems_to_need_no_look(marker, node_at((uint32_t)position))))
    position++;
  return position;
}

bool
gc_finalizers_look_ahead(size_t *position, size_t nodes) {
  size_t limit = gc_min(*position + nodes, gc_ref_table_limit(&table));
  known_limit = gc_ref_table_limit(&table);
  for (; *position < limit; ++*position) {
    uint32_t index = (uint32_t)*position;
    if (index && gc_ref_table_is_linked(&table, index) && still_dies(node_at(index)))
      gc_ref_table_note(&table, index);
  }
  return *position < gc_ref_table_limit(&table);
}

static bool
is_settled(const struct gc_ref_node *node) {
  return !still_dies(node);
}

size_t
gc_finalizers_review(size_t *position, size_t nodes) {
  return gc_ref_table_review_young(&table, position, nodes, is_settled);
}

void
gc_finalizers_warn(void) {
  uintptr_t objects[WARNINGS_KEPT];
  gc_lock_acquire(&gc_lock);
  size_t count = gc_min(cycles.count, WARNINGS_KEPT);
  memcpy(objects, cycles.objects, count * sizeof *objects);
  cycles.count = 0;
  gc_lock_release(&gc_lock);
  for (size_t i = 0; i < count; i++)
    gc_warn("finalization cycle involving %p", objects[i]);
}
