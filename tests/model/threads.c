// The model in several threads at once: each has a heap model of its own, all share the collector.  Threads
// come and go, collect when they like, and hand parcels of objects to each other through locked mailboxes; a
// parcel's contents are checked by whoever looks at it.

#include <pthread.h>

#include "tests/model/operations.h"
#include "tests/model/phases.h"

enum {
  THREADS = 4,
  MAILBOXES = 8,
  PARCEL_MAX = 12,
  LIFE_OPERATIONS_MAX = 4000,
  BATCH = 16,
  LEAK_BYTES = 2 << 20
};

// ---- Parcels -------------------------------------------------------------------------------------------

// A chain of objects: edge 0 of each leads to the next, other edges are empty.  The records are in malloc
// memory, the first object is kept by the mailbox's word.
struct parcel {
  unsigned count;
  struct object objects[PARCEL_MAX];
};

static struct mailbox {
  pthread_mutex_t mutex;
  void *volatile word;   // the only pointer to the first object
  struct parcel *parcel; // NULL: empty
} mailboxes[MAILBOXES];

static void
parcel_check(const struct parcel *parcel) {
  for (unsigned i = 0; i < parcel->count; i++)
    object_check(&parcel->objects[i], failure_operation);
}

// Build a chain; its first object is returned in `*first`.  It may be shorter than wanted, even empty, if
// memory is short.
static struct parcel *
parcel_pack(struct model *model, void *volatile *first) {
  struct parcel *parcel = calloc(1, sizeof *parcel);
  size_t wanted = random_between(&model->random, 1, PARCEL_MAX);
  MODEL_CHECK(parcel, "out of malloc memory for a parcel");
  *first = NULL;
  for (; wanted > 0; wanted--) {
    size_t bytes = random_between(&model->random, 16, 3000);
    char *address = GC_malloc(bytes);
    if (!address)
      break;
    check_new(model, address, bytes, 16, NORMAL);
    struct object *object = &parcel->objects[parcel->count++];
    *object = (struct object){.hidden = ~(uintptr_t)address,
                              .bytes = bytes,
                              .slot_bytes = GC_size(address),
                              .id = random_next(&model->random),
                              .kind = NORMAL,
                              .edge_count = 1};
    object->edges[0] = (struct edge){NONE, ~(uintptr_t)*first};
    object_fill(object);
    *first = address;
  }
  return parcel;
}

static void
parcel_send(struct model *model, struct mailbox *mailbox) {
  void *volatile first;
  struct parcel *parcel = parcel_pack(model, &first);
  if (parcel->count == 0) {
    free(parcel);
    return;
  }
  pthread_mutex_lock(&mailbox->mutex);
  struct parcel *old = mailbox->parcel; // an unread parcel becomes garbage
  mailbox->parcel = parcel;
  mailbox->word = first;
  pthread_mutex_unlock(&mailbox->mutex);
  first = NULL;
  free(old);
}

// Take the objects of a parcel into the model: the last record is the chain's head.
static void
parcel_unpack(struct model *model, const struct parcel *parcel) {
  uint32_t next = NONE;
  for (unsigned i = 0; i < parcel->count; i++) {
    const struct object *sent = &parcel->objects[i];
    check_no_overlap(model, object_address(sent), sent->slot_bytes);
    uint32_t number = shadow_add(&model->shadow, object_address(sent), sent->bytes, NORMAL);
    struct object *object = &model->shadow.objects[number];
    object->id = sent->id;
    object->edge_count = 1;
    object->edges[0] = (struct edge){next, sent->edges[0].hidden};
    if (next != NONE)
      model->shadow.objects[next].references++;
    next = number;
  }
  place_store_random(model, random_place(model), next);
}

static void
parcel_receive(struct model *model, struct mailbox *mailbox) {
  pthread_mutex_lock(&mailbox->mutex);
  void *volatile first = mailbox->word;
  struct parcel *parcel = mailbox->parcel;
  mailbox->word = NULL;
  mailbox->parcel = NULL;
  pthread_mutex_unlock(&mailbox->mutex);
  if (parcel) {
    parcel_check(parcel);
    parcel_unpack(model, parcel);
  }
  first = NULL;
  (void)first;
  free(parcel);
}

static void
parcel_look(struct mailbox *mailbox) {
  pthread_mutex_lock(&mailbox->mutex);
  if (mailbox->parcel)
    parcel_check(mailbox->parcel);
  pthread_mutex_unlock(&mailbox->mutex);
}

