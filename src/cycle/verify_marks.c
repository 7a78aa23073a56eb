// Reachability, recomputed by a second marker: one word at a time, one stack, its own set of what it has
// seen, and gc_heap_resolve, which shares no code with the fast marker's inner loop.  See verify.h.
#include <string.h>

#include "base/check.h"
#include "base/hooks.h"
#include "base/lock.h"
#include "base/valgrind.h"
#include "cycle/verify.h"
#include "heap/heap.h"
#include "mark/describe.h"
#include "os/memory.h"
#include "world/ranges.h"
#include "world/world.h"

enum { FAULTS_REPORTED = 20 };

enum { SEEN = 1, UNUSED = 2 };

struct slow_marker {
  uint8_t *seen; // one byte per slot byte: 0, SEEN or UNUSED
  size_t seen_bytes;
  struct gc_range_array grey;     // objects to scan
  gc_verify_object *check_object; // of each object found
  gc_verify_word *check_word;     // of each word in an object that refers to one
  size_t faults;
  bool out_of_memory;
};

// Each check reports what it finds; the first ones.
static bool
may_report(struct slow_marker *marker) {
  return marker->faults++ < FAULTS_REPORTED;
}

static void
visit(struct slow_marker *marker, struct gc_ref ref) {
  uint8_t *seen = &marker->seen[ref.byte - gc_heap.slot_bytes];
  if (!ref.start || *seen)
    return;
  *seen = SEEN;
  if (marker->check_object && !marker->check_object(ref) && may_report(marker))
    gc_log("verify: marked-closed violated: the object of %zu bytes at %p is reachable and not marked",
           ref.bytes, (void *)ref.start);
  if (gc_kind_is_pointer_free(ref.kind))
    return;
  if (!gc_range_array_push(&marker->grey, (struct gc_range){ref.start, ref.start + ref.bytes}))
    marker->out_of_memory = true;
}

// A word that refers to no object, in one that seems to be alive: it may refer to another one day, without
// having been written.
static void
note_stale(uintptr_t word) {
  size_t offset = word - (uintptr_t)gc_heap.base;
  if (gc_tunables.verify && offset < (size_t)gc_heap.frontier << GC_PAGE_SHIFT)
    gc_page_set_add(gc_heap.reused, offset >> GC_PAGE_SHIFT);
}

bool
gc_verify_is_reused(struct gc_ref ref) {
  const struct gc_page_info *info = &gc_heap.infos[ref.page];
  return gc_page_set_has_any(gc_heap.reused, ref.page, info->span_pages);
}

// `at` is where the word was found in the heap; NULL for a root.
static void
visit_word(struct slow_marker *marker, uintptr_t word, const char *at) {
  bool root = !at;
  struct gc_ref ref = gc_heap_resolve((const void *)word);
  if (ref.start && marker->seen[ref.byte - gc_heap.slot_bytes] == UNUSED)
    ref.start = NULL;
  size_t displacement = word - (uintptr_t)ref.start;
  if (ref.start && (root || gc_heap.all_interior_pointers ||
                    (displacement < GC_DISPLACEMENTS_MAX && gc_heap_displacements[displacement]))) {
    if (at && marker->check_word && !marker->check_word(at, ref) && may_report(marker))
      gc_log("verify: written-or-searched violated: marked memory at %p refers to the white object at %p",
             (const void *)at, (void *)ref.start);
    visit(marker, ref);
  }
  if (!ref.start && !root)
    note_stale(word);
  if (!root)
    return;
  struct gc_ref before = gc_heap_resolve((const void *)(word - 1));
  if (before.start && (uintptr_t)before.start + before.bytes == word && gc_kind_may_end_at_next(before.kind))
    visit(marker, before);
}

GC_NO_SANITIZE static void
visit_range(struct slow_marker *marker, struct gc_range range, bool root) {
  uintptr_t word = gc_round_up((uintptr_t)range.base, GC_WORD_BYTES);
  for (; word + GC_WORD_BYTES <= (uintptr_t)range.limit; word += GC_WORD_BYTES)
    visit_word(marker, *(const uintptr_t *)word, root ? NULL : (const char *)word);
}

struct slow_visitor {
  struct gc_visitor visitor;
  struct slow_marker *marker;
};

static void
visit_described_word(struct gc_visitor *visitor, uintptr_t word, const void *at) {
  visit_word(((const struct slow_visitor *)(const void *)visitor)->marker, word, at);
}

static void
visit_object(struct slow_marker *marker, struct gc_range object) {
  struct slow_visitor slow = {{NULL, visit_described_word, NULL, {NULL, NULL}}, marker};
  unsigned kind = gc_heap.pages[gc_heap_page_of(object.base)].kind;
  size_t bytes = gc_range_bytes(object);
  if (gc_kind_is_described(kind))
    gc_describe(&slow.visitor, object.base, bytes, gc_describe_object(object.base, bytes, kind));
  else
    visit_range(marker, object, false);
}

static void
drain(struct slow_marker *marker) {
  while (marker->grey.count > 0)
    visit_object(marker, marker->grey.items[--marker->grey.count]);
}

