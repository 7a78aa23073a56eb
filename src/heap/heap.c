// The heap's reservation and tables.  See heap.h.
#include "heap/heap.h"

#include <string.h>

#include "base/hooks.h"
#include "heap/ahead.h"
#include "os/memory.h"

GC_STATE struct gc_heap gc_heap;
bool gc_heap_displacements[GC_DISPLACEMENTS_MAX + 3] = {true};
void *GC_least_plausible_heap_addr = (void *)UINTPTR_MAX;
void *GC_greatest_plausible_heap_addr;

enum { COMMIT_PAGES_MIN = 64 }; // 4 MiB

// Each table is reserved for the whole heap and committed as the frontier rises.
#define RESERVE_BYTES_MIN GC_MIB
#define RESERVE_BYTES_LEAST_WANTED (256 * GC_GIB)

// A page of the least slots needs 4096 slot bytes.  Chunks are not merged when pages change their class,
// hence twice that.
static size_t
lines_for(size_t pages) {
  return 2 * pages * (GC_PAGE_GRANULES / GC_LINE_SLOTS) + 64;
}

enum { CELL_BYTES = GC_PAGE_CELLS * sizeof(uint32_t) }; // of a page

static size_t
table_bytes(size_t count, size_t item_bytes) {
  return gc_round_up(count * item_bytes, gc_os_page_bytes());
}

static struct gc_page_set *const page_sets[] = {
    &gc_heap.used, &gc_heap.scanned, &gc_heap.young,    &gc_heap.recent,  &gc_heap.armed,
    &gc_heap.hot,  &gc_heap.reused,  &gc_heap.referred, &gc_heap.unswept, &gc_heap.ahead,
};
enum { PAGE_SETS = sizeof page_sets / sizeof page_sets[0] };

static size_t
page_set_bytes(size_t pages) {
  return gc_divide_up(pages, 64) * sizeof(struct gc_atomic);
}

static bool
make_page_sets(size_t pages) {
  for (size_t i = 0; i < PAGE_SETS; i++)
    if (!(page_sets[i]->words = gc_os_map_sparse(page_set_bytes(pages))))
      return false;
  return true;
}

static void
forget_page_sets(size_t pages) {
  for (size_t i = 0; i < PAGE_SETS; i++)
    if (page_sets[i]->words)
      gc_os_unmap_sparse(page_sets[i]->words, page_set_bytes(pages));
}

static void
forget_reservation(size_t bytes) {
  size_t pages = bytes >> GC_PAGE_SHIFT;
  if (gc_heap.base)
    gc_os_unreserve(gc_heap.base, bytes);
  if (gc_heap.pages)
    gc_os_unreserve(gc_heap.pages, table_bytes(pages, sizeof(struct gc_page)));
  if (gc_heap.infos)
    gc_os_unreserve(gc_heap.infos, table_bytes(pages, sizeof(struct gc_page_info)));
  if (gc_heap.slot_bytes)
    gc_os_unreserve(gc_heap.slot_bytes, table_bytes(lines_for(pages), GC_LINE_SLOTS));
  if (gc_heap.cells)
    gc_os_unreserve(gc_heap.cells, table_bytes(pages, CELL_BYTES));
  forget_page_sets(pages);
  memset(&gc_heap, 0, sizeof gc_heap);
}

static bool
try_reserve(size_t bytes) {
  size_t pages = bytes >> GC_PAGE_SHIFT;
  size_t os_page = gc_os_page_bytes();
  gc_heap.base = gc_os_reserve(bytes, GC_HUGE_PAGE_BYTES);
  gc_heap.pages = gc_os_reserve(table_bytes(pages, sizeof(struct gc_page)), os_page);
  gc_heap.infos = gc_os_reserve(table_bytes(pages, sizeof(struct gc_page_info)), os_page);
  gc_heap.slot_bytes = gc_os_reserve(table_bytes(lines_for(pages), GC_LINE_SLOTS), GC_HUGE_PAGE_BYTES);
  gc_heap.cells = gc_os_reserve(table_bytes(pages, CELL_BYTES), os_page);
  gc_heap.reserved_pages = pages;
  gc_heap.reserved_lines = lines_for(pages);
  if (gc_heap.base && gc_heap.pages && gc_heap.infos && gc_heap.slot_bytes && gc_heap.cells &&
      make_page_sets(pages))
    return true;
  forget_reservation(bytes);
  return false;
}

