// What searches read of static data: all of it first, then what was written since.
#include "world/watch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/lock.h"
#include "heap/heap.h"
#include "os/writes.h"
#include "world/roots.h"
#include "world/world.h"

#define GC_THREADS
#define GC_NO_THREAD_REDIRECTS
#include "gc.h"

enum { PAGES = 64 };

static _Alignas(4096) char table[PAGES + 2][4096];
static struct gc_range_array read_now, later;

enum search { FROM_SCRATCH, SEARCH, PUT_OFF, CALLED_OFF };

struct look {
  enum search search;
  bool done;
  size_t passed_over_bytes;
};

static void
look_stw(void *look_) {
  struct look *look = look_;
  gc_range_array_clear(&read_now);
  gc_range_array_clear(&later);
  if (look->search == FROM_SCRATCH || look->search == PUT_OFF)
    gc_roots_forget_searched_stw();
  look->done = gc_roots_begin_search_stw(&read_now, look->search == PUT_OFF ? &later : NULL);
  look->passed_over_bytes = gc_roots_passed_over_bytes();
  if (look->search == CALLED_OFF)
    gc_roots_call_off_search_stw();
}

static void *
look_spilled(void *look) {
  return gc_world_call_stopped(look_stw, look) ? look : NULL;
}

// Returns how many bytes were passed over, or put off.
static size_t
search(enum search kind) {
  struct look look = {.search = kind};
  gc_lock_acquire(&gc_cycle_lock);
  bool stopped = gc_world_call_spilled(look_spilled, &look) != NULL;
  gc_lock_release(&gc_cycle_lock);
  assert_true(stopped && look.done);
  return look.passed_over_bytes;
}

static bool
has(const struct gc_range_array *ranges, const void *word) {
  for (size_t i = 0; i < ranges->count; i++)
    if (ranges->items[i].base <= (const char *)word && (const char *)word < ranges->items[i].limit)
      return true;
  return false;
}

static bool
is_noticed(void) {
  return gc_writes_kind() == GC_WRITES_USERFAULT;
}

// How many of the pages in the middle of a table are read.
static size_t
count_read(char pages[][4096]) {
  size_t count = 0;
  for (size_t i = 1; i <= PAGES; i++)
    count += has(&read_now, &pages[i][100]);
  return count;
}

// The first search of a marking reads all; so does the second, which begins to watch.
static void
watch(void) {
  search(FROM_SCRATCH);
  search(SEARCH);
}

static void
touch(char pages[][4096]) {
  for (size_t i = 0; i < PAGES + 2; i++)
    *(volatile char *)pages[i] = 1;
}

static void
what_was_written_is_read(void **state) {
  (void)state;
  touch(table);
  watch();
  assert_int_equal(count_read(table), PAGES);
  search(SEARCH);
  assert_int_equal(count_read(table), is_noticed() ? 0 : PAGES);
  *(volatile char *)&table[7][4095] = 1;
  *(volatile char *)&table[30][0] = 1;
  search(SEARCH);
  assert_true(has(&read_now, &table[7][0]) && has(&read_now, &table[30][4095]));
  assert_int_equal(count_read(table), is_noticed() ? 2 : PAGES);
  size_t passed_over = search(SEARCH);
  assert_int_equal(count_read(table), is_noticed() ? 0 : PAGES);
  assert_true(passed_over >= (size_t)PAGES * 4096 || !is_noticed());
  search(FROM_SCRATCH);
  assert_int_equal(count_read(table), PAGES);
  search(SEARCH); // watched at once
  assert_int_equal(count_read(table), is_noticed() ? 0 : PAGES);
}

static void
all_once_each_is_not_watched(void **state) {
  (void)state;
  watch();
  search(FROM_SCRATCH);
  search(FROM_SCRATCH);
  assert_false(gc_writes_is_clean((struct gc_range){table[1], table[3]})); // nor registered
  search(SEARCH);
  assert_int_equal(count_read(table), PAGES);
}

