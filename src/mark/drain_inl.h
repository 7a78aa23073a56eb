// The marker's inner loop, written once and compiled for each instruction set that drain_<cpu>.c chooses
// from.
//
// It works in batches.  Between asking for an object's memory, or for a slot byte, and using it lies a
// whole batch of other work:
//
//   round i      pop objects i          scan objects i - 1               settle candidates i - 2
//                (ask for their memory)  (each word that may refer to     (each that is white: mark, push)
//                                        an object is a candidate: ask
//                                        for its slot byte)
//
// Without the second delay each test of a slot byte, seldom in a near cache and never predictable, stalls
// the processor until the byte has come: 60 to 90 ns per object on a random graph against 26
// (bench/graphmark).  Without the first, the scan waits for the object. Queues instead of batches do as
// well and take twice the instructions.
//
// Everything is inlined into one function, gc_drain_with, which keeps the view and the top of the stack in
// registers: slot bytes are chars, so that any store to one would make the compiler read the marker's
// fields again.
#pragma once

#include "mark/drain.h"
#include "mark/filter.h"
#include "mark/marker.h"

#define PIECE_GRANULES (GC_PIECE_WORDS * GC_WORD_BYTES / GC_GRANULE_BYTES)

// With interior pointers off: does a word `displacement` bytes into an object count?
static inline bool
displacement_counts(size_t displacement) {
  return displacement < GC_DISPLACEMENTS_MAX && gc_heap_displacements[displacement];
}

// Where the slot byte is of what lies `offset` bytes into the heap.  For no slot and free pages it is one
// that is always FREE.  `place` is read whole, since the page may come into use meanwhile.
GC_NO_SANITIZE GC_INLINE struct gc_candidate
find_candidate(struct gc_mark_view view, size_t offset) {
  const struct gc_page *page = &view.pages[offset >> GC_PAGE_SHIFT];
  size_t in_page = (offset & (GC_PAGE_BYTES - 1)) >> GC_GRANULE_SHIFT;
  uint64_t place = gc_atomic_load_relaxed(&page->place);
  size_t reciprocal = (uint32_t)place, line = place >> 32;
  size_t slot = (in_page + page->span_offset * GC_PAGE_GRANULES) * reciprocal >> GC_RECIPROCAL_SHIFT;
  return (struct gc_candidate){view.slot_bytes + line * GC_LINE_SLOTS + slot, offset};
}

// Mark and push the candidate if it is white.  There is room for the push.  Returns the new top of the stack.
GC_NO_SANITIZE GC_INLINE gc_mark_entry *
settle(struct gc_marker *marker, struct gc_mark_view view, struct gc_candidate candidate, gc_mark_entry *top,
       bool from_heap) {
  if (!(view.white >> *candidate.byte & 1))
    return top;
  const struct gc_page *page = &view.pages[candidate.offset >> GC_PAGE_SHIFT];
  size_t first_page = (candidate.offset >> GC_PAGE_SHIFT) - page->span_offset;
  size_t slot = (size_t)(candidate.byte - view.slot_bytes) - (size_t)page->line * GC_LINE_SLOTS;
  size_t granules = page->slot_granules;
  size_t granule = first_page * GC_PAGE_GRANULES + slot * granules;
  if (from_heap && GC_UNLIKELY(!view.all_interior_pointers) &&
      !displacement_counts(candidate.offset - (granule << GC_GRANULE_SHIFT)))
    return top;
  *candidate.byte = view.mark;
  if (!gc_kind_is_scanned(page->kind))
    return top;
  if (GC_UNLIKELY(gc_kind_is_described(page->kind)))
    granules = GC_ENTRY_DESCRIBED;
  else if (GC_UNLIKELY(granules == 0))
    return gc_marker_push_large(marker, top, first_page);
  *top = gc_mark_entry_make(granule, granules);
  return top + 1;
}

// Pop a batch and ask for its memory.  Returns the new top.
GC_INLINE gc_mark_entry *
pop_objects(struct gc_mark_view view, struct gc_mark_batch *batch, const gc_mark_entry *base,
            gc_mark_entry *top) {
  size_t count = gc_min((size_t)(top - base), GC_BATCH_OBJECTS);
  for (size_t i = 0; i < count; i++) {
    gc_mark_entry entry = *--top;
    __builtin_prefetch((const void *)(view.base + (gc_mark_entry_granule(entry) << GC_GRANULE_SHIFT)));
    batch->objects[i] = entry;
  }
  batch->object_count = count;
  return top;
}

