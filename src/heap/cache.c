// Thread caches: how they find runs of free slots.  See cache.h.
#include "heap/cache.h"

#include <string.h>

#include "base/hooks.h"
#include "base/lock.h"
#include "heap/gaps.h"
#include "heap/heap.h"
#include "heap/slot_bytes_inl.h"
#include "heap/sweep.h"

__thread __attribute__((used)) struct gc_cache *gc_cache_current GC_CACHE_CURRENT_ATTRIBUTES;
void (*gc_cache_stop_now)(void);
size_t gc_cache_window_bytes = GC_CACHE_WINDOW_BYTES;

uint16_t gc_cache_normal_run[GC_LOOKUP_BYTES_MAX + 1];
uint16_t gc_cache_run[GC_LOOKUP_BYTES_MAX / GC_GRANULE_BYTES + 1];

void
gc_cache_init(void) {
  for (size_t bytes = 0; bytes <= GC_LOOKUP_BYTES_MAX; bytes++) {
    size_t class_offset = gc_class_of(bytes) * sizeof(struct gc_run);
    gc_cache_run[(bytes + GC_GRANULE_BYTES - 1) >> GC_GRANULE_SHIFT] = (uint16_t)class_offset;
    gc_cache_normal_run[bytes] = (uint16_t)gc_cache_run_of(bytes, gc_kind_of_normal(bytes));
  }
}

// Runs a body for each run in use: `run`, `kind` and `class` are set.
#define FOR_EACH_USED_RUN(cache, run)                                         \
  for (unsigned index_ = next_used(cache, 0); index_ < GC_KINDS * GC_CLASSES; \
       index_ = next_used(cache, index_ + 1))                                 \
    for (struct gc_run *run = &(cache)->runs[index_ / GC_CLASSES][index_ % GC_CLASSES]; run; run = NULL)

static unsigned
next_used(const struct gc_cache *cache, unsigned index) {
  while (index < GC_KINDS * GC_CLASSES) {
    uint64_t left = cache->used[index / 64] >> (index % 64);
    if (left)
      return index + (unsigned)__builtin_ctzll(left);
    index = (index / 64 + 1) * 64;
  }
  return index;
}

static uint8_t *
run_slot_bytes(const struct gc_run *run) {
  return gc_heap_slot_bytes(gc_heap.pages[run->page].line);
}

// The number of the slot at `address`, or the number of slots in the span if it lies behind the last.
static size_t
slot_number(const struct gc_run *run, const char *address) {
  size_t offset = (size_t)(address - gc_heap_page_address(run->page));
  return (offset >> GC_GRANULE_SHIFT) * gc_heap.pages[run->page].reciprocal >> GC_RECIPROCAL_SHIFT;
}

// Make a window of the run ready for use.
static void
extend_window(struct gc_run *run, unsigned kind, size_t slot_bytes) {
  size_t left = (size_t)(run->run_limit - run->limit);
  size_t window = gc_min(left, gc_max(slot_bytes, gc_cache_window_bytes / slot_bytes * slot_bytes));
  if (!run->fresh && !gc_kind_is_pointer_free(kind))
    memset(run->limit, 0, window);
  run->limit += window;
}

// Move on to the next run of free slots in the owned page.  false at the page's end.
//
// A concurrent marker may come upon each of them from here on, before it is an object.  What a descriptor
// is found by must not be what was there before, so slots of these kinds are cleared at once.
static bool
next_run(struct gc_cache *cache, struct gc_run *run, unsigned kind, const struct gc_class *class) {
  if (run->page == 0)
    return false;
  uint8_t *bytes = run_slot_bytes(run);
  size_t first = gc_slots_find_free(bytes, run->next_slot, class->slots);
  size_t limit = gc_slots_find_used(bytes, first, class->slots);
  run->next_slot = (uint16_t)limit;
  if (first == limit)
    return false;
  char *base = gc_heap_page_address(run->page);
  run->cursor = run->limit = base + first * class->slot_bytes;
  run->run_limit = base + limit * class->slot_bytes;
  if (gc_kind_is_described(kind)) {
    if (!run->fresh)
      memset(run->cursor, 0, (size_t)(run->run_limit - run->cursor));
    run->limit = run->run_limit;
    gc_atomic_fence(); // gc_marker_scan_described
  }
  memset(bytes + first, gc_heap.birth, limit - first);
  cache->allocated_bytes += (limit - first) * class->slot_bytes;
  return true;
}

