// The marker's inner loop, written once and compiled for each instruction set that drain_<cpu>.c chooses
// from.
//
// In most heaps it works best in batches.  Between asking for an object's memory, or for a slot byte, and
// using it lies a whole batch of other work:
//
//   round i      pop objects i          scan objects i - 1               settle candidates i - 2
//                (ask for their memory)  (pack the addresses in them;     (each that is white: mark, push)
//                                        each is a candidate: ask for
//                                        its slot byte)
//
// A branch that depends on whether a word is an address, or an object white, is mispredicted as often as not
// in a heap of any variety, so there is none where that is the case: a random graph marks in 30 % less time.
//
// Without the second delay each test of a slot byte, seldom in a near cache and never predictable, stalls
// the processor until the byte has come: 60 to 90 ns per object on a random graph against 21
// (bench/graphmark).  Without the first, the scan waits for the object. Queues instead of batches do as
// well and take twice the instructions.
//
// But where memory need not be waited for and branches go as foreseen, the delays only cost: lists in
// allocation order are followed depth first in 5 ns per object against 6.  So there are other ways, and
// marker.c finds out which is the fastest.
//
// Everything is inlined into one function, gc_drain_with, which keeps the view and the top of the stack in
// registers: slot bytes are chars, so that any store to one would make the compiler read the marker's
// fields again.
#pragma once

#include "mark/drain.h"
#include "mark/filter.h"
#include "mark/marker.h"

// What an instruction set does at one go.
struct gc_drain_vectors {
  struct gc_small_filter filter;

  // Find the candidates for eight offsets if they all lie in one page, as those in arrays of objects that
  // were allocated one after the other do.  false if not.  NULL: no code for it.
  bool (*find_eight)(struct gc_mark_view view, const size_t *offsets, struct gc_candidate *candidates);

  // With gathers, which are slow on some processors: find them wherever they lie.
  void (*gather_eight)(struct gc_mark_view view, const size_t *offsets, struct gc_candidate *candidates);

  // Likewise: settle eight candidates.  Returns the new top; NULL, and nothing is done, if a white one is
  // large or has a descriptor.  One that is there twice may be pushed twice.
  gc_mark_entry *(*settle_eight)(struct gc_mark_view view, const struct gc_candidate *candidates,
                                 gc_mark_entry *top);
};

#define PIECE_GRANULES (GC_PIECE_WORDS * GC_WORD_BYTES / GC_GRANULE_BYTES)

// In a candidate's entry: the object contains no pointers.
#define GC_ENTRY_POINTER_FREE ((gc_mark_entry)1 << 63)

// Where in the heap an offset lies.
struct gc_place {
  const struct gc_page *page;
  size_t granule; // in the page's span
  size_t slot;    // in the span
  uint8_t *byte;  // the slot's
};

// Where what lies `offset` bytes into the heap is.  For no slot and free pages its byte is one that is always
// FREE.  The page's `place` is read whole and first, since the page may come into use meanwhile
// (gc_page_publish).
GC_NO_SANITIZE GC_INLINE struct gc_place
find_place(struct gc_mark_view view, size_t offset) {
  const struct gc_page *page = &view.pages[offset >> GC_PAGE_SHIFT];
  size_t in_page = (offset & (GC_PAGE_BYTES - 1)) >> GC_GRANULE_SHIFT;
  uint64_t place = gc_atomic_load_acquire(&page->place);
  size_t reciprocal = (uint32_t)place, line = place >> 32;
  size_t granule = in_page + page->span_offset * GC_PAGE_GRANULES;
  size_t slot = granule * reciprocal >> GC_RECIPROCAL_SHIFT;
  return (struct gc_place){page, granule, slot, view.slot_bytes + line * GC_LINE_SLOTS + slot};
}

// With interior pointers off: 1 if a word `displacement` bytes into an object counts.
static inline size_t
displacement_counts(size_t displacement) {
  return (displacement < GC_DISPLACEMENTS_MAX) & gc_heap_displacements[displacement % GC_DISPLACEMENTS_MAX];
}

