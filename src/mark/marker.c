// Marking from roots, and what surrounds the inner loop of drain_inl.h.  See marker.h.
#include "mark/marker.h"

#include "mark/drain_inl.h"
#include "mark/team.h"
#include "os/clock.h"

void
gc_marker_begin(struct gc_marker *marker, bool minor) {
  uint8_t other_mark = gc_heap.mark == GC_SLOT_MARK_A ? GC_SLOT_MARK_B : GC_SLOT_MARK_A;
  marker->view = (struct gc_mark_view){
      .base = (uintptr_t)gc_heap.base,
      .bytes = (size_t)gc_heap.frontier << GC_PAGE_SHIFT,
      .pages = gc_heap.pages,
      .slot_bytes = gc_heap.slot_bytes,
      .white = 1u << GC_SLOT_NEW | (minor ? 0 : 1u << other_mark),
      .mark = gc_heap.mark,
      .all_interior_pointers = gc_heap.all_interior_pointers,
  };
  gc_mark_stack_clear(&marker->stack);
  marker->stack.overflowed = false;
  if (!marker->filter)
    marker->filter = gc_filter_choose();
  if (!marker->drain)
    marker->drain = gc_drain_choose();
}

void
gc_marker_look_at_all(struct gc_marker *marker) {
  marker->view.bytes = (size_t)gc_heap.frontier << GC_PAGE_SHIFT;
}

gc_mark_entry *
gc_marker_push_large(struct gc_marker *marker, gc_mark_entry *top, size_t first_page) {
  size_t granule = first_page * GC_PAGE_GRANULES;
  size_t left = gc_heap.infos[first_page].object_bytes >> GC_GRANULE_SHIFT;
  marker->stack.top = top;
  if (!gc_mark_stack_reserve(&marker->stack, left / GC_ENTRY_GRANULES_MAX + 1 + GC_MARK_ROOM))
    return marker->stack.top;
  while (left > 0) {
    size_t granules = gc_min(left, GC_ENTRY_GRANULES_MAX);
    *marker->stack.top++ = gc_mark_entry_make(granule, granules);
    granule += granules;
    left -= granules;
  }
  return marker->stack.top;
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
  enum { BETWEEN_CHECKS = 512 };
  while (marker->stack.top != marker->stack.base) {
    marker->drain(marker, team ? BETWEEN_CHECKS : SIZE_MAX);
    if (team && !gc_team_check(team, marker))
      return;
  }
}

bool
gc_marker_drain_until(struct gc_marker *marker, uint64_t deadline_ns) {
  enum { BETWEEN_LOOKS = 2048 };
  while (marker->stack.top != marker->stack.base && gc_os_now_ns() < deadline_ns)
    marker->drain(marker, BETWEEN_LOOKS);
  return marker->stack.top != marker->stack.base;
}

// ---- Roots ---------------------------------------------------------------------------------------------

// Mark and push the object that `address` lies in, if there is a white one.  There is room.
GC_NO_SANITIZE static void
mark_at(struct gc_marker *marker, uintptr_t address) {
  struct gc_candidate candidate = find_candidate(marker->view, address - marker->view.base);
  marker->stack.top = settle(marker, marker->view, candidate, marker->stack.top, false);
}

