// Hypothesis: a program that once needed much memory and now needs little gets it back to the operating
// system without asking: within 3 s of dropping 2 GiB to 10 MiB the resident memory is below 100 MiB, and
// the number of mappings stays constant, because pages are released inside one reservation.
//
// Builds `keep_mib` that stay, then `mib` that are dropped, then for `seconds` allocates `rate_mib` per
// second of small short-lived objects in steps of 1 ms.  Samples resident memory and mappings all along;
// never asks for a collection.
#include "harness.h"

#include <string.h>
#include <time.h>

enum {
  SAMPLES_MAX = 4096,
  SAMPLE_EVERY_MS = 25,
  BLOCK_BYTES_MIN = 64,
  BLOCK_BYTES_SPAN = 960,
  LIGHT_BYTES = 64
};

struct block {
  struct block *next;
  uint64_t bytes;
};

static uint64_t timeline[SAMPLES_MAX][3]; // milliseconds since the start, RSS in KiB, mappings
static size_t timeline_length;
static uint64_t start_ns, next_sample_ns;
static uint64_t seed = 0x9E3779B97F4A7C15u;
static struct block *kept, *spike;

static void
sample(uint64_t now_ns) {
  next_sample_ns = now_ns + SAMPLE_EVERY_MS * 1000000u;
  if (timeline_length == SAMPLES_MAX)
    return;
  uint64_t *row = timeline[timeline_length++];
  row[0] = (now_ns - start_ns) / 1000000u;
  row[1] = bench_rss_bytes() / 1024u;
  row[2] = bench_vma_count();
}

static void
sample_when_due(void) {
  uint64_t now_ns = bench_now_ns();
  if (now_ns >= next_sample_ns)
    sample(now_ns);
}

static struct block *
build(uint64_t target_bytes) {
  struct block *head = NULL;
  uint64_t bytes_built = 0;
  for (uint64_t i = 0; bytes_built < target_bytes; i++) {
    size_t bytes = BLOCK_BYTES_MIN + bench_random_below(&seed, BLOCK_BYTES_SPAN);
    struct block *block = bench_alloc(bytes);
    memset(block + 1, 1, bytes - sizeof *block);
    block->next = head;
    block->bytes = bytes;
    head = block;
    bytes_built += bytes;
    if (i % 1024 == 0)
      sample_when_due();
  }
  return head;
}

static uint64_t
sum_bytes(const struct block *block) {
  uint64_t bytes = 0;
  for (; block != NULL; block = block->next)
    bytes += block->bytes;
  return bytes;
}

static void
drop(struct block **head) {
  struct block *block = *head;
  *head = NULL;
  for (struct block *next; BENCH_FREES && block != NULL; block = next) {
    next = block->next;
    bench_free(block);
  }
}

static void
allocate_lightly(uint64_t bytes) {
  for (uint64_t done = 0; done < bytes; done += LIGHT_BYTES) {
    struct block *block = bench_alloc(LIGHT_BYTES);
    block->bytes = done;
    bench_keep(block);
    bench_free(block);
  }
}

static void
run_lightly(uint64_t duration_ns, uint64_t bytes_per_ms) {
  uint64_t end_ns = bench_now_ns() + duration_ns;
  uint64_t step_ns = bench_now_ns();
  while (bench_now_ns() < end_ns) {
    allocate_lightly(bytes_per_ms);
    sample_when_due();
    step_ns += 1000000u;
    uint64_t now_ns = bench_now_ns();
    if (now_ns >= step_ns)
      step_ns = now_ns; // late, after a pause say: do not catch up
    struct timespec rest = {.tv_nsec = (long)(step_ns - now_ns)};
    nanosleep(&rest, NULL);
  }
  sample(bench_now_ns());
}

static uint64_t
vmas_max(void) {
  uint64_t most = 0;
  for (size_t i = 0; i < timeline_length; i++)
    most = timeline[i][2] > most ? timeline[i][2] : most;
  return most;
}

int
main(int argc, char **argv) {
  bench_start("spike", argc, argv);
  uint64_t mib = (uint64_t)bench_param("mib", 2048);
  uint64_t keep_mib = (uint64_t)bench_param("keep_mib", 10);
  uint64_t seconds = (uint64_t)bench_param("seconds", 3);
  uint64_t rate_mib = (uint64_t)bench_param("rate_mib", 64);
  bench_params_done();

  bench_begin();
  start_ns = bench_now_ns();
  sample(start_ns);
  kept = build(keep_mib << 20);
  spike = build(mib << 20);
  uint64_t built_bytes = sum_bytes(spike);
  sample(bench_now_ns());
  drop(&spike);
  uint64_t until_dropped_ns = bench_now_ns() - start_ns;
  sample(bench_now_ns());
  run_lightly(seconds * 1000000000u, (rate_mib << 20) / 1000);
  bench_end();
  bench_check(built_bytes >= mib << 20 && sum_bytes(kept) >= keep_mib << 20);

  bench_report_begin("%llu MiB to %llu MiB", (unsigned long long)mib, (unsigned long long)keep_mib);
  bench_field_count("until_dropped_ns", until_dropped_ns);
  bench_field("rss_mib_at_end", (double)timeline[timeline_length - 1][1] / 1024.0);
  bench_field_count("vmas_max", vmas_max());
  bench_field_pairs("timeline", (const uint64_t(*)[3])timeline, timeline_length);
  bench_report_end();
  return 0;
}
