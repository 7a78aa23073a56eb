// Toggle references.  See toggles.h.
#include "refs/toggles.h"

#include "base/check.h"
#include "mark/team.h"
#include "refs/objects.h"

static GC_STATE struct {
  uintptr_t *words;
  size_t count, capacity;
} toggles;

// Objects lie at multiples of 16.  A strong word is a pointer to the third byte, so that it does not keep the
// object before as well, and even; a hidden one is odd.
enum { STRONG_OFFSET = 2 };

static uintptr_t
word_for(uintptr_t object, bool strong) {
  return strong ? object + STRONG_OFFSET : ~object;
}

static uintptr_t
object_in(uintptr_t word) {
  return word & 1 ? ~word : word - STRONG_OFFSET;
}

static bool
reserve(void) {
  if (toggles.count < toggles.capacity)
    return true;
  void *grown = gc_os_grow(toggles.words, &toggles.capacity, sizeof(uintptr_t));
  if (grown)
    toggles.words = grown;
  return grown != NULL;
}

bool
gc_toggles_add(void *object, bool strong) {
  if (!reserve())
    return false;
  toggles.words[toggles.count++] = word_for((uintptr_t)object, strong);
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
      toggles.words[kept++] = word_for(object, decision == GC_TOGGLE_STRONG);
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
