// A library that holds objects in its data and in thread-local storage, and is loaded and unloaded all the
// time.
#include <stddef.h>

static void *kept_word, *kept_words[3000];
static __thread void *own_words[500];

void
plugin_keep(size_t i, void *object) {
  kept_word = object;
  kept_words[i % 3000] = object;
}

void *
plugin_kept(size_t i) {
  return kept_words[i % 3000] == kept_word ? kept_word : NULL;
}

void
plugin_keep_own(size_t i, void *object) {
  own_words[i % 500] = object;
}

void *
plugin_kept_own(size_t i) {
  return own_words[i % 500];
}
