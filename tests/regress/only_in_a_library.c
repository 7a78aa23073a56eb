// Objects vanished whose only pointer was in a variable of a library loaded at run time: its data, its bss,
// its thread-local variables.

#include <dlfcn.h>
#include <limits.h>
#include <pthread.h>
#include <unistd.h>

#include "tests/regress/objects.h"

static void *library;
static void **(*holder_thread)(int initialised);

// The library lies beside this program.
static bool
load(void) {
  char path[PATH_MAX + 20];
  ssize_t length = readlink("/proc/self/exe", path, PATH_MAX);
  path[length > 0 ? length : 0] = '\0';
  char *slash = strrchr(path, '/');
  strcpy(slash ? slash + 1 : path, "libholder.so");
  library = dlopen(path, RTLD_NOW);
  if (!library) {
    tap_note("%s", dlerror());
    return false;
  }
  holder_thread = (void **(*)(int))dlsym(library, "holder_thread");
  return holder_thread != NULL;
}

__attribute__((noinline)) static void
store(void **place, uintptr_t object) {
  *place = reveal(object);
}

static void
check_place(const char *name, void **place) {
  hidden object = new_hidden();
  store(place, object);
  collect();
  tap_ok(is_there(object), "%s", name);
  *place = NULL;
}

static void
check_all(const char *where) {
  char name[100];
  snprintf(name, sizeof name, "thread-local bss, %s", where);
  check_place(name, holder_thread(0));
  snprintf(name, sizeof name, "thread-local data, %s", where);
  check_place(name, holder_thread(1));
  snprintf(name, sizeof name, "data, %s", where);
  check_place(name, dlsym(library, "holder_data"));
  snprintf(name, sizeof name, "bss, %s", where);
  check_place(name, dlsym(library, "holder_bss"));
}

static void *
check_in_thread(void *where) {
  check_all(where);
  return NULL;
}

// A thread whose thread-local variable another thread's collection must find.
static pthread_barrier_t stored, collected;

static void *
hold(void *object) {
  store(holder_thread(0), (uintptr_t)object);
  GC_register_my_thread(NULL);
  pthread_barrier_wait(&stored);
  pthread_barrier_wait(&collected);
  return NULL;
}

static void
check_other_thread(void) {
  pthread_t thread;
  hidden object;
  pthread_barrier_init(&stored, NULL, 2);
  pthread_barrier_init(&collected, NULL, 2);
  GC_disable();
  object = new_hidden();
  pthread_create(&thread, NULL, hold, (void *)object);
  pthread_barrier_wait(&stored);
  GC_enable();
  collect();
  tap_ok(is_there(object), "thread-local bss of another thread");
  pthread_barrier_wait(&collected);
  pthread_join(thread, NULL);
}

static void
check_unloaded(void) {
  dlclose(library);
  collect();
  tap_ok(gc_verify() == 0, "the heap is sound after dlclose");
}

static void
check_loaded(const char *main_thread, const char *other_thread) {
  pthread_t thread;
  if (!tap_ok(load(), "load the library, for %s", main_thread))
    return;
  check_all(main_thread);
  pthread_create(&thread, NULL, check_in_thread, (void *)other_thread);
  pthread_join(thread, NULL);
  check_other_thread();
  check_unloaded();
}

int
main(void) {
  GC_INIT();
  check_loaded("main thread", "another thread");
  check_loaded("main thread, loaded again", "another thread, loaded again");
  return tap_done();
}
