// gc.h, "Finalizers" and "Queues of finalizers".
#include "refs/finalizers.h"

#include <errno.h>

#include "api/init.h"
#include "base/check.h"
#include "base/lock.h"
#include "base/variables.h"
#include "cycle/cycle.h"
#include "gc.h"
#include "heap/heap.h"
#include "os/clock.h"
#include "refs/links.h"
#include "refs/run.h"
#include "refs/strong.h"

// ---- Registering ---------------------------------------------------------------------------------------

static bool
add_strong_chunk(void) {
  void *chunk = GC_malloc_uncollectable(GC_STRONG_CHUNK_BYTES);
  if (!chunk)
    return false;
  gc_lock_acquire(&gc_lock);
  bool added = gc_strong_add_chunk(chunk);
  gc_lock_release(&gc_lock);
  if (!added)
    GC_free(chunk);
  return added;
}

struct request {
  void *object;
  struct gc_registration new, old;
};

static enum gc_registered
try_once(struct request *request) {
  gc_lock_acquire(&gc_lock);
  enum gc_registered result = request->new.sort == GC_FINALIZER_IS_CLEANER
                                  ? gc_finalizers_add_cleaner(request->object, &request->new)
                                  : gc_finalizers_register(request->object, &request->new, &request->old);
  gc_lock_release(&gc_lock);
  return result;
}

static enum gc_registered
register_it(struct request *request) {
  gc_init_ensure();
  if (!gc_allocate_cache()) // the calling thread's stack must count
    return GC_NO_ROOM;
  enum gc_registered result;
  while ((result = try_once(request)) == GC_NO_STRONG_ROOM)
    if (!add_strong_chunk())
      return GC_NO_ROOM;
  return result;
}

static void
register_finalizer(void *object, enum gc_finalizer_sort sort, GC_finalization_proc finalizer, void *data,
                   GC_finalization_proc *old_finalizer, void **old_data) {
  struct request request = {
      .object = object,
      .new = {.function = (void (*)(void))finalizer, .data = data, .sort = sort},
  };
  if (GC_READ(GC_find_leak))
    return;
  if (register_it(&request) == GC_NO_ROOM) {
    errno = ENOMEM;
    gc_variables_out_of_memory(sizeof(struct gc_ref_node));
    return;
  }
  if (old_finalizer)
    *old_finalizer = (GC_finalization_proc)request.old.function;
  if (old_data)
    *old_data = request.old.data;
}

void
GC_register_finalizer(void *object, GC_finalization_proc finalizer, void *client_data,
                      GC_finalization_proc *old_finalizer, void **old_data) {
  register_finalizer(object, GC_FINALIZER_IS_ORDERED, finalizer, client_data, old_finalizer, old_data);
}

void
GC_register_finalizer_ignore_self(void *object, GC_finalization_proc finalizer, void *client_data,
                                  GC_finalization_proc *old_finalizer, void **old_data) {
  register_finalizer(object, GC_FINALIZER_IS_IGNORE_SELF, finalizer, client_data, old_finalizer, old_data);
}

void
GC_register_finalizer_no_order(void *object, GC_finalization_proc finalizer, void *client_data,
                               GC_finalization_proc *old_finalizer, void **old_data) {
  register_finalizer(object, GC_FINALIZER_IS_NO_ORDER, finalizer, client_data, old_finalizer, old_data);
}

void
GC_register_finalizer_unreachable(void *object, GC_finalization_proc finalizer, void *client_data,
                                  GC_finalization_proc *old_finalizer, void **old_data) {
  register_finalizer(object, GC_FINALIZER_IS_UNREACHABLE, finalizer, client_data, old_finalizer, old_data);
}

static int
result_of(enum gc_registered registered) {
  return registered == GC_REGISTERED ? GC_SUCCESS : registered == GC_NO_ROOM ? GC_NO_MEMORY : GC_NOT_FOUND;
}

static uint32_t
number_of(const GC_finalizer_queue *queue) {
  return queue ? ((const struct gc_queue *)queue)->number : 0;
}

int
GC_register_finalizer_on(GC_finalizer_queue *queue, void *object, enum GC_FinalizerOrder order,
                         GC_finalization_proc finalizer, void *client_data) {
  GC_CHECK((unsigned)order <= GC_FINALIZER_UNREACHABLE, "GC_register_finalizer_on: %u is no order",
           (unsigned)order);
  struct request request = {
      .object = object,
      .new = {(void (*)(void))finalizer, client_data, (enum gc_finalizer_sort)order, number_of(queue)},
  };
  return result_of(register_it(&request));
}

int
GC_register_cleaner(GC_finalizer_queue *queue, void *object, GC_cleaner_proc cleaner, void *client_data) {
  struct request request = {
      .object = object,
      .new = {(void (*)(void))cleaner, client_data, GC_FINALIZER_IS_CLEANER, number_of(queue)},
  };
  return result_of(register_it(&request));
}

int
GC_unregister_cleaner(void *object, GC_cleaner_proc cleaner, void *client_data) {
  gc_init_ensure();
  gc_lock_acquire(&gc_lock);
  bool removed = gc_finalizers_remove_cleaner(object, (void (*)(void))cleaner, client_data);
  gc_lock_release(&gc_lock);
  return removed;
}

// ---- Calling -------------------------------------------------------------------------------------------

int
GC_should_invoke_finalizers(void) {
  return gc_atomic_load_relaxed(&gc_queues_own()->ready.count) > 0;
}

