// Where a thread keeps what is its own.
//
// A stopped thread may be in the middle of changing its vector of TLS blocks; glibc does so without a lock,
// in steps that are harmless here:
//   a new block      is entered before the thread can have stored into it
//   a stale block    of an unloaded module is freed before its entry goes, and its entry may stay for long, its
//                    number reused by a module with a larger block: such are asked for page by page
//   a larger vector  comes from realloc, whose old memory keeps all but its first 16 bytes: the capacity then is
//                    nonsense, the entries are taken up to the number of modules, and asked for page by page
// A BLOCKED thread may do any of it meanwhile; its blocks are asked for page by page, too.
#include "world/tls.h"

#include "os/images.h"
#include "os/probe.h"
#include "os/tls.h"

// No program has so many modules: a larger capacity is nonsense.
enum { CAPACITY_MAX = 1 << 20 };

static ptrdiff_t specifics_offset; // of the table of specific blocks from the thread pointer; 0: unknown

void
gc_tls_init(void) {
  specifics_offset = gc_os_tls_find_specifics();
}

bool
gc_tls_is_incomplete(void) {
  return !gc_images.tls_layout_fits;
}

// ---- Static TLS ------------------------------------------------------------------------------------------

static bool
is_static(struct gc_tls_entry entry) {
  return entry.block && entry.block != GC_TLS_UNALLOCATED && !entry.to_free;
}

static GC_NO_SANITIZE size_t
capacity_of(const struct gc_tls_entry *vector) {
  return (uintptr_t)vector[-1].block;
}

// How far the static blocks that the vector knows reach from the thread pointer.
static GC_NO_SANITIZE size_t
static_bytes(const char *thread_pointer) {
  const struct gc_tls_entry *vector = gc_os_tls_vector(thread_pointer);
  size_t bytes = 0;
  for (size_t i = 1; i <= gc_images.tls_modules && i <= capacity_of(vector); i++)
    if (gc_images.tls_bytes[i] && is_static(vector[i]))
      bytes = gc_max(bytes, gc_os_tls_static_bytes(thread_pointer, vector[i].block, gc_images.tls_bytes[i]));
  return bytes;
}

static struct gc_range
ask_for_block(const char *thread_pointer) {
  size_t bytes = gc_images.tls_layout_fits ? static_bytes(thread_pointer) : 0;
  struct gc_range reach = gc_os_tls_reach(thread_pointer, bytes);
  struct gc_range low = gc_os_readable_suffix((struct gc_range){reach.base, thread_pointer});
  struct gc_range high = gc_os_readable_prefix((struct gc_range){thread_pointer, reach.limit});
  return (struct gc_range){low.base, high.limit};
}

// Asked for once per thread: it does not move, and has room for what comes with dlopen.
struct gc_range
gc_tls_current_block(void) {
  static __thread struct gc_range block __attribute__((tls_model("initial-exec")));
  if (!block.base)
    block = ask_for_block(gc_os_thread_pointer());
  return block;
}

// ---- Blocks from malloc ----------------------------------------------------------------------------------

// Searched unless it is empty; `doubtful`: as far as it can be read.
static bool
push_block(const char *block, size_t bytes, bool doubtful, struct gc_range_array *roots) {
  const char *base = (const char *)gc_round_up((uintptr_t)block, GC_WORD_BYTES);
  const char *limit = (const char *)gc_round_down((uintptr_t)block + bytes, GC_WORD_BYTES);
  struct gc_range range = {base, limit};
  if (base >= limit)
    return true;
  if (doubtful)
    range = gc_os_readable_prefix(range);
  return range.base >= range.limit || gc_range_array_push(roots, range);
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

static GC_NO_SANITIZE bool
push_specific_blocks(const struct gc_thread *thread, bool doubtful, struct gc_range_array *roots) {
  const char *const *table = (const char *const *)(thread->thread_pointer + specifics_offset);
  for (size_t i = 1; i < GC_TLS_SPECIFIC_BLOCKS; i++)
    if (table[i] && !push_block(table[i], GC_TLS_SPECIFIC_BLOCK_BYTES, doubtful, roots))
      return false;
  return true;
}

bool
gc_tls_push_stw(const struct gc_thread *thread, struct gc_range_array *roots) {
  bool blocked = gc_atomic_load_relaxed(&thread->state) == GC_THREAD_BLOCKED;
  if (thread->tls_block.base && !gc_range_array_push(roots, thread->tls_block))
    return false;
  if (specifics_offset && !push_specific_blocks(thread, blocked, roots))
    return false;
  return !gc_images.tls_layout_fits ||
         push_dynamic_blocks(thread, blocked || gc_images.tls_numbers_reused, roots);
}
