// Each statistic of gc.h against what it promises, through the public interface.
#include "gc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define MIB ((size_t)1 << 20)

enum { OBJECTS = 100, OBJECT_BYTES = 48 };

static void *kept[4096];

static void
forget_all(void) {
  memset(kept, 0, sizeof kept);
}

static void
keep(size_t count, size_t bytes) {
  for (size_t i = 0; i < count; i++)
    kept[i] = GC_malloc_atomic(bytes);
}

// Overwrite what calls before this one left on the stack.
static void __attribute__((noinline)) clear_stack(void) {
  volatile char room[8192];
  memset((char *)room, 0, sizeof room);
}

static void
collect(void) {
  clear_stack();
  GC_gcollect();
}

static int
start_afresh(void **state) {
  (void)state;
  forget_all();
  GC_gcollect_and_unmap();
  return 0;
}

// ---- Bytes ---------------------------------------------------------------------------------------------

static void
allocation_is_counted_to_the_byte(void **state) {
  (void)state;
  size_t since = GC_get_bytes_since_gc(), total = GC_get_total_bytes();
  keep(OBJECTS, OBJECT_BYTES);
  assert_int_equal(GC_get_bytes_since_gc() - since, OBJECTS * OBJECT_BYTES);
  assert_int_equal(GC_get_total_bytes() - total, OBJECTS * OBJECT_BYTES);
}

// What a thread holds for allocation to come is neither allocated before the collection nor lost after it.
static void
collection_divides_the_count(void **state) {
  (void)state;
  size_t total = GC_get_total_bytes();
  keep(OBJECTS, OBJECT_BYTES);
  collect();
  assert_int_equal(GC_get_bytes_since_gc(), 0);
  assert_int_equal(GC_get_total_bytes() - total, OBJECTS * OBJECT_BYTES);
  keep(1, OBJECT_BYTES);
  assert_int_equal(GC_get_bytes_since_gc(), OBJECT_BYTES);
  assert_int_equal(GC_get_total_bytes() - total, (OBJECTS + 1) * OBJECT_BYTES);
}

static int
stop_at_once(void) {
  return 1;
}

static void
called_off_collection_changes_no_count(void **state) {
  (void)state;
  for (size_t i = 0; i < 4096; i++)
    kept[i] = GC_malloc(OBJECT_BYTES);
  size_t since = GC_get_bytes_since_gc(), total = GC_get_total_bytes(), used = GC_get_memory_use();
  GC_word collections = GC_get_gc_no();
  assert_int_equal(GC_try_to_collect(stop_at_once), 0);
  assert_int_equal(GC_get_gc_no(), collections);
  assert_int_equal(GC_get_bytes_since_gc(), since);
  assert_int_equal(GC_get_total_bytes(), total);
  assert_int_equal(GC_get_memory_use(), used);
}

static void
free_is_counted(void **state) {
  (void)state;
  keep(OBJECTS, OBJECT_BYTES);
  size_t used = GC_get_memory_use(), freed = GC_get_expl_freed_bytes_since_gc();
  for (size_t i = 0; i < OBJECTS; i++)
    GC_free(kept[i]);
  assert_int_equal(GC_get_expl_freed_bytes_since_gc() - freed, OBJECTS * OBJECT_BYTES);
  assert_int_equal(used - GC_get_memory_use(), OBJECTS * OBJECT_BYTES);
  collect();
  assert_int_equal(GC_get_expl_freed_bytes_since_gc(), 0);
}

// Whatever a large object is rounded up to, its end cancels its beginning.
static void
large_objects_come_and_go(void **state) {
  (void)state;
  size_t used = GC_get_memory_use();
  for (size_t i = 0; i < OBJECTS; i++) {
    void *object = GC_malloc_atomic(200000);
    assert_true(GC_get_memory_use() >= used + 200000);
    object = GC_realloc(object, 150000);
    GC_free(object);
  }
  assert_int_equal(GC_get_memory_use(), used);
  kept[0] = GC_malloc_atomic(200000);
  size_t with = GC_get_memory_use();
  collect();
  assert_int_equal(GC_get_memory_use(), with);
}

