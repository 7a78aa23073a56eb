// Threads that allocate, write, move and free annotated objects and plain ones of all kinds side by side, so
// that each takes the place of the other: no collection may find a mistake where there is none, nor a leak
// when all is freed; and who asks what keeps an object must get an answer.  In each mode; with forks.
#define GC_DEBUG
#include "tests/stress/stress.h"

#include <string.h>

#include "compat/include/gc/gc_backptr.h"

enum { THREADS = 3, PLACES = 300, STEPS_BETWEEN_SEARCHES = 3000 };

static double deadline;
static bool all_is_freed;
static FILE *log_file;

struct place {
  unsigned char *object;
  size_t bytes;
  bool annotated, atomic;
};

struct shelf {
  struct place places[PLACES];
  uint64_t random;
};

// ---- Objects -------------------------------------------------------------------------------------------

// Most are small, a few large.
static size_t
random_bytes(struct shelf *shelf) {
  uint64_t dice = stress_random(&shelf->random);
  return dice % 500 == 0 ? dice / 500 % 300000 : dice / 500 % 400;
}

static unsigned char
pattern_of(const struct place *place) {
  return (unsigned char)(place->bytes * 7 + 1);
}

// Plain pointer-free objects are left as they come: with what others have left there.
static void
fill(const struct place *place) {
  if (place->annotated || !place->atomic)
    memset(place->object, pattern_of(place), place->bytes);
}

static bool
is_whole(const struct place *place) {
  if (!place->annotated && place->atomic)
    return true;
  for (size_t i = 0; i < place->bytes; i++)
    if (place->object[i] != pattern_of(place))
      return false;
  return true;
}

static void
allocate(struct shelf *shelf, struct place *place) {
  uint64_t dice = stress_random(&shelf->random);
  size_t bytes = random_bytes(shelf);
  bool annotated = dice % 2, atomic = dice / 2 % 2;
  place->object = annotated ? (atomic ? GC_MALLOC_ATOMIC(bytes) : GC_MALLOC(bytes))
                            : (atomic ? GC_malloc_atomic(bytes) : GC_malloc(bytes));
  place->bytes = bytes;
  place->annotated = annotated;
  place->atomic = atomic;
  fill(place);
}

static void
drop(struct shelf *shelf, struct place *place) {
  if (place->object && (all_is_freed || stress_random(&shelf->random) % 2)) {
    if (place->annotated)
      GC_FREE(place->object);
    else
      GC_free(place->object);
  }
  place->object = NULL;
}

static void
resize(struct shelf *shelf, struct place *place) {
  size_t bytes = 1 + random_bytes(shelf);
  place->object = place->annotated ? GC_REALLOC(place->object, bytes) : GC_realloc(place->object, bytes);
  place->bytes = bytes;
  fill(place);
}

static void
step(struct shelf *shelf) {
  struct place *place = &shelf->places[stress_random(&shelf->random) % PLACES];
  if (place->object) {
    STRESS_CHECK(is_whole(place));
    if (stress_random(&shelf->random) % 4 == 0)
      resize(shelf, place);
    else
      drop(shelf, place);
  } else {
    allocate(shelf, place);
  }
}

// What is on the shelf is kept by the shelf, unless a word elsewhere comes first.
static void
search(struct shelf *shelf) {
  void *base;
  size_t offset;
  struct place *place = &shelf->places[stress_random(&shelf->random) % PLACES];
  if (!place->object)
    return;
  GC_ref_kind kind = GC_get_back_ptr_info(place->object, &base, &offset);
  STRESS_CHECK(kind == GC_REFD_FROM_HEAP || kind == GC_REFD_FROM_ROOT);
}

// ---- Threads -------------------------------------------------------------------------------------------

static void *
work(void *seed) {
  struct shelf *shelf = GC_malloc_uncollectable(sizeof *shelf);
  shelf->random = tree_mark((uintptr_t)seed) | 1;
  for (size_t i = 1; stress_now() < deadline; i++) {
    step(shelf);
    if (i % STEPS_BETWEEN_SEARCHES == 0)
      search(shelf);
  }
  for (size_t i = 0; i < PLACES; i++)
    drop(shelf, &shelf->places[i]);
  GC_free(shelf);
  return NULL;
}

static void
check_log(void) {
  char line[500];
  rewind(log_file);
  while (fgets(line, sizeof line, log_file)) {
    STRESS_CHECK(!"the log is empty");
    tap_note("%s", line);
  }
}

static void
threads(void) {
  pthread_t handles[THREADS];
  log_file = tmpfile();
  GC_set_log_fd(fileno(log_file));
  deadline = stress_now() + stress_seconds(0.1);
  for (uintptr_t i = 0; i < THREADS; i++)
    stress_create(&handles[i], work, (void *)i);
  for (size_t i = 0; i < THREADS; i++)
    pthread_join(handles[i], NULL);
  GC_gcollect();
  check_log();
}

static void
threads_that_free_all(void) {
  all_is_freed = true;
  threads();
}

static void
forks(void) {
  threads();
  for (int i = 0; i < 3; i++) {
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
      threads();
      _exit(stress_failures ? 1 : 0);
    }
    STRESS_CHECK(child > 0 && waitpid(child, &status, 0) == child && status == 0);
  }
}

int
main(void) {
  stress_phase("annotated and plain objects", threads, NULL, NULL);
  stress_phase("annotated and plain objects", threads, "LOAM_VERIFY", "1");
  stress_phase("annotated and plain objects", threads, "LOAM_STRESS_COLLECT", "20");
  stress_phase_in_modes("annotated and plain objects", threads);
  stress_phase("forks", forks, NULL, NULL);
  setenv("GC_FIND_LEAK", "1", 1);
  stress_phase("nothing leaks", threads_that_free_all, NULL, NULL);
  stress_phase("nothing leaks", threads_that_free_all, "GC_FINDLEAK_DELAY_FREE", "1");
  stress_phase("nothing leaks", threads_that_free_all, "LOAM_STRESS_COLLECT", "20");
  stress_phase_in_modes("nothing leaks", threads_that_free_all);
  return tap_done();
}
