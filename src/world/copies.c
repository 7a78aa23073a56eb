// Copies, in blocks that are kept from collection to collection and never move.
#include "world/copies.h"

#include "os/probe.h"

enum { BLOCK_BYTES = 64 * 1024 };

// [stw]
static struct gc_range_array blocks;
static size_t current;    // block
static size_t used_bytes; // of it

void
gc_copies_reset_stw(void) {
  current = used_bytes = 0;
}

static bool
add_block(size_t bytes) {
  bytes = gc_max(gc_round_up(bytes, gc_os_page_bytes()), BLOCK_BYTES);
  char *block = gc_os_map(bytes);
  if (!block)
    return false;
  if (gc_range_array_push(&blocks, (struct gc_range){block, block + bytes}))
    return true;
  gc_os_unmap(block, bytes);
  return false;
}

// Room for `bytes` bytes, or NULL.
static char *
find_room(size_t bytes) {
  while (current < blocks.count && gc_range_bytes(blocks.items[current]) - used_bytes < bytes) {
    current++;
    used_bytes = 0;
  }
  if (current == blocks.count && !add_block(bytes))
    return NULL;
  return (char *)(uintptr_t)blocks.items[current].base + used_bytes;
}

bool
gc_copies_push_stw(struct gc_range range, bool backwards, struct gc_range_array *roots) {
  char *copy = find_room(gc_range_bytes(range));
  if (!copy)
    return false;
  size_t bytes = gc_round_down(gc_os_copy_readable(range, backwards, copy), GC_WORD_BYTES);
  used_bytes += bytes;
  return bytes == 0 || gc_range_array_push(roots, (struct gc_range){copy, copy + bytes});
}
