// The inner loop with AVX-512 and with AVX2, chosen when marking first starts.
#include "mark/drain_inl.h"
#include "mark/filter_x86_64_inl.h"

// A page's descriptor as two words: `place`, and the rest.
enum {
  PAGE_REST = offsetof(struct gc_page, span_offset),
  REST_GRANULES_SHIFT = 8 * (offsetof(struct gc_page, slot_granules) - PAGE_REST),
  REST_KIND_SHIFT = 8 * (offsetof(struct gc_page, kind) - PAGE_REST),
  LINE_SHIFT = 6
};
_Static_assert(offsetof(struct gc_page, place) == 0 && PAGE_REST == 8 && sizeof(struct gc_page) == 16,
               "a descriptor is two words");
_Static_assert(1 << LINE_SHIFT == GC_LINE_SLOTS, "a line's slots");

GC_TARGET_AVX512 GC_NO_SANITIZE GC_INLINE __m512i
all_eight(size_t value) {
  return _mm512_set1_epi64((long long)value);
}

// With interior pointers off: the bytes, or byte 0 for what does not count.
GC_TARGET_AVX512 GC_NO_SANITIZE GC_INLINE __m512i
drop_uncounted(struct gc_mark_view view, __m512i displacement, __m512i byte) {
  __mmask8 near = _mm512_cmplt_epu64_mask(displacement, all_eight(GC_DISPLACEMENTS_MAX));
  __m256i flags =
      _mm512_mask_i64gather_epi32(_mm256_setzero_si256(), near, displacement, gc_heap_displacements, 1);
  __mmask8 counts = _mm256_test_epi32_mask(flags, _mm256_set1_epi32(UINT8_MAX));
  return _mm512_mask_blend_epi64(counts, all_eight((uintptr_t)view.slot_bytes), byte);
}

GC_TARGET_AVX512 GC_NO_SANITIZE GC_INLINE void
store_candidates(struct gc_candidate *candidates, __m512i byte, __m512i entry) {
  const __m512i first = _mm512_setr_epi64(0, 8, 1, 9, 2, 10, 3, 11);
  const __m512i second = _mm512_setr_epi64(4, 12, 5, 13, 6, 14, 7, 15);
  _mm512_storeu_si512(candidates, _mm512_permutex2var_epi64(byte, first, entry));
  _mm512_storeu_si512(candidates + 4, _mm512_permutex2var_epi64(byte, second, entry));
}
_Static_assert(sizeof(struct gc_candidate) == 16 && offsetof(struct gc_candidate, entry) == 8,
               "candidates are pairs of words");

// As find_counting_candidate does for one.
GC_TARGET_AVX512 GC_NO_SANITIZE GC_INLINE bool
find_eight_avx512(struct gc_mark_view view, const size_t *offsets, struct gc_candidate *candidates) {
  __m512i offset = _mm512_loadu_si512(offsets);
  size_t number = offsets[0] >> GC_PAGE_SHIFT;
  if (_mm512_cmpneq_epi64_mask(_mm512_srli_epi64(offset, GC_PAGE_SHIFT), all_eight(number)))
    return false;
  const struct gc_page *page = &view.pages[number];
  uint64_t place = gc_atomic_load_acquire(&page->place);
  size_t reciprocal = (uint32_t)place, line = place >> 32;
  size_t granules = page->slot_granules, kind = page->kind;
  size_t known = gc_select(gc_kind_is_described(kind), 0, granules) |
                 gc_select(gc_kind_is_scanned(kind), 0, GC_ENTRY_POINTER_FREE);

  __m512i span = all_eight((number - page->span_offset) * GC_PAGE_GRANULES);
  __m512i granule = _mm512_sub_epi64(_mm512_srli_epi64(offset, GC_GRANULE_SHIFT), span);
  __m512i slot = _mm512_srli_epi64(_mm512_mul_epu32(granule, all_eight(reciprocal)), GC_RECIPROCAL_SHIFT);
  __m512i byte = _mm512_add_epi64(slot, all_eight((uintptr_t)view.slot_bytes + line * GC_LINE_SLOTS));
  __m512i start = _mm512_add_epi64(_mm512_mul_epu32(slot, all_eight(granules)), span);
  __m512i entry = _mm512_or_si512(_mm512_slli_epi64(start, GC_ENTRY_SIZE_BITS), all_eight(known));
  if (GC_UNLIKELY(!view.all_interior_pointers))
    byte = drop_uncounted(view, _mm512_sub_epi64(offset, _mm512_slli_epi64(start, GC_GRANULE_SHIFT)), byte);

  store_candidates(candidates, byte, entry);
  return true;
}