static void *
take_freed(struct gc_cache *cache, struct gc_run *run, unsigned kind, size_t slot_bytes) {
  void *slot = run->freed;
  run->freed = *(void **)slot;
  if (gc_kind_is_pointer_free(kind))
    *(void **)slot = NULL;
  else
    memset(slot, 0, slot_bytes);
  if (gc_kind_is_described(kind))
    gc_atomic_fence(); // gc_marker_scan_described
  *gc_heap_slot_at(slot).byte = gc_heap.birth;
  cache->allocated_bytes += slot_bytes;
  return slot;
}

// Have a slot between cursor and limit.  There is one already where slots are not taken by gc_cache_bump.
static bool
have_ready_slot(struct gc_cache *cache, struct gc_run *run, unsigned kind, const struct gc_class *class) {
  if (run->cursor != run->limit)
    return true;
  if (run->limit == run->run_limit && !next_run(cache, run, kind, class))
    return false;
  if (run->limit != run->run_limit)
    extend_window(run, kind, class->slot_bytes);
  return true;
}

void *
gc_cache_next(struct gc_cache *cache, unsigned kind, unsigned class_index) {
  struct gc_run *run = &cache->runs[kind][class_index];
  const struct gc_class *class = &gc_classes[class_index];
  void *slot = NULL;
  gc_cache_enter(cache);
  if (run->cursor == run->run_limit && run->freed) {
    slot = take_freed(cache, run, kind, class->slot_bytes);
  } else if (have_ready_slot(cache, run, kind, class)) {
    slot = run->cursor;
    run->cursor += class->slot_bytes;
  }
  gc_cache_leave(cache);
  return slot;
}

// ---- Chains --------------------------------------------------------------------------------------------

struct chain {
  void **last;           // where the address of the next slot goes
  size_t left;           // how many more are wanted
  size_t clear_granules; // of each
};

GC_INLINE void
append(struct chain *chain, void *slot) {
  void **words = slot;
  for (size_t granule = 0; granule < chain->clear_granules; granule++) {
    GC_OPAQUE(granule); // or the compiler would call memset, for 16 bytes as often as not
    words[2 * granule] = words[2 * granule + 1] = NULL;
  }
  *chain->last = slot;
  chain->last = slot;
  chain->left--;
}

static void
append_run(struct gc_run *run, size_t slot_bytes, struct chain *chain) {
  for (; run->cursor != run->run_limit && chain->left > 0; run->cursor += slot_bytes)
    append(chain, run->cursor);
  if (run->limit < run->cursor)
    run->limit = run->cursor;
}

// Free slots of the owned page, each by itself: where there are many holes they are small.
static void
append_page(struct gc_cache *cache, struct gc_run *run, const struct gc_class *class, struct chain *given) {
  struct chain chain = *given;
  uint8_t *bytes = run_slot_bytes(run), birth = gc_heap.birth;
  char *base = gc_heap_page_address(run->page);
  size_t slot = run->next_slot, slots = class->slots, slot_bytes = class->slot_bytes;
  while (slot < slots && chain.left > 0) {
    size_t eight = slot / 8 * 8;
    uint64_t free = gc_slots_of_eight(bytes, slot, GC_SLOT_FREE);
    for (slot = eight + 8; free; free &= free - 1) {
      size_t found = eight + gc_slots_first(free);
      if (found >= slots || chain.left == 0) {
        slot = found;
        break;
      }
      bytes[found] = birth;
      append(&chain, base + found * slot_bytes);
    }
  }
  run->next_slot = (uint16_t)gc_min(slot, slots);
  cache->allocated_bytes += (given->left - chain.left) * slot_bytes;
  *given = chain;
}

size_t
gc_cache_chain(struct gc_cache *cache, unsigned kind, unsigned class_index, size_t most,
               void *volatile *list) {
  struct gc_run *run = &cache->runs[kind][class_index];
  const struct gc_class *class = &gc_classes[class_index];
  bool clear = !run->fresh && !gc_kind_is_pointer_free(kind);
  void *before = *list, *first = before;
  struct chain chain = {&first, most, clear ? class->slot_bytes / GC_GRANULE_BYTES : 0};
  gc_cache_enter(cache);
  append_run(run, class->slot_bytes, &chain);
  while (run->freed && chain.left > 0)
    append(&chain, take_freed(cache, run, kind, class->slot_bytes));
  if (run->page)
    append_page(cache, run, class, &chain);
  *chain.last = before;
  *list = first;
  gc_cache_leave(cache);
  return most - chain.left;
}

