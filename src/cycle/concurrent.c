// The driver of concurrent cycles.  See concurrent.h.
#include "cycle/concurrent.h"

#include "base/check.h"
#include "base/hooks.h"
#include "base/lock.h"
#include "cycle/cycle.h"
#include "cycle/pacer.h"
#include "cycle/policy.h"
#include "cycle/remember.h"
#include "cycle/stopped.h"
#include "cycle/verify.h"
#include "heap/heap.h"
#include "heap/sweep.h"
#include "mark/team.h"
#include "os/clock.h"
#include "os/futex.h"
#include "os/helper.h"
#include "os/probe.h"
#include "os/writes.h"
#include "refs/refs.h"
#include "world/ranges.h"
#include "world/world.h"

enum phase { IDLE, MARKING, REMARKING, LOOKING_AHEAD, SWEEPING, SETTLING };

enum {
  PASSES_MAX = 12,         // over the heap, before the pause comes in any case
  LITTLE_PARTS = 128,      // OS pages written during a pass that a pause may search
  CHUNK_PAGES = 32,        // of the heap that a pass asks about at once: 2 MiB
  ARM_AT_ONCE_PAGES = 256, // under one hold of gc_lock
  SWEPT_AT_ONCE = 64,
  SLICE_NS = 300000,
  PAUSES_KEPT = 8,
  HOT_PAGES_MIN = 8,
  HOT_CYCLES = 4,    // after so many it is found out anew what is hot
  HELD_BACK_MIN = 6, // cycles that hold the program back all the time
  HELD_BACK_MAX = 24,
  ASSIST_BYTES = 128 * 1024 // allocated between two slices where allocating threads do them
};

static GC_STATE struct {
  // [gc_cycle_lock; `phase` read racily]
  volatile enum phase phase;
  unsigned pass;
  size_t page;           // REMARKING: how far this pass has come; SETTLING: disarming
  size_t found;          // OS pages that it has found written
  bool roots_found;      // the pass has asked about static roots
  size_t root_pages;     // so many were written, the last time
  size_t found_first;    // and that the first pass has
  size_t written;        // of these, parts of armed pages; in all passes, and before that between cycles
  size_t written_before; // likewise, told by who has found them between cycles
  unsigned wary;         // cycles after which nothing stays armed
  bool leaves_hot;       // pages open, the first pass does
  size_t hot_pages;      // so many
  uint64_t cool_ns;      // spent until it came to them
  uint64_t hot_ns;       // and to search them
  bool holds_back;       // the program, from the start
  unsigned hold_back;    // so will this many cycles
  unsigned hold_next;    // and so many, when that is found best the next time
  unsigned attempts;     // at the last pause that were called off
  uint64_t began_ns;
  uint64_t ended_ns;                   // its last pause did
  bool looked_ahead;                   // at all references: the last pause need not
  size_t allocated_bytes;              // when it began, since the cycle before
  bool asked_again;                    // for roots
  size_t white_bytes;                  // born until then, if objects are born black since; else SIZE_MAX
  size_t born_bytes;                   // during it
  uint64_t mark_ns;                    // spent so far
  uint64_t verify_after_ns;            // of marking, the next time [LOAM_VERIFY]
  struct gc_pause pauses[PAUSES_KEPT]; // the start, the last ones
  size_t pause_count;
  uint64_t deadline_ns;     // of the last pause
  volatile bool throttling; // [racy]
} cycle;

// Hot pages (remember.h), as far as they are learnt about from cycle to cycle.
static GC_STATE struct {
  unsigned cycles; // that have left some open
  size_t first;    // so many were found by the first of some cycles; 0: this is the first
  size_t found;    // so many more by this one
  bool move;       // each cycle finds others, so none are left open
} hot;             // [gc_cycle_lock]

static GC_STATE struct gc_range_array found; // written parts [gc_cycle_lock]

