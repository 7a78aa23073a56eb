// Sweeps in their cycles, full, minor and concurrent ones, against a slow model that remembers each object:
// two caches allocate and free, also between the pieces of a sweep, and no slot is lost or handed out twice.
#include "heap/sweep.h"

#include "fixture.h"

enum { OBJECTS = 4000, CACHES = 2, LARGE_BYTES = 200000 };

enum state { GONE, LIVE, DROPPED }; // DROPPED: garbage that has not been swept

static struct object {
  char *start;
  size_t bytes; // of the slot; of the pages, if it is large
  size_t tag;
  enum state state;
  bool old; // bears the current mark
  bool large;
  bool atomic;
} objects[OBJECTS];

static struct gc_cache caches[CACHES];
static size_t tags;
static size_t freed_bytes; // of old large objects that were freed since the last sweep began

static void
begin(const char *test) {
  fixture_heap(GC_GIB);
  memset(caches, 0, sizeof caches);
  memset(objects, 0, sizeof objects);
  freed_bytes = 0;
  random_begin(test);
}

static struct gc_cache *
random_cache(void) {
  return &caches[random_below(CACHES)];
}

// ---- The program ---------------------------------------------------------------------------------------

static char *
allocate_slot(struct gc_cache *cache, unsigned kind, size_t bytes) {
  unsigned class = gc_class_of(bytes);
  char *slot;
  while (!(slot = gc_cache_next(cache, kind, class)))
    assert_true(gc_cache_take_page(cache, kind, class));
  return slot;
}

static char *
allocate_large(size_t bytes) {
  bool clean;
  struct gc_ref ref = gc_large_allocate(bytes, GC_PAGE_BYTES, GC_KIND_NORMAL, &clean);
  assert_non_null(ref.start);
  if (!clean)
    memset(ref.start, 0, ref.bytes);
  return ref.start;
}

static size_t *
last_word(const struct object *object) {
  return (size_t *)(void *)(object->start + gc_heap_slot_at(object->start).bytes) - 1;
}

static void
allocate_object(struct object *object, size_t bytes, unsigned kind) {
  bool large = bytes > GC_CLASS_BYTES_MAX;
  char *start = large ? allocate_large(bytes) : allocate_slot(random_cache(), kind, bytes);
  struct gc_ref ref = gc_heap_slot_at(start);
  *object = (struct object){.start = start,
                            .bytes = large ? gc_heap.infos[ref.page].span_pages * GC_PAGE_BYTES : ref.bytes,
                            .tag = ++tags,
                            .state = LIVE,
                            .old = gc_heap.birth == gc_heap.mark,
                            .large = large,
                            .atomic = kind == GC_KIND_ATOMIC};
  assert_ptr_equal(ref.start, start);
  assert_int_equal(*ref.byte, gc_heap.birth);
  for (size_t i = 0; !object->atomic && i < ref.bytes / sizeof(size_t); i++)
    assert_int_equal(((size_t *)(void *)start)[i], 0);
  *(size_t *)(void *)start = *last_word(object) = object->tag;
}

static void
check_object(const struct object *object) {
  assert_true(gc_slot_is_object(*fixture_byte(object->start)));
  assert_int_equal(*fixture_byte(object->start) == gc_heap.mark, object->old);
  assert_int_equal(*(size_t *)(void *)object->start, object->tag);
  assert_int_equal(*last_word(object), object->tag);
}

// As GC_free does.
static void
free_object(struct object *object) {
  check_object(object);
  struct gc_ref ref = gc_heap_resolve(object->start);
  freed_bytes += object->large && object->old ? object->bytes : 0;
  if (object->large)
    gc_large_free_explicit(ref);
  else
    gc_cache_free(random_cache(), ref);
  object->state = GONE;
}

static size_t
random_bytes(void) {
  static const size_t sizes[] = {16, 48, 48, 200, 1000, 1000, 3000, 9000};
  return random_below(200) ? sizes[random_below(sizeof sizes / sizeof sizes[0])] : LARGE_BYTES;
}

// Whatever a program may do to an object of its own.
static void
random_step(void) {
  struct object *object = &objects[random_below(OBJECTS)];
  if (object->state == GONE)
    allocate_object(object, random_bytes(), random_below(4) ? GC_KIND_NORMAL : GC_KIND_ATOMIC);
  else if (object->state == LIVE && random_below(3) == 0)
    free_object(object);
  else if (object->state == LIVE && random_below(2))
    object->state = DROPPED;
  else if (object->state == LIVE)
    check_object(object);
}

static void
run_program(size_t steps) {
  while (steps-- > 0)
    random_step();
}

// ---- Cycles, as cycle/stopped.c has them ---------------------------------------------------------------

