// Links of all sorts through pauses: what is cleared, what is forgotten, and when.
#include "refs/links.h"

#include "base/hooks.h"
#include "os/limits.h"
#include "refs_fixture.h"

static uintptr_t outside[4096]; // words that lie in no object

static uintptr_t
word_for(const void *object) {
  return ~(uintptr_t)object;
}

// Register a word that holds the object hidden.
static enum gc_linked
follow(enum gc_link_sort sort, void *word, const void *object) {
  *(uintptr_t *)word = word_for(object);
  return gc_links_register(sort, word, object);
}

static void
follow_first(enum gc_link_sort sort, void *word, const void *object) {
  assert_int_equal(follow(sort, word, object), GC_LINKED);
}

static void
never_called(void) {
  fail();
}

static void
make_finalizable(void *object) {
  struct gc_registration new = {.function = never_called}, old = {0};
  assert_int_equal(gc_finalizers_register(object, &new, &old), GC_REGISTERED);
}

static size_t
links_count(void) {
  size_t count = 0;
  for (unsigned sort = 0; sort < GC_LINK_SORTS; sort++)
    count += gc_links_count((enum gc_link_sort)sort);
  return count;
}

// ---- What dies -----------------------------------------------------------------------------------------

static void
links_to_the_dead_are_cleared_and_no_others(void **state) {
  (void)state;
  void *alive = keep_new();
  follow_first(GC_LINK_ORDINARY, &outside[0], alive);
  follow_first(GC_LINK_LONG, &outside[1], alive);
  follow_first(GC_LINK_ORDINARY, &outside[2], new_object());
  follow_first(GC_LINK_LONG, &outside[3], new_object());
  pause_full();
  assert_true(outside[0] == word_for(alive) && outside[1] == word_for(alive));
  assert_true(outside[2] == 0 && outside[3] == 0);
  assert_int_equal(links_count(), 2);
  forget_roots();
  pause_full();
  assert_true(outside[0] == 0 && outside[1] == 0);
  end_refs();
}

static void
a_link_need_not_hold_what_it_follows(void **state) {
  (void)state;
  outside[0] = 1;
  assert_int_equal(gc_links_register(GC_LINK_ORDINARY, (void **)&outside[0], new_object()), GC_LINKED);
  pause_full();
  assert_true(outside[0] == 0);
  end_refs();
}

static void
a_word_may_be_a_link_of_both_sorts(void **state) {
  (void)state;
  void *alive = keep_new();
  follow_first(GC_LINK_LONG, &outside[0], alive);
  assert_int_equal(gc_links_register(GC_LINK_ORDINARY, (void **)&outside[0], new_object()), GC_LINKED);
  pause_full();
  assert_true(outside[0] == 0);
  assert_int_equal(gc_links_count(GC_LINK_ORDINARY), 0);
  assert_int_equal(gc_links_count(GC_LINK_LONG), 1);
  assert_true(gc_links_unregister(GC_LINK_LONG, (void **)&outside[0]));
  end_refs();
}

static void
long_links_wait_for_the_finalizer(void **state) {
  (void)state;
  void **object = new_object(), **held = new_object();
  object[0] = held;
  make_finalizable(object);
  follow_first(GC_LINK_ORDINARY, &outside[0], object);
  follow_first(GC_LINK_ORDINARY, &outside[1], held);
  follow_first(GC_LINK_LONG, &outside[2], object);
  follow_first(GC_LINK_LONG, &outside[3], held);
  pause_full();
  assert_true(outside[0] == 0 && outside[1] == 0);
  assert_true(outside[2] == word_for(object) && outside[3] == word_for(held));
  pause_full(); // it still waits
  assert_true(outside[2] != 0 && outside[3] != 0);
  assert_int_equal(take_all_ready(), 1);
  pause_full();
  assert_true(outside[2] == 0 && outside[3] == 0);
  end_refs();
}

// ---- Where links lie -----------------------------------------------------------------------------------

// What comes to lie in the place of a dead object is nobody's link.
static void
a_link_in_a_dead_object_is_forgotten(void **state) {
  (void)state;
  for (unsigned sort = 0; sort < GC_LINK_SORTS; sort++) {
    void *alive = keep_new();
    uintptr_t *words = (uintptr_t *)new_pointer_free();
    follow_first((enum gc_link_sort)sort, &words[1], alive);
    pause_full();
    assert_int_equal(links_count(), 0);
    assert_false(is_object(words));
    forget_roots();
    memset(words, 0xaa, OBJECT_BYTES); // as if it were another's
    pause_full();
    assert_int_equal(words[1] & 0xff, 0xaa);
  }
  end_refs();
}