// Roots that are searched while the program runs.
static GC_STATE struct {
  struct gc_range_array ranges;
  size_t next; // the first that is still to be searched, from its base on
  char *copy;  // of a piece
} later;       // [gc_cycle_lock]
enum { PIECE_BYTES = 16 * 1024 };

// The collector's thread.
static GC_STATE struct {
  struct gc_atomic running;   // 0, or it exists
  struct gc_atomic wanted;    // futex: raised to wake it
  struct gc_atomic slices;    // futex: done so far
  struct gc_atomic waiting;   // threads that wait for some
  struct gc_atomic guests_ns; // that guests have marked in this cycle
} worker;

// With one CPU there is nothing to gain from a thread.  And a program's function that pushes roots must be
// called by a thread of the program, as libgc does: it may well ask who it is.
static bool
is_thread_of_use(void) {
  return gc_cycle_markers_max() > 1 && !gc_roots_has_program_function();
}

static bool
has_thread(void) {
  return gc_atomic_load_relaxed(&worker.running) > 0 && is_thread_of_use();
}

bool
gc_concurrent_is_under_way(void) {
  return cycle.phase != IDLE;
}

bool
gc_concurrent_is_throttling(void) {
  return cycle.throttling;
}

static bool
is_marking(void) {
  return cycle.phase == MARKING || cycle.phase == REMARKING || cycle.phase == LOOKING_AHEAD;
}

static void
enter(enum phase phase) {
  static const unsigned may_follow[] = {
      [IDLE] = 1u << SETTLING,
      [MARKING] = 1u << IDLE | 1u << LOOKING_AHEAD,
      [REMARKING] = 1u << MARKING,
      [LOOKING_AHEAD] = 1u << REMARKING,
      [SWEEPING] = 1u << LOOKING_AHEAD | 1u << REMARKING | 1u << MARKING,
      [SETTLING] = 1u << SWEEPING,
  };
  GC_ASSERT(may_follow[phase] >> cycle.phase & 1);
  cycle.phase = phase;
}

// For the log.
static void
keep_pause(const struct gc_pause *pause) {
  cycle.pause_count -= cycle.pause_count == PAUSES_KEPT;
  cycle.pauses[cycle.pause_count++] = *pause;
}

// ---- Roots that are put off ----------------------------------------------------------------------------

static size_t
count_parts(const struct gc_range_array *ranges) {
  return gc_ranges_bytes(ranges, 0) >> GC_WRITES_SHIFT;
}

// What is read beside the program may not be there any more, so it is read through copies of pieces.
static struct gc_range_array *
prepare_later(void) {
  gc_range_array_clear(&later.ranges);
  later.next = 0;
  if (!later.copy)
    later.copy = gc_os_map(PIECE_BYTES);
  return later.copy && gc_os_can_copy() ? &later.ranges : NULL;
}

static bool
is_any_later(void) {
  return later.next < later.ranges.count;
}

// Search the next piece of the roots that the first pause has put off.  false if there is none.
static bool
search_later(void) {
  if (!is_any_later())
    return false;
  struct gc_range *rest = &later.ranges.items[later.next];
  size_t bytes = gc_min(gc_range_bytes(*rest), PIECE_BYTES);
  size_t copied = gc_os_copy_readable((struct gc_range){rest->base, rest->base + bytes}, false, later.copy);
  if (copied < bytes)
    gc_roots_forget_put_off((struct gc_range){rest->base, rest->base + bytes});
  gc_lock_acquire(&gc_lock); // what lies where in the heap does not change
  gc_marker_look_at_all(gc_team_own_marker());
  gc_marker_scan_root_copy(gc_team_own_marker(), (struct gc_range){later.copy, later.copy + copied});
  gc_lock_release(&gc_lock);
  rest->base += bytes;
  later.next += rest->base == rest->limit;
  return true;
}

