// Hypothesis: with much old data that stays and young objects that die, a minor collection costs what is
// young and what was written, not what is alive: at 1 GiB it pauses for less than a millisecond, at 4 GiB for
// less than two, and altogether collecting takes a third of the time of full collections or less.
//
// Builds `live_mib` of old data: old=records is an array of records, each with a tree and a list of small
// objects; old=table one large array of small objects; old=roots such an array outside the heap, registered
// as roots.  Each operation then makes a list or a tree, sums it and drops it; `writes_per_1000` of the
// operations also replace a piece of the old data, within a sixty-fourth of it that moves on slowly, or
// anywhere with spread=1.  Stops after `young_mib` of short-lived objects.
#include "harness.h"

#include <string.h>

enum {
  TREE_DEPTH = 4,
  TREE_NODES = 15,
  RECORD_ITEMS = 8,
  YOUNG_ITEMS = 15,
  TEXT_BYTES = 32,
  WRITES_PER_STEP = 16
};

struct node {
  struct node *left, *right;
  uint64_t number, check;
};

struct item {
  struct item *next;
  char *text; // pointer-free, or NULL
  uint64_t number, check;
};

struct record {
  struct node *tree;
  struct item *items;
  uint64_t number, writes;
};

enum {
  RECORD_BYTES = sizeof(struct record) + TREE_NODES * sizeof(struct node) +
                 RECORD_ITEMS * (sizeof(struct item) + TEXT_BYTES),
  ENTRY_BYTES = sizeof(struct item *) + sizeof(struct item),
  YOUNG_BYTES = TREE_NODES * sizeof(struct node), // of one operation
};

_Static_assert(TREE_NODES == (1 << TREE_DEPTH) - 1 && TREE_NODES == YOUNG_ITEMS &&
                   sizeof(struct node) == sizeof(struct item),
               "a young tree and a young list must take the same memory");

static uint64_t seed = 0x9E3779B97F4A7C15u;
static struct record **records; // old=records
static struct item **entries;   // old=table, old=roots
static uint32_t old_count;      // of records or entries
static uint64_t write_count;

// ---- Trees and lists -----------------------------------------------------------------------------------

static struct node *
tree_new(int depth, uint64_t number) {
  if (depth == 0)
    return NULL;
  struct node *node = bench_alloc(sizeof *node);
  node->number = number;
  node->check = ~number;
  node->left = tree_new(depth - 1, number);
  node->right = tree_new(depth - 1, number);
  return node;
}

static uint64_t
tree_count(const struct node *node, uint64_t number) {
  if (node == NULL)
    return 0;
  bench_check(node->number == number && node->check == ~number);
  return 1 + tree_count(node->left, number) + tree_count(node->right, number);
}

static void
tree_free(struct node *node) {
  if (!BENCH_FREES || node == NULL)
    return;
  tree_free(node->left);
  tree_free(node->right);
  bench_free(node);
}

static struct item *
item_new(struct item *next, uint64_t number) {
  struct item *item = bench_alloc(sizeof *item);
  item->next = next;
  item->number = number;
  item->check = ~number;
  return item;
}

static struct item *
list_new(int length, uint64_t number, bool with_text) {
  struct item *list = NULL;
  for (int i = 0; i < length; i++) {
    list = item_new(list, number);
    if (with_text) {
      list->text = bench_alloc_atomic(TEXT_BYTES);
      memset(list->text, (int)(number & 0x7F), TEXT_BYTES);
    }
  }
  return list;
}

static uint64_t
list_count(const struct item *item, uint64_t number) {
  uint64_t count = 0;
  for (; item != NULL; item = item->next) {
    bench_check(item->number == number && item->check == ~number);
    bench_check(item->text == NULL || item->text[TEXT_BYTES - 1] == (char)(number & 0x7F));
    count++;
  }
  return count;
}

static void
list_free(struct item *item) {
  for (struct item *next; BENCH_FREES && item != NULL; item = next) {
    next = item->next;
    bench_free(item->text);
    bench_free(item);
  }
}

// ---- The old data --------------------------------------------------------------------------------------

