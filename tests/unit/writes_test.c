// Noticing writes: every back end against the contract of writes.h, and what each must bear beside.
#include "os/writes.h"

#include <fcntl.h>
#include <liburing.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "writes_fixture.h"

#include "os/files.h"

// ---- The contract -------------------------------------------------------------------------------------

static void
a_write_is_reported_once(void **state) {
  if (!choose(state))
    return;
  assert_true(write_and_arm());
  assert_int_equal(count_written(), 0);
  write_at(0), write_at(7 * GC_WRITES_ARM_BYTES + 5000), write_at(COMMITTED_BYTES - 1);
  assert_true(gc_writes_harvest(everything()));
  assert_true(is_written(0) && is_written(7 * GC_WRITES_ARM_BYTES + 5000) && is_written(COMMITTED_BYTES - 1));
  assert_int_equal(count_written(), 3 * grain / GC_WRITES_BYTES);
  clear_written();
  assert_true(gc_writes_harvest(everything()));
  assert_int_equal(count_written(), 0);
}

static void
each_write_after_a_harvest_is_reported_anew(void **state) {
  if (!choose(state))
    return;
  assert_true(write_and_arm());
  for (int i = 0; i < 100; i++) {
    write_at(3 * GC_WRITES_ARM_BYTES);
    assert_true(harvest_finds_only(3 * GC_WRITES_ARM_BYTES));
  }
}

static void
arming_again_forgets(void **state) {
  if (!choose(state))
    return;
  assert_true(write_and_arm());
  write_everywhere();
  assert_true(gc_writes_arm(everything()));
  write_at(12345);
  assert_true(harvest_finds_only(12345));
}

static size_t
minor_faults(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (size_t)usage.ru_minflt + gc_writes_counts().faults;
}

static void
disarmed_pages_cost_nothing(void **state) {
  if (!choose(state))
    return;
  assert_true(write_and_arm());
  write_at(0);
  gc_writes_disarm(pages(0, PAGES / 2));
  size_t before = minor_faults();
  for (size_t offset = 0; offset < COMMITTED_BYTES / 2; offset += GC_WRITES_BYTES)
    write_at(offset);
  assert_in_range(minor_faults() - before, 0, 10);
  write_at(COMMITTED_BYTES - 1);
  assert_true(gc_writes_harvest(pages(PAGES / 2, PAGES)));
  assert_int_equal(count_written(), grain / GC_WRITES_BYTES);
}

// Memory that was committed after the choice, and memory that nobody has touched, too.
static void
fresh_memory_can_be_armed(void **state) {
  if (!choose(state))
    return;
  assert_true(gc_os_commit(heap + COMMITTED_BYTES, COMMITTED_BYTES));
  assert_true(gc_writes_arm(pages(0, 2 * PAGES)));
  assert_true(gc_writes_harvest(pages(0, 2 * PAGES)));
  assert_int_equal(count_written(), 0);
  write_at(5), write_at(COMMITTED_BYTES);
  assert_true(gc_writes_harvest(pages(0, 2 * PAGES)));
  assert_true(is_written(0) && is_written(COMMITTED_BYTES));
  assert_int_equal(count_written(), grain / GC_WRITES_BYTES);
}

static void
what_is_written_after_a_release_is_reported(void **state) {
  if (!choose(state))
    return;
  assert_true(write_and_arm());
  assert_true(gc_os_release(heap, COMMITTED_BYTES / 2));
  for (size_t page = 0; page < PAGES / 2; page += 2)
    write_at(page * GC_WRITES_ARM_BYTES);
  assert_true(gc_writes_harvest(everything()));
  for (size_t page = 0; page < PAGES / 2; page += 2)
    assert_true(is_written(page * GC_WRITES_ARM_BYTES));
  for (size_t page = PAGES / 2; page < PAGES; page++)
    assert_false(is_written(page * GC_WRITES_ARM_BYTES));
}