static size_t
wanted_reservation(size_t physical_bytes) {
  size_t bytes = RESERVE_BYTES_LEAST_WANTED;
  while (bytes < 4 * physical_bytes && bytes < (size_t)1 << 45)
    bytes *= 2;
  return bytes;
}

bool
gc_heap_init(size_t reserve_bytes, size_t physical_bytes) {
  gc_classes_init();
  gc_cache_init();
  size_t bytes =
      reserve_bytes ? gc_round_up(reserve_bytes, GC_PAGE_BYTES) : wanted_reservation(physical_bytes);
  while (!try_reserve(bytes)) {
    bytes = gc_round_down(bytes - bytes / 8, GC_PAGE_BYTES);
    if (bytes < RESERVE_BYTES_MIN)
      return false;
  }
  gc_heap.mark = GC_SLOT_MARK_A;
  gc_heap.held = GC_SLOT_HELD_A;
  gc_heap.birth = GC_SLOT_NEW;
  gc_heap.roomy_first = GC_ROOMY;
  gc_heap.all_interior_pointers = true;
  gc_heap.frontier = 0; // page 0 and line 0 stand for "none"; the first commit covers them
  if (!gc_span_commit(1)) {
    forget_reservation(bytes);
    return false;
  }
  gc_heap.frontier = 1;
  gc_heap.lines_frontier = 1;
  GC_least_plausible_heap_addr = gc_heap.base;
  GC_greatest_plausible_heap_addr = gc_heap_page_address(gc_heap.reserved_pages);
  return true;
}

void
gc_heap_set_all_interior_pointers(bool on) {
  gc_heap.all_interior_pointers = on;
}

void
gc_heap_register_displacement(size_t displacement) {
  gc_heap_displacements[displacement] = true;
}

struct gc_ref
gc_heap_slot_at(const void *address) {
  struct gc_ref none = {0};
  size_t offset = (uintptr_t)address - (uintptr_t)gc_heap.base;
  size_t number = offset >> GC_PAGE_SHIFT;
  if (number == 0 || number >= gc_heap.frontier)
    return none;
  const struct gc_page *page = &gc_heap.pages[number];
  if (page->state != GC_PAGE_SLOTS && page->state != GC_PAGE_LARGE)
    return none;
  size_t first = number - page->span_offset;
  size_t granule = (offset - (first << GC_PAGE_SHIFT)) >> GC_GRANULE_SHIFT;
  size_t slot = granule * page->reciprocal >> GC_RECIPROCAL_SHIFT;
  const struct gc_page_info *info = &gc_heap.infos[first];
  if (slot >= info->slots)
    return none;
  size_t bytes = page->slot_granules ? page->slot_granules * GC_GRANULE_BYTES : info->object_bytes;
  return (struct gc_ref){
      .start = gc_heap_page_address(first) + slot * bytes,
      .bytes = bytes,
      .page = (uint32_t)first,
      .kind = page->kind,
      .byte = gc_heap_slot_bytes(page->line) + slot,
  };
}

// ---- Slot bytes ----------------------------------------------------------------------------------------

// The power of two of lines that `slots` slots need.
static unsigned
line_size_of(size_t slots) {
  return slots <= GC_LINE_SLOTS ? 0 : gc_log2(slots - 1) + 1 - 6;
}

// Slot bytes are read at random while marking: large tables want huge pages as much as the heap does.
static void
ask_for_huge_lines(void) {
  size_t least = gc_tunables.huge_pages_min_bytes;
  size_t limit = gc_round_down((size_t)gc_heap.lines_committed * GC_LINE_SLOTS, GC_HUGE_PAGE_BYTES);
  if (least != 0 && gc_heap.huge_state == GC_HUGE_QUICK && limit > 0 &&
      gc_heap.lines_huge * GC_LINE_SLOTS < limit) {
    gc_os_advise_huge_pages(gc_heap.slot_bytes, limit, true);
    gc_heap.lines_huge = limit / GC_LINE_SLOTS;
  }
}

