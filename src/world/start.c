// Start records, in blocks of memory of their own that are searched whole: spare records are zero.
#include "world/start.h"

#include <string.h>

#include "base/lock.h"
#include "os/futex.h"
#include "os/stacks.h"
#include "world/ranges.h"

enum { BLOCK_BYTES = 64 * 1024, BUCKETS = 256 };

static struct gc_range_array blocks;      // [gc_lock]
static struct gc_start *spare;            // linked through next [gc_lock]
static struct gc_start *buckets[BUCKETS]; // those that have begun, by handle [gc_lock]
static size_t last_serial;                // [gc_lock]
static size_t given;                      // records whose threads have not begun [gc_lock]

// ---- Memory --------------------------------------------------------------------------------------------

static void
free_record(struct gc_start *start) {
  memset(start, 0, sizeof *start);
  start->next = spare;
  spare = start;
}

static bool
add_block(void) {
  struct gc_start *records = gc_os_map(BLOCK_BYTES);
  if (!records)
    return false;
  struct gc_range block = {(const char *)records, (const char *)records + BLOCK_BYTES};
  if (!gc_range_array_push(&blocks, block)) {
    gc_os_unmap(records, BLOCK_BYTES);
    return false;
  }
  for (size_t i = BLOCK_BYTES / sizeof *records; i-- > 0;)
    free_record(&records[i]);
  return true;
}

struct gc_start *
gc_start_create(void *(*function)(void *argument), void *argument, bool detached) {
  gc_lock_acquire(&gc_lock);
  struct gc_start *start = spare || add_block() ? spare : NULL;
  if (start) {
    spare = start->next;
    given++;
    *start = (struct gc_start){
        .function = function, .argument = argument, .detached = detached, .serial = ++last_serial};
  }
  gc_lock_release(&gc_lock);
  return start;
}

void
gc_start_cancel(struct gc_start *start) {
  gc_lock_acquire(&gc_lock);
  given--;
  free_record(start);
  gc_lock_release(&gc_lock);
}

// The thread goes on as soon as the stack is known, and the record may be another's by the time of the call.
void
gc_start_place(struct gc_start *start, pthread_t handle) {
  start->stack = gc_os_stack_of(handle);
  gc_atomic_store_release(&start->placed, 1);
  gc_futex_wake_one(&start->placed);
}

void
gc_start_await_place(struct gc_start *start) {
  enum { ROUNDS = 100 };
  gc_spin_while(&start->placed, 0, ROUNDS);
  while (gc_atomic_load_acquire(&start->placed) == 0)
    gc_futex_wait(&start->placed, 0, GC_FUTEX_FOREVER);
  gc_os_stack_know(start->stack);
}

// ---- By handle -----------------------------------------------------------------------------------------

static struct gc_start **
bucket_of(pthread_t handle) {
  return &buckets[((uint64_t)handle * 0x9e3779b97f4a7c15) >> 56];
}

// Where the record is linked, or NULL.  `serial` 0: any that has ended.
static struct gc_start **
find_link(pthread_t handle, size_t serial) {
  for (struct gc_start **link = bucket_of(handle); *link; link = &(*link)->next)
    if ((*link)->handle == handle && (serial ? (*link)->serial == serial : (*link)->ended))
      return link;
  return NULL;
}

static void
free_linked(struct gc_start **link) {
  struct gc_start *start = *link;
  *link = start->next;
  free_record(start);
}

// A record of a former thread with this handle, which was joined by other means, goes.
void
gc_start_begin(struct gc_start *start) {
  pthread_t handle = pthread_self();
  struct gc_start **bucket = bucket_of(handle), **former;
  gc_lock_acquire(&gc_lock);
  while ((former = find_link(handle, 0)))
    free_linked(former);
  given--;
  start->handle = handle;
  start->begun = true;
  start->next = *bucket;
  *bucket = start;
  gc_lock_release(&gc_lock);
}

void
gc_start_end(struct gc_start *start, void *result) {
  gc_lock_acquire(&gc_lock);
  start->result = result;
  start->ended = true;
  if (start->detached)
    free_linked(find_link(start->handle, start->serial));
  gc_lock_release(&gc_lock);
}

bool
gc_start_is_any_given(void) {
  gc_lock_acquire(&gc_lock);
  bool any = given > 0;
  gc_lock_release(&gc_lock);
  return any;
}

static struct gc_start *
find_living(pthread_t handle) {
  for (struct gc_start *start = *bucket_of(handle); start; start = start->next)
    if (start->handle == handle)
      return start;
  return NULL;
}

void
gc_start_set_result(pthread_t handle, void *result) {
  gc_lock_acquire(&gc_lock);
  struct gc_start *start = find_living(handle);
  if (start && !start->ended)
    start->result = result;
  gc_lock_release(&gc_lock);
}

size_t
gc_start_find(pthread_t handle) {
  gc_lock_acquire(&gc_lock);
  struct gc_start *start = find_living(handle);
  size_t serial = start ? start->serial : 0;
  gc_lock_release(&gc_lock);
  return serial;
}

void
gc_start_forget(pthread_t handle, size_t serial) {
  gc_lock_acquire(&gc_lock);
  struct gc_start **link = find_link(handle, serial);
  if (link)
    free_linked(link);
  gc_lock_release(&gc_lock);
}

void
gc_start_detach(pthread_t handle) {
  gc_lock_acquire(&gc_lock);
  struct gc_start *start = find_living(handle);
  if (start && start->ended)
    free_linked(find_link(handle, start->serial));
  else if (start)
    start->detached = true;
  gc_lock_release(&gc_lock);
}

void
gc_start_after_fork_child(void) {
  given = 0;
  for (size_t i = 0; i < BUCKETS; i++)
    for (struct gc_start **link = &buckets[i]; *link;)
      if ((*link)->handle != pthread_self())
        free_linked(link);
      else
        link = &(*link)->next;
}

bool
gc_start_push_stw(struct gc_range_array *roots) {
  return gc_ranges_push_all(&blocks, roots);
}
