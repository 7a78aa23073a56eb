// gc_mark.h and gc_inline.h: for those who look inside.
#include <string.h>

#include "api/init.h"
#include "base/check.h" // its GC_ASSERT comes before the header's
#include "compat/kinds.h"
#define GC_TINY_FREELISTS 25 // or the header would compute it from its own GC_GRANULE_BYTES
#include "compat/include/gc/gc_inline.h"
#include "compat/include/gc/gc_mark.h"
#include "heap/heap.h"
#include "observe/dump.h"
#include "world/roots.h"

size_t
GC_get_hblk_size(void) {
  return GC_PAGE_BYTES;
}

int
GC_get_dont_add_byte_at_end(void) {
  return 1;
}

int
GC_is_tmp_root(void *address) {
  gc_init_ensure();
  return gc_roots_has_segment_at(address);
}

void
GC_print_free_list(int kind, size_t granules) {
  unsigned kinds = 0;
  gc_init_ensure();
  for (unsigned ours = 0; ours < GC_KINDS; ours++)
    kinds |= (unsigned)(gc_compat_number(ours) == kind) << ours;
  gc_dump_free(kinds, granules < GC_CLASS_BYTES_MAX ? granules * GC_GRANULE_BYTES : GC_CLASS_BYTES_MAX + 1);
}

enum { CLEARED_WORDS = 512 }; // 4 KiB: more than most frames, and little of the smallest stacks

// In a frame of its own, below the caller's.  The sanitizers would put it elsewhere.
GC_NO_SANITIZE static __attribute__((noinline)) void
clear_below(void) {
  GC_word words[CLEARED_WORDS];
  memset(words, 0, sizeof words);
  __asm__ volatile("" : : "r"(words) : "memory");
}

void *
GC_clear_stack(void *argument) {
  clear_below();
  return argument;
}