static size_t
shield_all(void) {
  size_t bytes = 0;
  for (size_t i = 0; i < CACHES; i++)
    bytes += gc_cache_shield_stw(&caches[i]);
  return bytes;
}

static void
unshield_all(void) {
  for (size_t i = 0; i < CACHES; i++)
    gc_cache_unshield_stw(&caches[i]);
}

static void
mark_object(struct object *object) {
  *fixture_byte(object->start) = gc_heap.mark;
  object->old = true;
}

static void
flip(void) {
  fixture_flip();
  for (size_t i = 0; i < OBJECTS; i++)
    objects[i].old = false;
}

static void
mark_live(void) {
  for (size_t i = 0; i < OBJECTS; i++)
    if (objects[i].state == LIVE)
      mark_object(&objects[i]);
}

// What the sweep is going to count, and what it is going to free.
static size_t
settle_model(void) {
  size_t live_bytes = 0;
  freed_bytes = 0;
  for (size_t i = 0; i < OBJECTS; i++) {
    struct object *object = &objects[i];
    if (object->state == DROPPED && !object->old)
      object->state = GONE;
    if (object->state != GONE)
      live_bytes += object->bytes;
  }
  return live_bytes;
}

static void
begin_sweep(bool full) {
  gc_heap.held = gc_heap.held == GC_SLOT_HELD_A ? GC_SLOT_HELD_B : GC_SLOT_HELD_A;
  for (size_t i = 0; i < CACHES; i++)
    gc_cache_forget_freed_stw(&caches[i]);
  gc_sweep_begin_stw(full, shield_all());
  for (size_t i = 0; i < CACHES; i++)
    gc_cache_sweep_owned_stw(&caches[i]);
  unshield_all();
}

// A piece now and then.
static void
sweep_while_running(void) {
  for (size_t left = random_below(600); left > 0; left--)
    if (random_below(20))
      random_step();
    else
      gc_sweep_some(1 + random_below(3));
  while (gc_sweep_some(1 + random_below(5)))
    if (random_below(4) == 0)
      random_step();
}

// Sweep all before the program goes on.
static void
sweep_at_once(void) {
  while (gc_sweep_some(1 + random_below(100)))
    ;
}

static void
run_cycle(bool full, bool lazily) {
  if (full)
    flip();
  shield_all();
  mark_live();
  size_t live_bytes = settle_model();
  begin_sweep(full);
  if (lazily)
    sweep_while_running();
  else
    sweep_at_once();
  assert_false(gc_sweep_is_under_way());
  assert_int_equal(gc_heap.live_bytes, live_bytes - freed_bytes);
}

static void
blacken(void) {
  shield_all();
  gc_heap.birth = gc_heap.mark;
  unshield_all();
}

// Objects are born white and later black; some of what lives is marked before the last pause and may die by
// then.
static void
run_concurrent_cycle(void) {
  flip();
  shield_all();
  gc_heap.marking = true;
  unshield_all();
  for (size_t slice = 0, black_from = random_below(11); slice < 10; slice++) {
    if (slice == black_from)
      blacken();
    for (size_t i = 0; i < OBJECTS / 20; i++) {
      struct object *object = &objects[random_below(OBJECTS)];
      if (object->state == LIVE)
        mark_object(object);
    }
    run_program(random_below(60));
  }
  shield_all();
  mark_live();
  size_t live_bytes = settle_model();
  gc_heap.birth = GC_SLOT_NEW;
  gc_heap.marking = false;
  begin_sweep(true);
  sweep_while_running();
  assert_int_equal(gc_heap.live_bytes, live_bytes - freed_bytes);
}

// ---- Does the heap agree? ------------------------------------------------------------------------------

struct tally {
  size_t objects, held, unused; // slots; unused ones of the caches' runs look like objects
};

static void
count_span(uint32_t page, struct tally *tally) {
  const uint8_t *bytes = gc_heap_slot_bytes(gc_heap.pages[page].line);
  for (size_t slot = 0; slot < gc_heap.infos[page].slots; slot++) {
    tally->objects += gc_slot_is_object(bytes[slot]);
    tally->held += bytes[slot] == GC_SLOT_HELD_A || bytes[slot] == GC_SLOT_HELD_B;
    assert_true(bytes[slot] != GC_SLOT_NEW || gc_page_set_has(gc_heap.young, page));
  }
}

static void
count_cache(struct gc_cache *cache, struct tally *tally) {
  for (unsigned kind = 0; kind < GC_KINDS; kind++)
    for (unsigned class = 0; class < GC_CLASSES; class ++) {
      const struct gc_run *run = &cache->runs[kind][class];
      tally->unused += (size_t)(run->run_limit - run->cursor) / gc_classes[class].slot_bytes;
    }
}