// What a word refers to that points `offset` bytes into the heap.  No branch depends on what is found there.
GC_NO_SANITIZE GC_INLINE struct gc_candidate
find_candidate(struct gc_mark_view view, size_t offset) {
  struct gc_place place = find_place(view, offset);
  size_t granules = place.page->slot_granules, kind = place.page->kind;
  size_t inside = place.granule - place.slot * granules;
  granules &= 0 - (size_t)!gc_kind_is_described(kind);
  gc_mark_entry entry = gc_mark_entry_make((offset >> GC_GRANULE_SHIFT) - inside, granules);
  entry |= gc_select(gc_kind_is_scanned(kind), 0, GC_ENTRY_POINTER_FREE);
  return (struct gc_candidate){place.byte, entry};
}

// The same if that is where the object may be pointed to; if not, something that is always FREE.
GC_NO_SANITIZE GC_INLINE struct gc_candidate
find_counting_candidate(struct gc_mark_view view, size_t offset) {
  struct gc_candidate candidate = find_candidate(view, offset);
  if (GC_UNLIKELY(!view.all_interior_pointers)) {
    size_t granule = gc_mark_entry_granule(candidate.entry & ~GC_ENTRY_POINTER_FREE);
    size_t counts = displacement_counts(offset - (granule << GC_GRANULE_SHIFT));
    candidate.byte = (uint8_t *)gc_select(counts, (uintptr_t)candidate.byte, (uintptr_t)view.slot_bytes);
  }
  return candidate;
}

// Those for `count` offsets, asking for their slot bytes.
GC_NO_SANITIZE GC_INLINE struct gc_candidate *
find_apart(struct gc_mark_view view, const size_t *offsets, size_t count, struct gc_candidate *candidates) {
  for (size_t i = 0; i < count; i++) {
    candidates[i] = find_counting_candidate(view, offsets[i]);
    __builtin_prefetch(candidates[i].byte);
  }
  return candidates + count;
}

// The same up to `end`, by eights as far as there is code for it.  Returns the end of the candidates.
GC_NO_SANITIZE GC_INLINE struct gc_candidate *
find_candidates(struct gc_mark_view view, const size_t *offsets, const size_t *end,
                struct gc_candidate *candidates, bool gather, struct gc_drain_vectors vectors) {
  for (; vectors.find_eight && end - offsets >= 8; offsets += 8) {
    if (!vectors.find_eight(view, offsets, candidates)) {
      if (!gather) {
        candidates = find_apart(view, offsets, 8, candidates);
        continue;
      }
      vectors.gather_eight(view, offsets, candidates);
    }
#pragma GCC unroll 8
    for (size_t i = 0; i < 8; i++)
      __builtin_prefetch(candidates++->byte);
  }
  return find_apart(view, offsets, (size_t)(end - offsets), candidates);
}

GC_NO_SANITIZE GC_INLINE size_t
is_white(struct gc_mark_view view, struct gc_candidate candidate) {
  return view.white >> *candidate.byte & 1;
}

// Push a candidate if it is `white`, by now marked and not free of pointers.  There is room.  Returns the new
// top of the stack.  No branch depends on what is known of the candidate, unless it is large or has a
// descriptor.
GC_NO_SANITIZE GC_INLINE gc_mark_entry *
push_white(struct gc_marker *marker, struct gc_mark_view view, struct gc_candidate candidate, size_t white,
           gc_mark_entry *top) {
  white &= ~(candidate.entry >> 63);
  if (GC_UNLIKELY(gc_mark_entry_granules(candidate.entry) == 0)) {
    size_t page = gc_mark_entry_granule(candidate.entry) / GC_PAGE_GRANULES;
    if (white && !gc_kind_is_described(view.pages[page].kind))
      return gc_marker_push_large(marker, top, page);
  }
  *top = candidate.entry;
  return top + white;
}

// Pop a batch and ask for its memory, in the order in which it was pushed: what an array refers to lies in
// that order, mostly, and is then fetched ahead by the processor itself.  Returns the new top.
GC_INLINE gc_mark_entry *
pop_objects(struct gc_mark_view view, struct gc_mark_batch *batch, const gc_mark_entry *base,
            gc_mark_entry *top) {
  size_t count = gc_min((size_t)(top - base), GC_BATCH_OBJECTS);
  top -= count;
  for (size_t i = 0; i < count; i++) {
    __builtin_prefetch((const void *)(view.base + (gc_mark_entry_granule(top[i]) << GC_GRANULE_SHIFT)));
    batch->objects[i] = top[i];
  }
  batch->object_count = count;
  return top;
}

