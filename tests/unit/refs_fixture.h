// What the tests of references share: pauses of a heap whose only roots are a test's own words, so that what
// is dead is known exactly.
//
// All tests of a program have one heap, since the tables of src/refs are for the life of a process.  Each
// ends with end_refs(), by which nothing is registered any more and nothing waits.
#pragma once

#include "fixture.h"
#include "mark/team.h"
#include "refs/ephemerons.h"
#include "refs/finalizers.h"
#include "refs/links.h"
#include "refs/queues.h"
#include "refs/refs.h"
#include "refs/softs.h"
#include "refs/strong.h"

enum { REFS_ROOTS = 1 << 17, OBJECT_BYTES = 40 };

static uintptr_t refs_roots[REFS_ROOTS]; // point into objects, not to their starts
static size_t refs_root_count;

// ---- Objects -------------------------------------------------------------------------------------------

// Cleared.  Of such a size that no object ends where another begins.
static inline void **
new_object(void) {
  void *object = fixture_allocate(OBJECT_BYTES, GC_KIND_NORMAL);
  assert_non_null(object);
  return object;
}

static inline void **
new_words(size_t words) {
  void *object = fixture_allocate(words * GC_WORD_BYTES, gc_kind_of_normal(words * GC_WORD_BYTES));
  assert_non_null(object);
  return object;
}

static inline void **
new_pointer_free(void) {
  void *object = fixture_allocate(OBJECT_BYTES, GC_KIND_ATOMIC);
  assert_non_null(object);
  return memset(object, 0, OBJECT_BYTES);
}

static inline bool
is_object(const void *address) {
  return address && gc_heap_resolve(address).start == address;
}

// From here on it is a root, until forget_roots().
static inline void *
keep(void *object) {
  assert_true(refs_root_count < REFS_ROOTS);
  refs_roots[refs_root_count++] = (uintptr_t)object + GC_WORD_BYTES;
  return object;
}

static inline void *
keep_new(void) {
  return keep(new_object());
}

static inline void
forget_roots(void) {
  refs_root_count = 0;
}

// ---- Pauses --------------------------------------------------------------------------------------------

static inline bool
add_roots(struct gc_range_array *roots) {
  struct gc_range own = {(const char *)refs_roots, (const char *)(refs_roots + refs_root_count)};
  gc_range_array_clear(roots);
  return gc_range_array_push(roots, own) && gc_refs_roots_stw(roots);
}

// As if all of the heap had been written.
static inline bool
add_all_pages(struct gc_range_array *written) {
  gc_range_array_clear(written);
  for (uint32_t page = 1; page < gc_heap.frontier; page++) {
    const char *base = gc_heap_page_address(page);
    if (gc_page_set_has(gc_heap.scanned, page) &&
        !gc_range_array_push(written, (struct gc_range){base, base + GC_PAGE_BYTES}))
      return false;
  }
  return true;
}

static inline void
mark_all(bool minor) {
  static struct gc_range_array roots, written;
  assert_true(add_roots(&roots) && add_all_pages(&written));
  struct gc_mark_job job = {.roots = roots.items, .root_count = roots.count, .markers = 1, .minor = minor};
  if (minor) {
    job.written = written.items;
    job.written_count = written.count;
  }
  assert_true(gc_team_mark(&job));
}

static inline void
begin_pause(bool minor) {
  if (!minor)
    fixture_flip();
  gc_cache_shield_stw(&fixture_cache);
  mark_all(minor);
}

static inline void
end_pause(bool minor) {
  assert_int_equal(gc_refs_check(), 0);
  gc_sweep_begin_stw(!minor, gc_cache_shield_stw(&fixture_cache));
  gc_cache_sweep_owned_stw(&fixture_cache);
  while (gc_sweep_some(64))
    ;
  gc_cache_unshield_stw(&fixture_cache);
}

static inline void
pause_full(void) {
  begin_pause(false);
  gc_refs_settle_stw(true, false);
  end_pause(false);
}

static inline void
pause_minor(void) {
  begin_pause(true);
  gc_refs_settle_stw(false, true);
  end_pause(true);
}

static inline void
look_ahead(void) {
  gc_refs_begin_to_look_ahead();
  do
    gc_marker_drain(gc_team_own_marker(), NULL);
  while (gc_refs_look_ahead());
  gc_marker_drain(gc_team_own_marker(), NULL);
}

// The last pause of a concurrent cycle that has looked ahead, with nothing written since.
static inline void
pause_after_look_ahead(void) {
  begin_pause(false);
  look_ahead();
  gc_refs_settle_stw(false, false);
  end_pause(false);
}

// ---- What is ready -------------------------------------------------------------------------------------

// The next of a queue's; all NULL if there is none.
static inline struct gc_ready_item
take_ready(struct gc_ready_queue *queue) {
  struct gc_ready_item item = {0};
  gc_ready_take(queue, &item);
  return item;
}

static inline size_t
take_all_ready(void) {
  size_t count = 0;
  while (take_ready(&gc_queues_own()->ready).function)
    count++;
  return count;
}

static inline size_t
refs_count(void) {
  size_t count = gc_finalizers_count() + gc_ephemerons_count();
  for (unsigned sort = 0; sort < GC_LINK_SORTS; sort++)
    count += gc_links_count((enum gc_link_sort)sort);
  return count;
}

// ---- Strong words --------------------------------------------------------------------------------------

static size_t strong_chunks;

static inline void
add_strong_chunk(void) {
  void *chunk = fixture_allocate(GC_STRONG_CHUNK_BYTES, GC_KIND_UNCOLLECTABLE);
  assert_non_null(chunk);
  assert_true(gc_strong_add_chunk(chunk));
  strong_chunks++;
}

// ---- A heap --------------------------------------------------------------------------------------------

static inline int
begin_all_refs(void **state) {
  (void)state;
  fixture_heap(GC_GIB);
  return 0;
}

// Nothing is left once nothing is reachable, save links outside the heap, which a test takes back itself.
static inline void
end_refs(void) {
  forget_roots();
  gc_os_stress_fail(0);
  for (unsigned pauses = 0; refs_count() > 0 && pauses < 100; pauses++) {
    pause_full();
    take_all_ready();
  }
  assert_int_equal(refs_count(), 0);
  pause_full();
  assert_int_equal(gc_heap.live_bytes, strong_chunks * GC_STRONG_CHUNK_BYTES);
}
