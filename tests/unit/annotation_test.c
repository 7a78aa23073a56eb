// Annotated objects of all sizes: which bytes belong to the program, which damage is seen, and when an object
// is plain.
#include "debug/annotation.h"

#include "debug/description.h"
#include "fixture.h"

static struct gc_ref
allocate(size_t bytes, unsigned kind) {
  char *object = fixture_allocate(gc_annotation_request(bytes), kind);
  assert_non_null(object);
  return gc_heap_resolve(object);
}

static struct gc_ref
annotated(size_t bytes, unsigned kind) {
  struct gc_ref ref = allocate(bytes, kind);
  char *body = gc_annotation_add(ref, bytes, "somewhere.c", 42);
  assert_ptr_equal(body, ref.start + 32);
  return ref;
}

static const size_t sizes[] = {0, 1, 7, 8, 9, 15, 16, 17, 100, 1000, 4096, 100000, 200000};
enum { SIZES = sizeof sizes / sizeof sizes[0] };

static void
each_size(void (*check)(size_t bytes, unsigned kind)) {
  for (size_t i = 0; i < SIZES; i++) {
    check(sizes[i], GC_KIND_NORMAL);
    check(sizes[i], GC_KIND_ATOMIC);
    check(sizes[i], GC_KIND_UNCOLLECTABLE);
  }
}

// ---- Room ----------------------------------------------------------------------------------------------

static void
check_room(size_t bytes, unsigned kind) {
  struct gc_ref ref = annotated(bytes, kind);
  memset(ref.start + 32, 0xff, bytes);
  assert_int_equal(gc_annotation_state_of(ref), GC_IS_ANNOTATED);
  assert_null(gc_annotation_damage(ref));
  assert_true(32 + bytes < ref.bytes);
  assert_int_equal(gc_annotation_of(ref)->bytes, bytes);
  assert_int_equal(gc_annotation_of(ref)->line, 42);
  assert_string_equal(gc_annotation_of(ref)->file, "somewhere.c");
}

static void
all_bytes_asked_for_may_be_written(void **state) {
  (void)state;
  fixture_heap(64 * GC_MIB);
  each_size(check_room);
}

static void
no_request_fills_its_slot(void **state) {
  (void)state;
  for (size_t bytes = 0; bytes < 5000; bytes++) {
    assert_true(gc_annotation_request(bytes) % GC_GRANULE_BYTES != 0);
    assert_true(gc_annotation_request(bytes) >= bytes + 32);
  }
  assert_int_equal(gc_annotation_request(SIZE_MAX), SIZE_MAX);
  assert_int_equal(gc_annotation_request(SIZE_MAX - 40), SIZE_MAX);
  assert_int_equal(gc_annotation_request(SIZE_MAX - 47), SIZE_MAX);
}

// ---- Damage --------------------------------------------------------------------------------------------

// One wrong byte, seen at the word that it belongs to.
static void
check_damage_at(struct gc_ref ref, size_t offset) {
  ref.start[offset] ^= 1;
  assert_int_equal(gc_annotation_state_of(ref), GC_IS_ANNOTATED);
  assert_ptr_equal(gc_annotation_damage(ref), ref.start + gc_round_down(offset, 8));
  ref.start[offset] ^= 1;
  assert_null(gc_annotation_damage(ref));
}

static void
check_damage(size_t bytes, unsigned kind) {
  struct gc_ref ref = annotated(bytes, kind);
  size_t end = 32 + gc_round_up(bytes, 8);
  for (size_t offset = 24; offset < 32; offset++)
    check_damage_at(ref, offset);
  for (size_t offset = end; offset < end + 8; offset++)
    check_damage_at(ref, offset);
  for (size_t offset = ref.bytes - 8; offset < ref.bytes; offset++)
    check_damage_at(ref, offset);
  ref.start[16 + 7] = 1; // the size is too large by far
  assert_ptr_equal(gc_annotation_damage(ref), ref.start + 16);
}

static void
each_wrong_byte_is_seen(void **state) {
  (void)state;
  fixture_heap(64 * GC_MIB);
  each_size(check_damage);
}

// ---- States --------------------------------------------------------------------------------------------

static void
check_states(size_t bytes, unsigned kind) {
  struct gc_ref ref = allocate(bytes, kind);
  assert_int_equal(gc_annotation_state_of(ref), GC_IS_PLAIN);
  gc_annotation_add(ref, bytes, NULL, 0);
  assert_int_equal(gc_annotation_state_of(ref), GC_IS_ANNOTATED);
  gc_annotation_retire(ref);
  gc_annotation_fill(ref.start + 32, ref.start + ref.bytes);
  assert_int_equal(gc_annotation_state_of(ref), GC_IS_RETIRED);
  assert_null(gc_annotation_use_after_free(ref));
  ref.start[ref.bytes - 1] ^= 1;
  assert_ptr_equal(gc_annotation_use_after_free(ref), ref.start + ref.bytes - 8);
  gc_annotation_forget(ref);
  assert_int_equal(gc_annotation_state_of(ref), GC_IS_PLAIN);
}

