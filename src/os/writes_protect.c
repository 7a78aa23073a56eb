// Noticing writes with mprotect and SIGSEGV.
//
// Pages are opened whole, 64 KiB at a time: a sixteenth of the faults, and of the mappings that an armed
// heap with some pages open falls into.
//
//            arm                        a write: the fault's handler
//   FREE ----------> CLOSED <---------------------------------------------------> OPEN
//    ^                                    harvest: reported                         |
//    +------------------------------------- disarm --------------------------------+
//
// Every edge leads through BUSY: who has made a page BUSY, by compare and swap, and nobody else, changes its
// protection and then gives it the new state.  So:
//
//   shut       CLOSED pages cannot be written
//   owned      the protection of a page changes only while it is BUSY
//   uniform    the pages of a run that are made BUSY together were all open, or all closed: undoing a change
//              that was refused half-way needs no more mappings than there were
//
// Why no write is lost.  A harvest looks at a page's state once.  FREE: not armed.  CLOSED: by `shut` no
// write since it was closed has been done, and whatever comes opens the page and is found by a later
// harvest.  OPEN: the page is made BUSY, protected, CLOSED, and reported; mprotect returns when no
// processor can write there any more, so that what was written until then is reported by this harvest, and
// what comes later faults.  BUSY: a handler is opening it and threads may already have written there; it is
// reported, left to its owner, will be OPEN, and is reported again.
//
// A handler never blocks others for long: it runs with all signals blocked, and so does the thread that
// arms, harvests and disarms while it makes pages BUSY; no signal handler can write to a page whose owner
// it interrupts. A fault at an OPEN or FREE page is late: another thread has opened it meanwhile, and the
// write is tried again; only a jump into the heap, or what the program itself has protected, faults on and
// on.
//
// The kernel limits the mappings of a process (vm.max_map_count): where a page cannot be opened for that
// reason, all are, which needs fewer; they are all reported by the next harvest.
//
// A fork may copy a page that a thread has BUSY which does not exist in the child: there the first who
// waits for it settles it.
#include "os/writes_protect.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/atomic.h"
#include "base/check.h"
#include "os/memory.h"
#include "os/signals.h"
#include "os/writes.h"
#include "os/writes_signal.h"

enum page_state { NEVER, FREE, CLOSED, OPEN, BUSY }; // NEVER: as FREE, but not armed before

#define ONE_OF(state) (1u << (state)) // sets of states

static struct gc_range heap;        // [open]
static struct gc_atomic *states;    // one for each page of the heap  [atomic: as drawn above]
static struct gc_atomic used_pages; // pages from here on are NEVER  [atomic: arm -> open_everything, relaxed]
static struct gc_atomic faults;
static struct gc_atomic epoch; // calls that may close pages  [atomic: arm, harvest -> is_late, relaxed]
static pid_t pid;              // whose threads own what is BUSY

// ---- Pages ---------------------------------------------------------------------------------------------

static size_t
page_of(const void *address) {
  return ((uintptr_t)address - (uintptr_t)heap.base) >> GC_WRITES_ARM_SHIFT;
}

static struct gc_range
range_of(size_t first, size_t limit) {
  return (struct gc_range){heap.base + (first << GC_WRITES_ARM_SHIFT),
                           heap.base + (limit << GC_WRITES_ARM_SHIFT)};
}

// The owner's stores before are seen by who finds the new state.
static enum page_state
state_of(size_t page) {
  return (enum page_state)gc_atomic_load_acquire(&states[page]);
}

static bool
own(size_t page, unsigned wanted) {
  enum page_state state = state_of(page);
  return (wanted & ONE_OF(state)) && gc_atomic_compare_and_swap(&states[page], state, BUSY);
}

// Own as many pages from `first` on as are in one of the wanted states.  Gives the limit of those owned.
static size_t
own_run(size_t first, size_t limit, unsigned wanted) {
  size_t page = first;
  while (page < limit && own(page, wanted))
    page++;
  return page;
}

