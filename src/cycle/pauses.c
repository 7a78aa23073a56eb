// Pauses: timed, counted, announced, printed.  See pauses.h.
//
// A listener is the program's, and may take locks that threads hold while they wait for the collector.  So it
// is called only by gc_pauses_deliver, without any lock; until then pauses wait in a ring.
#include "cycle/pauses.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/atomic.h"
#include "base/check.h"
#include "base/hooks.h"
#include "base/lock.h"
#include "base/variables.h"
#include "os/clock.h"

enum { RING_PAUSES = 64, LINE_BYTES = 480 };

// [gc_lock], save `waiting`
static GC_STATE struct {
  struct gc_pause_totals kinds[GC_PAUSE_KINDS + 1]; // the last of all kinds
  struct gc_pause ring[RING_PAUSES]; // the oldest at `first`; one that finds no room is not announced
  size_t first;
  struct gc_atomic waiting; // in the ring  [changed under gc_lock, read racily to see if there are any]
} pauses;

// [gc_lock]  Not in GC_STATE: the data may be a collected object.
static struct gc_pause_listener listener;

uint64_t gc_pause_target_more_ns;

// ---- Timing --------------------------------------------------------------------------------------------

void
gc_pause_begin(struct gc_pause *pause, enum gc_pause_kind kind) {
  uint64_t now_ns = gc_os_now_ns();
  *pause = (struct gc_pause){.kind = kind, .began_ns = now_ns, .lap_ns = now_ns};
}

void
gc_pause_lap(struct gc_pause *pause, enum gc_pause_phase phase) {
  uint64_t now_ns = gc_os_now_ns();
  pause->phase_ns[phase] += now_ns - pause->lap_ns;
  pause->lap_ns = now_ns;
}

// ---- Counting ------------------------------------------------------------------------------------------

static void
count(struct gc_pause_totals *totals, const struct gc_pause *pause) {
  gc_histogram_record(&totals->lengths, pause->total_ns);
  totals->called_off += pause->called_off;
  for (unsigned phase = 0; phase < GC_PAUSE_PHASES; phase++)
    totals->phase_ns[phase] += pause->phase_ns[phase];
}

static void
put_in_ring(const struct gc_pause *pause) {
  size_t waiting = gc_atomic_load_relaxed(&pauses.waiting);
  if (!listener.tell || waiting == RING_PAUSES)
    return;
  pauses.ring[(pauses.first + waiting) % RING_PAUSES] = *pause;
  gc_atomic_store_relaxed(&pauses.waiting, waiting + 1);
}

void
gc_pause_end(struct gc_pause *pause) {
  gc_pause_lap(pause, GC_PHASE_RESUME);
  pause->total_ns = pause->lap_ns - pause->began_ns;
  gc_lock_acquire(&gc_lock);
  count(&pauses.kinds[pause->kind], pause);
  count(&pauses.kinds[GC_PAUSE_KINDS], pause);
  put_in_ring(pause);
  gc_lock_release(&gc_lock);
}

const struct gc_pause_totals *
gc_pauses_of(enum gc_pause_kind kind) {
  return &pauses.kinds[kind];
}

const struct gc_histogram *
gc_pauses_all(void) {
  return &pauses.kinds[GC_PAUSE_KINDS].lengths;
}

// ---- Announcing ----------------------------------------------------------------------------------------

void
gc_pauses_listen(struct gc_pause_listener told) {
  gc_lock_acquire(&gc_lock);
  listener = told;
  gc_atomic_store_relaxed(&pauses.waiting, 0);
  gc_lock_release(&gc_lock);
}

// The oldest in the ring, and whom to tell.
static struct gc_pause_listener
take_from_ring(struct gc_pause *pause) {
  struct gc_pause_listener told = {0};
  gc_lock_acquire(&gc_lock);
  size_t waiting = gc_atomic_load_relaxed(&pauses.waiting);
  if (waiting > 0) {
    *pause = pauses.ring[pauses.first];
    told = listener;
    pauses.first = (pauses.first + 1) % RING_PAUSES;
    gc_atomic_store_relaxed(&pauses.waiting, waiting - 1);
  }
  gc_lock_release(&gc_lock);
  return told;
}

void
gc_pauses_deliver(void) {
  struct gc_pause pause;
  while (GC_UNLIKELY(gc_atomic_load_relaxed(&pauses.waiting))) {
    struct gc_pause_listener told = take_from_ring(&pause);
    if (told.tell)
      told.tell(&pause, told);
  }
}

