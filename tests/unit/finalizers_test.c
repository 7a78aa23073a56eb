// Finalizers and cleaners through pauses, against a slow model of which become ready; their queues, and what
// happens without memory.
#include "refs/finalizers.h"

#include "base/hooks.h"
#include "os/clock.h"
#include "refs/run.h"
#include "refs_fixture.h"

static void
nothing(void) {
}

static void
nothing_else(void) {
}

static struct gc_registration replaced;

static enum gc_registered
try_to_register(void *object, enum gc_finalizer_sort sort, void *data) {
  struct gc_registration new = {.function = nothing, .data = data, .sort = sort};
  replaced = (struct gc_registration){0};
  if (sort == GC_FINALIZER_IS_CLEANER)
    return gc_finalizers_add_cleaner(object, &new);
  return gc_finalizers_register(object, &new, &replaced);
}

static void
enroll(void *object, enum gc_finalizer_sort sort, void *data) {
  enum gc_registered result = try_to_register(object, sort, data);
  if (result == GC_NO_STRONG_ROOM) {
    add_strong_chunk();
    result = try_to_register(object, sort, data);
  }
  assert_int_equal(result, GC_REGISTERED);
}

static void
take_back(void *object) {
  struct gc_registration none = {0};
  replaced = none;
  assert_int_equal(gc_finalizers_register(object, &none, &replaced), GC_REGISTERED);
}

static struct gc_ready_item
take(void) {
  return take_ready(&gc_queues_own()->ready);
}

static size_t
ready_count(void) {
  return gc_atomic_load_relaxed(&gc_queues_own()->ready.count);
}

// ---- Registrations -------------------------------------------------------------------------------------

static void
what_is_replaced_is_given_back(void **state) {
  (void)state;
  void *object = keep_new(), *data = new_object();
  enroll(object, GC_FINALIZER_IS_ORDERED, data);
  assert_null(replaced.function);
  enroll(object, GC_FINALIZER_IS_NO_ORDER, NULL);
  assert_ptr_equal(replaced.function, nothing);
  assert_ptr_equal(replaced.data, data);
  assert_int_equal(replaced.sort, GC_FINALIZER_IS_ORDERED);
  take_back(object);
  assert_ptr_equal(replaced.function, nothing);
  assert_null(replaced.data);
  take_back(object);
  assert_null(replaced.function);
  assert_int_equal(gc_finalizers_count(), 0);
  end_refs();
}

static void
only_starts_of_objects_have_finalizers(void **state) {
  (void)state;
  void **object = keep_new();
  assert_int_equal(try_to_register(object + 2, GC_FINALIZER_IS_ORDERED, NULL), GC_NOT_AN_OBJECT);
  assert_int_equal(try_to_register(&object, GC_FINALIZER_IS_CLEANER, NULL), GC_NOT_AN_OBJECT);
  assert_int_equal(try_to_register(NULL, GC_FINALIZER_IS_CLEANER, NULL), GC_NOT_AN_OBJECT);
  assert_int_equal(gc_finalizers_count(), 0);
  end_refs();
}

// Data lives until it is given to the function, and any word is data.
static void
data_is_kept_and_given(void **state) {
  (void)state;
  void **data = new_object(), *held = new_object();
  void *const numbers[] = {data, (void *)-1, (void *)1, NULL, (char *)data + 39};
  data[0] = held;
  for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
    enroll(new_object(), i % 2 ? GC_FINALIZER_IS_CLEANER : GC_FINALIZER_IS_ORDERED, numbers[i]);
  pause_full();
  pause_full();
  assert_true(is_object(data) && is_object(held));
  assert_int_equal(ready_count(), 5);
  uintptr_t seen = 0;
  for (size_t i = 0; i < 5; i++) {
    struct gc_ready_item item = take();
    for (size_t number = 0; number < 5; number++)
      if (numbers[number] == item.data && (item.object == NULL) == (number % 2 == 1))
        seen |= (uintptr_t)1 << number;
  }
  assert_int_equal(seen, 31);
  pause_full();
  assert_true(!is_object(data) && !is_object(held));
  end_refs();
}

