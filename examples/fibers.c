// A scheduler of fibers with channels, in the manner of Hoare: the sieve of Eratosthenes as a chain of
// fibers, each of which lets through what its prime does not divide.
//
// Numbers travel as objects, and nobody frees anything: not the numbers, of which most die on the way, nor
// the channels.  What is waiting lies on the stacks of fibers that wait.
#include <gc.h>
#include <stdio.h>
#include <stdlib.h>

enum { PRIMES = 300, STACK_BYTES = 32 << 10 };

// ---- The scheduler: a queue of fibers that can go on ---------------------------------------------------

static GC_fiber *ready[PRIMES + 3], *idle; // memory of ours: a fiber is no collected object
static size_t first_ready, ready_count;

static void
make_ready(GC_fiber *fiber) {
  ready[(first_ready + ready_count++) % (PRIMES + 3)] = fiber;
}

static GC_fiber *
take_ready(void) {
  GC_fiber *fiber = ready[first_ready];
  if (ready_count == 0)
    return idle; // all wait: the program is done
  first_ready = (first_ready + 1) % (PRIMES + 3);
  ready_count--;
  return fiber;
}

static GC_fiber *
start(GC_fiber_function function, void *argument) {
  GC_fiber *fiber = GC_fiber_create(STACK_BYTES, function, argument);
  if (!fiber)
    abort();
  make_ready(fiber);
  return fiber;
}

// ---- Channels: who sends waits for who receives, and the other way round -------------------------------

struct channel {
  void *message;
  GC_fiber *sender, *receiver; // who waits; one each
};

static void
send(struct channel *channel, void *message) {
  while (channel->message) {
    channel->sender = GC_fiber_current();
    GC_fiber_switch(take_ready());
  }
  channel->message = message;
  if (channel->receiver)
    make_ready(channel->receiver);
  channel->receiver = NULL;
}

static void *
receive(struct channel *channel) {
  while (!channel->message) {
    channel->receiver = GC_fiber_current();
    GC_fiber_switch(take_ready());
  }
  void *message = channel->message;
  channel->message = NULL;
  if (channel->sender)
    make_ready(channel->sender);
  channel->sender = NULL;
  return message;
}

// ---- The sieve -----------------------------------------------------------------------------------------

struct number {
  long value;
};

static GC_fiber *
count_upwards(void *output) {
  for (long value = 2;; value++) {
    struct number *number = GC_NEW(struct number);
    if (!number)
      abort();
    number->value = value;
    if (value % 500 == 0)
      GC_gcollect(); // on this fiber's stack
    send(output, number);
  }
  return idle;
}

static long primes[PRIMES];
static size_t prime_count;
static GC_fiber *filters[PRIMES];

// The first number that comes is a prime; a filter behind this one gets what it does not divide.
static GC_fiber *
filter(void *input) {
  struct channel *output = GC_NEW(struct channel);
  struct number *prime = receive(input);
  primes[prime_count++] = prime->value;
  if (!output)
    abort();
  if (prime_count == PRIMES)
    return idle;
  filters[prime_count] = start(filter, output);
  for (;;) {
    struct number *number = receive(input);
    if (number->value % prime->value != 0)
      send(output, number);
  }
  return idle;
}

static int
is_prime(long number) {
  for (long divisor = 2; divisor * divisor <= number; divisor++)
    if (number % divisor == 0)
      return 0;
  return 1;
}

int
main(void) {
  GC_INIT();
  idle = GC_fiber_current();
  struct channel *numbers = GC_NEW(struct channel);
  GC_fiber *counter = start(count_upwards, numbers);
  filters[0] = start(filter, numbers);
  GC_fiber_switch(take_ready());

  long expected = 2;
  for (size_t i = 0; i < PRIMES; i++, expected++) {
    while (!is_prime(expected))
      expected++;
    if (primes[i] != expected)
      abort();
  }
  for (size_t i = 0; i < PRIMES; i++)
    GC_fiber_free(filters[i]);
  GC_fiber_free(counter);
  printf("%d primes, the last is %ld; %lu collections\n", PRIMES, primes[PRIMES - 1],
         (unsigned long)GC_get_gc_no());
}
