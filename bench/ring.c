// Hypothesis: messages that all live equally long, the generational hypothesis' worst case, need not make
// anyone wait: with 200 MiB of them alive no operation takes longer than a millisecond but one in a
// thousand, because the writes are local and marking goes on while the program runs.
//
// The ring buffer of the "gc-latency-experiment": the last `window` messages are alive.  Each operation makes
// a message of `bytes` bytes, or of 16 to 64 with bytes=0, fills it, and stores it over the oldest.
// Messages are pointer-free; with pointers=1 each is scanned, and refers to a body of its own.
#include "harness.h"

#include <stdio.h>
#include <string.h>

enum { MIXED_BYTES_MIN = 16, MIXED_BYTES_SPAN = 49, BODY_BYTES = 32 };

struct message {
  uint64_t number;
  uint64_t *body; // NULL with pointers=0
};

_Static_assert(sizeof(struct message) <= MIXED_BYTES_MIN,
               "the smallest message must have room for its header");

static struct message **ring;
static uint64_t window, message_bytes;
static bool with_pointers;

// The number decides the size, so that the end of the message can be checked later.
static uint64_t
bytes_of(uint64_t number) {
  uint64_t state = number + 0x9E3779B97F4A7C15u;
  return message_bytes ? message_bytes : MIXED_BYTES_MIN + bench_random_below(&state, MIXED_BYTES_SPAN);
}

static int
fill_of(uint64_t number) {
  return (int)(number & 0x7F);
}

static struct message *
message_new(uint64_t number) {
  uint64_t bytes = bytes_of(number);
  struct message *message = with_pointers ? bench_alloc(bytes) : bench_alloc_atomic(bytes);
  message->number = number;
  message->body = NULL;
  memset(message + 1, fill_of(number), bytes - sizeof *message);
  if (with_pointers) {
    message->body = bench_alloc_atomic(BODY_BYTES);
    message->body[0] = ~number;
  }
  return message;
}

static void
message_free(struct message *message) {
  if (!BENCH_FREES)
    return;
  bench_free(message->body);
  bench_free(message);
}

static void
message_verify(const struct message *message, uint64_t number) {
  bench_check(message->number == number);
  const unsigned char *text = (const unsigned char *)(message + 1);
  uint64_t text_bytes = bytes_of(number) - sizeof *message;
  bench_check(text_bytes == 0 || (text[0] == fill_of(number) && text[text_bytes - 1] == fill_of(number)));
  bench_check(with_pointers ? message->body[0] == ~number : message->body == NULL);
}

static void
send(uint64_t number) {
  struct message **slot = &ring[number % window];
  if (*slot != NULL)
    message_free(*slot);
  *slot = message_new(number);
}

int
main(int argc, char **argv) {
  bench_start("ring", argc, argv);
  window = (uint64_t)bench_param("window", 200000);
  message_bytes = (uint64_t)bench_param("bytes", 1024);
  uint64_t operations = (uint64_t)bench_param("operations", 2000000);
  with_pointers = bench_param("pointers", 0) != 0;
  bench_params_done();
  bench_check(window > 0 && (message_bytes == 0 || message_bytes >= sizeof(struct message)));

  ring = bench_alloc_table(window * sizeof *ring);
  uint64_t number = 0;
  while (number < window)
    send(number++);

  bench_begin();
  bench_ops_begin();
  for (uint64_t i = 0; i < operations; i++) {
    send(number++);
    bench_ops_lap();
  }
  bench_end();
  for (uint64_t i = number - window; i < number; i++)
    message_verify(ring[i % window], i);

  char size[24] = "16-64";
  if (message_bytes)
    snprintf(size, sizeof size, "%llu", (unsigned long long)message_bytes);
  bench_report_begin("window=%llu bytes=%s pointers=%d", (unsigned long long)window, size, with_pointers);
  bench_field_ops();
  bench_field_pauses();
  bench_report_end();
  return 0;
}