// Data that leads back to its object keeps it.
static void
data_is_a_root(void **state) {
  (void)state;
  void **object = new_object(), **data = new_object();
  data[0] = object;
  enroll(object, GC_FINALIZER_IS_ORDERED, data);
  pause_full();
  assert_true(is_object(object));
  assert_int_equal(ready_count(), 0);
  take_back(object);
  end_refs();
}

static void
strong_words_are_used_again(void **state) {
  (void)state;
  void *object = keep_new(), *data = keep_new();
  enroll(object, GC_FINALIZER_IS_ORDERED, data);
  size_t chunks = strong_chunks;
  for (size_t i = 0; i < 3 * GC_STRONG_CHUNK_BYTES; i++) {
    enroll(object, GC_FINALIZER_IS_ORDERED, data);
    enroll(object, GC_FINALIZER_IS_CLEANER, data);
    assert_true(gc_finalizers_remove_cleaner(object, nothing, data));
    take_back(object);
  }
  assert_int_equal(strong_chunks, chunks);
  for (size_t i = 0; i < 100; i++) {
    for (size_t j = 0; j < 100; j++)
      enroll(new_object(), GC_FINALIZER_IS_ORDERED, data);
    pause_full();
    assert_int_equal(take_all_ready(), 100);
  }
  assert_int_equal(strong_chunks, chunks);
  end_refs();
}

static void
what_is_freed_is_forgotten(void **state) {
  (void)state;
  void *object = keep_new();
  enroll(object, GC_FINALIZER_IS_ORDERED, keep_new());
  enroll(object, GC_FINALIZER_IS_CLEANER, keep_new());
  enroll(object, GC_FINALIZER_IS_CLEANER, NULL);
  enroll((char *)object + 5, GC_FINALIZER_IS_ORDERED, NULL); // a tag
  assert_int_equal(gc_finalizers_count(), 4);
  gc_finalizers_forget(object);
  assert_int_equal(gc_finalizers_count(), 0);
  forget_roots();
  pause_full();
  assert_int_equal(ready_count(), 0);
  end_refs();
}

// ---- Cleaners ------------------------------------------------------------------------------------------

static void
cleaners_come_when_the_object_is_gone(void **state) {
  (void)state;
  void *object = new_object();
  for (uintptr_t i = 1; i <= 3; i++)
    enroll(object, GC_FINALIZER_IS_CLEANER, (void *)(2 * i + 1));
  enroll(object, GC_FINALIZER_IS_ORDERED, NULL);
  pause_full();
  assert_int_equal(ready_count(), 1);
  assert_ptr_equal(take().object, object);
  pause_full();
  assert_false(is_object(object));
  assert_int_equal(ready_count(), 3);
  for (uintptr_t seen = 0; ready_count() > 0;) {
    struct gc_ready_item item = take();
    uintptr_t number = (uintptr_t)item.data / 2;
    assert_true(!item.object && number >= 1 && number <= 3 && !(seen >> number & 1));
    seen |= (uintptr_t)1 << number;
  }
  end_refs();
}

static void
cleaners_are_taken_back_by_function_and_data(void **state) {
  (void)state;
  void *object = keep_new();
  void *const data[] = {(void *)3, (void *)5, (void *)5};
  for (size_t i = 0; i < 3; i++)
    enroll(object, GC_FINALIZER_IS_CLEANER, data[i]);
  assert_false(gc_finalizers_remove_cleaner(object, nothing_else, data[0]));
  assert_false(gc_finalizers_remove_cleaner(object, nothing, (void *)7));
  assert_false(gc_finalizers_remove_cleaner(keep_new(), nothing, data[0]));
  assert_true(gc_finalizers_remove_cleaner(object, nothing, data[1]));
  assert_true(gc_finalizers_remove_cleaner(object, nothing, data[0]));
  assert_false(gc_finalizers_remove_cleaner(object, nothing, data[0]));
  forget_roots();
  pause_full();
  assert_int_equal(ready_count(), 1);
  assert_false(gc_finalizers_remove_cleaner(object, nothing, data[1])); // too late
  assert_ptr_equal(take().data, data[1]);
  end_refs();
}

// ---- The model -----------------------------------------------------------------------------------------

enum { NODES = 60, EDGES = 3, NOWHERE = NODES, ROUNDS = 3000 };

#define UNREGISTERED GC_FINALIZER_IS_CLEANER

