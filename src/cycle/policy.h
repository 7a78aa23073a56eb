// Which kind of cycle comes next, and when: the pacer's rules (pacer.h) applied to the heap as it is, in the
// mode that the user has chosen (mode.h).  Decides; does nothing.  [gc_cycle_lock]
#pragma once

#include "cycle/cycle.h"
#include "cycle/mode.h"
#include "cycle/stopped.h"

enum gc_policy_choice { GC_POLICY_FULL, GC_POLICY_MINOR, GC_POLICY_CONCURRENT };

// Once, before the first cycle.
void gc_policy_init(void);

// May a full cycle be concurrent?
bool gc_policy_has_concurrent(void);

// Should a full cycle in one pause arm what it searches, because minor cycles may follow?
bool gc_policy_wants_arming(void);

// May a minor cycle come next?  Otherwise nobody asks what is written until the next full one.
bool gc_policy_relies_on_writes(void);

// The kind of the next cycle.  Begins to notice writes if the mode and the heap's size want it.
enum gc_policy_choice gc_policy_choose(enum gc_cycle_reason reason);

// How much to allocate until the next cycle; or, while a concurrent one is under way, until allocating
// threads must wait for it.
void gc_policy_set_budget(void);
void gc_policy_set_concurrent_budget(void);

// Do full cycles that are due stop the program because it has been found to get more done that way?
bool gc_policy_prefers_stops(void);

// The program drives cycles by steps: it is not to be stopped for a whole one.
void gc_policy_note_steps(void);

// What a full cycle was like.
struct gc_policy_full {
  uint64_t mark_ns;   // that were spent on marking, by all
  uint64_t cycle_ns;  // from its start to the end of its last pause
  uint64_t ended_ns;  // when that was
  bool concurrent;    // if not, it was one pause
  bool asked_for;     // not due
  bool armed;         // so is what it has searched
  size_t born_bytes;  // during it
  size_t black_bytes; // of these, with the mark
};

// What was found out by a pause; by a full cycle, when all is swept; by a minor one.
void gc_policy_learn(const struct gc_pause *pause, uint64_t mutator_ns);
void gc_policy_after_full(struct gc_policy_full cycle);
void gc_policy_after_minor(const struct gc_stopped *state, size_t allocated_bytes, size_t promoted_bytes);

// A minor cycle was called off: what was written is lost, and minor cycles pause too long.
void gc_policy_give_up_minors(void);

// The mode changes: take note, and stop noticing writes if it needs none.  No cycle is under way.
enum gc_mode gc_policy_set_mode(enum gc_mode mode);
enum gc_mode gc_policy_mode(void); // as set
void gc_policy_set_manual(bool on);

// What was written since the last cycle is not known any more: minor cycles must wait for a full one.
void gc_policy_lose_written(void);

// In a forked child: what was known of writes is lost.
void gc_policy_after_fork_child(void);