static void
an_object_goes_through_its_states(void **state) {
  (void)state;
  fixture_heap(64 * GC_MIB);
  each_size(check_states);
}

static void
forgetting_takes_both_marks(void **state) {
  (void)state;
  fixture_heap(64 * GC_MIB);
  struct gc_ref ref = annotated(20, GC_KIND_NORMAL);
  gc_annotation_of(ref)->start_mark ^= 1;
  gc_annotation_forget(ref);
  assert_int_equal(gc_annotation_state_of(ref), GC_IS_PLAIN);
  gc_annotation_of(ref)->start_mark ^= 1;
  assert_int_equal(gc_annotation_state_of(ref), GC_IS_PLAIN);
}

static void
a_copy_is_plain(void **state) {
  (void)state;
  fixture_heap(64 * GC_MIB);
  struct gc_ref ref = annotated(20, GC_KIND_NORMAL), other = allocate(20, GC_KIND_NORMAL);
  memcpy(other.start, ref.start, ref.bytes);
  assert_int_equal(gc_annotation_state_of(other), GC_IS_PLAIN);
}

static void
what_has_no_room_is_plain(void **state) {
  (void)state;
  fixture_heap(64 * GC_MIB);
  for (size_t bytes = 16; bytes <= 32; bytes += 16) {
    struct gc_ref ref = gc_heap_resolve(fixture_allocate(bytes, GC_KIND_ATOMIC));
    memset(ref.start, 0xff, bytes);
    assert_int_equal(gc_annotation_state_of(ref), GC_IS_PLAIN);
  }
}

// ---- Descriptions --------------------------------------------------------------------------------------

static const char *
text_of(struct gc_ref ref) {
  static char text[GC_DESCRIPTION_BYTES];
  struct gc_description description = gc_description_of(ref);
  gc_description_print(&description, text);
  return strchr(text, '(');
}

static void
descriptions(void **state) {
  (void)state;
  fixture_heap(64 * GC_MIB);
  struct gc_ref ref = annotated(20, GC_KIND_ATOMIC);
  assert_string_equal(text_of(ref), "(somewhere.c:42, 20 bytes, pointer-free)");
  assert_ptr_equal(gc_description_of(ref).object, ref.start + 32);
  gc_annotation_of(ref)->bytes = SIZE_MAX;
  assert_string_equal(text_of(ref), "(somewhere.c:42, about 24 bytes, pointer-free)");
  gc_annotation_of(ref)->file = (const char *)16;
  assert_string_equal(text_of(ref), "(unknown:42, about 24 bytes, pointer-free)");
  gc_annotation_of(ref)->file = NULL;
  assert_string_equal(text_of(ref), "(about 24 bytes, pointer-free)");
  ref = allocate(20, GC_KIND_UNCOLLECTABLE);
  assert_string_equal(text_of(ref), "(64 bytes, uncollectable)");
  assert_ptr_equal(gc_description_of(ref).object, ref.start);
}

// A file's name is not read beyond what can be read.
static void
a_name_at_the_end_of_memory(void **state) {
  (void)state;
  fixture_heap(64 * GC_MIB);
  struct gc_ref ref = annotated(1, GC_KIND_NORMAL);
  char *memory = gc_os_reserve(2 * gc_os_page_bytes(), gc_os_page_bytes());
  assert_non_null(memory);
  assert_true(gc_os_commit(memory, gc_os_page_bytes()));
  char *name = memory + gc_os_page_bytes() - 4;
  memcpy(name, "a.c", 4);
  gc_annotation_of(ref)->file = name;
  assert_string_equal(text_of(ref), "(a.c:42, 1 bytes, normal)");
  memcpy(name, "long", 4); // and no end
  assert_string_equal(text_of(ref), "(long:42, 1 bytes, normal)");
  gc_os_unreserve(memory, 2 * gc_os_page_bytes());
}

int
main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(all_bytes_asked_for_may_be_written),
      cmocka_unit_test(no_request_fills_its_slot),
      cmocka_unit_test(each_wrong_byte_is_seen),
      cmocka_unit_test(an_object_goes_through_its_states),
      cmocka_unit_test(forgetting_takes_both_marks),
      cmocka_unit_test(a_copy_is_plain),
      cmocka_unit_test(what_has_no_room_is_plain),
      cmocka_unit_test(descriptions),
      cmocka_unit_test(a_name_at_the_end_of_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
