// Toggle references.  See toggles.h.
#include "refs/toggles.h"

#include "base/check.h"
#include "mark/team.h"
#include "refs/objects.h"

static GC_STATE struct {
  uintptr_t *words;
  size_t count, capacity;
} toggles;

static bool
is_hidden(uintptr_t word) {
  return word & 1; // objects lie at even addresses
}

static uintptr_t
object_in(uintptr_t word) {
  return is_hidden(word) ? ~word : word;
}

static bool
reserve(void) {
  if (toggles.count < toggles.capacity)
    return true;
  size_t old_bytes = toggles.capacity * sizeof *toggles.words;
  size_t bytes = old_bytes ? 2 * old_bytes : gc_os_page_bytes();
  void *moved = old_bytes ? gc_os_remap(toggles.words, old_bytes, bytes) : gc_os_map(bytes);
  if (!moved)
    return false;
  toggles.words = moved;
  toggles.capacity = bytes / sizeof *toggles.words;
  return true;
}

bool
gc_toggles_add(void *object, bool strong) {
  if (!reserve())
    return false;
  toggles.words[toggles.count++] = strong ? (uintptr_t)object : ~(uintptr_t)object;
  return true;
}

void
gc_toggles_ask(gc_toggle_decide *decide) {
  size_t kept = 0;
  for (size_t i = 0; i < toggles.count && decide; i++) {
    uintptr_t object = object_in(toggles.words[i]);
    int decision = decide((void *)object);
    GC_CHECK(decision >= GC_TOGGLE_DROP && decision <= GC_TOGGLE_WEAK,
             "the toggle-reference function returned %d, which is no status", decision);
    if (decision != GC_TOGGLE_DROP)
      toggles.words[kept++] = decision == GC_TOGGLE_STRONG ? object : ~object;
  }
  if (decide)
    toggles.count = kept;
}

bool
gc_toggles_roots_stw(struct gc_range_array *roots) {
  return toggles.count == 0 ||
         gc_range_array_push(roots, (struct gc_range){(const char *)toggles.words,
                                                      (const char *)(toggles.words + toggles.count)});
}

void
gc_toggles_settle_stw(void) {
  size_t kept = 0;
  for (size_t i = 0; i < toggles.count; i++)
    if (gc_ref_state_of(gc_team_own_marker(), object_in(toggles.words[i])) == GC_REF_ALIVE)
      toggles.words[kept++] = toggles.words[i];
  toggles.count = kept;
}
