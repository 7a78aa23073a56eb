// Parallel marking.  See team.h.
#include "mark/team.h"

#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <time.h>

#include "base/atomic.h"
#include "base/check.h"
#include "base/valgrind.h"
#include "os/clock.h"
#include "os/futex.h"
#include "os/helper.h"
#include "os/limits.h"

_Static_assert(GC_MARKERS_MAX <= 64, "a bit for each marker");

enum {
  SPLIT_GRANULES = 4096, // an entry of 64 KiB is worth splitting
  SHARE_AT_LEAST = 4,    // entries on a stack below which it is not worth sharing
  TAKE_AT_LEAST = 16,    // entries, if there are so many
  SHARE_AT_MOST = 4096,  // moved at once
  HELPER_STACK_BYTES = 256 * 1024
};

struct gc_team {
  struct gc_marker *markers; // GC_MARKERS_MAX of them [each its own thread, while marking]

  pthread_mutex_t lock;     // protects what follows
  pthread_cond_t called;    // helpers sleep on it between jobs
  pthread_cond_t changed;   // and markers that wait within one
  struct gc_atomic changes; // how often, for those who spin
  uint64_t job_number;
  uint64_t seen[GC_MARKERS_MAX]; // the last job that each helper knows of
  unsigned helpers;              // threads that exist
  unsigned wanted;               // helpers in this job
  unsigned at_work;              // helpers that have not finished it
  unsigned members;              // markers in this job that have started
  unsigned idle;                 // of these, waiting for work
  bool over;                     // all idle, nothing left, or called off
  bool open;                     // guests are let in
  uint64_t guests;               // the markers that they have, as bits
  unsigned would_be_guests;      // who wait for work
  struct gc_mark_view view;      // and what these are to look at

  struct gc_mark_stack pool;   // shared work [lock]
  struct gc_atomic hungry;     // markers waiting [lock -> gc_team_check, relaxed: only a hint]
  struct gc_atomic called_off; // [caller -> helpers, relaxed: acted on at the next check]

  struct gc_mark_job job;        // [written before job_number changes]
  struct gc_atomic next_root;    // the next root range that nobody took
  struct gc_atomic next_written; // likewise of what was written
  struct gc_atomic next_page;    // the next page to look for uncollectable objects in
};

static GC_STATE struct gc_team team = {
    .lock = PTHREAD_MUTEX_INITIALIZER,
    .called = PTHREAD_COND_INITIALIZER,
    .changed = PTHREAD_COND_INITIALIZER,
};

bool
gc_team_init(void) {
  team.markers = gc_os_map_sparse(GC_MARKERS_MAX * sizeof *team.markers);
  return team.markers != NULL;
}

struct gc_marker *
gc_team_own_marker(void) {
  return team.markers;
}

unsigned
gc_team_helpers(void) {
  return team.helpers;
}

// ---- Sharing -------------------------------------------------------------------------------------------

// Tell all who wait.  [team.lock]
static void
announce(void) {
  gc_atomic_add(&team.changes, 1);
  pthread_cond_broadcast(&team.changed);
}

// Look for a change for a while: a marker that sleeps is back 50 us later, and most waits are over in less.
// [team.lock, released meanwhile]
static bool
spin_for_change(void) {
  enum { ROUNDS = 200 };
  size_t seen = gc_atomic_load_relaxed(&team.changes);
  if (gc_limits_cpus() == 1)
    return false;
  pthread_mutex_unlock(&team.lock);
  gc_spin_while(&team.changes, seen, ROUNDS);
  pthread_mutex_lock(&team.lock);
  return gc_atomic_load_relaxed(&team.changes) != seen;
}

// Among the oldest, the first one that is worth splitting; NULL: none is.
static gc_mark_entry *
find_long(const struct gc_mark_stack *stack) {
  enum { LOOKED_AT = 1024 };
  size_t count = gc_min(gc_mark_stack_count(stack), LOOKED_AT);
  for (size_t i = 0; i < count; i++)
    if (gc_mark_entry_granules(stack->base[i]) >= SPLIT_GRANULES)
      return &stack->base[i];
  return NULL;
}