// A pause was called off: what it was to read of static data will be read before the next.
static void
search_called_off_later(void) {
  if (later.next == later.ranges.count) {
    gc_range_array_clear(&later.ranges);
    later.next = 0;
  }
  if (!later.copy || !gc_os_can_copy() || !gc_roots_push_called_off(&later.ranges))
    gc_roots_forget_all_put_off();
}

// Find what the program has written since, of what a pause would have to search.  Returns how many OS pages.
static size_t
find_later(void) {
  if (!later.copy || !gc_os_can_copy())
    return 0;
  gc_range_array_clear(&later.ranges);
  later.next = 0;
  gc_roots_find_written(&later.ranges);
  return count_parts(&later.ranges);
}

// ---- Arming and starting -------------------------------------------------------------------------------

// Where to search hot pages again takes a third as long as all before, it is cheaper to hold the program back
// from the start, when it has written little: what it gets done otherwise does not make up for that.  Now and
// then the other way is tried again.  With mprotect all pages that are written would be hot.
static void
choose_to_hold_back(void) {
  cycle.holds_back = cycle.hold_back > 0;
  cycle.hold_back -= cycle.holds_back;
  cycle.leaves_hot = !cycle.holds_back && !hot.move && gc_writes_kind() != GC_WRITES_PROTECT;
}

void
gc_concurrent_expect_another_phase(void) {
  cycle.hold_back = 0;
  hot.move = false;
}

static void
learn_from_hot_pages(void) {
  if (cycle.holds_back)
    return;
  bool dear = cycle.hot_pages >= HOT_PAGES_MIN && cycle.hot_ns > cycle.cool_ns / 3;
  cycle.hold_back = dear ? gc_max(cycle.hold_next, HELD_BACK_MIN) : 0;
  cycle.hold_next = gc_min(2 * cycle.hold_back, HELD_BACK_MAX);
}

// Under gc_lock, which is let go of now and then.
static void
for_each_stretch(void (*function)(size_t page, size_t limit)) {
  for (size_t page = 0; page < gc_heap.frontier; page += ARM_AT_ONCE_PAGES) {
    gc_lock_acquire(&gc_lock);
    function(page, gc_min(page + ARM_AT_ONCE_PAGES, gc_heap.frontier));
    gc_lock_release(&gc_lock);
  }
}

// What was written before is of no interest: all will be searched.
static void
arm_and_forget(size_t page, size_t limit) {
  gc_remember_harvest(page, limit);
  gc_remember_gather(page, limit, false, NULL);
  gc_remember_arm(page, limit, false);
}

// The same, but for how much it was, as far as there is memory to note it.  Hot pages stay open, unless the
// program is held back.
static void
arm_afresh(size_t page, size_t limit) {
  gc_range_array_clear(&found);
  gc_remember_harvest(page, limit);
  gc_remember_gather(page, limit, false, &found);
  cycle.written += count_parts(&found);
  if (cycle.holds_back)
    gc_remember_arm(page, limit, false);
  else
    gc_remember_arm_cool(page, limit);
}

// If much of what is armed is written between cycles, then nothing stays armed for some of them.
static void
learn_from_writes_between(void) {
  enum { WARY_CYCLES = 16 };
  if (!gc_pacer_faults_are_cheaper(cycle.written << GC_WRITES_SHIFT, gc_heap.live_bytes))
    cycle.wary = WARY_CYCLES;
  else
    cycle.wary -= cycle.wary > 0;
}

static void
forget_hot_now_and_then(void) {
  hot.found = 0;
  if (cycle.holds_back || (!hot.move && hot.cycles++ % HOT_CYCLES != 0))
    return;
  hot.first = 0;
  gc_lock_acquire(&gc_lock);
  gc_remember_forget_hot();
  gc_lock_release(&gc_lock);
}

void
gc_concurrent_arm(void) {
  for_each_stretch(arm_and_forget);
}