// ---- Pages ---------------------------------------------------------------------------------------------

static uint32_t *
list_head(const struct gc_page_info *info, uint32_t page) {
  return &gc_heap.lists[gc_heap.pages[page].kind][info->class][info->listed - 1];
}

void
gc_page_list(uint32_t page) {
  struct gc_page_info *info = &gc_heap.infos[page];
  info->listed = (uint8_t)(info->free_slots * GC_EMPTINESS / (info->slots + 1u) + 1);
  uint32_t *head = list_head(info, page);
  info->previous = 0;
  info->next = *head;
  if (info->next)
    gc_heap.infos[info->next].previous = page;
  *head = page;
}

void
gc_page_unlist(uint32_t page) {
  struct gc_page_info *info = &gc_heap.infos[page];
  if (info->listed == 0)
    return;
  if (info->next)
    gc_heap.infos[info->next].previous = info->previous;
  if (info->previous)
    gc_heap.infos[info->previous].next = info->next;
  else
    *list_head(info, page) = info->next;
  info->listed = 0;
}

static uint32_t
pop_listed_page(unsigned kind, unsigned class, unsigned emptiness) {
  uint32_t page = gc_heap.lists[kind][class][emptiness];
  if (page)
    gc_page_unlist(page);
  return page;
}

// Turn free pages into a span of slots.
static uint32_t
make_span(unsigned kind, unsigned class_index) {
  const struct gc_class *class = &gc_classes[class_index];
  uint32_t line = gc_line_allocate(class->slots);
  if (line == 0)
    return 0;
  bool clean;
  uint32_t page = gc_span_allocate(class->span_pages, kind, &clean);
  if (page == 0) {
    gc_line_free(line, class->slots);
    return 0;
  }
  struct gc_page_info *info = &gc_heap.infos[page];
  info->slots = info->free_slots = class->slots;
  info->class = (uint8_t)class_index;
  info->flags = clean ? GC_PAGE_FRESH : 0;
  for (uint32_t i = 0; i < class->span_pages; i++)
    gc_page_publish(&gc_heap.pages[page + i],
                    (struct gc_page){
                        .reciprocal = class->reciprocal,
                        .span_offset = i,
                        .line = line,
                        .slot_granules = (uint16_t)(class->slot_bytes / GC_GRANULE_BYTES),
                        .kind = (uint8_t)kind,
                        .state = GC_PAGE_SLOTS,
                    });
  gc_span_enter(page, class->span_pages, kind);
  return page;
}

static uint32_t
make_span_of_dirty(unsigned kind, unsigned class) {
  return gc_heap.dirty_pages >= gc_classes[class].span_pages ? make_span(kind, class) : 0;
}

// The emptiest page that is at least so empty.
static uint32_t
pop_roomy_page(unsigned kind, unsigned class, unsigned least) {
  uint32_t page = 0;
  for (unsigned emptiness = GC_EMPTINESS; page == 0 && emptiness-- > least;)
    page = pop_listed_page(kind, class, emptiness);
  return page;
}

// Emptier pages first, for their long runs.  With generations, pages with no or few old objects before all
// others: what those hold is searched in a minor cycle.
static uint32_t
find_roomy_page(unsigned kind, unsigned class) {
  uint32_t page = pop_roomy_page(kind, class, gc_heap.roomy_first);
  if (page == 0)
    page = make_span_of_dirty(kind, class);
  return page || gc_heap.roomy_first == GC_ROOMY ? page : pop_roomy_page(kind, class, GC_ROOMY);
}

// Nearly full pages only before the heap would take memory from the system; and before either, what a sweep
// under way has not come to.
static uint32_t
find_page(unsigned kind, unsigned class) {
  enum { SWEPT_AT_ONCE = 64 };
  uint32_t page;
  do
    page = find_roomy_page(kind, class);
  while (page == 0 && gc_sweep_some(SWEPT_AT_ONCE));
  page = page ? page : pop_listed_page(kind, class, 0);
  return page ? page : make_span(kind, class);
}