static void
settle(size_t first, size_t limit, enum page_state state) {
  for (size_t page = first; page < limit; page++)
    gc_atomic_store_release(&states[page], state);
}

static bool
protect(size_t first, size_t limit, enum page_state state) {
  struct gc_range range = range_of(first, limit);
  int access = state == CLOSED ? gc_os_access & ~PROT_WRITE : gc_os_access;
  return mprotect((void *)(uintptr_t)range.base, gc_range_bytes(range), access) == 0;
}

// Make owned pages OPEN or CLOSED.  false if that is refused: then they are what they were.
static bool
turn(size_t first, size_t limit, enum page_state wanted) {
  bool done = protect(first, limit, wanted);
  enum page_state other = wanted == OPEN ? CLOSED : OPEN;
  GC_CHECK(done || protect(first, limit, other), "the heap can be neither protected nor opened (error %d)",
           errno);
  settle(first, limit, done ? wanted : other);
  return done;
}

// Turn all pages that are in one of the states `from`, which all are of one protection.  false if some are
// refused; the others are turned nevertheless.
static bool
turn_all(size_t first, size_t limit, unsigned from, enum page_state wanted) {
  bool done = true;
  while (first < limit) {
    size_t end = own_run(first, limit, from);
    if (end > first)
      done &= turn(first, end, wanted);
    first = gc_max(end, first + 1);
  }
  return done;
}

static bool
open_everything(void) {
  return turn_all(0, gc_atomic_load_relaxed(&used_pages), ONE_OF(CLOSED), OPEN);
}

static sigset_t
block_all_signals(void) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  return before;
}

// ---- A fault -------------------------------------------------------------------------------------------

// In a forked child: what other threads were about to do is ours to finish.
static void
adopt_orphans(void) {
  size_t limit = gc_atomic_load_relaxed(&used_pages);
  pid = getpid();
  for (size_t page = 0; page < limit; page++)
    if (state_of(page) == BUSY)
      turn(page, page + 1, OPEN);
}

// A page is BUSY for the time of a system call.  Returning too early does no harm: the fault comes again.
static void
wait_for_owner(size_t page) {
  enum { SPINS = 200 };
  const struct timespec moment = {0, 1000};
  if (pid != getpid())
    adopt_orphans();
  for (size_t i = 0; i < SPINS && state_of(page) == BUSY; i++)
    gc_cpu_relax();
  if (state_of(page) == BUSY)
    nanosleep(&moment, NULL);
}

// Others that open pages may stand in each other's way for a moment.
static void
open_with_all_others(size_t page) {
  enum { TRIES_MAX = 1000 };
  const struct timespec moment = {0, 1000};
  for (size_t tries = 0; state_of(page) == CLOSED; tries++) {
    GC_CHECK(tries < TRIES_MAX, "the system does not let the heap be written to any more (error %d)", errno);
    if (tries > 0)
      nanosleep(&moment, NULL);
    open_everything();
  }
}

// Whether trying again will do for a page that is open.  In one epoch a page is opened once, and a thread
// late there once or twice.  Offsets, so that no object is kept alive by them.
static bool
is_late(size_t offset) {
  enum { LATE_MAX = 1000 };
  static __thread struct { size_t offset, epoch, count; } last;
  size_t now = gc_atomic_load_relaxed(&epoch);
  if (last.offset != offset || last.epoch != now)
    last.offset = offset, last.epoch = now, last.count = 0;
  return last.count++ < LATE_MAX;
}

// The signals that it blocks are unblocked when the outermost handler returns, if they were not blocked
// before.
static bool
take_fault(const void *address) {
  size_t page = page_of(address);
  if (page >= gc_atomic_load_relaxed(&used_pages) || state_of(page) == NEVER)
    return false;
  block_all_signals();
  gc_atomic_add(&faults, 1);
  if (own(page, ONE_OF(CLOSED))) {
    if (!turn(page, page + 1, OPEN))
      open_with_all_others(page);
    return true;
  }
  if (state_of(page) != BUSY)
    return is_late((size_t)((const char *)address - heap.base));
  wait_for_owner(page);
  return true;
}