static void
what_is_put_off_is_read_or_found(void **state) {
  (void)state;
  watch();
  size_t put_off = search(PUT_OFF);
  assert_true(put_off >= (size_t)PAGES * 4096 || !is_noticed());
  for (size_t i = 1; i <= PAGES; i++)
    assert_true(has(&read_now, table[i]) != has(&later, table[i]));
  assert_int_equal(count_read(table), is_noticed() ? 0 : PAGES);
  *(volatile char *)table[9] = 2;
  search(SEARCH);
  assert_int_equal(count_read(table), is_noticed() ? 1 : PAGES);
  assert_true(has(&read_now, table[9]));
  search(PUT_OFF);
  gc_roots_forget_put_off((struct gc_range){table[5], table[6]});
  search(SEARCH);
  assert_int_equal(count_read(table), PAGES);
}

static void
what_was_called_off_is_read_later(void **state) {
  (void)state;
  watch();
  search(SEARCH);
  *(volatile char *)table[20] = 1;
  search(CALLED_OFF);
  *(volatile char *)table[21] = 1;
  assert_true(has(&read_now, table[20]));
  gc_range_array_clear(&later);
  assert_true(gc_roots_push_called_off(&later));
  assert_true(has(&later, table[20]));
  assert_true(!has(&later, table[22]) || !is_noticed());
  gc_range_array_clear(&later);
  gc_roots_find_written(&later); // beside the program, before the next
  assert_true(has(&later, table[21]) == is_noticed() && !has(&later, table[20]));
  search(SEARCH);
  assert_int_equal(count_read(table), is_noticed() ? 0 : PAGES);
}

static char (*map(int flags, int fd))[4096] {
  void *mapped = mmap(NULL, sizeof table, PROT_READ | PROT_WRITE, flags, fd, 0);
  assert_true(mapped != MAP_FAILED);
  return mapped;
}

static void
map_anew(char *pages, size_t count) {
  assert_ptr_equal(mmap(pages, count * sizeof table[0], PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0),
                   pages);
}

// By another name, which watching would not notice.
static void
shared_memory_is_always_read(void **state) {
  (void)state;
  int fd = memfd_create("shared", 0);
  assert_int_equal(ftruncate(fd, sizeof table), 0);
  char(*one)[4096] = map(MAP_SHARED, fd), (*other)[4096] = map(MAP_SHARED, fd);
  GC_add_roots(one, one + PAGES + 2);
  touch(one);
  watch();
  search(SEARCH);
  *(volatile char *)other[5] = 1;
  search(SEARCH);
  assert_int_equal(count_read(one), PAGES);
  GC_remove_roots(one, one + PAGES + 2);
  search(SEARCH);
  munmap(one, sizeof table);
  munmap(other, sizeof table);
  close(fd);
}

static void
what_is_mapped_anew_is_read(void **state) {
  (void)state;
  char(*pages)[4096] = map(MAP_PRIVATE | MAP_ANONYMOUS, -1);
  GC_add_roots(pages, pages + PAGES + 2);
  touch(pages);
  watch();
  search(SEARCH);
  assert_int_equal(count_read(pages), is_noticed() ? 0 : PAGES);
  map_anew(pages[0], PAGES + 2);
  *(volatile char *)pages[3] = 1;
  search(SEARCH);
  assert_true(has(&read_now, pages[3]));
  search(SEARCH); // watched again
  search(SEARCH);
  *(volatile char *)pages[4] = 1;
  search(SEARCH);
  assert_true(has(&read_now, pages[4]));
  map_anew(pages[PAGES / 2], 4);
  *(volatile char *)pages[PAGES / 2 + 1] = 1;
  search(SEARCH);
  assert_true(has(&read_now, pages[PAGES / 2 + 1]));
  GC_remove_roots(pages, pages + PAGES + 2);
  munmap(pages, sizeof table);
}

