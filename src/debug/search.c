// See search.h.
#include "debug/search.h"

#include "base/check.h"
#include "base/lock.h"
#include "base/valgrind.h"
#include "mark/describe.h"
#include "os/memory.h"
#include "refs/refs.h"
#include "world/world.h"

// Who was found to refer to an object: the address of the word, or one of these.
enum { NOBODY_YET = 0, ITSELF = 1 /* it is uncollectable */ };

struct search {
  uintptr_t hidden_address;
  const char *registers_limit;
  struct gc_description *object;
  struct gc_search_step *steps;
  size_t capacity;
  size_t count; // of steps; the result

  uintptr_t *referrers; // by slot byte
  size_t referrers_bytes;
  struct gc_range_array roots;
  struct gc_range_array finalizer_roots;
  struct gc_range own_stack;
  struct gc_range_array queue; // objects found, of which the first `scanned` have been searched
  size_t scanned;
  bool out_of_memory;
};

static uintptr_t *
referrer_of(struct search *search, struct gc_ref ref) {
  return &search->referrers[ref.byte - gc_heap.slot_bytes];
}

// ---- Tracing -------------------------------------------------------------------------------------------

static void
visit(struct search *search, struct gc_ref ref, uintptr_t referrer) {
  if (*referrer_of(search, ref) != NOBODY_YET)
    return;
  *referrer_of(search, ref) = referrer;
  if (gc_kind_is_pointer_free(ref.kind))
    return;
  if (!gc_range_array_push(&search->queue, (struct gc_range){ref.start, ref.start + ref.bytes}))
    search->out_of_memory = true;
}

static bool
counts_in_heap(struct gc_ref ref, uintptr_t word) {
  size_t displacement = word - (uintptr_t)ref.start;
  return gc_heap.all_interior_pointers ||
         (displacement < GC_DISPLACEMENTS_MAX && gc_heap_displacements[displacement]);
}

// `at` is where the word was found.
static void
visit_word(struct search *search, uintptr_t word, const uintptr_t *at, bool root) {
  struct gc_ref ref = gc_heap_resolve((const void *)word);
  if (ref.start && (root || counts_in_heap(ref, word)))
    visit(search, ref, (uintptr_t)at);
  if (!root)
    return;
  struct gc_ref before = gc_heap_resolve((const void *)(word - 1));
  if (before.start && (uintptr_t)before.start + before.bytes == word && gc_kind_may_end_at_next(before.kind))
    visit(search, before, (uintptr_t)at);
}

GC_NO_SANITIZE static void
visit_range(struct search *search, struct gc_range range, bool root) {
  const uintptr_t *word = (const uintptr_t *)gc_round_up((uintptr_t)range.base, GC_WORD_BYTES);
  for (; (const char *)(word + 1) <= range.limit; word++)
    visit_word(search, *word, word, root);
}

struct search_visitor {
  struct gc_visitor visitor; // first
  struct search *search;
};

static void
visit_described_word(struct gc_visitor *visitor, uintptr_t word, const void *at) {
  visit_word(((struct search_visitor *)(void *)visitor)->search, word, at, false);
}

static void
visit_object(struct search *search, struct gc_range object) {
  struct search_visitor described = {{.word = visit_described_word}, search};
  unsigned kind = gc_heap.pages[gc_heap_page_of(object.base)].kind;
  size_t bytes = gc_range_bytes(object);
  if (gc_kind_is_described(kind))
    gc_describe(&described.visitor, object.base, bytes, gc_describe_object(object.base, bytes, kind));
  else
    visit_range(search, object, false);
}

static void
drain(struct search *search) {
  while (search->scanned < search->queue.count)
    visit_object(search, search->queue.items[search->scanned++]);
}

static void
visit_uncollectable(struct search *search) {
  for (uint32_t page = 1; page < gc_heap.frontier; page += gc_heap.infos[page].span_pages) {
    if (gc_heap.pages[page].line == 0 || !gc_kind_is_uncollectable(gc_heap.pages[page].kind))
      continue;
    size_t slot_bytes = gc_heap.pages[page].slot_granules * GC_GRANULE_BYTES;
    for (size_t slot = 0; slot < gc_heap.infos[page].slots; slot++) {
      struct gc_ref ref = gc_heap_resolve(gc_heap_page_address(page) + slot * slot_bytes);
      if (ref.start)
        visit(search, ref, ITSELF);
    }
  }
}

static bool
is_within(struct gc_range range, const void *address) {
  return range.base <= (const char *)address && (const char *)address < range.limit;
}

