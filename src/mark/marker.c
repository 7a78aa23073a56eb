// Marking from roots, and what surrounds the inner loop of drain_inl.h.  See marker.h.
#include "mark/marker.h"

#include <string.h>

#include "heap/slot_bytes_inl.h"
#include "mark/describe.h"
#include "mark/drain_inl.h"
#include "mark/team.h"
#include "os/clock.h"
#include "os/pagemap.h"
#include "os/writes.h"

// ---- The fastest way -----------------------------------------------------------------------------------

enum {
  TRIAL_ENTRIES = 2048, // a way is timed for so many at a time: what the last one left behind hardly counts
  TRIAL_ENTRIES_FEW = 256,      // fewer say nothing
  TRIALS_BETWEEN_MIN = 1 << 18, // entries between two trials
  TRIALS_BETWEEN_MAX = 1 << 22
};

// The median counts: in each round a way has other objects before it, and something may disturb it.
static uint64_t
cost_of(const struct gc_mark_trial *trial, enum gc_drain_way way) {
  return trial->cost[way][GC_TRIAL_ROUNDS / 2];
}

enum gc_drain_way
gc_mark_fastest_way(const struct gc_mark_trial *trial, enum gc_drain_way in_use) {
  enum gc_drain_way best = in_use;
  for (enum gc_drain_way way = 0; way < GC_DRAIN_WAYS; way++)
    if (cost_of(trial, way) < cost_of(trial, best) - cost_of(trial, best) / 16)
      best = way;
  return best;
}

static void
begin_trial(struct gc_mark_trial *trial, size_t until, size_t between) {
  *trial = (struct gc_mark_trial){.until = until, .between = between};
  for (unsigned way = 0; way < GC_DRAIN_WAYS; way++)
    for (unsigned round = 0; round < GC_TRIAL_ROUNDS; round++)
      trial->cost[way][round] = UINT64_MAX;
}

static bool
is_hopeless(const struct gc_mark_trial *trial, enum gc_drain_way way) {
  uint64_t least = UINT64_MAX;
  for (enum gc_drain_way each = 0; each < GC_DRAIN_WAYS; each++)
    least = gc_min(least, trial->cost[each][0]);
  return trial->cost[way][0] > 4 * least;
}

static void
note_cost(struct gc_mark_trial *trial, enum gc_drain_way way, uint64_t cost) {
  unsigned place = trial->drains / GC_DRAIN_WAYS;
  for (; place > 0 && trial->cost[way][place - 1] > cost; place--)
    trial->cost[way][place] = trial->cost[way][place - 1];
  trial->cost[way][place] = cost;
}

// The trial is over.  As long as no way displaces the one in use, trials become fewer.
static void
choose_way(struct gc_marker *marker) {
  struct gc_mark_trial *trial = &marker->trial;
  enum gc_drain_way best = gc_mark_fastest_way(trial, marker->way);
  size_t between = best == marker->way ? gc_min(2 * trial->between, TRIALS_BETWEEN_MAX) : TRIALS_BETWEEN_MIN;
  marker->way = best;
  begin_trial(trial, between, between);
}

// Drain at most `most` entries in the way to be tried, and add up what it takes until that is enough or
// nothing is left.  If there were too few it is tried again after some more.  Depth first may take twenty
// times as long as the others, so it begins with few, and what took more than four times as long as another
// is not tried again.
static void
try_way(struct gc_marker *marker, size_t most) {
  struct gc_mark_trial *trial = &marker->trial;
  enum gc_drain_way in_use = marker->way, way = trial->drains % GC_DRAIN_WAYS;
  size_t enough = trial->drains == GC_DRAIN_DEPTH_FIRST ? TRIAL_ENTRIES_FEW : TRIAL_ENTRIES;
  marker->way = way;
  uint64_t begin_ns = gc_os_now_ns();
  size_t entries = gc_max(enough - trial->scanned, TRIAL_ENTRIES_FEW); // not fewer than a batch or two
  trial->scanned += marker->drain(marker, gc_min(most, entries));
  trial->spent_ns += gc_os_now_ns() - begin_ns;
  marker->way = in_use;
  if (trial->scanned < enough && marker->stack.top != marker->stack.base)
    return;
  if (trial->scanned < TRIAL_ENTRIES_FEW) {
    trial->until = TRIAL_ENTRIES;
  } else {
    note_cost(trial, way, trial->spent_ns * TRIAL_ENTRIES / trial->scanned);
    trial->drains++;
  }
  trial->scanned = trial->spent_ns = 0;
  while (trial->drains >= GC_DRAIN_WAYS && trial->drains < GC_TRIAL_ROUNDS * GC_DRAIN_WAYS &&
         is_hopeless(trial, trial->drains % GC_DRAIN_WAYS))
    trial->drains++;
  if (trial->drains == GC_TRIAL_ROUNDS * GC_DRAIN_WAYS)
    choose_way(marker);
}