// Until the next concurrent cycle, which would arm all of it again.  With signals the program's writes are
// dear, and system calls fail.
static bool
may_stay_armed(size_t expected_bytes) {
  return gc_policy_has_concurrent() && gc_writes_kind() != GC_WRITES_PROTECT && cycle.wary == 0 &&
         gc_pacer_faults_are_cheaper(expected_bytes, gc_heap.live_bytes);
}

static bool
must_disarm(size_t expected_bytes) {
  return !gc_policy_relies_on_writes() && !may_stay_armed(expected_bytes);
}

void
gc_concurrent_settle(size_t expected_bytes) {
  GC_ASSERT(cycle.phase == IDLE);
  if (must_disarm(expected_bytes))
    for_each_stretch(gc_remember_disarm);
}

void
gc_concurrent_note_written(size_t written_bytes) {
  cycle.written_before = gc_min(written_bytes, gc_heap.live_bytes) >> GC_WRITES_SHIFT;
}

static void start_worker(void);

bool
gc_concurrent_start(void) {
  gc_cycle_finish_last();
  find_later(); // all will be searched: for the pause it is to be little that was written
  struct gc_stopped state = {.later = prepare_later()};
  gc_refs_prepare(false);
  choose_to_hold_back();
  forget_hot_now_and_then();
  cycle.written = cycle.written_before;
  cycle.written_before = 0;
  for_each_stretch(arm_afresh);
  learn_from_writes_between();
  if (!gc_cycle_pause(GC_PAUSE_START, gc_stopped_start, &state)) {
    gc_policy_lose_written();
    gc_roots_forget_all_put_off();
    return false;
  }
  cycle.attempts = 0;
  cycle.written = 0;
  cycle.hot_ns = 0;
  cycle.hot_pages = cycle.holds_back ? cycle.hot_pages : 0;
  cycle.looked_ahead = cycle.asked_again = false;
  cycle.white_bytes = SIZE_MAX;
  cycle.mark_ns = cycle.verify_after_ns = 0;
  gc_atomic_store_relaxed(&worker.guests_ns, 0);
  cycle.pause_count = 0;
  cycle.began_ns = state.pause.began_ns;
  cycle.allocated_bytes = gc_heap.allocated_bytes;
  keep_pause(&state.pause);
  enter(MARKING);
  cycle.throttling = cycle.holds_back;
  gc_policy_set_concurrent_budget();
  start_worker();
  return true;
}

// ---- Slices --------------------------------------------------------------------------------------------

static size_t
allocated_meanwhile(void) {
  size_t allocated_bytes = gc_heap.allocated_bytes;
  return allocated_bytes - gc_min(allocated_bytes, cycle.allocated_bytes);
}

// Hot pages would all be written again while the second pass is under way.  And once a pause was called off,
// too much had been written before it.
static bool
must_throttle(void) {
  bool any_hot = cycle.hot_pages >= HOT_PAGES_MIN;
  return cycle.holds_back || cycle.attempts > 0 || cycle.pass > (any_hot ? 1u : 1u + cycle.asked_again);
}

static uint64_t
marked_ns(void) {
  return cycle.mark_ns + gc_atomic_load_relaxed(&worker.guests_ns);
}

// A program that writes to one place after the other writes as much in each cycle, but not to the same pages:
// to leave open what was hot before would be for nothing.  Where it does write to the same ones, the second
// pass finds many of them written again.  A program that is held back by then writes too little for that to
// be seen: so all this is for where they are few to the heap.
static void
learn_whether_hot_pages_move(void) {
  enum { FEW_OF = 16 };
  size_t few = gc_heap.frontier / FEW_OF;
  if (cycle.attempts > 0)
    return;
  if (cycle.pass == 2 && !cycle.leaves_hot)
    hot.move = hot.move && cycle.found_first * GC_WRITES_BYTES <= few * GC_PAGE_BYTES &&
               (cycle.found <= LITTLE_PARTS || cycle.found < cycle.found_first / 4);
  else if (cycle.pass == 1 && cycle.leaves_hot && hot.first > 0)
    hot.move = hot.found >= HOT_PAGES_MIN && hot.found >= hot.first / 2 && hot.first + hot.found <= few;
  else if (cycle.pass == 1 && cycle.leaves_hot)
    hot.first = hot.found;
}

