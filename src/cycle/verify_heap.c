// Structure: spans, bins, lists, slot bytes, caches.  See verify.h; heap.h states the invariants.
#include "base/check.h"
#include "cycle/verify.h"
#include "heap/heap.h"
#include "heap/sweep.h"
#include "refs/refs.h"
#include "world/world.h"

struct faults {
  const char *when;
  size_t count;
};

enum { FAULTS_REPORTED = 20 };

static void
fault(struct faults *faults, const char *invariant, size_t page) {
  if (faults->count++ < FAULTS_REPORTED)
    gc_log("verify %s: %s violated at page %zu (%p)", faults->when, invariant, page,
           (void *)gc_heap_page_address(page));
}

static void
expect(struct faults *faults, bool truth, const char *invariant, size_t page) {
  if (!truth)
    fault(faults, invariant, page);
}

static bool
is_free(unsigned state) {
  return state == GC_PAGE_FREE_CLEAN || state == GC_PAGE_FREE_DIRTY;
}

// ---- Spans ---------------------------------------------------------------------------------------------

static bool
in_bins(uint32_t page, unsigned state) {
  const struct gc_span_bins *bins = &gc_heap.bins[state];
  for (unsigned bin = 0; bin < GC_BINS; bin++)
    for (uint32_t at = bins->heads[bin]; at; at = gc_heap.infos[at].next)
      if (at == page)
        return true;
  return false;
}

static void
check_free_span(struct faults *faults, uint32_t page, uint32_t pages, unsigned state) {
  for (uint32_t i = 0; i < pages; i++)
    expect(faults, gc_heap.pages[page + i].state == state && gc_heap.pages[page + i].line == 0, "spans-tile",
           page + i);
  expect(faults, !gc_page_set_has_any(gc_heap.used, page, pages), "sets (used, and free)", page);
  expect(faults, !gc_page_set_has_any(gc_heap.scanned, page, pages), "sets (scanned, and free)", page);
  expect(faults, !gc_page_set_has_any(gc_heap.young, page, pages), "sets (young, and free)", page);
  expect(faults, in_bins(page, state), "free-in-bin", page);
  expect(faults, page == 1 || gc_heap.pages[page - 1].state != state, "free-in-bin (not coalesced)", page);
}

static void
check_slots_span(struct faults *faults, uint32_t page, uint32_t pages) {
  const struct gc_page *hot = &gc_heap.pages[page];
  const struct gc_page_info *info = &gc_heap.infos[page];
  const struct gc_class *class = &gc_classes[info->class];
  expect(faults, hot->slot_granules * GC_GRANULE_BYTES == class->slot_bytes, "spans-tile (slot size)", page);
  expect(faults, pages == class->span_pages && info->slots == class->slots, "spans-tile (span length)", page);
  const uint8_t *bytes = gc_heap_slot_bytes(hot->line);
  for (size_t slot = 0; slot < gc_round_up(info->slots, GC_LINE_SLOTS); slot++)
    expect(faults, bytes[slot] <= (slot < info->slots ? GC_SLOT_HELD_B : GC_SLOT_FREE),
           "slot byte out of range", page);
}

// A page of a span in use; and that nothing is armed which a cache allocates in.
static void
check_sets(struct faults *faults, uint32_t page, uint32_t first) {
  bool scanned = gc_kind_is_scanned(gc_heap.pages[page].kind);
  bool armed = gc_page_set_has(gc_heap.armed, page);
  expect(faults, gc_page_set_has(gc_heap.used, page) == (page == first), "sets (used)", page);
  expect(faults, gc_page_set_has(gc_heap.scanned, page) == scanned, "sets (scanned)", page);
  expect(faults, !armed || gc_page_set_has(gc_heap.scanned, page), "sets (armed)", page);
  expect(faults, !gc_page_set_has(gc_heap.unswept, page) || (page == first && gc_sweep_is_under_way()),
         "sets (unswept)", page);
  uint8_t flags = gc_heap.infos[first].flags;
  expect(faults, !armed || !(flags & GC_PAGE_OWNED) || flags & GC_PAGE_IDLE, "sets (armed and owned)", page);
}

static void
check_used_span(struct faults *faults, uint32_t page, uint32_t pages, unsigned state) {
  const struct gc_page *first = &gc_heap.pages[page];
  for (uint32_t i = 0; i < pages; i++) {
    const struct gc_page *hot = &gc_heap.pages[page + i];
    expect(faults, hot->state == state && hot->span_offset == i, "spans-tile", page + i);
    expect(faults, hot->line == first->line && hot->line != 0, "line-own", page + i);
    expect(faults, hot->reciprocal == first->reciprocal && hot->kind == first->kind, "spans-tile", page + i);
    check_sets(faults, page + i, page);
  }
  if (state == GC_PAGE_SLOTS)
    check_slots_span(faults, page, pages);
  else
    expect(faults, gc_heap.infos[page].object_bytes <= (size_t)pages << GC_PAGE_SHIFT,
           "large object too long", page);
}