struct set {
  bool has[NODES];
};

static struct {
  void **objects[NODES];
  size_t edges[NODES][EDGES];
  enum gc_finalizer_sort sort[NODES];
  struct set roots, reached, held_back, referred_to, kept; // as in tests/model/reference_reach.h
  bool was_ready[NODES];
} model;

static void
add(struct set *set, size_t number) {
  if (number == NOWHERE || set->has[number])
    return;
  set->has[number] = true;
  for (size_t edge = 0; edge < EDGES; edge++)
    add(set, model.edges[number][edge]);
}

static void
add_contents(struct set *set, size_t number, bool ignore_self) {
  for (size_t edge = 0; edge < EDGES; edge++)
    if (!ignore_self || model.edges[number][edge] != number)
      add(set, model.edges[number][edge]);
}

static void
add_all(struct set *set, const struct set *others) {
  for (size_t i = 0; i < NODES; i++)
    if (others->has[i])
      add(set, i);
}

static bool
is_dying(size_t number) {
  return model.sort[number] != UNREGISTERED && !model.reached.has[number];
}

static void
find_sets(void) {
  model.reached = model.held_back = model.referred_to = model.kept = (struct set){0};
  add_all(&model.reached, &model.roots);
  add_all(&model.held_back, &model.reached);
  for (size_t i = 0; i < NODES; i++)
    if (is_dying(i) && model.sort[i] != GC_FINALIZER_IS_NO_ORDER)
      add_contents(&model.held_back, i, model.sort[i] == GC_FINALIZER_IS_IGNORE_SELF);
  add_all(&model.referred_to, &model.held_back);
  for (size_t i = 0; i < NODES; i++)
    if (is_dying(i) && !model.held_back.has[i] && model.sort[i] != GC_FINALIZER_IS_UNREACHABLE)
      add(&model.referred_to, i);
  add_all(&model.kept, &model.referred_to);
  for (size_t i = 0; i < NODES; i++)
    if (is_dying(i))
      add(&model.kept, i);
}

static bool
is_to_be_ready(size_t number) {
  bool unreachable = model.sort[number] == GC_FINALIZER_IS_UNREACHABLE;
  return is_dying(number) && !(unreachable ? &model.referred_to : &model.held_back)->has[number];
}

static void
make_random_objects(void) {
  size_t sparse = 2 + random_below(6), rare = 2 + random_below(10);
  for (size_t i = 0; i < NODES; i++)
    model.objects[i] = new_object();
  for (size_t i = 0; i < NODES; i++) {
    model.sort[i] = (enum gc_finalizer_sort)random_below(UNREGISTERED + 1);
    model.roots.has[i] = random_below(rare) == 0;
    for (size_t edge = 0; edge < EDGES; edge++) {
      size_t to = random_below(sparse) ? NOWHERE : random_below(8) ? random_below(NODES) : i;
      model.edges[i][edge] = to;
      model.objects[i][edge] = to == NOWHERE ? NULL : model.objects[to];
    }
  }
}

static void
enroll_all(void) {
  for (size_t i = 0; i < NODES; i++) {
    if (model.roots.has[i])
      keep(model.objects[i]);
    if (model.sort[i] != UNREGISTERED)
      enroll(model.objects[i], model.sort[i], NULL);
  }
}

static size_t
number_of(const void *object) {
  size_t number = 0;
  while (number < NODES && model.objects[number] != object)
    number++;
  return number;
}

static void
check_ready(void) {
  memset(model.was_ready, 0, sizeof model.was_ready);
  for (struct gc_ready_item item; (item = take()).function;) {
    size_t number = number_of(item.object);
    assert_true(number < NODES && !model.was_ready[number]);
    model.was_ready[number] = true;
  }
  for (size_t i = 0; i < NODES; i++) {
    assert_int_equal(model.was_ready[i], is_to_be_ready(i));
    assert_int_equal(is_object(model.objects[i]), model.kept.has[i]);
  }
}

