// Size classes: what each wastes, and that the reciprocal finds the slot of every granule.
#include "fixture.h"

static int
setup(void **state) {
  (void)state;
  gc_classes_init();
  return 0;
}

static void
every_size_gets_the_least_class_that_holds_it(void **state) {
  (void)state;
  unsigned least = 0;
  for (size_t bytes = 0; bytes <= GC_CLASS_BYTES_MAX; bytes++) {
    while (gc_classes[least].slot_bytes < bytes)
      least++;
    if (gc_class_of(bytes) != least)
      fail_msg("%zu bytes: class %u, expected %u", bytes, gc_class_of(bytes), least);
  }
  assert_int_equal(least, GC_CLASSES - 1);
}

static void
classes_rise_in_whole_granules(void **state) {
  (void)state;
  assert_int_equal(gc_classes[0].slot_bytes, GC_GRANULE_BYTES);
  assert_int_equal(gc_classes[GC_LINEAR_CLASSES - 1].slot_bytes, 256);
  assert_int_equal(gc_classes[GC_CLASSES - 1].slot_bytes, GC_CLASS_BYTES_MAX);
  for (unsigned class = 0; class < GC_CLASSES; class ++) {
    assert_int_equal(gc_classes[class].slot_bytes % GC_GRANULE_BYTES, 0);
    if (class > 0)
      assert_true(gc_classes[class].slot_bytes > gc_classes[class - 1].slot_bytes);
  }
}

static void
at_most_an_eighth_of_a_slot_is_lost(void **state) {
  (void)state;
  for (size_t bytes = 257; bytes <= GC_CLASS_BYTES_MAX; bytes++) {
    size_t lost = gc_classes[gc_class_of(bytes)].slot_bytes - bytes;
    if (lost * 8 > bytes)
      fail_msg("%zu bytes: %zu lost", bytes, lost);
  }
}

static void
the_reciprocal_finds_the_slot_of_every_granule(void **state) {
  (void)state;
  for (unsigned class = 0; class < GC_CLASSES; class ++) {
    const struct gc_class *c = &gc_classes[class];
    size_t slot_granules = c->slot_bytes / GC_GRANULE_BYTES;
    for (size_t granule = 0; granule < c->span_pages * GC_PAGE_GRANULES; granule++)
      if (granule * c->reciprocal >> GC_RECIPROCAL_SHIFT != granule / slot_granules)
        fail_msg("class %u, granule %zu: slot %zu", class, granule,
                 (size_t)(granule * c->reciprocal >> GC_RECIPROCAL_SHIFT));
  }
}

static void
at_most_an_eighth_of_a_span_is_lost(void **state) {
  (void)state;
  for (unsigned class = 0; class < GC_CLASSES; class ++) {
    const struct gc_class *c = &gc_classes[class];
    size_t span_bytes = c->span_pages * GC_PAGE_BYTES, used_bytes = (size_t)c->slots * c->slot_bytes;
    assert_in_range(c->span_pages, 1, 8);
    assert_true(c->slots >= 1);
    assert_true(used_bytes <= span_bytes);
    if ((span_bytes - used_bytes) * 8 > span_bytes)
      fail_msg("class %u of %u bytes: %zu of %zu lost", class, c->slot_bytes, span_bytes - used_bytes,
               span_bytes);
  }
}

static void
no_shorter_span_would_do(void **state) {
  (void)state;
  for (unsigned class = 0; class < GC_CLASSES; class ++)
    for (size_t pages = 1; pages < gc_classes[class].span_pages; pages++) {
      size_t bytes = pages * GC_PAGE_BYTES, slot_bytes = gc_classes[class].slot_bytes;
      assert_true(slot_bytes > bytes || bytes % slot_bytes > bytes / 8);
    }
}

// Marking looks at the byte of any granule of a span, also of those behind the last slot.
static void
slot_bytes_behind_the_last_slot_lie_in_the_spans_own_lines(void **state) {
  (void)state;
  for (unsigned class = 0; class < GC_CLASSES; class ++) {
    const struct gc_class *c = &gc_classes[class];
    size_t room = GC_LINE_SLOTS;
    while (room < c->slots)
      room *= 2;
    size_t last_granule = c->span_pages * GC_PAGE_GRANULES - 1;
    assert_true((last_granule * c->reciprocal >> GC_RECIPROCAL_SHIFT) < room);
    assert_true(room <= (size_t)GC_LINE_SLOTS << (GC_LINE_SIZES - 1));
  }
}

static void
where_it_costs_little_no_slot_ends_with_its_span(void **state) {
  (void)state;
  for (unsigned class = 0; class < GC_CLASSES; class ++) {
    const struct gc_class *c = &gc_classes[class];
    size_t span_bytes = c->span_pages * GC_PAGE_BYTES;
    if (span_bytes / c->slot_bytes >= 64)
      assert_true((size_t)c->slots * c->slot_bytes < span_bytes);
  }
}

static void
kinds_say_what_they_are(void **state) {
  (void)state;
  assert_int_equal(gc_kind_of_normal(16), GC_KIND_EXACT);
  assert_int_equal(gc_kind_of_normal(24), GC_KIND_NORMAL);
  assert_false(gc_kind_may_end_at_next(GC_KIND_NORMAL));
  assert_true(gc_kind_may_end_at_next(GC_KIND_EXACT));
  assert_true(gc_kind_is_pointer_free(GC_KIND_ATOMIC_UNCOLLECTABLE));
  assert_false(gc_kind_is_pointer_free(GC_KIND_UNCOLLECTABLE));
  assert_true(gc_kind_is_uncollectable(GC_KIND_UNCOLLECTABLE));
  assert_false(gc_kind_is_uncollectable(GC_KIND_ATOMIC));
}

int
main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_size_gets_the_least_class_that_holds_it),
      cmocka_unit_test(classes_rise_in_whole_granules),
      cmocka_unit_test(at_most_an_eighth_of_a_slot_is_lost),
      cmocka_unit_test(the_reciprocal_finds_the_slot_of_every_granule),
      cmocka_unit_test(at_most_an_eighth_of_a_span_is_lost),
      cmocka_unit_test(no_shorter_span_would_do),
      cmocka_unit_test(slot_bytes_behind_the_last_slot_lie_in_the_spans_own_lines),
      cmocka_unit_test(where_it_costs_little_no_slot_ends_with_its_span),
      cmocka_unit_test(kinds_say_what_they_are),
  };
  return cmocka_run_group_tests(tests, setup, NULL);
}
