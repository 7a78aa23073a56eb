// The pacer.  See pacer.h.
#include "cycle/pacer.h"

#define NS_PER_MS UINT64_C(1000000)
#define LEAN_BYTES_MIN (2560 * GC_KIB) // less saves next to nothing where a little more has lived before

enum {
  ROOT_FACTOR = 7, // halves: 3.5 MiB for a heap of 1 MiB, 35 MiB for one of 100 MiB
  WORK_FACTOR = 6, // halves, too
  FLOOR_FACTOR_MAX = 4,
  FLOOR_THREADS_MAX = 8,
  KEPT_SHARE = 4 // what is held is used and kept up to a budget and a quarter
};

static size_t
square_root(size_t value) {
  size_t root = 0;
  for (size_t bit = (size_t)1 << 31; bit > 0; bit >>= 1)
    if ((root | bit) * (root | bit) <= value)
      root |= bit;
  return root;
}

// The optimum when many heaps share a machine grows with the square root of what lives, and of how fast the
// program allocates, and falls with that of how fast it is marked (Kirisame, Shenoy and Panchekha 2022): all
// three are in work_bytes.  A small heap buys much time for little memory; but where little time is spent, by
// a program that does more than allocate, little memory will do.  A large one gets half of what lives.
// Searching roots costs as much as marking, so they count.
size_t
gc_pacer_base_budget_bytes(struct gc_pacer_heap heap) {
  size_t marked_bytes = heap.live_bytes + heap.root_bytes;
  size_t most = square_root(marked_bytes) * ROOT_FACTOR / 2 * 1024;
  size_t wanted = heap.work_bytes ? square_root(heap.work_bytes) * WORK_FACTOR / 2 * 1024 : most;
  size_t small = marked_bytes / 4 + gc_min(wanted, most);
  if (heap.lean)
    small = gc_min(small, gc_max(marked_bytes, LEAN_BYTES_MIN));
  size_t share = gc_max(small, marked_bytes / 2) / heap.divisor * GC_PACER_DIVISOR;
  return gc_max(share, heap.min_budget_bytes);
}

// Memory that is held anyway, after a peak, is used while it is held, but for a quarter more than would be
// asked for at most: pages fill unevenly, so a heap that used all it holds would need a little more each
// time.  What is not used goes back to the system.
static size_t
budget_with_held(struct gc_pacer_heap heap, size_t fresh_bytes) {
  size_t base = gc_pacer_base_budget_bytes(heap);
  size_t held = gc_min(heap.free_bytes - heap.free_bytes / 8, base + base / KEPT_SHARE);
  size_t budget = gc_max(fresh_bytes, held);
  if (heap.live_bytes + budget < heap.initial_heap_bytes)
    budget = heap.initial_heap_bytes - heap.live_bytes;
  return budget;
}

size_t
gc_pacer_budget_bytes(struct gc_pacer_heap heap) {
  return budget_with_held(heap, gc_pacer_base_budget_bytes(heap));
}

bool
gc_pacer_is_growing(size_t allocated_bytes, size_t reclaimed_bytes) {
  return reclaimed_bytes < allocated_bytes / 4 * 3;
}

size_t
gc_pacer_next_floor_bytes(struct gc_pacer_stop stop, size_t floor_bytes, size_t least_bytes) {
  size_t factor = stop.lean ? FLOOR_FACTOR_MAX / 2 : FLOOR_FACTOR_MAX;
  size_t most_bytes = gc_max(1, factor * gc_min(stop.threads, FLOOR_THREADS_MAX)) * least_bytes;
  floor_bytes = gc_max(floor_bytes, least_bytes);
  if (stop.stop_ns > stop.mutator_ns / 50 && stop.stop_ns > stop.pause_ns / 4)
    return gc_min(2 * floor_bytes, most_bytes);
  if (stop.stop_ns < stop.mutator_ns / 200 || stop.stop_ns < stop.pause_ns / 8)
    return gc_max(gc_min(floor_bytes, most_bytes) / 2, least_bytes);
  return gc_min(floor_bytes, most_bytes);
}

size_t
gc_pacer_next_work_bytes(size_t work_bytes, size_t allocated_bytes, uint64_t pause_ns, uint64_t mutator_ns) {
  double now = (double)allocated_bytes * (double)pause_ns / (double)gc_max(mutator_ns, 1);
  if (now >= 2 * (double)work_bytes)
    return 2 * work_bytes;
  return gc_max(gc_max((size_t)now, work_bytes / 2), GC_PACER_WORK_BYTES_MIN);
}