// Slots that are handed out and not yet taken are no objects.
static void
see_unused_slots(struct slow_marker *marker, const struct gc_cache *cache) {
  for (unsigned kind = 0; kind < GC_KINDS; kind++)
    for (unsigned class = 0; class < GC_CLASSES; class ++) {
      const struct gc_run *run = &cache->runs[kind][class];
      for (char *slot = run->cursor; slot < run->run_limit; slot += gc_classes[class].slot_bytes)
        marker->seen[gc_heap_slot_at(slot).byte - gc_heap.slot_bytes] = UNUSED;
    }
}

static void
visit_uncollectable(struct slow_marker *marker) {
  for (uint32_t page = 1; page < gc_heap.frontier; page += gc_heap.infos[page].span_pages) {
    if (gc_heap.pages[page].line == 0 || !gc_kind_is_uncollectable(gc_heap.pages[page].kind))
      continue;
    size_t slot_bytes = gc_heap.pages[page].slot_granules * GC_GRANULE_BYTES;
    for (size_t slot = 0; slot < gc_heap.infos[page].slots; slot++)
      visit(marker, gc_heap_resolve(gc_heap_page_address(page) + slot * slot_bytes));
    drain(marker);
  }
}

// The frames of the collection itself, as deep as marking and the trace go.  Where a program leaves open how
// far one of its stacks goes up, all of that mapping is searched, these frames too if they lie there; and
// they hold addresses that are nobody's references.
static struct gc_range
own_frames(void) {
  enum { FRAMES_BYTES_MAX = 64 * 1024, DEEPER_BYTES = 12 * 1024 };
  const char *here = __builtin_frame_address(0);
  const struct gc_thread *thread = gc_thread_current();
  bool below = thread && (size_t)(thread->stack_pointer - here) < FRAMES_BYTES_MAX;
  return below ? (struct gc_range){here - DEEPER_BYTES, thread->stack_pointer}
               : (struct gc_range){NULL, NULL};
}

static void
trace(struct slow_marker *marker) {
  static GC_STATE struct gc_range_array roots;
  for (struct gc_thread *thread = gc_thread_first(); thread; thread = gc_thread_next(thread))
    see_unused_slots(marker, &thread->cache);
  gc_range_array_clear(&roots);
  // What was passed over may have stale words that refer to new objects by now.
  bool (*collect)(struct gc_range_array *) =
      marker->check_object ? gc_roots_collect_searched_stw : gc_roots_collect_stw;
  if (!collect(&roots) || !gc_ranges_remove(&roots, own_frames())) {
    marker->out_of_memory = true;
    return;
  }
  for (size_t i = 0; i < roots.count; i++) {
    visit_range(marker, roots.items[i], true);
    drain(marker);
  }
  visit_uncollectable(marker);
}

size_t
gc_verify_trace_stw(gc_verify_object *check_object, gc_verify_word *check_word) {
  struct slow_marker marker = {.check_object = check_object, .check_word = check_word};
  marker.seen_bytes = (size_t)gc_heap.lines_frontier * GC_LINE_SLOTS;
  marker.seen = gc_os_map(marker.seen_bytes);
  if (!marker.seen) {
    gc_log("verify marks: no memory to trace the heap with; not checked");
    return 0;
  }
  trace(&marker);
  if (marker.out_of_memory)
    gc_log("verify marks: no memory for all of the trace; checked in part");
  gc_os_unmap(marker.seen, marker.seen_bytes);
  if (marker.grey.items)
    gc_os_unmap(marker.grey.items, marker.grey.capacity * sizeof *marker.grey.items);
  return marker.faults;
}

static bool
is_marked(struct gc_ref ref) {
  return *ref.byte == gc_heap.mark;
}

// See verify_writes.c.
static bool
is_marked_or_reused(struct gc_ref ref) {
  return is_marked(ref) || gc_verify_is_reused(ref);
}

// What was born white while marking went on, where the program has freed something: a word that was meant for
// that has been searched, and was not written since.
static bool
is_marked_or_born_in_reused(struct gc_ref ref) {
  return is_marked(ref) || (*ref.byte == GC_SLOT_NEW && gc_verify_is_reused(ref));
}

size_t
gc_verify_marks_stw(enum gc_verify_cycle cycle) {
  static gc_verify_object *const checks[] = {
      [GC_VERIFY_FULL] = is_marked,
      [GC_VERIFY_MINOR] = is_marked_or_reused,
      [GC_VERIFY_CONCURRENT] = is_marked_or_born_in_reused,
  };
  return gc_verify_trace_stw(checks[cycle], NULL);
}

static void
verify_stw(void *result) {
  size_t *faults = result;
  GC_VALGRIND_BEGIN_CONSERVATIVE();
  *faults = gc_verify_heap_stw("on request");
  if (*faults == 0)
    *faults = gc_verify_trace_stw(NULL, NULL);
  GC_VALGRIND_END_CONSERVATIVE();
}

static void *
verify_spilled(void *result) {
  gc_world_call_stopped(verify_stw, result);
  return NULL;
}

size_t
gc_verify_world(void) {
  size_t faults = 0;
  gc_lock_acquire(&gc_cycle_lock);
  gc_world_call_spilled(verify_spilled, &faults);
  gc_lock_release(&gc_cycle_lock);
  return faults;
}
