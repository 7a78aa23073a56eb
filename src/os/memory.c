// Memory on Linux.  See memory.h for the contract.
#include "os/memory.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/atomic.h"
#include "base/check.h"
#include "base/sanitizer.h"

int gc_os_access = PROT_READ | PROT_WRITE;

static struct gc_atomic obtained_bytes;
static struct gc_atomic calls_until_failure; // 0: none

// Counts one call that may fail; true if the stress switch wants it to.
static bool
must_fail(void) {
  size_t left = gc_atomic_load_relaxed(&calls_until_failure);
  if (GC_LIKELY(left == 0))
    return false;
  return gc_atomic_sub(&calls_until_failure, 1) == 1;
}

void
gc_os_stress_fail(size_t nth) {
  gc_atomic_store_relaxed(&calls_until_failure, nth);
}

size_t
gc_os_obtained_bytes(void) {
  return gc_atomic_load_relaxed(&obtained_bytes);
}

size_t
gc_os_page_bytes(void) {
  static size_t bytes;
  if (GC_UNLIKELY(bytes == 0))
    bytes = (size_t)sysconf(_SC_PAGESIZE);
  return bytes;
}

struct gc_range
gc_os_whole_pages(struct gc_range range) {
  return (struct gc_range){(const char *)gc_round_up((uintptr_t)range.base, gc_os_page_bytes()),
                           (const char *)gc_round_down((uintptr_t)range.limit, gc_os_page_bytes())};
}

// In huge pages, which many systems give to whoever does not mind, the first use of a few bytes would take
// 2 MiB.
static void *
map_anonymous(size_t bytes, int protection, int flags) {
  void *base = mmap(NULL, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
  if (base == MAP_FAILED)
    return NULL;
  gc_os_advise_huge_pages(base, bytes, false);
  return base;
}

void *
gc_os_reserve(size_t bytes, size_t alignment) {
  if (must_fail() || bytes + alignment < bytes)
    return NULL;
  char *base = map_anonymous(bytes + alignment, PROT_NONE, MAP_NORESERVE);
  if (!base)
    return NULL;
  char *aligned = (char *)gc_round_up((uintptr_t)base, alignment);
  size_t before = (size_t)(aligned - base);
  if (before > 0)
    munmap(base, before);
  munmap(aligned + bytes, alignment - before);
  return aligned;
}

void
gc_os_unreserve(void *base, size_t bytes) {
  munmap(base, bytes);
}

bool
gc_os_commit(void *base, size_t bytes) {
  if (must_fail() || mprotect(base, bytes, gc_os_access) != 0)
    return false;
  gc_atomic_add(&obtained_bytes, bytes);
  return true;
}

bool
gc_os_release(void *base, size_t bytes) {
  return madvise(base, bytes, MADV_DONTNEED) == 0;
}

void
gc_os_advise_huge_pages(void *base, size_t bytes, bool wanted) {
  (void)madvise(base, bytes, wanted ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
}

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 // Linux 5.14
#endif

void
gc_os_populate(void *base, size_t bytes) {
  (void)madvise(base, bytes, MADV_POPULATE_WRITE);
}

void *
gc_os_map(size_t bytes) {
  if (must_fail())
    return NULL;
  bytes = gc_round_up(bytes, gc_os_page_bytes());
  void *base = map_anonymous(bytes, PROT_READ | PROT_WRITE, 0);
  if (base)
    gc_atomic_add(&obtained_bytes, bytes);
  return base;
}

void *
gc_os_map_sparse(size_t bytes) {
  if (must_fail())
    return NULL;
  return map_anonymous(gc_round_up(bytes, gc_os_page_bytes()), PROT_READ | PROT_WRITE, MAP_NORESERVE);
}

void
gc_os_unmap_sparse(void *base, size_t bytes) {
  munmap(base, gc_round_up(bytes, gc_os_page_bytes()));
}

void
gc_os_unmap(void *base, size_t bytes) {
  bytes = gc_round_up(bytes, gc_os_page_bytes());
  munmap(base, bytes);
  gc_atomic_sub(&obtained_bytes, bytes);
}

// Linux 6.13's guards split no mapping, of which a process may have 65,530: stacks side by side are one.
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

static bool
guard(void *page) {
  return madvise(page, gc_os_page_bytes(), MADV_GUARD_INSTALL) == 0 ||
         mprotect(page, gc_os_page_bytes(), PROT_NONE) == 0;
}

void *
gc_os_map_stack(size_t bytes) {
  if (must_fail())
    return NULL;
  bytes = gc_round_up(bytes, gc_os_page_bytes()) + gc_os_page_bytes();
  char *base = map_anonymous(bytes, PROT_READ | PROT_WRITE, MAP_NORESERVE | MAP_STACK);
  if (!base)
    return NULL;
  if (guard(base))
    return base + gc_os_page_bytes();
  munmap(base, bytes);
  return NULL;
}

// To unmap the middle of a mapping makes two of it, and there may be too many.
void
gc_os_unmap_stack(void *base, size_t bytes) {
  char *guard_page = (char *)base - gc_os_page_bytes();
  bytes = gc_round_up(bytes, gc_os_page_bytes());
  gc_sanitizer_forget_stack(base, bytes);
  if (munmap(guard_page, bytes + gc_os_page_bytes()) != 0)
    (void)madvise(base, bytes, MADV_DONTNEED);
}

void *
gc_os_remap(void *base, size_t old_bytes, size_t new_bytes) {
  if (must_fail())
    return NULL;
  old_bytes = gc_round_up(old_bytes, gc_os_page_bytes());
  new_bytes = gc_round_up(new_bytes, gc_os_page_bytes());
  void *moved = mremap(base, old_bytes, new_bytes, MREMAP_MAYMOVE);
  if (moved == MAP_FAILED)
    return NULL;
  gc_atomic_add(&obtained_bytes, new_bytes - old_bytes);
  return moved;
}

void *
gc_os_grow(void *items, size_t *capacity, size_t item_bytes) {
  size_t old_bytes = gc_round_up(*capacity * item_bytes, gc_os_page_bytes());
  size_t bytes = old_bytes ? 2 * old_bytes : gc_os_page_bytes();
  void *grown = old_bytes ? gc_os_remap(items, old_bytes, bytes) : gc_os_map(bytes);
  if (grown)
    *capacity = bytes / item_bytes;
  return grown;
}

bool
gc_range_array_push(struct gc_range_array *array, struct gc_range range) {
  if (array->count == array->capacity) {
    struct gc_range *grown = gc_os_grow(array->items, &array->capacity, sizeof *grown);
    if (!grown)
      return false;
    array->items = grown;
  }
  array->items[array->count++] = range;
  return true;
}

void
gc_range_array_clear(struct gc_range_array *array) {
  array->count = 0;
}