// The second pass searches hot pages, unless it is one after a pause that was called off.
static void
note_time(void) {
  if (cycle.pass == 1)
    cycle.found_first = cycle.found;
  if (cycle.pass == 1 && cycle.attempts == 0)
    cycle.cool_ns = marked_ns();
  else if (cycle.pass == 2 && cycle.attempts == 0)
    cycle.hot_ns = marked_ns() - cycle.cool_ns;
}

static void
begin_pass(unsigned pass) {
  cycle.pass = pass;
  cycle.page = 0;
  cycle.found = 0;
  cycle.roots_found = false;
  cycle.throttling = must_throttle();
}

// Look at the roots again, and have objects born black from here on; unless next to none has been born.  If
// that cannot be they are born white until the last pause.  Returns whether it was done.
//
// Those that are born white and die meanwhile are neither searched nor kept.  But what is alive of them the
// last pause would have to search, if only roots refer to it.
static bool
blacken(void) {
  size_t born_bytes = allocated_meanwhile();
  if (cycle.asked_again || born_bytes <= LITTLE_PARTS * GC_WRITES_BYTES)
    return false;
  struct gc_stopped state = {0};
  if (gc_cycle_pause(GC_PAUSE_START, gc_stopped_blacken, &state))
    cycle.white_bytes = born_bytes;
  else
    search_called_off_later();
  keep_pause(&state.pause);
  cycle.asked_again = true;
  return true;
}

static void
mark_slice(uint64_t deadline_ns) {
  do
    if (gc_team_drain_until(deadline_ns) || gc_os_now_ns() >= deadline_ns)
      return;
  while (search_later());
  enter(REMARKING);
  begin_pass(1);
}

// The first pass leaves hot pages to the second.
static bool
leaves_hot_pages(void) {
  return cycle.leaves_hot && cycle.pass == 1 && cycle.attempts == 0;
}

static bool
is_to_be_searched(size_t page, bool early) {
  return gc_remember_may_arm(page) && !(early && gc_page_set_has(gc_heap.hot, page));
}

// Pages that nobody allocates in are armed, and then searched as a whole: what they hold may have been born
// black.
static void
arm_and_gather(size_t page, size_t limit) {
  bool early = leaves_hot_pages();
  gc_range_array_clear(&found);
  gc_lock_acquire(&gc_lock);
  gc_remember_harvest(page, limit);
  bool done = gc_remember_gather(page, limit, false, &found);
  cycle.written += count_parts(&found);
  if (early)
    hot.found += gc_remember_take_hot(&found);
  for (size_t open = page; open < limit && done; open++)
    if (is_to_be_searched(open, early))
      done = gc_range_array_push(
          &found, (struct gc_range){gc_heap_page_address(open), gc_heap_page_address(open + 1)});
  if (early)
    cycle.hot_pages += gc_remember_arm_cool(page, limit);
  else
    gc_remember_arm(page, limit, false);
  if (!done)
    gc_remember_disarm(page, limit); // all of it counts as written
  // What was written may refer to what was born beyond the frontier since.
  gc_marker_look_at_all(gc_team_own_marker());
  gc_lock_release(&gc_lock);
}

static void
remark_chunk(void) {
  size_t limit = gc_min(cycle.page + CHUNK_PAGES, gc_heap.frontier);
  arm_and_gather(cycle.page, limit);
  cycle.found += count_parts(&found);
  for (size_t i = 0; i < found.count; i++)
    gc_marker_push_marked(gc_team_own_marker(), found.items[i]);
  cycle.page = limit;
}

