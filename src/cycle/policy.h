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

// What was found out by a pause; by a full cycle, when all is swept, concurrent if objects were born during
// it, `black_bytes` of them with the mark, and with what it has searched `armed` or not; by a minor one.
void gc_policy_learn(const struct gc_pause *pause, uint64_t mutator_ns);
void gc_policy_after_full(uint64_t mark_ns, size_t born_bytes, size_t black_bytes, bool armed);
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
