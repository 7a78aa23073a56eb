// Which pages have been touched: what was written is always among the parts that are visited; where the
// kernel tells (Linux 6.7), little else is.
#include "os/pagemap.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"

enum { PAGES = 4096 };

static char *memory; // PAGES OS pages
static size_t page_bytes;

struct visits {
  const char *last; // end of the last part
  size_t parts;
  bool visited[PAGES];
};

static void
visit(struct gc_range part, void *data) {
  struct visits *visits = data;
  assert_true(part.base < part.limit && part.base >= visits->last);
  visits->last = part.limit;
  visits->parts++;
  for (const char *at = part.base; at < part.limit; at += page_bytes)
    visits->visited[(size_t)(at - memory) / page_bytes] = true;
}

static struct visits
visit_pages(size_t first, size_t bytes, size_t *visited_bytes) {
  struct visits visits = {.last = memory};
  const char *base = memory + first * page_bytes;
  int pagemap = gc_pagemap_open();
  *visited_bytes = gc_pagemap_visit_touched(pagemap, (struct gc_range){base, base + bytes}, visit, &visits);
  gc_pagemap_close(pagemap);
  assert_true(*visited_bytes <= bytes);
  return visits;
}

static void
begin(void) {
  page_bytes = (size_t)sysconf(_SC_PAGESIZE);
  if (memory)
    munmap(memory, PAGES * page_bytes);
  memory = mmap(NULL, PAGES * page_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  assert_ptr_not_equal(memory, MAP_FAILED);
  madvise(memory, PAGES * page_bytes, MADV_NOHUGEPAGE);
}

static bool
kernel_tells(void) {
  size_t bytes;
  begin();
  visit_pages(0, PAGES * page_bytes, &bytes);
  return bytes == 0;
}

static void
what_was_written_is_visited(void **state) {
  (void)state;
  bool exact = kernel_tells();
  random_begin("pagemap");
  for (size_t one_of = 1; one_of <= 1000; one_of *= 3) {
    static bool written[PAGES];
    size_t count = 0, bytes;
    begin();
    for (size_t page = 0; page < PAGES; page++)
      if ((written[page] = random_below(one_of) == 0)) {
        memory[page * page_bytes + random_below(page_bytes)] = 1;
        count++;
      }
    struct visits visits = visit_pages(0, PAGES * page_bytes, &bytes);
    for (size_t page = 0; page < PAGES; page++)
      assert_true(visits.visited[page] >= written[page]);
    assert_int_equal(bytes, (exact ? count : PAGES) * page_bytes);
  }
}

static void
a_range_may_end_in_the_midst_of_a_page(void **state) {
  (void)state;
  size_t bytes, asked = 7 * page_bytes + 48;
  begin();
  memset(memory, 1, 20 * page_bytes);
  visit_pages(3, asked, &bytes);
  assert_int_equal(bytes, asked);
}

static void
what_was_given_back_is_untouched(void **state) {
  (void)state;
  if (!kernel_tells())
    skip();
  size_t bytes;
  memset(memory, 1, 64 * page_bytes);
  madvise(memory + 16 * page_bytes, 16 * page_bytes, MADV_DONTNEED);
  visit_pages(0, PAGES * page_bytes, &bytes);
  assert_int_equal(bytes, 48 * page_bytes);
}

// Its own memory, which is a copy by then.
static void
a_forked_child_asks_about_itself(void **state) {
  (void)state;
  bool exact = kernel_tells();
  size_t bytes;
  int status;
  memory[0] = 1;
  pid_t child = fork();
  if (child == 0) {
    memory[5 * page_bytes] = 1;
    struct visits visits = visit_pages(0, PAGES * page_bytes, &bytes);
    _exit(visits.visited[0] && visits.visited[5] && bytes == (exact ? 2 : PAGES) * page_bytes ? 0 : 1);
  }
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(status, 0);
  visit_pages(0, PAGES * page_bytes, &bytes);
  assert_int_equal(bytes, (exact ? 1 : PAGES) * page_bytes);
}

static void
without_a_descriptor_all_is_visited(void **state) {
  (void)state;
  struct rlimit before, none;
  size_t bytes;
  begin();
  getrlimit(RLIMIT_NOFILE, &before);
  none = before;
  none.rlim_cur = 0;
  setrlimit(RLIMIT_NOFILE, &none);
  struct visits visits = visit_pages(0, PAGES * page_bytes, &bytes);
  setrlimit(RLIMIT_NOFILE, &before);
  assert_int_equal(bytes, PAGES * page_bytes);
  assert_int_equal(visits.parts, 1);
}

int
main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_was_written_is_visited),
      cmocka_unit_test(a_range_may_end_in_the_midst_of_a_page),
      cmocka_unit_test(what_was_given_back_is_untouched),
      cmocka_unit_test(a_forked_child_asks_about_itself),
      cmocka_unit_test(without_a_descriptor_all_is_visited),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