// Pack the addresses in an object of some granules, as offsets from the heap's base.  Which words are
// addresses is as good as random, so no branch depends on it.  While the world runs a word may change, so it
// is read once only.  Returns the end of the offsets.
GC_NO_SANITIZE GC_INLINE size_t *
pack_words(struct gc_mark_view view, const uintptr_t *words, size_t granules, size_t *end,
           struct gc_small_filter filter) {
  _Static_assert(GC_GRANULE_BYTES == 2 * GC_WORD_BYTES, "a granule is two words");
  for (size_t pairs = granules / 2; pairs > 0; pairs--, words += 4)
    end += filter.pack_four(words, view.base, view.bytes, end);
  if (granules % 2)
    end += filter.pack_two(words, view.base, view.bytes, end);
  return end;
}

// Scan a batch of objects into `candidates`, of long ones the first piece, the rest being pushed back; those
// with descriptors are done with at once.
// Returns the new top.
GC_NO_SANITIZE GC_INLINE gc_mark_entry *
scan_objects(struct gc_marker *marker, struct gc_mark_view view, const struct gc_mark_batch *objects,
             struct gc_mark_batch *candidates, gc_mark_entry *top, bool gather,
             struct gc_drain_vectors vectors) {
  size_t *end = marker->offsets;
  for (size_t i = 0; i < objects->object_count; i++) {
    size_t granule = gc_mark_entry_granule(objects->objects[i]);
    size_t granules = gc_mark_entry_granules(objects->objects[i]);
    if (GC_UNLIKELY(granules == GC_ENTRY_DESCRIBED || granules > PIECE_GRANULES)) {
      if (granules == GC_ENTRY_DESCRIBED) {
        top = gc_marker_scan_described(marker, top, granule);
        continue;
      }
      *top++ = gc_mark_entry_make(granule + PIECE_GRANULES, granules - PIECE_GRANULES);
      granules = PIECE_GRANULES;
    }
    const uintptr_t *words = (const uintptr_t *)(view.base + (granule << GC_GRANULE_SHIFT));
    end = pack_words(view, words, granules, end, vectors.filter);
  }
  candidates->candidates_end =
      find_candidates(view, marker->offsets, end, candidates->candidates, gather, vectors);
  return top;
}

// Mark the white ones among some candidates and push them.  Returns the new top.
GC_NO_SANITIZE GC_INLINE gc_mark_entry *
settle_alike(struct gc_marker *marker, struct gc_mark_view view, const struct gc_candidate *next,
             const struct gc_candidate *end, gc_mark_entry *top, size_t *marked) {
  for (; next < end; next++)
    if (is_white(view, *next)) {
      *next->byte = view.mark;
      *marked += 1;
      top = push_white(marker, view, *next, 1, top);
    }
  return top;
}

// The same without a branch that depends on whether a candidate is white: the mark of one that is not goes
// nowhere, and the next entry over its own.
GC_NO_SANITIZE GC_INLINE gc_mark_entry *
settle_mixed(struct gc_marker *marker, struct gc_mark_view view, const struct gc_candidate *next,
             const struct gc_candidate *end, gc_mark_entry *top, size_t *marked) {
  uint8_t nowhere;
  for (; next < end; next++) {
    struct gc_candidate candidate = *next;
    size_t white = is_white(view, candidate);
    GC_OPAQUE(white);
    *marked += white;
    *(uint8_t *)gc_select(white, (uintptr_t)candidate.byte, (uintptr_t)&nowhere) = view.mark;
    top = push_white(marker, view, candidate, white, top);
  }
  return top;
}

// Settle a batch: with a branch where the last one was nearly all white or nearly all marked, as in lists and
// in what is searched again, without one where it was mixed.
GC_NO_SANITIZE GC_INLINE gc_mark_entry *
settle(struct gc_marker *marker, struct gc_mark_view view, struct gc_mark_batch *batch, gc_mark_entry *top,
       bool *mixed) {
  struct gc_candidate *first = batch->candidates, *end = batch->candidates_end;
  size_t count = (size_t)(end - first), marked = 0;
  top = *mixed ? settle_mixed(marker, view, first, end, top, &marked)
               : settle_alike(marker, view, first, end, top, &marked);
  *mixed = marked > count / 8 && marked < count - count / 8;
  batch->candidates_end = batch->candidates;
  return top;
}

