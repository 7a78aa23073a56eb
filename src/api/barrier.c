// Telling writes: what a program promises with GC_set_manual_vdb_allowed.
//
// The barrier is in gc.h, compiled into the program, and reads GC_barrier_state, the one variable that the
// library exports.  It is a filter by `bytes` before it is anything else, so that a program that has
// barriers but has promised nothing pays next to nothing.  The table lies behind a pointer to os/writes.h's
// own variable: so it is there, or not, from the very moment when a back end is chosen or given up.  A note
// in the table while another back end is in use, or just before it is cleared, is a page looked at for
// nothing.
//
// Memory order.  The program stores its pointer, then (release) the table's byte.  The collector clears the
// byte, and a fence later reads the object: it sees the pointer, or the byte will be set again.
#include "api/barrier.h"

#include "api/init.h"
#include "gc.h"
#include "heap/heap.h"
#include "os/writes.h"

struct GC_barrier GC_barrier_state = {.table = &gc_written};

_Static_assert(GC_WRITES_SHIFT == 12, "what GC_write_barrier in gc.h shifts by");

void
gc_barrier_init(void) {
  GC_barrier_state.base = gc_heap.base;
}

// With the acquire in GC_write_barrier: who sees the size sees the base.
void
gc_barrier_enable(bool on) {
  size_t bytes = on ? (size_t)gc_heap.reserved_pages << GC_PAGE_SHIFT : 0;
  __atomic_store_n(&GC_barrier_state.bytes, bytes, __ATOMIC_RELEASE);
}

void
GC_note_write(const void *address) {
  GC_write_barrier(address);
}

// The program does not say where in the object it has written.
void
GC_end_stubborn_change(const void *object) {
  if (GC_LIKELY(!GC_barrier_state.bytes || !gc_written))
    return;
  const char *base = GC_base((void *)(uintptr_t)object);
  if (!base)
    return;
  const char *limit = base + GC_size(base);
  for (const char *at = base; at < limit; at += GC_WRITES_BYTES)
    GC_write_barrier(at);
  GC_write_barrier(limit - 1);
}

void
GC_ptr_store_and_dirty(void *place, const void *value) {
  *(const void **)place = value;
  GC_write_barrier(place);
  GC_reachable_here(value);
}

void
GC_change_stubborn(const void *object) {
  (void)object;
}