// As late as can be: a pause follows, perhaps.  If another pass would find as many, it is of no use.
static void
remark_roots(void) {
  size_t before = cycle.root_pages;
  cycle.root_pages = find_later();
  cycle.roots_found = true;
  if (cycle.pass == 1 || cycle.root_pages < before / 2)
    cycle.found += cycle.root_pages;
}

static int
is_out_of_time(void) {
  return gc_os_now_ns() >= cycle.deadline_ns;
}

static void
give_up(void) {
  cycle.phase = IDLE;
  gc_policy_lose_written();
}

// The last pause.  false if it was called off.
static bool
finish(bool at_any_price) {
  bool hurry = !at_any_price && cycle.attempts < gc_tunables.max_prior_attempts;
  uint64_t target_ns = gc_pause_target_ns();
  struct gc_stopped state = {
      .markers = gc_cycle_prepare_markers(gc_heap.live_bytes),
      .stop = hurry && target_ns != UINT64_MAX ? is_out_of_time : NULL,
      .at_any_price = at_any_price,
      .looked_ahead = cycle.looked_ahead,
  };
  cycle.deadline_ns = gc_os_now_ns() + target_ns;
  cycle.attempts++;
  size_t born_bytes = allocated_meanwhile();
  if (is_any_later())
    gc_roots_forget_all_put_off();
  bool finished = gc_cycle_pause(GC_PAUSE_FINISH, gc_stopped_finish, &state);
  cycle.written += state.written_bytes >> GC_WRITES_SHIFT;
  keep_pause(&state.pause);
  if (finished) {
    cycle.ended_ns = gc_cycle_stats.ended_ns;
    cycle.born_bytes = born_bytes;
    gc_policy_set_budget();
    enter(SWEEPING);
  } else if (state.undone) {
    give_up();
  } else {
    search_called_off_later();
    return false;
  }
  cycle.throttling = finished && cycle.holds_back;
  return finished;
}

// A pass ends when it has come to the frontier.  What it found tells whether a pause would be short.  What
// was born until the first has ended lies in pages that are armed by now: what the roots lead to there is
// searched by marking alone.
static void
end_pass(void) {
  note_time();
  learn_whether_hot_pages_move();
  bool more = cycle.found > LITTLE_PARTS && cycle.pass < PASSES_MAX;
  if (blacken() || more || (leaves_hot_pages() && cycle.hot_pages > 0)) {
    begin_pass(cycle.pass + 1);
    return;
  }
  enter(LOOKING_AHEAD);
  if (!cycle.looked_ahead)
    gc_refs_begin_to_look_ahead();
}

// What is white now and has registrations is what the pause must look at.
static void
look_ahead_slice(uint64_t deadline_ns) {
  while (!cycle.looked_ahead) {
    if (gc_marker_drain_until(gc_team_own_marker(), deadline_ns) || gc_os_now_ns() >= deadline_ns)
      return;
    cycle.looked_ahead = !gc_refs_look_ahead();
  }
  if (!finish(false) && cycle.phase == LOOKING_AHEAD)
    enter(MARKING);
}

static void
remark_slice(uint64_t deadline_ns) {
  while (cycle.page < gc_heap.frontier || !cycle.roots_found || is_any_later()) {
    if (gc_team_drain_until(deadline_ns) || gc_os_now_ns() >= deadline_ns)
      return;
    if (cycle.page < gc_heap.frontier)
      remark_chunk();
    else if (!search_later())
      remark_roots();
  }
  if (!gc_team_drain_until(deadline_ns))
    end_pass();
}

// Between cycles more will be written than during one, and of hot pages all.
static size_t
expected_bytes(void) {
  enum { TIMES_AS_MUCH = 8 };
  return (TIMES_AS_MUCH * cycle.written << GC_WRITES_SHIFT) + (cycle.hot_pages << GC_PAGE_SHIFT);
}

static void
end_cycle(void) {
  cycle.throttling = false;
  enter(IDLE);
  gc_policy_set_budget(); // who did the slices may have been given less, to go on with them
  gc_cycle_log(cycle.holds_back ? "concurrent, throttled" : "concurrent", cycle.pauses, cycle.pause_count,
               gc_os_now_ns() - cycle.began_ns);
}