size_t
gc_pacer_expected_live_bytes(size_t live_bytes, size_t allocated_bytes) {
  return live_bytes + allocated_bytes / 4;
}

// A helper costs its wake-up, some 50 us: it has to save more.
unsigned
gc_pacer_markers(size_t live_bytes, size_t parallel_min_bytes, unsigned markers_max) {
  if (live_bytes < parallel_min_bytes)
    return 1;
  size_t worth = 1 + live_bytes / gc_max(parallel_min_bytes, GC_MIB);
  return (unsigned)gc_min(worth, markers_max);
}

// The excess falls by an eighth at each tick: to a tenth within 18 of them.
size_t
gc_pacer_release_bytes(struct gc_pacer_heap heap) {
  size_t base = gc_pacer_base_budget_bytes(heap);
  size_t wanted = heap.live_bytes + base + base / KEPT_SHARE;
  size_t excess = heap.resident_bytes - gc_min(heap.resident_bytes, wanted);
  return gc_divide_up(excess, 8);
}

bool
gc_pacer_idle_cycle_due(struct gc_pacer_idle idle) {
  const uint64_t far_ns = 1500 * NS_PER_MS;
  if (idle.since_cycle_ns < idle.interval_ns || idle.allocated_bytes == 0)
    return false;
  if (idle.window_allocated_bytes == 0)
    return true;
  size_t left_bytes = idle.budget_bytes - gc_min(idle.budget_bytes, idle.allocated_bytes);
  double to_next_ns = (double)left_bytes / (double)idle.window_allocated_bytes * (double)idle.window_ns;
  return to_next_ns > (double)far_ns;
}

uint64_t
gc_pacer_next_idle_interval_ns(uint64_t interval_ns, size_t reclaimed_bytes, size_t live_bytes) {
  if (reclaimed_bytes >= live_bytes / 4)
    return GC_PACER_IDLE_INTERVAL_MS * NS_PER_MS;
  uint64_t doubled = 2 * interval_ns;
  uint64_t most = GC_PACER_IDLE_INTERVAL_MS_MAX * NS_PER_MS;
  return doubled < most ? doubled : most;
}

// ---- Generations ---------------------------------------------------------------------------------------

#define NURSERY_BYTES_MIN GC_MIB
#define NURSERY_BYTES_FIRST (2 * GC_MIB)
#define NURSERY_BYTES_MAX (64 * GC_MIB)
#define NURSERY_BYTES_CACHED (8 * GC_MIB) // what is allocated in again and again may stay in the cache

enum {
  WRITE_NS = 800,                    // what the first write to an armed OS page costs the program
  SEARCHED_BYTES_PER_US = 3000,      // of old objects that may have been written
  SEARCHED_ROOT_BYTES_PER_US = 5000, // of static data
  LONGEST_MS = 10,                   // a target for pauses where the user has set none
  SCORE_MAX = 4,
  WAIT_MAX = 16
};

void
gc_pacer_minors_init(struct gc_pacer_minors *minors) {
  *minors = (struct gc_pacer_minors){.nursery_bytes = NURSERY_BYTES_FIRST, .wait_next = 1};
}

bool
gc_pacer_minors_pay(const struct gc_pacer_minors *minors) {
  return minors->waiting == 0 && !minors->growing;
}

bool
gc_pacer_minors_may_pay(const struct gc_pacer_minors *minors, size_t allocated_bytes) {
  return minors->waiting <= 1 && (!minors->growing || allocated_bytes >= minors->full_bytes / 16);
}

// What a full cycle takes for each byte that may be allocated before it; 0: not known.
static double
full_ns_per_byte(const struct gc_pacer_minors *minors) {
  return (double)minors->full_ns / (double)gc_max(minors->full_bytes, 1);
}

// What a minor cycle costs however small the nursery is.
static double
fixed_ns(struct gc_pacer_minor minor) {
  return (double)(minor.pause_ns - gc_min(minor.pause_ns, minor.young_ns));
}

// It has to earn that: a quarter of what a full one would take for as much; half of it, where the program
// would be stopped for more than twice the target otherwise.
static size_t
least_nursery_bytes(const struct gc_pacer_minors *minors, struct gc_pacer_minor minor) {
  double times = minor.pause_ns / 2 > minor.target_ns ? 2 : 4;
  double bytes = minors->full_ns ? times * fixed_ns(minor) / full_ns_per_byte(minors) : 0;
  return gc_max(NURSERY_BYTES_MIN, bytes < (double)NURSERY_BYTES_MAX ? (size_t)bytes : NURSERY_BYTES_MAX);
}