// Drain about `entries` entries at most.
static void
drain_some(struct gc_marker *marker, size_t entries) {
  if (GC_UNLIKELY(marker->trial.until == 0))
    try_way(marker, entries);
  else
    marker->trial.until -= gc_min(marker->trial.until, marker->drain(marker, entries));
}

// ---- Draining ------------------------------------------------------------------------------------------

void
gc_marker_begin(struct gc_marker *marker, bool minor) {
  uint8_t other_mark = gc_heap.mark == GC_SLOT_MARK_A ? GC_SLOT_MARK_B : GC_SLOT_MARK_A;
  struct gc_mark_view view = {
      .base = (uintptr_t)gc_heap.base,
      .bytes = (size_t)gc_heap.frontier << GC_PAGE_SHIFT,
      .pages = gc_heap.pages,
      .slot_bytes = gc_heap.slot_bytes,
      .white = 1u << GC_SLOT_NEW | (minor ? 0 : 1u << other_mark),
      .mark = gc_heap.mark,
      .all_interior_pointers = gc_heap.all_interior_pointers,
  };
  gc_marker_join(marker, view);
}

void
gc_marker_join(struct gc_marker *marker, struct gc_mark_view view) {
  marker->view = view;
  marker->world_runs = false; // in a forked child it may be a guest's, who is not there
  gc_mark_stack_clear(&marker->stack);
  marker->stack.overflowed = false;
  if (!marker->filter)
    marker->filter = gc_filter_choose();
  if (!marker->drain)
    marker->drain = gc_drain_choose();
  if (!marker->trial.between)
    begin_trial(&marker->trial, TRIALS_BETWEEN_MIN / 32, TRIALS_BETWEEN_MIN);
}

void
gc_marker_look_at_all(struct gc_marker *marker) {
  marker->view.bytes = (size_t)gc_heap.frontier << GC_PAGE_SHIFT;
}

// Push granules of the heap.
static void
push_granules(struct gc_marker *marker, size_t granule, size_t left) {
  if (!gc_mark_stack_reserve(&marker->stack, left / GC_ENTRY_GRANULES_MAX + 1))
    return;
  while (left > 0) {
    size_t granules = gc_min(left, GC_ENTRY_GRANULES_MAX);
    *marker->stack.top++ = gc_mark_entry_make(granule, granules);
    granule += granules;
    left -= granules;
  }
}

// To read what was never touched, a new table's greater part, would make the system map a page of zeros
// there, and change it for another one when the program writes.  So where parts of a large object may never
// have been touched, its entries are like those of objects with descriptors, one for each stretch of 16 MiB
// at most: when it is popped the system is asked, for some 0.1 ms.  What the program writes from there on,
// beside a concurrent cycle, counts as written.
enum {
  SPARSE_GRANULES_MIN = 1 << 14, // 256 KiB: less is soon searched
  STRETCH_GRANULES = GC_ENTRY_GRANULES_MAX + 1
};

static bool
may_be_sparse(const struct gc_page_info *info) {
  return info->object_bytes >> GC_GRANULE_SHIFT >= SPARSE_GRANULES_MIN &&
         __atomic_load_n(&info->sparse, __ATOMIC_RELAXED);
}

static void
push_stretches(struct gc_marker *marker, size_t granule, size_t granules) {
  for (size_t done = 0; done < granules; done += STRETCH_GRANULES)
    *marker->stack.top++ = gc_mark_entry_make(granule + done, GC_ENTRY_DESCRIBED);
}

