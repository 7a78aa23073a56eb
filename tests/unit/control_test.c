// What control functions, hooks and forms of allocation do that libgc has not, or says nothing of: those of
// libgc 8.3, and reports.  What libgc 8.2 has is compared with it by tests/compat/variables.sh.
#define GC_THREADS
#define GC_NO_THREAD_REDIRECTS
#define GC_BUILD // our own use of the variables is not deprecated
#include "gc.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "compat/include/gc/gc_inline.h"
#include "compat/include/gc/gc_mark.h"

// ---- Allocation ----------------------------------------------------------------------------------------

static void
reallocf_frees_what_it_cannot_move(void **state) {
  (void)state;
  char *object = GC_malloc_uncollectable(100);
  strcpy(object, "kept");
  char *moved = GC_reallocf(object, 10000);
  assert_string_equal(moved, "kept");
  assert_null(GC_reallocf(moved, (size_t)1 << 60));
  assert_null(GC_base(moved));
  assert_non_null(object = GC_REALLOCF(NULL, 10));
  assert_null(GC_REALLOCF(object, 0));
  assert_null(GC_base(object));
}

static void
freezero_clears_no_more_than_there_is(void **state) {
  (void)state;
  char *object = GC_malloc_atomic_uncollectable(200000);
  memset(object, 'x', 200000);
  assert_int_equal(object[150000], 'x');
  GC_FREEZEROALL(object);
  assert_null(GC_base(object));
  object = GC_malloc(32);
  memset(object, 'x', 32);
  GC_freezero(object, 16);
  assert_null(GC_base(object));
  GC_freezero(NULL, 100);
}

static void
valloc_gives_pages(void **state) {
  (void)state;
  size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
  for (size_t bytes = 0; bytes < 5 * page_bytes; bytes += 1000) {
    char *object = GC_valloc(bytes), *padded = GC_pvalloc(bytes);
    assert_int_equal((uintptr_t)object % page_bytes, 0);
    assert_int_equal((uintptr_t)padded % page_bytes, 0);
    assert_ptr_equal(GC_base_C(object + bytes / 2), object);
    assert_true(GC_size(padded) >= (bytes + page_bytes - 1) / page_bytes * page_bytes);
  }
  volatile size_t too_many = SIZE_MAX - 5; // more than the compiler would let pass
  assert_null(GC_valloc(too_many));
  assert_null(GC_pvalloc(too_many));
}

static void
arrays_do_not_overflow(void **state) {
  (void)state;
  int *numbers = GC_NEW_ARRAY(int, 1000);
  assert_true(GC_size(numbers) >= 4000);
  assert_non_null(GC_NEW_ATOMIC_ARRAY(char, 0));
  long *long_lived = GC_NEW_UNCOLLECTABLE_ARRAY(long, 3);
  GC_FREE(long_lived);
  volatile size_t count = SIZE_MAX / 2;
  assert_null(GC_NEW_ARRAY(long, count));
}

static void
sizes_are_foretold(void **state) {
  (void)state;
  for (int bytes = 0; bytes <= 2048; bytes++)
    assert_int_equal(GC_size(GC_malloc((size_t)bytes)), GC_get_size_map_at(bytes));
  assert_int_equal(GC_get_size_map_at(2049), SIZE_MAX);
  assert_int_equal(GC_get_dont_add_byte_at_end(), 1);
  assert_true(GC_get_hblk_size() >= 4096);
}

static void
pointers_are_hidden(void **state) {
  (void)state;
  int word;
  assert_ptr_equal(GC_REVEAL_NZ_POINTER(GC_HIDE_NZ_POINTER(&word)), &word);
  assert_int_equal(GC_HIDE_NZ_POINTER(NULL), 0);
  assert_true(GC_HIDE_NZ_POINTER(&word) != (GC_word)&word);
  GC_noop1_ptr(&word);
}

static void
links_take_pointers_inside(void **state) {
  (void)state;
  char *object = GC_malloc(100);
  static void *link, *long_link;
  link = long_link = (void *)GC_HIDE_POINTER(object);
  assert_int_equal(GC_GENERAL_REGISTER_DISAPPEARING_LINK_SAFE(&link, object + 50), GC_SUCCESS);
  assert_int_equal(GC_REGISTER_LONG_LINK_SAFE(&long_link, object + 99), GC_SUCCESS);
  assert_int_equal(GC_unregister_disappearing_link(&link), 1);
  assert_int_equal(GC_unregister_long_link(&long_link), 1);
}

// ---- Collecting ----------------------------------------------------------------------------------------

