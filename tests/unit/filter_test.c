// The filter of this CPU against the one without vectors, and that one against the definition.
#include "mark/filter.h"

#include "fixture.h"

static void
check(const uintptr_t *words, uintptr_t base, size_t bytes) {
  gc_filter chosen = gc_filter_choose();
  uint64_t expected = 0;
  for (unsigned i = 0; i < GC_FILTER_WORDS; i++)
    if (words[i] >= base && words[i] - base < bytes)
      expected |= UINT64_C(1) << i;
  assert_int_equal(gc_filter_scalar(words, base, bytes), expected);
  assert_int_equal(chosen(words, base, bytes), expected);
}

static void
random_words_are_filtered_alike(void **state) {
  (void)state;
  uintptr_t words[GC_FILTER_WORDS];
  random_begin("filter");
  for (int round = 0; round < 20000; round++) {
    uintptr_t base = random_next() >> (1 + random_below(60)) & ~(uintptr_t)0xFFFF;
    size_t bytes = random_next() >> (17 + random_below(40));
    for (unsigned i = 0; i < GC_FILTER_WORDS; i++)
      words[i] = random_below(3) ? base + random_below(bytes + bytes / 2 + 1) : random_next();
    check(words, base, bytes);
  }
}

static void
edges_are_filtered_alike(void **state) {
  (void)state;
  static const uintptr_t bases[] = {0, 0x10000, 0x7f0000000000, UINTPTR_MAX / 2 - 0xFFFF, (uintptr_t)1 << 63};
  static const size_t lengths[] = {0, 1, 8, 0x10000, (size_t)1 << 40};
  uintptr_t words[GC_FILTER_WORDS];
  for (size_t b = 0; b < sizeof bases / sizeof bases[0]; b++)
    for (size_t l = 0; l < sizeof lengths / sizeof lengths[0]; l++)
      for (unsigned shift = 0; shift < GC_FILTER_WORDS; shift++) {
        const uintptr_t base = bases[b], limit = bases[b] + lengths[l];
        const uintptr_t edges[] = {0,        1,    UINTPTR_MAX, UINTPTR_MAX / 2, UINTPTR_MAX / 2 + 1,
                                   base - 1, base, base + 1,    limit - 1,       limit,
                                   limit + 1};
        for (unsigned i = 0; i < GC_FILTER_WORDS; i++)
          words[(i + shift) % GC_FILTER_WORDS] = edges[i % (sizeof edges / sizeof edges[0])];
        check(words, base, lengths[l]);
      }
}

// Roots need not be aligned to more than a word.
static void
any_word_may_come_first(void **state) {
  (void)state;
  static uintptr_t words[GC_FILTER_WORDS + 8];
  for (unsigned i = 0; i < GC_FILTER_WORDS + 8; i++)
    words[i] = i;
  for (unsigned first = 0; first < 8; first++)
    check(words + first, 20, 30);
}

int
main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(random_words_are_filtered_alike),
      cmocka_unit_test(edges_are_filtered_alike),
      cmocka_unit_test(any_word_may_come_first),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