// Settle a batch by eights.
GC_NO_SANITIZE GC_INLINE gc_mark_entry *
settle_by_eights(struct gc_marker *marker, struct gc_mark_view view, struct gc_mark_batch *batch,
                 gc_mark_entry *top, struct gc_drain_vectors vectors) {
  struct gc_candidate *next = batch->candidates, *end = batch->candidates_end;
  size_t marked = 0;
  for (; end - next >= 8; next += 8) {
    gc_mark_entry *new_top = vectors.settle_eight(view, next, top);
    top = GC_LIKELY(new_top) ? new_top : settle_alike(marker, view, next, next + 8, top, &marked);
  }
  batch->candidates_end = batch->candidates;
  return settle_mixed(marker, view, next, end, top, &marked);
}

// ---- Depth first ---------------------------------------------------------------------------------------

// The stack of a depth-first search.  What was pushed last is also held as it was found, so that following a
// list waits neither for the way through memory nor for the division that tells where an object begins.
struct gc_depth {
  gc_mark_entry *top;
  uintptr_t newest; // where the newest entry's object begins; 0: see the entry
  size_t newest_granules;
};

// Mark the object that a word refers to, if it is white, and push it unless it is free of pointers.  There is
// room.
GC_NO_SANITIZE GC_INLINE void
follow(struct gc_marker *marker, struct gc_mark_view view, uintptr_t word, struct gc_depth *depth) {
  size_t offset = word - view.base;
  if (offset >= view.bytes)
    return;
  struct gc_place place = find_place(view, offset);
  if (!(view.white >> *place.byte & 1))
    return;
  size_t granules = place.page->slot_granules, inside = place.granule - place.slot * granules;
  if (GC_UNLIKELY(!view.all_interior_pointers) &&
      !displacement_counts(inside * GC_GRANULE_BYTES + offset % GC_GRANULE_BYTES))
    return;
  *place.byte = view.mark;
  if (GC_UNLIKELY(granules == 0 || gc_kind_is_described(place.page->kind))) {
    depth->top = push_white(marker, view, find_candidate(view, offset), 1, depth->top);
    depth->newest = 0;
    return;
  }
  if (!gc_kind_is_scanned(place.page->kind))
    return;
  if (GC_LIKELY(inside == 0))
    GC_OPAQUE(offset); // a branch, which is predicted, and not a subtraction
  else
    offset -= inside * GC_GRANULE_BYTES;
  depth->newest = view.base + gc_round_down(offset, GC_GRANULE_BYTES);
  depth->newest_granules = granules;
  __builtin_prefetch((const void *)depth->newest);
  *depth->top++ = gc_mark_entry_make(offset >> GC_GRANULE_SHIFT, granules);
}

// The last first, so that the first is on top of the stack: trees and lists are mostly laid out in that
// order, or the reverse.
GC_NO_SANITIZE GC_INLINE void
follow_two(struct gc_marker *marker, struct gc_mark_view view, const volatile uintptr_t *words,
           struct gc_depth *depth) {
  uintptr_t first = words[0];
  follow(marker, view, words[1], depth);
  follow(marker, view, first, depth);
}

// Scan an object, of a long one the first piece, the rest being pushed back.
GC_NO_SANITIZE GC_INLINE void
scan_depth_first(struct gc_marker *marker, struct gc_mark_view view, uintptr_t start, size_t granules,
                 struct gc_depth *depth, struct gc_small_filter filter) {
  depth->newest = 0;
  size_t granule = (start - view.base) >> GC_GRANULE_SHIFT;
  if (GC_UNLIKELY(granules == GC_ENTRY_DESCRIBED)) {
    depth->top = gc_marker_scan_described(marker, depth->top, granule);
    return;
  }
  if (GC_UNLIKELY(granules > PIECE_GRANULES)) {
    *depth->top++ = gc_mark_entry_make(granule + PIECE_GRANULES, granules - PIECE_GRANULES);
    granules = PIECE_GRANULES;
  }
  const uintptr_t *words = (const uintptr_t *)start;
  size_t count = granules * (GC_GRANULE_BYTES / GC_WORD_BYTES);
  for (; count >= 4; count -= 4, words += 4)
    if (filter.four(words, view.base, view.bytes)) {
      follow_two(marker, view, words + 2, depth);
      follow_two(marker, view, words, depth);
    }
  if (count)
    follow_two(marker, view, words, depth);
}

