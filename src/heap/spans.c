// Free spans: best fit by length, coalesced at once with neighbours of the same cleanness.
//
// Dirty spans (with memory behind them) and clean ones (without) are kept apart, because taking fresh
// memory from the system costs ten times as much as clearing memory that is there (design, section 1):
// dirty ones are used first.  A large request that neither can satisfy takes a run in which both mix before
// the heap grows.
//
// Pointer-free pages need not be searched for what was written, and the kernel is asked about stretches of
// pages: so the two sorts are kept from mixing as far as it costs nothing.  What may hold pointers is taken
// from the low ends of free spans, what may not from the high ones, and among free spans of the right length
// one is preferred whose neighbour is of its sort.
#include <string.h>

#include "base/hooks.h"
#include "base/lock.h"
#include "base/variables.h"
#include "heap/ahead.h"
#include "heap/heap.h"
#include "os/memory.h"
#include "os/writes.h"

// The bin that a free span of `pages` belongs to.
static unsigned
bin_of(size_t pages) {
  if (pages <= GC_EXACT_BINS)
    return (unsigned)pages - 1;
  unsigned doubling = gc_log2(pages);
  unsigned quarter = (unsigned)(pages >> (doubling - 2)) & 3;
  return GC_EXACT_BINS + 4 * (doubling - 6) + quarter;
}

static void
bin_push(unsigned state, uint32_t page, uint32_t pages) {
  struct gc_span_bins *bins = &gc_heap.bins[state];
  unsigned bin = bin_of(pages);
  struct gc_page_info *info = &gc_heap.infos[page];
  info->span_pages = pages;
  gc_heap.infos[page + pages - 1].span_pages = pages;
  info->previous = 0;
  info->next = bins->heads[bin];
  if (info->next)
    gc_heap.infos[info->next].previous = page;
  bins->heads[bin] = page;
  bins->occupied[bin / 64] |= (uint64_t)1 << (bin % 64);
}

static void
bin_remove(unsigned state, uint32_t page) {
  struct gc_span_bins *bins = &gc_heap.bins[state];
  const struct gc_page_info *info = &gc_heap.infos[page];
  unsigned bin = bin_of(info->span_pages);
  if (info->next)
    gc_heap.infos[info->next].previous = info->previous;
  if (info->previous)
    gc_heap.infos[info->previous].next = info->next;
  else if ((bins->heads[bin] = info->next) == 0)
    bins->occupied[bin / 64] &= ~((uint64_t)1 << (bin % 64));
}

// The first occupied bin at or above `bin`, or GC_BINS.
static unsigned
next_occupied(const struct gc_span_bins *bins, unsigned bin) {
  while (bin < GC_BINS) {
    uint64_t left = bins->occupied[bin / 64] >> (bin % 64);
    if (left)
      return bin + (unsigned)__builtin_ctzll(left);
    bin = (bin / 64 + 1) * 64;
  }
  return GC_BINS;
}

static bool
is_among_its_own(uint32_t page, uint32_t pages, bool pointers) {
  bool below = gc_page_set_has(gc_heap.scanned, page - 1);
  bool above = page + pages < gc_heap.frontier && gc_page_set_has(gc_heap.scanned, page + pages);
  return pointers ? below || above : !below || !above;
}

// The shortest span of at least `pages` in `bin`, or 0.
static uint32_t
best_in_bin(const struct gc_span_bins *bins, unsigned bin, uint32_t pages, bool pointers) {
  enum { CHOICE = 16 };
  uint32_t best = 0;
  unsigned exact = 0;
  for (uint32_t page = bins->heads[bin]; page; page = gc_heap.infos[page].next) {
    uint32_t length = gc_heap.infos[page].span_pages;
    bool fits = length == pages;
    if (fits && (++exact == CHOICE || is_among_its_own(page, pages, pointers)))
      return page;
    if (length >= pages && (best == 0 || length < gc_heap.infos[best].span_pages))
      best = page;
  }
  return best;
}

