// The registry of fibers, and what a pause reads of them.  See fibers.h.
//
// Fibers lie in blocks that are never given back, so that a thread may go on naming one that it has left and
// that was freed since: its stack is empty then, or another, on which the thread cannot be without having
// entered it.
#include "world/fibers.h"

#include <string.h>

#include "base/check.h"
#include "base/hooks.h"
#include "base/lock.h"
#include "base/sanitizer.h"
#include "base/valgrind.h"
#include "os/writes.h"
#include "world/threads.h"

enum {
  BLOCK_BYTES = 64 * 1024,
  LONG_BYTES = 32 * 1024, // of a live part: to ask about writes takes 0.65 us, to read it 0.8 to 2
  FIRST_FRAME_BYTES = 512 // at the top of a stack that the program has prepared and not entered
};

struct block {
  struct block *next;
  struct gc_fiber fibers[];
};

enum { BLOCK_FIBERS = (BLOCK_BYTES - sizeof(struct block)) / sizeof(struct gc_fiber) };

static GC_STATE struct {
  struct block *blocks;
  struct gc_fiber *spare;
  size_t count;
} registry; // [gc_lock]

// Searches are numbered.  What a fiber was read by counts as long as no marks have flipped since.
static GC_STATE struct {
  size_t number;              // of the last one
  size_t valid_from;          // the first one that counts
  size_t passed_over;         // fibers, by the last one
} search = {.valid_from = 1}; // [stw]

static size_t look_number = 1; // goes up with each look at the threads; a search is one, too [stw]

#define FOR_EACH_FIBER(fiber)                                                 \
  for (struct block *block_ = registry.blocks; block_; block_ = block_->next) \
    for (struct gc_fiber *fiber = block_->fibers, *end_ = fiber + BLOCK_FIBERS; fiber < end_; fiber++)

// ---- The registry --------------------------------------------------------------------------------------

static bool
add_block(void) {
  struct block *block = gc_os_map(BLOCK_BYTES);
  if (!block)
    return false;
  block->next = registry.blocks;
  registry.blocks = block;
  for (size_t i = BLOCK_FIBERS; i-- > 0;) {
    block->fibers[i].next_spare = registry.spare;
    registry.spare = &block->fibers[i];
  }
  return true;
}

static struct gc_fiber *
add(struct gc_fiber described) {
  gc_lock_acquire(&gc_lock);
  struct gc_fiber *fiber = registry.spare || add_block() ? registry.spare : NULL;
  if (fiber) {
    registry.spare = fiber->next_spare;
    registry.count++;
    *fiber = described;
    fiber->valgrind_number = GC_VALGRIND_REGISTER_STACK(described.stack.base, described.stack.limit);
  }
  gc_lock_release(&gc_lock);
  return fiber;
}

struct gc_fiber *
gc_fiber_register(struct gc_range stack) {
  const char *first_frame = stack.limit - gc_min(gc_range_bytes(stack), FIRST_FRAME_BYTES);
  return add((struct gc_fiber){.stack = stack, .noted = first_frame});
}

struct gc_fiber *
gc_fiber_create(size_t stack_bytes, void (*start)(void *argument), const void *argument, size_t bytes) {
  stack_bytes = gc_round_up(stack_bytes, gc_os_page_bytes());
  char *base = gc_os_map_stack(stack_bytes);
  if (!base)
    return NULL;
  char *limit = base + stack_bytes, *room = limit - gc_round_up(bytes, 16);
  memcpy(room, argument, bytes);
  void *frame = gc_fiber_prepare(room, start, room);
  struct gc_fiber *fiber = add((struct gc_fiber){.stack = {base, limit}, .frame = frame, .created = true});
  if (!fiber)
    gc_os_unmap_stack(base, stack_bytes);
  return fiber;
}

static bool
is_in_use(const struct gc_fiber *fiber) {
  for (struct gc_thread *thread = gc_thread_first(); thread; thread = gc_thread_next(thread))
    if (thread->fiber == fiber || &thread->own_fiber == fiber)
      return true;
  return !fiber->stack.limit;
}

static void
forget(struct gc_fiber *fiber) {
  if (fiber->watched)
    gc_writes_unwatch(gc_os_whole_pages(fiber->stack));
  GC_VALGRIND_DEREGISTER_STACK(fiber->valgrind_number);
  *fiber = (struct gc_fiber){.next_spare = registry.spare};
  registry.spare = fiber;
  registry.count--;
}

bool
gc_fiber_free(struct gc_fiber *fiber) {
  gc_lock_acquire(&gc_lock);
  bool free = !is_in_use(fiber);
  struct gc_range created = fiber->created ? fiber->stack : (struct gc_range){NULL, NULL};
  if (free)
    forget(fiber);
  gc_lock_release(&gc_lock);
  if (free && created.base)
    gc_os_unmap_stack((char *)(uintptr_t)created.base, gc_range_bytes(created));
  return free;
}