// A long array is one entry: give its second half away, or it would be one marker's work; and were all of it
// given away, with little else, this marker would have it back before others have woken.  [team.lock]
static bool
share_half_of_long(struct gc_mark_stack *stack) {
  gc_mark_entry *entry = find_long(stack);
  if (!entry || !gc_mark_stack_reserve(&team.pool, 1))
    return false;
  size_t granule = gc_mark_entry_granule(*entry), granules = gc_mark_entry_granules(*entry);
  *team.pool.top++ = gc_mark_entry_make(granule + granules / 2, granules - granules / 2);
  *entry = gc_mark_entry_make(granule, granules / 2);
  return true;
}

// [team.lock]
static bool
share_oldest(struct gc_mark_stack *stack) {
  size_t count = gc_min(gc_mark_stack_count(stack) / 2, SHARE_AT_MOST);
  if (!gc_mark_stack_reserve(&team.pool, count))
    return false;
  memcpy(team.pool.top, stack->base, count * sizeof *stack->base);
  team.pool.top += count;
  stack->base += count;
  return true;
}

void
gc_team_share(struct gc_mark_stack *stack) {
  pthread_mutex_lock(&team.lock);
  bool overflowed = team.pool.overflowed;
  if (share_half_of_long(stack) || share_oldest(stack))
    announce();
  team.pool.overflowed = overflowed; // nothing was lost
  pthread_mutex_unlock(&team.lock);
}

// The stop function is the caller's marker's to ask, also while it waits for work.
static bool
asks_to_stop(const struct gc_marker *marker) {
  return marker == team.markers && team.job.stop && team.job.stop();
}

// Sleep until something changes; the marker that asks the stop function no longer than a millisecond.
// [team.lock]
static void
wait_for_change(const struct gc_marker *marker) {
  if (marker != team.markers || !team.job.stop) {
    pthread_cond_wait(&team.changed, &team.lock);
    return;
  }
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_nsec += 1000000;
  until.tv_sec += until.tv_nsec / 1000000000;
  until.tv_nsec %= 1000000000;
  pthread_cond_timedwait(&team.changed, &team.lock, &until);
  if (asks_to_stop(marker))
    gc_atomic_store_relaxed(&team.called_off, 1);
}

// What a long array refers to may be free of pointers: then its rest is all that ever is on the stack.
static bool
is_worth_sharing(const struct gc_mark_stack *stack) {
  return gc_mark_stack_count(stack) >= SHARE_AT_LEAST || find_long(stack);
}

static void
share_if_hungry(struct gc_marker *marker) {
  if (gc_atomic_load_relaxed(&team.hungry) > 0 && is_worth_sharing(&marker->stack))
    gc_team_share(&marker->stack);
}

bool
gc_team_check(struct gc_team *shared, struct gc_marker *marker) {
  if (gc_atomic_load_relaxed(&shared->called_off))
    return false;
  if (asks_to_stop(marker))
    gc_atomic_store_relaxed(&shared->called_off, 1);
  share_if_hungry(marker);
  return true;
}

// [team.lock, or stw]
static bool
is_pool_empty(void) {
  return gc_mark_stack_count(&team.pool) == 0;
}

// Take what is due to one of `sharers`.  [team.lock]
static void
take_from_pool(struct gc_marker *marker, size_t sharers) {
  size_t available = gc_mark_stack_count(&team.pool);
  size_t count = gc_max(gc_min(available, TAKE_AT_LEAST), available / sharers);
  bool overflowed = marker->stack.overflowed;
  if (!gc_mark_stack_reserve(&marker->stack, count))
    count = gc_min(count, (size_t)(marker->stack.limit - marker->stack.top));
  marker->stack.overflowed = overflowed; // nothing was lost
  team.pool.top -= count;
  memcpy(marker->stack.top, team.pool.top, count * sizeof *team.pool.top);
  marker->stack.top += count;
}

