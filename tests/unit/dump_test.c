// GC_dump and the reports after collections: that what they say is there, and true where it can be foreseen.
#define GC_THREADS
#define GC_NO_THREAD_REDIRECTS
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
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char text[1 << 20];
static const char *program;

// ---- Catching what is written --------------------------------------------------------------------------

// Read what was written to `fd`, a file, and close it.
static void
read_back(int fd) {
  ssize_t bytes = pread(fd, text, sizeof text - 1, 0);
  assert_true(bytes >= 0);
  text[bytes] = '\0';
  close(fd);
}

static int
make_file(void) {
  int fd = memfd_create("log", 0);
  assert_true(fd >= 0);
  return fd;
}

static void
dump(const char *name) {
  int fd = make_file();
  GC_set_log_fd(fd);
  if (name)
    GC_dump_named(name);
  else
    GC_dump();
  GC_set_log_fd(STDERR_FILENO);
  read_back(fd);
}

// The number after a text in the dump.
static size_t
number_after(const char *before) {
  const char *found = strstr(text, before);
  assert_non_null(found);
  return strtoull(found + strlen(before), NULL, 10);
}

struct row {
  size_t pages, slots, live_percent, new_percent, free_percent;
};

// The row of a kind and a slot size; all 0 if there is none.
static struct row
find_row(const char *kind, unsigned slot_bytes) {
  struct row row = {0};
  char start[64];
  snprintf(start, sizeof start, "\n  %-28s %10u ", kind, slot_bytes);
  const char *found = strstr(text, start);
  if (found)
    assert_int_equal(sscanf(found + strlen(start), "%zu %zu %zu %zu %zu", &row.pages, &row.slots,
                            &row.live_percent, &row.new_percent, &row.free_percent),
                     5);
  return row;
}

// ---- Tests ---------------------------------------------------------------------------------------------

static void
names_are_headings(void **state) {
  (void)state;
  dump(NULL);
  assert_memory_equal(text, "loam " LOAM_VERSION ": dump\nheap\n",
                      strlen("loam " LOAM_VERSION ": dump\nheap\n"));
  dump("before the flood");
  assert_non_null(strstr(text, ": dump before the flood\n"));
}

static void
figures_are_those_of_the_getters(void **state) {
  (void)state;
  GC_gcollect();
  dump(NULL);
  assert_int_equal(number_after("  resident    "), GC_get_heap_size() / 1024);
  assert_int_equal(number_after("  returned    "), GC_get_unmapped_bytes() / 1024);
  assert_int_equal(number_after("  live        "), GC_get_memory_use() / 1024);
  assert_int_equal(number_after("  allocated   "), 0);
  assert_int_equal(number_after("  finished    "), GC_get_gc_no());
}

static void
modes_and_pauses_are_told(void **state) {
  (void)state;
  struct GC_pause_kind_stats full;
  GC_gcollect();
  dump(NULL);
  GC_get_pause_kind_stats(GC_PAUSE_KIND_FULL, &full);
  assert_int_equal(number_after("  full        "), full.pauses.count);
  assert_true(number_after("  all         ") >= full.pauses.count);
  assert_non_null(strstr(text, "\n  mode        auto\n  writes      "));
  assert_non_null(strstr(text, "\n              stop "));
}

enum { OBJECTS = 5000, OBJECT_BYTES = 640 };

static void *kept[OBJECTS];

static void
classes_have_rows(void **state) {
  (void)state;
  GC_disable();
  for (size_t i = 0; i < OBJECTS; i++)
    kept[i] = GC_malloc_atomic(OBJECT_BYTES);
  GC_enable();
  dump(NULL);
  struct row before = find_row("pointer-free", OBJECT_BYTES);
  assert_true(before.pages >= 48 && before.slots >= OBJECTS);
  assert_true(before.new_percent > 90 && before.live_percent == 0);
  GC_gcollect();
  dump(NULL);
  struct row after = find_row("pointer-free", OBJECT_BYTES);
  assert_true(after.live_percent > 90 && after.new_percent == 0);
  assert_true(after.free_percent + after.live_percent >= 99);
  assert_int_equal(find_row("uncollectable", 12288).pages, 0);
  kept[0] = GC_malloc_uncollectable(12288);
  dump(NULL);
  assert_true(find_row("uncollectable", 12288).pages > 0);
  GC_free(kept[0]);
}

static void
largest_objects_come_first(void **state) {
  (void)state;
  for (size_t i = 0; i < 12; i++)
    kept[i] = GC_malloc_atomic((i + 1) << 20);
  dump(NULL);
  assert_int_equal(number_after("large objects\n  "), 12);
  const char *place = strstr(text, "the largest:\n");
  for (size_t i = 12; i-- > 2;) {
    char line[64];
    snprintf(line, sizeof line, "  %p %10zu KiB  pointer-free, ", kept[i], (i + 1) << 10);
    char *found = strstr(place, line);
    assert_non_null(found);
    place = found;
  }
  char smallest[32];
  snprintf(smallest, sizeof smallest, "%p", kept[1]);
  assert_null(strstr(text, smallest));
}