static size_t
freed_slots(struct gc_cache *cache) {
  size_t count = 0;
  for (unsigned kind = 0; kind < GC_KINDS; kind++)
    for (unsigned class = 0; class < GC_CLASSES; class ++)
      for (void *slot = cache->runs[kind][class].freed; slot; slot = *(void **)slot)
        count++;
  return count;
}

// After a sweep: every slot is an object of the model, in a cache's run, on a cache's list of freed slots, or
// free.
static void
check_heap(void) {
  struct tally tally = {0};
  size_t expected = 0, freed = 0;
  for (size_t i = 0; i < OBJECTS; i++) {
    expected += objects[i].state != GONE;
    if (objects[i].state == LIVE)
      check_object(&objects[i]);
  }
  for (uint32_t page = 1; page < gc_heap.frontier; page += gc_heap.infos[page].span_pages)
    if (gc_heap.pages[page].line != 0)
      count_span(page, &tally);
  for (size_t i = 0; i < CACHES; i++) {
    count_cache(&caches[i], &tally);
    freed += freed_slots(&caches[i]);
  }
  assert_int_equal(tally.objects, expected + tally.unused);
  assert_int_equal(tally.held, freed);
}

// When nothing lives and the caches own nothing, every page is free.
static void
check_that_nothing_is_lost(void) {
  for (size_t i = 0; i < OBJECTS; i++)
    if (objects[i].state == LIVE)
      objects[i].state = DROPPED;
  for (size_t i = 0; i < CACHES; i++)
    gc_cache_give_back(&caches[i]);
  run_cycle(true, false);
  assert_int_equal(gc_heap.live_bytes, 0);
  assert_int_equal(gc_heap.clean_pages + gc_heap.dirty_pages, gc_heap.frontier - 1);
  assert_int_equal(gc_page_set_next(gc_heap.used, 0, gc_heap.frontier), gc_heap.frontier);
  assert_int_equal(gc_page_set_next(gc_heap.young, 0, gc_heap.frontier), gc_heap.frontier);
  assert_int_equal(gc_page_set_next(gc_heap.scanned, 0, gc_heap.frontier), gc_heap.frontier);
  assert_int_equal(gc_page_set_next(gc_heap.unswept, 0, gc_heap.frontier), gc_heap.frontier);
}

// ---- Random cycles -------------------------------------------------------------------------------------

static void
check_cycles(const char *name, void (*cycle)(void)) {
  for (int round = 0; round < 6; round++) {
    begin(name);
    gc_heap.roomy_first = (uint8_t)(GC_ROOMY + random_below(GC_EMPTINESS));
    for (int i = 0; i < 16; i++) {
      run_program(random_below(4000));
      cycle();
      check_heap();
    }
    check_that_nothing_is_lost();
  }
}

static void
full_cycle(void) {
  run_cycle(true, false);
}

static void
lazy_cycle(void) {
  run_cycle(true, true);
}

// Minor ones more often than not.
static void
minor_or_full_cycle(void) {
  run_cycle(random_below(5) == 0, false);
}

static void
any_cycle(void) {
  size_t dice = random_below(6);
  if (dice < 3)
    run_cycle(false, false);
  else if (dice < 5)
    run_concurrent_cycle();
  else
    run_cycle(true, random_below(2));
}

static void
full_sweeps_lose_nothing(void **state) {
  (void)state;
  check_cycles("full", full_cycle);
}

static void
sweeps_in_pieces_lose_nothing(void **state) {
  (void)state;
  check_cycles("lazy", lazy_cycle);
}

static void
minor_sweeps_lose_nothing_and_count_exactly(void **state) {
  (void)state;
  check_cycles("minor", minor_or_full_cycle);
}

static void
concurrent_cycles_lose_nothing(void **state) {
  (void)state;
  check_cycles("concurrent", run_concurrent_cycle);
}

static void
cycles_of_all_kinds_lose_nothing(void **state) {
  (void)state;
  check_cycles("any", any_cycle);
}

// ---- Minor sweeps --------------------------------------------------------------------------------------

static struct object *
new_object(size_t bytes) {
  for (size_t i = 0; i < OBJECTS; i++)
    if (objects[i].state == GONE) {
      allocate_object(&objects[i], bytes, GC_KIND_NORMAL);
      return &objects[i];
    }
  fail();
  return NULL;
}

static uint32_t
page_of(const struct object *object) {
  return gc_heap_slot_at(object->start).page;
}

static void
give_back_all(void) {
  for (size_t i = 0; i < CACHES; i++)
    gc_cache_give_back(&caches[i]);
}