bool
gc_cache_take_page(struct gc_cache *cache, unsigned kind, unsigned class) {
  struct gc_run *run = &cache->runs[kind][class];
  gc_cache_flush_counts(cache);
  if (run->page)
    gc_heap.infos[run->page].flags = 0;
  run->page = 0;
  uint32_t page = find_page(kind, class);
  if (page == 0)
    return false;
  struct gc_page_info *info = &gc_heap.infos[page];
  run->fresh = (info->flags & GC_PAGE_FRESH) != 0;
  run->next_slot = 0;
  run->page = page;
  run->slot_bytes = (uint16_t)gc_classes[class].slot_bytes;
  info->flags = GC_PAGE_OWNED;
  gc_span_open(page);
  gc_page_set_add(gc_heap.young, page);
  unsigned index = kind * GC_CLASSES + class;
  cache->used[index / 64] |= (uint64_t)1 << (index % 64);
  return true;
}

// Begin to change the slots of a page: a sweep under way must not come to it afterwards, so it is swept
// first.
static void
enter_swept(struct gc_cache *cache, uint32_t page) {
  gc_cache_enter(cache);
  while (GC_UNLIKELY(gc_page_set_has(gc_heap.unswept, page))) {
    gc_cache_leave(cache);
    gc_lock_acquire(&gc_lock);
    gc_sweep_page(page);
    gc_lock_release(&gc_lock);
    gc_cache_enter(cache);
  }
}

void
gc_cache_free(struct gc_cache *cache, struct gc_ref ref) {
  unsigned class = gc_heap.infos[ref.page].class;
  unsigned index = ref.kind * GC_CLASSES + class;
  struct gc_run *run = &cache->runs[ref.kind][class];
  enter_swept(cache, ref.page);
  if (GC_UNLIKELY(gc_tunables.verify))
    gc_page_set_add(gc_heap.reused, ref.page);
  if (!gc_page_set_has(gc_heap.young, ref.page))
    gc_page_set_add(gc_heap.young, ref.page); // the next cycle sweeps it
  *ref.byte = gc_heap.held;
  if (gc_heap.marking && gc_kind_is_described(ref.kind))
    memset(ref.start, 0, ref.bytes); // a marker that has found it may still look for its descriptor
  *(void **)(void *)ref.start = run->freed;
  run->freed = ref.start;
  cache->used[index / 64] |= (uint64_t)1 << (index % 64);
  cache->freed_bytes += gc_classes[class].slot_bytes;
  gc_cache_leave(cache);
}

// ---- Collections ---------------------------------------------------------------------------------------

static void
set_unused_slots(const struct gc_run *run, uint8_t value) {
  if (run->cursor == run->run_limit)
    return;
  size_t first = slot_number(run, run->cursor);
  size_t limit = slot_number(run, run->run_limit - GC_GRANULE_BYTES) + 1;
  memset(run_slot_bytes(run) + first, value, limit - first);
}

size_t
gc_cache_shield_stw(struct gc_cache *cache) {
  size_t bytes = 0;
  FOR_EACH_USED_RUN(cache, run) {
    set_unused_slots(run, gc_heap.held);
    bytes += (size_t)(run->run_limit - run->cursor);
  }
  gc_cache_flush_counts(cache);
  return bytes;
}

void
gc_cache_unshield_stw(struct gc_cache *cache) {
  FOR_EACH_USED_RUN(cache, run)
  set_unused_slots(run, gc_heap.birth);
}

void
gc_cache_forget_freed_stw(struct gc_cache *cache) {
  FOR_EACH_USED_RUN(cache, run)
  run->freed = NULL;
}

void
gc_cache_sweep_owned_stw(struct gc_cache *cache) {
  FOR_EACH_USED_RUN(cache, run) {
    if (run->page == 0)
      continue;
    gc_sweep_page(run->page);
    gc_page_set_add(gc_heap.young, run->page);
  }
}

// What was handed out and never allocated no longer counts as allocated, nor as carried over from the last
// cycle.
static void
uncount(size_t unused_bytes) {
  size_t carried_bytes = gc_min(unused_bytes, gc_heap.carried_bytes);
  gc_heap.carried_bytes -= carried_bytes;
  gc_heap.allocated_bytes -= unused_bytes - carried_bytes;
}

// The slot at the cursor stays the thread's own, since it may have been stopped with it in a register; save
// where slots are not taken by gc_cache_bump.
static char *
end_of_kept(const struct gc_run *run) {
  size_t slot_bytes = gc_classes[gc_heap.infos[run->page].class].slot_bytes;
  bool may_be_loaded = slot_bytes <= GC_LOOKUP_BYTES_MAX && run->cursor != run->limit;
  return may_be_loaded ? run->cursor + slot_bytes : run->cursor;
}