static void
memory_use_follows_the_objects(void **state) {
  (void)state;
  size_t before = GC_get_memory_use();
  keep(4096, 1024);
  assert_int_equal(GC_get_memory_use() - before, 4 * MIB);
  collect();
  assert_int_equal(GC_get_memory_use() - before, 4 * MIB);
  forget_all();
  collect();
  assert_true(GC_get_memory_use() < before + MIB);
}

// ---- The heap ------------------------------------------------------------------------------------------

static void
heap_is_used_or_free(void **state) {
  (void)state;
  keep(4096, 1024);
  assert_int_equal(GC_get_heap_size(), GC_get_memory_use() + GC_get_free_bytes());
  assert_true(GC_get_obtained_from_os_bytes() > GC_get_heap_size());
}

static void
returned_memory_leaves_the_heap(void **state) {
  (void)state;
  for (size_t i = 0; i < 16; i++)
    kept[i] = GC_malloc_atomic(MIB);
  size_t heap = GC_get_heap_size(), unmapped = GC_get_unmapped_bytes();
  forget_all();
  clear_stack();
  GC_gcollect_and_unmap();
  assert_true(GC_get_unmapped_bytes() >= unmapped + 14 * MIB);
  assert_int_equal(GC_get_heap_size() + GC_get_unmapped_bytes(), heap + unmapped);
}

static GC_word resized_to;

static void
note_size(GC_word bytes) {
  resized_to = bytes;
}

static void
expansion_shows_at_once(void **state) {
  (void)state;
  size_t heap = GC_get_heap_size(), free_bytes = GC_get_free_bytes();
  GC_set_on_heap_resize(note_size);
  assert_int_equal(GC_expand_hp(64 * MIB), 1);
  GC_set_on_heap_resize(NULL);
  assert_int_equal(GC_get_heap_size(), heap + 64 * MIB);
  assert_int_equal(GC_get_free_bytes(), free_bytes + 64 * MIB);
  assert_true(resized_to >= heap + 64 * MIB);
  GC_word collections = GC_get_gc_no();
  for (size_t i = 0; i < 48; i++)
    GC_malloc_atomic(MIB / 2);
  assert_int_equal(GC_get_gc_no(), collections);
  assert_int_equal(GC_get_heap_size(), heap + 64 * MIB);
  assert_int_equal(GC_expand_hp(0), 1);
  assert_int_equal(GC_expand_hp(SIZE_MAX), 0);
}

static void
growth_is_announced(void **state) {
  (void)state;
  resized_to = 0;
  GC_set_on_heap_resize(note_size);
  assert_ptr_equal(GC_get_on_heap_resize(), note_size);
  kept[0] = GC_malloc_atomic(256 * MIB);
  GC_set_on_heap_resize(NULL);
  assert_true(resized_to >= 256 * MIB);
  assert_int_equal(resized_to, GC_get_heap_size());
}

static void
allocate_garbage(size_t bytes) {
  for (; bytes >= 4096; bytes -= 4096)
    GC_malloc_atomic(4096);
}

// Memory that was returned and is taken back is no growth.
static size_t
full_heap_size(void) {
  return GC_get_heap_size() + GC_get_unmapped_bytes();
}

// With so much to allocate until the next collection is due, only the heap's limits bring one about.
static void
dont_expand_collects_first(void **state) {
  (void)state;
  size_t least = GC_get_min_bytes_allocd();
  GC_set_min_bytes_allocd(1024 * MIB);
  collect();
  GC_set_dont_expand(1);
  assert_int_equal(GC_get_dont_expand(), 1);
  GC_word collections = GC_get_gc_no();
  size_t heap = full_heap_size();
  allocate_garbage(640 * MIB);
  assert_int_equal(full_heap_size(), heap);
  assert_true(GC_get_gc_no() > collections);
  collections = GC_get_gc_no();
  for (size_t i = 0; i < 640; i++) // all alive: the heap must grow, and not by a collection for each page
    kept[i] = GC_malloc_atomic(MIB);
  assert_non_null(kept[639]);
  assert_true(GC_get_gc_no() - collections < 64);
  GC_set_dont_expand(0);
  GC_set_min_bytes_allocd(least);
}

// ---- Records -------------------------------------------------------------------------------------------