// Wait until there is work (true) or the job is over (false).
static bool
find_work(struct gc_marker *marker) {
  pthread_mutex_lock(&team.lock);
  team.idle++;
  gc_atomic_add(&team.hungry, 1);
  while (!team.over && is_pool_empty()) {
    if (team.idle == team.members || gc_atomic_load_relaxed(&team.called_off)) {
      team.over = true;
      announce();
    } else if (!spin_for_change()) {
      wait_for_change(marker);
    }
  }
  bool found = !team.over;
  if (found) {
    team.idle--;
    take_from_pool(marker, team.idle + 1);
  }
  gc_atomic_sub(&team.hungry, 1);
  pthread_mutex_unlock(&team.lock);
  return found;
}

// ---- One marker's part ---------------------------------------------------------------------------------

// Uncollectable objects are roots: mark them and what they hold.
static void
mark_uncollectable_span(struct gc_marker *marker, uint32_t page) {
  uint8_t *bytes = gc_heap_slot_bytes(gc_heap.pages[page].line);
  size_t slot_bytes = gc_heap.pages[page].slot_granules * GC_GRANULE_BYTES;
  for (size_t slot = 0; slot < gc_heap.infos[page].slots; slot++)
    if (marker->view.white >> bytes[slot] & 1)
      gc_marker_mark_object(marker, gc_heap_page_address(page) + slot * slot_bytes);
}

// In a minor cycle the old ones are like other old objects, and when marking goes on they have been marked.
static void
mark_uncollectable_objects(struct gc_marker *marker, bool young) {
  struct gc_page_set spans = young ? gc_heap.young : gc_heap.used;
  for (size_t page = gc_page_set_next(spans, 1, gc_heap.frontier); page < gc_heap.frontier;
       page = gc_page_set_next(spans, page + 1, gc_heap.frontier))
    if (gc_kind_is_uncollectable(gc_heap.pages[page].kind))
      mark_uncollectable_span(marker, (uint32_t)page);
}

// Before a root is scanned: fetch the beginning of a later one.  Thousands of short ones, the stacks of
// fibers, lie each on a page of their own: waiting for one after the other took 220 ns each, so it is 50
// (bench/fibers).
GC_INLINE void // gcc 12 takes a call that only prefetches for one that does nothing
prefetch_root(const struct gc_mark_job *job, size_t index) {
  enum { AHEAD = 16, LINE_BYTES = 64, LINES_MAX = 8 };
  if (index + AHEAD >= job->root_count)
    return;
  struct gc_range root = job->roots[index + AHEAD];
  for (size_t i = 0; i < LINES_MAX && root.base + i * LINE_BYTES < root.limit; i++)
    __builtin_prefetch(root.base + i * LINE_BYTES);
}

// A drain of few objects would wait for each of them.
static void
search_written(struct gc_marker *marker) {
  enum { MANY = 1024 };
  size_t index;
  while (!gc_atomic_load_relaxed(&team.called_off) &&
         (index = gc_atomic_add(&team.next_written, 1)) < team.job.written_count) {
    gc_marker_push_marked(marker, team.job.written[index]);
    if (gc_mark_stack_count(&marker->stack) >= MANY)
      gc_marker_drain(marker, &team);
  }
  gc_marker_drain(marker, &team);
}

static void
take_part(struct gc_marker *marker) {
  size_t index;
  search_written(marker);
  while ((index = gc_atomic_add(&team.next_root, 1)) < team.job.root_count) {
    prefetch_root(&team.job, index);
    gc_marker_scan_root(marker, team.job.roots[index]);
    gc_marker_drain(marker, &team);
  }
  if (gc_atomic_add(&team.next_page, 1) == 0)
    mark_uncollectable_objects(marker, team.job.minor || team.job.continued);
  do
    gc_marker_drain(marker, &team);
  while (find_work(marker));
}

