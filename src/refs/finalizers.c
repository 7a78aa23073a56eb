// Finalizers and cleaners.  See finalizers.h.
#include "refs/finalizers.h"

#include <string.h>

#include "base/check.h"
#include "base/lock.h"
#include "base/variables.h"
#include "heap/heap.h"
#include "mark/team.h"
#include "os/memory.h"
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

// ---- Registrations -------------------------------------------------------------------------------------

static struct gc_ref_node *
node_at(uint32_t index) {
  return gc_ref_table_node(&table, index);
}

static enum gc_finalizer_sort
sort_of_node(const struct gc_ref_node *node) {
  return (enum gc_finalizer_sort)(node->bits >> SORT_SHIFT);
}

static enum gc_finalizer_sort
sort_of(uint32_t index) {
  return sort_of_node(node_at(index));
}

static bool
is_cleaner(uint32_t index) {
  return sort_of(index) == GC_FINALIZER_IS_CLEANER;
}

static uintptr_t
object_of(uint32_t index) {
  return node_at(index)->key;
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
read_registration(uint32_t index, struct gc_registration *registration) {
  const struct gc_ref_node *node = node_at(index);
  registration->function = (void (*)(void))node->object;
  registration->data = data_of(node);
  registration->sort = sort_of_node(node);
  registration->queue = queue_of(node);
}

static void
write_registration(uint32_t index, const struct gc_registration *new) {
  struct gc_ref_node *node = node_at(index);
  node->object = (uintptr_t) new->function;
  bool strong = is_strong(new);
  node->value = strong ? (uintptr_t) new->queue << 32 | gc_strong_take(new->data) : (uintptr_t) new->data;
  node->bits = (node->bits & ((1u << GC_REF_BITS) - 1)) | (strong ? IS_STRONG : 0) |
               (uint32_t) new->sort << SORT_SHIFT;
}

// Of a registration that is not in the table any more.
static void
free_registration(uint32_t index) {
  cleaners -= is_cleaner(index);
  free_strong_word(node_at(index));
  gc_ref_table_free(&table, index);
}

static void
remove_registration(uint32_t index) {
  gc_ref_table_unlink(&table, index);
  free_registration(index);
}

static bool
is_object(const void *address) {
  return gc_ref_is_of(gc_heap_resolve(address), (uintptr_t)address);
}

static uint32_t
find_finalizer(const void *object) {
  uint32_t index = gc_ref_table_find(&table, (uintptr_t)object);
  while (index && is_cleaner(index))
    index = gc_ref_table_find_next(&table, index);
  return index;
}

static enum gc_registered
add(void *object, const struct gc_registration *new) {
  if (!is_object(object))
    return GC_NOT_AN_OBJECT;
  if (!gc_ref_table_reserve(&table))
    return GC_NO_ROOM;
  write_registration(gc_ref_table_add(&table, (uintptr_t)object), new);
  cleaners += new->sort == GC_FINALIZER_IS_CLEANER;
  size_t page = gc_heap_page_of(object);
  if (!gc_page_set_has(gc_heap.referred, page))
    gc_page_set_add(gc_heap.referred, page);
  return GC_REGISTERED;
}

static void
replace(uint32_t index, const struct gc_registration *new) {
  free_strong_word(node_at(index));
  write_registration(index, new);
}

static bool
lacks_strong_room(const struct gc_registration *new) {
  return new->data &&is_strong(new) && !gc_strong_has_room();
}

enum gc_registered
gc_finalizers_register(void *object, const struct gc_registration *new, struct gc_registration *old) {
  if (lacks_strong_room(new))
    return GC_NO_STRONG_ROOM;
  uint32_t index = find_finalizer(object);
  if (index)
    read_registration(index, old);
  if (!new->function) {
    if (index)
      remove_registration(index);
    return GC_REGISTERED;
  }
  if (!index)
    return add(object, new);
  replace(index, new);
  return GC_REGISTERED;
}

enum gc_registered
gc_finalizers_add_cleaner(void *object, const struct gc_registration *cleaner) {
  return lacks_strong_room(cleaner) ? GC_NO_STRONG_ROOM : add(object, cleaner);
}

static bool
is_that_cleaner(uint32_t index, void (*function)(void), const void *data) {
  struct gc_registration registration;
  read_registration(index, &registration);
  return registration.sort == GC_FINALIZER_IS_CLEANER && registration.function == function &&
         registration.data == data;
}

bool
gc_finalizers_remove_cleaner(void *object, void (*function)(void), void *data) {
  uint32_t index = gc_ref_table_find(&table, (uintptr_t)object);
  while (index && !is_that_cleaner(index, function, data))
    index = gc_ref_table_find_next(&table, index);
  if (index)
    remove_registration(index);
  return index != 0;
}

void
gc_finalizers_forget(void *object) {
  for (uint32_t index; (index = gc_ref_table_find(&table, (uintptr_t)object)) != 0;)
    remove_registration(index);
}

size_t
gc_finalizers_pressure_bytes(void) {
  return gc_ref_table_young_count(&table) * (gc_finalizer_settings.bytes_each / 100);
}

size_t
gc_finalizers_count(void) {
  return gc_ref_table_count(&table);
}

size_t
gc_finalizers_check(void) {
  return gc_ref_table_check(&table);
}

void
gc_finalizers_each(void (*visit)(void *object)) {
  size_t position = 0;
  for (uint32_t index;
       (index = gc_ref_scope_next((struct gc_ref_scope){.all = true}, &table, &position)) != 0;)
    if (!is_cleaner(index))
      visit((void *)object_of(index));
}

// ---- Becoming ready ------------------------------------------------------------------------------------

// Of a node that is not in the table any more.  false if memory is refused.
static bool
make_ready(uint32_t index) {
  const struct gc_ref_node *node = node_at(index);
  struct gc_ready_queue *queue = gc_queues_at(queue_of(node));
  if (!gc_ready_reserve(queue))
    return false;
  gc_ready_push(queue, (struct gc_ready_item){
                           .object = is_cleaner(index) ? NULL : (void *)node->key,
                           .function = (void (*)(void))node->object,
                           .data = data_of(node),
                       });
  gc_atomic_store_relaxed(&gc_queues_news, 1);
  free_registration(index);
  return true;
}

size_t
gc_finalizers_make_all_ready(void) {
  size_t count = 0, position = 0;
  for (uint32_t index;
       (index = gc_ref_scope_next((struct gc_ref_scope){.all = true}, &table, &position)) != 0;)
    if (!is_cleaner(index)) {
      uintptr_t object = object_of(index);
      gc_ref_table_unlink(&table, index);
      if (!make_ready(index)) {
        gc_ref_table_link(&table, index, object);
        break;
      }
      count++;
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
state_of(uint32_t index) {
  return gc_ref_state_of(gc_team_own_marker(), object_of(index));
}

// Dead objects with finalizers, and where their marks are.  Without memory for one it lives until the next
// cycle.
struct dying {
  uint8_t *byte;
  uint32_t index;
};

static GC_STATE struct {
  struct dying *items;
  size_t count, capacity;
} dying; // [stw]

static bool
reserve_dying(void) {
  if (dying.count < dying.capacity)
    return true;
  void *grown = gc_os_grow(dying.items, &dying.capacity, sizeof(struct dying));
  if (grown)
    dying.items = grown;
  return grown != NULL;
}

static bool
is_white(const struct gc_marker *marker, uint8_t byte) {
  return marker->view.white >> byte & 1;
}

static bool
still_dies(struct dying item) {
  return is_white(gc_team_own_marker(), *item.byte);
}

// Its contents have been marked before.
static void
mark_only(struct dying item) {
  *item.byte = gc_heap.mark;
}

// Mark what an object refers to and all that this leads to; not the object, unless that leads back to it.
static void
mark_contents(uintptr_t object, bool ignore_self) {
  struct gc_marker *marker = gc_team_own_marker();
  gc_marker_scan_object(marker, (const void *)object, ignore_self);
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

// One that is white so far.
static void
look_at_dead(uint32_t index, const struct gc_ref_node *node, uint8_t *byte) {
  enum gc_finalizer_sort sort = sort_of_node(node);
  if (!reserve_dying()) {
    keep_once_more(node->key);
    return;
  }
  struct dying item = dying.items[dying.count++] = (struct dying){byte, index};
  if (sort == GC_FINALIZER_IS_NO_ORDER)
    return;
  mark_contents(node->key, sort == GC_FINALIZER_IS_IGNORE_SELF);
  if (!still_dies(item))
    note_cycle(node->key);
}

// Find the dead.  What they refer to must live until their finalizers have run; so what of it is finalizable
// waits.  What is registered is an object until it is freed, and then forgotten.
static void
find_dead(struct gc_ref_scope scope) {
  const struct gc_marker *marker = gc_team_own_marker();
  size_t position = 0;
  dying.count = 0;
  for (uint32_t index; (index = gc_ref_scope_next(scope, &table, &position)) != 0;) {
    const struct gc_ref_node *node = node_at(index);
    uint8_t *byte = gc_heap_byte_at((const void *)node->key);
    if (is_white(marker, *byte) && sort_of_node(node) != GC_FINALIZER_IS_CLEANER)
      look_at_dead(index, node, byte);
  }
}

// Those that are still dead are no longer registered.
static void
unregister_dead(void) {
  size_t kept = 0;
  for (size_t i = 0; i < dying.count; i++) {
    if (!still_dies(dying.items[i]))
      continue;
    gc_ref_table_unlink(&table, dying.items[i].index);
    dying.items[kept++] = dying.items[i];
  }
  dying.count = kept;
}

// Without java_finalization, as in libgc, what is registered as unreachable is like any other.
static bool
is_unreachable_sort(uint32_t index) {
  return sort_of(index) == GC_FINALIZER_IS_UNREACHABLE && GC_READ(GC_java_finalization) != 0;
}

// Unreachable ones still need not live: others may refer to them.
static void
mark_dead(void) {
  for (size_t i = 0; i < dying.count; i++) {
    struct dying item = dying.items[i];
    if (!still_dies(item))
      continue;
    if (sort_of(item.index) == GC_FINALIZER_IS_NO_ORDER)
      mark_contents(object_of(item.index), false);
    if (!is_unreachable_sort(item.index))
      mark_only(item);
  }
}

static void
register_again(uint32_t index) {
  gc_ref_table_link(&table, index, object_of(index));
}

// Refused memory, it lives until the next cycle.
static void
finish_dead(struct dying item) {
  bool revived = is_unreachable_sort(item.index) && !still_dies(item);
  uintptr_t object = object_of(item.index);
  mark_only(item);
  if (revived || !make_ready(item.index))
    register_again(item.index);
  else if (gc_finalizer_settings.await)
    gc_finalizer_settings.await((void *)object);
}

void
gc_finalizers_settle_stw(struct gc_ref_scope scope) {
  find_dead(scope);
  gc_marker_rescan(gc_team_own_marker());
  unregister_dead();
  mark_dead();
  gc_marker_rescan(gc_team_own_marker());
  for (size_t i = 0; i < dying.count; i++)
    finish_dead(dying.items[i]);
}

void
gc_finalizers_settle_cleaners_stw(struct gc_ref_scope scope) {
  size_t position = 0;
  for (uint32_t index; cleaners > 0 && (index = gc_ref_scope_next(scope, &table, &position)) != 0;) {
    if (!is_cleaner(index) || state_of(index) == GC_REF_ALIVE)
      continue;
    gc_ref_table_unlink(&table, index);
    if (make_ready(index))
      continue;
    register_again(index); // refused memory
    keep_once_more(object_of(index));
  }
  gc_ref_table_forget_young(&table);
  gc_ref_table_contract(&table);
}

bool
gc_finalizers_look_ahead(size_t *position, size_t nodes) {
  size_t limit = gc_min(*position + nodes, gc_ref_table_limit(&table));
  for (; *position < limit; ++*position) {
    uint32_t index = (uint32_t)*position;
    if (index && gc_ref_table_is_linked(&table, index) && state_of(index) != GC_REF_ALIVE)
      gc_ref_table_note(&table, index);
  }
  return *position < gc_ref_table_limit(&table);
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