void
gc_fiber_abandon(struct gc_fiber *last, const struct gc_fiber *own) {
  const char *left_at = gc_fiber_parked_at(own);
  if (left_at)
    gc_sanitizer_forget_stack((char *)(uintptr_t)left_at, (size_t)(own->stack.limit - left_at));
  last->frame = NULL;
  last->noted = NULL;
}

size_t
gc_fibers_count(void) {
  return registry.count;
}

size_t
gc_fibers_passed_over(void) {
  return search.passed_over;
}

// ---- Switching -----------------------------------------------------------------------------------------

void
gc_fiber_note(struct gc_fiber *to, const uintptr_t *registers, size_t count) {
  struct gc_thread *thread = gc_thread_ensure();
  struct gc_fiber *from = thread->fiber;
  from->noted = (const char *)(registers + count);
  from->register_count = count;
  for (size_t i = 0; i < count; i++)
    from->registers[i] = registers[i];
  gc_thread_enter_fiber(thread, to);
}

// ---- What a pause reads --------------------------------------------------------------------------------

static bool
push(struct gc_range_array *roots, const char *base, const char *limit) {
  return base >= limit || gc_range_array_push(roots, (struct gc_range){base, limit});
}

GC_NO_SANITIZE static uintptr_t
checksum_of(struct gc_range range) {
  uintptr_t sum = 0;
  for (const uintptr_t *word = (const uintptr_t *)(uintptr_t)range.base;
       (const char *)(word + 1) <= range.limit; word++)
    sum = (sum ^ *word) * 0x9e3779b97f4a7c15u + (sum >> 29);
  return sum;
}

// The whole pages of what is live are watched; the rest of it is read in any case.
static void
watch(struct gc_fiber *fiber, struct gc_range pages) {
  fiber->watched = gc_writes_watch(pages) ? pages.base : NULL;
  if (fiber->watched && gc_tunables.verify)
    fiber->checksum = checksum_of(pages);
}

// parked-unchanged
static bool
is_unchanged(const struct gc_fiber *fiber, struct gc_range pages) {
  if (fiber->searched < search.valid_from || fiber->watched != pages.base || !gc_writes_is_clean(pages))
    return false;
  GC_CHECK(!gc_tunables.verify || fiber->checksum == checksum_of(pages),
           "verify: parked-unchanged violated: the stack of the fiber at %p was written to unnoticed",
           (const void *)fiber);
  return true;
}

// What was watched before it was read is not read again.
static bool
push_long(struct gc_fiber *fiber, struct gc_range live, struct gc_range_array *roots) {
  struct gc_range pages = gc_os_whole_pages(live);
  if (is_unchanged(fiber, pages)) {
    search.passed_over++;
    fiber->passed_over = search.number;
    return push(roots, live.base, pages.base) && push(roots, pages.limit, live.limit);
  }
  bool first = search.number == search.valid_from; // and perhaps no other comes before the next flip
  if (fiber->searched != 0 && (fiber->watched || !first))
    watch(fiber, pages);
  return push(roots, live.base, live.limit);
}

static bool
push_parked(struct gc_fiber *fiber, struct gc_range_array *roots) {
  struct gc_range live = {gc_fiber_parked_at(fiber), fiber->stack.limit};
  bool done =
      gc_range_bytes(live) >= LONG_BYTES ? push_long(fiber, live, roots) : push(roots, live.base, live.limit);
  fiber->searched = search.number;
  return done;
}

static bool
push_again(const struct gc_fiber *fiber, struct gc_range_array *roots, enum gc_search_which which) {
  return (which == GC_SEARCH_READ && fiber->passed_over == search.number) ||
         push(roots, gc_fiber_parked_at(fiber), fiber->stack.limit);
}

static bool
push_fiber(struct gc_fiber *fiber, struct gc_range_array *roots, enum gc_search_which which) {
  if (fiber->ran_at == look_number || !gc_fiber_parked_at(fiber))
    return true;
  if (!fiber->frame &&
      !push(roots, (char *)fiber->registers, (char *)&fiber->registers[fiber->register_count]))
    return false;
  return which == GC_SEARCH_CHANGED ? push_parked(fiber, roots) : push_again(fiber, roots, which);
}

void
gc_fibers_begin_look_stw(void) {
  look_number++;
}

void
gc_fiber_runs_stw(struct gc_fiber *fiber) {
  fiber->ran_at = look_number;
}

bool
gc_fibers_push_stw(struct gc_range_array *roots, enum gc_search_which which) {
  if (which == GC_SEARCH_CHANGED) {
    search.number++;
    search.passed_over = 0;
  }
  for (struct gc_thread *thread = gc_thread_first(); thread; thread = gc_thread_next(thread))
    if (!push_fiber(&thread->own_fiber, roots, GC_SEARCH_ALL)) // not watched: TLS lies there as well
      return false;
  FOR_EACH_FIBER(fiber)
  if (!push_fiber(fiber, roots, which))
    return false;
  return true;
}

void
gc_fibers_forget_searched_stw(void) {
  search.valid_from = search.number + 1;
}

void
gc_fibers_after_fork_child(void) {
  gc_fibers_forget_searched_stw();
  FOR_EACH_FIBER(fiber)
  fiber->watched = NULL;
}
