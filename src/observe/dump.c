// Reports for people.  See dump.h.
#include "observe/dump.h"

#include <string.h>

#include "base/check.h"
#include "base/tunables.h"
#include "base/variables.h"
#include "cycle/cycle.h"
#include "cycle/mode.h"
#include "cycle/pauses.h"
#include "gc.h"
#include "heap/ahead.h"
#include "observe/census.h"
#include "observe/report.h"
#include "os/files.h"
#include "os/writes.h"
#include "refs/ephemerons.h"
#include "refs/finalizers.h"
#include "refs/links.h"
#include "refs/queues.h"
#include "world/ranges.h"
#include "world/world.h"

static size_t
kib_of_pages(size_t pages) {
  return pages << GC_PAGE_SHIFT >> 10;
}

static size_t
percent(size_t part, size_t whole) {
  return whole ? (100 * part + whole / 2) / whole : 0;
}

// ---- The parts, in the order in which they are printed -------------------------------------------------

static const char *
huge_pages(void) {
  static const char *const states[] = {
      [GC_HUGE_UNTRIED] = "not asked for",
      [GC_HUGE_ON_TRIAL] = "on trial",
      [GC_HUGE_QUICK] = "asked for",
      [GC_HUGE_SLOW] = "given up, as the system is slow to give them",
  };
  return states[gc_heap.huge_state];
}

static void
add_heap(struct gc_text *text, const struct gc_census *census) {
  gc_text_add(text, "heap\n  range       %p to %p, %zu MiB reserved\n", (void *)gc_heap.base,
              (void *)gc_heap_page_address(gc_heap.reserved_pages),
              gc_heap.reserved_pages >> (20 - GC_PAGE_SHIFT));
  gc_text_add(text, "  committed   %zu KiB, used so far %zu KiB\n", kib_of_pages(gc_heap.committed_pages),
              kib_of_pages(gc_heap.frontier - 1));
  gc_text_add(text, "  resident    %zu KiB, %zu KiB of it in free pages\n", gc_heap_resident_bytes() / GC_KIB,
              kib_of_pages(gc_heap.dirty_pages));
  gc_text_add(text, "  returned    %zu KiB, or not yet touched\n", kib_of_pages(gc_heap.clean_pages));
  gc_text_add(text, "  gaps        %zu KiB between objects returned in all, the same perhaps several times\n",
              gc_heap.gaps_bytes / GC_KIB);
  gc_text_add(text, "  huge pages  %s\n", huge_pages());
  gc_text_add(text, "  live        %zu KiB after the last collection, which reclaimed %zu KiB\n",
              gc_heap.live_bytes / GC_KIB, gc_heap.reclaimed_bytes / GC_KIB);
  gc_text_add(text, "  allocated   %zu KiB since, %zu KiB of it freed by the program; %zu KiB before\n",
              gc_census_allocated_bytes(census) / GC_KIB, gc_census_freed_bytes(census) / GC_KIB,
              gc_heap.allocated_before_bytes / GC_KIB);
  gc_text_add(text, "  budget      %zu KiB between collections%s\n", gc_cycle_stats.budget_bytes / GC_KIB,
              gc_tunables.lean ? ", lean" : "");
}

static void
add_references(struct gc_text *text) {
  gc_text_add(text, "references\n  finalizers  %zu and cleaners registered, %zu ready\n",
              gc_finalizers_count(), gc_atomic_load_relaxed(&gc_queues_own()->ready.count));
  gc_text_add(text, "  links       %zu, %zu long, %zu soft; %zu ephemerons\n",
              gc_links_count(GC_LINK_ORDINARY), gc_links_count(GC_LINK_LONG), gc_links_count(GC_LINK_SOFT),
              gc_ephemerons_count());
}

static unsigned long
us(uint64_t ns) {
  return (unsigned long)(ns / 1000);
}

static void
add_collections(struct gc_text *text) {
  const char *reason = gc_writes_reason();
  gc_text_add(text, "collections\n  finished    %zu, called off %zu, disabled %d times\n",
              (size_t)GC_READ(GC_gc_no), gc_cycle_stats.called_off, GC_READ(GC_dont_gc));
  gc_text_add(text, "  mode        %s\n", gc_mode_name(gc_mode_wanted()));
  gc_text_add(text, "  writes      %s%s%s\n", gc_mode_tracking_name(), reason[0] ? ": " : "", reason);
}

static void
add_phases(struct gc_text *text, const struct gc_pause_totals *totals) {
  gc_text_add(text, "  %-11s", "");
  for (unsigned phase = 0; phase < GC_PAUSE_PHASES; phase++)
    gc_text_add(text, "%s %s %lu", phase ? "," : "", gc_pause_phase_name(phase), us(totals->phase_ns[phase]));
  gc_text_add(text, "\n");
}

static void
add_pauses_of(struct gc_text *text, enum gc_pause_kind kind) {
  const struct gc_pause_totals *totals = gc_pauses_of(kind);
  const struct gc_histogram *lengths = &totals->lengths;
  if (lengths->count == 0)
    return;
  gc_text_add(text, "  %-11s %lu, p50 %lu, p90 %lu, p99 %lu, longest %lu, in all %lu",
              gc_pause_kind_name(kind), (unsigned long)lengths->count,
              us(gc_histogram_percentile(lengths, 50)), us(gc_histogram_percentile(lengths, 90)),
              us(gc_histogram_percentile(lengths, 99)), us(lengths->max_ns), us(lengths->total_ns));
  gc_text_add(text, "; called off %lu\n", (unsigned long)totals->called_off);
  add_phases(text, totals);
}