static void
records_build(uint64_t live_bytes) {
  old_count = (uint32_t)(live_bytes / (RECORD_BYTES + sizeof *records));
  bench_check(old_count > 0);
  records = bench_alloc_table(old_count * sizeof *records);
  for (uint32_t i = 0; i < old_count; i++) {
    struct record *record = records[i] = bench_alloc(sizeof *record);
    record->number = i;
    record->tree = tree_new(TREE_DEPTH, i);
    record->items = list_new(RECORD_ITEMS, i, true);
  }
}

static void
table_build(uint64_t live_bytes, bool as_roots) {
  old_count = (uint32_t)(live_bytes / ENTRY_BYTES);
  bench_check(old_count > 0);
  size_t bytes = old_count * sizeof *entries;
  entries = as_roots ? bench_alloc_roots(bytes) : bench_alloc_table(bytes);
  for (uint32_t i = 0; i < old_count; i++)
    entries[i] = item_new(NULL, i);
}

static void
old_write(uint32_t index) {
  write_count++;
  if (entries != NULL) {
    list_free(entries[index]);
    entries[index] = item_new(NULL, index);
    return;
  }
  struct record *record = records[index];
  list_free(record->items);
  record->items = list_new(RECORD_ITEMS, index, true);
  record->writes++;
}

static void
old_verify(void) {
  uint64_t writes = entries != NULL ? write_count : 0;
  for (uint32_t i = 0; i < old_count; i++) {
    if (entries != NULL) {
      bench_check(list_count(entries[i], i) == 1);
      continue;
    }
    const struct record *record = records[i];
    bench_check(record->number == i && tree_count(record->tree, i) == TREE_NODES);
    bench_check(list_count(record->items, i) == RECORD_ITEMS);
    writes += record->writes;
  }
  bench_check(writes == write_count);
}

// ---- Operations ----------------------------------------------------------------------------------------

static uint32_t
pick_written(bool spread) {
  if (spread)
    return bench_random_below(&seed, old_count);
  uint32_t window = old_count / 64 + 1;
  return (uint32_t)((write_count / WRITES_PER_STEP + bench_random_below(&seed, window)) % old_count);
}

static void
make_and_drop_tree(uint64_t number) {
  struct node *tree = tree_new(TREE_DEPTH, number);
  bench_check(tree_count(tree, number) == TREE_NODES);
  tree_free(tree);
}

static void
make_and_drop_list(uint64_t number) {
  struct item *list = list_new(YOUNG_ITEMS, number, false);
  bench_check(list_count(list, number) == YOUNG_ITEMS);
  list_free(list);
}

static void
operate(uint64_t number, uint32_t writes_per_1000, bool spread) {
  if (number % 2)
    make_and_drop_tree(number);
  else
    make_and_drop_list(number);
  if (bench_random_below(&seed, 1000) < writes_per_1000)
    old_write(pick_written(spread));
}

int
main(int argc, char **argv) {
  bench_start("youngold", argc, argv);
  uint64_t live_mib = (uint64_t)bench_param("live_mib", 256);
  uint64_t young_mib = (uint64_t)bench_param("young_mib", 4096);
  uint32_t writes_per_1000 = (uint32_t)bench_param("writes_per_1000", 10);
  bool spread = bench_param("spread", 0) != 0;
  const char *old = bench_param_text("old", "records");
  bench_params_done();

  if (strcmp(old, "table") == 0)
    table_build(live_mib << 20, false);
  else if (strcmp(old, "roots") == 0)
    table_build(live_mib << 20, true);
  else if (strcmp(old, "records") == 0)
    records_build(live_mib << 20);
  else
    bench_check(!"old must be records, table or roots");

  uint64_t operations = (young_mib << 20) / YOUNG_BYTES;
  bench_begin();
  bench_ops_begin();
  for (uint64_t i = 0; i < operations; i++) {
    operate(i, writes_per_1000, spread);
    bench_ops_lap();
  }
  bench_end();
  old_verify();

  bench_report_begin("live=%lluMiB old=%s writes=%u/1000%s", (unsigned long long)live_mib, old,
                     writes_per_1000, spread ? " anywhere" : "");
  bench_field_count("live_mib", live_mib);
  bench_field_ops();
  bench_field_pauses();
  bench_report_end();
  return 0;
}
