// Hypothesis: allocation that touches only the thread's own runs scales with the threads: two threads on
// two cores reach at least 1.8 times the throughput of one.  Objects freed by another thread than the one
// that allocated them, the hard case of a malloc, cost a collector nothing extra.
//
//   case=alloc     each thread replaces objects of 16 to 256 bytes in a window of its own
//   case=handover  pairs of threads: one allocates and sends through a queue, the other reads and drops
#include "harness.h"

#include <sched.h>
#include <stdatomic.h>
#include <string.h>

enum { WINDOW = 4096, QUEUE_LENGTH = 1024, THREADS_MAX = 64 };

struct message {
  struct message *previous; // the sender's one before: makes it a pointerful object; never followed
  uint64_t bytes;
  uint64_t stamp;
};

static uint64_t operations; // per thread
static pthread_barrier_t start_line;

// ---- alloc ---------------------------------------------------------------------------------------------

static size_t
pick_bytes(uint64_t *state) {
  uint32_t random = (uint32_t)(bench_random(state) >> 32);
  return random % 8 == 0 ? 16 + random / 8 % 241 : 16 + random / 8 % 49; // most are small
}

static void *
churn_window(void *argument) {
  uint64_t state = 88172645463325252u + (uintptr_t)argument;
  uint64_t **window = bench_alloc(WINDOW * sizeof *window);
  pthread_barrier_wait(&start_line);
  for (uint64_t i = 0; i < operations; i++) {
    uint64_t **place = &window[bench_random(&state) >> 52];
    bench_free(*place);
    *place = bench_alloc(pick_bytes(&state));
    **place = i;
  }
  for (size_t i = 0; i < WINDOW; i++)
    bench_free(window[i]);
  bench_free(window);
  return NULL;
}

_Static_assert(WINDOW == 1 << (64 - 52), "the window is indexed by the top bits of a random number");

// ---- handover: a ring with one sender and one receiver -------------------------------------------------

struct queue {
  _Alignas(64) _Atomic uint64_t sent;     // [atomic: sender -> receiver, release/acquire]
  _Alignas(64) _Atomic uint64_t received; // [atomic: receiver -> sender, release/acquire]
  _Alignas(64) struct message *slots[QUEUE_LENGTH];
};

static void
queue_send(struct queue *queue, struct message *message) {
  uint64_t sent = atomic_load_explicit(&queue->sent, memory_order_relaxed);
  while (sent - atomic_load_explicit(&queue->received, memory_order_acquire) == QUEUE_LENGTH)
    sched_yield();
  queue->slots[sent % QUEUE_LENGTH] = message;
  atomic_store_explicit(&queue->sent, sent + 1, memory_order_release);
}

static struct message *
queue_receive(struct queue *queue) {
  uint64_t received = atomic_load_explicit(&queue->received, memory_order_relaxed);
  while (atomic_load_explicit(&queue->sent, memory_order_acquire) == received)
    sched_yield();
  struct message *message = queue->slots[received % QUEUE_LENGTH];
  queue->slots[received % QUEUE_LENGTH] = NULL;
  atomic_store_explicit(&queue->received, received + 1, memory_order_release);
  return message;
}

static void *
sender(void *argument) {
  struct queue *queue = argument;
  uint64_t state = 88172645463325252u;
  pthread_barrier_wait(&start_line);
  for (uint64_t i = 0; i < operations; i++) {
    size_t bytes = sizeof(struct message) + pick_bytes(&state);
    struct message *message = bench_alloc(bytes);
    message->bytes = bytes;
    message->stamp = i;
    queue_send(queue, message);
  }
  return NULL;
}

static void *
receiver(void *argument) {
  struct queue *queue = argument;
  pthread_barrier_wait(&start_line);
  for (uint64_t i = 0; i < operations; i++) {
    struct message *message = queue_receive(queue);
    bench_check(message->stamp == i);
    bench_free(message);
  }
  return NULL;
}

static void *
either_end(void *argument) {
  struct queue *queue = (struct queue *)((uintptr_t)argument & ~(uintptr_t)1);
  return (uintptr_t)argument & 1 ? receiver(queue) : sender(queue);
}

// ---- Main ----------------------------------------------------------------------------------------------

static struct queue queues[THREADS_MAX / 2];

static void
run_alloc(size_t threads) {
  void *arguments[THREADS_MAX];
  for (size_t i = 0; i < threads; i++)
    arguments[i] = (void *)(i * 1000003);
  bench_run_threads(threads, churn_window, arguments);
}

static void
run_handover(size_t threads) {
  void *arguments[THREADS_MAX];
  for (size_t i = 0; i < threads; i++)
    arguments[i] = (void *)((uintptr_t)&queues[i / 2] | (i & 1));
  bench_run_threads(threads, either_end, arguments);
}

int
main(int argc, char **argv) {
  bench_start("threads", argc, argv);
  const char *which = bench_param_text("case", "alloc");
  size_t threads = (size_t)bench_param("threads", 2);
  operations = (uint64_t)bench_param("operations", 10000000);
  bench_params_done();
  bool handover = strcmp(which, "handover") == 0;
  bench_check(handover || strcmp(which, "alloc") == 0);
  bench_check(threads > 0 && threads <= THREADS_MAX && (!handover || threads % 2 == 0));
  pthread_barrier_init(&start_line, NULL, (unsigned)threads);

  bench_begin();
  if (handover)
    run_handover(threads);
  else
    run_alloc(threads);
  bench_end();
  uint64_t objects = operations * (handover ? threads / 2 : threads);
  bench_report_begin("%s threads=%zu", which, threads);
  bench_field("ns_per_op", bench_seconds() * 1e9 / (double)objects);
  bench_field("million_per_second", (double)objects / bench_seconds() * 1e-6);
  bench_report_end();
  return 0;
}
