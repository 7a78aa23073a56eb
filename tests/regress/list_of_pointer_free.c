// Guile crashed in its mark procedure: a collection while GC_generic_malloc_many made a list of pointer-free
// objects had reclaimed most of that list, because nobody was told of it before it was complete.
#include "compat/include/gc/gc_inline.h"
#include "compat/include/gc/gc_mark.h"
#include "tests/regress/objects.h"

enum { LISTS = 300, LONGEST = 4096 };

struct link {
  struct link *next;
  uintptr_t number;
};

struct holder {
  void *list;
  uintptr_t lists; // made so far
};

// The collector does not follow links between pointer-free objects; the holder of the list does.
static struct GC_ms_entry *
mark_list(GC_word *object, struct GC_ms_entry *top, struct GC_ms_entry *limit, GC_word environment) {
  (void)environment;
  struct holder *holder = (struct holder *)(void *)object;
  for (struct link *link = holder->list; link; link = link->next)
    top = GC_MARK_AND_PUSH(link, top, limit, NULL);
  return top;
}

// Each is an object, and numbering them overwrites no number: none is there twice.
static bool
is_whole(struct link *first) {
  uintptr_t count = 0, expected = 0;
  for (struct link *link = first; link && count < LONGEST; link = link->next) {
    if (GC_base(link) != link)
      return false;
    link->number = count++;
  }
  for (struct link *link = first; link; link = link->next)
    if (link->number != expected++)
      return false;
  return count > 1;
}

int
main(void) {
  setenv("LOAM_STRESS_COLLECT", "7", 1);
  GC_INIT();
  unsigned procedure = GC_new_proc(mark_list);
  int kind = (int)GC_new_kind(GC_new_free_list(), GC_MAKE_PROC(procedure, 0), 0, 1);
  struct holder *holder = GC_generic_malloc(sizeof *holder, kind);
  size_t whole = 0;
  for (; holder->lists < LISTS; holder->lists++) {
    GC_generic_malloc_many(32, GC_I_PTRFREE, &holder->list);
    whole += is_whole(holder->list);
  }
  tap_ok(whole == LISTS, "%zu of %d lists are whole", whole, LISTS);
  return tap_done();
}