// Drain depth first until the stack is empty or holds more than `many`, or about `budget` entries have been
// scanned.  Returns the new top.
GC_NO_SANITIZE GC_INLINE gc_mark_entry *
drain_depth_first(struct gc_marker *marker, struct gc_mark_view view, gc_mark_entry *top, size_t many,
                  size_t budget, size_t *scanned, struct gc_small_filter filter) {
  struct gc_depth depth = {top, 0, 0};
  size_t left = budget;
  for (; left > 0 && depth.top != marker->stack.base && (size_t)(depth.top - marker->stack.base) <= many;
       left--) {
    gc_mark_entry entry = *--depth.top;
    uintptr_t start = depth.newest;
    size_t granules = depth.newest_granules;
    if (start)
      GC_OPAQUE(start); // a branch
    else {
      start = view.base + (gc_mark_entry_granule(entry) << GC_GRANULE_SHIFT);
      granules = gc_mark_entry_granules(entry);
    }
    if (GC_UNLIKELY((size_t)(marker->stack.limit - depth.top) < GC_MARK_ROOM))
      depth.top = gc_marker_make_room(marker, depth.top);
    scan_depth_first(marker, view, start, granules, &depth, filter);
  }
  *scanned += budget - left;
  return depth.top;
}

// Scan a batch of objects, marking and pushing what each refers to at once.  Returns the new top.
GC_NO_SANITIZE GC_INLINE gc_mark_entry *
follow_objects(struct gc_marker *marker, struct gc_mark_view view, struct gc_mark_batch *batch,
               gc_mark_entry *top, struct gc_small_filter filter) {
  struct gc_depth depth = {top, 0, 0};
  for (size_t i = 0; i < batch->object_count; i++) {
    uintptr_t start = view.base + (gc_mark_entry_granule(batch->objects[i]) << GC_GRANULE_SHIFT);
    scan_depth_first(marker, view, start, gc_mark_entry_granules(batch->objects[i]), &depth, filter);
  }
  batch->object_count = 0;
  return depth.top;
}

// ---- All ways ------------------------------------------------------------------------------------------

// Drain the stack until it is empty or about `budget` entries have been scanned.  Returns how many have.
GC_NO_SANITIZE GC_INLINE size_t
gc_drain_with(struct gc_marker *marker, size_t budget, struct gc_drain_vectors vectors) {
  struct gc_mark_view view = marker->view;
  struct gc_mark_batch *now = &marker->batches[0], *before = &marker->batches[1];
  gc_mark_entry *top = marker->stack.top;
  bool always_depth_first = marker->way == GC_DRAIN_DEPTH_FIRST, mixed = false;
  bool gather = vectors.gather_eight && marker->way == GC_DRAIN_GATHERED;
  size_t few = always_depth_first ? SIZE_MAX : GC_BATCH_FEW,
         many = always_depth_first ? SIZE_MAX : GC_BATCH_MANY;
  size_t scanned = 0;
  before->object_count = 0;
  before->candidates_end = before->candidates;
  now->candidates_end = now->candidates;
  do {
    if (GC_UNLIKELY((size_t)(marker->stack.limit - top) < GC_MARK_ROOM))
      top = gc_marker_make_room(marker, top);
    if (before->object_count == 0 && before->candidates_end == before->candidates &&
        (size_t)(top - marker->stack.base) <= few) {
      top = drain_depth_first(marker, view, top, many, budget - scanned, &scanned, vectors.filter);
      continue;
    }
    top = pop_objects(view, now, marker->stack.base, top);
    if (marker->way == GC_DRAIN_AHEAD)
      top = follow_objects(marker, view, before, top, vectors.filter);
    else {
      top = scan_objects(marker, view, before, now, top, gather, vectors);
      top = gather ? settle_by_eights(marker, view, before, top, vectors)
                   : settle(marker, view, before, top, &mixed);
    }
    scanned += now->object_count;
    struct gc_mark_batch *swap = now;
    now = before;
    before = swap;
  } while (scanned < budget && (before->object_count > 0 || before->candidates_end != before->candidates ||
                                top != marker->stack.base));
  top = settle(marker, view, before, top, &mixed);
  for (size_t i = 0; i < before->object_count; i++)
    *top++ = before->objects[i];
  marker->stack.top = top;
  return scanned - before->object_count;
}