static size_t
next_nursery_bytes(const struct gc_pacer_minors *minors, struct gc_pacer_minor minor) {
  size_t nursery_bytes = minors->nursery_bytes;
  uint64_t target_ns = gc_min(minor.target_ns, LONGEST_MS * NS_PER_MS);
  size_t least_bytes = least_nursery_bytes(minors, minor);
  size_t most_bytes = gc_max(least_bytes, gc_min(minor.most_bytes / 2, NURSERY_BYTES_CACHED));
  if (minor.young_ns > target_ns / 2)
    nursery_bytes -= nursery_bytes / 4;
  else if (minor.young_ns < target_ns / 4)
    nursery_bytes += nursery_bytes / 4;
  nursery_bytes = gc_max(least_bytes, gc_min(nursery_bytes, most_bytes));
  return gc_min(nursery_bytes,
                minors->nursery_bytes + minors->nursery_bytes / 4); // one long pause proves little
}

// Two fifths, to be exact.
static bool
most_died(size_t allocated_bytes, size_t reclaimed_bytes) {
  return 5 * reclaimed_bytes > 2 * allocated_bytes;
}

// A nursery that is still to grow to its least size is judged as though it had it.
static double
minor_ns(const struct gc_pacer_minors *minors, struct gc_pacer_minor minor) {
  size_t least_bytes = least_nursery_bytes(minors, minor);
  double share = (double)minor.allocated_bytes / (double)least_bytes;
  bool will_grow = minor.allocated_bytes < least_bytes && least_bytes < NURSERY_BYTES_MAX;
  return (double)minor.young_ns + (will_grow ? share * fixed_ns(minor) : fixed_ns(minor)) +
         (double)minor.written_pages * WRITE_NS;
}

size_t
gc_pacer_minor_work_bytes(const struct gc_pacer_minors *minors, size_t work_bytes) {
  if (minors->minor_ns == 0 || minors->minor_ns >= minors->full_ns)
    return work_bytes;
  double minor_bytes = (double)work_bytes * (double)minors->minor_ns / (double)minors->full_ns;
  return gc_max((size_t)minor_bytes, GC_PACER_WORK_BYTES_MIN);
}

static void
give_up(struct gc_pacer_minors *minors, bool growing) {
  minors->score = 0;
  minors->growing = growing;
  minors->waiting = minors->wait_next;
  minors->wait_next = (unsigned)gc_min(4 * minors->wait_next, WAIT_MAX);
}

// Where they have been given up before, one that cost several times what it has saved counts for two.
void
gc_pacer_minors_after_minor(struct gc_pacer_minors *minors, struct gc_pacer_minor minor) {
  enum { CLEARLY = 4 };
  minors->since_full++;
  minors->nursery_bytes = next_nursery_bytes(minors, minor);
  size_t reclaimed_bytes = minor.allocated_bytes - gc_min(minor.allocated_bytes, minor.promoted_bytes);
  bool worthwhile = most_died(minor.allocated_bytes, reclaimed_bytes);
  double cost_ns = minor_ns(minors, minor);
  uint64_t spent_ns = minor.pause_ns + minor.written_pages * WRITE_NS;
  minors->minor_ns = minors->minor_ns ? (3 * minors->minor_ns + spent_ns) / 4 : spent_ns;
  double saved_ns = full_ns_per_byte(minors) * (double)reclaimed_bytes;
  if (worthwhile && (minors->full_ns == 0 || cost_ns < saved_ns)) {
    minors->score += minors->score < SCORE_MAX;
    if (minors->score == SCORE_MAX)
      minors->wait_next = 1;
    return;
  }
  minors->score -= minors->wait_next > 1 && cost_ns > CLEARLY * saved_ns ? 2 : 1;
  if (minors->score <= -SCORE_MAX)
    give_up(minors, !worthwhile);
}