size_t
gc_writes_protect_faults(void) {
  return gc_atomic_load_relaxed(&faults);
}

// ---- The contract --------------------------------------------------------------------------------------

static void
disarm_pages(size_t first, size_t limit) {
  if (!turn_all(first, limit, ONE_OF(CLOSED), OPEN))
    open_everything();
  for (size_t page = first; page < limit; page++)
    if (own(page, ONE_OF(OPEN)))
      settle(page, page + 1, FREE);
}

static bool
arm_pages(size_t first, size_t limit) {
  if (gc_atomic_load_relaxed(&used_pages) < limit)
    gc_atomic_store_relaxed(&used_pages, limit);
  if (turn_all(first, limit, ONE_OF(NEVER) | ONE_OF(FREE) | ONE_OF(OPEN), CLOSED))
    return true;
  disarm_pages(first, limit);
  return false;
}

// Report a run of pages that were OPEN, and close it.
static bool
harvest_run(size_t first, size_t end) {
  bool closed = turn(first, end, CLOSED);
  if (closed)
    gc_writes_report(range_of(first, end));
  return closed;
}

// A page that is not BUSY any more when it is looked at again may have been written before, so each is
// looked at once.
static bool
harvest_pages(size_t first, size_t limit) {
  for (size_t page = first, end; page < limit; page = end) {
    enum page_state state = state_of(page);
    end = state == OPEN ? own_run(page, limit, ONE_OF(OPEN)) : page + 1;
    if (state == BUSY)
      gc_writes_report(range_of(page, end));
    if (state == OPEN && !harvest_run(page, end)) {
      disarm_pages(first, limit);
      return false;
    }
  }
  return true;
}

static bool
arm(struct gc_range range) {
  gc_writes_signal_install(take_fault);
  gc_atomic_add(&epoch, 1);
  sigset_t before = block_all_signals();
  bool armed = arm_pages(page_of(range.base), page_of(range.limit));
  gc_os_signal_restore(&before);
  return armed;
}

static bool
harvest(struct gc_range range) {
  gc_writes_signal_install(take_fault);
  gc_atomic_add(&epoch, 1);
  sigset_t before = block_all_signals();
  bool harvested = harvest_pages(page_of(range.base), page_of(range.limit));
  gc_os_signal_restore(&before);
  return harvested;
}

static void
disarm(struct gc_range range) {
  sigset_t before = block_all_signals();
  disarm_pages(page_of(range.base), page_of(range.limit));
  gc_os_signal_restore(&before);
}

// The states of a heap are kept while it is: late faults must be known for what they are.
static bool
open_backend(struct gc_range whole, const char **reason) {
  size_t bytes = gc_range_bytes(whole), table_bytes = (bytes >> GC_WRITES_ARM_SHIFT) * sizeof *states;
  pid = getpid();
  if (states && heap.base == whole.base && heap.limit == whole.limit)
    return true;
  if (states)
    gc_os_unmap_sparse(states, (gc_range_bytes(heap) >> GC_WRITES_ARM_SHIFT) * sizeof *states);
  gc_atomic_store_relaxed(&used_pages, 0);
  heap = whole;
  states = gc_os_map_sparse(table_bytes);
  if (!states)
    *reason = "no memory for the table of pages";
  return states != NULL;
}

static void
close_backend(void) {
  sigset_t before = block_all_signals();
  if (pid != getpid())
    adopt_orphans();
  disarm_pages(0, gc_atomic_load_relaxed(&used_pages));
  gc_os_signal_restore(&before);
}

const struct gc_writes_backend gc_writes_protect = {open_backend, close_backend, arm, harvest,
                                                    disarm,       NULL,          NULL};
