// See disclaim.h.
#include "refs/disclaim.h"

#include "heap/kinds.h"
#include "mark/team.h"

static bool
is_wanted(void) {
  for (unsigned kind = 0; kind < GC_KINDS; kind++)
    if (gc_kinds[kind].mark_from_all)
      return true;
  return false;
}

static void
keep_referents(uint32_t page) {
  struct gc_marker *marker = gc_team_own_marker();
  const struct gc_page *hot = &gc_heap.pages[page];
  const uint8_t *bytes = gc_heap_slot_bytes(hot->line);
  size_t slot_bytes = hot->slot_granules * GC_GRANULE_BYTES;
  for (size_t slot = 0; slot < gc_heap.infos[page].slots; slot++)
    if (marker->view.white >> bytes[slot] & 1)
      gc_marker_scan_object(marker, gc_heap_page_address(page) + slot * slot_bytes, true);
}

void
gc_disclaim_keep_stw(bool minor) {
  struct gc_page_set spans = minor ? gc_heap.young : gc_heap.used;
  struct gc_marker *marker = gc_team_own_marker();
  if (!is_wanted())
    return;
  for (size_t page = gc_page_set_next(spans, 1, gc_heap.frontier); page < gc_heap.frontier;
       page = gc_page_set_next(spans, page + 1, gc_heap.frontier))
    if (gc_kinds[gc_heap.pages[page].kind].mark_from_all)
      keep_referents((uint32_t)page);
  gc_marker_drain(marker, NULL);
  gc_marker_rescan(marker);
}
