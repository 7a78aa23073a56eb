// The marker's loops.  See marker.h.
//
// Everything between a word and the mark of its object is inlined into gc_marker_drain, which keeps the view and the top of the stack in
// registers: slot bytes are chars, so that any store to one would make the compiler read the marker's fields again.
#include "mark/marker.h"

#include "mark/team.h"

enum {
  RING = 16,         // objects between prefetch and scan; 8 to 32 measure alike
  PIECE_WORDS = 1024 // long objects are scanned in pieces of 8 KiB
};
#define PIECE_GRANULES (PIECE_WORDS * GC_WORD_BYTES / GC_GRANULE_BYTES)

void
gc_marker_begin(struct gc_marker *marker) {
  uint8_t other_mark = gc_heap.mark == GC_SLOT_MARK_A ? GC_SLOT_MARK_B : GC_SLOT_MARK_A;
  marker->view = (struct gc_mark_view){
      .base = (uintptr_t)gc_heap.base,
      .bytes = (size_t)gc_heap.frontier << GC_PAGE_SHIFT,
      .pages = gc_heap.pages,
      .slot_bytes = gc_heap.slot_bytes,
      .white = 1u << GC_SLOT_NEW | 1u << other_mark,
      .mark = gc_heap.mark,
      .all_interior_pointers = gc_heap.all_interior_pointers,
  };
  gc_mark_stack_clear(&marker->stack);
  marker->stack.overflowed = false;
  if (!marker->filter)
    marker->filter = gc_filter_choose();
}

// With interior pointers off: does a word `displacement` bytes into an object count?
static bool
displacement_counts(size_t displacement) {
  return displacement < GC_DISPLACEMENTS_MAX && gc_heap_displacements[displacement];
}

// Push a large object, whose length its page descriptor does not hold.  Pieces past what the stack has room for overflow.
static GC_NOINLINE gc_mark_entry *
push_large(struct gc_marker *marker, gc_mark_entry *top, size_t first_page) {
  size_t granule = first_page * GC_PAGE_GRANULES;
  size_t left = gc_heap.infos[first_page].object_bytes >> GC_GRANULE_SHIFT;
  marker->stack.top = top;
  if (!gc_mark_stack_reserve(&marker->stack, left / GC_ENTRY_GRANULES_MAX + 1 + PIECE_WORDS))
    return marker->stack.top;
  while (left > 0) {
    size_t granules = gc_min(left, GC_ENTRY_GRANULES_MAX);
    *marker->stack.top++ = gc_mark_entry_make(granule, granules);
    granule += granules;
    left -= granules;
  }
  return marker->stack.top;
}

// Mark the object that lies `offset` bytes into the heap, if there is a white one, and push it.  There is room for the push.  Returns the
// new top of the stack.
GC_NO_SANITIZE GC_INLINE gc_mark_entry *
mark_offset(struct gc_marker *marker, struct gc_mark_view view, size_t offset, gc_mark_entry *top,
            bool from_heap) {
  size_t number = offset >> GC_PAGE_SHIFT;
  const struct gc_page *page = &view.pages[number];
  size_t span_offset = page->span_offset;
  size_t in_page = (offset & (GC_PAGE_BYTES - 1)) >> GC_GRANULE_SHIFT;
  size_t slot = (in_page + span_offset * GC_PAGE_GRANULES) * page->reciprocal >> GC_RECIPROCAL_SHIFT;
  uint8_t *byte = view.slot_bytes + (size_t)page->line * GC_LINE_SLOTS + slot;
  if (!(view.white >> *byte & 1))
    return top;
  size_t granules = page->slot_granules;
  size_t first_granule = (number - span_offset) * GC_PAGE_GRANULES + slot * granules;
  if (from_heap && GC_UNLIKELY(!view.all_interior_pointers) &&
      !displacement_counts(offset - (first_granule << GC_GRANULE_SHIFT)))
    return top;
  *byte = view.mark;
  if (gc_kind_is_pointer_free(page->kind))
    return top;
  if (GC_UNLIKELY(granules == 0))
    return push_large(marker, top, number - span_offset);
  *top = gc_mark_entry_make(first_granule, granules);
  return top + 1;
}

