// What may have been written.  See remember.h.
#include "cycle/remember.h"

#include <string.h>

#include "heap/heap.h"
#include "heap/kinds.h"
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

// Where a cache is idle a first write costs little, unless it costs a signal or need not be told of.
static bool
is_allocated_in(size_t first) {
  uint8_t flags = gc_heap.infos[first].flags;
  return flags & GC_PAGE_OWNED && !(flags & GC_PAGE_IDLE && gc_writes_kind() == GC_WRITES_USERFAULT);
}

bool
gc_remember_may_arm(size_t page) {
  return gc_page_set_has(gc_heap.scanned, page) && !gc_page_set_has(gc_heap.armed, page) &&
         !gc_kind_is_always_searched(gc_heap.pages[page].kind) && !is_allocated_in(first_of(page));
}

// A young page that is half empty is going to be filled up.
static bool
is_settled(size_t page) {
  size_t first = first_of(page);
  const struct gc_page_info *info = &gc_heap.infos[first];
  return !gc_page_set_has(gc_heap.recent, first) || 2 * info->free_slots < info->slots;
}

// The end of the run of pages from `page` on that are to be armed.
static size_t
end_of_run(size_t page, size_t limit, bool settled) {
  while (page < limit && gc_remember_may_arm(page) && (!settled || is_settled(page)))
    page++;
  return page;
}

void
gc_remember_arm(size_t page, size_t limit, bool settled) {
  while ((page = gc_page_set_next_difference(gc_heap.scanned, gc_heap.armed, page, limit)) < limit) {
    size_t end = end_of_run(page, limit, settled);
    if (end > page && gc_writes_arm(range_of(page, end)))
      gc_page_set_add_all(gc_heap.armed, page, end - page);
    page = gc_max(end, page + 1);
  }
}

// The pages between armed ones do not mind, and fewer calls are made.
void
gc_remember_disarm(size_t page, size_t limit) {
  page = gc_page_set_next(gc_heap.armed, page, limit);
  if (page >= limit)
    return;
  gc_writes_disarm(range_of(page, limit));
  gc_page_set_remove_all(gc_heap.armed, page, limit - page);
}

// ---- Hot pages -----------------------------------------------------------------------------------------

void
gc_remember_forget_hot(void) {
  gc_page_set_clear(gc_heap.hot, gc_heap.frontier);
}

size_t
gc_remember_arm_cool(size_t page, size_t limit) {
  size_t hot, left_open = 0;
  while ((hot = gc_page_set_next(gc_heap.hot, page, limit)) < limit) {
    gc_remember_arm(page, hot, false);
    page = gc_page_set_next_absent(gc_heap.hot, hot, limit);
    gc_remember_disarm(hot, page);
    for (; hot < page; hot++)
      left_open += gc_page_set_has(gc_heap.scanned, hot);
  }
  gc_remember_arm(page, limit, false);
  return left_open;
}

size_t
gc_remember_take_hot(struct gc_range_array *written) {
  enum { HOT_PARTS = PARTS / 4 };
  size_t kept = 0, fresh = 0;
  for (size_t i = 0, next; i < written->count; i = next) {
    size_t page = gc_heap_page_of(written->items[i].base), parts = 0;
    for (next = i; next < written->count && gc_heap_page_of(written->items[next].base) == page; next++)
      parts += gc_range_bytes(written->items[next]) >> GC_WRITES_SHIFT;
    if (parts >= HOT_PARTS && !gc_page_set_has(gc_heap.hot, page)) {
      gc_page_set_add(gc_heap.hot, page);
      fresh++;
    }
    if (!gc_page_set_has(gc_heap.hot, page))
      while (i < next)
        written->items[kept++] = written->items[i++];
  }
  written->count = kept;
  return fresh;
}

void
gc_remember_after_fork_child(void) {
  gc_page_set_clear(gc_heap.armed, gc_heap.frontier);
}

// ---- What was written ----------------------------------------------------------------------------------

// Where a harvest fails the pages are open from there on.
static void
harvest_armed(size_t page, size_t limit) {
  while ((page = gc_page_set_next(gc_heap.armed, page, limit)) < limit) {
    size_t end = gc_page_set_next_absent(gc_heap.armed, page, limit);
    if (!gc_writes_harvest(range_of(page, end)))
      gc_page_set_remove_all(gc_heap.armed, page, end - page);
    page = end;
  }
}

// A call costs more than some clean pages: other processors must be told, once for every 2 MiB.
static bool
is_near(size_t end, size_t next) {
  enum { NEAR_PAGES = 32 };
  return next < end + NEAR_PAGES && gc_page_set_next_absent(gc_heap.armed, end, next) >= next;
}

