// A thread's allocation cache: for each kind and size class the run of free slots that it is filling.
//
//   slots of a page:  | live | live |######|######|      |      | live | free | ...
//                                   ^start        ^cursor       ^run_limit
//                                                      ^limit: cleared up to here
//
// All of a run's slots become NEW when the run is handed out, so the fast path touches no metadata.  Runs
// outlive collections: a collection marks what lies in [cursor, run_limit) without scanning it
// (gc_cache_shield_stw).  That is what makes the fast path safe against being stopped anywhere: the slot at
// `cursor`, which the stopped thread may have loaded and not yet taken, stays its own. Everything else
// about a cache changes only between gc_cache_enter and gc_cache_leave (or under gc_lock), where a stop is
// put off.
#pragma once

#include "base/types.h"
#include "heap/classes.h"

struct gc_run {
  char *cursor;    // the next slot; == limit when there is none [first two: also gc.h's GC_run]
  char *limit;     // end of the slots that are ready for use (cleared, unless the kind is pointer-free)
  char *run_limit; // end of the run; limit <= run_limit
  void *
      freed; // slots that GC_free gave to this thread, linked through their first words; their bytes are HELD
  uint32_t page;       // first page of the span that the run belongs to, which this cache owns; 0 for none
  uint16_t slot_bytes; // for classes up to GC_LOOKUP_BYTES_MAX
  uint16_t next_slot : 15; // where in it to look for the next run
  uint16_t fresh : 1;      // the span's memory is known to be zero from next_slot on
};

enum { GC_RUN_WORDS = (GC_KINDS * GC_CLASSES + 63) / 64 };

struct gc_cache {
  struct gc_run runs[GC_KINDS][GC_CLASSES]; // first; [owner]
  uint64_t used[GC_RUN_WORDS];              // which runs were ever used, as bits [owner]
  size_t allocated_bytes;    // handed out since last added to the heap's count [owner; read racily]
  size_t freed_bytes;        // likewise, given to GC_free
  volatile int busy;         // between enter and leave [owner; read by its own signal handler]
  volatile int stop_pending; // a stop was put off [own signal handler]
};

_Static_assert(sizeof(struct gc_run) == 40, "runs are addressed by 16-bit offsets");
_Static_assert(sizeof(struct gc_run) * GC_KINDS * GC_CLASSES < UINT16_MAX,
               "runs are addressed by 16-bit offsets");

// Programs compile this into themselves: whatever is changed here gets a new symbol, both there and below.
_Static_assert(offsetof(struct gc_cache, runs) == 0 && sizeof(struct gc_run) == 40 && GC_CLASSES == 88 &&
                   GC_KIND_ATOMIC == 0 && GC_KIND_NORMAL == 1 && GC_KIND_EXACT == 4 &&
                   GC_LINEAR_CLASSES * GC_GRANULE_BYTES == 256,
               "the layout that gc.h has");

// The calling thread's cache, or NULL before it is attached.  One word of initial-exec TLS, so that the
// library can be dlopened.
#define GC_CACHE_CURRENT_ATTRIBUTES \
  __asm__("GC_runs_1") __attribute__((tls_model("initial-exec"), visibility("default")))
extern __thread struct gc_cache *gc_cache_current GC_CACHE_CURRENT_ATTRIBUTES;

// What a thread does on leaving when a stop was put off; set once by world/.
extern void (*gc_cache_stop_now)(void);

// How far ahead of use a run is cleared.  Small enough to stay in the first-level cache; 0 (a stress
// setting) means slot by slot.
#define GC_CACHE_WINDOW_BYTES (4 * GC_KIB)
extern size_t gc_cache_window_bytes;

static inline void
gc_cache_enter(struct gc_cache *cache) {
  cache->busy = 1;
  __asm__ volatile("" ::: "memory");
}

static inline void
gc_cache_leave(struct gc_cache *cache) {
  __asm__ volatile("" ::: "memory");
  cache->busy = 0;
  __asm__ volatile("" ::: "memory");
  if (GC_UNLIKELY(cache->stop_pending))
    gc_cache_stop_now();
}

