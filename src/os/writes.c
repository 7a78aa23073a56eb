// Choosing a back end, and the table that all of them fill.  See writes.h.
#include "os/writes.h"

#include <string.h>
#include <sys/mman.h>

#include "base/check.h"
#include "base/valgrind.h"
#include "os/memory.h"
#include "os/writes_protect.h"
#include "os/writes_userfault.h"

uint8_t *gc_written;

// All of this: [lock of writes.h].
static struct gc_range heap; // the reservation
static uint8_t *table;       // gc_written, also while no back end is chosen
static size_t table_bytes;
static enum gc_writes_kind kind; // NONE, or open
static const char *reason = "";
static struct gc_writes_counts counts; // `faults` is counted elsewhere

// ---- The back end that needs nothing of the system -----------------------------------------------------

static bool
cards_open(struct gc_range whole, const char **why) {
  (void)whole, (void)why;
  return true;
}

static void
cards_close(void) {
}

static bool
cards_notice(struct gc_range range) {
  (void)range;
  return true;
}

static void
cards_disarm(struct gc_range range) {
  (void)range;
}

static const struct gc_writes_backend cards = {cards_open,   cards_close, cards_notice, cards_notice,
                                               cards_disarm, NULL,        NULL};

static const struct gc_writes_backend *const backends[] = {
    [GC_WRITES_USERFAULT] = &gc_writes_userfault,
    [GC_WRITES_PROTECT] = &gc_writes_protect,
    [GC_WRITES_CARDS] = &cards,
};

// ---- The table -----------------------------------------------------------------------------------------

// Threads may still be noting writes in a table that was given up: it is unmapped only with its reservation.
static bool
reserve_table(size_t heap_bytes) {
  size_t bytes = gc_round_up(gc_divide_up(heap_bytes, GC_WRITES_BYTES), gc_os_page_bytes());
  if (table && table_bytes == bytes)
    return madvise(table, bytes, MADV_DONTNEED) == 0;
  if (table)
    gc_os_unmap_sparse(table, table_bytes);
  table = gc_os_map_sparse(bytes);
  table_bytes = bytes;
  return table != NULL;
}

void
gc_writes_report(struct gc_range range) {
  size_t first = (size_t)(range.base - heap.base) >> GC_WRITES_SHIFT;
  memset(gc_written + first, 1, gc_range_bytes(range) >> GC_WRITES_SHIFT);
  counts.written_pages += gc_range_bytes(range) / gc_os_page_bytes();
}

// ---- Choosing ------------------------------------------------------------------------------------------

static void
give_up(void) {
  if (kind != GC_WRITES_NONE)
    backends[kind]->close();
  kind = GC_WRITES_NONE;
  gc_written = NULL;
}

// Valgrind knows no userfaultfd, and after a fault it goes on with registers that it has not kept up to date.
static bool
is_possible_here(enum gc_writes_kind wanted) {
  return wanted == GC_WRITES_CARDS || !GC_VALGRIND_RUNNING();
}

bool
gc_writes_choose(char *base, size_t bytes, enum gc_writes_kind wanted) {
  give_up();
  reason = "";
  heap = (struct gc_range){base, base + bytes};
  if (wanted == GC_WRITES_NONE)
    return true;
  if (!is_possible_here(wanted))
    reason = "Valgrind cannot follow it";
  else if (!reserve_table(bytes))
    reason = "no memory for the table of writes";
  else if (backends[wanted]->open(heap, &reason))
    kind = wanted, gc_written = table;
  return kind == wanted;
}

void
gc_writes_after_fork_child(void) {
  if (kind != GC_WRITES_NONE)
    gc_writes_choose((char *)(uintptr_t)heap.base, gc_range_bytes(heap), kind);
}

enum gc_writes_kind
gc_writes_kind(void) {
  return kind;
}

const char *
gc_writes_reason(void) {
  return reason;
}

struct gc_writes_counts
gc_writes_counts(void) {
  struct gc_writes_counts now = counts;
  now.faults = gc_writes_protect_faults();
  return now;
}

// ---- Outside the heap ----------------------------------------------------------------------------------

static bool
can_watch(struct gc_range range) {
  return kind == GC_WRITES_USERFAULT && (range.limit <= heap.base || heap.limit <= range.base);
}

bool
gc_writes_watch(struct gc_range range) {
  return can_watch(range) && gc_writes_userfault_watch(range);
}

bool
gc_writes_is_clean(struct gc_range range) {
  return can_watch(range) && gc_writes_userfault_is_clean(range);
}

bool
gc_writes_find_watched(struct gc_range range, struct gc_range_array *found) {
  return can_watch(range) && gc_writes_userfault_find_watched(range, found);
}

void
gc_writes_unwatch(struct gc_range range) {
  if (can_watch(range))
    gc_writes_userfault_unwatch(range);
}

// ---- Noticing ------------------------------------------------------------------------------------------

static void
assert_contract(struct gc_range range) {
  GC_ASSERT(kind != GC_WRITES_NONE);
  GC_ASSERT(heap.base <= range.base && range.base <= range.limit && range.limit <= heap.limit);
  GC_ASSERT((uintptr_t)range.base % GC_WRITES_ARM_BYTES == 0);
  GC_ASSERT((uintptr_t)range.limit % GC_WRITES_ARM_BYTES == 0);
}

bool
gc_writes_arm(struct gc_range range) {
  assert_contract(range);
  return backends[kind]->arm(range);
}

bool
gc_writes_harvest(struct gc_range range) {
  assert_contract(range);
  counts.harvests++;
  bool harvested = backends[kind]->harvest(range);
  if (!harvested)
    gc_writes_report(range);
  return harvested;
}

bool
gc_writes_find(struct gc_range range, struct gc_range_array *found) {
  return kind != GC_WRITES_NONE && backends[kind]->find && backends[kind]->find(range, found);
}

void
gc_writes_note_released(struct gc_range range) {
  if (kind != GC_WRITES_NONE && backends[kind]->note_released)
    backends[kind]->note_released(range);
}

int
gc_writes_pagemap(void) {
  return kind == GC_WRITES_USERFAULT ? gc_writes_userfault_pagemap() : -1;
}

void
gc_writes_disarm(struct gc_range range) {
  assert_contract(range);
  backends[kind]->disarm(range);
}