// Memory that nobody has touched by that name: not even a page table tells of it.
static void
what_is_written_by_another_name_is_read(void **state) {
  (void)state;
  const size_t bytes = 8 << 20;
  int fd = memfd_create("shared", 0);
  assert_int_equal(ftruncate(fd, (off_t)bytes), 0);
  char *one = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  char *other = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  assert_true(one != MAP_FAILED && other != MAP_FAILED);
  GC_add_roots(one, one + bytes);
  memset(one, 1, bytes);
  watch();
  search(SEARCH);
  assert_ptr_equal(mmap(one, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0), one);
  memset(other, 2, bytes);
  search(SEARCH);
  assert_true(has(&read_now, one + bytes / 2));
  GC_remove_roots(one, one + bytes);
  search(SEARCH);
  munmap(one, bytes);
  munmap(other, bytes);
  close(fd);
}

// Watching would not pay.
static void
what_is_written_all_over_is_let_go(void **state) {
  (void)state;
  watch();
  for (int i = 0; i < 5; i++) {
    touch(table);
    search(SEARCH);
    assert_int_equal(count_read(table), PAGES);
  }
  search(SEARCH);
  assert_int_equal(count_read(table), PAGES);
  for (int i = 0; i < 20; i++) {
    search(FROM_SCRATCH);
    search(SEARCH);
    search(SEARCH);
  }
  assert_int_equal(count_read(table), is_noticed() ? 0 : PAGES);
}

static void
ranges_come_and_go(void **state) {
  (void)state;
  char(*pages)[4096] = map(MAP_PRIVATE | MAP_ANONYMOUS, -1);
  touch(table);
  touch(pages);
  watch();
  GC_add_roots(pages, pages + PAGES / 2);
  search(SEARCH);
  assert_true(has(&read_now, pages[1]));                         // new
  assert_int_equal(count_read(table), is_noticed() ? 0 : PAGES); // as before
  GC_add_roots(pages, pages + PAGES + 2);                        // merges with the other
  search(SEARCH);
  assert_int_equal(count_read(pages), PAGES);
  search(SEARCH);
  assert_int_equal(count_read(pages), is_noticed() ? 0 : PAGES);
  GC_remove_roots(pages[8], pages[10]);
  *(volatile char *)pages[20] = 1;
  search(SEARCH);
  assert_true(has(&read_now, pages[20]) && !has(&read_now, pages[8]));
  GC_remove_roots(pages, pages + PAGES + 2);
  search(SEARCH);
  assert_int_equal(count_read(pages), 0);
  munmap(pages, sizeof table);
}

static void
child_reads_all(void **state) {
  (void)state;
  watch();
  search(SEARCH);
  pid_t child = fork();
  if (child == 0) {
    *(volatile char *)table[11] = 1;
    search(SEARCH);
    bool right = count_read(table) == PAGES;
    search(SEARCH);
    *(volatile char *)table[12] = 1;
    search(SEARCH);
    _exit(right && has(&read_now, table[12]) ? 0 : 1);
  }
  int status;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(status, 0);
  *(volatile char *)table[13] = 1;
  search(SEARCH);
  assert_true(has(&read_now, table[13]));
}

int
main(void) {
  setenv("GC_MODE", "generational", 1);
  GC_INIT();
  GC_disable(); // searches are this test's
  GC_exclude_static_roots(&read_now, &read_now + 1);
  GC_exclude_static_roots(&later, &later + 1);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_was_written_is_read),
      cmocka_unit_test(all_once_each_is_not_watched),
      cmocka_unit_test(what_is_put_off_is_read_or_found),
      cmocka_unit_test(what_was_called_off_is_read_later),
      cmocka_unit_test(shared_memory_is_always_read),
      cmocka_unit_test(what_is_mapped_anew_is_read),
      cmocka_unit_test(ranges_come_and_go),
      cmocka_unit_test(what_is_written_by_another_name_is_read),
      cmocka_unit_test(what_is_written_all_over_is_let_go),
      cmocka_unit_test(child_reads_all),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