static void
reading_is_no_write(void **state) {
  if (!choose(state))
    return;
  assert_true(write_and_arm());
  int sum = 0;
  for (size_t offset = 0; offset < COMMITTED_BYTES; offset++)
    sum += ((volatile char *)heap)[offset];
  assert_true(gc_writes_harvest(everything()));
  assert_int_equal(count_written(), 0);
  assert_int_not_equal(sum, 0);
}

static void
counts_tell_what_was_found(void **state) {
  if (!choose(state))
    return;
  struct gc_writes_counts before = gc_writes_counts();
  assert_true(write_and_arm());
  write_at(0);
  assert_true(gc_writes_harvest(everything()));
  struct gc_writes_counts after = gc_writes_counts();
  assert_int_equal(after.harvests - before.harvests, 1);
  assert_int_equal(after.written_pages - before.written_pages, grain / gc_os_page_bytes());
  assert_int_equal(after.faults - before.faults, gc_writes_kind() == GC_WRITES_PROTECT);
}

static void
a_back_end_can_be_chosen_again(void **state) {
  for (int i = 0; i < 10; i++) {
    if (!choose(state))
      return;
    assert_int_equal(count_written(), 0);
    assert_true(write_and_arm());
    write_at(77);
    assert_true(harvest_finds_only(77));
  }
  assert_true(gc_writes_choose(heap, RESERVED_BYTES, GC_WRITES_CARDS));
  write_everywhere();
}

// ---- Against a model ----------------------------------------------------------------------------------

enum { UNARMED, CLEAN, WRITTEN };
static unsigned char model[COMMITTED_BYTES / GC_WRITES_BYTES]; // for each byte of gc_written

static void
model_set(struct gc_range range, unsigned char value) {
  memset(model + (range.base - heap) / GC_WRITES_BYTES, value, gc_range_bytes(range) / GC_WRITES_BYTES);
}

static void
model_write(size_t offset) {
  size_t first = gc_round_down(offset, grain) / GC_WRITES_BYTES;
  write_at(offset);
  for (size_t i = first; i < first + grain / GC_WRITES_BYTES; i++)
    if (model[i] == CLEAN)
      model[i] = WRITTEN;
}

// Nothing outside the range is reported; within, of what is armed, exactly what was written.
static void
model_harvest(struct gc_range range) {
  assert_true(gc_writes_harvest(range));
  for (size_t i = 0; i < COMMITTED_BYTES / GC_WRITES_BYTES; i++) {
    const char *at = heap + i * GC_WRITES_BYTES;
    bool within = range.base <= at && at < range.limit;
    if (!within || model[i] != UNARMED)
      assert_int_equal(gc_written[i] != 0, within && model[i] == WRITTEN);
    if (within && model[i] == WRITTEN)
      model[i] = CLEAN;
  }
  clear_written();
}

static struct gc_range
random_pages(void) {
  size_t first = random_below(PAGES), limit = first + 1 + random_below(PAGES - first);
  return pages(first, limit);
}

static void
model_step(void) {
  struct gc_range range = random_pages();
  size_t choice = random_below(100);
  if (choice < 85) {
    model_write(random_below(COMMITTED_BYTES));
  } else if (choice < 95) {
    model_harvest(range);
  } else if (choice < 98) {
    assert_true(gc_writes_arm(range));
    model_set(range, CLEAN);
  } else {
    gc_writes_disarm(range);
    model_set(range, UNARMED);
  }
}

static void
it_does_what_the_model_does(void **state) {
  if (!choose(state))
    return;
  random_begin("it_does_what_the_model_does");
  write_everywhere();
  model_set(everything(), UNARMED);
  for (int i = 0; i < 20000; i++)
    model_step();
}

// ---- Huge pages ---------------------------------------------------------------------------------------

// KiB of huge pages behind the heap; also how many mappings it is made of.
static size_t
huge_kib(size_t *mappings) {
  struct gc_os_lines lines;
  size_t kib = 0, base, limit;
  bool ours = false;
  *mappings = 0;
  assert_true(gc_os_lines_open(&lines, "/proc/self/smaps"));
  for (char *line; (line = gc_os_lines_next(&lines));) {
    if (sscanf(line, "%zx-%zx ", &base, &limit) == 2) {
      ours = (uintptr_t)heap <= base && limit <= (uintptr_t)heap + RESERVED_BYTES;
      *mappings += ours;
    } else if (ours && strncmp(line, "AnonHugePages:", 14) == 0) {
      kib += strtoull(line + 14, NULL, 10);
    }
  }
  gc_os_lines_close(&lines);
  return kib;
}