static uint32_t
best_fit(unsigned state, uint32_t pages, bool pointers) {
  const struct gc_span_bins *bins = &gc_heap.bins[state];
  for (unsigned bin = next_occupied(bins, bin_of(pages)); bin < GC_BINS; bin = next_occupied(bins, bin + 1)) {
    uint32_t page = best_in_bin(bins, bin, pages, pointers);
    if (page)
      return page;
  }
  return 0;
}

static uint32_t *
free_count(unsigned state) {
  return state == GC_PAGE_FREE_CLEAN ? &gc_heap.clean_pages : &gc_heap.dirty_pages;
}

// Make [page, page + pages) one free span of that state, merged with its neighbours.
static void
insert(unsigned state, uint32_t page, uint32_t pages, uint32_t freed_at_ms) {
  *free_count(state) += pages;
  for (uint32_t i = page; i < page + pages; i++)
    gc_heap.pages[i] = (struct gc_page){.state = (uint8_t)state};
  if (page > 1 && gc_heap.pages[page - 1].state == state) {
    uint32_t before = gc_heap.infos[page - 1].span_pages;
    bin_remove(state, page - before);
    page -= before;
    pages += before;
  }
  if (page + pages < gc_heap.frontier && gc_heap.pages[page + pages].state == state) {
    uint32_t after = gc_heap.infos[page + pages].span_pages;
    bin_remove(state, page + pages);
    pages += after;
  }
  gc_heap.infos[page].freed_at_ms = freed_at_ms;
  bin_push(state, page, pages);
}

// Take the first `pages` pages of a free span out of the bins.
static void
take(unsigned state, uint32_t page, uint32_t pages) {
  uint32_t length = gc_heap.infos[page].span_pages;
  uint32_t freed_at_ms = gc_heap.infos[page].freed_at_ms;
  bin_remove(state, page);
  *free_count(state) -= pages;
  if (length > pages) {
    gc_heap.infos[page + pages].freed_at_ms = freed_at_ms;
    bin_push(state, page + pages, length - pages);
  }
}

// Take pages from the end of a free span where their sort belongs.  Returns the first of them.
static uint32_t
take_end(unsigned state, uint32_t page, uint32_t pages, bool pointers) {
  uint32_t rest = gc_heap.infos[page].span_pages - pages;
  if (pointers || rest == 0) {
    take(state, page, pages);
    return page;
  }
  bin_remove(state, page);
  *free_count(state) -= pages;
  bin_push(state, page, rest);
  return page + rest;
}

// Pages that were in use may still be armed: what is handed out must not be.
static void
disarm(uint32_t page, uint32_t pages) {
  if (!gc_page_set_has_any(gc_heap.armed, page, pages))
    return;
  gc_writes_disarm((struct gc_range){gc_heap_page_address(page), gc_heap_page_address(page + pages)});
  gc_page_set_remove_all(gc_heap.armed, page, pages);
}

// A call costs as much as many pages, and the free ones behind these will probably be next.
static void
disarm_with_next(uint32_t page, uint32_t pages) {
  enum { NEXT_PAGES = 32 };
  uint32_t next = page + pages, more = 0;
  if (!gc_page_set_has_any(gc_heap.armed, page, pages))
    return;
  if (next < gc_heap.frontier && gc_heap.pages[next].state <= GC_PAGE_FREE_DIRTY)
    more = gc_min(gc_heap.infos[next].span_pages, NEXT_PAGES);
  disarm(page, pages + more);
}

void
gc_span_open(uint32_t page) {
  disarm(page, gc_heap.infos[page].span_pages);
}

bool
gc_span_may_become_resident(size_t pages) {
  return gc_heap.max_bytes == 0 || gc_heap_resident_bytes() + (pages << GC_PAGE_SHIFT) <= gc_heap.max_bytes;
}

