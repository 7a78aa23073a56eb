// Counting what is in the heap.  See census.h.
#include "observe/census.h"

#include <string.h>

#include "world/threads.h"

static void
count_slots(struct gc_census_class *class, uint32_t page) {
  const struct gc_page_info *info = &gc_heap.infos[page];
  const uint8_t *bytes = gc_heap_slot_bytes(gc_heap.pages[page].line);
  class->pages += info->span_pages;
  class->slots += info->slots;
  for (size_t slot = 0; slot < info->slots; slot++) {
    class->live_slots += bytes[slot] == gc_heap.mark;
    class->new_slots += bytes[slot] == GC_SLOT_NEW;
  }
}

static void
count_large(struct gc_census *census, uint32_t page) {
  uint32_t pages = gc_heap.infos[page].span_pages;
  census->large_count++;
  census->large_pages += pages;
  for (unsigned i = 0; i < GC_CENSUS_LARGEST; i++) {
    uint32_t other = census->largest[i];
    if (other != 0 && gc_heap.infos[other].span_pages >= pages)
      continue;
    memmove(&census->largest[i + 1], &census->largest[i], (GC_CENSUS_LARGEST - 1 - i) * sizeof page);
    census->largest[i] = page;
    return;
  }
}

static void
count_spans(struct gc_census *census) {
  for (uint32_t page = 1; page < gc_heap.frontier; page += gc_heap.infos[page].span_pages) {
    const struct gc_page *hot = &gc_heap.pages[page];
    if (hot->state == GC_PAGE_SLOTS)
      count_slots(&census->classes[hot->kind][gc_heap.infos[page].class], page);
    else if (hot->state == GC_PAGE_LARGE)
      count_large(census, page);
  }
}

// The slots of a run that are not taken yet are no objects, though their bytes say NEW.
static void
count_cache(struct gc_census *census, const struct gc_cache *cache) {
  census->unused_bytes += gc_cache_unused_bytes(cache);
  census->unreported_allocated_bytes += cache->allocated_bytes;
  census->unreported_freed_bytes += cache->freed_bytes;
  for (unsigned kind = 0; kind < GC_KINDS; kind++)
    for (unsigned class = 0; class < GC_CLASSES; class ++) {
      const struct gc_run *run = &cache->runs[kind][class];
      size_t *new_slots = &census->classes[kind][class].new_slots;
      *new_slots -= gc_min(*new_slots, (size_t)(run->run_limit - run->cursor) / gc_classes[class].slot_bytes);
    }
}

void
gc_census_take(struct gc_census *census) {
  memset(census, 0, sizeof *census);
  count_spans(census);
  for (struct gc_thread *thread = gc_thread_first(); thread; thread = gc_thread_next(thread))
    count_cache(census, &thread->cache);
}

size_t
gc_census_allocated_bytes(const struct gc_census *census) {
  size_t bytes = gc_heap.allocated_bytes + gc_heap.carried_bytes + census->unreported_allocated_bytes;
  return bytes - gc_min(bytes, census->unused_bytes);
}

size_t
gc_census_freed_bytes(const struct gc_census *census) {
  return gc_heap.freed_bytes + census->unreported_freed_bytes;
}