// The next pause finds that those are gone which nothing keeps any more, and so on.
static void
exactly_what_the_model_says_becomes_ready(void **state) {
  (void)state;
  static void (*const pauses[])(void) = {pause_full, pause_minor, pause_after_look_ahead};
  random_begin("finalizers");
  for (size_t round = 0; round < ROUNDS; round++) {
    make_random_objects();
    enroll_all();
    for (size_t pause = 0; pause < 4; pause++) {
      find_sets();
      pauses[pause ? 2 * (round % 2) : round % 3]();
      check_ready();
      for (size_t i = 0; i < NODES; i++)
        if (model.was_ready[i])
          model.sort[i] = UNREGISTERED;
    }
    for (size_t i = 0; i < NODES; i++) // of rings
      if (is_object(model.objects[i]))
        take_back(model.objects[i]);
    end_refs();
  }
}

// A ring is never ready, and the program is told.
static size_t warnings;

static void
count_warning(char *format, unsigned long argument) {
  (void)argument;
  warnings += strstr(format, "finalization cycle") != NULL;
}

static void
rings_wait_forever_and_a_warning_says_so(void **state) {
  (void)state;
  void **first = new_object(), **second = new_object(), **alone = new_object();
  first[0] = second;
  second[0] = first;
  alone[0] = alone;
  enroll(first, GC_FINALIZER_IS_ORDERED, NULL);
  enroll(second, GC_FINALIZER_IS_ORDERED, NULL);
  enroll(alone, GC_FINALIZER_IS_IGNORE_SELF, NULL);
  gc_hooks.warn = count_warning;
  warnings = 0;
  pause_full();
  gc_finalizers_warn();
  assert_int_not_equal(warnings, 0);
  assert_int_equal(ready_count(), 1);
  assert_ptr_equal(take().object, alone);
  take_back(first);
  take_back(second);
  end_refs();
}

// Old ones are none of a minor pause's business, even if nothing refers to them.
static void
a_minor_pause_decides_about_young_objects(void **state) {
  (void)state;
  void **old = keep_new();
  enroll(old, GC_FINALIZER_IS_ORDERED, NULL);
  enroll(old, GC_FINALIZER_IS_CLEANER, NULL);
  pause_full();
  forget_roots();
  void **young = new_object();
  enroll(young, GC_FINALIZER_IS_ORDERED, NULL);
  enroll(new_object(), GC_FINALIZER_IS_CLEANER, NULL);
  pause_minor();
  assert_int_equal(take_all_ready(), 2);
  assert_int_equal(gc_finalizers_count(), 2);
  pause_full();
  assert_int_equal(take_all_ready(), 1);
  end_refs();
}

// ---- Refusals ------------------------------------------------------------------------------------------

static void
a_registration_that_is_refused_changes_nothing(void **state) {
  (void)state;
  size_t refused = 0;
  for (size_t i = 0; i < 20000; i++) {
    void *object = keep_new();
    gc_os_stress_fail(1);
    if (try_to_register(object, GC_FINALIZER_IS_ORDERED, NULL) == GC_NO_ROOM) {
      refused++;
      assert_int_equal(gc_finalizers_count(), i);
      assert_int_equal(try_to_register(object, GC_FINALIZER_IS_ORDERED, NULL), GC_REGISTERED);
    }
    gc_os_stress_fail(1);
    assert_int_equal(try_to_register(object, GC_FINALIZER_IS_NO_ORDER, NULL), GC_REGISTERED);
    gc_os_stress_fail(0);
  }
  assert_int_not_equal(refused, 0);
  end_refs();
}

// The caller is told what is missing, before anything has changed.
static void
without_room_for_its_data_nothing_is_registered(void **state) {
  (void)state;
  void *data = keep_new();
  while (gc_strong_has_room())
    enroll(keep_new(), GC_FINALIZER_IS_ORDERED, data);
  void *object = keep_new(), *registered = keep_new();
  enroll(registered, GC_FINALIZER_IS_ORDERED, NULL);
  size_t count = gc_finalizers_count();
  assert_int_equal(try_to_register(object, GC_FINALIZER_IS_ORDERED, data), GC_NO_STRONG_ROOM);
  assert_int_equal(try_to_register(object, GC_FINALIZER_IS_CLEANER, data), GC_NO_STRONG_ROOM);
  assert_int_equal(try_to_register(registered, GC_FINALIZER_IS_ORDERED, data), GC_NO_STRONG_ROOM);
  assert_int_equal(gc_finalizers_count(), count);
  enroll(object, GC_FINALIZER_IS_ORDERED, NULL); // needs none
  enroll(registered, GC_FINALIZER_IS_ORDERED, data);
  assert_null(replaced.data);
  end_refs();
}