// A run of free pages of either state, long enough: first fit in address order.
static uint32_t
mixed_fit(uint32_t pages) {
  if (gc_heap.clean_pages == 0 || gc_heap.dirty_pages == 0 ||
      gc_heap.clean_pages + gc_heap.dirty_pages < pages)
    return 0;
  uint32_t start = 1, page = 1;
  while (page < gc_heap.frontier) {
    if (gc_heap.pages[page].state > GC_PAGE_FREE_DIRTY)
      start = page + gc_heap.infos[page].span_pages;
    page += gc_heap.infos[page].span_pages;
    if (page - start >= pages && page > start)
      return start;
  }
  return 0;
}

// Take a run in which clean and dirty spans alternate.
static uint32_t
take_mixed(uint32_t pages) {
  uint32_t first = pages > 1 ? mixed_fit(pages) : 0;
  for (uint32_t page = first, limit = page + pages; page && page < limit;) {
    uint32_t length = (uint32_t)gc_min(gc_heap.infos[page].span_pages, limit - page);
    take(gc_heap.pages[page].state, page, length);
    page += length;
  }
  return first;
}

// The program hears of it when memory was committed, not at each page of it.
static void
tell_program(uint32_t committed_pages) {
  GC_on_heap_resize_proc resized = GC_READ(GC_on_heap_resize);
  if (resized)
    resized(gc_heap_resident_bytes());
  if (gc_hooks.os_memory)
    gc_hooks.os_memory(gc_heap_page_address(committed_pages),
                       (size_t)(gc_heap.committed_pages - committed_pages) << GC_PAGE_SHIFT);
}

static uint32_t
raise_frontier(uint32_t pages) {
  uint32_t committed_pages = gc_heap.committed_pages;
  if (!gc_span_commit(pages)) {
    if (gc_hooks.os_memory)
      gc_hooks.os_memory(NULL, (size_t)pages << GC_PAGE_SHIFT);
    return 0;
  }
  uint32_t page = gc_heap.frontier;
  gc_heap.frontier += pages;
  if (gc_heap.committed_pages > committed_pages)
    tell_program(committed_pages);
  return page;
}

// By more than is needed, so that both sorts find an end.  Pages that nobody touches cost nothing.
static bool
extend_frontier(uint32_t pages) {
  uint32_t generous = gc_max(pages, gc_heap.frontier / 4);
  uint32_t page = gc_heap.frontier;
  if (GC_READ(GC_dont_expand) != 0 || !gc_span_may_become_resident(pages))
    return false;
  if (!raise_frontier(generous) && !raise_frontier(generous = pages))
    return false;
  insert(GC_PAGE_FREE_CLEAN, page, generous, gc_heap.now_ms);
  return true;
}

static uint32_t
take_best(unsigned state, uint32_t pages, bool pointers) {
  uint32_t page = best_fit(state, pages, pointers);
  return page ? take_end(state, page, pages, pointers) : 0;
}

bool
gc_span_expand(uint32_t pages) {
  uint32_t page = gc_span_may_become_resident(pages) ? raise_frontier(pages) : 0;
  if (page == 0)
    return false;
  gc_span_free(page, pages);
  return true;
}

// Of what the system would have to give memory for.
static uint32_t
allocate_more(uint32_t pages, bool pointers, bool *clean) {
  uint32_t page = take_best(GC_PAGE_FREE_CLEAN, pages, pointers);
  *clean = true;
  if (page == 0 && (page = take_mixed(pages)) != 0)
    *clean = false;
  if (page == 0 && extend_frontier(pages))
    page = take_best(GC_PAGE_FREE_CLEAN, pages, pointers);
  return page;
}

// ---- Taking and giving back ----------------------------------------------------------------------------

uint32_t
gc_span_allocate(uint32_t pages, unsigned kind, bool *clean) {
  bool pointers = !gc_kind_is_pointer_free(kind);
  uint32_t page = take_best(GC_PAGE_FREE_DIRTY, pages, pointers);
  *clean = false;
  if (page == 0 && gc_span_may_become_resident(pages))
    page = allocate_more(pages, pointers, clean);
  if (page == 0)
    return 0;
  if (*clean)
    gc_ahead_look(page, pages, pointers);
  disarm_with_next(page, pages);
  gc_heap.infos[page] = (struct gc_page_info){.span_pages = pages};
  return page;
}