gc_mark_entry *
gc_marker_push_large(struct gc_marker *marker, gc_mark_entry *top, size_t first_page) {
  gc_atomic_fence_reads(); // gc_large_allocate
  const struct gc_page_info *info = &gc_heap.infos[first_page];
  size_t granules = info->object_bytes >> GC_GRANULE_SHIFT;
  marker->stack.top = top;
  if (!gc_mark_stack_reserve(&marker->stack, granules / GC_ENTRY_GRANULES_MAX + 1 + GC_MARK_ROOM))
    return marker->stack.top;
  if (may_be_sparse(info))
    push_stretches(marker, first_page * GC_PAGE_GRANULES, granules);
  else
    push_granules(marker, first_page * GC_PAGE_GRANULES, granules);
  return marker->stack.top;
}

// The stretch of a sparse object that begins at a granule.
static struct gc_range
stretch_at(size_t granule, struct gc_ref object) {
  const char *base = gc_heap.base + (granule << GC_GRANULE_SHIFT);
  size_t bytes = gc_min((size_t)(object.start + object.bytes - base), STRETCH_GRANULES << GC_GRANULE_SHIFT);
  return (struct gc_range){base, base + bytes};
}

static void
push_part(struct gc_range part, void *marker) {
  push_granules(marker, (size_t)(part.base - gc_heap.base) >> GC_GRANULE_SHIFT,
                gc_range_bytes(part) >> GC_GRANULE_SHIFT);
}

// While the world runs descriptors are the program's: none is opened then.
static size_t
push_touched_parts(struct gc_marker *marker, struct gc_range stretch) {
  int pagemap = marker->world_runs ? gc_writes_pagemap() : gc_pagemap_open();
  size_t bytes = gc_pagemap_visit_touched(pagemap, stretch, push_part, marker);
  if (!marker->world_runs)
    gc_pagemap_close(pagemap);
  return bytes;
}

// Where there is no room for all parts, and for what the rest of a batch needs, it is searched as a whole: or
// the same parts would be dropped again each time that the recovery from overflow comes to it.
static void
push_stretch(struct gc_marker *marker, struct gc_range stretch, struct gc_ref object) {
  size_t before = gc_mark_stack_count(&marker->stack);
  bool overflowed = marker->stack.overflowed;
  marker->stack.overflowed = false;
  size_t touched_bytes = push_touched_parts(marker, stretch);
  if (marker->stack.overflowed || !gc_mark_stack_reserve(&marker->stack, (size_t)2 * GC_MARK_ROOM)) {
    marker->stack.top = marker->stack.base + before;
    marker->stack.overflowed = false;
    push_part(stretch, marker);
  } else if (touched_bytes >= object.bytes - object.bytes / 8) {
    __atomic_store_n(&gc_heap.infos[object.page].sparse, 0, __ATOMIC_RELAXED);
  }
  marker->stack.overflowed |= overflowed;
}

// If the stack cannot grow it holds more than GC_MARK_ROOM entries.
gc_mark_entry *
gc_marker_make_room(struct gc_marker *marker, gc_mark_entry *top) {
  marker->stack.top = top;
  if (!gc_mark_stack_reserve(&marker->stack, GC_MARK_ROOM))
    marker->stack.top -= GC_MARK_ROOM;
  return marker->stack.top;
}

void
gc_marker_drain(struct gc_marker *marker, struct gc_team *team) {
  enum { BETWEEN_CHECKS = 512, ENTRIES = 4096 };
  while (marker->stack.top != marker->stack.base) {
    drain_some(marker, team ? BETWEEN_CHECKS : ENTRIES);
    if (team && !gc_team_check(team, marker))
      return;
  }
}

bool
gc_marker_drain_a_little(struct gc_marker *marker) {
  enum { A_LITTLE = 512 };
  if (marker->stack.top == marker->stack.base)
    return false;
  marker->world_runs = true;
  drain_some(marker, A_LITTLE);
  marker->world_runs = false;
  return marker->stack.top != marker->stack.base;
}