static void
pause_with_a_refusal(void) {
  begin_pause(false);
  gc_os_stress_fail(1);
  gc_refs_settle_stw(true, false);
  gc_os_stress_fail(0);
  end_pause(false);
}

// What cannot be made ready lives with all it has, and is tried again.
static size_t
make_ready_in_spite_of_a_refusal(size_t count, enum gc_finalizer_sort sort) {
  static void **objects[8192];
  size_t ready, late = 0;
  for (size_t i = 0; i < count; i++) {
    objects[i] = new_object();
    objects[i][1] = new_object();
    enroll(objects[i], sort, NULL);
  }
  pause_with_a_refusal();
  ready = ready_count();
  for (size_t i = 0; i < count; i++)
    if (is_object(objects[i]))
      assert_true(is_object(objects[i][1]));
  pause_full();
  late = ready_count() - ready;
  assert_int_equal(take_all_ready(), count);
  end_refs();
  return late;
}

// Before any other test has made room.
static void
refused_memory_puts_finalizers_off(void **state) {
  (void)state;
  size_t late = 0;
  for (size_t count = 100; count <= 6400; count *= 2)
    late += make_ready_in_spite_of_a_refusal(count, GC_FINALIZER_IS_ORDERED);
  assert_in_range(late, 3, 7);
}

static void
refused_memory_puts_cleaners_off(void **state) {
  (void)state;
  size_t late = 0;
  for (size_t count = 100; count <= 6400; count *= 2) {
    gc_ready_destroy(&gc_queues_own()->ready);
    late += make_ready_in_spite_of_a_refusal(count, GC_FINALIZER_IS_CLEANER);
  }
  assert_int_equal(late, 7);
}

static void
overflow_of_the_mark_stack_loses_nothing(void **state) {
  (void)state;
  enum { PARTS = 45000 };
  gc_mark_stack_bytes_max = GC_MARK_STACK_BYTES_MIN;
  void **whole = new_words(PARTS);
  for (size_t i = 0; i < PARTS; i++) {
    void **part = whole[i] = new_object();
    part[0] = new_object();
    if (i % 100 == 0)
      enroll(part[0], GC_FINALIZER_IS_ORDERED, NULL);
  }
  enroll(whole, GC_FINALIZER_IS_ORDERED, NULL);
  pause_full();
  assert_int_equal(ready_count(), 1);
  for (size_t i = 0; i < PARTS; i++)
    assert_true(is_object(whole[i]) && is_object(*(void **)whole[i]));
  take_all_ready();
  pause_full();
  assert_int_equal(take_all_ready(), PARTS / 100);
  gc_mark_stack_bytes_max = SIZE_MAX;
  end_refs();
}

// ---- Queues --------------------------------------------------------------------------------------------

static void
what_is_registered_with_a_queue_becomes_ready_there(void **state) {
  (void)state;
  struct gc_queue queue = {0}, other = {0};
  assert_true(gc_queues_add(&queue) && gc_queues_add(&other));
  struct gc_registration new = {.function = nothing, .queue = queue.number};
  void *object = new_object(), *orphan = keep_new();
  assert_int_equal(gc_finalizers_register(object, &new, &replaced), GC_REGISTERED);
  assert_int_equal(gc_finalizers_register(orphan, &new, &replaced), GC_REGISTERED);
  pause_full();
  assert_int_equal(ready_count(), 0);
  assert_ptr_equal(gc_queues_next_with_news(), &queue);
  assert_null(gc_queues_next_with_news());
  assert_ptr_equal(take_ready(&queue.ready).object, object);
  gc_queues_remove(&queue);
  forget_roots();
  pause_full();
  assert_ptr_equal(take().object, orphan);
  gc_queues_remove(&other);
  end_refs();
}

enum { QUEUED = 20000 };

// An address, with a tag of any value; and data that is any word.
static struct gc_ready_item
queued_item(size_t number) {
  static _Alignas(GC_GRANULE_BYTES) char objects[QUEUED][GC_GRANULE_BYTES]; // addresses only
  return (struct gc_ready_item){&objects[number][number % GC_GRANULE_BYTES], nothing, (void *)(number / 3)};
}

