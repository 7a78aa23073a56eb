// Descriptors that are made of bitmaps, and objects that have them.
//
// In each object of a layout a target of set A is referred to by one of the words that may be pointers, and a
// target of set B by one that may not, another such word from object to object.
#include <gc/gc_typed.h>

#include "kept.h"

// ---- Descriptors ---------------------------------------------------------------------------------------

static void
say_descriptor(GC_word low, GC_word high, size_t bits) {
  const GC_word bitmap[] = {low, high};
  say("%#lx", (unsigned long)GC_make_descriptor(bitmap, bits));
}

static void
lengths(void) {
  say_descriptor(1, 0, 1);
  say_descriptor(3, 0, 2);
  say_descriptor(7, 0, 60);
  say_descriptor(~(GC_word)0, 0, 64);
  say_descriptor(~(GC_word)0, ~(GC_word)0, 128);
}

static void
without_pointers(void) {
  say_descriptor(0, 0, 0);
  say_descriptor(0, 0, 1);
  say_descriptor(0, 0, 128);
}

static void
bitmaps(void) {
  say_descriptor(5, 0, 3);
  say_descriptor(2, 0, 2);
  say_descriptor(2, 0, 128);
  say_descriptor((GC_word)1 << 61, 0, 62);
  say_descriptor((GC_word)1 << 61, 0, 64);
}

// Those after `bits` are not looked at.
static void
further_bits(void) {
  say_descriptor(7, 0, 1);
  say_descriptor(5, 0, 2);
  say_descriptor(4, 0, 2);
}

static void
say_tag(GC_word low, GC_word high, size_t bits) {
  const GC_word bitmap[] = {low, high};
  say("%lu", (unsigned long)GC_make_descriptor(bitmap, bits) & 3);
}

static void
long_layouts(void) {
  say_descriptor((GC_word)1 << 62, 0, 63);
  say_tag((GC_word)5 << 61, 0, 64);
  say_tag(1, 1, 65);
  say_tag(0, (GC_word)1 << 63, 128);
}

// ---- Objects and arrays --------------------------------------------------------------------------------

struct shape {
  size_t words, bits;              // of an element: all, and those in the bitmap
  bool (*is_pointer)(size_t word); // of those
  size_t count;                    // elements of an array; 0: an object
  void *(*allocate)(size_t bytes, GC_descr descriptor);
};

static struct shape shape;
static GC_descr descriptor;

static bool
no_word(size_t word) {
  return (void)word, false;
}

static bool
any_word(size_t word) {
  return (void)word, true;
}

static bool
first_word(size_t word) {
  return word == 0;
}

static bool
odd_words(size_t word) {
  return word % 2;
}

static bool
last_word(size_t word) {
  return word == shape.bits - 1;
}

static bool
some_words(size_t word) {
  return word % 7 == 3 || word % 64 == 63;
}

static size_t
words_of_shape(void) {
  return shape.words * (shape.count ? shape.count : 1);
}

static bool
is_pointer(size_t word) {
  word %= shape.words;
  return word < shape.bits && shape.is_pointer(word);
}

static GC_descr
descriptor_of_shape(void) {
  GC_word bitmap[100] = {0};
  for (size_t word = 0; word < shape.bits; word++)
    if (shape.is_pointer(word))
      GC_set_bit(bitmap, word);
  return GC_make_descriptor(bitmap, shape.bits);
}

// The i-th word that is such a one, counting round and round, from a different side from time to time; or
// none.
static size_t
choose_word(int i, bool pointer) {
  size_t words = words_of_shape(), start = (size_t)i * (words / OBJECTS + 1) % words;
  for (size_t step = 0; step < words; step++) {
    size_t word = (i % 2 ? start + step : start + words - step) % words;
    if (is_pointer(word) == pointer)
      return word;
  }
  return words;
}

static void
refer(void **object, int set, int i) {
  size_t word = choose_word(i, set == A);
  if (word < words_of_shape())
    object[word] = target(set, i);
}

static void
make_object(int i) {
  void **object = shape.count
                      ? GC_calloc_explicitly_typed(shape.count, shape.words * sizeof(void *), descriptor)
                      : shape.allocate(shape.words * sizeof(void *), descriptor);
  check_zero(object, words_of_shape() * sizeof *object);
  holders[i] = object;
  refer(object, A, i);
  refer(object, B, i);
}

static void
keep_as(struct shape wanted) {
  shape = wanted;
  each(dirty);
  collect(2);
  descriptor = descriptor_of_shape();
  run_holders(make_object);
}

#define OBJECT_OF(name, words, bits, is_pointer)                                     \
  static void name(void) {                                                           \
    keep_as((struct shape){words, bits, is_pointer, 0, GC_malloc_explicitly_typed}); \
  }