static bool
commit_lines(size_t lines) {
  size_t need = gc_heap.lines_frontier + lines;
  if (need > gc_heap.reserved_lines)
    return false;
  if (need <= gc_heap.lines_committed)
    return true;
  size_t step = gc_max(64 * GC_KIB, gc_heap.lines_committed * GC_LINE_SLOTS / 4);
  size_t limit = gc_min(gc_round_up(need * GC_LINE_SLOTS + step, gc_os_page_bytes()),
                        gc_round_down(gc_heap.reserved_lines * GC_LINE_SLOTS, gc_os_page_bytes()));
  size_t base = (size_t)gc_heap.lines_committed * GC_LINE_SLOTS;
  if (limit < need * GC_LINE_SLOTS || !gc_os_commit(gc_heap.slot_bytes + base, limit - base))
    return false;
  gc_heap.lines_committed = (uint32_t)(limit / GC_LINE_SLOTS);
  ask_for_huge_lines();
  return true;
}

// Split a larger free chunk in two, recursively.  0 if there is none.
static uint32_t
split_larger_line(unsigned size) {
  for (unsigned larger = size + 1; larger < GC_LINE_SIZES; larger++) {
    uint32_t line = gc_heap.line_free[larger];
    if (line == 0)
      continue;
    memcpy(&gc_heap.line_free[larger], gc_heap_slot_bytes(line), sizeof(uint32_t));
    while (larger-- > size)
      gc_line_free(line + (1u << larger), (size_t)GC_LINE_SLOTS << larger);
    return line;
  }
  return 0;
}

uint32_t
gc_line_allocate(size_t slots) {
  unsigned size = line_size_of(slots);
  uint32_t line = gc_heap.line_free[size];
  if (line != 0) {
    memcpy(&gc_heap.line_free[size], gc_heap_slot_bytes(line), sizeof(uint32_t));
  } else if ((line = split_larger_line(size)) == 0) {
    if (!commit_lines((size_t)1 << size))
      return 0;
    line = gc_heap.lines_frontier;
    gc_heap.lines_frontier += 1u << size;
    return line; // fresh: zero
  }
  memset(gc_heap_slot_bytes(line), GC_SLOT_FREE, (size_t)GC_LINE_SLOTS << size);
  return line;
}

void
gc_line_free(uint32_t line, size_t slots) {
  unsigned size = line_size_of(slots);
  memcpy(gc_heap_slot_bytes(line), &gc_heap.line_free[size], sizeof(uint32_t));
  gc_heap.line_free[size] = line;
}

// ---- Commit --------------------------------------------------------------------------------------------

static bool
commit_table(char *table, size_t item_bytes, size_t from, size_t to) {
  size_t base = gc_round_up(from * item_bytes, gc_os_page_bytes());
  size_t limit = gc_round_up(to * item_bytes, gc_os_page_bytes());
  return limit <= base || gc_os_commit(table + base, limit - base);
}

static bool
commit_cells_to(size_t to) {
  if (!commit_table((char *)gc_heap.cells, CELL_BYTES, gc_heap.cell_pages, to))
    return false;
  gc_heap.cell_pages = (uint32_t)to;
  return true;
}

bool
gc_heap_commit_cells(size_t page) {
  return page < gc_heap.cell_pages || commit_cells_to(gc_heap.committed_pages) || commit_cells_to(page + 1);
}

// Commit pages up to `to`: the tables first, so that a committed page has its descriptors.
static bool
commit_to(size_t to) {
  size_t from = gc_heap.committed_pages;
  if (!commit_table((char *)gc_heap.pages, sizeof(struct gc_page), from, to) ||
      !commit_table((char *)gc_heap.infos, sizeof(struct gc_page_info), from, to) ||
      !gc_os_commit(gc_heap_page_address(from), (to - from) << GC_PAGE_SHIFT))
    return false;
  gc_heap.committed_pages = (uint32_t)to;
  return true;
}

bool
gc_span_commit(uint32_t pages) {
  size_t need = (size_t)gc_heap.frontier + pages;
  if (need <= gc_heap.committed_pages)
    return true;
  if (need > gc_heap.reserved_pages)
    return false;
  size_t step = gc_max(COMMIT_PAGES_MIN, gc_heap.committed_pages / 4);
  size_t generous = gc_min(need + step, gc_heap.reserved_pages);
  if (!commit_to(generous) && !commit_to(need))
    return false;
  gc_ahead_ask_for_huge_pages();
  if (gc_heap.lines_committed == 0)
    return commit_lines(1);
  return true;
}
