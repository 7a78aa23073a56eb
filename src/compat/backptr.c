// gc_backptr.h.
#include "compat/include/gc/gc_backptr.h"

#include "api/init.h"
#include "base/atomic.h"
#include "base/check.h"
#include "debug/search.h"

enum { STEPS_MAX = 100 };

// ---- Who refers to it ----------------------------------------------------------------------------------

// The caller's frames, and what they have in registers, are its own; ours are below.
#define SEARCH(hidden, object, steps, capacity) \
  gc_search(hidden, __builtin_frame_address(0), object, steps, capacity)

static GC_ref_kind
kind_of(enum gc_search_source source) {
  static const GC_ref_kind kinds[] = {
      [GC_SEARCH_NO_OBJECT] = GC_NO_SPACE,
      [GC_SEARCH_FROM_NOWHERE] = GC_UNREFERENCED,
      [GC_SEARCH_FROM_ROOT] = GC_REFD_FROM_ROOT,
      [GC_SEARCH_FROM_REGISTER] = GC_REFD_FROM_REG,
      [GC_SEARCH_FROM_FINALIZER] = GC_FINALIZER_REFD,
      [GC_SEARCH_FROM_OBJECT] = GC_REFD_FROM_HEAP,
  };
  return kinds[source];
}

static void *
address_of(const char *place) {
  return (void *)(uintptr_t)place;
}

GC_ref_kind
GC_get_back_ptr_info(void *address, void **base, size_t *offset) {
  GC_hidden_pointer hidden = GC_HIDE_POINTER(address);
  struct gc_description object;
  struct gc_search_step step;
  GC_init();
  SEARCH(hidden, &object, &step, 1);
  if (step.source == GC_SEARCH_FROM_ROOT) {
    *base = address_of(step.at);
    *offset = 0;
  } else if (step.source == GC_SEARCH_FROM_OBJECT) {
    *base = address_of(step.referrer.object);
    *offset = (size_t)(step.at - step.referrer.object);
  }
  return kind_of(step.source);
}

// ---- Printing ------------------------------------------------------------------------------------------

static void
print_step(const struct gc_search_step *step) {
  char text[GC_DESCRIPTION_BYTES];
  switch (step->source) {
  case GC_SEARCH_NO_OBJECT:
    gc_log("no object");
    break;
  case GC_SEARCH_FROM_NOWHERE:
    gc_log("  nothing refers to that");
    break;
  case GC_SEARCH_FROM_ROOT:
    gc_log("  from the root at %p", (const void *)step->at);
    break;
  case GC_SEARCH_FROM_REGISTER:
    gc_log("  from a register of this thread");
    break;
  case GC_SEARCH_FROM_FINALIZER:
    gc_log("  it waits for its finalizer");
    break;
  case GC_SEARCH_FROM_OBJECT:
    gc_log("  from offset %zd in %s", step->at - step->referrer.object,
           gc_description_print(&step->referrer, text));
    break;
  }
}

void
GC_print_backtrace(void *address) {
  GC_hidden_pointer hidden = GC_HIDE_POINTER(address);
  struct gc_search_step steps[STEPS_MAX] = {0}; // lest stale words be taken for registers
  struct gc_description object;
  char text[GC_DESCRIPTION_BYTES];
  GC_init();
  size_t count = SEARCH(hidden, &object, steps, STEPS_MAX);
  if (steps[0].source != GC_SEARCH_NO_OBJECT)
    gc_log("%s is reached", gc_description_print(&object, text));
  for (size_t i = 0; i < count && i < STEPS_MAX; i++)
    print_step(&steps[i]);
  if (count > STEPS_MAX)
    gc_log("  and so on, %zu steps more", count - STEPS_MAX);
}

// ---- By chance -----------------------------------------------------------------------------------------

// SplitMix64 (Steele, Lea and Flood 2014): a counter, scrambled.
static uint64_t
next_random(void) {
  static struct gc_atomic counter;
  uint64_t value = gc_atomic_add(&counter, 1) * UINT64_C(0x9E3779B97F4A7C15);
  value = (value ^ value >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
  value = (value ^ value >> 27) * UINT64_C(0x94D049BB133111EB);
  return value ^ value >> 31;
}

// Page 0 is unused.
static size_t
heap_bytes(void) {
  return (size_t)(gc_heap.frontier - 1) << GC_PAGE_SHIFT;
}

void *
GC_generate_random_heap_address(void) {
  GC_init();
  size_t bytes = gc_max(heap_bytes(), 1);
  return gc_heap_page_address(1) + next_random() % bytes;
}

static bool
lies_in_marked(const void *address) {
  struct gc_ref ref = gc_heap_resolve(address);
  return ref.start && *ref.byte == gc_heap.mark;
}

// From an address by chance to the next that will do.
void *
GC_generate_random_valid_address(void) {
  char *address = GC_generate_random_heap_address();
  for (size_t bytes = heap_bytes(), passed = 0; passed < bytes; passed += GC_GRANULE_BYTES) {
    if (lies_in_marked(address))
      return address;
    address += GC_GRANULE_BYTES;
    if (address >= gc_heap_page_address(1) + bytes)
      address -= bytes;
  }
  return NULL;
}

void
GC_generate_random_backtrace(void) {
  GC_gcollect();
  void *address = GC_generate_random_valid_address();
  if (address)
    GC_print_backtrace(address);
  else
    gc_log("there is no object that the last collection found reachable");
}
