// Pages: their descriptors and the bytes that say what each slot is.
//
// A page's hot descriptor is what marking needs to turn a word into a slot; four share a cache line:
//
//   word - heap base = page number | offset in page
//   granule = span_offset * 4096 + offset / 16
//   slot    = granule * reciprocal >> 31        (reciprocal 0: free page or large object, slot 0)
//   byte    = slot_bytes[line * 64 + slot]      (byte 0 is FREE for ever, for free pages)
//
// Each slot has one byte:
//
//            hand out run                 mark, cycle n             mark, cycle n + 1
//   FREE ------------------> NEW ---------------------> MARK_A <-----------------------> MARK_B
//    ^ ^                      |                            |                               |
//    | +---- sweep: not marked in this cycle --------------+-------------------------------+
//    |                                  GC_free (any of them)
//    +--- sweep ------------ HELD <---------------- (on a thread's list; HELD -> NEW when taken from it)
//
// The two marks change their meaning from cycle to cycle ("flip"), so that marks never need clearing: at
// the end of a cycle all old objects bear the current mark.  One byte and not two bits, because plain
// stores by several markers must not lose each other's marks: an atomic `or` costs 10 ns per object
// (design, section 1).
#pragma once

#include "base/types.h"

#define GC_PAGE_SHIFT 16
#define GC_PAGE_BYTES ((size_t)1 << GC_PAGE_SHIFT)
#define GC_PAGE_GRANULES (GC_PAGE_BYTES / GC_GRANULE_BYTES)
#define GC_RECIPROCAL_SHIFT 31
#define GC_LINE_SLOTS 64 // slot bytes come in lines of 64

enum gc_slot { GC_SLOT_FREE = 0, GC_SLOT_NEW = 1, GC_SLOT_MARK_A = 2, GC_SLOT_MARK_B = 3, GC_SLOT_HELD = 4 };

static inline bool
gc_slot_is_object(uint8_t byte) {
  return byte != GC_SLOT_FREE && byte != GC_SLOT_HELD;
}

enum gc_page_state {
  GC_PAGE_FREE_CLEAN, // reads as zero; the system has the memory
  GC_PAGE_FREE_DIRTY, // has memory, with anything in it
  GC_PAGE_SLOTS,      // part of a span of slots
  GC_PAGE_LARGE       // part of a large object
};

// Hot.  [gc_lock; read by marking in a stopped world]
struct gc_page {
  uint32_t reciprocal;
  uint32_t span_offset;   // pages from the span's first to this one
  uint32_t line;          // of the span's slot bytes; 0: none
  uint16_t slot_granules; // 0: large object
  uint8_t kind;           // enum gc_kind
  uint8_t state;          // enum gc_page_state
};
_Static_assert(sizeof(struct gc_page) == 16, "four hot descriptors to a cache line");

enum { GC_PAGE_OWNED = 1, GC_PAGE_FRESH = 2 };

// Cold, kept for the first page of a span (and, `span_pages`, for the last of a free one).  [gc_lock]
struct gc_page_info {
  size_t object_bytes; // large: as asked for, rounded up to granules
  uint32_t next;       // page list; 0 ends
  uint32_t previous;
  uint32_t span_pages;
  uint32_t freed_at_ms; // free: on the heap's clock
  uint16_t slots;       // slots in the span
  uint16_t free_slots;  // free ones after the last sweep
  uint8_t class;
  uint8_t
      flags; // OWNED: some cache allocates here; FRESH: nothing has been handed out since the system gave it
};
