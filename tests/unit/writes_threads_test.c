// Noticing writes while threads write.
//
// The collector keeps a copy of the heap that it brings up to date as a collection would: harvest, clear
// the bytes, read what was reported.  Whatever was written and never reported after that is wrong in the
// copy, and is found when the threads rest.
#include <pthread.h>
#include <sched.h>

#include "writes_fixture.h"

#include "base/atomic.h"

enum { THREADS = 4, ROUNDS = 30, TURNS_PER_ROUND = 12, HOT_PAGES = 4 };
enum { WORDS_PER_GRAIN = GC_WRITES_BYTES / sizeof(uint64_t) };

#define WORDS (COMMITTED_BYTES / sizeof(uint64_t))

static uint64_t copy[WORDS];
static struct gc_atomic go, done, stop; // a round's number; threads that rest; whether to end
static struct gc_atomic writes_per_round;

static volatile uint64_t *
words(void) {
  return (volatile uint64_t *)heap;
}

// ---- Threads that write -------------------------------------------------------------------------------

struct writer {
  pthread_t thread;
  size_t index;
  uint64_t random, written;
};

// Each thread has words of its own in every OS page, so that what is there last is what it wrote last.
// Half the writes go to a few pages, where the threads are in each other's way.
static void
write_somewhere(struct writer *writer) {
  writer->random = writer->random * UINT64_C(6364136223846793005) + 1442695040888963407;
  size_t random = writer->random >> 33, near = random & 1 ? HOT_PAGES : COMMITTED_BYTES / GC_WRITES_BYTES;
  size_t word = (random >> 1) % near * WORDS_PER_GRAIN + writer->index + THREADS * (random % 8);
  words()[word] = ++writer->written;
}

static void *
write_in_rounds(void *argument) {
  struct writer *writer = argument;
  for (size_t round = 1; !gc_atomic_load_acquire(&stop); round++) {
    while (gc_atomic_load_acquire(&go) < round && !gc_atomic_load_acquire(&stop))
      sched_yield();
    for (size_t i = gc_atomic_load_relaxed(&writes_per_round); i > 0; i--)
      write_somewhere(writer);
    gc_atomic_add(&done, 1);
  }
  return NULL;
}

// ---- The collector ------------------------------------------------------------------------------------

static void
read_again(size_t byte) {
  for (size_t word = byte * WORDS_PER_GRAIN; word < (byte + 1) * WORDS_PER_GRAIN; word++)
    copy[word] = words()[word];
}

static void
bring_up_to_date(struct gc_range range) {
  size_t first = (size_t)(range.base - heap) / GC_WRITES_BYTES;
  size_t limit = (size_t)(range.limit - heap) / GC_WRITES_BYTES;
  gc_writes_harvest(range);
  for (size_t byte = first; byte < limit; byte++)
    if (gc_written[byte]) {
      gc_written[byte] = 0;
      read_again(byte);
    }
}

// What is not armed counts as written from before it is armed again.
static void
arm_anew(struct gc_range range) {
  gc_writes_disarm(range);
  assert_true(gc_writes_arm(range));
  memset(gc_written + (range.base - heap) / GC_WRITES_BYTES, 1, gc_range_bytes(range) / GC_WRITES_BYTES);
}

static void
collect_a_little(size_t turn) {
  size_t first = random_below(PAGES), limit = first + 1 + random_below(PAGES - first);
  if (turn % 4 == 0)
    arm_anew(pages(first, limit));
  bring_up_to_date(pages(first, limit));
}

static void
run_round(size_t round, void (*meanwhile)(size_t turn)) {
  gc_atomic_store_relaxed(&done, 0);
  gc_atomic_store_release(&go, round);
  for (size_t turn = 0; turn < TURNS_PER_ROUND || gc_atomic_load_acquire(&done) < THREADS; turn++)
    meanwhile(turn);
  bring_up_to_date(everything());
  for (size_t word = 0; word < WORDS; word++)
    assert_int_equal(copy[word], words()[word]);
}