// Its finalizer is going to look at it.
static void
a_link_in_what_lives_once_more_is_cleared(void **state) {
  (void)state;
  void **object = new_object();
  uintptr_t *words = (uintptr_t *)new_pointer_free();
  object[0] = words;
  make_finalizable(object);
  follow_first(GC_LINK_ORDINARY, &words[0], new_object());
  follow_first(GC_LINK_SOFT, &words[1], object);
  follow_first(GC_LINK_LONG, &words[2], object);
  follow_first(GC_LINK_LONG, &words[3], new_object());
  pause_full();
  assert_true(is_object(words));
  assert_true(words[0] == 0 && words[1] == 0);
  assert_true(words[2] == word_for(object) && words[3] == 0);
  assert_int_equal(take_all_ready(), 1);
  end_refs();
}

// And it follows on from there.
static void
a_link_in_what_lives_once_more_stays_if_its_object_does(void **state) {
  (void)state;
  void **object = new_object(), *alive = keep_new();
  uintptr_t *words = (uintptr_t *)new_pointer_free();
  object[0] = words;
  make_finalizable(object);
  follow_first(GC_LINK_ORDINARY, &words[0], alive);
  pause_full();
  assert_true(words[0] == word_for(alive));
  assert_int_equal(links_count(), 1);
  forget_roots();
  keep(object);
  take_all_ready();
  pause_full();
  assert_true(words[0] == 0);
  end_refs();
}

static void
a_moved_link_is_cleared_where_it_is(void **state) {
  (void)state;
  void **from = (void **)&outside[0], **to = (void **)&outside[1], **third = (void **)&outside[2];
  void *object = keep_new();
  follow_first(GC_LINK_ORDINARY, from, object);
  assert_int_equal(gc_links_move(GC_LINK_ORDINARY, from, from), GC_LINKED);
  assert_int_equal(gc_links_move(GC_LINK_ORDINARY, to, third), GC_LINK_UNKNOWN);
  follow_first(GC_LINK_ORDINARY, third, object);
  assert_int_equal(gc_links_move(GC_LINK_ORDINARY, from, third), GC_LINKED_BEFORE);
  *to = *from;
  assert_int_equal(gc_links_move(GC_LINK_ORDINARY, from, to), GC_LINKED);
  assert_int_equal(gc_links_count(GC_LINK_ORDINARY), 2);
  forget_roots();
  pause_full();
  assert_true(*from == (void *)word_for(object) && *to == NULL && *third == NULL);
  assert_false(gc_links_unregister(GC_LINK_ORDINARY, to));
  end_refs();
}

static void
a_link_follows_what_it_was_registered_for_last(void **state) {
  (void)state;
  void *first = keep_new(), *second = new_object();
  follow_first(GC_LINK_ORDINARY, &outside[0], first);
  assert_int_equal(follow(GC_LINK_ORDINARY, &outside[0], second), GC_LINKED_BEFORE);
  pause_full();
  assert_true(outside[0] == 0);
  follow_first(GC_LINK_ORDINARY, &outside[0], new_object());
  assert_int_equal(follow(GC_LINK_ORDINARY, &outside[0], first), GC_LINKED_BEFORE);
  pause_full();
  assert_true(outside[0] == word_for(first));
  end_refs();
}

// ---- The young -----------------------------------------------------------------------------------------

static void
a_minor_pause_clears_links_to_young_objects(void **state) {
  (void)state;
  void *old = keep_new();
  follow_first(GC_LINK_ORDINARY, &outside[0], old);
  pause_full();
  forget_roots();
  follow_first(GC_LINK_ORDINARY, &outside[1], new_object());
  follow_first(GC_LINK_LONG, &outside[2], new_object());
  pause_minor();
  assert_true(outside[0] == word_for(old) && outside[1] == 0 && outside[2] == 0);
  pause_full();
  assert_true(outside[0] == 0);
  end_refs();
}

