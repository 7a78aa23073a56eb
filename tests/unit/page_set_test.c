// Sets of pages against a slow truthful model: an array of bools.
#include "heap/page_set.h"

#include "fixture.h"

enum { PAGES = 64 * 9 + 17, WORDS = (PAGES + 63) / 64, SETS = 3, STEPS = 40000 };

static struct gc_atomic words[SETS][WORDS + 1]; // one more, which must stay as it is
static bool model[SETS][WORDS * 64];

#define GUARD ((size_t)0x5ca1ab1e0ddba11)

static struct gc_page_set
set_of(size_t i) {
  return (struct gc_page_set){words[i]};
}

static void
begin(const char *test) {
  random_begin(test);
  memset(words, 0, sizeof words);
  memset(model, 0, sizeof model);
  for (size_t i = 0; i < SETS; i++)
    gc_atomic_store_relaxed(&words[i][WORDS], GUARD);
}

// ---- What the model expects ----------------------------------------------------------------------------

static size_t
model_next(size_t i, size_t page, size_t limit, bool present) {
  while (page < limit && model[i][page] != present)
    page++;
  return page < limit ? page : limit;
}

static size_t
model_next_difference(size_t i, size_t without, size_t page, size_t limit) {
  while (page < limit && (!model[i][page] || model[without][page]))
    page++;
  return page < limit ? page : limit;
}

static void
check(size_t i) {
  for (size_t page = 0; page < WORDS * 64; page++)
    if (gc_page_set_has(set_of(i), page) != model[i][page])
      fail_msg("page %zu of set %zu: expected %d", page, i, model[i][page]);
  assert_true(gc_atomic_load_relaxed(&words[i][WORDS]) == GUARD);
}

// Each question that can be asked of [page, limit).
static void
check_queries(size_t i, size_t other, size_t page, size_t limit) {
  assert_int_equal(gc_page_set_next(set_of(i), page, limit), model_next(i, page, limit, true));
  assert_int_equal(gc_page_set_next_absent(set_of(i), page, limit), model_next(i, page, limit, false));
  assert_int_equal(gc_page_set_next_difference(set_of(i), set_of(other), page, limit),
                   model_next_difference(i, other, page, limit));
  if (page <= limit)
    assert_int_equal(gc_page_set_has_any(set_of(i), page, limit - page),
                     model_next(i, page, limit, true) < limit);
}

// ---- The steps -----------------------------------------------------------------------------------------

// Near a word's boundary as often as not.
static size_t
random_page(void) {
  if (random_below(2))
    return random_below(PAGES);
  size_t boundary = random_below(WORDS) * 64, offset = random_below(3);
  return gc_min(boundary + offset > 0 ? boundary + offset - 1 : 0, PAGES - 1);
}

static size_t
random_length(size_t page) {
  size_t length = random_below(4) ? random_below(130) : random_below(PAGES);
  return gc_min(length, PAGES - page);
}

static void
set_all(size_t i, size_t page, size_t pages, bool present) {
  if (present)
    gc_page_set_add_all(set_of(i), page, pages);
  else
    gc_page_set_remove_all(set_of(i), page, pages);
  for (size_t at = page; at < page + pages; at++)
    model[i][at] = present;
}

static void
set_one(size_t i, size_t page, bool present) {
  if (present)
    gc_page_set_add(set_of(i), page);
  else
    gc_page_set_remove(set_of(i), page);
  model[i][page] = present;
}

// What lies behind the limit in its word is the heap's only by name: no page there was ever used.
static void
forget_behind(size_t i, size_t limit) {
  size_t end = gc_round_up(limit, 64);
  if (end > limit)
    set_all(i, limit, end - limit, false);
}

static void
clear_or_copy(size_t i, size_t from, size_t limit) {
  forget_behind(i, limit);
  forget_behind(from, limit);
  bool copied = i != from;
  if (copied)
    gc_page_set_copy(set_of(i), set_of(from), limit);
  else
    gc_page_set_clear(set_of(i), limit);
  for (size_t page = 0; page < limit; page++)
    model[i][page] = copied && model[from][page];
}

