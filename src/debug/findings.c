// See findings.h.
#include "debug/findings.h"

#include "base/check.h"
#include "base/hooks.h"
#include "base/lock.h"
#include "base/variables.h"
#include "cycle/cycle.h"
#include "gc.h"

enum { SMASHED_MAX = 20, LEAKED_MAX = 40 };

struct finding {
  const char *at; // where it was written to; NULL: leaked
  struct gc_description object;
};

struct findings {
  size_t smashed_count, leaked_count; // found; only the first ones are kept
  struct finding smashed[SMASHED_MAX];
  struct finding leaked[LEAKED_MAX];
};

static GC_STATE struct findings found; // [gc_lock]
static struct gc_atomic noted;         // gc_findings_note was called, or something was told

// ---- Finding -------------------------------------------------------------------------------------------

static void
add_smashed(struct gc_ref ref, const char *at) {
  size_t number = found.smashed_count++;
  if (number < SMASHED_MAX)
    found.smashed[number] = (struct finding){at, gc_description_of(ref)};
}

static void
add_leaked(struct gc_ref ref) {
  size_t number = found.leaked_count++;
  if (number < LEAKED_MAX)
    found.leaked[number] = (struct finding){NULL, gc_description_of(ref)};
}

static void
look_at_live(struct gc_ref ref) {
  const char *damage = NULL;
  if (gc_annotation_state_of(ref) == GC_IS_ANNOTATED)
    damage = gc_annotation_damage(ref);
  if (damage)
    add_smashed(ref, damage);
}

// Its slot is about to be free.
static void
look_at_dead(struct gc_ref ref) {
  const char *use = NULL;
  if (gc_annotation_state_of(ref) == GC_IS_RETIRED)
    use = GC_READ(GC_find_leak) ? gc_annotation_use_after_free(ref) : NULL;
  else if (GC_READ(GC_find_leak))
    add_leaked(ref);
  if (use)
    add_smashed(ref, use);
  gc_annotation_forget(ref);
}

static void
look_at_span(uint32_t page) {
  const struct gc_page *hot = &gc_heap.pages[page];
  const struct gc_page_info *info = &gc_heap.infos[page];
  size_t slot_bytes = hot->slot_granules ? hot->slot_granules * GC_GRANULE_BYTES : info->object_bytes;
  uint8_t *bytes = gc_heap_slot_bytes(hot->line);
  for (size_t slot = 0; slot < info->slots; slot++) {
    struct gc_ref ref = {gc_heap_page_address(page) + slot * slot_bytes, slot_bytes, page, hot->kind,
                         &bytes[slot]};
    if (*ref.byte == gc_heap.mark)
      look_at_live(ref);
    else if (gc_slot_is_object(*ref.byte))
      look_at_dead(ref);
  }
}

static void
look_at_all_stw(void) {
  if (!gc_annotation_any && !GC_READ(GC_find_leak))
    return;
  for (uint32_t page = 1; page < gc_heap.frontier; page += gc_heap.infos[page].span_pages)
    if (gc_heap.pages[page].state == GC_PAGE_SLOTS || gc_heap.pages[page].state == GC_PAGE_LARGE)
      look_at_span(page);
}

void
gc_findings_init(void) {
  gc_cycle_inspect_stw = look_at_all_stw;
}

void
gc_findings_note(void) {
  gc_atomic_store_relaxed(&noted, 1);
}

// ---- Telling -------------------------------------------------------------------------------------------

// Take what was found.  false if that is nothing.
static bool
take(struct findings *taken) {
  gc_lock_acquire(&gc_lock);
  *taken = found;
  found.smashed_count = found.leaked_count = 0;
  gc_lock_release(&gc_lock);
  return taken->smashed_count + taken->leaked_count > 0;
}

static void
tell(const char *title, const struct finding *findings, size_t count, size_t most) {
  char text[GC_DESCRIPTION_BYTES];
  if (count > 0)
    gc_log("%s objects: %zu", title, count);
  for (size_t i = 0; i < count && i < most; i++) {
    gc_description_print(&findings[i].object, text);
    if (findings[i].at)
      gc_log("  at %p, in or near %s", (const void *)findings[i].at, text);
    else
      gc_log("  %s", text);
  }
  if (count > most)
    gc_log("  and %zu more", count - most);
}

void
gc_findings_report(void) {
  struct findings taken;
  if (!gc_annotation_any && !GC_READ(GC_find_leak))
    return;
  if (take(&taken)) {
    tell("smashed", taken.smashed, taken.smashed_count, SMASHED_MAX);
    tell("leaked", taken.leaked, taken.leaked_count, LEAKED_MAX);
    gc_findings_note();
  }
  if (gc_tunables.abort_on_leak && gc_atomic_compare_and_swap(&noted, 1, 0))
    gc_fail("there are leaked or smashed objects (GC_ABORT_ON_LEAK)");
}