// Whatever happens to an old link makes it young again.
static void
old_links_that_change_are_looked_at_by_minor_pauses(void **state) {
  (void)state;
  void *old = keep_new();
  follow_first(GC_LINK_ORDINARY, &outside[0], old);
  follow_first(GC_LINK_ORDINARY, &outside[1], old);
  pause_full();
  assert_int_equal(follow(GC_LINK_ORDINARY, &outside[0], new_object()), GC_LINKED_BEFORE);
  uintptr_t *words = (uintptr_t *)new_pointer_free();
  assert_int_equal(gc_links_move(GC_LINK_ORDINARY, (void **)&outside[1], (void **)&words[1]), GC_LINKED);
  pause_minor();
  assert_true(outside[0] == 0 && outside[1] == word_for(old));
  assert_int_equal(links_count(), 0);
  assert_false(is_object(words));
  end_refs();
}

static void
a_minor_pause_looks_at_young_links_only(void **state) {
  (void)state;
  enum { OLD = 1000 };
  keep_new();
  for (size_t i = 0; i < OLD; i++)
    follow_first(GC_LINK_ORDINARY, &outside[i], keep_new());
  pause_minor();
  assert_int_equal(gc_ref_table_young_count(gc_links_table(GC_LINK_ORDINARY)), 0);
  follow_first(GC_LINK_ORDINARY, &outside[OLD], keep_new());
  assert_int_equal(gc_ref_table_young_count(gc_links_table(GC_LINK_ORDINARY)), 1);
  end_refs();
}

// ---- Looking ahead -------------------------------------------------------------------------------------

static void
a_pause_after_a_look_ahead_decides_the_same(void **state) {
  (void)state;
  enum { LINKS = 3000 };
  void *objects[LINKS];
  for (size_t i = 0; i < LINKS; i++)
    objects[i] = keep_new();
  for (size_t i = 0; i < LINKS; i++)
    follow_first((enum gc_link_sort)(i % GC_LINK_SOFT), &outside[i], objects[i]);
  pause_full();
  forget_roots();
  for (size_t i = 0; i < LINKS; i += 3)
    keep(objects[i]);
  pause_after_look_ahead();
  for (size_t i = 0; i < LINKS; i++)
    assert_true(outside[i] == (i % 3 == 0 ? word_for(objects[i]) : 0));
  end_refs();
}

static void
a_look_ahead_notes_links_in_dead_objects(void **state) {
  (void)state;
  void *alive = keep_new();
  uintptr_t *words = keep(new_pointer_free());
  follow_first(GC_LINK_ORDINARY, &words[1], alive);
  pause_full();
  forget_roots();
  keep(alive);
  pause_after_look_ahead();
  assert_int_equal(links_count(), 0);
  end_refs();
}

// ---- Soft references -----------------------------------------------------------------------------------

static struct gc_weak_ref *
new_soft(void *object) {
  struct gc_weak_ref *reference = (void *)fixture_allocate(sizeof *reference, GC_KIND_ATOMIC);
  *reference = (struct gc_weak_ref){word_for(object), GC_LINK_SOFT, gc_heap.now_ms};
  follow_first(GC_LINK_SOFT, &reference->hidden, object);
  return reference;
}

static void
soft_references_keep_what_was_got_lately(void **state) {
  (void)state;
  void *object = new_object();
  struct gc_weak_ref *reference = keep(new_soft(object));
  gc_softs_begin(false);
  pause_full();
  assert_true(reference->hidden == word_for(object) && is_object(object));
  reference->got_ms = gc_heap.now_ms - (uint32_t)24 * 3600 * 1000 * 40; // 40 days ago
  gc_tunables.soft_ref_ms = 1;
  gc_softs_begin(false);
  pause_full();
  assert_true(reference->hidden == 0 && !is_object(object));
  gc_tunables.soft_ref_ms = 1000;
  end_refs();
}

static void
soft_references_keep_nothing_when_memory_is_short(void **state) {
  (void)state;
  struct gc_weak_ref *reference = keep(new_soft(new_object()));
  gc_softs_begin(true);
  pause_full();
  assert_true(reference->hidden == 0);
  end_refs();
}