static void
make_huge(void) {
  size_t mappings;
  gc_os_advise_huge_pages(heap, COMMITTED_BYTES, true);
  write_everywhere();
  printf("# %zu KiB of %zu in huge pages\n", huge_kib(&mappings), COMMITTED_BYTES / GC_KIB);
}

// The first write splits a huge page, so that even that is reported exactly.
static void
huge_pages_lose_nothing(void **state) {
  if (!choose(state))
    return;
  make_huge();
  assert_true(gc_writes_arm(everything()));
  assert_true(gc_writes_harvest(everything()));
  assert_int_equal(count_written(), 0);
  for (size_t offset = 100; offset < COMMITTED_BYTES; offset += 3 * GC_MIB) {
    write_at(offset);
    assert_true(harvest_finds_only(offset));
  }
}

// Where the system gives huge pages at all, it still does when the memory was armed before it was used.
static void
armed_memory_may_become_huge(void **state) {
  size_t mappings, armed_kib, all_kib;
  if (!choose(state))
    return;
  assert_true(gc_os_commit(heap + COMMITTED_BYTES, COMMITTED_BYTES));
  gc_os_advise_huge_pages(heap, 2 * COMMITTED_BYTES, true);
  assert_true(gc_writes_arm(everything()));
  assert_true(gc_writes_harvest(everything()));
  write_everywhere();
  armed_kib = huge_kib(&mappings);
  memset(heap + COMMITTED_BYTES, 1, COMMITTED_BYTES);
  all_kib = huge_kib(&mappings);
  printf("# %zu KiB of huge pages, %zu of them armed before\n", all_kib, armed_kib);
  assert_true(armed_kib > 0 || all_kib < COMMITTED_BYTES / GC_KIB);
}

static void
parts_of_huge_pages_can_be_armed(void **state) {
  if (!choose(state))
    return;
  make_huge();
  assert_true(gc_writes_arm(pages(1, 2)) && gc_writes_arm(pages(40, 41)));
  write_everywhere();
  assert_true(gc_writes_harvest(pages(1, 2)) && gc_writes_harvest(pages(40, 41)));
  assert_int_equal(count_written(), 2 * WRITES_PER_PAGE);
}

static void
huge_pages_can_be_released(void **state) {
  if (!choose(state))
    return;
  make_huge();
  assert_true(gc_writes_arm(everything()));
  assert_true(gc_os_release(heap, COMMITTED_BYTES));
  write_at(9 * GC_MIB);
  assert_true(gc_writes_harvest(everything()));
  assert_true(is_written(9 * GC_MIB));
  clear_written();
  write_at(9 * GC_MIB + 1), write_at(4 * GC_MIB);
  assert_true(gc_writes_harvest(everything()));
  assert_true(is_written(9 * GC_MIB) && is_written(4 * GC_MIB));
}

// ---- fork ---------------------------------------------------------------------------------------------

static void
work_in_a_child(void) {
  enum gc_writes_kind kind = gc_writes_kind();
  write_at(3 * GC_WRITES_ARM_BYTES);
  gc_writes_after_fork_child();
  CHILD_CHECK(gc_writes_kind() == kind);
  CHILD_CHECK(count_written() == 0);
  CHILD_CHECK(write_and_arm());
  write_at(5 * GC_WRITES_ARM_BYTES);
  CHILD_CHECK(harvest_finds_only(5 * GC_WRITES_ARM_BYTES));
}

static void
work_in_a_grandchild(void) {
  work_in_a_child();
  CHILD_CHECK(status_of_child(work_in_a_child) == 0);
  write_at(6 * GC_WRITES_ARM_BYTES);
  CHILD_CHECK(harvest_finds_only(6 * GC_WRITES_ARM_BYTES));
}