// Mark what `count` words of the heap refer to.
GC_NO_SANITIZE GC_INLINE gc_mark_entry *
scan_words(struct gc_marker *marker, struct gc_mark_view view, const uintptr_t *words, size_t count,
           gc_mark_entry *top) {
  for (; count >= GC_FILTER_WORDS; count -= GC_FILTER_WORDS, words += GC_FILTER_WORDS)
    for (uint64_t mask = marker->filter(words, view.base, view.bytes); mask; mask &= mask - 1)
      top = mark_offset(marker, view, words[__builtin_ctzll(mask)] - view.base, top, true);
  for (size_t i = 0; i < count; i++) {
    size_t offset = words[i] - view.base;
    if (offset < view.bytes)
      top = mark_offset(marker, view, offset, top, true);
  }
  return top;
}

// Scan one entry, or its first piece, the rest being pushed back.
GC_NO_SANITIZE GC_INLINE gc_mark_entry *
scan_entry(struct gc_marker *marker, struct gc_mark_view view, gc_mark_entry entry, gc_mark_entry *top) {
  size_t granule = gc_mark_entry_granule(entry);
  size_t granules = gc_mark_entry_granules(entry);
  size_t room = PIECE_WORDS + 1;
  if (GC_UNLIKELY((size_t)(marker->stack.limit - top) < room)) {
    marker->stack.top = top;
    if (!gc_mark_stack_reserve(&marker->stack, room))
      return marker->stack.top;
    top = marker->stack.top;
  }
  if (GC_UNLIKELY(granules > PIECE_GRANULES)) {
    *top++ = gc_mark_entry_make(granule + PIECE_GRANULES, granules - PIECE_GRANULES);
    granules = PIECE_GRANULES;
  }
  const uintptr_t *words = (const uintptr_t *)(view.base + (granule << GC_GRANULE_SHIFT));
  return scan_words(marker, view, words, granules * (GC_GRANULE_BYTES / GC_WORD_BYTES), top);
}

// Drain the stack through the ring until both are empty or `budget` entries have been scanned.
GC_NO_SANITIZE static void
drain(struct gc_marker *marker, size_t budget) {
  struct gc_mark_view view = marker->view;
  gc_mark_entry ring[RING] = {0};
  gc_mark_entry *top = marker->stack.top;
  size_t ringed = 0;
  for (unsigned at = 0; budget > 0; at = (at + 1) % RING) {
    gc_mark_entry next = 0;
    if (top != marker->stack.base) {
      next = *--top;
      __builtin_prefetch((const void *)(view.base + (gc_mark_entry_granule(next) << GC_GRANULE_SHIFT)));
      ringed++;
    } else if (ringed == 0) {
      break;
    }
    gc_mark_entry entry = ring[at];
    ring[at] = next;
    if (entry) {
      ringed--;
      budget--;
      top = scan_entry(marker, view, entry, top);
    }
  }
  marker->stack.top = top;
  for (unsigned at = 0; at < RING; at++)
    if (ring[at] && gc_mark_stack_reserve(&marker->stack, 1))
      *marker->stack.top++ = ring[at];
}

void
gc_marker_drain(struct gc_marker *marker, struct gc_team *team) {
  enum { BETWEEN_CHECKS = 512 };
  while (marker->stack.top != marker->stack.base) {
    drain(marker, team ? BETWEEN_CHECKS : SIZE_MAX);
    if (team && !gc_team_check(team, marker))
      return;
  }
}

// ---- Roots --------------------------------------------------------------------------------------------------------

// If an object ends where the word points, the word may be a pointer just past it.
GC_NO_SANITIZE static void
mark_object_ending_at(struct gc_marker *marker, uintptr_t word) {
  struct gc_ref ref = gc_heap_resolve((const void *)(word - 1));
  if (ref.start && (uintptr_t)ref.start + ref.bytes == word && gc_kind_may_end_at_next(ref.kind))
    marker->stack.top =
        mark_offset(marker, marker->view, word - 1 - marker->view.base, marker->stack.top, false);
}

GC_NO_SANITIZE static void
mark_root_word(struct gc_marker *marker, uintptr_t word) {
  size_t offset = word - marker->view.base;
  if (!gc_mark_stack_reserve(&marker->stack, 2))
    return;
  if (offset < marker->view.bytes)
    marker->stack.top = mark_offset(marker, marker->view, offset, marker->stack.top, false);
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

void
gc_marker_mark_object(struct gc_marker *marker, const void *object) {
  if (gc_mark_stack_reserve(&marker->stack, 1))
    marker->stack.top =
        mark_offset(marker, marker->view, (uintptr_t)object - marker->view.base, marker->stack.top, false);
}

// ---- Overflow -----------------------------------------------------------------------------------------------------

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
      marker->stack.top = push_large(marker, marker->stack.top, first);
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