// The same for what may lie in several pages.
GC_TARGET_AVX512 GC_NO_SANITIZE GC_INLINE void
gather_eight_avx512(struct gc_mark_view view, const size_t *offsets, struct gc_candidate *candidates) {
  __m512i offset = _mm512_loadu_si512(offsets);
  __m512i number = _mm512_srli_epi64(offset, GC_PAGE_SHIFT);
  __m512i at = _mm512_slli_epi64(number, 1); // in words
  const uint64_t *words = (const uint64_t *)(const void *)view.pages;
  __m512i place = _mm512_i64gather_epi64(at, words, GC_WORD_BYTES);
  __asm__ volatile("" ::: "memory"); // first, as in find_place
  __m512i rest = _mm512_i64gather_epi64(at, words + 1, GC_WORD_BYTES);

  __m512i span_offset = _mm512_and_si512(rest, all_eight(UINT32_MAX));
  __m512i granules = _mm512_and_si512(_mm512_srli_epi64(rest, REST_GRANULES_SHIFT), all_eight(UINT16_MAX));
  __m512i kind = _mm512_and_si512(_mm512_srli_epi64(rest, REST_KIND_SHIFT), all_eight(UINT8_MAX));
  __m512i span = _mm512_slli_epi64(_mm512_sub_epi64(number, span_offset), GC_PAGE_SHIFT - GC_GRANULE_SHIFT);
  __m512i granule = _mm512_sub_epi64(_mm512_srli_epi64(offset, GC_GRANULE_SHIFT), span);
  __m512i slot = _mm512_srli_epi64(_mm512_mul_epu32(granule, place), GC_RECIPROCAL_SHIFT);
  __m512i line = _mm512_slli_epi64(_mm512_srli_epi64(place, 32), LINE_SHIFT);
  __m512i byte = _mm512_add_epi64(slot, _mm512_add_epi64(line, all_eight((uintptr_t)view.slot_bytes)));
  __m512i start = _mm512_add_epi64(_mm512_mul_epu32(slot, granules), span);

  __m512i entry = _mm512_slli_epi64(start, GC_ENTRY_SIZE_BITS);
  __mmask8 plain = _mm512_cmplt_epu64_mask(kind, all_eight(GC_KIND_DESCRIBED));
  entry = _mm512_mask_or_epi64(entry, plain, entry, granules);
  __mmask8 pointer_free = _mm512_cmpeq_epi64_mask(kind, all_eight(GC_KIND_ATOMIC)) |
                          _mm512_cmpeq_epi64_mask(kind, all_eight(GC_KIND_ATOMIC_UNCOLLECTABLE));
  entry = _mm512_mask_or_epi64(entry, pointer_free, entry, all_eight(GC_ENTRY_POINTER_FREE));
  if (GC_UNLIKELY(!view.all_interior_pointers))
    byte = drop_uncounted(view, _mm512_sub_epi64(offset, _mm512_slli_epi64(start, GC_GRANULE_SHIFT)), byte);
  store_candidates(candidates, byte, entry);
}

// Which of eight slot bytes are those of white objects?  They are read by fours, as no less can be gathered.
GC_TARGET_AVX512 GC_NO_SANITIZE GC_INLINE __mmask8
are_white(struct gc_mark_view view, __m512i byte) {
  __m512i in_four = _mm512_and_si512(byte, all_eight(3));
  __m512i four = _mm512_sub_epi64(byte, in_four);
  __m256i fours = _mm512_i64gather_epi32(four, NULL, 1);
  __m256i shift = _mm512_cvtepi64_epi32(_mm512_slli_epi64(in_four, 3));
  __m256i value = _mm256_and_si256(_mm256_srlv_epi32(fours, shift), _mm256_set1_epi32(UINT8_MAX));
  __m256i white = _mm256_srlv_epi32(_mm256_set1_epi32((int)view.white), value);
  return _mm256_test_epi32_mask(white, _mm256_set1_epi32(1));
}

// As settle_mixed does for one.
GC_TARGET_AVX512 GC_NO_SANITIZE GC_INLINE gc_mark_entry *
settle_eight_avx512(struct gc_mark_view view, const struct gc_candidate *candidates, gc_mark_entry *top) {
  const __m512i bytes = _mm512_setr_epi64(0, 2, 4, 6, 8, 10, 12, 14);
  const __m512i entries = _mm512_setr_epi64(1, 3, 5, 7, 9, 11, 13, 15);
  __m512i four = _mm512_loadu_si512(candidates), more = _mm512_loadu_si512(candidates + 4);
  __m512i byte = _mm512_permutex2var_epi64(four, bytes, more);
  __m512i entry = _mm512_permutex2var_epi64(four, entries, more);
  __mmask8 white = are_white(view, byte);
  if (GC_UNLIKELY(_mm512_mask_testn_epi64_mask(white, entry, all_eight(GC_ENTRY_GRANULES_MAX))))
    return NULL;

  uint8_t nowhere, *marked[8];
  _mm512_storeu_si512(marked, _mm512_mask_blend_epi64(white, all_eight((uintptr_t)&nowhere), byte));
#pragma GCC unroll 8
  for (size_t i = 0; i < 8; i++)
    *marked[i] = view.mark;
  __mmask8 pushed = _mm512_mask_testn_epi64_mask(white, entry, all_eight(GC_ENTRY_POINTER_FREE));
  _mm512_storeu_si512(top, _mm512_maskz_compress_epi64(pushed, entry));
  return top + __builtin_popcount(pushed);
}

GC_TARGET_AVX512 GC_NO_SANITIZE static size_t
drain_avx512(struct gc_marker *marker, size_t budget) {
  return gc_drain_with(marker, budget,
                       (struct gc_drain_vectors){GC_SMALL_FILTER_AVX512, find_eight_avx512,
                                                 gather_eight_avx512, settle_eight_avx512});
}

GC_TARGET_AVX2 GC_NO_SANITIZE static size_t
drain_avx2(struct gc_marker *marker, size_t budget) {
  return gc_drain_with(marker, budget, (struct gc_drain_vectors){.filter = GC_SMALL_FILTER_AVX2});
}

gc_drain *
gc_drain_choose(void) {
  switch (gc_cpu_vectors()) {
  case GC_CPU_AVX512:
    return drain_avx512;
  case GC_CPU_AVX2:
    return drain_avx2;
  default:
    return gc_drain_scalar;
  }
}