static void
start_writers(struct writer *writers) {
  gc_atomic_store_relaxed(&go, 0), gc_atomic_store_relaxed(&stop, 0);
  gc_atomic_store_relaxed(&writes_per_round, 20000);
  for (size_t i = 0; i < THREADS; i++) {
    writers[i] = (struct writer){.index = i, .random = random_next()};
    assert_int_equal(pthread_create(&writers[i].thread, NULL, write_in_rounds, &writers[i]), 0);
  }
}

static void
stop_writers(struct writer *writers) {
  gc_atomic_store_release(&stop, 1);
  for (size_t i = 0; i < THREADS; i++)
    pthread_join(writers[i].thread, NULL);
}

static void
run_all_rounds(void **state, const char *test, void (*meanwhile)(size_t turn)) {
  static struct writer writers[THREADS];
  if (!choose(state))
    return;
  random_begin(test);
  memset(copy, 0, sizeof copy);
  arm_anew(everything());
  start_writers(writers);
  for (size_t round = 1; round <= ROUNDS; round++)
    run_round(round, meanwhile);
  stop_writers(writers);
}

static void
no_write_is_missed(void **state) {
  run_all_rounds(state, "no_write_is_missed", collect_a_little);
}

// ---- What was written before a harvest ----------------------------------------------------------------

enum { RACES = 20000 };

static struct gc_atomic race; // how many times the threads write to the first page; SIZE_MAX: no more

static void *
write_once_a_race(void *argument) {
  struct writer *writer = argument;
  for (size_t turn = 1;; turn++) {
    size_t now;
    while ((now = gc_atomic_load_acquire(&race)) < turn)
      sched_yield();
    if (now == SIZE_MAX)
      return NULL;
    words()[writer->index] = turn;
    gc_atomic_add(&done, 1);
  }
}

// Two threads write to one page, and one of them may do so while the other is still about to open it: as
// soon as one has written, a harvest must tell.
static void
a_harvest_comes_not_too_early(void **state) {
  pthread_t threads[2];
  struct writer writers[2] = {{.index = 0}, {.index = 1}};
  if (!choose(state))
    return;
  gc_atomic_store_relaxed(&race, 0), gc_atomic_store_relaxed(&done, 0);
  for (size_t i = 0; i < 2; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, write_once_a_race, &writers[i]), 0);
  for (size_t turn = 1; turn <= RACES; turn++) {
    assert_true(gc_writes_arm(pages(0, 1)));
    clear_written();
    gc_atomic_store_release(&race, turn);
    while (gc_atomic_load_acquire(&done) == 2 * turn - 2)
      sched_yield();
    assert_true(gc_writes_harvest(pages(0, 1)));
    assert_true(is_written(0));
    while (gc_atomic_load_acquire(&done) < 2 * turn)
      sched_yield();
  }
  gc_atomic_store_release(&race, SIZE_MAX);
  for (size_t i = 0; i < 2; i++)
    pthread_join(threads[i], NULL);
}

// ---- fork while they write ----------------------------------------------------------------------------

// Before anything else it meets pages whose opening was under way in a thread that it does not have.
static void
write_and_work(void) {
  write_everywhere();
  gc_writes_after_fork_child();
  CHILD_CHECK(write_and_arm());
  write_at(5 * GC_WRITES_ARM_BYTES);
  CHILD_CHECK(harvest_finds_only(5 * GC_WRITES_ARM_BYTES));
}

static void
fork_or_collect(size_t turn) {
  bring_up_to_date(everything());
  if (turn < 2)
    assert_int_equal(status_of_child(write_and_work), 0);
}

static void
children_may_come_and_go(void **state) {
  run_all_rounds(state, "children_may_come_and_go", fork_or_collect);
}

int
main(void) {
  const struct CMUnitTest tests[] = {
      WITH_BOTH(no_write_is_missed),
      WITH_BOTH(a_harvest_comes_not_too_early),
      WITH_BOTH(children_may_come_and_go),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