static void
check_spans(struct faults *faults) {
  size_t clean = 0, dirty = 0;
  for (uint32_t page = 1; page < gc_heap.frontier;) {
    unsigned state = gc_heap.pages[page].state;
    uint32_t pages = gc_heap.infos[page].span_pages;
    if (pages == 0 || pages > gc_heap.frontier - page) {
      fault(faults, "spans-tile", page);
      return;
    }
    clean += state == GC_PAGE_FREE_CLEAN ? pages : 0;
    dirty += state == GC_PAGE_FREE_DIRTY ? pages : 0;
    if (is_free(state))
      check_free_span(faults, page, pages, state);
    else
      check_used_span(faults, page, pages, state);
    page += pages;
  }
  expect(faults, clean == gc_heap.clean_pages && dirty == gc_heap.dirty_pages, "free page counts", 0);
}

// ---- Lists and caches ----------------------------------------------------------------------------------

// Returns the list's last page, or 0.
static uint32_t
check_list(struct faults *faults, unsigned kind, unsigned class, unsigned emptiness) {
  size_t length = 0;
  uint32_t last = 0;
  for (uint32_t page = gc_heap.lists[kind][class][emptiness]; page; page = gc_heap.infos[page].next) {
    const struct gc_page_info *info = &gc_heap.infos[page];
    const struct gc_page *hot = &gc_heap.pages[page];
    bool fits =
        hot->state == GC_PAGE_SLOTS && hot->span_offset == 0 && hot->kind == kind && info->class == class;
    expect(faults, fits, "slots-listed", page);
    expect(faults, !(info->flags & GC_PAGE_OWNED), "slots-listed (owned)", page);
    if (!fits || ++length > gc_heap.frontier) {
      fault(faults, "slots-listed (broken list)", page);
      return 0;
    }
    last = page;
  }
  return last;
}

// A page in two lists makes them one from there on, so that they end alike.
static void
check_lists(struct faults *faults, unsigned kind, unsigned class) {
  uint32_t last[GC_EMPTINESS];
  for (unsigned emptiness = 0; emptiness < GC_EMPTINESS; emptiness++) {
    last[emptiness] = check_list(faults, kind, class, emptiness);
    for (unsigned before = 0; before < emptiness; before++)
      expect(faults, last[before] != last[emptiness] || last[before] == 0, "slots-listed (in two lists)",
             last[before]);
  }
}

static void
check_line_zero(struct faults *faults) {
  expect(faults, gc_heap.slot_bytes[0] == GC_SLOT_FREE, "line-own (line 0)", 0);
}

static void
check_run(struct faults *faults, const struct gc_run *run, unsigned kind, unsigned class) {
  expect(faults, run->cursor <= run->limit && run->limit <= run->run_limit, "run bounds", run->page);
  if (run->page == 0)
    return;
  const struct gc_page *hot = &gc_heap.pages[run->page];
  expect(faults, hot->kind == kind && gc_heap.infos[run->page].class == class, "slots-listed (cache)",
         run->page);
  expect(faults, gc_heap.infos[run->page].flags & GC_PAGE_OWNED, "slots-listed (cache)", run->page);
  for (char *slot = run->cursor; slot < run->run_limit; slot += gc_classes[class].slot_bytes)
    expect(faults, gc_heap_resolve(slot).start == slot, "run slots are handed out", run->page);
}

static void
check_caches(struct faults *faults) {
  for (struct gc_thread *thread = gc_thread_first(); thread; thread = gc_thread_next(thread))
    for (unsigned kind = 0; kind < GC_KINDS; kind++)
      for (unsigned class = 0; class < GC_CLASSES; class ++)
        check_run(faults, &thread->cache.runs[kind][class], kind, class);
}

size_t
gc_verify_heap_stw(const char *when) {
  struct faults faults = {.when = when};
  check_line_zero(&faults);
  check_spans(&faults);
  for (unsigned kind = 0; kind < GC_KINDS; kind++)
    for (unsigned class = 0; class < GC_CLASSES; class ++)
      check_lists(&faults, kind, class);
  check_caches(&faults);
  faults.count += gc_refs_check();
  return faults.count;
}
