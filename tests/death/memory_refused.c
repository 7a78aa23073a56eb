// The system refuses memory: a small ulimit -v before the start, or none left afterwards.  The program gets
// NULL, or one line at the start that says why; never a crash, a hang or a lost object.

#include <sys/resource.h>

#include "gc.h"
#include "tests/death/child.h"

enum { NODE_BYTES = 1000, KEPT = 1000 };

struct node {
  struct node *next;
  size_t number;
  char room[NODE_BYTES - 16];
};

static void
limit(int resource, size_t bytes) {
  struct rlimit both = {bytes, bytes};
  CHILD_CHECK(setrlimit((__rlimit_resource_t)resource, &both) == 0);
}

// The bytes of address space that the process has.
static size_t
address_space(void) {
  unsigned long pages = 0;
  FILE *statm = fopen("/proc/self/statm", "r");
  CHILD_CHECK(statm && fscanf(statm, "%lu", &pages) == 1);
  fclose(statm);
  return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static struct node *
cons(struct node *next) {
  struct node *node = GC_malloc(sizeof *node);
  if (!node)
    return NULL;
  node->next = next;
  node->number = next ? next->number + 1 : 0;
  return node;
}

static void
check_list(const struct node *list) {
  for (; list; list = list->next) {
    CHILD_CHECK(GC_base((void *)list) == list);
    CHILD_CHECK(list->next ? list->number == list->next->number + 1 : list->number == 0);
  }
}

// A list of a thousand nodes survives much garbage.
static void
use_a_little(void) {
  struct node *list = NULL;
  for (size_t i = 0; i < 50 * KEPT; i++) {
    struct node *node = cons(list);
    CHILD_CHECK(node);
    list = i % KEPT ? node : NULL;
  }
  check_list(list);
}

// Unlink the nodes, so that one stray pointer keeps no more than one of them.
static void
unlink_list(struct node *list) {
  while (list) {
    struct node *next = list->next;
    list->next = NULL;
    list = next;
  }
}

// Take all there is; it ends with NULL and ENOMEM, and what was taken is whole.
__attribute__((noinline)) static size_t
use_all(void) {
  struct node *list = NULL, *node;
  size_t count = 0;
  while ((node = cons(list))) {
    list = node;
    count++;
    CHILD_CHECK(count < 100000000);
  }
  CHILD_CHECK(errno == ENOMEM);
  check_list(list);
  CHILD_CHECK(gc_verify() == 0);
  unlink_list(list);
  return count;
}

__attribute__((noinline)) static void
clear_stack(void) {
  volatile char dirt[20000];
  for (size_t i = 0; i < sizeof dirt; i++)
    dirt[i] = 0;
}

static void
use_all_again_and_again(void) {
  size_t first = use_all();
  for (int i = 0; i < 3; i++) {
    clear_stack();
    GC_gcollect();
    CHILD_CHECK(use_all() > first / 2);
  }
}

// ---- Limits before the start ---------------------------------------------------------------------------

static size_t limit_bytes;

static void
limited_from_the_start(void) {
  limit(RLIMIT_AS, address_space() + limit_bytes);
  use_a_little();
  use_all_again_and_again();
}

// The least: the collector may say that it cannot start.
static void
limited_to_nothing(void) {
  limit(RLIMIT_AS, address_space() + limit_bytes);
  child_expect("loam: cannot reserve the least address space that it takes to begin (see ulimit -v)\n");
  GC_INIT();
}

static void
check_starts(void) {
  static const size_t sizes_mib[] = {512, 256, 64, 48};
  char name[100];
  for (size_t i = 0; i < sizeof sizes_mib / sizeof sizes_mib[0]; i++) {
    limit_bytes = sizes_mib[i] << 20;
    snprintf(name, sizeof name, "ulimit -v: %zu MiB more than the program has", sizes_mib[i]);
    child_check(name, limited_from_the_start, CHILD_EXITS);
  }
  limit_bytes = 0;
  child_check("ulimit -v: nothing more", limited_to_nothing, CHILD_ABORTS);
  limit_bytes = 256 << 10;
  child_check("ulimit -v: 256 KiB more", limited_to_nothing, CHILD_ABORTS);
}

// Whatever the limit: it works or says so.
static void
any_limit(void) {
  limit(RLIMIT_AS, address_space() + limit_bytes);
  child_expect_anything();
  struct node *list = NULL, *node;
  for (int i = 0; i < 10000 && (node = cons(list)); i++)
    list = node;
  check_list(list);
  GC_gcollect();
  check_list(list);
}

// ---- Limits after the start ----------------------------------------------------------------------------

static void
commit_refused(void) {
  child_expect_anything(); // gc_verify may say that it has no memory either
  GC_INIT();
  limit(RLIMIT_DATA, 64 << 20);
  use_a_little();
  use_all_again_and_again();
}

enum { WIDE = 1000000 };

// An array of a million objects.
static void **
build_wide(void) {
  void **wide = GC_malloc(WIDE * sizeof *wide);
  for (size_t i = 0; i < WIDE; i++) {
    wide[i] = GC_malloc(16);
    CHILD_CHECK(wide[i]);
    *(size_t *)wide[i] = i;
  }
  return wide;
}

// No table of the collector's own can grow, the mark stack among them: a wide graph must still be marked, or
// the collection called off.
static void
collect_wide(void **wide) {
  child_expect_anything();
  limit(RLIMIT_AS, address_space());
  for (int round = 0; round < 3; round++)
    GC_gcollect();
  for (size_t i = 0; i < WIDE; i++)
    CHILD_CHECK(GC_base(wide[i]) == wide[i] && *(size_t *)wide[i] == i);
  CHILD_CHECK(gc_verify() == 0);
}

static void
tables_refused(void) {
  collect_wide(build_wide());
}

// The first collection of all finds no memory.
static void
first_tables_refused(void) {
  GC_disable();
  void **wide = build_wide();
  GC_enable();
  collect_wide(wide);
}

static unsigned failing_call;

static void
one_call_fails(void) {
  char value[20];
  snprintf(value, sizeof value, "%u", failing_call);
  setenv("LOAM_STRESS_FAIL_OS", value, 1);
  any_limit();
}

// Whether a child worked, or ended with a line that says why it cannot.
static bool
works_or_says_why(void (*function)(void), bool *worked) {
  char errors[CHILD_TEXT_BYTES];
  child_errors = tmpfile();
  child_foreseen = tmpfile();
  int status = child_run(function);
  child_read(child_errors, errors);
  fclose(child_errors);
  fclose(child_foreseen);
  *worked = child_ended_as(status, CHILD_EXITS);
  if (*worked || (child_ended_as(status, CHILD_ABORTS) && strncmp(errors, "loam: ", 6) == 0))
    return true;
  tap_note("status %#x", status);
  child_note_text("stderr", errors);
  return false;
}

static void
check_every_limit(void) {
  unsigned refused = 0, works = 0, wrong = 0;
  for (limit_bytes = 0; limit_bytes < 24 << 20 && wrong == 0; limit_bytes += 127 << 10) {
    bool worked;
    wrong += !works_or_says_why(any_limit, &worked);
    works += worked;
    refused += !worked;
  }
  tap_ok(wrong == 0 && refused > 0 && works > 0,
         "every limit from 0 to %zu KiB: %u programs worked, %u said why not", limit_bytes >> 10, works,
         refused);
}

static void
check_failing_calls(void) {
  limit_bytes = (size_t)1 << 45;
  for (failing_call = 1; failing_call <= 60; failing_call++) {
    bool worked;
    tap_ok(works_or_says_why(one_call_fails, &worked), "system call %u for memory fails", failing_call);
  }
}

int
main(void) {
  if (CHILD_ASAN) {
    tap_skip("the address sanitizer needs the address space", "memory refused");
    return tap_done();
  }
  check_starts();
  check_every_limit();
  child_check("no memory can be committed after the start", commit_refused, CHILD_EXITS);
  child_check("no table can grow after the start", tables_refused, CHILD_EXITS);
  child_check("no table can be had at the first collection", first_tables_refused, CHILD_EXITS);
  check_failing_calls();
  return tap_done();
}