// Move all of one stack to another.  What has no room there is found by the recovery from overflow.
static void
move_all(struct gc_mark_stack *from, struct gc_mark_stack *to) {
  size_t count = gc_mark_stack_count(from);
  to->overflowed |= from->overflowed;
  if (count > 0 && gc_mark_stack_reserve(to, count)) {
    memcpy(to->top, from->base, count * sizeof *from->base);
    to->top += count;
  }
  gc_mark_stack_clear(from);
  from->overflowed = false;
}

// ---- Beside the program --------------------------------------------------------------------------------

static void
let_guests_in(const struct gc_marker *own) {
  pthread_mutex_lock(&team.lock);
  team.view = own->view;
  team.open = true;
  pthread_mutex_unlock(&team.lock);
}

void
gc_team_dismiss_guests(void) {
  pthread_mutex_lock(&team.lock);
  GC_ASSERT(team.guests == 0);
  team.open = false;
  pthread_mutex_unlock(&team.lock);
}

// Wait a little for something in the pool.  [team.lock, released meanwhile]
static bool
await_pool(void) {
  gc_atomic_add(&team.hungry, 1);
  bool filled = !is_pool_empty() || (spin_for_change() && !is_pool_empty());
  gc_atomic_sub(&team.hungry, 1);
  return filled;
}

// The caller's marker has nothing left: take what is shared.  false if there is nothing, nor at a guest's.
static bool
find_more_or_close(struct gc_marker *own) {
  pthread_mutex_lock(&team.lock);
  bool filled = !is_pool_empty() || (team.guests != 0 && await_pool());
  if (filled)
    take_from_pool(own, 1);
  team.open = filled || team.guests != 0;
  bool more = team.open;
  pthread_mutex_unlock(&team.lock);
  if (more && !filled)
    sched_yield(); // a guest may wait for this CPU
  return more;
}

bool
gc_team_drain_until(uint64_t deadline_ns) {
  struct gc_marker *own = gc_team_own_marker();
  let_guests_in(own);
  do {
    while (gc_marker_drain_a_little(own)) {
      share_if_hungry(own);
      if (gc_os_now_ns() >= deadline_ns)
        return true;
    }
    if (!find_more_or_close(own))
      return false;
  } while (gc_os_now_ns() < deadline_ns);
  return true;
}

// [team.lock]
static bool
has_room_for_guest(unsigned most) {
  unsigned guests = (unsigned)__builtin_popcountll(team.guests) + team.would_be_guests;
  return team.open && guests < gc_min(most, GC_MARKERS_MAX - 1);
}

// A marker that nobody has, or NULL.  It counts as a guest's before it is touched, for a fork's sake.
// [team.lock]
static struct gc_marker *
admit_guest(void) {
  unsigned number = (unsigned)__builtin_ctzll(~(team.guests | 1));
  struct gc_marker *marker = &team.markers[number];
  team.guests |= (uint64_t)1 << number;
  gc_marker_join(marker, team.view);
  if (gc_mark_stack_reserve(&marker->stack, 1))
    return marker;
  team.guests &= ~((uint64_t)1 << number);
  return NULL;
}

static bool
is_time_to_leave(const volatile int *hurry, uint64_t deadline_ns) {
  return *hurry || gc_os_now_ns() >= deadline_ns;
}

// Who has nothing to do is no guest: nobody should wait for him.  But he waits: the caller's marker looks
// only now and then whether somebody does, if objects are long.  [team.lock, released meanwhile]
static struct gc_marker *
find_work_as_guest(unsigned most, const volatile int *hurry, uint64_t deadline_ns) {
  enum { PATIENCE_NS = 100000 };
  if (!has_room_for_guest(most))
    return NULL;
  bool found = false;
  team.would_be_guests++;
  deadline_ns = gc_min(deadline_ns, gc_os_now_ns() + PATIENCE_NS);
  do
    found = await_pool();
  while (team.open && !found && gc_limits_cpus() > 1 && !is_time_to_leave(hurry, deadline_ns));
  team.would_be_guests--;
  struct gc_marker *marker = found && has_room_for_guest(most) ? admit_guest() : NULL;
  if (marker)
    take_from_pool(marker, 2);
  return marker;
}