void
gc_span_enter(uint32_t page, uint32_t pages, unsigned kind) {
  gc_page_set_add(gc_heap.used, page);
  gc_page_set_add(gc_heap.young, page);
  if (!gc_kind_is_pointer_free(kind))
    gc_page_set_add_all(gc_heap.scanned, page, pages);
}

// Make the free pages from `page` on at least `pages` if only the frontier is in the way.
static void
extend_to(uint32_t page, uint32_t pages) {
  bool is_free = page < gc_heap.frontier && gc_heap.pages[page].state == GC_PAGE_FREE_CLEAN;
  uint32_t length = is_free ? gc_heap.infos[page].span_pages : 0;
  if (page + length == gc_heap.frontier && length < pages)
    extend_frontier(pages - length);
}

bool
gc_span_extend(uint32_t page, uint32_t pages) {
  extend_to(page, pages);
  if (page >= gc_heap.frontier)
    return false;
  unsigned state = gc_heap.pages[page].state;
  if (state > GC_PAGE_FREE_DIRTY || gc_heap.infos[page].span_pages < pages)
    return false;
  if (state == GC_PAGE_FREE_CLEAN && !gc_span_may_become_resident(pages))
    return false;
  take(state, page, pages);
  disarm(page, pages);
  return true;
}

void
gc_span_free(uint32_t page, uint32_t pages) {
  gc_page_set_remove(gc_heap.used, page);
  gc_page_set_remove(gc_heap.young, page);
  gc_page_set_remove(gc_heap.unswept, page);
  gc_page_set_remove_all(gc_heap.scanned, page, pages);
  insert(GC_PAGE_FREE_DIRTY, page, pages, gc_heap.now_ms);
}

// Nothing is registered in pages that are free.
static void
release_cells(uint32_t page, uint32_t pages) {
  if (!gc_page_set_has_any(gc_heap.referred, page, pages))
    return;
  gc_page_set_remove_all(gc_heap.referred, page, pages);
  uintptr_t base = gc_round_up((uintptr_t)&gc_heap.cells[page * GC_PAGE_CELLS], gc_os_page_bytes());
  uintptr_t limit =
      gc_round_down((uintptr_t)&gc_heap.cells[(page + pages) * GC_PAGE_CELLS], gc_os_page_bytes());
  if (base < limit)
    gc_os_release((void *)base, limit - base);
}

// Release one dirty span, or its first pages.
static size_t
release_span(uint32_t page, size_t pages_max) {
  uint32_t pages = (uint32_t)gc_min(gc_heap.infos[page].span_pages, pages_max);
  if (!gc_os_release(gc_heap_page_address(page), (size_t)pages << GC_PAGE_SHIFT))
    return 0;
  release_cells(page, pages);
  disarm(page, pages); // or harvests would ask about it for ever
  take(GC_PAGE_FREE_DIRTY, page, pages);
  insert(GC_PAGE_FREE_CLEAN, page, pages, gc_heap.now_ms);
  return pages;
}

// The longest dirty span that is old enough, or 0.
static uint32_t
longest_to_release(uint32_t age_ms) {
  const struct gc_span_bins *bins = &gc_heap.bins[GC_PAGE_FREE_DIRTY];
  for (unsigned bin = GC_BINS; bin-- > 0;)
    for (uint32_t page = bins->heads[bin]; page; page = gc_heap.infos[page].next)
      if (gc_heap.now_ms - gc_heap.infos[page].freed_at_ms >= age_ms)
        return page;
  return 0;
}

size_t
gc_span_release(uint32_t age_ms, size_t pages_max) {
  size_t released = 0;
  while (released < pages_max) {
    uint32_t page = longest_to_release(age_ms);
    size_t pages = page ? release_span(page, pages_max - released) : 0;
    if (pages == 0)
      break;
    released += pages;
  }
  return released;
}
