// What may have been written.  See remember.h.
#include "cycle/remember.h"

#include <string.h>

#include "heap/heap.h"
#include "os/writes.h"

enum { PARTS = GC_PAGE_BYTES / GC_WRITES_BYTES }; // of a page that are noticed apart
_Static_assert(PARTS == 2 * sizeof(uint64_t), "the bytes of a page are two words");

static struct gc_range
range_of(size_t page, size_t limit) {
  return (struct gc_range){gc_heap_page_address(page), gc_heap_page_address(limit)};
}

static size_t
first_of(size_t page) {
  return page - gc_heap.pages[page].span_offset;
}

// ---- Arming --------------------------------------------------------------------------------------------

bool
gc_remember_may_arm(size_t page) {
  return gc_page_set_has(gc_heap.scanned, page) && !gc_page_set_has(gc_heap.armed, page) &&
         !(gc_heap.infos[first_of(page)].flags & GC_PAGE_OWNED);
}

bool
gc_remember_any(size_t page) {
  (void)page;
  return true;
}

// A young page that is half empty is going to be filled up.
bool
gc_remember_settled(size_t page) {
  size_t first = first_of(page);
  const struct gc_page_info *info = &gc_heap.infos[first];
  return !gc_page_set_has(gc_heap.recent, first) || 2 * info->free_slots < info->slots;
}

// The end of the run of pages from `page` on that are to be armed.
static size_t
end_of_run(size_t page, size_t limit, bool (*wanted)(size_t page)) {
  while (page < limit && gc_remember_may_arm(page) && wanted(page))
    page++;
  return page;
}

void
gc_remember_arm(size_t page, size_t limit, bool (*wanted)(size_t page)) {
  while ((page = gc_page_set_next_difference(gc_heap.scanned, gc_heap.armed, page, limit)) < limit) {
    size_t end = end_of_run(page, limit, wanted);
    if (end > page && gc_writes_arm(range_of(page, end)))
      gc_page_set_add_all(gc_heap.armed, page, end - page);
    page = gc_max(end, page + 1);
  }
}

void
gc_remember_disarm_all(void) {
  size_t limit = gc_heap.frontier, page = 0;
  while ((page = gc_page_set_next(gc_heap.armed, page, limit)) < limit) {
    size_t end = gc_page_set_next_absent(gc_heap.armed, page, limit);
    gc_writes_disarm(range_of(page, end));
    page = end;
  }
  gc_page_set_clear(gc_heap.armed, limit);
}

void
gc_remember_after_fork_child(void) {
  gc_page_set_clear(gc_heap.armed, gc_heap.frontier);
}

// ---- What was written ----------------------------------------------------------------------------------

// Where a harvest fails the pages are open from there on.
void
gc_remember_harvest(size_t page, size_t limit) {
  while ((page = gc_page_set_next(gc_heap.armed, page, limit)) < limit) {
    size_t end = gc_page_set_next_absent(gc_heap.armed, page, limit);
    if (!gc_writes_harvest(range_of(page, end)))
      gc_page_set_remove_all(gc_heap.armed, page, end - page);
    page = end;
  }
}

static bool
any_written(const uint8_t *parts) {
  uint64_t words[2];
  memcpy(words, parts, sizeof words);
  return (words[0] | words[1]) != 0;
}

// Append the runs of written parts of one page.
static bool
gather_parts(size_t page, const uint8_t *parts, struct gc_range_array *written) {
  const char *base = gc_heap_page_address(page);
  for (size_t part = 0, end; part < PARTS; part = end + 1) {
    for (end = part; end < PARTS && parts[end];)
      end++;
    if (end > part && !gc_range_array_push(written, (struct gc_range){base + part * GC_WRITES_BYTES,
                                                                      base + end * GC_WRITES_BYTES}))
      return false;
  }
  return true;
}

bool
gc_remember_gather(size_t page, size_t limit, bool open, struct gc_range_array *written) {
  for (; (page = gc_page_set_next(gc_heap.scanned, page, limit)) < limit; page++) {
    uint8_t *parts = gc_written + page * PARTS;
    bool armed = gc_page_set_has(gc_heap.armed, page);
    if (written && !armed && open && !gc_range_array_push(written, range_of(page, page + 1)))
      return false;
    if (!any_written(parts))
      continue;
    if (written && armed && !gather_parts(page, parts, written))
      return false;
    memset(parts, 0, PARTS);
  }
  return true;
}