// The run that a request of `bytes` <= GC_LOOKUP_BYTES_MAX bytes takes from: the offset in a cache, in bytes.
extern uint16_t gc_cache_normal_run[GC_LOOKUP_BYTES_MAX + 1]; // kind NORMAL or EXACT, by bytes
extern uint16_t
    gc_cache_run[GC_LOOKUP_BYTES_MAX / GC_GRANULE_BYTES + 1]; // within one kind, by granules, rounded up

void gc_cache_init(void);

// The next slot from the run at hand: the fast path.  With what leads to it 17 instructions and three
// branches on x86-64; guarded by bench/sizes.  NULL when the run is exhausted.
GC_INLINE void *
gc_cache_bump(struct gc_cache *cache, size_t run_offset) {
  struct gc_run *run = (struct gc_run *)(void *)((char *)cache + run_offset);
  char *slot = run->cursor;
  if (GC_UNLIKELY(slot == run->limit))
    return NULL;
  run->cursor = slot + run->slot_bytes;
  __asm__ volatile("" : "+r"(slot) : : "memory"); // it is an object before anything is stored in it
  if (!slot)
    __builtin_unreachable(); // or the caller would test for NULL once more
  return slot;
}

// As gc_cache_bump's offset, for one kind.
GC_INLINE size_t
gc_cache_run_of(size_t bytes, unsigned kind) {
  size_t granules = (bytes + GC_GRANULE_BYTES - 1) >> GC_GRANULE_SHIFT;
  return kind * sizeof(((struct gc_cache *)0)->runs[0]) + gc_cache_run[granules];
}

// The next slot from what the cache owns: more of the run, a slot freed by this thread, the next run of the
// page.  NULL when it needs another page.
void *gc_cache_next(struct gc_cache *cache, unsigned kind, unsigned class);

// Up to `most` such slots at once, of a class up to GC_LOOKUP_BYTES_MAX and a kind without descriptors,
// linked through their first words in front of *list, which leads to all of them whenever the thread can be
// stopped.  Returns how many: fewer when it needs another page.
size_t gc_cache_chain(struct gc_cache *cache, unsigned kind, unsigned class, size_t most,
                      void *volatile *list);

// Give the cache another page to allocate in.  false if there is none.  [gc_lock]
bool gc_cache_take_page(struct gc_cache *cache, unsigned kind, unsigned class);

// Take the slot of an object, which the caller has checked, to give it out again.
struct gc_ref;
void gc_cache_free(struct gc_cache *cache, struct gc_ref ref);

// Around marking and sweeping, in a stopped world: shield holds every unused slot of the cache's runs;
// unshield makes them what objects are born as.  Returns the bytes shielded, which are no objects.
size_t gc_cache_shield_stw(struct gc_cache *cache);
void gc_cache_unshield_stw(struct gc_cache *cache);

// Before the held value changes, which lets the sweep free them: forget the freed slots.
void gc_cache_forget_freed_stw(struct gc_cache *cache);

// Before a sweep: go on at the start of each page that the cache owns, or give the page up, so that a class
// of which little is allocated uses the same few slots again and again, and no other memory.  Where nothing
// was allocated since the last time the cache is idle.  [gc_lock]
void gc_cache_restart_stw(struct gc_cache *cache);

// Instead: go on where it is.  Caches that have allocated are idle no more.  [gc_lock]
void gc_cache_go_on_stw(struct gc_cache *cache);

// After the sweep has begun: sweep the pages that the cache owns, which are young again.  [gc_lock]
void gc_cache_sweep_owned_stw(struct gc_cache *cache);

// Give everything back to the heap.  The cache is as new.  If it is busy its owner is gone in the middle of
// something: then only what changes under gc_lock can be relied on.  [gc_lock]
void gc_cache_give_back(struct gc_cache *cache);

// Add the cache's counts to the heap's.  [gc_lock]
void gc_cache_flush_counts(struct gc_cache *cache);

// Bytes of the runs that are handed out and not yet allocated. [owner]
size_t gc_cache_unused_bytes(const struct gc_cache *cache);

// Whether a slot of the span that begins at `page` lies in the cache's run there, handed out to the cache
// and not yet allocated.  The cache may be NULL.
bool gc_cache_has_unused(const struct gc_cache *cache, const char *slot, uint32_t page);
