// What the loader's list says of data segments and TLS, as libraries come and go.
#include "os/images.h"

#include <dlfcn.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "os/tls.h"

static int data_word = 1, bss_word;
static const void *const relocated_constants[] = {&data_word,
                                                  &bss_word}; // in RELRO when position-independent
static __thread int own_word;

static void
count_call(void *calls) {
  ++*(int *)calls;
}

static void
look(void) {
  int calls = 0;
  assert_true(gc_images_call(count_call, &calls));
  assert_int_equal(calls, 1);
}

static bool
covers(const struct gc_range_array *array, const void *address) {
  for (size_t i = 0; i < array->count; i++)
    if (array->items[i].base <= (const char *)address && (const char *)address < array->items[i].limit)
      return true;
  return false;
}

static void *
load(void) {
  void *library = dlopen(TEST_BUILD_DIR "/unit/libvisitor.so", RTLD_NOW);
  if (!library)
    fail_msg("%s", dlerror());
  return library;
}

static void
program_data_is_found(void **state) {
  (void)state;
  look();
  assert_true(covers(&gc_images.program, &data_word));
  assert_true(covers(&gc_images.program, &bss_word));
  assert_false(covers(&gc_images.libraries, &data_word));
}

static void
constants_are_not(void **state) {
  (void)state;
  look();
  assert_false(covers(&gc_images.program, relocated_constants));
  assert_false(covers(&gc_images.program, "a string"));
}

static void
nothing_new_is_not_read_again(void **state) {
  (void)state;
  look();
  size_t version = gc_images.version;
  look();
  assert_int_equal(gc_images.version, version);
}

static void
libraries_come_and_go(void **state) {
  (void)state;
  look();
  size_t version = gc_images.version;
  void *library = load();
  void *word = dlsym(library, "visitor_word"), *constants = dlsym(library, "visitor_constants");
  look();
  assert_int_equal(gc_images.version, version + 1);
  assert_true(covers(&gc_images.libraries, word));
  assert_false(covers(&gc_images.libraries, constants));
  assert_false(covers(&gc_images.gone, word));
  dlclose(library);
  look();
  assert_int_equal(gc_images.version, version + 2);
  assert_false(covers(&gc_images.libraries, word));
  assert_true(covers(&gc_images.gone, word));
}

// The calling thread's block of a module, by its vector.
static const char *
block_of(size_t module) {
  return gc_os_tls_vector(gc_os_thread_pointer())[module].block;
}

static bool
some_module_contains(const void *address) {
  for (size_t i = 1; i <= gc_images.tls_modules; i++)
    if (gc_images.tls_bytes[i] && block_of(i) != GC_TLS_UNALLOCATED && block_of(i) <= (const char *)address &&
        (const char *)address < block_of(i) + gc_images.tls_bytes[i])
      return true;
  return false;
}

static void
thread_local_storage_is_found(void **state) {
  (void)state;
  void *library = load();
  void **(*own)(void) = (void **(*)(void))dlsym(library, "visitor_own_word");
  look();
  assert_true(some_module_contains(&own_word));
  assert_true(some_module_contains(own()));
  assert_true(gc_images.tls_layout_fits);
  dlclose(library);
}

static void
specific_values_are_found(void **state) {
  (void)state;
  pthread_key_t key;
  assert_int_equal(pthread_key_create(&key, NULL), 0);
  assert_int_equal(pthread_setspecific(key, &data_word), 0);
  ptrdiff_t offset = gc_os_tls_find_specifics();
  assert_int_not_equal(offset, 0);
  void **block = *(void ***)(uintptr_t)(gc_os_thread_pointer() + offset);
  assert_ptr_equal(block[2 * key + 1], &data_word); // {sequence number, value} for each key
  pthread_key_delete(key);
}

int
main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(program_data_is_found),         cmocka_unit_test(constants_are_not),
      cmocka_unit_test(nothing_new_is_not_read_again), cmocka_unit_test(libraries_come_and_go),
      cmocka_unit_test(thread_local_storage_is_found), cmocka_unit_test(specific_values_are_found),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