// Gather what the words at the set bits of `left` refer to.  Returns the end of the candidates.  While the
// world runs a word may have changed since it was filtered, so it is read once more, and once only.
GC_NO_SANITIZE GC_INLINE struct gc_candidate *
gather(struct gc_mark_view view, const uintptr_t *words, unsigned left, struct gc_candidate *end) {
  for (; left; left &= left - 1) {
    size_t offset = *(const volatile uintptr_t *)&words[__builtin_ctz(left)] - view.base;
    if (GC_UNLIKELY(offset >= view.bytes))
      continue;
    *end = find_candidate(view, offset);
    __builtin_prefetch(end->byte);
    end++;
  }
  return end;
}

// Gather what `count` words refer to, an even number.  Returns the end of the candidates.
GC_NO_SANITIZE GC_INLINE struct gc_candidate *
scan_words(struct gc_mark_view view, const uintptr_t *words, size_t count, struct gc_candidate *end,
           struct gc_small_filter filter) {
  for (; count >= 4; count -= 4, words += 4)
    end = gather(view, words, filter.four(words, view.base, view.bytes), end);
  return count ? gather(view, words, filter.two(words, view.base, view.bytes), end) : end;
}

// Scan a batch of objects into `candidates`, of long ones the first piece, the rest being pushed back; those
// with descriptors are done with at once.
// Returns the new top.
GC_NO_SANITIZE GC_INLINE gc_mark_entry *
scan_objects(struct gc_marker *marker, struct gc_mark_view view, const struct gc_mark_batch *objects,
             struct gc_mark_batch *candidates, gc_mark_entry *top, struct gc_small_filter filter) {
  struct gc_candidate *end = candidates->candidates;
  for (size_t i = 0; i < objects->object_count; i++) {
    size_t granule = gc_mark_entry_granule(objects->objects[i]);
    size_t granules = gc_mark_entry_granules(objects->objects[i]);
    if (GC_UNLIKELY(granules == GC_ENTRY_DESCRIBED)) {
      top = gc_marker_scan_described(marker, top, granule);
      continue;
    }
    if (GC_UNLIKELY(granules > PIECE_GRANULES)) {
      *top++ = gc_mark_entry_make(granule + PIECE_GRANULES, granules - PIECE_GRANULES);
      granules = PIECE_GRANULES;
    }
    const uintptr_t *words = (const uintptr_t *)(view.base + (granule << GC_GRANULE_SHIFT));
    end = scan_words(view, words, granules * (GC_GRANULE_BYTES / GC_WORD_BYTES), end, filter);
  }
  candidates->candidates_end = end;
  return top;
}

GC_NO_SANITIZE GC_INLINE gc_mark_entry *
settle_candidates(struct gc_marker *marker, struct gc_mark_view view, struct gc_mark_batch *batch,
                  gc_mark_entry *top) {
  const struct gc_candidate *end = batch->candidates_end;
  for (const struct gc_candidate *candidate = batch->candidates; candidate < end; candidate++)
    top = settle(marker, view, *candidate, top, true);
  batch->candidates_end = batch->candidates;
  return top;
}

// Drain the stack until it is empty or about `budget` entries have been scanned.
GC_NO_SANITIZE GC_INLINE void
gc_drain_with(struct gc_marker *marker, size_t budget, struct gc_small_filter filter) {
  struct gc_mark_view view = marker->view;
  struct gc_mark_batch *now = &marker->batches[0], *before = &marker->batches[1];
  gc_mark_entry *top = marker->stack.top;
  size_t scanned = 0;
  before->object_count = 0;
  before->candidates_end = before->candidates;
  do {
    if (GC_UNLIKELY((size_t)(marker->stack.limit - top) < GC_MARK_ROOM))
      top = gc_marker_make_room(marker, top);
    top = pop_objects(view, now, marker->stack.base, top);
    top = scan_objects(marker, view, before, now, top, filter);
    top = settle_candidates(marker, view, before, top);
    scanned += now->object_count;
    struct gc_mark_batch *swap = now;
    now = before;
    before = swap;
  } while (scanned < budget && (before->object_count > 0 || before->candidates_end != before->candidates ||
                                top != marker->stack.base));
  top = settle_candidates(marker, view, before, top);
  for (size_t i = 0; i < before->object_count; i++)
    *top++ = before->objects[i];
  marker->stack.top = top;
}
