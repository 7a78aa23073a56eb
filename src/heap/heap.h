// The heap: one reservation of address space, its page table and its lists.
//
//   base                          frontier              committed                limit
//    | page 0 | page 1 | ... | ... | fresh, committed ... | reserved, no access .... |
//     (unused)
//
// Invariants, checked by gc_verify:
//   spans-tile      the spans (free ones too) tile pages [1, frontier)
//   free-in-bin     every free span is in the bin of its length and cleanness; no two of the same adjoin
//   slots-listed    a span of slots is owned by a cache, full, or in the list of its kind and class
//   sets            pages are in the sets below according to what they are used for; no armed one is owned
//   line-own        no two spans share slot bytes; in line 0 byte 0 is FREE, byte 1 spare, the rest unused
#pragma once

#include "base/atomic.h"
#include "base/check.h"
#include "base/types.h"
#include "heap/cache.h"
#include "heap/classes.h"
#include "heap/page.h"
#include "heap/page_set.h"

enum {
  GC_EXACT_BINS = 64, // free spans of 1 to 64 pages have a bin each, longer ones four per doubling
  GC_BINS = GC_EXACT_BINS + 4 * 32,
  GC_EMPTINESS = 4, // lists of pages with free slots: by quarters, 3 the emptiest
  GC_ROOMY = 1,     // from here on they are worth looking at
  GC_LINE_SIZES = 7 // slot bytes come in chunks of 64 << n, up to 4096
};

struct gc_span_bins {
  uint32_t heads[GC_BINS];
  uint64_t occupied[GC_BINS / 64];
};

struct gc_heap {
  // Read-only after gc_heap_init.
  char *base;
  struct gc_page *pages;
  struct gc_page_info *infos;
  uint8_t *slot_bytes;
  uint32_t *cells; // GC_PAGE_CELLS for each page: who has registered what (refs/table.h)
  size_t reserved_pages;
  size_t reserved_lines;

  // Sets of pages.  [gc_lock, save `young`: any thread adds to it]
  struct gc_page_set used;     // the first pages of spans in use
  struct gc_page_set scanned;  // all pages of spans in use that may contain pointers
  struct gc_page_set young;    // first pages of spans that may hold slots which are NEW or HELD
  struct gc_page_set recent;   // what was young before the last sweep began
  struct gc_page_set armed;    // pages whose writes are noticed; else they count as written
  struct gc_page_set hot;      // pages that were written all over while a concurrent cycle marked
  struct gc_page_set reused;   // with LOAM_VERIFY: pages where the program itself has freed objects
  struct gc_page_set referred; // where objects have finalizers or cleaners, or had and cells have memory
  struct gc_page_set unswept;  // first pages of spans that a sweep under way has still to come to
  struct gc_page_set ahead;    // first pages of huge pages that have been asked for ahead of their use

  // [gc_lock]
  uint32_t frontier; // first page that was never used
  uint32_t committed_pages;
  uint32_t clean_pages;    // free, known to be zero, below the frontier
  uint32_t dirty_pages;    // free, with memory
  uint32_t cell_pages;     // below this page cells are committed
  uint32_t lines_frontier; // slot bytes ever used, in lines
  uint32_t lines_committed;
  size_t lines_huge;                 // huge pages have been asked for below this line
  uint32_t line_free[GC_LINE_SIZES]; // chunks of slot bytes, linked through their first 4 bytes
  struct gc_span_bins bins[2];       // indexed by GC_PAGE_FREE_CLEAN, GC_PAGE_FREE_DIRTY
  uint32_t lists[GC_KINDS][GC_CLASSES][GC_EMPTINESS];
  uint32_t huge_from_page;      // below this page the system knows whether huge pages are wanted
  uint32_t huge_trial_page;     // where they are tried out
  uint32_t huge_slow_pages;     // committed when they were found to be slow
  uint8_t huge_state;           // enum gc_huge_state
  uint64_t huge_mean_ns;        // that one of them took of late, the first counting as quick
  uint32_t ahead_page[2];       // of pointer-free pages and others: where memory is going to be used next
  struct gc_atomic wants_ahead; // futex: raised when these change
  uint32_t now_ms;              // the heap's clock: set at each sweep and release

  // [stw]
  uint8_t mark;        // the current mark: GC_SLOT_MARK_A or _B
  uint8_t held;        // the current value of held slots: GC_SLOT_HELD_A or _B
  uint8_t birth;       // what objects are born with: GC_SLOT_NEW, or the current mark late in `marking`
  bool marking;        // a concurrent cycle marks: no span may become free or shorter
  uint8_t roomy_first; // pages at least so empty are taken by caches before free ones that have memory
  bool all_interior_pointers;

  // Bytes.  [gc_lock; read racily by statistics]
  size_t allocated_bytes;        // handed out since the last cycle
  size_t allocated_before_bytes; // until the last cycle
  size_t carried_bytes;          // not part of these: in runs that the last cycle left to caches
  size_t freed_bytes;            // given to GC_free since the last cycle
  size_t live_bytes;             // in objects after the last sweep
  size_t reclaimed_bytes;        // by the last sweep
  size_t reclaimed_before_bytes; // by those before
  size_t gaps_bytes;             // given back from among live objects, in all (gaps.h)
  size_t max_bytes;              // limit on resident bytes; 0: none
};

// Bounds of the reservation, for programs' mark procedures (libgc's variables).  Until there is one, the
// least is above the greatest.
extern __attribute__((visibility("default"))) void *GC_least_plausible_heap_addr;
extern __attribute__((visibility("default"))) void *GC_greatest_plausible_heap_addr;