#define OBJECT_OFF_PAGE_OF(name, words, bits, is_pointer)                                            \
  static void name(void) {                                                                           \
    keep_as((struct shape){words, bits, is_pointer, 0, GC_malloc_explicitly_typed_ignore_off_page}); \
  }
#define ARRAY_OF(name, words, bits, is_pointer, count)             \
  static void name(void) {                                         \
    keep_as((struct shape){words, bits, is_pointer, count, NULL}); \
  }

enum { LARGE = 200 * 1024 / sizeof(void *), VERY_LARGE = 5 * LARGE, LONGEST = 6000 };

OBJECT_OF(small_first, 2, 1, first_word)
OBJECT_OF(small_odd, 7, 7, odd_words)
OBJECT_OF(small_any, 9, 9, any_word)
OBJECT_OF(small_none, 9, 9, no_word)
OBJECT_OF(small_start, 12, 5, any_word)
OBJECT_OF(small_last, 62, 62, last_word)
OBJECT_OF(small_some, 62, 62, some_words)
OBJECT_OF(larger_than_layout, 100, 62, odd_words)
OBJECT_OF(long_last, 63, 63, last_word)
OBJECT_OF(long_some, 200, 200, some_words)
OBJECT_OF(long_odd, LONGEST, LONGEST, odd_words)
OBJECT_OF(large_bitmap, LARGE, 62, odd_words)
OBJECT_OF(large_start, LARGE, 300, any_word)
OBJECT_OF(large_any, LARGE, 6400, any_word)
OBJECT_OF(large_none, LARGE, 100, no_word)
OBJECT_OF(large_long, LARGE, 1000, some_words)
OBJECT_OF(large_long_last, VERY_LARGE, LONGEST, last_word)

OBJECT_OFF_PAGE_OF(off_page, 62, 62, odd_words)
OBJECT_OFF_PAGE_OF(large_off_page, LARGE, 62, some_words)
OBJECT_OFF_PAGE_OF(large_long_off_page, LARGE, 1000, some_words)

ARRAY_OF(array_any, 3, 3, any_word, 50)
ARRAY_OF(array_none, 3, 3, no_word, 50)
ARRAY_OF(array_single, 5, 5, odd_words, 1)
ARRAY_OF(array_first, 2, 1, first_word, 100)
ARRAY_OF(array_odd, 3, 3, odd_words, 77)
ARRAY_OF(array_last, 40, 40, last_word, 9)
ARRAY_OF(array_start, 8, 3, any_word, 33)
ARRAY_OF(array_long, 130, 130, some_words, 21)
ARRAY_OF(array_two_long, 6000, 100, some_words, 2)
ARRAY_OF(large_array_any, 4, 4, any_word, 10000)
ARRAY_OF(large_array_none, 4, 4, no_word, 10000)
ARRAY_OF(large_array_first, 2, 2, first_word, 8501)
ARRAY_OF(large_array_odd, 5, 5, odd_words, 3501)
ARRAY_OF(large_array_start, 6, 2, any_word, 3001)
ARRAY_OF(large_array_last, 61, 61, last_word, 555)
ARRAY_OF(large_array_long, 200, 200, some_words, 150)

// ---- Other ---------------------------------------------------------------------------------------------

struct pair {
  GC_word number;
  struct pair *next;
};

enum { PAIRS = 100000 };

// What the header promises by example.
static void
list_of_pairs(void) {
  GC_word bitmap[GC_BITMAP_SIZE(struct pair)] = {0};
  GC_set_bit(bitmap, GC_WORD_OFFSET(struct pair, next));
  GC_descr of_pair = GC_make_descriptor(bitmap, GC_WORD_LEN(struct pair));
  for (GC_word i = 0; i < PAIRS; i++) {
    struct pair *pair = GC_MALLOC_EXPLICITLY_TYPED(sizeof *pair, of_pair);
    pair->number = i;
    GC_PTR_STORE_AND_DIRTY(&pair->next, holders[0]);
    holders[0] = pair;
    if (i % (PAIRS / 5) == 0)
      GC_gcollect();
  }
  collect(1);
  GC_word left = PAIRS;
  for (const struct pair *pair = holders[0]; pair && pair->number == left - 1; pair = pair->next)
    left--;
  say("%lu missing", (unsigned long)left);
}

// An object of a layout is found by pointers into its middle, and its pointers as well.
static void
make_inside(int i) {
  make_object(i);
  holders[i] = (void **)holders[i] + shape.words / 2;
}

static void
interior(void) {
  shape = (struct shape){100, 62, odd_words, 0, GC_malloc_explicitly_typed};
  descriptor = descriptor_of_shape();
  run_holders(make_inside);
}

