// Static roots: data segments and registered ranges.
//
// The program's calls change sets of ranges; the list that collections search is made from these sets and the
// loader's list by the first collection that finds one of them changed:
//
//   searched = (segments - unwanted - excluded) + registered
//
// GC_remove_roots excludes as well, since a segment is not registered.  What is excluded of a library goes
// with it, so that another that is loaded in its place is searched.
#include "world/roots.h"

#include "base/check.h"
#include "base/lock.h"
#include "base/variables.h"
#include "os/images.h"
#include "world/copies.h"
#include "world/fibers.h"
#include "world/ranges.h"
#include "world/start.h"
#include "world/thread_roots.h"
#include "world/threads.h"
#include "world/tls.h"
#include "world/watch.h"

// The bounds of the section of GC_STATE; both NULL if nothing is in it.
extern const char gc_state_begin[] __asm__("__start_gc_state") __attribute__((weak, visibility("hidden")));
extern const char gc_state_end[] __asm__("__stop_gc_state") __attribute__((weak, visibility("hidden")));

// [gc_lock]
static struct gc_range_array registered; // by GC_add_roots
static struct gc_range_array excluded;   // by GC_exclude_static_roots and GC_remove_roots
static struct gc_range_array searched;   // normalized
static struct gc_range_array segments;   // room for making it
static int made_no_dls;                  // GC_no_dls when `searched` was made
static bool changed = true;              // since `searched` was made
static size_t made_version;              // gc_images.version then
static size_t cleared_version; // of gc_images whose segments GC_clear_roots has forgotten; 0 for none

// ---- The program's calls -------------------------------------------------------------------------------

// Whole words within.
static struct gc_range
round_inwards(struct gc_range range) {
  return (struct gc_range){(const char *)gc_round_up((uintptr_t)range.base, GC_WORD_BYTES),
                           (const char *)gc_round_down((uintptr_t)range.limit, GC_WORD_BYTES)};
}

static bool
push_locked(struct gc_range_array *array, struct gc_range range) {
  changed = true;
  return range.base >= range.limit || gc_range_array_push(array, range);
}

bool
gc_roots_add(struct gc_range range) {
  gc_lock_acquire(&gc_lock);
  bool done = push_locked(&registered, round_inwards(range));
  gc_lock_release(&gc_lock);
  return done;
}

bool
gc_roots_remove(struct gc_range range) {
  gc_lock_acquire(&gc_lock);
  bool done = range.base >= range.limit || gc_ranges_remove(&registered, range);
  done = done && push_locked(&excluded, range);
  gc_lock_release(&gc_lock);
  return done;
}

bool
gc_roots_exclude(struct gc_range range) {
  gc_lock_acquire(&gc_lock);
  bool done = push_locked(&excluded, range);
  gc_lock_release(&gc_lock);
  return done;
}

static struct gc_range
own_state(void) {
  return (struct gc_range){gc_state_begin, gc_state_end};
}

bool
gc_roots_clear_excluded(void) {
  gc_lock_acquire(&gc_lock);
  gc_range_array_clear(&excluded);
  bool done = push_locked(&excluded, own_state());
  gc_lock_release(&gc_lock);
  return done;
}

void
gc_roots_clear(void) {
  gc_lock_acquire(&gc_lock);
  gc_range_array_clear(&registered);
  cleared_version = gc_images.version;
  changed = true;
  gc_lock_release(&gc_lock);
}

// ---- What is searched ----------------------------------------------------------------------------------

// Libraries that went take their exclusions with them.
static bool
forget_gone(void) {
  for (size_t i = 0; i < gc_images.gone.count; i++)
    if (!gc_ranges_remove(&excluded, gc_images.gone.items[i]))
      return false;
  return true;
}

static bool
list_segments(void) {
  gc_range_array_clear(&segments);
  if (gc_images.version == cleared_version)
    return true;
  bool done = gc_ranges_push_all(&gc_images.program, &segments) &&
              (made_no_dls || gc_ranges_push_all(&gc_images.libraries, &segments));
  for (size_t i = 0; done && i < gc_images.unwanted.count; i++)
    done = gc_ranges_remove(&segments, gc_images.unwanted.items[i]);
  gc_ranges_normalize(&segments);
  return done;
}

static bool
make_searched(void) {
  changed = true; // until it is done
  gc_range_array_clear(&searched);
  if (made_version != gc_images.version && !forget_gone())
    return false;
  made_version = gc_images.version;
  made_no_dls = GC_READ(GC_no_dls);
  gc_ranges_normalize(&excluded);
  if (!list_segments() || !gc_ranges_push_difference(&segments, &excluded, &searched) ||
      !gc_ranges_push_all(&registered, &searched))
    return false;
  gc_ranges_normalize(&searched);
  if (!gc_watch_set(&searched))
    return false;
  changed = false;
  return true;
}

static bool
is_current(void) {
  return !changed && made_version == gc_images.version && made_no_dls == GC_READ(GC_no_dls);
}

static bool
push_static_stw(struct gc_range_array *roots, struct gc_range_array *later, enum gc_search_which which) {
  if (!is_current() && !make_searched())
    return false;
  return gc_watch_push_stw(&searched, roots, later, which);
}