static void
expect_item(struct gc_ready_queue *queue, size_t number) {
  struct gc_ready_item item = take_ready(queue), expected = queued_item(number);
  assert_ptr_equal(item.object, expected.object);
  assert_ptr_equal(item.data, expected.data);
}

// In the order in which they became ready, over the memory's end and back at its beginning.
static void
queues_are_first_in_first_out(void **state) {
  (void)state;
  struct gc_ready_queue queue = {0};
  size_t in = 0, out = 0;
  random_begin("queue");
  while (in < QUEUED) {
    for (size_t count = random_below(900); count > 0 && in < QUEUED; count--) {
      assert_true(gc_ready_reserve(&queue));
      gc_ready_push(&queue, queued_item(in++));
    }
    for (size_t count = random_below(800); count > 0 && out < in; count--)
      expect_item(&queue, out++);
    assert_int_equal(gc_atomic_load_relaxed(&queue.count), in - out);
  }
  while (out < in)
    expect_item(&queue, out++);
  assert_null(take_ready(&queue).function);
  gc_ready_destroy(&queue);
}

static size_t calls;

static void
count_call(void *object, void *data) {
  (void)object, (void)data;
  calls++;
}

static void
take_a_while(void *object, void *data) {
  uint64_t until = gc_os_now_ns() + 1000000;
  while (gc_os_now_ns() < until)
    ;
  count_call(object, data);
}

static void
push_calls(struct gc_queue *queue, void (*function)(void *, void *), size_t count) {
  static char object;
  for (; count > 0; count--) {
    assert_true(gc_ready_reserve(&queue->ready));
    gc_ready_push(&queue->ready, (struct gc_ready_item){&object, (void (*)(void))function, NULL});
  }
  calls = 0;
}

static void
draining_stops_at_its_bounds(void **state) {
  (void)state;
  struct gc_queue queue = {0};
  push_calls(&queue, count_call, 100);
  assert_int_equal(gc_run_drain(&queue, 30, 0), 30);
  assert_int_equal(gc_run_drain(&queue, 1, 0), 1);
  assert_int_equal(gc_run_drain(&queue, 30, gc_os_now_ns()), 0);
  assert_int_equal(gc_run_drain(&queue, 0, 0), 69);
  assert_int_equal(gc_run_drain(&queue, 0, 0), 0);
  assert_int_equal(calls, 100);
  push_calls(&queue, take_a_while, 100);
  size_t called = gc_run_drain(&queue, 0, gc_os_now_ns() + 10000000);
  assert_in_range(called, 0, 10);
  assert_int_equal(gc_run_drain(&queue, 0, 0), 100 - called);
  assert_int_equal(calls, 100);
  gc_ready_destroy(&queue.ready);
}

int
main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(refused_memory_puts_finalizers_off),
      cmocka_unit_test(refused_memory_puts_cleaners_off),
      cmocka_unit_test(what_is_replaced_is_given_back),
      cmocka_unit_test(only_starts_of_objects_have_finalizers),
      cmocka_unit_test(data_is_kept_and_given),
      cmocka_unit_test(data_is_a_root),
      cmocka_unit_test(strong_words_are_used_again),
      cmocka_unit_test(what_is_freed_is_forgotten),
      cmocka_unit_test(cleaners_come_when_the_object_is_gone),
      cmocka_unit_test(cleaners_are_taken_back_by_function_and_data),
      cmocka_unit_test(exactly_what_the_model_says_becomes_ready),
      cmocka_unit_test(rings_wait_forever_and_a_warning_says_so),
      cmocka_unit_test(a_minor_pause_decides_about_young_objects),
      cmocka_unit_test(a_registration_that_is_refused_changes_nothing),
      cmocka_unit_test(without_room_for_its_data_nothing_is_registered),
      cmocka_unit_test(overflow_of_the_mark_stack_loses_nothing),
      cmocka_unit_test(what_is_registered_with_a_queue_becomes_ready_there),
      cmocka_unit_test(queues_are_first_in_first_out),
      cmocka_unit_test(draining_stops_at_its_bounds),
  };
  return cmocka_run_group_tests(tests, begin_all_refs, NULL);
}
