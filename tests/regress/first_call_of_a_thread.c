// Objects vanished from the stack of a thread whose first call to the collector was the collection itself.

#include <pthread.h>

#include "tests/regress/objects.h"

static hidden object;
static bool kept;
static void (*first_call)(void);

static void
by_try_to_collect(void) {
  GC_try_to_collect(GC_get_stop_func());
}

static void
by_collect_and_unmap(void) {
  GC_gcollect_and_unmap();
}

static void
by_allocation(void) {
  for (int i = 0; i < 50000; i++)
    GC_malloc(100);
}

static void
by_large_allocation(void) {
  for (int i = 0; i < 100; i++)
    GC_malloc(1000000);
}

static void
by_enabling(void) {
  GC_disable();
  GC_enable();
  GC_gcollect();
}

static void *
run(void *argument) {
  void *volatile only = reveal(object);
  first_call();
  kept = is_there(object);
  only = NULL;
  (void)only;
  return argument;
}

// No other thread collects before the new one makes its first call.
static void
check(const char *name, void (*function)(void)) {
  pthread_t thread;
  first_call = function;
  object = new_hidden();
  pthread_create(&thread, NULL, run, NULL);
  pthread_join(thread, NULL);
  tap_ok(kept, "%s", name);
}

// The same for a thread that left and comes back.
static void
check_return(void) {
  void *volatile only;
  hidden mine = new_hidden();
  only = reveal(mine);
  tap_ok(GC_thread_is_registered() == 1, "the main thread is registered");
  tap_ok(GC_unregister_my_thread() == GC_SUCCESS && GC_thread_is_registered() == 0, "it leaves");
  collect();
  tap_ok(is_there(mine), "it comes back by collecting, and its stack counts");
  tap_ok(GC_thread_is_registered() == 1, "it is registered again");
  only = NULL;
  (void)only;
}

int
main(void) {
  GC_INIT();
  check("GC_gcollect", GC_gcollect);
  check("GC_gcollect_and_unmap", by_collect_and_unmap);
  check("GC_try_to_collect", by_try_to_collect);
  check("allocation", by_allocation);
  check("allocation of large objects", by_large_allocation);
  check("GC_disable and GC_enable", by_enabling);
  check_return();
  return tap_done();
}
