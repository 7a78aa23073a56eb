// Hypothesis: what a server's slowest requests wait for is the collector's pause, which grows with the live
// heap when the world is stopped; the median operation is quicker than with malloc, because freeing is not
// on its path.
//
// A server-like loop over `live_mib` of records.  Each operation replaces one record and reads four, all
// chosen at random; spread=0 keeps the replacements within a sixteenth of the table that moves on slowly.
// Every operation is timed.
#include "harness.h"

#include <string.h>

enum { PARTS = 4, READS = 4, PART_BYTES_MIN = 32, PART_BYTES_SPAN = 192, OPERATIONS_PER_STEP = 16 };

struct part {
  struct part *next;
  uint64_t owner;
  char *text; // pointer-free
  uint64_t bytes;
};

struct record {
  struct part *parts;
  uint64_t owner;
  uint64_t checksum;
};

// What one record takes on average: itself, and its parts with their texts.
enum { RECORD_BYTES = 24 + PARTS * (32 + PART_BYTES_MIN + PART_BYTES_SPAN / 2) };

static struct record **records;
static uint32_t record_count;
static uint64_t seed = 0x9E3779B97F4A7C15u;

static struct part *
part_new(uint64_t owner, struct part *next) {
  struct part *part = bench_alloc(sizeof *part);
  part->next = next;
  part->owner = owner;
  part->bytes = PART_BYTES_MIN + bench_random_below(&seed, PART_BYTES_SPAN);
  part->text = bench_alloc_atomic(part->bytes);
  memset(part->text, (int)(owner & 0x7F), part->bytes);
  return part;
}

static struct record *
record_new(uint64_t owner) {
  struct record *record = bench_alloc(sizeof *record);
  record->owner = owner;
  for (int i = 0; i < PARTS; i++) {
    record->parts = part_new(owner, record->parts);
    record->checksum += record->parts->bytes;
  }
  return record;
}

static void
record_free(struct record *record) {
  if (!BENCH_FREES)
    return;
  for (struct part *part = record->parts, *next; part != NULL; part = next) {
    next = part->next;
    bench_free(part->text);
    bench_free(part);
  }
  bench_free(record);
}

static void
record_verify(const struct record *record, uint64_t owner) {
  uint64_t checksum = 0;
  for (const struct part *part = record->parts; part != NULL; part = part->next) {
    bench_check(part->owner == owner && part->text[part->bytes - 1] == (char)(owner & 0x7F));
    checksum += part->bytes;
  }
  bench_check(checksum == record->checksum);
}

static void
operate(uint32_t victim) {
  record_free(records[victim]);
  records[victim] = record_new(victim);
  for (int i = 0; i < READS; i++) {
    uint32_t index = bench_random_below(&seed, record_count);
    record_verify(records[index], index);
  }
}

static uint32_t
pick_victim(uint64_t operation, bool spread) {
  if (spread)
    return bench_random_below(&seed, record_count);
  uint32_t window = record_count / 16 + 1;
  return (uint32_t)((operation / OPERATIONS_PER_STEP + bench_random_below(&seed, window)) % record_count);
}

int
main(int argc, char **argv) {
  bench_start("latency", argc, argv);
  uint64_t live_bytes = (uint64_t)bench_param("live_mib", 256) << 20;
  uint64_t operations = (uint64_t)bench_param("operations", 2000000);
  bool spread = bench_param("spread", 1) != 0;
  bench_params_done();
  record_count = (uint32_t)(live_bytes / RECORD_BYTES);
  bench_check(record_count > 0);

  records = bench_alloc_table(record_count * sizeof *records);
  for (uint32_t i = 0; i < record_count; i++)
    records[i] = record_new(i);

  bench_begin();
  bench_ops_begin();
  for (uint64_t i = 0; i < operations; i++) {
    operate(pick_victim(i, spread));
    bench_ops_lap();
  }
  bench_end();
  for (uint32_t i = 0; i < record_count; i++)
    record_verify(records[i], i);

  bench_report_begin("live=%lluMiB writes=%s", (unsigned long long)(live_bytes >> 20),
                     spread ? "anywhere" : "local");
  bench_field_ops();
  bench_field_pauses();
  bench_report_end();
  return 0;
}
