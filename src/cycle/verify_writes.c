// Invariant written-or-searched, word by word: what remember.h promises to minor cycles and to the last pause
// of concurrent ones.  See verify.h.
#include <string.h>

#include "base/check.h"
#include "cycle/remember.h"
#include "cycle/verify.h"
#include "mark/team.h"
#include "os/memory.h"
#include "os/writes.h"

static uint8_t *grey; // one byte for each granule of the heap; NULL: none is grey [stw]

static void
note_grey_stack(const struct gc_mark_stack *stack) {
  for (const gc_mark_entry *entry = stack->base; entry < stack->top; entry++) {
    size_t granule = gc_mark_entry_granule(*entry), granules = gc_mark_entry_granules(*entry);
    if (granules == GC_ENTRY_DESCRIBED)
      granules = gc_heap_slot_at(gc_heap.base + (granule << GC_GRANULE_SHIFT)).bytes >> GC_GRANULE_SHIFT;
    memset(grey + granule, 1, granules);
  }
}

static void
note_grey(void) {
  note_grey_stack(&gc_team_own_marker()->stack);
  note_grey_stack(gc_team_pool());
  for (size_t i = 0; i < gc_marker_put_off.count; i++)
    memset(grey + ((size_t)(gc_marker_put_off.items[i].base - gc_heap.base) >> GC_GRANULE_SHIFT), 1,
           gc_range_bytes(gc_marker_put_off.items[i]) >> GC_GRANULE_SHIFT);
}

// Will the collector look at this place again?
static bool
is_due(const char *at) {
  size_t offset = (size_t)(at - gc_heap.base);
  return (grey && grey[offset >> GC_GRANULE_SHIFT]) ||
         !gc_page_set_has(gc_heap.armed, offset >> GC_PAGE_SHIFT) || gc_written[offset >> GC_WRITES_SHIFT];
}

// A descriptor's object is searched again as a whole, and its mark procedure need not say where the word was.
static bool
is_holder_due(struct gc_ref holder, const char *at) {
  if (!gc_kind_is_described(holder.kind))
    return is_due(at);
  for (const char *part = holder.start; part < holder.start + holder.bytes; part += GC_WRITES_BYTES)
    if (is_due(part))
      return true;
  return is_due(holder.start + holder.bytes - 1);
}

// Garbage that a stale word seems to keep alive may refer to what the program has freed, and what is another
// object now: nothing can be said of spans where that has happened.
static bool
is_marked_or_due(const char *at, struct gc_ref ref) {
  struct gc_ref holder = gc_heap_resolve(at);
  return *ref.byte == gc_heap.mark || !holder.start || *holder.byte != gc_heap.mark ||
         is_holder_due(holder, at) || gc_verify_is_reused(ref);
}

// Harvesting early is harmless: what it finds stays noted.
size_t
gc_verify_writes_stw(void) {
  size_t bytes = (size_t)gc_heap.frontier * GC_PAGE_GRANULES;
  if (gc_heap.marking && (gc_team_own_marker()->stack.overflowed || gc_team_pool()->overflowed))
    return 0; // what was dropped is grey, and not known
  gc_remember_harvest(0, gc_heap.frontier);
  if (gc_heap.marking && !(grey = gc_os_map(bytes))) {
    gc_log("verify: no memory to note what is grey; not checked");
    return 0;
  }
  if (grey)
    note_grey();
  size_t faults = gc_verify_trace_stw(NULL, is_marked_or_due);
  if (grey)
    gc_os_unmap(grey, bytes);
  grey = NULL;
  return faults;
}