// When they are tried again, two failures are enough, or a clear one.
void
gc_pacer_minors_after_full(struct gc_pacer_minors *minors, struct gc_pacer_full full) {
  bool gave_up = !gc_pacer_minors_pay(minors);
  minors->since_full = 0;
  minors->full_ns = full.full_ns;
  minors->full_bytes = full.full_bytes;
  minors->waiting -= minors->waiting > 0;
  if (most_died(full.allocated_bytes, full.reclaimed_bytes))
    minors->growing = false;
  else if (minors->growing)
    minors->wait_next = 1; // nothing is known of what is to come
  if (gave_up && gc_pacer_minors_pay(minors)) {
    minors->score = 2 - SCORE_MAX;
    minors->nursery_bytes = NURSERY_BYTES_FIRST;
  }
}

bool
gc_pacer_is_full_dear(size_t work_bytes, size_t budget_bytes) {
  return work_bytes >= budget_bytes / 16;
}

uint64_t
gc_pacer_expected_full_ns(struct gc_pacer_full full) {
  double stays =
      (double)gc_min(full.grown_bytes, full.allocated_bytes) / (double)gc_max(full.allocated_bytes, 1);
  double growth = (double)full.full_bytes * stays / (double)gc_max(full.marked_bytes, 1);
  return full.full_ns + (uint64_t)((double)full.full_ns * growth);
}

uint64_t
gc_pacer_expected_first_ns(size_t root_bytes) {
  return root_bytes / SEARCHED_ROOT_BYTES_PER_US * 1000;
}

void
gc_pacer_minors_called_off(struct gc_pacer_minors *minors) {
  give_up(minors, false);
}

bool
gc_pacer_minor_is_too_long(uint64_t target_ns, size_t written_bytes) {
  return written_bytes / SEARCHED_BYTES_PER_US > gc_min(target_ns, LONGEST_MS * NS_PER_MS) / 1000 * 2;
}

// ---- Beside the program, or with it stopped -------------------------------------------------------------

enum {
  LONGEST_STOP_MS = 100, // what people hardly notice (Miller 1968)
  DEAR_CYCLES = 2,
  TRIAL_CYCLES = 3,
  STOPPED_MIN = 64, // cycles
  STOPPED_MAX = 256,
  PATIENCE_MIN = 16,
  PATIENCE_MAX = 256
};

void
gc_pacer_way_init(struct gc_pacer_way *way) {
  *way = (struct gc_pacer_way){.stopped_next = STOPPED_MIN, .patience_next = PATIENCE_MIN};
}

static void
go_beside(struct gc_pacer_way *way) {
  way->stopped = way->on_trial = way->dear = 0;
  way->beside = way->with_stops = (struct gc_pacer_rate){0};
}

static void
add_to_rate(struct gc_pacer_rate *rate, struct gc_pacer_span span) {
  rate->ns += span.ns;
  rate->bytes += span.allocated_bytes;
}

static double
ns_per_byte(struct gc_pacer_rate rate) {
  return (double)rate.ns / (double)gc_max(rate.bytes, 1);
}

// What a concurrent cycle has cost the program: what was born meanwhile would have taken less time before it.
static double
lost_ns(struct gc_pacer_span span) {
  double before_ns = (double)(span.ns - gc_min(span.ns, span.cycle_ns));
  double before_bytes = (double)(span.allocated_bytes - gc_min(span.allocated_bytes, span.born_bytes));
  double born_ns = before_bytes > 0 ? (double)span.born_bytes * before_ns / before_bytes : 0;
  return (double)span.cycle_ns - born_ns;
}

static bool
is_long(struct gc_pacer_span span) {
  return span.pause_ns > LONGEST_STOP_MS * NS_PER_MS;
}

// Evidence enough alone.  Where nearly all was born during the cycle it is hardly known what that would have
// taken before.
static bool
is_very_dear(struct gc_pacer_span span) {
  return lost_ns(span) >= (double)span.ns / 2 && span.born_bytes < span.allocated_bytes / 8 * 7;
}

static void
after_beside(struct gc_pacer_way *way, struct gc_pacer_span span) {
  way->patience -= way->patience > 0;
  if (!span.settled || is_long(span) || lost_ns(span) < (double)span.ns / 5) {
    go_beside(way);
    return;
  }
  add_to_rate(&way->beside, span);
  way->dear += is_very_dear(span) ? DEAR_CYCLES : 1;
  if (way->dear >= DEAR_CYCLES && way->patience == 0)
    way->stopped = way->on_trial = TRIAL_CYCLES;
}

static void
go_beside_for_a_while(struct gc_pacer_way *way) {
  way->patience = way->patience_next;
  way->patience_next = gc_min(2 * way->patience_next, PATIENCE_MAX);
  way->stopped_next = STOPPED_MIN;
  go_beside(way);
}

