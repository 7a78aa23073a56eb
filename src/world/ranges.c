// Sets of addresses as sorted arrays of ranges.  Nothing here calls malloc (as qsort may), so that it can run
// while the world is stopped.
#include "world/ranges.h"

// ---- Heapsort by base ----------------------------------------------------------------------------------

static void
swap(struct gc_range *a, struct gc_range *b) {
  struct gc_range old = *a;
  *a = *b;
  *b = old;
}

// Let items[i] sink in the heap items[0, count).
static void
sink(struct gc_range *items, size_t i, size_t count) {
  for (;;) {
    size_t child = 2 * i + 1;
    if (child >= count)
      return;
    if (child + 1 < count && items[child].base < items[child + 1].base)
      child++;
    if (items[child].base <= items[i].base)
      return;
    swap(&items[i], &items[child]);
    i = child;
  }
}

static bool
is_sorted(const struct gc_range_array *array) {
  for (size_t i = 1; i < array->count; i++)
    if (array->items[i].base < array->items[i - 1].base)
      return false;
  return true;
}

static void
sort(struct gc_range_array *array) {
  if (is_sorted(array))
    return;
  for (size_t i = array->count / 2; i-- > 0;)
    sink(array->items, i, array->count);
  for (size_t left = array->count; left-- > 1;) {
    swap(&array->items[0], &array->items[left]);
    sink(array->items, 0, left);
  }
}

// ---- Sets ----------------------------------------------------------------------------------------------

void
gc_ranges_normalize(struct gc_range_array *array) {
  size_t kept = 0;
  sort(array);
  for (size_t i = 0; i < array->count; i++) {
    struct gc_range range = array->items[i];
    struct gc_range *last = kept ? &array->items[kept - 1] : NULL;
    if (range.base >= range.limit)
      continue;
    if (!last || last->limit < range.base)
      array->items[kept++] = range;
    else if (last->limit < range.limit)
      last->limit = range.limit;
  }
  array->count = kept;
}

static bool
push_part(struct gc_range_array *array, const char *base, const char *limit) {
  return base >= limit || gc_range_array_push(array, (struct gc_range){base, limit});
}

static bool
overlaps(struct gc_range a, struct gc_range b) {
  return a.base < b.limit && b.base < a.limit;
}

// Normalized, only one range can contain the hole and fall in two; room for that is made first, so that what
// follows cannot fail.
bool
gc_ranges_remove(struct gc_range_array *array, struct gc_range hole) {
  gc_ranges_normalize(array);
  if (!gc_range_array_push(array, (struct gc_range){NULL, NULL}))
    return false;
  size_t count = array->count - 1, kept = 0;
  struct gc_range high = {NULL, NULL};
  for (size_t i = 0; i < count; i++) {
    struct gc_range range = array->items[i];
    if (overlaps(range, hole) && hole.limit < range.limit)
      high = (struct gc_range){hole.limit, range.limit};
    if (overlaps(range, hole))
      range.limit = hole.base;
    if (range.base < range.limit)
      array->items[kept++] = range;
  }
  array->items[kept] = high;
  array->count = kept + 1;
  gc_ranges_normalize(array);
  return true;
}

bool
gc_ranges_push_difference(const struct gc_range_array *array, const struct gc_range_array *holes,
                          struct gc_range_array *result) {
  size_t first = 0;
  for (size_t i = 0; i < array->count; i++) {
    struct gc_range range = array->items[i];
    while (first < holes->count && holes->items[first].limit <= range.base)
      first++;
    for (size_t j = first; j < holes->count && holes->items[j].base < range.limit; j++) {
      if (!push_part(result, range.base, holes->items[j].base))
        return false;
      range.base = holes->items[j].limit;
    }
    if (!push_part(result, range.base, range.limit))
      return false;
  }
  return true;
}

bool
gc_ranges_push_all(const struct gc_range_array *array, struct gc_range_array *result) {
  for (size_t i = 0; i < array->count; i++)
    if (!gc_range_array_push(result, array->items[i]))
      return false;
  return true;
}

size_t
gc_ranges_bytes(const struct gc_range_array *array, size_t first) {
  size_t bytes = 0;
  for (size_t i = first; i < array->count; i++)
    bytes += gc_range_bytes(array->items[i]);
  return bytes;
}

bool
gc_ranges_contain(const struct gc_range_array *array, const void *address) {
  for (size_t i = 0; i < array->count; i++)
    if (array->items[i].base <= (const char *)address && (const char *)address < array->items[i].limit)
      return true;
  return false;
}

bool
gc_ranges_overlap(const struct gc_range_array *array, struct gc_range range) {
  for (size_t i = 0; i < array->count; i++)
    if (array->items[i].base < range.limit && range.base < array->items[i].limit)
      return true;
  return false;
}
