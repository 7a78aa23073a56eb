// A marker: one thread's part in tracing the heap.
//
// Tri-colour (Dijkstra et al. 1978): white objects bear NEW or the last cycle's mark; grey ones bear this
// cycle's mark and are on a mark stack or in a batch; black ones bear it and have been scanned.  An object
// is marked when a word that refers to it is *found*, so that it is pushed at most once, and only if it may
// contain pointers.  As a rule what is popped, and each slot byte to be tested, is asked for a batch ahead
// (after Cher, Hosking and Vitek 2004; see drain_inl.h): random graphs then mark at about twice the cost of
// independent loads (bench/graphmark).
#pragma once

#include "base/atomic.h"
#include "heap/heap.h"
#include "heap/kinds.h"
#include "mark/drain.h"
#include "mark/filter.h"
#include "mark/stack.h"
#include "os/memory.h"

// What the inner loop reads, copied into registers for the length of a drain.
struct gc_mark_view {
  uintptr_t base;
  size_t bytes; // words in [base, base + bytes) are candidates
  const struct gc_page *pages;
  uint8_t *slot_bytes;
  uint32_t white; // bit b is set if a slot byte of value b is a white object
  uint8_t mark;
  bool all_interior_pointers;
};

enum {
  GC_BATCH_OBJECTS = 64, // objects popped, and scanned, at a time
  GC_BATCH_FEW = 4,      // too few to be worth a batch
  GC_BATCH_MANY = 16,    // enough to be
  GC_PIECE_WORDS = 64,   // long objects are scanned in pieces of 512 bytes
  GC_BATCH_CANDIDATES = GC_BATCH_OBJECTS * GC_PIECE_WORDS,
  GC_MARK_ROOM =
      2 * (GC_BATCH_CANDIDATES + GC_BATCH_OBJECTS) // what one round and the end of the drain can push
};
_Static_assert(GC_MARK_STACK_BYTES_MIN / sizeof(gc_mark_entry) >= 2 * GC_MARK_ROOM,
               "a stack that has no room and cannot grow has GC_MARK_ROOM entries to drop");

// A word that may refer to an object.
struct gc_candidate {
  uint8_t *byte;       // the slot byte
  gc_mark_entry entry; // what is to be pushed if that is white
};

struct gc_mark_batch {
  size_t object_count;
  struct gc_candidate *candidates_end;
  gc_mark_entry objects[GC_BATCH_OBJECTS];
  struct gc_candidate candidates[GC_BATCH_CANDIDATES];
};

// How to drain.  A list, and whatever leaves few objects on the stack, is followed depth first by all of
// them.
enum gc_drain_way {
  GC_DRAIN_BATCHES,     // objects and slot bytes are asked for a batch ahead
  GC_DRAIN_GATHERED,    // likewise, with gathers where there is code for them
  GC_DRAIN_AHEAD,       // objects only
  GC_DRAIN_DEPTH_FIRST, // nothing: one object after the other
  GC_DRAIN_WAYS
};

// Which way is the fastest?  That depends on how the heap is laid out, how much of it is in which cache, and
// how predictable it is: between the slowest and the fastest lie factors of up to twenty.  So now and then
// all are timed, in rounds.
enum { GC_TRIAL_ROUNDS = 7 };

struct gc_mark_trial {
  size_t until;                                  // entries to scan before a way is timed; 0: it is time
  size_t between;                                // entries between the last two trials
  unsigned drains;                               // of this trial; 0: it has not begun
  size_t scanned;                                // entries, of the drain that is being timed
  uint64_t spent_ns;                             // on them
  uint64_t cost[GC_DRAIN_WAYS][GC_TRIAL_ROUNDS]; // ns, in ascending order; UINT64_MAX: not timed
};

struct gc_marker {
  struct gc_mark_stack stack;
  struct gc_mark_view view;
  gc_filter filter;
  gc_drain *drain;
  enum gc_drain_way way;
  struct gc_mark_trial trial;
  bool world_runs;                     // what needs it stopped is put off
  struct gc_mark_batch batches[2];     // of the inner loop; too large for a small stack
  size_t offsets[GC_BATCH_CANDIDATES]; // likewise: the addresses that a batch of objects holds
};

// Objects that were to be scanned while the program ran and must not be: for the pauses of this cycle.
// [written by gc_team_put_off only; read stw or when no guest is there]
extern struct gc_range_array gc_marker_put_off;

// What a set of markers shares; see team.h.
struct gc_team;

// The way in use, unless another is clearly faster.
enum gc_drain_way gc_mark_fastest_way(const struct gc_mark_trial *trial, enum gc_drain_way in_use);

// Take the heap's state for a cycle: the current mark is the black one.  All other objects are white, or in a
// minor cycle the new ones only.  What was on the stack is forgotten.  [stw]
void gc_marker_begin(struct gc_marker *marker, bool minor);

// Take part in what another marker does, whose view this is.
void gc_marker_join(struct gc_marker *marker, struct gc_mark_view view);

// Words up to the frontier as it is now are candidates.  [gc_lock]
void gc_marker_look_at_all(struct gc_marker *marker);

// Mark what the words of a root range refer to; a word on a slot's start also marks the slot before it,
// which it may point just past.
void gc_marker_scan_root(struct gc_marker *marker, struct gc_range range);

// The same for a copy of a part of one, while the world runs.  [gc_lock]
void gc_marker_scan_root_copy(struct gc_marker *marker, struct gc_range copy);

// Push what lies in `range`, a part of one page, of objects that bear the current mark, to be scanned (again)
// since the program wrote there.
void gc_marker_push_marked(struct gc_marker *marker, struct gc_range range);

// Mark and push what the words of an object, given by an address in it, refer to; with `ignore_self` not what
// refers to the object itself. When marking is at its end; by one marker alone.
void gc_marker_scan_object(struct gc_marker *marker, const void *object, bool ignore_self);

// Mark an object and push it.
void gc_marker_mark_object(struct gc_marker *marker, const void *object);

// Let a function of the program say what else is to be marked, as mark procedures do.  false: nothing that
// was white.  [stw]
bool gc_marker_ask(struct gc_marker *marker, gc_mark_stack_empty *function);

// Push what had to be put off.  [stw]
void gc_marker_push_put_off(struct gc_marker *marker);

// Scan what has been pushed, and what that leads to, until nothing is left, sharing with the team (which
// may be NULL) when others are hungry. Returns early, with work left, when the team's cycle has been called
// off.
void gc_marker_drain(struct gc_marker *marker, struct gc_team *team);

// The same, alone, telling of each object that is newly marked.  It stops telling when the stack overflows.
void gc_marker_drain_watched(struct gc_marker *marker, void (*found)(uintptr_t object));

// The same while the world runs, some hundred objects.  false if nothing is left.
bool gc_marker_drain_a_little(struct gc_marker *marker);

// The same, alone, until the clock says `deadline_ns`.
bool gc_marker_drain_until(struct gc_marker *marker, uint64_t deadline_ns);

// After an overflow: scan marked objects of [page, ...) again.  Drains as it goes.
void gc_marker_rescan(struct gc_marker *marker);