static void
drop_holders(int i) {
  make_object(i);
  if (i >= OBJECTS / 2)
    holders[i] = NULL;
}

static void
dead_holders(void) {
  shape = (struct shape){LARGE, 300, odd_words, 0, GC_malloc_explicitly_typed};
  descriptor = descriptor_of_shape();
  each(drop_holders);
  collect(2);
  int first = 0, second = 0;
  for (int i = 0; i < OBJECTS; i++)
    *(i < OBJECTS / 2 ? &first : &second) += links[A][i] != NULL;
  say("%s, %s", precisely(first, OBJECTS / 2), second * 10 <= OBJECTS / 2 ? "few" : "many");
}

static const char both[] = "A all, B few";

int
main(int argc, char **argv) {
  static const struct clause clauses[] = {
      {"make_descriptor: ones only: a length in bytes", lengths, "0x8; 0x10; 0x18; 0x200; 0x400"},
      {"make_descriptor: no pointers: 0", without_pointers, "0; 0; 0"},
      {"make_descriptor: up to 62 words: the bits, the first word's the highest", bitmaps,
       "0xa000000000000001; 0x4000000000000001; 0x4000000000000001; 0x5; 0x5"},
      {"make_descriptor: bits beyond the number given are not looked at", further_bits, "0x8; 0x8; 0"},
      {"make_descriptor: more words: the first free mark procedure", long_layouts, "0x22; 2; 2; 2"},
      {"malloc_explicitly_typed: the first word", small_first, both},
      {"malloc_explicitly_typed: every second word", small_odd, both},
      {"malloc_explicitly_typed: pointers throughout", small_any, "A all"},
      {"malloc_explicitly_typed: no pointers", small_none, "B few"},
      {"malloc_explicitly_typed: a length descriptor", small_start, both},
      {"malloc_explicitly_typed: the last of 62 words", small_last, both},
      {"malloc_explicitly_typed: some of 62 words", small_some, both},
      {"malloc_explicitly_typed: words after those of the layout are no pointers", larger_than_layout, both},
      {"malloc_explicitly_typed: the last of 63 words", long_last, both},
      {"malloc_explicitly_typed: some of 200 words", long_some, both},
      {"malloc_explicitly_typed: every second of 6000 words", long_odd, both},
      {"malloc_explicitly_typed: large, 62 words", large_bitmap, both},
      {"malloc_explicitly_typed: large, a length descriptor", large_start, both},
      {"malloc_explicitly_typed: large, a length of most", large_any, both},
      {"malloc_explicitly_typed: large, no pointers", large_none, "B few"},
      {"malloc_explicitly_typed: large, a long layout", large_long, both},
      {"malloc_explicitly_typed: very large, the last of 6000 words", large_long_last, both},
      {"malloc_explicitly_typed: a pointer into the middle", interior, both},
      {"malloc_explicitly_typed: the dead keep nothing", dead_holders, "all, few"},
      {"malloc_explicitly_typed: a long list", list_of_pairs, "0 missing"},
      {"malloc_explicitly_typed_ignore_off_page: every second word", off_page, both},
      {"malloc_explicitly_typed_ignore_off_page: large", large_off_page, both},
      {"malloc_explicitly_typed_ignore_off_page: large, a long layout", large_long_off_page, both},
      {"calloc_explicitly_typed: pointers throughout", array_any, "A all"},
      {"calloc_explicitly_typed: no pointers", array_none, "B few"},
      {"calloc_explicitly_typed: a single element", array_single, both},
      {"calloc_explicitly_typed: the first word of two", array_first, both},
      {"calloc_explicitly_typed: the second word of three", array_odd, both},
      {"calloc_explicitly_typed: the last word", array_last, both},
      {"calloc_explicitly_typed: a length descriptor", array_start, both},
      {"calloc_explicitly_typed: elements with long layouts", array_long, both},
      {"calloc_explicitly_typed: two long elements", array_two_long, both},
      {"calloc_explicitly_typed: large, pointers throughout", large_array_any, "A all"},
      {"calloc_explicitly_typed: large, no pointers", large_array_none, "B few"},
      {"calloc_explicitly_typed: large, the first word of two", large_array_first, both},
      {"calloc_explicitly_typed: large, some of five words", large_array_odd, both},
      {"calloc_explicitly_typed: large, a length descriptor", large_array_start, both},
      {"calloc_explicitly_typed: large, the last word of 61", large_array_last, both},
      {"calloc_explicitly_typed: large, elements with long layouts", large_array_long, both},
  };
  return RUN_CLAUSES(clauses, argc > 1 ? argv[1] : NULL);
}