static void
finished_and_disabled(void **state) {
  (void)state;
  GC_set_mode(GC_MODE_CONCURRENT);
  for (int i = 0; i < 1000; i++)
    GC_malloc(10000);
  GC_start_incremental_collection();
  GC_finish_and_disable();
  assert_int_equal(GC_is_disabled(), 1);
  assert_int_equal(GC_collect_a_little(), 0);
  GC_enable();
  assert_int_equal(GC_is_disabled(), 0);
  GC_set_mode(GC_MODE_AUTO);
}

// Nobody is told when the counter is written; a concurrent collection goes on all the same.
static void
the_counter_may_be_written(void **state) {
  (void)state;
  GC_set_mode(GC_MODE_CONCURRENT);
  static void *kept[1000];
  for (int i = 0; i < 1000; i++)
    kept[i] = GC_malloc(10000);
  for (int round = 0; round < 5; round++) {
    GC_start_incremental_collection();
    GC_dont_gc = 1;
    GC_disable(); // what another thread was doing just then is over
    GC_enable();
    GC_word before = GC_gc_no;
    for (int i = 0; i < 1000; i++)
      GC_malloc(10000);
    assert_int_equal(GC_gc_no - before, 0);
    GC_dont_gc = 0;
    for (int i = 0; GC_gc_no == before; i++) {
      assert_true(i < 1000000);
      GC_malloc(10000);
    }
  }
  assert_int_equal(GC_base(kept[999]) == kept[999], 1);
  memset(kept, 0, sizeof kept);
  GC_set_mode(GC_MODE_AUTO);
}

static void *
double_it(void *number) {
  *(int *)number *= 2;
  return number;
}

static void
readers_have_the_lock(void **state) {
  (void)state;
  int number = 21;
  assert_ptr_equal(GC_call_with_reader_lock(double_it, &number, 1), &number);
  assert_int_equal(number, 42);
}

static void
times_add_up(void **state) {
  (void)state;
  GC_start_performance_measurement();
  assert_int_equal(GC_get_avg_stopped_mark_time_ns(), 0);
  struct GC_pause_stats before, after;
  GC_get_pause_stats(&before);
  for (int i = 0; i < 5; i++)
    GC_gcollect();
  GC_get_pause_stats(&after);
  uint64_t total_ns = after.total_ns - before.total_ns;
  assert_int_equal(GC_get_full_gc_total_time() * UINT64_C(1000000) + GC_get_full_gc_total_ns_frac(),
                   total_ns);
  assert_true(GC_get_full_gc_total_ns_frac() < 1000000);
  assert_true(GC_get_avg_stopped_mark_time_ns() > 0);
  assert_true(GC_get_avg_stopped_mark_time_ns() <= total_ns / 5);
  assert_true(GC_get_stopped_mark_total_time() <= GC_get_full_gc_total_time());
}

// ---- Hooks ---------------------------------------------------------------------------------------------

static size_t taken_bytes, refused_bytes;
static char *taken_low, *taken_limit;

static void
note_memory(void *memory, size_t bytes) {
  *(memory ? &taken_bytes : &refused_bytes) += bytes;
  if (!memory)
    return;
  if (!taken_low)
    taken_low = memory;
  taken_limit = (char *)memory + bytes;
}

static void
memory_from_the_system_is_told_of(void **state) {
  (void)state;
  GC_set_on_os_get_mem(note_memory);
  assert_ptr_equal(GC_get_on_os_get_mem(), note_memory);
  char *large = GC_malloc_uncollectable(100 << 20);
  assert_true(taken_bytes >= 100 << 20 && taken_limit - taken_low >= (ptrdiff_t)taken_bytes);
  assert_true(large + (100 << 20) <= taken_limit);
  size_t all_bytes = (size_t)1 << 30; // there is a little less left
  assert_int_equal(GC_expand_hp(all_bytes - GC_get_hblk_size()), 0);
  assert_int_equal(refused_bytes, all_bytes - GC_get_hblk_size());
  GC_set_on_os_get_mem(NULL);
  GC_free(large);
}

enum { OTHER_STACK_WORDS = 4096 };
static void **other_stack;
static int corrected;

static void
correct(void **stack_pointer, void *thread) {
  if (thread != (void *)pthread_self())
    return;
  corrected++;
  *stack_pointer = other_stack;
}