// A twentieth is what short pauses may cost.
static void
judge(struct gc_pacer_way *way) {
  if (ns_per_byte(way->with_stops) > ns_per_byte(way->beside) / 21 * 20) {
    go_beside_for_a_while(way);
    return;
  }
  way->stopped = way->stopped_next;
  way->stopped_next = gc_min(2 * way->stopped_next, STOPPED_MAX);
  way->patience_next = PATIENCE_MIN;
}

static void
after_stop(struct gc_pacer_way *way, struct gc_pacer_span span) {
  add_to_rate(&way->with_stops, span);
  way->stopped--;
  if (is_long(span) || span.cycle_ns < span.ns / 10) {
    go_beside_for_a_while(way);
  } else if (way->on_trial > 0 && --way->on_trial == 0) {
    judge(way);
  } else if (way->stopped == 0) {
    go_beside(way);
  }
}

// A cycle that was asked for says little of the program; nor does one that stopped it for another reason.
void
gc_pacer_way_after_full(struct gc_pacer_way *way, struct gc_pacer_span span) {
  if (span.asked_for && way->stopped > 0)
    return;
  if (span.asked_for || (span.stopped && way->stopped == 0))
    go_beside(way);
  else if (span.stopped)
    after_stop(way, span);
  else
    after_beside(way, span);
}

// ---- Concurrent cycles ---------------------------------------------------------------------------------

#define CONCURRENT_BYTES_MIN (4 * GC_MIB)

// In eighths.
enum {
  GROWING_SHARE = 6, // of a budget, at least, where a growing heap would have to be given memory for it
  RESERVE_SHARE = 6, // of what that gives, at most, for what is born while the cycle marks
  BORN_SHARE = 3     // of a budget, for that in fresh memory
};

static size_t
eighths(size_t bytes, unsigned share) {
  return bytes / 8 * share;
}

// A program that goes on meanwhile keeps more than one that is stopped would.  A heap that grows may be at
// its peak, which is what it will hold for long: so less is asked of the system then, by as much.  Small
// heaps would start cycles at once.
static size_t
concurrent_budget_bytes(struct gc_pacer_heap heap, size_t born_bytes) {
  size_t base_bytes = gc_pacer_base_budget_bytes(heap);
  size_t less_bytes = gc_min(born_bytes, base_bytes - eighths(base_bytes, GROWING_SHARE));
  size_t fresh_bytes = heap.growing ? base_bytes - less_bytes : base_bytes;
  return budget_with_held(heap, gc_max(fresh_bytes, 2 * heap.min_budget_bytes));
}

size_t
gc_pacer_start_bytes(struct gc_pacer_heap heap, size_t born_bytes) {
  size_t budget_bytes = concurrent_budget_bytes(heap, born_bytes);
  size_t most_bytes = eighths(budget_bytes, RESERVE_SHARE);
  size_t reserve_bytes = born_bytes < most_bytes ? born_bytes + born_bytes / 4 : most_bytes;
  return budget_bytes - gc_max(gc_min(reserve_bytes, most_bytes), budget_bytes / 16);
}

size_t
gc_pacer_expected_born_bytes(size_t expected_bytes, size_t born_bytes) {
  return expected_bytes == SIZE_MAX ? born_bytes : gc_max(born_bytes, (expected_bytes + born_bytes) / 2);
}

size_t
gc_pacer_concurrent_bytes(struct gc_pacer_heap heap) {
  size_t base_bytes = gc_pacer_base_budget_bytes(heap);
  size_t bytes = gc_min(gc_max(heap.free_bytes, eighths(base_bytes, BORN_SHARE)), base_bytes);
  return gc_max(bytes, CONCURRENT_BYTES_MIN);
}

size_t
gc_pacer_floating_bytes(size_t born_bytes) {
  return born_bytes / 4 * 3;
}

size_t
gc_pacer_expected_written_bytes(struct gc_pacer_heap heap, size_t written_bytes, size_t allocated_bytes) {
  size_t times = gc_max(gc_pacer_base_budget_bytes(heap) / gc_max(allocated_bytes, 1), 1);
  return written_bytes < SIZE_MAX / times ? written_bytes * times : SIZE_MAX;
}

bool
gc_pacer_faults_are_cheaper(size_t written_bytes, size_t live_bytes) {
  return written_bytes <= live_bytes / 8;
}
