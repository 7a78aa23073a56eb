// A library with static data of its own, which only GC_no_dls or a filter keeps from being searched.
static void *held[100];

void **library_roots(void);

void **
library_roots(void) {
  return held;
}
