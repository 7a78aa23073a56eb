// Words that keep alive.  See strong.h.
#include "refs/strong.h"

#include "os/memory.h"
#include "refs/objects.h"

enum { WORDS = GC_STRONG_CHUNK_BYTES / GC_WORD_BYTES };

// Free words are a list: each holds twice the index of the next and one, which is no address of the heap.
static GC_STATE struct {
  uintptr_t **chunks; // [gc_lock]
  size_t count, capacity;
  uint32_t free; // 0: none
} strong;

static uintptr_t *
word_at(uint32_t index) {
  return &strong.chunks[(index - 1) / WORDS][(index - 1) % WORDS];
}

bool
gc_strong_has_room(void) {
  return strong.free != 0;
}

static bool
reserve(void) {
  if (strong.count < strong.capacity)
    return true;
  void *grown = gc_os_grow(strong.chunks, &strong.capacity, sizeof(uintptr_t *));
  if (grown)
    strong.chunks = grown;
  return grown != NULL;
}

bool
gc_strong_add_chunk(void *chunk) {
  if (!reserve())
    return false;
  strong.chunks[strong.count] = chunk;
  uint32_t first = (uint32_t)(strong.count++ * WORDS) + 1;
  for (uint32_t index = first + WORDS; index-- > first;)
    gc_strong_free(index);
  return true;
}

uint32_t
gc_strong_take(void *data) {
  if (!data)
    return 0;
  uint32_t index = strong.free;
  strong.free = (uint32_t)(*word_at(index) >> 1);
  gc_ref_store(word_at(index), (uintptr_t)data);
  return index;
}

void *
gc_strong_get(uint32_t index) {
  return index ? (void *)*word_at(index) : NULL;
}

void
gc_strong_free(uint32_t index) {
  if (index == 0)
    return;
  gc_ref_store(word_at(index), (uintptr_t)strong.free << 1 | 1);
  strong.free = index;
}