// [team.lock]
static void
leave(struct gc_marker *marker) {
  move_all(&marker->stack, &team.pool);
  gc_mark_stack_trim(&marker->stack);
  team.guests &= ~((uint64_t)1 << (marker - team.markers));
  announce();
}

uint64_t
gc_team_mark_as_guest(unsigned most, const volatile int *hurry, uint64_t deadline_ns) {
  struct gc_marker *marker;
  uint64_t spent_ns = 0;
  pthread_mutex_lock(&team.lock);
  while (!is_time_to_leave(hurry, deadline_ns) && (marker = find_work_as_guest(most, hurry, deadline_ns))) {
    pthread_mutex_unlock(&team.lock);
    uint64_t began_ns = gc_os_now_ns();
    while (gc_marker_drain_a_little(marker) && !is_time_to_leave(hurry, deadline_ns))
      share_if_hungry(marker);
    spent_ns += gc_os_now_ns() - began_ns;
    pthread_mutex_lock(&team.lock);
    leave(marker);
  }
  pthread_mutex_unlock(&team.lock);
  return spent_ns;
}

bool
gc_team_put_off(struct gc_range object) {
  pthread_mutex_lock(&team.lock);
  bool noted = gc_range_array_push(&gc_marker_put_off, object);
  pthread_mutex_unlock(&team.lock);
  return noted;
}

const struct gc_mark_stack *
gc_team_pool(void) {
  return &team.pool;
}

// ---- Helpers -------------------------------------------------------------------------------------------

// Take part, unless the job is over before this helper woke or there is no memory for its stack.
// [team.lock, released meanwhile]
static void
join_job(struct gc_marker *marker) {
  if (team.over || !gc_mark_stack_reserve(&marker->stack, 1))
    return;
  team.members++;
  pthread_mutex_unlock(&team.lock);
  GC_VALGRIND_BEGIN_CONSERVATIVE();
  gc_marker_begin(marker, team.job.minor);
  take_part(marker);
  GC_VALGRIND_END_CONSERVATIVE();
  pthread_mutex_lock(&team.lock);
}

static void *
helper_main(void *argument) {
  unsigned number = (unsigned)(uintptr_t)argument; // 1, 2, ...
  uint64_t *seen = &team.seen[number];
  pthread_mutex_lock(&team.lock);
  for (;;) {
    while (team.job_number == *seen || number > team.wanted) {
      *seen = team.job_number;
      pthread_cond_wait(&team.called, &team.lock);
    }
    *seen = team.job_number;
    join_job(&team.markers[number]);
    if (--team.at_work == 0)
      announce();
  }
  return NULL;
}

static bool
create_helper(unsigned number) {
  team.seen[number] = team.job_number;
  return gc_os_start_helper(helper_main, (void *)(uintptr_t)number);
}

void
gc_team_prepare_helpers(unsigned wanted) {
  while (team.helpers < gc_min(wanted, GC_MARKERS_MAX - 1) && create_helper(team.helpers + 1))
    team.helpers++;
}

void
gc_team_after_fork_child(void) {
  pthread_mutex_init(&team.lock, NULL);
  pthread_cond_init(&team.called, NULL);
  pthread_cond_init(&team.changed, NULL);
  team.helpers = team.at_work = team.would_be_guests = 0;
  team.open = false;
  gc_atomic_store_relaxed(&team.hungry, 0);
  if (team.guests == 0)
    return;
  // Guests were at work, who knows how far: what they had in hand is lost, with the cycle that it was for.
  team.guests = 0;
  team.pool = (struct gc_mark_stack){0};
  gc_marker_put_off = (struct gc_range_array){0};
  for (unsigned i = 1; i < GC_MARKERS_MAX; i++)
    team.markers[i].stack = (struct gc_mark_stack){0};
}

// ---- The job -------------------------------------------------------------------------------------------