struct segment_query {
  const void *address;
  bool found;
};

static void
look_up_segment(void *query_) {
  struct segment_query *query = query_;
  gc_lock_acquire(&gc_lock);
  if (is_current() || make_searched())
    query->found =
        gc_ranges_contain(&segments, query->address) && !gc_ranges_contain(&excluded, query->address);
  gc_lock_release(&gc_lock);
}

bool
gc_roots_has_segment_at(const void *address) {
  struct segment_query query = {.address = address};
  gc_lock_acquire(&gc_cycle_lock);
  gc_images_call(look_up_segment, &query);
  gc_lock_release(&gc_cycle_lock);
  return query.found;
}

static bool
push_threads_stw(struct gc_range_array *roots) {
  for (struct gc_thread *thread = gc_thread_first(); thread; thread = gc_thread_next(thread))
    if (!gc_thread_push_stacks_stw(thread, roots) || !gc_tls_push_stw(thread, roots))
      return false;
  return true;
}

// ---- What the program tells of -------------------------------------------------------------------------

static GC_STATE struct {
  struct gc_range_array *roots; // NULL: none are being collected
  bool refused;
} pushed; // [stw]

// Threads' stacks, which libgc's default function pushes, are searched in any case, and afterwards: a
// program's function may first say where they end.
static void
push_nothing(void) {
}

void (*GC_push_other_roots)(void) = push_nothing;

bool
gc_roots_has_program_function(void) {
  return GC_push_other_roots != push_nothing && GC_push_other_roots;
}

void
gc_roots_push(struct gc_range range) {
  GC_CHECK(pushed.roots, "roots are pushed while no collection looks for them");
  range = round_inwards(range);
  if (range.base < range.limit && !gc_range_array_push(pushed.roots, range))
    pushed.refused = true;
}

static bool
push_others_stw(struct gc_range_array *roots) {
  if (!gc_roots_has_program_function())
    return true;
  pushed.roots = roots;
  pushed.refused = false;
  GC_push_other_roots();
  pushed.roots = NULL;
  return !pushed.refused;
}

// ---- All -----------------------------------------------------------------------------------------------

bool (*gc_roots_more_stw)(struct gc_range_array *roots);

static bool
collect_stw(struct gc_range_array *roots, struct gc_range_array *later, enum gc_search_which which) {
  gc_copies_reset_stw();
  gc_fibers_begin_look_stw();
  return push_others_stw(roots) && push_threads_stw(roots) && gc_fibers_push_stw(roots, which) &&
         gc_start_push_stw(roots) && push_static_stw(roots, later, which) &&
         (!gc_roots_more_stw || gc_roots_more_stw(roots));
}

bool
gc_roots_collect_stw(struct gc_range_array *roots) {
  return collect_stw(roots, NULL, GC_SEARCH_ALL);
}

bool
gc_roots_begin_search_stw(struct gc_range_array *roots, struct gc_range_array *later) {
  return collect_stw(roots, later, GC_SEARCH_CHANGED);
}

bool
gc_roots_collect_searched_stw(struct gc_range_array *roots) {
  return collect_stw(roots, NULL, GC_SEARCH_READ);
}

size_t
gc_roots_static_bytes(void) {
  gc_lock_acquire(&gc_lock);
  size_t bytes = gc_ranges_bytes(&gc_images.program, 0) + gc_ranges_bytes(&registered, 0);
  if (!GC_READ(GC_no_dls))
    bytes += gc_ranges_bytes(&gc_images.libraries, 0);
  gc_lock_release(&gc_lock);
  return bytes;
}

size_t
gc_roots_passed_over_bytes(void) {
  return gc_watch_passed_over_bytes();
}

void
gc_roots_find_written(struct gc_range_array *later) {
  gc_lock_acquire(&gc_lock);
  gc_watch_find_written(later);
  gc_lock_release(&gc_lock);
}

void
gc_roots_forget_put_off(struct gc_range range) {
  gc_lock_acquire(&gc_lock);
  gc_watch_forget(range);
  gc_lock_release(&gc_lock);
}

void
gc_roots_forget_all_put_off(void) {
  gc_roots_forget_put_off((struct gc_range){NULL, (const char *)UINTPTR_MAX});
}

void
gc_roots_call_off_search_stw(void) {
  gc_fibers_forget_searched_stw();
}

bool
gc_roots_push_called_off(struct gc_range_array *later) {
  gc_lock_acquire(&gc_lock);
  bool done = gc_watch_push_read(later);
  gc_lock_release(&gc_lock);
  return done;
}

void
gc_roots_forget_searched_stw(void) {
  gc_fibers_forget_searched_stw();
  gc_watch_forget_searched_stw();
}

void
gc_roots_after_fork_child(void) {
  gc_fibers_after_fork_child();
  gc_watch_after_fork_child();
}

const struct gc_range_array *
gc_roots_static(void) {
  return &searched;
}

static void
look_round(void *unused) {
  (void)unused;
  gc_tls_init();
}

void
gc_roots_init(void) {
  gc_images_call(look_round, NULL);
  bool excluded_own = gc_roots_exclude(own_state());
  GC_CHECK(excluded_own, "no memory for the list of roots");
}
