// What the collector tells the model of references: callbacks note what happens and judge nothing, since they
// come at any time, in any thread.
#pragma once

#include <pthread.h>

#include "reference_nodes.h"

enum { NOTES_MAX = 4096 };

// Objects whose finalizers have become ready, in the order of the decisions.  [stw]
static struct {
  uintptr_t hidden[NOTES_MAX];
  volatile unsigned count;
} decided;

// A finalizer or a cleaner that was called, and with what.
struct call {
  GC_finalization_proc function; // NULL: a cleaner
  void *inside;                  // the object
  void *data;
  uint32_t node; // of those that were taken: what the model makes of it
  struct datum datum;
};

// Nothing else keeps what they were given.
static struct {
  pthread_mutex_t mutex;
  struct call calls[NOTES_MAX];
  volatile unsigned count;
  unsigned taken; // the first ones, that the model knows of
  volatile unsigned long total;
} called = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static volatile unsigned long notified[QUEUES], warned;

static void
note_decision(void *object) {
  MODEL_CHECK(decided.count < NOTES_MAX, "too many finalizers become ready");
  decided.hidden[decided.count++] = ~(uintptr_t)object;
}

// A function of the program's may allocate, collect and call others.
static inline void
be_busy(unsigned long number) {
  for (unsigned i = 0; number % 8 == 0 && i < 20; i++)
    GC_reachable_here(GC_malloc(100));
  if (number % 64 == 5)
    GC_gcollect();
  if (number % 32 == 7)
    GC_invoke_finalizers();
}

static inline void
note_call(struct call call) {
  pthread_mutex_lock(&called.mutex);
  unsigned long number = called.total++;
  MODEL_CHECK(called.count < NOTES_MAX, "too many functions are called");
  called.calls[called.count++] = call;
  pthread_mutex_unlock(&called.mutex);
  be_busy(number);
}

static void
finalize_one_way(void *object, void *data) {
  note_call((struct call){.function = finalize_one_way, .inside = (char *)object + 8, .data = data});
}

static void
finalize_another_way(void *object, void *data) {
  note_call((struct call){.function = finalize_another_way, .inside = (char *)object + 8, .data = data});
}

static void
clean(void *data) {
  note_call((struct call){.data = data});
}

// The oldest so many were dealt with.
static inline void
drop_calls(unsigned number) {
  pthread_mutex_lock(&called.mutex);
  called.count -= number;
  called.taken -= number;
  memmove(called.calls, called.calls + number, called.count * sizeof called.calls[0]);
  memset(called.calls + called.count, 0, number * sizeof called.calls[0]);
  pthread_mutex_unlock(&called.mutex);
}

static void
note_notification(GC_finalizer_queue *queue, void *data) {
  unsigned number = (unsigned)(uintptr_t)data;
  if (++notified[number] % 4 == 0)
    GC_finalizer_queue_drain(queue, 1, 0);
}

static void
note_warning(char *format, GC_word argument) {
  (void)format, (void)argument;
  warned++;
}

// The program's decision about a toggle reference is in the object.
static GC_ToggleRefStatus
decide_toggle(void *object) {
  switch ((enum toggle)(((const uintptr_t *)object)[1] & 3)) {
  case UNTOGGLED:
    return GC_TOGGLE_REF_DROP;
  case WEAKLY:
    return GC_TOGGLE_REF_WEAK;
  case STRONGLY:
    return GC_TOGGLE_REF_STRONG;
  }
  MODEL_CHECK(false, "the collector asks about %p, which has no toggle reference", object);
  return GC_TOGGLE_REF_DROP;
}