static void
add_pauses(struct gc_text *text) {
  gc_text_add(text, "pauses in us, and what they were spent on\n");
  for (unsigned kind = 0; kind <= GC_PAUSE_KINDS; kind++)
    add_pauses_of(text, kind);
}

const char *
gc_kind_name(unsigned kind) {
  static const char *const names[GC_KIND_DESCRIBED] = {
      [GC_KIND_ATOMIC] = "pointer-free",
      [GC_KIND_NORMAL] = "normal",
      [GC_KIND_UNCOLLECTABLE] = "uncollectable",
      [GC_KIND_ATOMIC_UNCOLLECTABLE] = "uncollectable, pointer-free",
      [GC_KIND_EXACT] = "normal, filling its slot",
  };
  return gc_kind_is_described(kind) ? "with a descriptor" : names[kind];
}

static void
add_class(struct gc_text *text, const struct gc_census *census, unsigned kind, unsigned class) {
  const struct gc_census_class *counts = &census->classes[kind][class];
  if (counts->pages == 0)
    return;
  size_t free_slots = counts->slots - gc_min(counts->slots, counts->live_slots + counts->new_slots);
  gc_text_add(text, "  %-28s %10u %8zu %10zu %8zu %8zu %8zu\n", gc_kind_name(kind),
              gc_classes[class].slot_bytes, counts->pages, counts->slots,
              percent(counts->live_slots, counts->slots), percent(counts->new_slots, counts->slots),
              percent(free_slots, counts->slots));
}

static void
add_classes(struct gc_text *text, const struct gc_census *census) {
  gc_text_add(
      text,
      "slots (live: survived the last collection; new: allocated since)\n  %-28s %10s %8s %10s %8s %8s %8s\n",
      "kind", "slot bytes", "pages", "slots", "live %", "new %", "free %");
  for (unsigned kind = 0; kind < GC_KINDS; kind++)
    for (unsigned class = 0; class < GC_CLASSES; class ++)
      add_class(text, census, kind, class);
}

static void
add_large(struct gc_text *text, const struct gc_census *census) {
  gc_text_add(text, "large objects\n  %zu in %zu KiB; the largest:\n", census->large_count,
              kib_of_pages(census->large_pages));
  for (unsigned i = 0; i < GC_CENSUS_LARGEST && census->largest[i] != 0; i++) {
    const struct gc_page *hot = &gc_heap.pages[census->largest[i]];
    gc_text_add(text, "  %p %10zu KiB  %s, %s\n", (void *)gc_heap_page_address(census->largest[i]),
                gc_heap.infos[census->largest[i]].object_bytes / GC_KIB, gc_kind_name(hot->kind),
                *gc_heap_slot_bytes(hot->line) == GC_SLOT_NEW ? "new" : "live");
  }
}

static void
add_range(struct gc_text *text, struct gc_range range) {
  gc_text_add(text, "%p to %p, %zu KiB", (const void *)range.base, (const void *)range.limit,
              gc_divide_up(gc_range_bytes(range), GC_KIB));
}

static void
add_roots(struct gc_text *text) {
  const struct gc_range_array *roots = gc_roots_static();
  gc_text_add(
      text,
      "roots\n  %zu KiB searched by the last collection, %zu KiB of it static, in %zu ranges; of these "
      "%zu KiB had not changed, or were not read in a pause:\n",
      gc_cycle_stats.root_bytes / GC_KIB, gc_ranges_bytes(roots, 0) / GC_KIB, roots->count,
      gc_roots_passed_over_bytes() / GC_KIB);
  for (size_t i = 0; i < roots->count; i++) {
    gc_text_add(text, "  ");
    add_range(text, roots->items[i]);
    gc_text_add(text, "\n");
  }
}

static void
add_threads(struct gc_text *text) {
  gc_text_add(text, "threads\n  %zu attached:\n", gc_thread_count());
  for (struct gc_thread *thread = gc_thread_first(); thread; thread = gc_thread_next(thread)) {
    bool blocked = gc_atomic_load_relaxed(&thread->state) == GC_THREAD_BLOCKED;
    gc_text_add(text, "  %-8d %s, stack ", (int)thread->tid, blocked ? "blocked" : "running");
    add_range(text, thread->stack);
    gc_text_add(text, "%s\n", thread == gc_thread_current() ? " (the calling thread)" : "");
  }
  if (gc_fibers_count() > 0)
    gc_text_add(text, "fibers\n  %zu, of which the last collection has not read %zu: they had not changed\n",
                gc_fibers_count(), gc_fibers_passed_over());
}

// ---- All of it -----------------------------------------------------------------------------------------

static GC_STATE struct gc_census census; // [gc_cycle_lock]

static void
compose(struct gc_text *text, const void *unused) {
  (void)unused;
  gc_census_take(&census);
  add_heap(text, &census);
  add_references(text);
  add_collections(text);
  add_pauses(text);
  add_classes(text, &census);
  add_large(text, &census);
  add_roots(text);
  add_threads(text);
}

void
gc_dump(const char *name) {
  struct gc_text text = {0};
  gc_text_add(&text, "loam %s: dump%s%.100s\n", LOAM_VERSION, name ? " " : "", name ? name : "");
  gc_report(&text, compose, NULL);
}

void
gc_dump_address_map(void) {
  struct gc_os_lines lines;
  const char *line;
  if (!gc_os_lines_open(&lines, "/proc/self/maps"))
    return;
  gc_log("address map");
  while ((line = gc_os_lines_next(&lines))) {
    gc_log_text(line, strlen(line));
    gc_log_text("\n", 1);
  }
  gc_os_lines_close(&lines);
}