// One leads to the next, in both orders of registration, and one of the values of an ephemeron to another.
static void
what_soft_references_keep_may_be_soft_references(void **state) {
  (void)state;
  enum { LENGTH = 50 };
  struct gc_weak_ref *first = NULL, *last = NULL;
  void **object = new_object(), *value = new_object();
  struct gc_ephemeron *ephemeron = (void *)fixture_allocate(sizeof *ephemeron, GC_KIND_ATOMIC);
  object[0] = ephemeron;
  assert_true(gc_ephemerons_add(ephemeron, keep_new(), new_soft(value)));
  for (size_t i = 0; i < LENGTH; i++) {
    void **next = new_object();
    first = new_soft(object);
    last = last ? last : first;
    next[0] = first;
    object = next;
  }
  keep(first);
  gc_softs_begin(false);
  pause_full();
  assert_true(is_object(first) && is_object(last) && last->hidden != 0);
  assert_true(is_object(value) && ephemeron->hidden_value != 0);
  gc_softs_begin(true);
  end_refs();
}

// Even if the last full one was short of memory.
static void
soft_references_are_strong_in_minor_pauses(void **state) {
  (void)state;
  void *object = new_object();
  struct gc_weak_ref *reference = keep(new_soft(object));
  gc_softs_begin(true);
  pause_minor();
  assert_true(reference->hidden == word_for(object) && is_object(object));
  pause_full();
  assert_true(reference->hidden == 0);
  end_refs();
}

// ---- Refusals ------------------------------------------------------------------------------------------

static void
a_registration_that_is_refused_changes_nothing(void **state) {
  (void)state;
  enum { LINKS = 4000 };
  void *object = keep_new();
  size_t refused = 0;
  for (size_t i = 0; i < LINKS; i++) {
    size_t count = links_count();
    gc_os_stress_fail(1);
    if (gc_links_register(GC_LINK_ORDINARY, (void **)&outside[i], object) != GC_LINKED) {
      refused++;
      assert_int_equal(links_count(), count);
      assert_int_equal(gc_links_register(GC_LINK_ORDINARY, (void **)&outside[i], object), GC_LINKED);
    }
    gc_os_stress_fail(1);
    assert_int_equal(gc_links_register(GC_LINK_ORDINARY, (void **)&outside[i], object), GC_LINKED_BEFORE);
    gc_os_stress_fail(0);
  }
  assert_int_not_equal(refused, 0);
  assert_int_equal(links_count(), LINKS);
  end_refs();
}

static size_t visited;

static void
visit(void **link, void *object) {
  size_t i = (size_t)((uintptr_t *)link - outside);
  assert_true(i < 10 && outside[i] == word_for(object));
  visited++;
}

static void
each_link_is_visited_once(void **state) {
  (void)state;
  visited = 0;
  for (size_t i = 0; i < 10; i++)
    follow_first(GC_LINK_LONG, &outside[i], keep_new());
  gc_links_each(GC_LINK_LONG, visit);
  gc_links_each(GC_LINK_ORDINARY, visit);
  assert_int_equal(visited, 10);
  end_refs();
}

int
main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(links_to_the_dead_are_cleared_and_no_others),
      cmocka_unit_test(a_link_need_not_hold_what_it_follows),
      cmocka_unit_test(a_word_may_be_a_link_of_both_sorts),
      cmocka_unit_test(long_links_wait_for_the_finalizer),
      cmocka_unit_test(a_link_in_a_dead_object_is_forgotten),
      cmocka_unit_test(a_link_in_what_lives_once_more_is_cleared),
      cmocka_unit_test(a_link_in_what_lives_once_more_stays_if_its_object_does),
      cmocka_unit_test(a_moved_link_is_cleared_where_it_is),
      cmocka_unit_test(a_link_follows_what_it_was_registered_for_last),
      cmocka_unit_test(a_minor_pause_clears_links_to_young_objects),
      cmocka_unit_test(old_links_that_change_are_looked_at_by_minor_pauses),
      cmocka_unit_test(a_minor_pause_looks_at_young_links_only),
      cmocka_unit_test(a_pause_after_a_look_ahead_decides_the_same),
      cmocka_unit_test(a_look_ahead_notes_links_in_dead_objects),
      cmocka_unit_test(soft_references_keep_what_was_got_lately),
      cmocka_unit_test(soft_references_keep_nothing_when_memory_is_short),
      cmocka_unit_test(what_soft_references_keep_may_be_soft_references),
      cmocka_unit_test(soft_references_are_strong_in_minor_pauses),
      cmocka_unit_test(a_registration_that_is_refused_changes_nothing),
      cmocka_unit_test(each_link_is_visited_once),
  };
  return cmocka_run_group_tests(tests, begin_all_refs, NULL);
}