static void
heap_usage_agrees_with_the_getters(void **state) {
  (void)state;
  GC_word heap, free_bytes, unmapped, since, total;
  keep(OBJECTS, OBJECT_BYTES);
  GC_get_heap_usage_safe(&heap, &free_bytes, &unmapped, &since, &total);
  assert_int_equal(heap, GC_get_heap_size());
  assert_int_equal(free_bytes, GC_get_free_bytes());
  assert_int_equal(unmapped, GC_get_unmapped_bytes());
  assert_int_equal(since, GC_get_bytes_since_gc());
  assert_int_equal(total, GC_get_total_bytes());
  GC_get_heap_usage_safe(NULL, NULL, NULL, NULL, NULL);
}

static void
record_agrees_with_the_getters(void **state) {
  (void)state;
  struct GC_prof_stats_s stats;
  keep(OBJECTS, OBJECT_BYTES);
  assert_int_equal(GC_get_prof_stats(&stats, sizeof stats), sizeof stats);
  assert_int_equal(stats.heapsize_full, GC_get_heap_size() + GC_get_unmapped_bytes());
  assert_int_equal(stats.free_bytes_full, GC_get_free_bytes() + GC_get_unmapped_bytes());
  assert_int_equal(stats.unmapped_bytes, GC_get_unmapped_bytes());
  assert_int_equal(stats.bytes_allocd_since_gc, GC_get_bytes_since_gc());
  assert_int_equal(stats.allocd_bytes_before_gc + stats.bytes_allocd_since_gc, GC_get_total_bytes());
  assert_int_equal(stats.non_gc_bytes, GC_get_non_gc_bytes());
  assert_int_equal(stats.gc_no, GC_get_gc_no());
  assert_int_equal(stats.markers_m1, GC_get_parallel());
  assert_int_equal(stats.expl_freed_bytes_since_gc, GC_get_expl_freed_bytes_since_gc());
  assert_int_equal(stats.obtained_from_os_bytes, GC_get_obtained_from_os_bytes());
}

static void
reclaimed_bytes_are_counted(void **state) {
  (void)state;
  struct GC_prof_stats_s before, after;
  keep(4096, 1024);
  GC_get_prof_stats(&before, sizeof before);
  forget_all();
  collect();
  GC_get_prof_stats(&after, sizeof after);
  assert_true(after.bytes_reclaimed_since_gc >= 3 * MIB);
  assert_true(after.bytes_reclaimed_since_gc <= 5 * MIB);
  assert_int_equal(after.reclaimed_bytes_before_gc,
                   before.reclaimed_bytes_before_gc + before.bytes_reclaimed_since_gc);
}

static void
record_may_be_short_or_long(void **state) {
  (void)state;
  struct {
    struct GC_prof_stats_s stats;
    unsigned char more[8];
  } room;
  memset(&room, 0x55, sizeof room);
  assert_int_equal(GC_get_prof_stats(&room.stats, sizeof(GC_word)), sizeof(GC_word));
  assert_int_equal(room.stats.heapsize_full, GC_get_heap_size() + GC_get_unmapped_bytes());
  assert_int_equal(room.stats.free_bytes_full, 0x5555555555555555);
  assert_int_equal(GC_get_prof_stats_unsafe(&room.stats, sizeof room), sizeof room.stats);
  for (size_t i = 0; i < sizeof room.more; i++)
    assert_int_equal(room.more[i], 0xff);
}

// ---- Collections and pauses ----------------------------------------------------------------------------

static void
collections_are_counted(void **state) {
  (void)state;
  GC_word collections = GC_get_gc_no();
  collect();
  assert_int_equal(GC_get_gc_no(), collections + 1);
  GC_disable();
  collect();
  GC_enable();
  assert_int_equal(GC_get_gc_no(), collections + 1);
}

static void
pauses_add_up(void **state) {
  (void)state;
  struct GC_pause_stats stats;
  struct GC_pause_bucket buckets[1024];
  uint64_t counted = 0;
  collect();
  GC_get_pause_stats(&stats);
  assert_true(stats.count >= 1);
  assert_true(0 < stats.p50_ns && stats.p50_ns <= stats.p90_ns && stats.p90_ns <= stats.p99_ns);
  assert_true(stats.p99_ns <= stats.p999_ns && stats.p999_ns <= stats.max_ns);
  assert_true(stats.max_ns <= stats.total_ns);
  size_t count = GC_get_pause_histogram(buckets, 1024);
  assert_int_equal(GC_get_pause_histogram(NULL, 0), count);
  for (size_t i = 0; i < count; i++) {
    assert_true(buckets[i].low_ns < buckets[i].high_ns);
    assert_true(i == 0 || buckets[i - 1].high_ns <= buckets[i].low_ns);
    counted += buckets[i].count;
  }
  assert_int_equal(counted, stats.count);
}

