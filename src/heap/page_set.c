// Sets of pages, a word at a time.
#include "heap/page_set.h"

enum { WORD_PAGES = 64 };

// The bits of word `word` that stand for pages in [page, limit).
static size_t
mask_of(size_t word, size_t page, size_t limit) {
  size_t first = word * WORD_PAGES, mask = SIZE_MAX;
  if (page > first)
    mask &= SIZE_MAX << (page - first);
  if (limit < first + WORD_PAGES)
    mask &= SIZE_MAX >> (first + WORD_PAGES - limit);
  return mask;
}

void
gc_page_set_add_all(struct gc_page_set set, size_t page, size_t pages) {
  size_t limit = page + pages;
  for (size_t word = page / WORD_PAGES; word * WORD_PAGES < limit; word++)
    gc_atomic_or(&set.words[word], mask_of(word, page, limit));
}

void
gc_page_set_remove_all(struct gc_page_set set, size_t page, size_t pages) {
  size_t limit = page + pages;
  for (size_t word = page / WORD_PAGES; word * WORD_PAGES < limit; word++)
    if (gc_atomic_load_relaxed(&set.words[word]) & mask_of(word, page, limit))
      gc_atomic_and(&set.words[word], ~mask_of(word, page, limit));
}

bool
gc_page_set_has_any(struct gc_page_set set, size_t page, size_t pages) {
  return gc_page_set_next(set, page, page + pages) < page + pages;
}

void
gc_page_set_clear(struct gc_page_set set, size_t limit) {
  for (size_t word = 0; word * WORD_PAGES < limit; word++)
    gc_atomic_store_relaxed(&set.words[word], 0);
}

void
gc_page_set_copy(struct gc_page_set set, struct gc_page_set from, size_t limit) {
  for (size_t word = 0; word * WORD_PAGES < limit; word++)
    gc_atomic_store_relaxed(&set.words[word], gc_atomic_load_relaxed(&from.words[word]));
}

// The first page from `page` on whose bit, after the word is xor'ed with `flip`, is set.
static size_t
next_with(struct gc_page_set set, size_t page, size_t limit, size_t flip) {
  for (size_t word = page / WORD_PAGES; word * WORD_PAGES < limit; word++) {
    size_t left = (gc_atomic_load_relaxed(&set.words[word]) ^ flip) & mask_of(word, page, limit);
    if (left)
      return word * WORD_PAGES + (size_t)__builtin_ctzl(left);
  }
  return limit;
}

size_t
gc_page_set_next(struct gc_page_set set, size_t page, size_t limit) {
  return next_with(set, page, limit, 0);
}

size_t
gc_page_set_next_absent(struct gc_page_set set, size_t page, size_t limit) {
  return next_with(set, page, limit, SIZE_MAX);
}

size_t
gc_page_set_next_difference(struct gc_page_set set, struct gc_page_set without, size_t page, size_t limit) {
  for (size_t word = page / WORD_PAGES; word * WORD_PAGES < limit; word++) {
    size_t left = gc_atomic_load_relaxed(&set.words[word]) & ~gc_atomic_load_relaxed(&without.words[word]) &
                  mask_of(word, page, limit);
    if (left)
      return word * WORD_PAGES + (size_t)__builtin_ctzl(left);
  }
  return limit;
}