static size_t
end_of(struct gc_range range) {
  return gc_heap_page_of(range.limit - 1) + 1;
}

// Open pages read as written.
static void
keep_armed(struct gc_range_array *found) {
  size_t kept = 0;
  for (size_t i = 0; i < found->count; i++) {
    size_t first = gc_heap_page_of(found->items[i].base);
    if (gc_page_set_has_any(gc_heap.armed, first, end_of(found->items[i]) - first))
      found->items[kept++] = found->items[i];
  }
  found->count = kept;
}

// Where armed and other pages alternate: one call finds where to harvest.
static void
harvest_stretch(size_t page, size_t limit) {
  static GC_STATE struct gc_range_array found; // [gc_lock]
  gc_range_array_clear(&found);
  if (!gc_writes_find(range_of(page, limit), &found)) {
    harvest_armed(page, limit);
    return;
  }
  keep_armed(&found);
  for (size_t i = 0; i < found.count;) {
    size_t first = gc_heap_page_of(found.items[i].base), end = end_of(found.items[i]);
    while (++i < found.count && is_near(end, gc_heap_page_of(found.items[i].base)))
      end = end_of(found.items[i]);
    harvest_armed(gc_max(page, first), end);
    page = gc_max(page, end);
  }
}

// The end of the stretch of pages that begins at an armed one and has no long gap in it.
static size_t
end_of_stretch(size_t page, size_t limit) {
  enum { LONG_GAP_PAGES = 8 };
  size_t end, next = page;
  do {
    end = gc_page_set_next_absent(gc_heap.armed, next, limit);
    next = gc_page_set_next(gc_heap.armed, end, limit);
  } while (next < limit && next - end < LONG_GAP_PAGES);
  return end;
}

void
gc_remember_harvest(size_t page, size_t limit) {
  while ((page = gc_page_set_next(gc_heap.armed, page, limit)) < limit) {
    size_t end = end_of_stretch(page, limit);
    harvest_stretch(page, end);
    page = end;
  }
}

// Whether something was found written of `pages` pages.
static bool
is_any_written(size_t page, size_t pages) {
  uint64_t any = 0;
  for (const uint8_t *part = gc_written + page * PARTS; pages > 0; pages--, part += PARTS) {
    uint64_t words[2];
    memcpy(words, part, sizeof words);
    any |= words[0] | words[1];
  }
  return any != 0;
}

// The first page from `page` on of which something was found written, or `limit`.  Mostly there is nothing
// for a long way.
static size_t
next_written(size_t page, size_t limit) {
  enum { MANY = 64 };
  while (page < limit) {
    if (limit - page >= MANY && !is_any_written(page, MANY)) {
      page += MANY;
      continue;
    }
    for (size_t end = gc_min(page + MANY, limit); page < end; page++)
      if (is_any_written(page, 1))
        return page;
  }
  return limit;
}

// Take what was found written of one page, and forget it.  The program may be telling more at this moment:
// only bytes that were read as set are cleared.
static void
take_written(uint8_t *parts, uint8_t *taken) {
  memcpy(taken, parts, PARTS);
  for (size_t part = 0; part < PARTS; part++)
    if (taken[part])
      parts[part] = 0;
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

// Between cycles a span has marked objects only if the last sweep has left some there.
static bool
may_hold_marked(size_t page) {
  const struct gc_page_info *info = &gc_heap.infos[first_of(page)];
  return gc_heap.marking || info->free_slots < info->slots;
}

// Open pages count as written, as far as there is anything to search.
static bool
gather_open(size_t page, size_t limit, struct gc_range_array *written) {
  while ((page = gc_page_set_next_difference(gc_heap.scanned, gc_heap.armed, page, limit)) < limit) {
    if (may_hold_marked(page) && !gc_range_array_push(written, range_of(page, page + 1)))
      return false;
    page++;
  }
  return true;
}

bool
gc_remember_gather(size_t page, size_t limit, bool open, struct gc_range_array *written) {
  if (open && written && !gather_open(page, limit, written))
    return false;
  for (; (page = next_written(page, limit)) < limit; page++) {
    uint8_t parts[PARTS];
    take_written(gc_written + page * PARTS, parts);
    bool armed = gc_page_set_has(gc_heap.armed, page) && gc_page_set_has(gc_heap.scanned, page);
    if (armed && written && !gather_parts(page, parts, written))
      return false;
  }
  gc_atomic_fence(); // what is told from here on is told again; what was written before is seen by the search
  return true;
}