static void
kinds_of_pauses_add_up(void **state) {
  (void)state;
  struct GC_pause_kind_stats all, of_kind;
  struct GC_pause_bucket buckets[1024];
  uint64_t count = 0, total_ns = 0, called_off = 0, phases_ns = 0, buckets_count = 0;
  collect();
  GC_try_to_collect(stop_at_once);
  GC_disable();
  for (unsigned kind = 0; kind < GC_PAUSE_KIND_COUNT; kind++) {
    GC_get_pause_kind_stats(kind, &of_kind);
    count += of_kind.pauses.count;
    total_ns += of_kind.pauses.total_ns;
    called_off += of_kind.called_off;
    for (size_t i = GC_get_pause_kind_histogram(kind, buckets, 1024); i-- > 0;)
      buckets_count += buckets[i].count;
  }
  GC_get_pause_kind_stats(GC_PAUSE_KIND_COUNT, &all);
  GC_enable();
  for (unsigned phase = 0; phase < GC_PAUSE_PHASE_COUNT; phase++)
    phases_ns += all.phase_ns[phase];
  assert_int_equal(all.pauses.count, count);
  assert_int_equal(all.pauses.total_ns, total_ns);
  assert_int_equal(all.called_off, called_off);
  assert_int_equal(phases_ns, total_ns);
  assert_int_equal(buckets_count, count);
}

static void
explicit_collections_are_full_pauses(void **state) {
  (void)state;
  struct GC_pause_kind_stats before, after;
  GC_get_pause_kind_stats(GC_PAUSE_KIND_FULL, &before);
  collect();
  GC_try_to_collect(stop_at_once);
  GC_get_pause_kind_stats(GC_PAUSE_KIND_FULL, &after);
  assert_int_equal(after.pauses.count - before.pauses.count, 2);
  assert_int_equal(after.called_off - before.called_off, 1);
  assert_true(after.phase_ns[GC_PAUSE_PHASE_MARK] > before.phase_ns[GC_PAUSE_PHASE_MARK]);
}

static void
total_time_begins_anew(void **state) {
  (void)state;
  GC_start_performance_measurement();
  assert_int_equal(GC_get_full_gc_total_time(), 0);
}

int
main(void) {
  GC_set_markers_count(1);
  GC_INIT();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(allocation_is_counted_to_the_byte, start_afresh),
      cmocka_unit_test_setup(collection_divides_the_count, start_afresh),
      cmocka_unit_test_setup(called_off_collection_changes_no_count, start_afresh),
      cmocka_unit_test_setup(free_is_counted, start_afresh),
      cmocka_unit_test_setup(large_objects_come_and_go, start_afresh),
      cmocka_unit_test_setup(memory_use_follows_the_objects, start_afresh),
      cmocka_unit_test_setup(heap_is_used_or_free, start_afresh),
      cmocka_unit_test_setup(returned_memory_leaves_the_heap, start_afresh),
      cmocka_unit_test_setup(expansion_shows_at_once, start_afresh),
      cmocka_unit_test_setup(growth_is_announced, start_afresh),
      cmocka_unit_test_setup(dont_expand_collects_first, start_afresh),
      cmocka_unit_test_setup(heap_usage_agrees_with_the_getters, start_afresh),
      cmocka_unit_test_setup(record_agrees_with_the_getters, start_afresh),
      cmocka_unit_test_setup(reclaimed_bytes_are_counted, start_afresh),
      cmocka_unit_test_setup(record_may_be_short_or_long, start_afresh),
      cmocka_unit_test_setup(collections_are_counted, start_afresh),
      cmocka_unit_test_setup(pauses_add_up, start_afresh),
      cmocka_unit_test_setup(kinds_of_pauses_add_up, start_afresh),
      cmocka_unit_test_setup(explicit_collections_are_full_pauses, start_afresh),
      cmocka_unit_test_setup(total_time_begins_anew, start_afresh),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