// What the innermost frames hold comes last.
GC_NO_SANITIZE static void
visit_own_stack(struct search *search) {
  const uintptr_t *base = (const uintptr_t *)gc_round_up((uintptr_t)search->own_stack.base, GC_WORD_BYTES);
  const uintptr_t *word = (const uintptr_t *)gc_round_down((uintptr_t)search->own_stack.limit, GC_WORD_BYTES);
  while (word-- > base) {
    visit_word(search, *word, word, true);
    drain(search);
  }
}

static void
trace(struct search *search) {
  for (size_t i = 0; i < search->roots.count; i++)
    if (is_within(search->roots.items[i], search))
      search->own_stack = search->roots.items[i];
    else
      visit_range(search, search->roots.items[i], true);
  drain(search);
  visit_uncollectable(search);
  drain(search);
  visit_own_stack(search);
}

// ---- The way -------------------------------------------------------------------------------------------

static enum gc_search_source
source_of_root(const struct search *search, const char *at) {
  if (is_within((struct gc_range){search->own_stack.base, search->registers_limit}, at))
    return GC_SEARCH_FROM_REGISTER;
  for (size_t i = 0; i < search->finalizer_roots.count; i++)
    if (is_within(search->finalizer_roots.items[i], at))
      return GC_SEARCH_FROM_FINALIZER;
  return GC_SEARCH_FROM_ROOT;
}

static struct gc_search_step
make_step(const struct search *search, uintptr_t referrer, struct gc_ref *ref) {
  if (referrer == NOBODY_YET || referrer == ITSELF)
    return (struct gc_search_step){.source = GC_SEARCH_FROM_NOWHERE};
  const char *at = (const char *)referrer;
  *ref = gc_heap_resolve(at);
  if (ref->start)
    return (struct gc_search_step){GC_SEARCH_FROM_OBJECT, at, gc_description_of(*ref)};
  return (struct gc_search_step){.source = source_of_root(search, at), .at = at};
}

static void
go_back(struct search *search, struct gc_ref ref) {
  struct gc_search_step step;
  *search->object = gc_description_of(ref);
  do {
    step = make_step(search, *referrer_of(search, ref), &ref);
    if (search->count < search->capacity)
      search->steps[search->count] = step;
    search->count++;
  } while (step.source == GC_SEARCH_FROM_OBJECT);
}

// ---- Around it -----------------------------------------------------------------------------------------

// Slots that caches have not handed out yet are no objects.
static void
shield_caches(bool on) {
  for (struct gc_thread *thread = gc_thread_first(); thread; thread = gc_thread_next(thread))
    if (on)
      gc_cache_shield_stw(&thread->cache);
    else
      gc_cache_unshield_stw(&thread->cache);
}

static void
search_stw(void *search_) {
  struct search *search = search_;
  GC_VALGRIND_BEGIN_CONSERVATIVE();
  shield_caches(true);
  struct gc_ref ref = gc_heap_resolve((const void *)~search->hidden_address);
  search->referrers_bytes = (size_t)gc_heap.lines_frontier * GC_LINE_SLOTS * sizeof *search->referrers;
  search->referrers = ref.start ? gc_os_map_sparse(search->referrers_bytes) : NULL;
  if (search->referrers && gc_roots_collect_stw(&search->roots) &&
      gc_refs_roots_stw(&search->finalizer_roots)) {
    trace(search);
    go_back(search, ref);
  } else if (ref.start) {
    search->out_of_memory = true;
    *search->steps = (struct gc_search_step){.source = GC_SEARCH_FROM_NOWHERE};
    *search->object = gc_description_of(ref);
  }
  shield_caches(false);
  GC_VALGRIND_END_CONSERVATIVE();
}

static void *
search_spilled(void *search) {
  gc_world_call_stopped(search_stw, search);
  return NULL;
}

static void
forget_array(struct gc_range_array *array) {
  if (array->items)
    gc_os_unmap(array->items, array->capacity * sizeof *array->items);
}

size_t
gc_search(uintptr_t hidden_address, const void *registers_limit, struct gc_description *object,
          struct gc_search_step *steps, size_t capacity) {
  struct search search = {
      .hidden_address = hidden_address,
      .registers_limit = registers_limit,
      .object = object,
      .steps = steps,
      .capacity = capacity,
  };
  *steps = (struct gc_search_step){.source = GC_SEARCH_NO_OBJECT};
  gc_lock_acquire(&gc_cycle_lock);
  gc_world_call_spilled(search_spilled, &search);
  gc_lock_release(&gc_cycle_lock);
  if (search.referrers)
    gc_os_unmap_sparse(search.referrers, search.referrers_bytes);
  forget_array(&search.roots);
  forget_array(&search.finalizer_roots);
  forget_array(&search.queue);
  if (search.out_of_memory)
    gc_warn("no memory to find out who refers to %p", ~hidden_address);
  return gc_max(search.count, 1);
}
