// A language keeps tables of keys and values by itself: a value lives while its key does.  With libgc 8.3's
// function that is called when marking has come to its end, whole chains of them must be followed.

#include <stdlib.h>

#include "compat/include/gc/gc_mark.h"
#include "gc.h"
#include "tests/tap.h"

enum { ENTRIES = 1000 };

// Hidden; in malloc's memory, which is not searched.
static struct entry { GC_hidden_pointer key, value; } * table;
static unsigned calls;
void *volatile first_key;

static struct GC_ms_entry *GC_CALLBACK
push_values(struct GC_ms_entry *top, struct GC_ms_entry *limit) {
  calls++;
  for (unsigned i = 0; i < ENTRIES; i++)
    if (table[i].key && GC_is_marked(GC_REVEAL_POINTER(table[i].key)))
      top = GC_MARK_AND_PUSH(GC_REVEAL_POINTER(table[i].value), top, limit, NULL);
  return top;
}

// Each value is the next one's key; the last entry's comes first, so that each takes a call.
__attribute__((noinline)) static void
fill_table(void) {
  void *key = first_key = GC_malloc_atomic(32);
  for (unsigned i = ENTRIES; i-- > 0;) {
    void *value = i % 2 ? GC_malloc_atomic(32) : GC_malloc(48);
    table[i] = (struct entry){GC_HIDE_POINTER(key), GC_HIDE_POINTER(value)};
    key = value;
  }
}

static unsigned
count_values(void) {
  unsigned count = 0;
  for (unsigned i = 0; i < ENTRIES; i++)
    count += GC_base(GC_REVEAL_POINTER(table[i].value)) != NULL;
  return count;
}

__attribute__((noinline)) static void
clear_stack(void) {
  volatile char dirt[8000];
  for (size_t i = 0; i < sizeof dirt; i++)
    dirt[i] = 0;
}

int
main(void) {
  GC_INIT();
  table = calloc(ENTRIES, sizeof *table);
  GC_set_on_mark_stack_empty(push_values);
  fill_table();
  clear_stack();
  GC_gcollect();
  tap_ok(count_values() == ENTRIES && calls >= ENTRIES / 2, "values whose keys live are kept");
  GC_set_on_mark_stack_empty(NULL);
  tap_ok(GC_get_on_mark_stack_empty() == NULL, "the function can be taken back");
  clear_stack();
  GC_gcollect();
  tap_ok(count_values() < ENTRIES / 10, "then nothing keeps them");
  return tap_done();
}
