// Collections that the program calls off or forbids: nothing is lost, nothing is left half done.

#include "gc.h"
#include "tests/death/child.h"

enum { NODES = 200000 };

struct node {
  struct node *next, *other;
  size_t number;
};

static struct node *volatile list;
static unsigned asked, stop_at;

static int
stop_when_asked_often_enough(void) {
  return ++asked > stop_at;
}

static int
stop_at_once(void) {
  return 1;
}

static int
never_stop(void) {
  return 0;
}

static void
build(void) {
  for (size_t i = 0; i < NODES; i++) {
    struct node *node = GC_NEW(struct node);
    CHILD_CHECK(node);
    *node = (struct node){list, list ? list->next : NULL, i};
    list = node;
  }
}

static void
check_list(void) {
  size_t number = NODES;
  for (struct node *node = list; node; node = node->next) {
    number--;
    CHILD_CHECK(GC_base(node) == node && node->number == number);
    CHILD_CHECK(!node->next || node->other == node->next->next);
  }
  CHILD_CHECK(number == 0);
}

static void
stopped_at_once(void) {
  build();
  GC_word before = GC_get_gc_no();
  for (int i = 0; i < 10; i++)
    CHILD_CHECK(GC_try_to_collect(stop_at_once) == 0);
  CHILD_CHECK(GC_get_gc_no() == before);
  check_list();
  CHILD_CHECK(gc_verify() == 0);
  CHILD_CHECK(GC_try_to_collect(never_stop) == 1);
  CHILD_CHECK(GC_get_gc_no() == before + 1);
  check_list();
}

// At every place where the collector asks.
static void
stopped_anywhere(void) {
  build();
  for (stop_at = 0; stop_at < 5000; stop_at += 1 + stop_at / 4) {
    asked = 0;
    int finished = GC_try_to_collect(stop_when_asked_often_enough);
    CHILD_CHECK(finished == (asked <= stop_at));
    for (int i = 0; i < 1000; i++)
      CHILD_CHECK(GC_malloc(24));
    check_list();
    CHILD_CHECK(gc_verify() == 0);
  }
}

// The stop function of the collections that allocation starts: with it no collection finishes, and allocation
// goes on.
static void
stopped_allocation(void) {
  build();
  CHILD_CHECK(GC_get_stop_func()() == 0);
  GC_set_stop_func(stop_at_once);
  CHILD_CHECK(GC_get_stop_func() == stop_at_once);
  GC_word before = GC_get_gc_no();
  for (int i = 0; i < 100000; i++)
    CHILD_CHECK(GC_malloc(500));
  CHILD_CHECK(GC_get_gc_no() == before);
  check_list();
  GC_set_stop_func(never_stop);
  for (int i = 0; i < 500000; i++)
    CHILD_CHECK(GC_malloc(500));
  CHILD_CHECK(GC_get_gc_no() > before);
  check_list();
}

static void
disabled(void) {
  build();
  GC_word before = GC_get_gc_no();
  GC_disable();
  GC_disable();
  GC_disable();
  CHILD_CHECK(GC_is_disabled() == 3);
  for (int depth = 3; depth > 0; depth--) {
    for (int i = 0; i < 30000; i++)
      CHILD_CHECK(GC_malloc(500));
    GC_gcollect();
    CHILD_CHECK(GC_try_to_collect(never_stop) == 0);
    CHILD_CHECK(GC_get_gc_no() == before && GC_is_disabled() == depth);
    GC_enable();
  }
  CHILD_CHECK(GC_is_disabled() == 0);
  CHILD_CHECK(GC_try_to_collect(never_stop) == 1);
  CHILD_CHECK(GC_get_gc_no() > before);
  check_list();
}

static void
enabled_too_often(void) {
  GC_INIT();
  child_expect("loam: GC_enable without GC_disable\n");
  GC_enable();
}

static void
forbidden_by_environment(void) {
  setenv("GC_DONT_GC", "1", 1);
  build();
  GC_gcollect();
  CHILD_CHECK(GC_get_gc_no() == 0 && GC_is_disabled() == 1);
  GC_enable();
  GC_gcollect();
  CHILD_CHECK(GC_get_gc_no() == 1);
  check_list();
}

int
main(void) {
  child_check("a stop function that always stops", stopped_at_once, CHILD_EXITS);
  child_check("a stop function that stops at the n-th time", stopped_anywhere, CHILD_EXITS);
  child_check("a stop function for allocation", stopped_allocation, CHILD_EXITS);
  child_check("GC_disable nests", disabled, CHILD_EXITS);
  child_check("GC_enable without GC_disable", enabled_too_often, CHILD_ABORTS);
  child_check("GC_DONT_GC", forbidden_by_environment, CHILD_EXITS);
  return tap_done();
}