bool
gc_marker_drain_until(struct gc_marker *marker, uint64_t deadline_ns) {
  while (marker->stack.top != marker->stack.base && gc_os_now_ns() < deadline_ns)
    gc_marker_drain_a_little(marker);
  return marker->stack.top != marker->stack.base;
}

// ---- Objects with descriptors --------------------------------------------------------------------------

GC_STATE struct gc_range_array gc_marker_put_off;

struct marking_visitor {
  struct gc_visitor visitor;
  struct gc_marker *marker;
  uintptr_t ignored; // what refers into [ignored, ignored + ignored_bytes) does not count
  size_t ignored_bytes;
  bool found_white;
};

// Without room what the word refers to stays white, and the recovery from the overflow finds it.
GC_NO_SANITIZE static void
mark_word(struct gc_visitor *visitor, uintptr_t word, const void *at) {
  struct marking_visitor *marking = (struct marking_visitor *)(void *)visitor;
  struct gc_marker *marker = marking->marker;
  size_t offset = word - marker->view.base;
  (void)at;
  if (offset >= marker->view.bytes || word - marking->ignored < marking->ignored_bytes)
    return;
  struct gc_candidate candidate = find_counting_candidate(marker->view, offset);
  if (!is_white(marker->view, candidate) || !gc_mark_stack_reserve(&marker->stack, 1))
    return;
  *candidate.byte = marker->view.mark;
  marker->stack.top = push_white(marker, marker->view, candidate, 1, marker->stack.top);
  marking->found_white = true;
}

// A range within an object with a descriptor begins where that does, or at some word of it.  A range
// elsewhere is searched at once.
GC_NO_SANITIZE static void
push_range(struct gc_visitor *visitor, struct gc_range range) {
  const struct marking_visitor *marking = (const struct marking_visitor *)(const void *)visitor;
  const char *base = (const char *)gc_round_up((uintptr_t)range.base, GC_GRANULE_BYTES);
  const char *limit = (const char *)gc_round_down((uintptr_t)range.limit, GC_GRANULE_BYTES);
  if ((uintptr_t)range.base - marking->marker->view.base >= marking->marker->view.bytes)
    limit = base;
  for (const char *at = range.base; at < range.limit; at += GC_WORD_BYTES) {
    if (at == base && base < limit) {
      push_granules(marking->marker, (size_t)(base - gc_heap.base) >> GC_GRANULE_SHIFT,
                    (size_t)(limit - base) >> GC_GRANULE_SHIFT);
      at = limit;
      if (at == range.limit)
        return;
    }
    mark_word(visitor, *(const volatile uintptr_t *)(const void *)at, at);
  }
}

// No memory to put it off: the recovery from overflow will scan it, with the world stopped.
static void
put_off(struct gc_marker *marker, const char *object, size_t bytes) {
  if (!gc_team_put_off((struct gc_range){object, object + bytes}))
    marker->stack.overflowed = true;
}

// An object that is always searched, by pages, need not be put off.
static void
scan_described(struct gc_marker *marker, struct gc_ref ref) {
  struct marking_visitor marking = {{NULL, mark_word, push_range, {NULL, NULL}}, marker, 0, 0, false};
  uintptr_t descriptor = gc_describe_object(ref.start, ref.bytes, ref.kind);
  if (!marker->world_runs || !gc_descriptor_needs_stop(descriptor))
    gc_describe(&marking.visitor, ref.start, ref.bytes, descriptor);
  else if (!gc_kind_is_always_searched(ref.kind))
    put_off(marker, ref.start, ref.bytes);
}

bool
gc_marker_ask(struct gc_marker *marker, gc_mark_stack_empty *function) {
  struct marking_visitor marking = {{NULL, mark_word, NULL, {NULL, NULL}}, marker, 0, 0, false};
  function((struct GC_ms_entry *)(void *)&marking.visitor.entries[0],
           (struct GC_ms_entry *)(void *)&marking.visitor.entries[1]);
  return marking.found_white;
}

