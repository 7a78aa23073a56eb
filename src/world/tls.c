// Where a thread keeps what is its own.
//
// A stopped thread may be in the middle of changing its vector of TLS blocks; glibc does so without a lock,
// in steps that are harmless here:
//   a new block      is entered before the thread can have stored into it
//   a stale block    of an unloaded module is freed before its entry goes, and its entry may stay for long,
//                    its number reused by a module with a larger block: so it is doubtful
//   a larger vector  comes from realloc, whose old memory keeps all but its first 16 bytes: the capacity then
//                    is nonsense, the entries are taken up to the number of modules, and all are doubtful
// A BLOCKED thread may do any of it meanwhile: its blocks are doubtful, too.  What is doubtful is not
// searched but copied, as far as it can be read, and the copy is searched.
//
// The initial thread's static TLS ends nobody knows where: beyond the blocks that the vector knows there may
// be those of libraries that came with dlopen and reach them by a fixed offset, which need no entry.  That
// part is copied when a module has no entry.
#include "world/tls.h"

#include "os/images.h"
#include "os/probe.h"
#include "os/tls.h"
#include "world/copies.h"

// No program has so many modules: a larger capacity is nonsense.
enum { CAPACITY_MAX = 1 << 20 };

static ptrdiff_t specifics_offset; // of the table of specific blocks from the thread pointer; 0: unknown
static bool can_copy;

void
gc_tls_init(void) {
  specifics_offset = gc_os_tls_find_specifics();
  can_copy = gc_os_can_copy();
}

bool
gc_tls_is_incomplete(void) {
  return !gc_images.tls_layout_fits;
}

// ---- Static TLS ----------------------------------------------------------------------------------------

static bool
is_static(struct gc_tls_entry entry) {
  return entry.block && entry.block != GC_TLS_UNALLOCATED && !entry.to_free;
}

static GC_NO_SANITIZE size_t
capacity_of(const struct gc_tls_entry *vector) {
  return (uintptr_t)vector[-1].block;
}

// How far the static blocks that the vector knows reach from the thread pointer.  *all: it knows all
// modules'.
static GC_NO_SANITIZE size_t
static_bytes(const char *thread_pointer, bool *all) {
  const struct gc_tls_entry *vector = gc_os_tls_vector(thread_pointer);
  size_t bytes = 0;
  for (size_t i = 1; i <= gc_images.tls_modules && i <= capacity_of(vector); i++) {
    if (!gc_images.tls_bytes[i])
      continue;
    if (is_static(vector[i]))
      bytes = gc_max(bytes, gc_os_tls_static_bytes(thread_pointer, vector[i].block, gc_images.tls_bytes[i]));
    *all &= vector[i].block != GC_TLS_UNALLOCATED;
  }
  *all &= gc_images.tls_modules <= capacity_of(vector);
  return bytes;
}

static bool
push_initial_block(const char *thread_pointer, struct gc_range_array *roots) {
  bool all = gc_images.tls_layout_fits;
  size_t bytes = gc_images.tls_layout_fits ? static_bytes(thread_pointer, &all) : 0;
  struct gc_range surplus = gc_os_tls_surplus(thread_pointer, bytes);
  return gc_range_array_push(roots, gc_os_tls_block(thread_pointer, bytes)) &&
         (all || gc_copies_push_stw(surplus, gc_os_tls_surplus_is_below(), roots));
}

static bool
push_static_block(const struct gc_thread *thread, struct gc_range_array *roots) {
  switch (thread->tls_place) {
  case GC_TLS_IN_STACK:
    return true;
  case GC_TLS_IN_OTHER_STACK:
    return gc_range_array_push(roots, thread->tls_block);
  default:
    return push_initial_block(thread->thread_pointer, roots);
  }
}

// ---- Blocks from malloc --------------------------------------------------------------------------------

static bool
push_block(const char *block, size_t bytes, bool doubtful, struct gc_range_array *roots) {
  const char *base = (const char *)gc_round_up((uintptr_t)block, GC_WORD_BYTES);
  const char *limit = (const char *)gc_round_down((uintptr_t)block + bytes, GC_WORD_BYTES);
  struct gc_range range = {base, limit};
  if (base >= limit)
    return true;
  return doubtful && can_copy ? gc_copies_push_stw(range, false, roots) : gc_range_array_push(roots, range);
}

static GC_NO_SANITIZE bool
push_dynamic_blocks(const struct gc_thread *thread, bool doubtful, struct gc_range_array *roots) {
  const struct gc_tls_entry *vector = gc_os_tls_vector(thread->thread_pointer);
  size_t capacity = capacity_of(vector);
  doubtful |= capacity > CAPACITY_MAX;
  for (size_t i = 1; i <= gc_images.tls_modules && i <= capacity; i++) {
    struct gc_tls_entry entry = vector[i];
    bool allocated = entry.to_free && entry.block != GC_TLS_UNALLOCATED;
    if (gc_images.tls_bytes[i] && allocated &&
        !push_block(entry.block, gc_images.tls_bytes[i], doubtful, roots))
      return false;
  }
  return true;
}

// The first block is in the descriptor, and with it in the stack if that is there.
static GC_NO_SANITIZE bool
push_specific_blocks(const struct gc_thread *thread, bool doubtful, struct gc_range_array *roots) {
  const char *const *table = (const char *const *)(thread->thread_pointer + specifics_offset);
  for (size_t i = thread->tls_place == GC_TLS_IN_STACK; i < GC_TLS_SPECIFIC_BLOCKS; i++)
    if (table[i] && !push_block(table[i], GC_TLS_SPECIFIC_BLOCK_BYTES, doubtful, roots))
      return false;
  return true;
}

bool
gc_tls_push_stw(const struct gc_thread *thread, struct gc_range_array *roots) {
  bool blocked = gc_atomic_load_relaxed(&thread->state) == GC_THREAD_BLOCKED;
  if (!push_static_block(thread, roots))
    return false;
  if (specifics_offset && !push_specific_blocks(thread, blocked, roots))
    return false;
  return !gc_images.tls_layout_fits ||
         push_dynamic_blocks(thread, blocked || gc_images.tls_numbers_reused, roots);
}