// What a child does changes nothing for its parent, where all stays armed.
static void
parent_and_child_go_on(void **state) {
  if (!choose(state))
    return;
  assert_true(write_and_arm());
  assert_int_equal(status_of_child(work_in_a_child), 0);
  write_at(7 * GC_WRITES_ARM_BYTES);
  assert_true(harvest_finds_only(7 * GC_WRITES_ARM_BYTES));
  assert_int_equal(status_of_child(work_in_a_grandchild), 0);
  assert_true(gc_writes_harvest(everything()));
  write_at(8 * GC_WRITES_ARM_BYTES);
  assert_true(harvest_finds_only(8 * GC_WRITES_ARM_BYTES));
}

static void
allow_descriptors(size_t count) {
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = count;
  setrlimit(RLIMIT_NOFILE, &limit);
}

static void
be_refused_in_a_child(void) {
  allow_descriptors(3);
  gc_writes_after_fork_child();
  CHILD_CHECK(gc_writes_kind() == GC_WRITES_NONE);
  CHILD_CHECK(gc_written == NULL && gc_writes_reason()[0] != '\0');
  write_everywhere();
}

static void
a_child_may_be_refused(void **state) {
  if (!choose(state))
    return;
  assert_true(write_and_arm());
  assert_int_equal(status_of_child(be_refused_in_a_child), 0);
  write_at(0);
  assert_true(harvest_finds_only(0));
}

// ---- USERFAULT: what the system may do to it ----------------------------------------------------------

static void
be_refused(void) {
  for (size_t allowed = 3; allowed <= 4; allowed++) {
    allow_descriptors(allowed);
    CHILD_CHECK(!gc_writes_choose(heap, RESERVED_BYTES, GC_WRITES_USERFAULT));
    CHILD_CHECK(gc_writes_kind() == GC_WRITES_NONE && gc_writes_reason()[0] != '\0');
    CHILD_CHECK(dup(0) == (allowed == 3 ? -1 : 3)); // nothing was left open
  }
}

static void
a_refusal_has_a_reason(void **state) {
  if (!choose(state))
    return;
  gc_writes_choose(heap, RESERVED_BYTES, GC_WRITES_NONE);
  assert_int_equal(status_of_child(be_refused), 0);
}

static void
all_mappings_merge(void **state) {
  size_t mappings;
  if (!choose(state))
    return;
  assert_true(write_and_arm());
  for (size_t page = 0; page < PAGES; page += 2)
    write_at(page * GC_WRITES_ARM_BYTES);
  assert_true(gc_writes_harvest(everything()));
  gc_writes_disarm(pages(10, 20));
  assert_true(gc_os_commit(heap + COMMITTED_BYTES, COMMITTED_BYTES));
  huge_kib(&mappings);
  assert_int_equal(mappings, 2);
}

static void
receive(char *target) {
  char half[2][100] = {{0}};
  int ends[2];
  struct iovec parts[2] = {{target + 200, 10}, {target + GC_WRITES_ARM_BYTES, 10}};
  assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  assert_int_equal(write(ends[1], half, sizeof half), sizeof half);
  assert_int_equal(read(ends[0], target, 10), 10);
  assert_int_equal(readv(ends[0], parts, 2), 20);
  assert_int_equal(recv(ends[0], target + 2 * GC_WRITES_ARM_BYTES, 10, 0), 10);
  close(ends[0]), close(ends[1]);
}

static void
the_kernel_may_write(void **state) {
  if (!choose(state))
    return;
  assert_true(write_and_arm());
  for (int i = 0; i < 10; i++) {
    receive(heap);
    clear_written();
    assert_true(gc_writes_harvest(everything()));
    for (size_t page = 0; page < 3; page++)
      assert_true(is_written(page * GC_WRITES_ARM_BYTES));
    assert_int_equal(count_written(), 3);
  }
}

