// The heap piece by piece.  See dump.h.
#include "gc.h"
#include "heap/heap.h"
#include "observe/dump.h"
#include "observe/report.h"

// Slots of a span by what their bytes say.  What a thread's run has and has not used yet counts as new.
struct counts {
  unsigned free, live, new, held;
};

static struct counts
count_slots(uint32_t page) {
  struct counts counts = {0};
  const uint8_t *bytes = gc_heap_slot_bytes(gc_heap.pages[page].line);
  for (unsigned slot = 0; slot < gc_heap.infos[page].slots; slot++) {
    counts.free += bytes[slot] == GC_SLOT_FREE;
    counts.live += bytes[slot] == GC_SLOT_MARK_A || bytes[slot] == GC_SLOT_MARK_B;
    counts.new += bytes[slot] == GC_SLOT_NEW;
    counts.held += bytes[slot] == GC_SLOT_HELD_A || bytes[slot] == GC_SLOT_HELD_B;
  }
  return counts;
}

// ---- All of them ---------------------------------------------------------------------------------------

static void
add_slots(struct gc_text *text, uint32_t page) {
  struct counts counts = count_slots(page);
  gc_text_add(text, "slots of %u bytes, %s: %u live, %u new, %u held, %u free\n",
              gc_classes[gc_heap.infos[page].class].slot_bytes, gc_kind_name(gc_heap.pages[page].kind),
              counts.live, counts.new, counts.held, counts.free);
}

static void
add_span(struct gc_text *text, uint32_t page) {
  const struct gc_page_info *info = &gc_heap.infos[page];
  gc_text_add(text, "  %p %8zu KiB  ", (void *)gc_heap_page_address(page),
              ((size_t)info->span_pages << GC_PAGE_SHIFT) / GC_KIB);
  switch (gc_heap.pages[page].state) {
  case GC_PAGE_SLOTS:
    add_slots(text, page);
    return;
  case GC_PAGE_LARGE:
    gc_text_add(text, "an object of %zu bytes, %s\n", info->object_bytes,
                gc_kind_name(gc_heap.pages[page].kind));
    return;
  case GC_PAGE_FREE_DIRTY:
    gc_text_add(text, "free, with memory\n");
    return;
  default:
    gc_text_add(text, "free, without memory\n");
  }
}

static uint32_t
next_span(uint32_t page) {
  return page + gc_heap.infos[page].span_pages;
}

static void
compose_regions(struct gc_text *text, const void *unused) {
  (void)unused;
  for (uint32_t page = 1; page < gc_heap.frontier; page = next_span(page))
    add_span(text, page);
}

void
gc_dump_regions(void) {
  struct gc_text text = {0};
  gc_text_add(&text, "loam %s: regions\n", LOAM_VERSION);
  gc_report(&text, compose_regions, NULL);
}

// ---- Those with free slots of one sort -----------------------------------------------------------------

struct sort {
  unsigned kinds; // as bits
  unsigned class;
};

static bool
is_of_sort(uint32_t page, const struct sort *sort) {
  const struct gc_page *hot = &gc_heap.pages[page];
  return hot->state == GC_PAGE_SLOTS && (sort->kinds >> hot->kind & 1) &&
         gc_heap.infos[page].class == sort->class;
}

static void
compose_free(struct gc_text *text, const void *sort) {
  for (uint32_t page = 1; page < gc_heap.frontier; page = next_span(page)) {
    unsigned free_slots = is_of_sort(page, sort) ? count_slots(page).free : 0;
    if (free_slots > 0)
      gc_text_add(text, "  %p: %u free\n", (void *)gc_heap_page_address(page), free_slots);
  }
}

void
gc_dump_free(unsigned kinds, size_t bytes) {
  struct gc_text text = {0};
  struct sort sort = {kinds, bytes <= GC_CLASS_BYTES_MAX ? gc_class_of(bytes) : GC_CLASSES};
  gc_text_add(&text, "loam %s: pieces with free slots of %zu bytes\n", LOAM_VERSION, bytes);
  gc_report(&text, compose_free, &sort);
}
