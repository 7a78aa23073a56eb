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
//            hand out run                 mark, full cycle n        mark, full cycle n + 1
//   FREE ------------------> NEW ---------------------> MARK_A <-----------------------> MARK_B
//    ^ ^                      |                            |                               |
//    | +---- sweep: not marked in this cycle --------------+-------------------------------+
//    |                                  GC_free (any of them)
//    +--- sweep ------------ HELD <---------------- (on a thread's list; HELD -> NEW when taken from it)
//
// The two marks change their meaning from full cycle to full cycle ("flip"), so that marks never need
// clearing: at the end of a cycle all old objects bear the current mark.  A minor cycle does not flip, so
// that old objects are black from its start.  In the later part of a concurrent cycle's marking objects are
// born with the current mark instead of NEW.  One byte and not two bits, because plain stores by several
// markers must not lose each other's marks: an atomic `or` costs 10 ns per object (design, section 1).
//
// HELD slots are no objects, and not free to others: a thread's freed slots between two cycles, and unused
// slots of its runs within one.  There are two values, which also change their meaning at each cycle: the
// sweep keeps what is held since then, and frees what was held before.
#pragma once

#include "base/atomic.h"
#include "base/types.h"

#define GC_PAGE_SHIFT 16
#define GC_PAGE_BYTES ((size_t)1 << GC_PAGE_SHIFT)
#define GC_HUGE_PAGE_BYTES (2 * GC_MIB) // the system's
#define GC_PAGE_GRANULES (GC_PAGE_BYTES / GC_GRANULE_BYTES)
#define GC_CELL_SHIFT 5 // cells are words of the heap's tables, one for so many bytes
#define GC_PAGE_CELLS (GC_PAGE_BYTES >> GC_CELL_SHIFT)
#define GC_RECIPROCAL_SHIFT 31
#define GC_LINE_SLOTS 64 // slot bytes come in lines of 64

enum gc_slot {
  GC_SLOT_FREE = 0,
  GC_SLOT_NEW = 1,
  GC_SLOT_MARK_A = 2,
  GC_SLOT_MARK_B = 3,
  GC_SLOT_HELD_A = 4,
  GC_SLOT_HELD_B = 5
};

static inline bool
gc_slot_is_object(uint8_t byte) {
  return (uint8_t)(byte - GC_SLOT_NEW) < 3;
}

enum gc_page_state {
  GC_PAGE_FREE_CLEAN, // reads as zero; the system has the memory
  GC_PAGE_FREE_DIRTY, // has memory, with anything in it
  GC_PAGE_SLOTS,      // part of a span of slots
  GC_PAGE_LARGE       // part of a large object
};

// Hot.  [gc_lock; read by marking, also while the world runs]
struct gc_page {
  union {
    struct {
      uint32_t reciprocal;
      uint32_t line; // of the span's slot bytes; 0: none
    };
    struct gc_atomic place; // both at once
  };
  uint32_t span_offset;   // pages from the span's first to this one
  uint16_t slot_granules; // 0: large object
  uint8_t kind;           // enum gc_kind
  uint8_t state;          // enum gc_page_state
};
_Static_assert(sizeof(struct gc_page) == 16, "four hot descriptors to a cache line");

// While a concurrent cycle marks, free pages become used, and never the other way round.  A marker that reads
// a descriptor meanwhile sees the old `place`, and looks at byte 0, or the new one; then all the rest is new
// [release -> acquire in find_place, mark/drain_inl.h].
static inline void
gc_page_publish(struct gc_page *page, struct gc_page value) {
  page->span_offset = value.span_offset;
  page->slot_granules = value.slot_granules;
  page->kind = value.kind;
  page->state = value.state;
  gc_atomic_store_release(&page->place, gc_atomic_load_relaxed(&value.place));
}

enum gc_page_flags {
  GC_PAGE_OWNED = 1,   // some cache allocates here
  GC_PAGE_FRESH = 2,   // all slots are free, and known to be zero
  GC_PAGE_IDLE = 4,    // OWNED, but nothing was allocated here before the last pause that ended a cycle
  GC_PAGE_RESTING = 8, // nothing has been allocated here since freed_at_ms (gaps.h)
  GC_PAGE_EMPTIED = 16 // ... and what lies between objects was given back
};

// Cold, kept for the first page of a span (and, `span_pages`, for the last of a free one).  [gc_lock]
struct gc_page_info {
  size_t object_bytes; // large: as asked for, rounded up to granules
  uint32_t next;       // page list; 0 ends
  uint32_t previous;   // 0: the first
  uint32_t span_pages;
  uint32_t freed_at_ms; // free, or RESTING: since when, on the heap's clock
  uint16_t slots;       // slots in the span
  uint16_t free_slots;  // free ones after the last sweep
  uint8_t class;
  uint8_t flags;  // enum gc_page_flags
  uint8_t listed; // 1 + emptiness of the list that it is in; 0: in none
  uint8_t sparse; // large: parts of it may never have been touched [atomic, relaxed: markers]
};