gc_mark_entry *
gc_marker_scan_described(struct gc_marker *marker, gc_mark_entry *top, size_t granule) {
  gc_atomic_fence_reads(); // gc_large_allocate
  struct gc_ref ref = gc_heap_slot_at(gc_heap.base + (granule << GC_GRANULE_SHIFT));
  marker->stack.top = top;
  if (gc_kind_is_described(ref.kind))
    scan_described(marker, ref);
  else
    push_stretch(marker, stretch_at(granule, ref), ref);
  return gc_marker_make_room(marker, marker->stack.top);
}

void
gc_marker_push_put_off(struct gc_marker *marker) {
  for (size_t i = 0; i < gc_marker_put_off.count; i++)
    if (gc_mark_stack_reserve(&marker->stack, 1))
      *marker->stack.top++ = gc_mark_entry_make(
          (size_t)(gc_marker_put_off.items[i].base - gc_heap.base) >> GC_GRANULE_SHIFT, GC_ENTRY_DESCRIBED);
}

// ---- Roots ---------------------------------------------------------------------------------------------

// Mark and push the object that `address` lies in, if there is a white one.  There is room.
GC_NO_SANITIZE static void
mark_at(struct gc_marker *marker, uintptr_t address) {
  struct gc_candidate candidate = find_candidate(marker->view, address - marker->view.base);
  if (!(marker->view.white >> *candidate.byte & 1))
    return;
  *candidate.byte = marker->view.mark;
  marker->stack.top = push_white(marker, marker->view, candidate, 1, marker->stack.top);
}

// Make room for `entries` more.  Roots are seen only once, so if the stack cannot grow, what it holds is
// scanned first.
static bool
make_root_room(struct gc_marker *marker, size_t entries) {
  if (gc_mark_stack_reserve(&marker->stack, entries))
    return true;
  gc_marker_drain(marker, NULL);
  return gc_mark_stack_reserve(&marker->stack, entries);
}

static GC_NOINLINE void
mark_white_root(struct gc_marker *marker, uintptr_t word) {
  if (make_root_room(marker, 1))
    mark_at(marker, word);
}

// If an object ends where the word points, the word may be a pointer just past it.
static GC_NOINLINE void
mark_white_ending_at(struct gc_marker *marker, uintptr_t word) {
  struct gc_ref ref = gc_heap_resolve((const void *)(word - 1));
  if (ref.start && (uintptr_t)ref.start + ref.bytes == word && gc_kind_may_end_at_next(ref.kind))
    mark_white_root(marker, word - 1);
}

// Most words of roots refer to what is marked already.
GC_NO_SANITIZE GC_INLINE bool
is_white_at(struct gc_mark_view view, uintptr_t word) {
  size_t offset = word - view.base;
  return offset < view.bytes && view.white >> *find_place(view, offset).byte & 1;
}

GC_NO_SANITIZE GC_INLINE void
mark_root_word(struct gc_marker *marker, struct gc_mark_view view, uintptr_t word) {
  if (is_white_at(view, word))
    mark_white_root(marker, word);
  if (word % GC_GRANULE_BYTES == 0 && is_white_at(view, word - 1))
    mark_white_ending_at(marker, word);
}

// One more than the heap's size, because a word just past the last object counts.
GC_NO_SANITIZE void
gc_marker_scan_root(struct gc_marker *marker, struct gc_range range) {
  const uintptr_t *word = (const uintptr_t *)gc_round_up((uintptr_t)range.base, GC_WORD_BYTES);
  const uintptr_t *limit = (const uintptr_t *)gc_round_down((uintptr_t)range.limit, GC_WORD_BYTES);
  struct gc_mark_view view = marker->view;
  size_t bytes = view.bytes + 1;
  for (; word + GC_FILTER_WORDS <= limit; word += GC_FILTER_WORDS)
    for (uint64_t mask = marker->filter(word, view.base, bytes); mask; mask &= mask - 1)
      mark_root_word(marker, view, word[__builtin_ctzll(mask)]);
  for (; word < limit; word++)
    if (*word - view.base < bytes)
      mark_root_word(marker, view, *word);
}

void
gc_marker_scan_root_copy(struct gc_marker *marker, struct gc_range copy) {
  marker->world_runs = true;
  gc_marker_scan_root(marker, copy);
  marker->world_runs = false;
}

struct watching_visitor {
  struct gc_visitor visitor;
  struct gc_marker *marker;
  void (*found)(uintptr_t object);
};