#define GC_DISPLACEMENTS_MAX 4096

extern struct gc_heap gc_heap;

// Which displacements count when all_interior_pointers is off.  The last may be read with three more.
// [written before the first cycle that needs it]
extern bool gc_heap_displacements[GC_DISPLACEMENTS_MAX + 3];

// Reserve address space: `reserve_bytes`, or as much as suits the machine for 0; an eighth less until the
// system agrees.  false if even 1 MiB is refused.
bool gc_heap_init(size_t reserve_bytes, size_t physical_bytes);

// With `on`, a word found in the heap keeps an object from any place inside it; else only from registered
// displacements.  Before the first cycle.
void gc_heap_set_all_interior_pointers(bool on);
void gc_heap_register_displacement(size_t displacement);

static inline size_t
gc_heap_page_of(const void *address) {
  return (size_t)((const char *)address - gc_heap.base) >> GC_PAGE_SHIFT;
}

static inline char *
gc_heap_page_address(size_t page) {
  return gc_heap.base + (page << GC_PAGE_SHIFT);
}

static inline uint8_t *
gc_heap_slot_bytes(uint32_t line) {
  return gc_heap.slot_bytes + (size_t)line * GC_LINE_SLOTS;
}

// Bytes of the heap that have memory: everything below the frontier save what the system has back.
static inline size_t
gc_heap_resident_bytes(void) {
  return (size_t)(gc_heap.frontier - 1 - gc_heap.clean_pages) << GC_PAGE_SHIFT;
}

// A page of slots with free ones, for caches to take.  [gc_lock]
void gc_page_list(uint32_t page);
void gc_page_unlist(uint32_t page); // if it is in a list

// ---- Spans (spans.c).  All [gc_lock].

// A span of `pages` pages for `kind`, whose descriptors the caller must still set; 0 if there is none.  The
// kind decides from which end of a longer one it is taken.
// *clean: it reads as zero.
uint32_t gc_span_allocate(uint32_t pages, unsigned kind, bool *clean);

// Take the `pages` pages from `page` on, if they are all free.
bool gc_span_extend(uint32_t page, uint32_t pages);

// Give a span back; what it held is garbage.  It coalesces with its neighbours.
void gc_span_free(uint32_t page, uint32_t pages);

// Enter a span in the sets of pages in use.
void gc_span_enter(uint32_t page, uint32_t pages, unsigned kind);

// Disarm a span in use, since objects will be allocated in it: it counts as written from here on.
void gc_span_open(uint32_t page);

// Make `pages` more pages part of the heap, free ones, even where the heap may not grow by itself
// (GC_dont_expand).  false if the system or the limit refuses.
bool gc_span_expand(uint32_t pages);

// Make room for `pages` more pages above the frontier.  false if the system or the limit refuses.
bool gc_span_commit(uint32_t pages);

// Make it possible to use the cells of a page, which are 0 at first; and of all there are, if the system does
// not refuse that.  false if it does so even for the one.
bool gc_heap_commit_cells(size_t page);

// Release free dirty spans that have been free for `age_ms`, at most `pages_max` pages.  Returns the pages
// released.
size_t gc_span_release(uint32_t age_ms, size_t pages_max);

// Whether the heap's limit allows for `pages` more pages with memory.
bool gc_span_may_become_resident(size_t pages);

// A chunk of slot bytes for `slots` slots, all FREE; 0 if memory is refused.  And back.
uint32_t gc_line_allocate(size_t slots);
void gc_line_free(uint32_t line, size_t slots);

// ---- Objects.

// What a word refers to.
struct gc_ref {
  char *start; // NULL: nothing
  size_t bytes;
  uint32_t page; // the span's first
  uint8_t kind;
  uint8_t *byte; // the slot's byte
};

// The slot at an address, object or not; start is NULL if there is no slot there.
struct gc_ref gc_heap_slot_at(const void *address);

// The slot byte of what lies at an address in a span in use; elsewhere one that is always FREE.
static inline uint8_t *
gc_heap_byte_at(const void *address) {
  size_t offset = (size_t)((const char *)address - gc_heap.base);
  const struct gc_page *page = &gc_heap.pages[offset >> GC_PAGE_SHIFT];
  size_t granule = (offset & (GC_PAGE_BYTES - 1)) >> GC_GRANULE_SHIFT;
  size_t slot = (granule + page->span_offset * GC_PAGE_GRANULES) * page->reciprocal >> GC_RECIPROCAL_SHIFT;
  return gc_heap_slot_bytes(page->line) + slot;
}

// The object at an address.  start is NULL if there is none.
static inline struct gc_ref
gc_heap_resolve(const void *address) {
  struct gc_ref ref = gc_heap_slot_at(address);
  if (ref.start && !gc_slot_is_object(*ref.byte))
    ref.start = NULL;
  return ref;
}

// A large object, not cleared; start is NULL if there is no room.  *clean: it reads as zero.  [gc_lock]
struct gc_ref gc_large_allocate(size_t bytes, size_t alignment, unsigned kind, bool *clean);
void gc_large_free(uint32_t page);
// GC_free of one.  [gc_lock]
void gc_large_free_explicit(struct gc_ref ref);
// Grow or shrink in place to `bytes`, clearing what is gained unless the kind is pointer-free.  false if it
// cannot.  [gc_lock]
bool gc_large_resize(struct gc_ref ref, size_t bytes);