static void
operate_mail(struct model *model) {
  struct mailbox *mailbox = &mailboxes[random_below(&model->random, MAILBOXES)];
  switch (random_below(&model->random, 4)) {
  case 0:
    parcel_look(mailbox);
    break;
  case 1:
    parcel_receive(model, mailbox);
    break;
  default:
    parcel_send(model, mailbox);
  }
}

// ---- Threads -------------------------------------------------------------------------------------------

struct worker {
  pthread_t handle;
  unsigned number;
  uint64_t seed;
  double limit;
  unsigned long operations_max;
  struct model model;
};

static struct worker workers[THREADS];
static void *volatile static_words[THREADS][RANGE_WORDS];
static __thread void *volatile thread_words[RANGE_WORDS];

__attribute__((noinline)) static void
work(struct worker *worker) {
  static const struct operation mail = {"mail", operate_mail, 0};
  struct model *model = &worker->model;
  void *volatile stack_words[RANGE_WORDS] = {NULL};
  range_open(model, static_words[worker->number]);
  range_open(model, thread_words);
  range_open(model, stack_words);
  while (seconds_now() < worker->limit && failure_operation < worker->operations_max) {
    run_operations(model, BATCH);
    run_operation(model, &mail);
  }
  operate_check(model);
  model_drop(model);
}

static void *
worker_main(void *argument) {
  struct worker *worker = argument;
  failure_thread = worker->number;
  model_begin(&worker->model, worker->seed, false);
  worker->model.live_bytes_max = (size_t)8 << 20;
  work(worker);
  return NULL;
}

static void
worker_start(struct worker *worker, struct random *seeds) {
  worker->seed = random_next(seeds);
  worker->operations_max = random_between(seeds, 1, LIFE_OPERATIONS_MAX);
  int error = pthread_create(&worker->handle, NULL, worker_main, worker);
  MODEL_CHECK(error == 0, "pthread_create: error %d", error);
}

// ---- The run -------------------------------------------------------------------------------------------

// No thread is left and no mailbox is full: what survives must be what strays explain.
static void
check_dead_workers(size_t bytes_at_start) {
  size_t survivor_bytes = 0;
  unsigned strays = 0;
  failure_name = "leak check";
  collect_thoroughly();
  for (unsigned i = 0; i < THREADS; i++) {
    bury_reclaimed(&workers[i].model.shadow, object_is_reclaimed);
    strays += count_strays(&workers[i].model, &survivor_bytes);
  }
  size_t limit = bytes_at_start + survivor_bytes + LEAK_BYTES;
  MODEL_CHECK(strays <= STRAYS_MAX, "the survivors of the last threads take %u stray words to explain",
              strays);
  MODEL_CHECK(GC_get_memory_use() <= limit,
              "%zu bytes are in use at the end: more than %zu at the start, %zu of strays and %d",
              GC_get_memory_use(), bytes_at_start, survivor_bytes, LEAK_BYTES);
}

static void
empty_mailboxes(void) {
  for (unsigned i = 0; i < MAILBOXES; i++) {
    parcel_look(&mailboxes[i]);
    mailboxes[i].word = NULL;
    free(mailboxes[i].parcel);
    mailboxes[i].parcel = NULL;
  }
}

// Threads end and are followed by others until the time is up; at least one generation.
static void
run_threads(uint64_t seed, double limit, unsigned long operations_max) {
  struct random seeds = {seed};
  for (unsigned i = 0; i < THREADS; i++) {
    workers[i].number = i;
    workers[i].limit = limit;
    worker_start(&workers[i], &seeds);
  }
  while (seconds_now() < limit && (operations_max == 0 || progress->operations < operations_max)) {
    struct worker *worker = &workers[random_below(&seeds, THREADS)];
    pthread_join(worker->handle, NULL);
    shadow_destroy(&worker->model.shadow);
    worker_start(worker, &seeds);
  }
  for (unsigned i = 0; i < THREADS; i++)
    pthread_join(workers[i].handle, NULL);
}

static void
run(uint64_t seed, double seconds, unsigned long operations_max) {
  double limit = seconds_now() + seconds;
  for (unsigned i = 0; i < MAILBOXES; i++)
    pthread_mutex_init(&mailboxes[i].mutex, NULL);
  GC_INIT();
  progress->started = 1;
  size_t bytes_at_start = GC_get_memory_use();
  run_threads(seed, limit, operations_max);
  empty_mailboxes();
  check_dead_workers(bytes_at_start);
  operate_verify(&workers[0].model);
}

int
main(int argc, char **argv) {
  return phases_main(argc, argv, run);
}
