// A library that tests load and unload: some data, a relocated constant, thread-local storage.
#include <stddef.h>

void *visitor_word = NULL;
void *visitor_words[1000] = {&visitor_word};
void *const visitor_constants[] = {&visitor_word, visitor_words};
__thread void *visitor_own[40];

void **
visitor_own_word(void) {
  return &visitor_own[7];
}