// Where nothing is allocated writes may be noticed, and memory is not needed.
static void
set_idle(uint32_t page, bool idle) {
  struct gc_page_info *info = &gc_heap.infos[page];
  bool before = info->flags & GC_PAGE_IDLE;
  if (idle) {
    info->flags |= GC_PAGE_IDLE;
    if (before)
      gc_gaps_rest(page);
  } else if (before) {
    info->flags = GC_PAGE_OWNED;
    gc_span_open(page);
  }
}

// If no slot is kept the page is anybody's, and the sweep frees it if nothing is left in it.
static void
give_up_rest(struct gc_run *run) {
  if (run->page == 0)
    return;
  char *kept = end_of_kept(run);
  bool idle = run->next_slot == 0; // it is after this
  if (kept < run->run_limit) {
    size_t first = slot_number(run, kept), limit = slot_number(run, run->run_limit - GC_GRANULE_BYTES) + 1;
    memset(run_slot_bytes(run) + first, GC_SLOT_FREE, limit - first);
    uncount((size_t)(run->run_limit - kept));
  }
  run->limit = run->run_limit = kept;
  run->next_slot = 0;
  run->fresh = 0;
  if (kept == run->cursor) {
    gc_heap.infos[run->page].flags = 0;
    gc_page_list(run->page);
    run->page = 0;
  } else {
    set_idle(run->page, idle);
  }
}

void
gc_cache_restart_stw(struct gc_cache *cache) {
  FOR_EACH_USED_RUN(cache, run)
  give_up_rest(run);
}

void
gc_cache_go_on_stw(struct gc_cache *cache) {
  FOR_EACH_USED_RUN(cache, run)
  if (run->page && run->next_slot != 0)
    set_idle(run->page, false);
}

static void
free_held_slots(struct gc_run *run) {
  while (run->freed) {
    void *slot = run->freed;
    run->freed = *(void **)slot;
    *gc_heap_slot_at(slot).byte = GC_SLOT_FREE;
  }
}

static void
relist_page(uint32_t page) {
  gc_heap.infos[page].flags = 0;
  gc_page_list(page);
}

// What is left of the runs and of what was freed to them stays as it is, and the next sweeps free it.  A run
// may be in use that `used` does not tell of.
static void
abandon_runs(struct gc_cache *cache) {
  for (unsigned index = 0; index < GC_KINDS * GC_CLASSES; index++) {
    struct gc_run *run = &cache->runs[index / GC_CLASSES][index % GC_CLASSES];
    if (run->page)
      relist_page(run->page);
    if (run->page || run->cursor || run->freed)
      *run = (struct gc_run){0};
  }
}

static void
give_back_runs(struct gc_cache *cache) {
  uncount(gc_cache_unused_bytes(cache));
  FOR_EACH_USED_RUN(cache, run) {
    set_unused_slots(run, GC_SLOT_FREE);
    free_held_slots(run);
    if (run->page)
      relist_page(run->page);
    *run = (struct gc_run){0};
  }
}

void
gc_cache_give_back(struct gc_cache *cache) {
  gc_cache_flush_counts(cache);
  if (cache->busy)
    abandon_runs(cache);
  else
    give_back_runs(cache);
  memset(cache->used, 0, sizeof cache->used);
  cache->busy = cache->stop_pending = 0;
}

void
gc_cache_flush_counts(struct gc_cache *cache) {
  gc_heap.allocated_bytes += cache->allocated_bytes;
  gc_heap.freed_bytes += cache->freed_bytes;
  cache->allocated_bytes = 0;
  cache->freed_bytes = 0;
}

size_t
gc_cache_unused_bytes(const struct gc_cache *cache) {
  size_t bytes = 0;
  FOR_EACH_USED_RUN((struct gc_cache *)(uintptr_t)cache, run)
  bytes += (size_t)(run->run_limit - run->cursor);
  return bytes;
}

bool
gc_cache_has_unused(const struct gc_cache *cache, const char *slot, uint32_t page) {
  if (!cache || gc_heap.pages[page].state != GC_PAGE_SLOTS)
    return false;
  const struct gc_run *run = &cache->runs[gc_heap.pages[page].kind][gc_heap.infos[page].class];
  return run->page == page && slot >= run->cursor && slot < run->run_limit;
}