// A caller that cannot be attached has a stack that does not count: nothing may be called.
int
GC_invoke_finalizers(void) {
  gc_init_ensure();
  return gc_allocate_cache() ? (int)gc_run_drain(gc_queues_own(), gc_run_settings.at_most, 0) : 0;
}

static size_t
make_all_ready(void) {
  gc_lock_acquire(&gc_lock);
  size_t count = gc_finalizers_make_all_ready();
  gc_lock_release(&gc_lock);
  return count;
}

void
GC_finalize_all(void) {
  gc_init_ensure();
  gc_run_settings.at_most = 0;
  while (make_all_ready() > 0)
    GC_invoke_finalizers();
}

void
GC_set_interrupt_finalizers(unsigned count) {
  gc_run_settings.at_most = count;
}

unsigned
GC_get_interrupt_finalizers(void) {
  return (unsigned)gc_run_settings.at_most;
}

void
GC_set_finalize_on_demand(int on) {
  GC_WRITE(GC_finalize_on_demand, on);
}

int
GC_get_finalize_on_demand(void) {
  return GC_READ(GC_finalize_on_demand);
}

void
GC_set_finalizer_notifier(GC_finalizer_notifier_proc notifier) {
  GC_WRITE(GC_finalizer_notifier, notifier);
}

GC_finalizer_notifier_proc
GC_get_finalizer_notifier(void) {
  return GC_READ(GC_finalizer_notifier);
}

int
GC_set_finalizer_thread(int on) {
  gc_init_ensure();
  return gc_run_set_thread(on) ? GC_SUCCESS : GC_NO_THREADS;
}

int
GC_get_finalizer_thread(void) {
  return gc_run_settings.own_thread;
}

void
GC_set_java_finalization(int on) {
  GC_WRITE(GC_java_finalization, on);
}

int
GC_get_java_finalization(void) {
  return GC_READ(GC_java_finalization);
}

void
GC_set_await_finalize_proc(GC_await_finalize_proc function) {
  gc_finalizer_settings.await = function;
}

GC_await_finalize_proc
GC_get_await_finalize_proc(void) {
  return gc_finalizer_settings.await;
}

void
GC_set_allocd_bytes_per_finalizer(GC_word bytes) {
  gc_finalizer_settings.bytes_each = bytes;
}

GC_word
GC_get_allocd_bytes_per_finalizer(void) {
  return gc_finalizer_settings.bytes_each;
}

// ---- Queues --------------------------------------------------------------------------------------------

GC_finalizer_queue *
GC_finalizer_queue_new(GC_queue_notify_proc notify, void *data) {
  struct gc_queue *queue = GC_malloc_uncollectable(sizeof *queue);
  if (!queue)
    return NULL;
  queue->notify = (void (*)(struct gc_queue *, void *))notify;
  queue->data = data;
  gc_lock_acquire(&gc_lock);
  bool added = gc_queues_add(queue);
  gc_lock_release(&gc_lock);
  if (added)
    return (GC_finalizer_queue *)queue;
  GC_free(queue);
  return NULL;
}

enum given_up { GIVEN_UP, SOME_LEFT, NO_ROOM_FOR_IT };

// Move some items to the collector's own queue.  Once nothing waits, and nothing can come in between, give
// the queue up.
static enum given_up
give_up(struct gc_queue *queue) {
  enum { AT_ONCE = 256 };
  struct gc_ready_queue *own = &gc_queues_own()->ready;
  struct gc_ready_item item;
  enum given_up result = SOME_LEFT;
  gc_lock_acquire(&gc_lock);
  for (unsigned i = 0; i < AT_ONCE && result == SOME_LEFT; i++)
    if (queue->ready.head == queue->ready.limit)
      result = GIVEN_UP;
    else if (!gc_ready_reserve(own))
      result = NO_ROOM_FOR_IT;
    else if (gc_ready_take(&queue->ready, &item))
      gc_ready_push(own, item);
  if (result == GIVEN_UP)
    gc_queues_remove(queue);
  gc_lock_release(&gc_lock);
  return result;
}

void
GC_finalizer_queue_free(GC_finalizer_queue *public) {
  struct gc_queue *queue = (struct gc_queue *)public;
  enum given_up result;
  while ((result = give_up(queue)) != GIVEN_UP)
    if (result == NO_ROOM_FOR_IT)
      gc_run_drain(queue, 1, 0);
  gc_atomic_store_relaxed(&gc_queues_news, 1);
  GC_free(queue);
}

size_t
GC_finalizer_queue_drain(GC_finalizer_queue *queue, size_t count, unsigned long us) {
  if (!gc_allocate_cache())
    return 0;
  return gc_run_drain((struct gc_queue *)queue, count, us ? gc_os_now_ns() + us * UINT64_C(1000) : 0);
}

size_t
GC_finalizer_queue_ready(GC_finalizer_queue *queue) {
  return gc_atomic_load_relaxed(&((struct gc_queue *)queue)->ready.count);
}

// ---- Printing ------------------------------------------------------------------------------------------

static void
print_link(void **link, void *object) {
  gc_log("  link %p to %p", (void *)link, object);
}

static void
print_object(void *object) {
  gc_log("  object %p", object);
}

void
GC_dump_finalization(void) {
  gc_init_ensure();
  gc_lock_acquire(&gc_lock);
  gc_log("disappearing links:");
  gc_links_each(GC_LINK_ORDINARY, print_link);
  gc_log("long links:");
  gc_links_each(GC_LINK_LONG, print_link);
  gc_log("finalizers:");
  gc_finalizers_each(print_object);
  gc_lock_release(&gc_lock);
}
