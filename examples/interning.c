// An interning table: equal words become one object, so that they may be compared by their addresses, and a
// word that nobody uses any more leaves the table by itself.
//
// Reads words at random from a large vocabulary and remembers only the last ones.  A table that kept its
// words would end up with all of the vocabulary; this one has not many more than are remembered.
#include <gc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VOCABULARY = 400000, READ = 1000000, REMEMBERED = 10000, WORD_BYTES = 32 };

static GC_weak_map *table;
static const char *remembered[REMEMBERED];

static size_t
hash_of(const void *word, void *unused) {
  size_t hash = 14695981039346656037u; // FNV-1a
  (void)unused;
  for (const char *c = word; *c; c++)
    hash = (hash ^ (unsigned char)*c) * 1099511628211u;
  return hash;
}

static int
are_equal(const void *word, const void *other, void *unused) {
  (void)unused;
  return strcmp(word, other) == 0;
}

// The object that stands for all words of these letters.  It is its own value, which does not keep it.
static const char *
intern(const char *letters) {
  char *word = GC_weak_map_get_key(table, letters);
  if (word)
    return word;
  word = GC_malloc_atomic(strlen(letters) + 1);
  if (!word)
    abort();
  strcpy(word, letters);
  if (GC_weak_map_put(table, word, word) != GC_SUCCESS)
    abort();
  return word;
}

static unsigned
random_below(unsigned limit) {
  static unsigned long state = 88172645463325252;
  state ^= state << 13, state ^= state >> 7, state ^= state << 17;
  return (unsigned)(state >> 32) % limit;
}

static const char *
read_word(void) {
  char letters[WORD_BYTES];
  snprintf(letters, sizeof letters, "word-%u", random_below(VOCABULARY));
  const char *word = intern(letters);
  if (strcmp(word, letters) != 0 || intern(letters) != word)
    abort(); // two objects for one word
  return word;
}

int
main(void) {
  GC_INIT();
  table = GC_weak_map_new(
      &(struct GC_weak_map_options){.kind = GC_WEAK_KEYS, .hash = hash_of, .equal = are_equal});
  for (unsigned i = 0; i < READ; i++)
    remembered[i % REMEMBERED] = read_word();
  GC_gcollect();
  for (unsigned i = 0; i < REMEMBERED; i++)
    if (intern(remembered[i]) != remembered[i])
      abort(); // a word in use has left the table
  size_t count = GC_weak_map_count(table);
  printf("%d words read, %d remembered, %zu in the table\n", READ, REMEMBERED, count);
  return count >= VOCABULARY / 2;
}
