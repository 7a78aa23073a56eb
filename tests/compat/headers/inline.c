// The free lists of gc_inline.h.

#include <gc/gc_inline.h>
#include <gc/gc_mark.h>
#include <string.h>

#include "check.h"

static void *normal[GC_TINY_FREELISTS];
static void *pointer_free[GC_TINY_FREELISTS];
static void *counted[GC_TINY_FREELISTS];
static struct garbage garbage;

static int
is_zero(const void *object, size_t bytes) {
  const char *byte = (const char *)object;
  while (bytes > 0 && byte[bytes - 1] == 0)
    bytes--;
  return bytes == 0;
}

static void
words_of_every_size(void) {
  int aligned = 1, zero = 1, large_enough = 1, kinds = 1;
  size_t words, bytes;
  void *object;
  for (words = 0; words < 80; words++) {
    GC_MALLOC_WORDS(object, words, normal);
    aligned &= (GC_word)object % GC_GRANULE_BYTES == 0 && GC_base(object) == object;
    zero &= is_zero(object, words * sizeof(GC_word));
    kinds &= GC_get_kind_and_size(object, &bytes) == GC_I_NORMAL;
    large_enough &= bytes >= words * sizeof(GC_word);
    memset(object, -1, words * sizeof(GC_word));
    GC_MALLOC_ATOMIC_WORDS(object, words, pointer_free);
    kinds &= GC_get_kind_and_size(object, &bytes) == GC_I_PTRFREE;
    large_enough &= bytes >= words * sizeof(GC_word);
  }
  check("words: aligned objects", aligned);
  check("words: zero", zero);
  check("words: of the kinds asked for", kinds);
  check("words: large enough", large_enough);
}

static void
different_objects(void) {
  void **objects = (void **)GC_MALLOC_UNCOLLECTABLE(10000 * sizeof(void *));
  int i, apart = 1;
  for (i = 0; i < 10000; i++) {
    GC_MALLOC_WORDS(objects[i], 4, normal);
    ((void **)objects[i])[3] = objects[i];
  }
  GC_gcollect();
  for (i = 0; i < 10000; i++)
    apart &= ((void **)objects[i])[3] == objects[i] && ((void **)objects[i])[0] == NULL;
  check("many: each is an object of its own", apart);
  GC_FREE(objects);
}

static void
list_of_conses(void) {
  void *list = NULL, *pair;
  long length = 0;
  int i, in_order = 1;
  for (i = 0; i < 100000; i++) {
    GC_CONS(list, (GC_word)i, list, normal);
    if (i % 30000 == 0)
      GC_gcollect();
  }
  for (pair = list; pair; pair = ((void **)pair)[1])
    in_order &= *(GC_word *)pair == (GC_word)(99999 - length++);
  check("cons: the list is whole", length == 100000);
  check("cons: and in order", in_order);
}

// The first objects are allocated by themselves; then the list is filled.
static void
direct_first(void) {
  int i, direct = 0;
  void *object;
  for (i = 0; i < GC_TINY_FREELISTS; i++)
    counted[i] = (void *)1;
  for (i = 0; i < 10; i++)
    GC_FAST_MALLOC_GRANS(object, 2, counted, 9, GC_I_NORMAL, (direct++, GC_malloc(32)), (void)0);
  check("direct: three of three granules each", direct == 3);
  check("direct: then from the list", object && (GC_word)counted[2] > 1000 && (GC_word)counted[3] == 1);
  GC_FAST_MALLOC_GRANS(object, GC_TINY_FREELISTS, counted, 9, GC_I_NORMAL, (direct++, GC_malloc(1000)),
                       (void)0);
  check("direct: what is too large", direct == 4 && object);
}

static void __attribute__((noinline)) drop_objects(void) {
  int i;
  void *object;
  for (i = 0; i < GARBAGE_MAX; i++) {
    GC_MALLOC_WORDS(object, 6, normal);
    garbage_add(&garbage, object);
  }
}

int
main(void) {
  GC_set_all_interior_pointers(0); // or libgc would not search the last word of these objects
  GC_INIT();
  words_of_every_size();
  different_objects();
  list_of_conses();
  direct_first();
  drop_objects();
  check("garbage is reclaimed", most_are_gone(&garbage));
  return 0;
}