static char registered[4096] __attribute__((aligned(4096)));

static void
roots_are_listed(void **state) {
  (void)state;
  char *memory = mmap(NULL, 1 << 16, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  GC_add_roots(memory, memory + (1 << 16));
  GC_exclude_static_roots(registered, registered + sizeof registered);
  GC_gcollect();
  dump(NULL);
  char range[64];
  snprintf(range, sizeof range, "  %p to %p, 64 KiB\n", (void *)memory, (void *)(memory + (1 << 16)));
  assert_non_null(strstr(text, range));
  snprintf(range, sizeof range, " to %p,", (void *)registered);
  assert_non_null(strstr(text, range));
  GC_remove_roots(memory, memory + (1 << 16));
  munmap(memory, 1 << 16);
}

static pthread_barrier_t ready, go;
static long other_tid;

static void *
wait_blocked(void *unused) {
  pthread_barrier_wait(&ready);
  pthread_barrier_wait(&go);
  return unused;
}

static void *
block(void *unused) {
  other_tid = syscall(SYS_gettid);
  return GC_do_blocking(wait_blocked, unused);
}

static void
threads_are_listed(void **state) {
  (void)state;
  pthread_t thread;
  char line[64];
  pthread_barrier_init(&ready, NULL, 2);
  pthread_barrier_init(&go, NULL, 2);
  assert_int_equal(GC_pthread_create(&thread, NULL, block, NULL), 0);
  pthread_barrier_wait(&ready);
  dump(NULL);
  pthread_barrier_wait(&go);
  GC_pthread_join(thread, NULL);
  assert_int_equal(number_after("threads\n  "), 2);
  snprintf(line, sizeof line, "\n  %-8ld blocked, stack 0x", other_tid);
  assert_non_null(strstr(text, line));
  snprintf(line, sizeof line, "\n  %-8ld running, stack 0x", (long)getpid());
  assert_non_null(strstr(text, line));
  assert_non_null(strstr(text, " (the calling thread)\n"));
}

// A pipe that nobody empties while the dump is made must not hold the stopped world up.
static void *
read_pipe(void *fd) {
  size_t bytes = 0, got;
  while (GC_malloc(100) && (got = (size_t)read((int)(intptr_t)fd, text, sizeof text)) > 0)
    bytes += got;
  return (void *)bytes;
}

static void
reader_may_be_one_of_the_threads(void **state) {
  (void)state;
  int ends[2];
  pthread_t thread;
  void *bytes;
  assert_int_equal(pipe(ends), 0);
  assert_int_equal(pthread_create(&thread, NULL, read_pipe, (void *)(intptr_t)ends[0]), 0);
  GC_set_log_fd(ends[1]);
  for (int i = 0; i < 50; i++)
    GC_dump();
  GC_set_log_fd(STDERR_FILENO);
  close(ends[1]);
  pthread_join(thread, &bytes);
  close(ends[0]);
  assert_true((size_t)bytes > 50 * 1000);
}

// Run this program anew, to collect twice, with one variable set; its standard error is read back.
static void
collect_with(const char *variable) {
  int fd = make_file(), status;
  pid_t child = fork();
  if (child == 0) {
    setenv(variable, "1", 1);
    dup2(fd, STDERR_FILENO);
    execl(program, program, "collect", (char *)NULL);
    _exit(1);
  }
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(status, 0);
  read_back(fd);
}

static size_t
count(const char *part) {
  size_t count = 0;
  for (const char *at = text; (at = strstr(at, part)); at += strlen(part))
    count++;
  return count;
}

static void
each_collection_is_followed_by_a_dump(void **state) {
  (void)state;
  collect_with("GC_DUMP_REGULARLY");
  assert_int_equal(count(": dump after a collection\n"), 2);
  assert_int_equal(count("[stack]"), 0);
}

static void
each_collection_is_followed_by_the_address_map(void **state) {
  (void)state;
  collect_with("GC_PRINT_ADDRESS_MAP");
  assert_int_equal(count("loam: address map\n"), 2);
  assert_int_equal(count("[stack]\n"), 2);
}

int
main(int argc, char **argv) {
  program = argv[0];
  GC_INIT();
  if (argc > 1) {
    GC_gcollect();
    GC_gcollect();
    return 0;
  }
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(names_are_headings),
      cmocka_unit_test(figures_are_those_of_the_getters),
      cmocka_unit_test(modes_and_pauses_are_told),
      cmocka_unit_test(classes_have_rows),
      cmocka_unit_test(largest_objects_come_first),
      cmocka_unit_test(roots_are_listed),
      cmocka_unit_test(threads_are_listed),
      cmocka_unit_test(reader_may_be_one_of_the_threads),
      cmocka_unit_test(each_collection_is_followed_by_a_dump),
      cmocka_unit_test(each_collection_is_followed_by_the_address_map),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