// A program that writes everywhere gets next to nothing done meanwhile: while a call changes page tables,
// each of its writes to a page that is armed has the other processors interrupted, ours among them.
static void
settle_slice(uint64_t deadline_ns) {
  while (cycle.page < gc_heap.frontier && gc_os_now_ns() < deadline_ns) {
    size_t limit = gc_min(cycle.page + ARM_AT_ONCE_PAGES, gc_heap.frontier);
    gc_lock_acquire(&gc_lock);
    gc_remember_disarm(cycle.page, limit);
    gc_lock_release(&gc_lock);
    cycle.page = limit;
  }
  if (cycle.page >= gc_heap.frontier)
    end_cycle();
}

static void
sweep_slice(uint64_t deadline_ns) {
  bool more = true;
  while (more && gc_os_now_ns() < deadline_ns) {
    gc_lock_acquire(&gc_lock);
    more = gc_sweep_some(SWEPT_AT_ONCE);
    gc_lock_release(&gc_lock);
  }
  if (more)
    return;
  enter(SETTLING);
  learn_from_hot_pages();
  bool all_hot = cycle.holds_back || cycle.hold_back > 0; // a minor cycle would find too much written
  gc_policy_after_full((struct gc_policy_full){
      .mark_ns = marked_ns(),
      .cycle_ns = cycle.ended_ns - cycle.began_ns,
      .ended_ns = cycle.ended_ns,
      .concurrent = true,
      .armed = !all_hot,
      .born_bytes = cycle.born_bytes,
      .black_bytes = cycle.born_bytes - gc_min(cycle.white_bytes, cycle.born_bytes),
  });
  cycle.page = must_disarm(expected_bytes()) ? 0 : gc_heap.frontier;
  settle_slice(deadline_ns);
}

static void
verify_stw(void *unused) {
  (void)unused;
  size_t faults = gc_verify_writes_stw();
  GC_CHECK(faults == 0, "verify between slices: %zu faults in the heap", faults);
}

// Between slices, with LOAM_VERIFY.  In a large heap not each time, or a cycle would take many seconds.
static void
verify(void) {
  enum { TIMES_AS_LONG_AS_MARKING = 32 };
  if (!gc_tunables.verify || !gc_heap.marking || cycle.mark_ns < cycle.verify_after_ns)
    return;
  uint64_t began_ns = gc_os_now_ns();
  gc_world_call_stopped(verify_stw, NULL);
  cycle.verify_after_ns = cycle.mark_ns + (gc_os_now_ns() - began_ns) / TIMES_AS_LONG_AS_MARKING;
}

bool
gc_concurrent_slice(void) {
  verify();
  uint64_t began_ns = gc_os_now_ns();
  uint64_t deadline_ns = began_ns + gc_min(SLICE_NS, gc_pause_target_ns());
  switch (cycle.phase) {
  case IDLE:
    break;
  case MARKING:
    mark_slice(deadline_ns);
    break;
  case REMARKING:
    remark_slice(deadline_ns);
    break;
  case LOOKING_AHEAD:
    look_ahead_slice(deadline_ns);
    break;
  case SWEEPING:
    sweep_slice(deadline_ns);
    break;
  case SETTLING:
    settle_slice(deadline_ns);
    break;
  }
  cycle.mark_ns += gc_os_now_ns() - began_ns;
  return cycle.phase != IDLE;
}

// Called off it may be only because a thread does not answer.
bool
gc_concurrent_complete(void) {
  if (is_marking())
    finish(true);
  while (cycle.phase == SWEEPING || cycle.phase == SETTLING)
    gc_concurrent_slice();
  return cycle.phase == IDLE;
}

