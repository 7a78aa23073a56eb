// Hypothesis: a hash table of strings, with most bytes in pointer-free objects of many small sizes, gains
// from a collector that never scans the strings and keeps objects of one size together; and it loses to
// malloc only while the table grows with everything alive, where every cycle marks all of it for nothing.
//
// Inserts distinct keys into a table that starts small and doubles, looks up present and absent ones,
// deletes every other one, inserts those again with new values, and checks the sums.
#include "harness.h"

#include <stdio.h>
#include <string.h>

struct entry {
  struct entry *next;
  char *key;   // pointer-free
  char *value; // pointer-free
  uint64_t hash;
};

struct table {
  struct entry **buckets;
  size_t bucket_count; // a power of two
  size_t entries;
};

enum { BUCKETS_AT_FIRST = 64, TEXT_MAX = 128 };

static uint64_t
hash_text(const char *text) {
  uint64_t hash = 14695981039346656037u; // FNV-1a
  for (; *text != '\0'; text++)
    hash = (hash ^ (unsigned char)*text) * 1099511628211u;
  return hash ^ hash >> 29;
}

static char *
text_new(const char *text) {
  size_t bytes = strlen(text) + 1;
  return memcpy(bench_alloc_atomic(bytes), text, bytes);
}

static void
table_init(struct table *table) {
  table->bucket_count = BUCKETS_AT_FIRST;
  table->buckets = bench_alloc(table->bucket_count * sizeof *table->buckets);
  table->entries = 0;
}

static void
table_grow(struct table *table) {
  size_t bucket_count = table->bucket_count * 2;
  struct entry **buckets = bench_alloc(bucket_count * sizeof *buckets);
  for (size_t i = 0; i < table->bucket_count; i++) {
    for (struct entry *entry = table->buckets[i], *next; entry != NULL; entry = next) {
      next = entry->next;
      struct entry **bucket = &buckets[entry->hash & (bucket_count - 1)];
      entry->next = *bucket;
      *bucket = entry;
    }
  }
  bench_free(table->buckets);
  table->buckets = buckets;
  table->bucket_count = bucket_count;
}

// The link that points to the key's entry, or the NULL at the chain's end.
static struct entry **
table_find(struct table *table, const char *key, uint64_t hash) {
  struct entry **link = &table->buckets[hash & (table->bucket_count - 1)];
  while (*link != NULL && ((*link)->hash != hash || strcmp((*link)->key, key) != 0))
    link = &(*link)->next;
  return link;
}

static void
table_insert(struct table *table, const char *key, const char *value) {
  if (table->entries == table->bucket_count)
    table_grow(table);
  uint64_t hash = hash_text(key);
  struct entry **link = table_find(table, key, hash);
  bench_check(*link == NULL);
  struct entry *entry = bench_alloc(sizeof *entry);
  entry->key = text_new(key);
  entry->value = text_new(value);
  entry->hash = hash;
  *link = entry;
  table->entries++;
}

static const char *
table_lookup(struct table *table, const char *key) {
  struct entry *entry = *table_find(table, key, hash_text(key));
  return entry == NULL ? NULL : entry->value;
}

static void
table_delete(struct table *table, const char *key) {
  struct entry **link = table_find(table, key, hash_text(key));
  struct entry *entry = *link;
  bench_check(entry != NULL);
  *link = entry->next;
  bench_free(entry->key);
  bench_free(entry->value);
  bench_free(entry);
  table->entries--;
}

// ---- Texts: written without printf, whose cost would hide the table's ----------------------------------

static char *
write_number(char *to, uint64_t number) {
  do
    *to++ = (char)('0' + number % 10);
  while ((number /= 10) != 0);
  return to;
}

// 8 to about 50 characters, distinct for each number.
static const char *
key_text(char *buffer, uint64_t number) {
  static const char padding[] = "/srv/www/htdocs/article/comment/";
  size_t padded = number * 7 % sizeof padding;
  char *to = mempcpy(buffer, "user-", 5);
  to = write_number(to, number);
  to = mempcpy(to, padding, padded);
  *to = '\0';
  return buffer;
}

// 1 to 100 characters.
static const char *
value_text(char *buffer, uint64_t number, char letter) {
  size_t length = 1 + number * 31 % 100;
  memset(buffer, letter, length);
  buffer[length] = '\0';
  return buffer;
}

// ---- Phases --------------------------------------------------------------------------------------------

static uint64_t strings;
static struct table table;

static void
insert_all(void) {
  char key[TEXT_MAX], value[TEXT_MAX];
  for (uint64_t i = 0; i < strings; i++)
    table_insert(&table, key_text(key, i), value_text(value, i, 'a'));
}

static void
lookup_all(void) {
  char key[TEXT_MAX];
  uint64_t found = 0;
  for (uint64_t i = 0; i < 2 * strings; i++) { // the second half is absent
    const char *value = table_lookup(&table, key_text(key, i));
    found += value != NULL && value[0] == 'a';
  }
  bench_check(found == strings);
}

static void
replace_half(void) {
  char key[TEXT_MAX], value[TEXT_MAX];
  for (uint64_t i = 0; i < strings; i += 2)
    table_delete(&table, key_text(key, i));
  bench_check(table.entries == strings / 2);
  for (uint64_t i = 0; i < strings; i += 2)
    table_insert(&table, key_text(key, i), value_text(value, i + 1, 'b'));
  bench_check(table.entries == strings);
}

static double
timed_ns(void (*phase)(void), uint64_t operations) {
  uint64_t start_ns = bench_now_ns();
  phase();
  return (double)(bench_now_ns() - start_ns) / (double)operations;
}

int
main(int argc, char **argv) {
  bench_start("strings", argc, argv);
  strings = (uint64_t)bench_param("strings", 1000000) & ~UINT64_C(1);
  bench_params_done();
  bench_check(strings > 0);

  bench_begin();
  table_init(&table);
  double insert_ns = timed_ns(insert_all, strings);
  double lookup_ns = timed_ns(lookup_all, 2 * strings);
  double replace_ns = timed_ns(replace_half, strings);
  bench_end();

  bench_report_begin("strings=%llu", (unsigned long long)strings);
  bench_field("ns_per_op", bench_seconds() * 1e9 / (4.0 * (double)strings));
  bench_field("insert_ns", insert_ns);
  bench_field("lookup_ns", lookup_ns);
  bench_field("replace_ns", replace_ns);
  bench_report_end();
  return 0;
}