static void
a_minor_sweep_visits_young_spans_only(void **state) {
  (void)state;
  begin("young");
  struct object *old = new_object(64);
  give_back_all();
  run_cycle(true, false);
  assert_false(gc_page_set_has(gc_heap.young, page_of(old)));
  fixture_byte(old->start)[1] = GC_SLOT_NEW; // as no program can have it: shows that nobody looks
  uint32_t page = page_of(old);
  struct object *young = new_object(3000);
  young->state = DROPPED;
  give_back_all();
  run_cycle(false, false);
  assert_int_equal(fixture_byte(gc_heap_page_address(page))[1], GC_SLOT_NEW);
  assert_null(gc_heap_resolve(young->start).start);
  fixture_byte(old->start)[1] = GC_SLOT_FREE;
  assert_int_equal(gc_heap.live_bytes, old->bytes);
}

static void
a_span_whose_objects_die_young_is_freed(void **state) {
  (void)state;
  begin("freed while young");
  struct object *object = new_object(64);
  uint32_t page = page_of(object);
  assert_true(gc_page_set_has(gc_heap.young, page) && gc_page_set_has(gc_heap.used, page));
  object->state = DROPPED;
  give_back_all();
  run_cycle(false, false);
  assert_int_equal(gc_heap.pages[page].state, GC_PAGE_FREE_DIRTY);
  assert_false(gc_page_set_has(gc_heap.young, page) || gc_page_set_has(gc_heap.used, page) ||
               gc_page_set_has(gc_heap.scanned, page));
  assert_int_equal(gc_heap.live_bytes, 0);
}

static void
what_died_old_waits_for_a_full_sweep(void **state) {
  (void)state;
  begin("died old");
  struct object *small = new_object(64), *large = new_object(LARGE_BYTES);
  run_cycle(true, false);
  char *small_start = small->start, *large_start = large->start;
  size_t live_bytes = small->bytes + large->bytes;
  assert_int_equal(gc_heap.live_bytes, live_bytes);
  small->state = large->state = DROPPED;
  for (int i = 0; i < 3; i++) {
    run_cycle(false, false);
    assert_int_equal(gc_heap.live_bytes, live_bytes);
    assert_ptr_equal(gc_heap_resolve(small_start).start, small_start);
    assert_ptr_equal(gc_heap_resolve(large_start).start, large_start);
  }
  run_cycle(true, false);
  assert_int_equal(gc_heap.live_bytes, 0);
  assert_null(gc_heap_resolve(small_start).start);
  assert_null(gc_heap_resolve(large_start).start);
}

static void
large_objects_become_old_or_die_young(void **state) {
  (void)state;
  begin("large");
  struct object *kept = new_object(LARGE_BYTES), *dropped = new_object(2 * LARGE_BYTES);
  assert_true(gc_page_set_has(gc_heap.young, page_of(kept)));
  char *dropped_start = dropped->start;
  dropped->state = DROPPED;
  run_cycle(false, false);
  assert_null(gc_heap_resolve(dropped_start).start);
  assert_int_equal(gc_heap.live_bytes, kept->bytes);
  assert_false(gc_page_set_has(gc_heap.young, page_of(kept)));
  free_object(kept);
  assert_int_equal(gc_heap.live_bytes, 0);
  run_cycle(false, false);
  assert_int_equal(gc_heap.live_bytes, 0);
}

// The span is young again, so that a minor sweep finds the slot.
static void
an_old_slot_that_was_freed_is_free_after_a_minor_sweep(void **state) {
  (void)state;
  begin("freed old");
  struct object *kept = new_object(64), *freed = new_object(64);
  give_back_all();
  run_cycle(true, false);
  assert_int_equal(gc_heap.live_bytes, kept->bytes + freed->bytes);
  uint8_t *byte = fixture_byte(freed->start);
  uint32_t page = page_of(freed);
  assert_false(gc_page_set_has(gc_heap.young, page));
  free_object(freed);
  assert_true(gc_page_set_has(gc_heap.young, page));
  assert_int_equal(*byte, gc_heap.held);
  run_cycle(false, false);
  assert_int_equal(*byte, GC_SLOT_FREE);
  assert_int_equal(gc_heap.live_bytes, kept->bytes);
}

int
main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_minor_sweep_visits_young_spans_only),
      cmocka_unit_test(a_span_whose_objects_die_young_is_freed),
      cmocka_unit_test(what_died_old_waits_for_a_full_sweep),
      cmocka_unit_test(large_objects_become_old_or_die_young),
      cmocka_unit_test(an_old_slot_that_was_freed_is_free_after_a_minor_sweep),
      cmocka_unit_test(full_sweeps_lose_nothing),
      cmocka_unit_test(minor_sweeps_lose_nothing_and_count_exactly),
      cmocka_unit_test(sweeps_in_pieces_lose_nothing),
      cmocka_unit_test(concurrent_cycles_lose_nothing),
      cmocka_unit_test(cycles_of_all_kinds_lose_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
