// Threads that register references of all sorts for objects that they drop sooner or later, while others
// collect: what is held must be found behind each reference, and what a finalizer or cleaner is given must be
// as it was.  In each mode; with forks.
#include "tests/stress/stress.h"

enum { THREADS = 3, HELD = 1000, QUEUES = 2 };

struct object {
  uint64_t number, mark;
  struct object *next;
};

static double deadline;
static GC_finalizer_queue *queues[QUEUES];
static volatile size_t registered, called;

// ---- Objects -------------------------------------------------------------------------------------------

static bool
is_right(const struct object *object) {
  return object->mark == tree_mark(object->number);
}

static struct object *
new_object(uint64_t number, struct object *next) {
  struct object *object = GC_NEW(struct object);
  *object = (struct object){number, tree_mark(number), next};
  return object;
}

static void GC_CALLBACK
finalize(void *object, void *data) {
  const struct object *next = ((struct object *)object)->next;
  STRESS_CHECK(is_right(object) && (!next || is_right(next)) && (!data || is_right(data)));
  __atomic_add_fetch(&called, 1, __ATOMIC_RELAXED);
}

static void GC_CALLBACK
clean(void *data) {
  STRESS_CHECK(!data || is_right(data));
  __atomic_add_fetch(&called, 1, __ATOMIC_RELAXED);
}

static void
register_some(struct object *object, uint64_t dice) {
  struct object *data = dice % 3 ? NULL : new_object(dice, NULL);
  GC_finalizer_queue *queue = dice % 4 < QUEUES ? queues[dice % 4] : NULL;
  enum GC_FinalizerOrder order = (enum GC_FinalizerOrder)(dice / 8 % 4);
  if (dice % 5 < 3)
    STRESS_CHECK(GC_register_finalizer_on(queue, object, order, finalize, data) == GC_SUCCESS);
  else if (dice % 5 == 3)
    STRESS_CHECK(GC_register_cleaner(queue, object, clean, data) == GC_SUCCESS);
  if (dice % 5 < 4)
    __atomic_add_fetch(&registered, 1, __ATOMIC_RELAXED);
}

// ---- A thread ------------------------------------------------------------------------------------------

// What it holds, and what should lead there.
struct place {
  struct object *object;
  GC_weak_ref *weak, *soft;
  GC_ephemeron *ephemeron; // its value is another object with the same number
  void **link;             // in pointer-free memory
};

static void
check(const struct place *place) {
  struct object *object = place->object;
  if (!object)
    return;
  const struct object *value = GC_ephemeron_value(place->ephemeron);
  STRESS_CHECK(is_right(object));
  STRESS_CHECK(GC_weak_ref_get(place->weak) == object && GC_weak_ref_get(place->soft) == object);
  STRESS_CHECK(GC_ephemeron_key(place->ephemeron) == object);
  STRESS_CHECK(value && is_right(value) && value->number == object->number);
  STRESS_CHECK(*place->link == object);
}

// Long links are cleared last, ordinary ones with the weak references.
static struct place
new_place(uint64_t number, struct object *next, uint64_t dice) {
  struct object *object = new_object(number, next);
  struct place place = {
      .object = object,
      .weak = dice % 2 ? GC_weak_ref_new(object) : GC_long_ref_new(object),
      .soft = GC_soft_ref_new(object),
      .ephemeron = GC_ephemeron_new(object, new_object(number, object)),
      .link = GC_malloc_atomic(sizeof *place.link),
  };
  *place.link = object;
  int linked = dice / 2 % 2 ? GC_general_register_disappearing_link(place.link, object)
                            : GC_register_long_link(place.link, object);
  STRESS_CHECK(linked == GC_SUCCESS);
  register_some(object, dice / 4);
  return place;
}

static void
step(struct place *places, uint64_t *random) {
  size_t at = stress_random(random) % HELD, other = stress_random(random) % HELD;
  check(&places[at]);
  check(&places[other]);
  struct object *next = stress_random(random) % 4 ? NULL : places[other].object;
  places[at] = new_place(stress_random(random) >> 8, next, stress_random(random) >> 8);
  if (stress_random(random) % 3 == 0)
    places[other] = (struct place){0};
  if (stress_random(random) % 64 == 0)
    GC_finalizer_queue_drain(queues[other % QUEUES], other % 100, 0);
}

// A child has all that is registered and ready.
static void
fork_and_finalize(struct place *places) {
  pid_t child = fork();
  if (child == 0) {
    GC_gcollect();
    for (size_t i = 0; i < HELD; i++)
      check(&places[i]);
    GC_invoke_finalizers();
    _exit(stress_failures > 0 || gc_verify() > 0);
  }
  int status = 0;
  STRESS_CHECK(child > 0 && waitpid(child, &status, 0) == child && status == 0);
}

static void *
work(void *number) {
  struct place *places = GC_MALLOC(HELD * sizeof *places);
  uint64_t random = tree_mark((uint64_t)(uintptr_t)number) | 1;
  for (size_t steps = 0; stress_now() < deadline; steps++) {
    step(places, &random);
    if (steps % 20000 == 19999)
      fork_and_finalize(places);
  }
  for (size_t i = 0; i < HELD; i++)
    check(&places[i]);
  return NULL;
}

// ---- The phases ----------------------------------------------------------------------------------------

static void
run_threads(void) {
  pthread_t threads[THREADS];
  for (uintptr_t i = 0; i < THREADS; i++)
    STRESS_CHECK(GC_pthread_create(&threads[i], NULL, work, (void *)(i + 1)) == 0);
  for (size_t i = 0; i < THREADS; i++)
    STRESS_CHECK(GC_pthread_join(threads[i], NULL) == 0);
}

// Conservatism, and objects that wait for others, may keep some.
static void
collect_all(void) {
  for (int i = 0; i < 6; i++) {
    GC_gcollect();
    GC_invoke_finalizers();
    for (size_t queue = 0; queue < QUEUES; queue++)
      GC_finalizer_queue_drain(queues[queue], 0, 0);
  }
}

static void
references_everywhere(void) {
  for (size_t i = 0; i < QUEUES; i++)
    queues[i] = GC_finalizer_queue_new(NULL, NULL);
  deadline = stress_now() + stress_seconds(0.2);
  run_threads();
  collect_all();
  STRESS_CHECK(called <= registered && called >= registered - registered / 20 - 100);
}

int
main(void) {
  stress_phase_in_modes("references", references_everywhere);
  setenv("GC_MODE", "concurrent", 1);
  setenv("LOAM_NURSERY", "256K", 1);
  stress_phase("references", references_everywhere, "LOAM_VERIFY", "1");
  stress_phase("references", references_everywhere, "GC_MARKERS", "1");
  stress_phase("references", references_everywhere, "LOAM_WRITES", "mprotect");
  stress_phase("references", references_everywhere, "LOAM_STRESS_DELAY", "50");
  stress_phase("references", references_everywhere, "LOAM_STRESS_COLLECT", "50");
  return tap_done();
}
