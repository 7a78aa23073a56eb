// Large objects: a run of pages each, with one slot byte.
#include <string.h>

#include "base/hooks.h"
#include "heap/heap.h"
#include "heap/sweep.h"

// One byte more, so that a pointer to what follows is never one just past this object.
static size_t
pages_for(size_t bytes) {
  return bytes / GC_PAGE_BYTES + 1;
}

static void
set_pages(uint32_t first, uint32_t from, uint32_t to, uint32_t line, unsigned kind) {
  for (uint32_t i = from; i < to; i++)
    gc_page_publish(&gc_heap.pages[first + i], (struct gc_page){
                                                   .span_offset = i,
                                                   .line = line,
                                                   .kind = (uint8_t)kind,
                                                   .state = GC_PAGE_LARGE,
                                               });
}

// Give back the pages before the first one at a multiple of `alignment`, and those behind `pages`.
static uint32_t
trim(uint32_t page, size_t extra, uint32_t pages, size_t alignment) {
  uintptr_t address = (uintptr_t)gc_heap_page_address(page);
  uint32_t before = (uint32_t)((gc_round_up(address, alignment) - address) >> GC_PAGE_SHIFT);
  if (before > 0)
    gc_span_free(page, before);
  if (extra > before)
    gc_span_free(page + before + pages, (uint32_t)extra - before);
  return page + before;
}

struct gc_ref
gc_large_allocate(size_t bytes, size_t alignment, unsigned kind, bool *clean) {
  struct gc_ref none = {0};
  size_t pages = pages_for(bytes);
  size_t extra = alignment > GC_PAGE_BYTES ? (alignment >> GC_PAGE_SHIFT) - 1 : 0;
  uint32_t line;
  if (pages + extra >= gc_heap.reserved_pages || (line = gc_line_allocate(1)) == 0)
    return none;
  // From the low ends of free spans whatever the kind, so that it can grow into the rest.
  uint32_t page = gc_span_allocate((uint32_t)(pages + extra), GC_KIND_NORMAL, clean);
  if (page == 0) {
    gc_line_free(line, 1);
    return none;
  }
  set_pages(page, 0, (uint32_t)(pages + extra), line, kind); // before the neighbours look whether it is free
  if (extra > 0)
    page = trim(page, extra, (uint32_t)pages, alignment);
  gc_heap.infos[page] = (struct gc_page_info){
      .object_bytes = gc_round_up(bytes, GC_GRANULE_BYTES),
      .span_pages = (uint32_t)pages,
      .slots = 1,
      .free_slots = 1, // not counted as alive yet
      .sparse = *clean,
  };
  set_pages(page, 0, (uint32_t)pages, line, kind);
  if (!*clean && gc_kind_is_described(kind)) {
    memset(gc_heap_page_address(page), 0, gc_heap.infos[page].object_bytes);
    *clean = true;
  }
  // Who sees the byte sees its size, and no descriptor of before: gc_marker_push_large,
  // gc_marker_scan_described.
  gc_atomic_fence();
  *gc_heap_slot_bytes(line) = gc_heap.birth;
  gc_span_enter(page, (uint32_t)pages, kind);
  gc_heap.allocated_bytes += pages << GC_PAGE_SHIFT;
  return gc_heap_slot_at(gc_heap_page_address(page));
}

void
gc_large_free(uint32_t page) {
  gc_line_free(gc_heap.pages[page].line, 1);
  gc_span_free(page, gc_heap.infos[page].span_pages);
}

// While a concurrent cycle marks, markers may be reading the object.  It waits for the sweep.
void
gc_large_free_explicit(struct gc_ref ref) {
  size_t bytes = (size_t)gc_heap.infos[ref.page].span_pages << GC_PAGE_SHIFT;
  gc_heap.freed_bytes += bytes;
  if (gc_tunables.verify)
    gc_page_set_add_all(gc_heap.reused, ref.page, bytes >> GC_PAGE_SHIFT);
  if (gc_heap.marking) {
    *ref.byte = gc_heap.held;
    return;
  }
  if (*ref.byte == gc_heap.mark)
    gc_sweep_note_freed(ref.page, bytes);
  gc_large_free(ref.page);
}

static void
shrink_span(uint32_t page, uint32_t pages) {
  struct gc_page_info *info = &gc_heap.infos[page];
  uint32_t old_pages = info->span_pages;
  info->span_pages = pages;
  gc_heap.freed_bytes += (size_t)(old_pages - pages) << GC_PAGE_SHIFT;
  if (gc_tunables.verify)
    gc_page_set_add_all(gc_heap.reused, page + pages, old_pages - pages);
  if (info->free_slots == 0)
    gc_sweep_note_freed(page, (size_t)(old_pages - pages) << GC_PAGE_SHIFT);
  gc_span_free(page + pages, old_pages - pages);
}

static bool
extend_span(uint32_t page, uint32_t pages) {
  struct gc_page_info *info = &gc_heap.infos[page];
  uint32_t old_pages = info->span_pages;
  if (!gc_span_extend(page + old_pages, pages - old_pages))
    return false;
  const struct gc_page *first = &gc_heap.pages[page];
  set_pages(page, old_pages, pages, first->line, first->kind);
  gc_span_enter(page, pages, first->kind);
  info->span_pages = pages;
  gc_heap.allocated_bytes += (size_t)(pages - old_pages) << GC_PAGE_SHIFT;
  if (info->free_slots == 0)
    gc_sweep_note_grown(page, (size_t)(pages - old_pages) << GC_PAGE_SHIFT); // it counts as alive already
  return true;
}

bool
gc_large_resize(struct gc_ref ref, size_t bytes) {
  struct gc_page_info *info = &gc_heap.infos[ref.page];
  size_t pages = pages_for(bytes);
  if (pages >= gc_heap.reserved_pages || (pages < info->span_pages && gc_heap.marking))
    return false;
  if (pages > info->span_pages && !extend_span(ref.page, (uint32_t)pages))
    return false;
  if (pages < info->span_pages)
    shrink_span(ref.page, (uint32_t)pages);
  size_t new_bytes = gc_round_up(bytes, GC_GRANULE_BYTES);
  if (new_bytes > ref.bytes && !gc_kind_is_pointer_free(ref.kind))
    memset(ref.start + ref.bytes, 0, new_bytes - ref.bytes);
  info->object_bytes = new_bytes;
  return true;
}
