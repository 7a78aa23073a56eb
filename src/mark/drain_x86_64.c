// The inner loop with AVX-512 and with AVX2, chosen when marking first starts.
#include "mark/drain_inl.h"
#include "mark/filter_x86_64_inl.h"

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

  const __m512i first = _mm512_setr_epi64(0, 8, 1, 9, 2, 10, 3, 11);
  const __m512i second = _mm512_setr_epi64(4, 12, 5, 13, 6, 14, 7, 15);
  _mm512_storeu_si512(candidates, _mm512_permutex2var_epi64(byte, first, entry));
  _mm512_storeu_si512(candidates + 4, _mm512_permutex2var_epi64(byte, second, entry));
  return true;
}
_Static_assert(sizeof(struct gc_candidate) == 16 && offsetof(struct gc_candidate, entry) == 8,
               "candidates are pairs of words");

GC_TARGET_AVX512 GC_NO_SANITIZE static size_t
drain_avx512(struct gc_marker *marker, size_t budget) {
  return gc_drain_with(marker, budget, (struct gc_drain_vectors){GC_SMALL_FILTER_AVX512, find_eight_avx512});
}

GC_TARGET_AVX2 GC_NO_SANITIZE static size_t
drain_avx2(struct gc_marker *marker, size_t budget) {
  return gc_drain_with(marker, budget, (struct gc_drain_vectors){GC_SMALL_FILTER_AVX2, NULL});
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