// If an object ends where the word points, the word may be a pointer just past it.
GC_NO_SANITIZE static void
mark_object_ending_at(struct gc_marker *marker, uintptr_t word) {
  struct gc_ref ref = gc_heap_resolve((const void *)(word - 1));
  if (ref.start && (uintptr_t)ref.start + ref.bytes == word && gc_kind_may_end_at_next(ref.kind))
    mark_at(marker, word - 1);
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

GC_NO_SANITIZE static void
mark_root_word(struct gc_marker *marker, uintptr_t word) {
  size_t offset = word - marker->view.base;
  if (!make_root_room(marker, 2))
    return;
  if (offset < marker->view.bytes)
    mark_at(marker, word);
  if (word % GC_GRANULE_BYTES == 0)
    mark_object_ending_at(marker, word);
}

// One more than the heap's size, because a word just past the last object counts.
GC_NO_SANITIZE void
gc_marker_scan_root(struct gc_marker *marker, struct gc_range range) {
  const uintptr_t *word = (const uintptr_t *)gc_round_up((uintptr_t)range.base, GC_WORD_BYTES);
  const uintptr_t *limit = (const uintptr_t *)gc_round_down((uintptr_t)range.limit, GC_WORD_BYTES);
  size_t bytes = marker->view.bytes + 1;
  for (; word + GC_FILTER_WORDS <= limit; word += GC_FILTER_WORDS)
    for (uint64_t mask = marker->filter(word, marker->view.base, bytes); mask; mask &= mask - 1)
      mark_root_word(marker, word[__builtin_ctzll(mask)]);
  for (; word < limit; word++)
    if (*word - marker->view.base < bytes)
      mark_root_word(marker, *word);
}

// Words of an object that bears the mark.  Without room for a push what they refer to stays white, and the
// recovery from the overflow finds it.
GC_NO_SANITIZE static void
scan_watched(struct gc_marker *marker, gc_mark_entry entry, void (*found)(uintptr_t object)) {
  const struct gc_mark_view view = marker->view;
  const uintptr_t *word = (const uintptr_t *)(view.base + (gc_mark_entry_granule(entry) << GC_GRANULE_SHIFT));
  const uintptr_t *limit = word + gc_mark_entry_granules(entry) * (GC_GRANULE_BYTES / GC_WORD_BYTES);
  for (; word < limit; word++) {
    size_t offset = *word - view.base;
    if (offset >= view.bytes)
      continue;
    struct gc_candidate candidate = find_candidate(view, offset);
    if (!(view.white >> *candidate.byte & 1) || !gc_mark_stack_reserve(&marker->stack, 1))
      continue;
    marker->stack.top = settle(marker, view, candidate, marker->stack.top, true);
    if (*candidate.byte == view.mark)
      found((uintptr_t)gc_heap_slot_at((const void *)*word).start);
  }
}

void
gc_marker_drain_watched(struct gc_marker *marker, void (*found)(uintptr_t object)) {
  while (marker->stack.top != marker->stack.base)
    scan_watched(marker, *--marker->stack.top, found);
}

GC_NO_SANITIZE void
gc_marker_scan_object(struct gc_marker *marker, const void *object, bool ignore_self) {
  const struct gc_mark_view *view = &marker->view;
  const struct gc_page *page = &view->pages[gc_heap_page_of(object)];
  size_t bytes = page->slot_granules * GC_GRANULE_BYTES;
  if (gc_kind_is_pointer_free(page->kind))
    return;
  if (bytes == 0)
    bytes = gc_heap.infos[gc_heap_page_of(object)].object_bytes;
  const uintptr_t *word = object, *limit = word + bytes / GC_WORD_BYTES;
  for (; word < limit; word++) {
    size_t offset = *word - view->base;
    if (offset >= view->bytes || (ignore_self && *word - (uintptr_t)object < bytes))
      continue;
    if (make_root_room(marker, 1))
      marker->stack.top = settle(marker, *view, find_candidate(*view, offset), marker->stack.top, true);
  }
}

void
gc_marker_mark_object(struct gc_marker *marker, const void *object) {
  if (make_root_room(marker, 1))
    mark_at(marker, (uintptr_t)object);
}

// ---- What was written ----------------------------------------------------------------------------------

// Push what lies in granules [from, limit) of the heap of an object of `granules` at `start`.
static void
push_part(struct gc_marker *marker, size_t start, size_t granules, size_t from, size_t limit) {
  size_t base = gc_max(start, from), end = gc_min(start + granules, limit);
  if (base < end && gc_mark_stack_reserve(&marker->stack, 1))
    *marker->stack.top++ = gc_mark_entry_make(base, end - base);
}

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
  for (; slot < info->slots && span + slot * granules < limit; slot++)
    if (bytes[slot] == marker->view.mark)
      push_part(marker, span + slot * granules, granules, from, limit);
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
    size_t granules = page->slot_granules;
    if (granules == 0)
      marker->stack.top = gc_marker_push_large(marker, marker->stack.top, first);
    else if (gc_mark_stack_reserve(&marker->stack, 1))
      *marker->stack.top++ = gc_mark_entry_make(first * GC_PAGE_GRANULES + slot * granules, granules);
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