// The kernel reads on behalf of the program, perhaps on a thread of its own.
static void
receive_by_ring(struct io_uring *ring, bool by_its_thread) {
  int ends[2];
  assert_int_equal(pipe(ends), 0);
  struct io_uring_sqe *entry = io_uring_get_sqe(ring);
  io_uring_prep_read(entry, ends[0], heap + 7 * GC_WRITES_ARM_BYTES, 10, 0);
  io_uring_sqe_set_flags(entry, by_its_thread ? IOSQE_ASYNC : 0);
  assert_int_equal(io_uring_submit(ring), 1);
  assert_int_equal(write(ends[1], "0123456789", 10), 10);
  struct io_uring_cqe *done;
  assert_int_equal(io_uring_wait_cqe(ring, &done), 0);
  assert_int_equal(done->res, 10);
  io_uring_cqe_seen(ring, done);
  close(ends[0]), close(ends[1]);
}

static void
io_uring_may_write(void **state) {
  struct io_uring ring;
  if (!choose(state))
    return;
  if (io_uring_queue_init(4, &ring, 0) != 0)
    skip(); // sandboxes forbid it
  assert_true(write_and_arm());
  for (int i = 0; i < 20; i++) {
    receive_by_ring(&ring, i % 2);
    assert_true(harvest_finds_only(7 * GC_WRITES_ARM_BYTES));
  }
  io_uring_queue_exit(&ring);
}

static void
close_from(int first, int limit) {
  for (int fd = first; fd < limit; fd++)
    close(fd);
}

enum { OURS_AT_MOST = 20 }; // descriptors

// Of a range that is not watched any more everything is reported; it can be armed again.
static void
lose_files_and_go_on(void (*lose)(int first, int limit), int first, int limit) {
  assert_true(write_and_arm());
  lose(first, limit);
  clear_written();
  assert_false(gc_writes_harvest(pages(0, 10)));
  assert_int_equal(count_written(), 10 * WRITES_PER_PAGE);
  write_everywhere();
  assert_true(gc_writes_arm(everything()));
  write_at(GC_MIB);
  assert_true(harvest_finds_only(GC_MIB));
}

static void
the_program_may_close_our_files(void **state) {
  close_from(3, OURS_AT_MOST);
  if (!choose(state))
    return;
  lose_files_and_go_on(close_from, 3, OURS_AT_MOST);
  lose_files_and_go_on(close_from, 3, 4);
  lose_files_and_go_on(close_from, 4, 5);
  assert_true(fcntl(5, F_GETFD) < 0); // there are two of them
}

static void
replace_from(int first, int limit) {
  for (int fd = first; fd < limit; fd++)
    assert_int_equal(dup2(0, fd), fd);
}

static void
the_program_may_have_other_files_there(void **state) {
  if (!choose(state))
    return;
  lose_files_and_go_on(replace_from, 3, OURS_AT_MOST);
  for (int fd = 3; fd < OURS_AT_MOST; fd++)
    assert_int_equal(fcntl(fd, F_GETFD), 0); // the program's: ours would be closed by exec
  close_from(3, OURS_AT_MOST);
}

static void
no_file_outlives_exec(void **state) {
  if (!choose(state))
    return;
  for (int fd = 3; fd < OURS_AT_MOST; fd++)
    assert_true(fcntl(fd, F_GETFD) < 0 || (fcntl(fd, F_GETFD) & FD_CLOEXEC));
}

// ---- Outside the heap ---------------------------------------------------------------------------------

enum { WATCHED_BYTES = 64 << 10 };

static struct gc_range
map_outside(void) {
  char *base = gc_os_map_stack(WATCHED_BYTES);
  assert_non_null(base);
  memset(base, 1, WATCHED_BYTES);
  return (struct gc_range){base, base + WATCHED_BYTES};
}