static void
random_step(void) {
  size_t i = random_below(SETS), other = random_below(SETS), page = random_page(), dice = random_below(100);
  if (dice < 20)
    set_all(i, page, random_length(page), true);
  else if (dice < 40)
    set_all(i, page, random_length(page), false);
  else if (dice < 60)
    set_one(i, page, dice % 2);
  else if (dice < 64)
    clear_or_copy(i, other, random_page());
  else
    check_queries(i, other, page, random_page());
}

static void
random_operations_agree_with_the_model(void **state) {
  (void)state;
  begin("page sets");
  for (int step = 0; step < STEPS; step++) {
    random_step();
    if (step % 16 == 0)
      for (size_t i = 0; i < SETS; i++)
        check(i);
  }
}

// ---- Edges ---------------------------------------------------------------------------------------------

static const size_t edges[] = {0, 1, 62, 63, 64, 65, 126, 127, 128, 129, 192, PAGES - 1, PAGES};

enum { EDGES = sizeof edges / sizeof edges[0] };

// Every run between two edges, added to an empty set and taken out of a full one.
static void
runs_between_word_boundaries(void **state) {
  (void)state;
  begin("runs");
  for (size_t i = 0; i < EDGES; i++)
    for (size_t j = i; j < EDGES; j++) {
      set_all(0, 0, PAGES, false);
      set_all(1, 0, PAGES, true);
      set_all(0, edges[i], edges[j] - edges[i], true);
      set_all(1, edges[i], edges[j] - edges[i], false);
      check(0);
      check(1);
      for (size_t from = 0; from < EDGES; from++)
        for (size_t limit = 0; limit < EDGES; limit++) {
          check_queries(0, 1, edges[from], edges[limit]);
          check_queries(1, 0, edges[from], edges[limit]);
        }
    }
}

static void
an_empty_range_changes_and_holds_nothing(void **state) {
  (void)state;
  begin("empty ranges");
  for (size_t i = 0; i < EDGES; i++) {
    set_all(0, edges[i], 0, true);
    check(0);
    assert_false(gc_page_set_has_any(set_of(0), edges[i], 0));
  }
  set_all(0, 0, PAGES, true);
  for (size_t i = 0; i < EDGES; i++) {
    set_all(0, edges[i], 0, false);
    check(0);
    assert_false(gc_page_set_has_any(set_of(0), edges[i], 0));
  }
}

static void
a_page_at_the_limit_is_not_found(void **state) {
  (void)state;
  begin("limits");
  for (size_t i = 0; i < EDGES; i++) {
    if (edges[i] == PAGES)
      continue;
    set_all(0, 0, PAGES, false);
    set_one(0, edges[i], true);
    assert_int_equal(gc_page_set_next(set_of(0), 0, edges[i]), edges[i]);
    assert_int_equal(gc_page_set_next(set_of(0), 0, edges[i] + 1), edges[i]);
    assert_int_equal(gc_page_set_next(set_of(0), edges[i] + 1, PAGES), PAGES);
    assert_false(gc_page_set_has_any(set_of(0), 0, edges[i]));
    assert_true(gc_page_set_has_any(set_of(0), edges[i], 1));
    assert_false(gc_page_set_has_any(set_of(0), edges[i] + 1, PAGES - edges[i] - 1));
  }
}

static void
clearing_and_copying_leave_later_words_alone(void **state) {
  (void)state;
  begin("limits of copies");
  for (size_t i = 0; i < EDGES; i++) {
    set_all(0, 0, PAGES, true);
    set_all(1, 0, PAGES, true);
    set_all(2, 0, PAGES, false);
    clear_or_copy(0, 0, edges[i]);
    check(0);
    clear_or_copy(1, 2, edges[i]);
    check(1);
    check(2);
  }
}

int
main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(random_operations_agree_with_the_model),
      cmocka_unit_test(runs_between_word_boundaries),
      cmocka_unit_test(an_empty_range_changes_and_holds_nothing),
      cmocka_unit_test(a_page_at_the_limit_is_not_found),
      cmocka_unit_test(clearing_and_copying_leave_later_words_alone),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