// ---- The target ----------------------------------------------------------------------------------------

uint64_t
gc_pause_target_ns(void) {
  size_t ms = gc_variables_pause_target_ms();
  if (ms >= GC_PAUSE_UNLIMITED_MS)
    return UINT64_MAX;
  return gc_max(ms * UINT64_C(1000000) + gc_pause_target_more_ns, GC_PAUSE_TARGET_NS_MIN);
}

// ---- Printing ------------------------------------------------------------------------------------------

const char *
gc_pause_kind_name(enum gc_pause_kind kind) {
  static const char *const names[] = {
      [GC_PAUSE_FULL] = "full",     [GC_PAUSE_MINOR] = "minor", [GC_PAUSE_START] = "start",
      [GC_PAUSE_FINISH] = "finish", [GC_PAUSE_KINDS] = "all",
  };
  return names[kind];
}

const char *
gc_pause_phase_name(enum gc_pause_phase phase) {
  static const char *const names[GC_PAUSE_PHASES] = {
      [GC_PHASE_STOP] = "stop",     [GC_PHASE_ROOTS] = "roots",           [GC_PHASE_HARVEST] = "harvest",
      [GC_PHASE_MARK] = "mark",     [GC_PHASE_REFERENCES] = "references", [GC_PHASE_SWEEP] = "sweep",
      [GC_PHASE_RESUME] = "resume",
  };
  return names[phase];
}

// A line in the making.  Nothing is added to one that is full.
struct line {
  char *text;
  size_t used, capacity; // one byte of the capacity is for the terminator
};

static void
GC_PRINTF(2, 3) add(struct line *line, const char *format, ...) {
  size_t room = line->capacity - line->used;
  va_list arguments;
  va_start(arguments, format);
  int wanted = vsnprintf(line->text + line->used, room, format, arguments);
  va_end(arguments);
  if (wanted > 0)
    line->used += gc_min((size_t)wanted, room - 1);
}

static unsigned long
us(uint64_t ns) {
  return (unsigned long)((ns + 500) / 1000);
}

// "pauses 210 + 95 (called off) + 180 us"
static void
add_lengths(struct line *line, const struct gc_pause_report *report) {
  add(line, report->pause_count == 1 ? ", pause" : ", pauses");
  for (size_t i = 0; i < report->pause_count; i++) {
    bool given_up = report->finished && report->pauses[i].called_off;
    add(line, "%s %lu%s", i ? " +" : "", us(report->pauses[i].total_ns), given_up ? " (called off)" : "");
  }
  add(line, " us");
}

// " (stop 80, roots 310, mark 200)": of all the cycle's pauses together, without what took no time.
static void
add_phases(struct line *line, const struct gc_pause_report *report) {
  const char *before = " (", *after = "";
  for (unsigned phase = 0; phase < GC_PAUSE_PHASES; phase++) {
    uint64_t ns = 0;
    for (size_t i = 0; i < report->pause_count; i++)
      ns += report->pauses[i].phase_ns[phase];
    if (us(ns) == 0)
      continue;
    add(line, "%s%s %lu", before, gc_pause_phase_name(phase), us(ns));
    before = ", ", after = ")";
  }
  add(line, "%s", after);
}

size_t
gc_pauses_format_cycle(char *text, size_t bytes, const struct gc_pause_report *report) {
  struct line line = {.text = text, .capacity = bytes};
  add(&line, "collection %zu: %s, %s", report->cycle, report->kind,
      report->finished ? "finished" : "called off");
  if (report->cycle_ns)
    add(&line, " after %lu us", us(report->cycle_ns));
  if (report->pause_count > 0) {
    add_lengths(&line, report);
    add_phases(&line, report);
  }
  add(&line, ", live %zu KiB, reclaimed %zu KiB, heap %zu KiB, roots %zu KiB, next after %zu KiB",
      report->live_bytes / GC_KIB, report->reclaimed_bytes / GC_KIB, report->heap_bytes / GC_KIB,
      report->root_bytes / GC_KIB, report->budget_bytes / GC_KIB);
  return line.used;
}

void
gc_pauses_log_cycle(const struct gc_pause_report *report) {
  char line[LINE_BYTES];
  gc_pauses_format_cycle(line, sizeof line, report);
  gc_log("%s", line);
}