static void
other_memory_can_be_watched(void **state) {
  if (!choose(state))
    return;
  struct gc_range range = map_outside();
  char *base = (char *)(uintptr_t)range.base;
  assert_false(gc_writes_is_clean(range)); // nobody watches it
  for (size_t offset = 0; offset < WATCHED_BYTES; offset += 5000) {
    assert_true(gc_writes_watch(range));
    assert_true(gc_writes_is_clean(range));
    assert_true(gc_writes_is_clean(range));
    *(volatile char *)(base + offset) = 2;
    assert_false(gc_writes_is_clean(range));
  }
  assert_true(gc_writes_watch(range));
  gc_writes_unwatch(range);
  assert_false(gc_writes_is_clean(range));
  gc_os_unmap_stack(base, WATCHED_BYTES);
  assert_false(gc_writes_watch(range)); // there is nothing
}

// What is written there is for harvests to find.
static void
the_heap_cannot_be_watched(void **state) {
  if (!choose(state))
    return;
  assert_true(write_and_arm());
  write_at(0);
  assert_false(gc_writes_watch(pages(0, 1)));
  assert_false(gc_writes_is_clean(pages(0, 1)));
  gc_writes_unwatch(pages(0, 1));
  assert_true(harvest_finds_only(0));
}

static void
other_memory_cannot_be_watched(void **state) {
  if (!choose(state))
    return;
  struct gc_range range = map_outside();
  assert_false(gc_writes_watch(range));
  assert_false(gc_writes_is_clean(range));
  gc_writes_unwatch(range);
  gc_os_unmap_stack((char *)(uintptr_t)range.base, WATCHED_BYTES);
}

// ---- PROTECT: what it cannot do -----------------------------------------------------------------------

static void
the_kernel_may_not_write(void **state) {
  int ends[2];
  if (!choose(state))
    return;
  assert_true(write_and_arm());
  assert_int_equal(pipe(ends), 0);
  assert_int_equal(write(ends[1], "x", 1), 1);
  assert_int_equal(read(ends[0], heap, 1), -1);
  close(ends[0]), close(ends[1]);
}

// ---- CARDS --------------------------------------------------------------------------------------------

static void
the_program_says_where_it_writes(void **state) {
  assert_true(choose(state));
  assert_true(write_and_arm());
  assert_true(gc_writes_harvest(everything()));
  assert_int_equal(count_written(), 0);
  gc_written[5] = 1;
  assert_true(gc_writes_harvest(everything()));
  assert_true(is_written(5 * GC_WRITES_BYTES));
  assert_int_equal(count_written(), 1);
  gc_writes_disarm(everything());
}

int
main(void) {
  const struct CMUnitTest tests[] = {
      WITH_BOTH(a_write_is_reported_once),
      WITH_BOTH(each_write_after_a_harvest_is_reported_anew),
      WITH_BOTH(arming_again_forgets),
      WITH_BOTH(disarmed_pages_cost_nothing),
      WITH_BOTH(fresh_memory_can_be_armed),
      WITH_BOTH(what_is_written_after_a_release_is_reported),
      WITH_BOTH(reading_is_no_write),
      WITH_BOTH(counts_tell_what_was_found),
      WITH_BOTH(a_back_end_can_be_chosen_again),
      WITH_BOTH(it_does_what_the_model_does),
      WITH_BOTH(huge_pages_lose_nothing),
      WITH(USERFAULT, armed_memory_may_become_huge),
      WITH_BOTH(parts_of_huge_pages_can_be_armed),
      WITH_BOTH(huge_pages_can_be_released),
      WITH_BOTH(parent_and_child_go_on),
      WITH(USERFAULT, a_child_may_be_refused),
      WITH(USERFAULT, a_refusal_has_a_reason),
      WITH(USERFAULT, all_mappings_merge),
      WITH(USERFAULT, the_kernel_may_write),
      WITH(USERFAULT, io_uring_may_write),
      WITH(USERFAULT, the_program_may_close_our_files),
      WITH(USERFAULT, the_program_may_have_other_files_there),
      WITH(USERFAULT, no_file_outlives_exec),
      WITH(USERFAULT, other_memory_can_be_watched),
      WITH(USERFAULT, the_heap_cannot_be_watched),
      WITH(PROTECT, other_memory_cannot_be_watched),
      WITH(PROTECT, the_kernel_may_not_write),
      WITH(CARDS, the_program_says_where_it_writes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