// Without room for a push what the word refers to stays white, and the recovery from the overflow finds it.
GC_NO_SANITIZE static void
mark_watched(struct gc_visitor *visitor, uintptr_t word, const void *at) {
  const struct watching_visitor *watching = (const struct watching_visitor *)(const void *)visitor;
  struct gc_marker *marker = watching->marker;
  const struct gc_mark_view view = marker->view;
  size_t offset = word - view.base;
  (void)at;
  if (offset >= view.bytes)
    return;
  struct gc_candidate candidate = find_counting_candidate(view, offset);
  if (!is_white(view, candidate) || !gc_mark_stack_reserve(&marker->stack, 1))
    return;
  *candidate.byte = view.mark;
  marker->stack.top = push_white(marker, view, candidate, 1, marker->stack.top);
  watching->found((uintptr_t)gc_heap_slot_at((const void *)word).start);
}

// An object, or a part of one, that bears the mark.
GC_NO_SANITIZE static void
scan_watched(struct gc_marker *marker, gc_mark_entry entry, void (*found)(uintptr_t object)) {
  struct watching_visitor watching = {{NULL, mark_watched, NULL, {NULL, NULL}}, marker, found};
  const char *base = gc_heap.base + (gc_mark_entry_granule(entry) << GC_GRANULE_SHIFT);
  size_t bytes = gc_mark_entry_granules(entry) << GC_GRANULE_SHIFT;
  uintptr_t descriptor = bytes;
  if (bytes == GC_ENTRY_DESCRIBED) {
    struct gc_ref ref = gc_heap_slot_at(base);
    bool described = gc_kind_is_described(ref.kind);
    bytes = described ? ref.bytes : gc_range_bytes(stretch_at(gc_mark_entry_granule(entry), ref));
    descriptor = described ? gc_describe_object(base, bytes, ref.kind) : bytes;
  }
  gc_describe(&watching.visitor, base, bytes, descriptor);
}

void
gc_marker_drain_watched(struct gc_marker *marker, void (*found)(uintptr_t object)) {
  while (marker->stack.top != marker->stack.base)
    scan_watched(marker, *--marker->stack.top, found);
}

// Roots are seen only once, so if the stack cannot grow, what it holds is scanned first.
static void
mark_word_of_object(struct gc_visitor *visitor, uintptr_t word, const void *at) {
  make_root_room(((const struct marking_visitor *)(const void *)visitor)->marker, 1);
  mark_word(visitor, word, at);
}

// All words count.
GC_NO_SANITIZE static void
scan_plain_object(struct gc_marker *marker, const char *start, size_t bytes, bool ignore_self) {
  const struct gc_mark_view view = marker->view;
  for (const char *at = start; at < start + bytes; at += GC_WORD_BYTES) {
    uintptr_t word = *(const volatile uintptr_t *)(const void *)at;
    if (word - view.base < view.bytes && !(ignore_self && word - (uintptr_t)start < bytes) &&
        make_root_room(marker, 1))
      mark_at(marker, word);
  }
}

// Is the object small and without a descriptor?  Scanned, then, without asking the heap for more than that.
GC_NO_SANITIZE static bool
scan_small_object(struct gc_marker *marker, const void *object, bool ignore_self) {
  const struct gc_mark_view view = marker->view;
  size_t offset = (uintptr_t)object - view.base;
  const struct gc_page *page = &view.pages[offset >> GC_PAGE_SHIFT];
  if (page->slot_granules == 0 || gc_kind_is_described(page->kind))
    return false;
  size_t bytes = page->slot_granules * GC_GRANULE_BYTES;
  size_t first_page = (offset >> GC_PAGE_SHIFT) - page->span_offset;
  size_t slot = find_place(view, offset).slot;
  if (gc_kind_is_scanned(page->kind))
    scan_plain_object(marker, gc_heap_page_address(first_page) + slot * bytes, bytes, ignore_self);
  return true;
}