// The program says that the thread runs on a stack which it does not: that is searched.
static void
stack_pointers_are_corrected(void **state) {
  (void)state;
  static void *link;
  size_t bytes = OTHER_STACK_WORDS * sizeof(void *);
  other_stack = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  other_stack[100] = GC_malloc(64);
  link = (void *)GC_HIDE_POINTER(other_stack[100]);
  GC_general_register_disappearing_link(&link, other_stack[100]);
  GC_set_sp_corrector(correct);
  assert_ptr_equal(GC_get_sp_corrector(), correct);
  GC_clear_stack(NULL);
  GC_gcollect();
  GC_set_sp_corrector(NULL);
  assert_true(corrected > 0);
  assert_non_null(link);
  GC_unregister_disappearing_link(&link);
  munmap(other_stack, bytes);
}

static void *static_roots[100];

static __attribute__((noinline)) void
make_object(void **link) {
  static_roots[50] = GC_malloc(64);
  *link = (void *)GC_HIDE_POINTER(static_roots[50]);
  GC_general_register_disappearing_link(link, static_roots[50]);
}

// libgc searches its own state when it is told to forget what is excluded, and does not survive it.
static void
exclusions_are_forgotten(void **state) {
  (void)state;
  static void *link;
  GC_exclude_static_roots(static_roots, static_roots + 100);
  GC_clear_exclusion_table();
  make_object(&link);
  GC_clear_stack(NULL);
  GC_gcollect();
  GC_gcollect();
  assert_non_null(link);
  assert_int_equal(gc_verify(), 0);
  GC_unregister_disappearing_link(&link);
}

// ---- Reports -------------------------------------------------------------------------------------------

static char text[1 << 20];

// What is written to the log.
static void
catch_log(void (*report)(void)) {
  int fd = memfd_create("log", 0);
  assert_true(fd >= 0);
  GC_set_log_fd(fd);
  report();
  GC_set_log_fd(STDERR_FILENO);
  ssize_t bytes = pread(fd, text, sizeof text - 1, 0);
  assert_true(bytes >= 0);
  text[bytes] = '\0';
  close(fd);
}

static unsigned
lines_with(const char *part) {
  unsigned count = 0;
  for (const char *found = text; (found = strstr(found, part)); found += strlen(part))
    count++;
  return count;
}

static void
regions_are_listed(void **state) {
  (void)state;
  char start[64], *large = GC_malloc(1 << 20), *small = GC_malloc_atomic(48);
  catch_log(GC_dump_regions);
  snprintf(start, sizeof start, "\n  %p ", (void *)large);
  assert_int_equal(lines_with(start), 1);
  snprintf(start, sizeof start, "\n  %p ", (void *)((uintptr_t)small & -(uintptr_t)GC_get_hblk_size()));
  assert_int_equal(lines_with(start), 1);
  assert_true(lines_with("slots of 48 bytes, pointer-free: ") >= 1);
  GC_reachable_here(large);
}

static void
print_free_atomic(void) {
  GC_print_free_list(0, 40);
}

static void
print_nonsense(void) {
  GC_print_free_list(-1, 40);
  GC_print_free_list(77, 40);
  GC_print_free_list(1, SIZE_MAX);
}

static void
free_slots_are_listed(void **state) {
  (void)state;
  for (int i = 0; i < 10; i++)
    GC_malloc_atomic(640);
  GC_gcollect();
  catch_log(print_free_atomic);
  assert_non_null(strstr(text, ": pieces with free slots of 640 bytes\n"));
  assert_true(lines_with(" free\n") >= 1);
  catch_log(print_nonsense);
  assert_int_equal(lines_with(" free\n"), 0);
}

static int
start(void **state) {
  (void)state;
  setenv("LOAM_RESERVE", "1G", 1);
  GC_INIT();
  return 0;
}

int
main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reallocf_frees_what_it_cannot_move),
      cmocka_unit_test(freezero_clears_no_more_than_there_is),
      cmocka_unit_test(valloc_gives_pages),
      cmocka_unit_test(arrays_do_not_overflow),
      cmocka_unit_test(sizes_are_foretold),
      cmocka_unit_test(pointers_are_hidden),
      cmocka_unit_test(links_take_pointers_inside),
      cmocka_unit_test(finished_and_disabled),
      cmocka_unit_test(the_counter_may_be_written),
      cmocka_unit_test(readers_have_the_lock),
      cmocka_unit_test(times_add_up),
      cmocka_unit_test(memory_from_the_system_is_told_of),
      cmocka_unit_test(stack_pointers_are_corrected),
      cmocka_unit_test(exclusions_are_forgotten),
      cmocka_unit_test(regions_are_listed),
      cmocka_unit_test(free_slots_are_listed),
  };
  return cmocka_run_group_tests(tests, start, NULL);
}