static void
clear_pool(void) {
  gc_mark_stack_clear(&team.pool);
  team.pool.overflowed = false;
}

static void
start_job(const struct gc_mark_job *job, unsigned helpers) {
  pthread_mutex_lock(&team.lock);
  team.job = *job;
  team.over = team.open = false;
  team.members = 1;
  team.idle = 0;
  team.wanted = team.at_work = helpers;
  if (!job->continued)
    clear_pool();
  gc_atomic_store_relaxed(&team.called_off, 0);
  gc_atomic_store_relaxed(&team.next_root, 0);
  gc_atomic_store_relaxed(&team.next_page, 0);
  gc_atomic_store_relaxed(&team.next_written, 0);
  if (helpers > 0) {
    team.job_number++;
    pthread_cond_broadcast(&team.called);
  }
  pthread_mutex_unlock(&team.lock);
}

static void
await_helpers(void) {
  pthread_mutex_lock(&team.lock);
  while (team.at_work > 0)
    if (!spin_for_change())
      pthread_cond_wait(&team.changed, &team.lock);
  pthread_mutex_unlock(&team.lock);
}

// Whatever a marker had to drop, find and scan it again; alone.
static void
recover_from_overflow(unsigned helpers) {
  struct gc_marker *own = gc_team_own_marker();
  for (unsigned i = 1; i <= helpers; i++)
    own->stack.overflowed |= team.markers[i].stack.overflowed;
  own->stack.overflowed |= team.pool.overflowed;
  team.pool.overflowed = false;
  gc_marker_rescan(own);
}

static bool
mark_roots(const struct gc_mark_job *job, bool young) {
  struct gc_marker *own = gc_team_own_marker();
  if (!gc_mark_stack_reserve(&own->stack, 1))
    return false;
  for (size_t i = 0; i < job->root_count; i++) {
    prefetch_root(job, i);
    gc_marker_scan_root(own, job->roots[i]);
  }
  mark_uncollectable_objects(own, young);
  return true;
}

bool
gc_team_begin(const struct gc_mark_job *job) {
  gc_marker_begin(gc_team_own_marker(), false);
  gc_range_array_clear(&gc_marker_put_off);
  clear_pool();
  return mark_roots(job, false);
}

bool
gc_team_go_on(const struct gc_mark_job *job) {
  gc_marker_look_at_all(gc_team_own_marker());
  return mark_roots(job, true);
}

// Move what is left of a job that was called off to the caller's stack.
static void
gather_leftovers(unsigned helpers) {
  struct gc_marker *own = gc_team_own_marker();
  for (unsigned i = 1; i <= helpers; i++)
    move_all(&team.markers[i].stack, &own->stack);
  move_all(&team.pool, &own->stack);
  size_t index;
  while ((index = gc_atomic_add(&team.next_written, 1)) < team.job.written_count)
    gc_marker_push_marked(own, team.job.written[index]);
}

bool
gc_team_mark(const struct gc_mark_job *job) {
  struct gc_marker *own = gc_team_own_marker();
  if (job->continued)
    gc_marker_look_at_all(own);
  else
    gc_marker_begin(own, job->minor);
  // Refused, `overflowed` makes the next attempt scan all that is marked again.
  if (!gc_mark_stack_reserve(&own->stack, 1) || (job->stop && !job->continued && job->stop()))
    return false;
  if (job->continued)
    gc_marker_push_put_off(own);
  unsigned helpers = (unsigned)gc_min(job->markers - 1, team.helpers);
  start_job(job, helpers);
  take_part(own);
  if (helpers > 0)
    await_helpers();
  if (gc_atomic_load_relaxed(&team.called_off)) {
    if (job->continued)
      gather_leftovers(helpers);
    return false;
  }
  recover_from_overflow(helpers);
  for (unsigned i = 0; i <= helpers; i++)
    gc_mark_stack_trim(&team.markers[i].stack);
  gc_mark_stack_trim(&team.pool);
  return true;
}