void
gc_marker_scan_object(struct gc_marker *marker, const void *object, bool ignore_self) {
  if (scan_small_object(marker, object, ignore_self))
    return;
  struct gc_ref ref = gc_heap_slot_at(object);
  if (!gc_kind_is_described(ref.kind)) {
    if (!gc_kind_is_pointer_free(ref.kind))
      scan_plain_object(marker, ref.start, ref.bytes, ignore_self);
    return;
  }
  struct marking_visitor marking = {{NULL, mark_word_of_object, NULL, {NULL, NULL}},
                                    marker,
                                    (uintptr_t)ref.start,
                                    ignore_self ? ref.bytes : 0,
                                    false};
  gc_describe(&marking.visitor, ref.start, ref.bytes, gc_describe_object(ref.start, ref.bytes, ref.kind));
}

void
gc_marker_mark_object(struct gc_marker *marker, const void *object) {
  if (make_root_room(marker, 1))
    mark_at(marker, (uintptr_t)object);
}

// ---- What was written ----------------------------------------------------------------------------------

void
gc_marker_push_marked(struct gc_marker *marker, struct gc_range range) {
  size_t number = gc_heap_page_of(range.base);
  const struct gc_page *page = &gc_heap.pages[number];
  size_t first = number - page->span_offset, span = first * GC_PAGE_GRANULES;
  const struct gc_page_info *info = &gc_heap.infos[first];
  size_t from = (size_t)(range.base - gc_heap.base) >> GC_GRANULE_SHIFT;
  size_t limit = (size_t)(range.limit - gc_heap.base) >> GC_GRANULE_SHIFT;
  size_t granules = page->slot_granules ? page->slot_granules : info->object_bytes >> GC_GRANULE_SHIFT;
  const uint8_t *bytes = gc_heap_slot_bytes(page->line);
  size_t slot = (from - span) * page->reciprocal >> GC_RECIPROCAL_SHIFT;
  size_t end = gc_min(info->slots, gc_divide_up(limit - span, granules));
  bool behind_all = from - span >= info->slots * granules; // written before a large object shrank, say
  if (behind_all || !gc_mark_stack_reserve(&marker->stack, end - slot))
    return;
  bool described = gc_kind_is_described(page->kind);
  gc_mark_entry *top = marker->stack.top;
  while (slot < end) {
    for (uint64_t found = gc_slots_of_eight(bytes, slot, marker->view.mark); found; found &= found - 1) {
      size_t next = slot / 8 * 8 + (unsigned)__builtin_ctzll(found) / 8;
      if (next >= end)
        break;
      size_t start = span + next * granules;
      size_t base = gc_max(start, from), bound = gc_min(start + granules, limit);
      *top++ =
          described ? gc_mark_entry_make(start, GC_ENTRY_DESCRIBED) : gc_mark_entry_make(base, bound - base);
    }
    slot = (slot / 8 + 1) * 8;
  }
  marker->stack.top = top;
}

// ---- Overflow ------------------------------------------------------------------------------------------

// Scan the marked objects of one span again.
static void
rescan_span(struct gc_marker *marker, uint32_t first) {
  const struct gc_page *page = &gc_heap.pages[first];
  const uint8_t *bytes = gc_heap_slot_bytes(page->line);
  for (size_t slot = 0; slot < gc_heap.infos[first].slots; slot++) {
    if (bytes[slot] != marker->view.mark)
      continue;
    size_t granules = page->slot_granules, granule = first * GC_PAGE_GRANULES + slot * granules;
    bool described = gc_kind_is_described(page->kind);
    if (granules == 0 && !described)
      marker->stack.top = gc_marker_push_large(marker, marker->stack.top, first);
    else if (gc_mark_stack_reserve(&marker->stack, 1))
      *marker->stack.top++ = gc_mark_entry_make(granule, described ? GC_ENTRY_DESCRIBED : granules);
    gc_marker_drain(marker, NULL);
  }
}

void
gc_marker_rescan(struct gc_marker *marker) {
  while (marker->stack.overflowed) {
    marker->stack.overflowed = false;
    for (uint32_t page = 1; page < gc_heap.frontier; page += gc_heap.infos[page].span_pages) {
      const struct gc_page *hot = &gc_heap.pages[page];
      if (hot->line != 0 && !gc_kind_is_pointer_free(hot->kind))
        rescan_span(marker, page);
    }
  }
}