bool
gc_concurrent_assist(void) {
  bool more = gc_concurrent_slice();
  if (more && !has_thread())
    gc_cycle_stats.budget_bytes = gc_heap.allocated_bytes + ASSIST_BYTES;
  return !more;
}

// ---- The collector's thread ----------------------------------------------------------------------------

static void *
work_spilled(void *unused) {
  (void)unused;
  gc_concurrent_slice();
  return NULL;
}

// One slice.  true if there is more to do.
static bool
work(void) {
  gc_cycle_acquire();
  bool disabled = gc_cycle_is_disabled() || !is_thread_of_use();
  if (!disabled)
    gc_world_call_spilled(work_spilled, NULL);
  bool more = cycle.phase != IDLE && !disabled;
  gc_lock_release(&gc_cycle_lock);
  gc_atomic_add(&worker.slices, 1);
  if (is_marking())
    gc_futex_wake_one(&worker.slices);
  else
    gc_futex_wake_all(&worker.slices);
  gc_cycle_let_others();
  return more;
}

static void *
worker_main(void *unused) {
  for (;;) {
    size_t seen = gc_atomic_load_acquire(&worker.wanted);
    while (work())
      ;
    gc_pauses_deliver();
    if (gc_cycle_report)
      gc_cycle_report();
    gc_futex_wait(&worker.wanted, seen, GC_FUTEX_FOREVER);
  }
  return unused;
}

void
gc_concurrent_wake(void) {
  gc_atomic_add(&worker.wanted, 1);
  gc_futex_wake_one(&worker.wanted);
}

static void
start_worker(void) {
  if (!is_thread_of_use())
    return;
  gc_concurrent_wake();
  if (gc_atomic_compare_and_swap(&worker.running, 0, 1) && !gc_os_start_helper(worker_main, NULL))
    gc_atomic_store_relaxed(&worker.running, 0);
}

// Mark for as long as a slice takes, at most.
static void
mark_as_guest(void) {
  struct gc_cache *cache = gc_cache_current;
  if (!cache || !is_marking())
    return;
  uint64_t deadline_ns = gc_os_now_ns() + SLICE_NS;
  gc_cache_enter(cache);
  uint64_t spent_ns = gc_team_mark_as_guest(gc_cycle_markers_max() - 1, &cache->stop_pending, deadline_ns);
  gc_cache_leave(cache);
  gc_atomic_add(&worker.guests_ns, spent_ns);
}

// One waiting thread goes on for each slice, or many threads together would outrun the marker however often
// each waits, and starve it of CPU time besides.  The collector's thread is woken, since it sleeps if
// GC_dont_gc was written, by whom who does not wake it.
bool
gc_concurrent_wait_for_slice(void) {
  enum { TRIES = 500, AT_MOST_NS = 2000000 };
  size_t begun = gc_atomic_load_acquire(&worker.slices);
  if (cycle.phase == IDLE || !has_thread())
    return false;
  size_t turn = gc_atomic_add(&worker.waiting, 1) + 1;
  gc_concurrent_wake();
  mark_as_guest();
  for (unsigned tries = 0; tries < TRIES && cycle.phase != IDLE && !gc_cycle_is_disabled(); tries++) {
    size_t now = gc_atomic_load_acquire(&worker.slices);
    if (now - begun >= (is_marking() ? turn : 1))
      break;
    gc_futex_wait(&worker.slices, now, AT_MOST_NS);
  }
  gc_atomic_sub(&worker.waiting, 1);
  return true;
}

// The other threads are gone, and with them what they would have written; but nothing is armed any more.
void
gc_concurrent_after_fork_child(void) {
  gc_atomic_store_relaxed(&worker.running, 0);
  gc_atomic_store_relaxed(&worker.waiting, 0);
  if (is_marking()) {
    gc_stopped_undo_start();
    if (gc_cache_current)
      gc_cache_unshield_stw(gc_cache_current);
    cycle.phase = IDLE;
  }
  cycle.throttling = false;
  gc_policy_after_fork_child();
}
