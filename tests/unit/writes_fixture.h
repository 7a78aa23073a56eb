// What the tests of noticing writes share: a heap of their own with a back end, and children to die in.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"
#include "os/writes.h"

enum { PAGES = 256, WRITES_PER_PAGE = GC_WRITES_ARM_BYTES / GC_WRITES_BYTES };

#define RESERVED_BYTES GC_GIB
#define COMMITTED_BYTES (PAGES * GC_WRITES_ARM_BYTES)

static char *heap;
static size_t grain; // bytes that are reported together

// ---- A heap with a back end ---------------------------------------------------------------------------

static inline int
reserve(void **state) {
  (void)state;
  heap = gc_os_reserve(RESERVED_BYTES, 2 * GC_MIB);
  return heap && gc_os_commit(heap, COMMITTED_BYTES) ? 0 : -1;
}

static inline int
unreserve(void **state) {
  (void)state;
  assert_true(gc_writes_choose(heap, RESERVED_BYTES, GC_WRITES_NONE));
  assert_null(gc_written);
  gc_os_unreserve(heap, RESERVED_BYTES);
  return 0;
}

// false, and a line that tells why, if the back end cannot be had here.
static inline bool
choose(void **state) {
  enum gc_writes_kind kind = *(enum gc_writes_kind *)*state;
  grain = kind == GC_WRITES_PROTECT ? GC_WRITES_ARM_BYTES : gc_os_page_bytes();
  if (gc_writes_choose(heap, RESERVED_BYTES, kind)) {
    assert_int_equal(gc_writes_kind(), kind);
    assert_string_equal(gc_writes_reason(), "");
    return true;
  }
  assert_int_equal(gc_writes_kind(), GC_WRITES_NONE);
  assert_string_not_equal(gc_writes_reason(), "");
  assert_null(gc_written);
  printf("# skipped: %s\n", gc_writes_reason());
  return false;
}

// Rows of a table within main.
#define WITH(kind, test)                                                     \
  {                                                                          \
#test " (" #kind ")", test, reserve, unreserve, &(enum gc_writes_kind) { \
      GC_WRITES_##kind                                                       \
    }                                                                        \
  }
#define WITH_BOTH(test) WITH(USERFAULT, test), WITH(PROTECT, test)

// ---- Pages --------------------------------------------------------------------------------------------

static inline struct gc_range
pages(size_t first, size_t limit) {
  return (struct gc_range){heap + first * GC_WRITES_ARM_BYTES, heap + limit * GC_WRITES_ARM_BYTES};
}

static inline struct gc_range
everything(void) {
  return pages(0, PAGES);
}

static inline void
write_at(size_t offset) {
  ((volatile char *)heap)[offset]++;
}

static inline void
write_everywhere(void) {
  for (size_t offset = 0; offset < COMMITTED_BYTES; offset += GC_WRITES_BYTES)
    write_at(offset);
}

static inline bool
is_written(size_t offset) {
  return gc_written[offset / GC_WRITES_BYTES] != 0;
}

static inline size_t
count_written(void) {
  size_t count = 0;
  for (size_t offset = 0; offset < COMMITTED_BYTES; offset += GC_WRITES_BYTES)
    count += is_written(offset);
  return count;
}

static inline void
clear_written(void) {
  memset(gc_written, 0, COMMITTED_BYTES / GC_WRITES_BYTES);
}

// Populated and armed.  false if that was refused.
static inline bool
write_and_arm(void) {
  write_everywhere();
  return gc_writes_arm(everything());
}

// Whether a harvest reports this one write and nothing else.
static inline bool
harvest_finds_only(size_t offset) {
  clear_written();
  return gc_writes_harvest(everything()) && is_written(offset) && count_written() == grain / GC_WRITES_BYTES;
}

// ---- Children -----------------------------------------------------------------------------------------

// In a child: end it, and let its exit status say where.
#define CHILD_CHECK(condition)                                                             \
  do {                                                                                     \
    if (!(condition)) {                                                                    \
      fprintf(stderr, "# %s:%d: not so in a child: %s\n", __FILE__, __LINE__, #condition); \
      _exit(1);                                                                            \
    }                                                                                      \
  } while (0)

// What became of a child that ran `body`, as waitpid tells.
static inline int
status_of_child(void (*body)(void)) {
  int status = -1;
  fflush(NULL);
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    body();
    _exit(0);
  }
  assert_int_equal(waitpid(child, &status, 0), child);
  return status;
}
