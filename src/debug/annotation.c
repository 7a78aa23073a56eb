// See annotation.h.
#include "debug/annotation.h"

#include "refs/objects.h"

#define START_MARK ((uintptr_t)UINT64_C(0x5A3C96E1B4D2870F))
#define END_MARK ((uintptr_t)UINT64_C(0xC371E94D2B58A60E))

bool gc_annotation_any;

static char *
body_of(struct gc_ref ref) {
  return ref.start + GC_ANNOTATION_BYTES;
}

static uintptr_t
mark_of(struct gc_ref ref, uintptr_t mark) {
  return (uintptr_t)body_of(ref) ^ mark;
}

static uintptr_t *
last_word_of(struct gc_ref ref) {
  return (uintptr_t *)(void *)(ref.start + ref.bytes) - 1;
}

// The word behind what the program asked for.
static uintptr_t *
end_word_of(struct gc_ref ref) {
  return (uintptr_t *)(void *)(body_of(ref) + gc_round_up(gc_annotation_of(ref)->bytes, GC_WORD_BYTES));
}

static bool
has_room(struct gc_ref ref, size_t bytes) {
  size_t most_bytes = ref.bytes - GC_ANNOTATION_BYTES - GC_WORD_BYTES;
  return bytes <= most_bytes;
}

// One byte less than header and end mark need, so that the request does not fill its slot (see
// heap/classes.h): what is just past the program's part still lies in the object.
size_t
gc_annotation_request(size_t bytes) {
  size_t more = GC_ANNOTATION_BYTES + 2 * GC_WORD_BYTES;
  return bytes > SIZE_MAX - more
             ? SIZE_MAX
             : gc_round_up(bytes, GC_WORD_BYTES) + GC_ANNOTATION_BYTES + GC_WORD_BYTES - 1;
}

static void
put(void *word, uintptr_t value) {
  gc_ref_store(word, value);
}

void *
gc_annotation_add(struct gc_ref ref, size_t bytes, const char *file, int line) {
  struct gc_annotation *annotation = gc_annotation_of(ref);
  gc_annotation_any = true;
  put(&annotation->file, (uintptr_t)file);
  put(&annotation->line, (uintptr_t)(intptr_t)line);
  put(&annotation->bytes, bytes);
  put(&annotation->start_mark, mark_of(ref, START_MARK));
  put(end_word_of(ref), mark_of(ref, END_MARK));
  put(last_word_of(ref), mark_of(ref, END_MARK));
  return body_of(ref);
}

// Either mark will do: the other one may be damaged.
enum gc_annotation_state
gc_annotation_state_of(struct gc_ref ref) {
  const struct gc_annotation *annotation = gc_annotation_of(ref);
  if (ref.bytes < GC_ANNOTATION_BYTES + GC_WORD_BYTES)
    return GC_IS_PLAIN;
  if (annotation->start_mark != mark_of(ref, START_MARK) && *last_word_of(ref) != mark_of(ref, END_MARK))
    return GC_IS_PLAIN;
  return annotation->bytes == ref.bytes ? GC_IS_RETIRED : GC_IS_ANNOTATED;
}

const char *
gc_annotation_damage(struct gc_ref ref) {
  const struct gc_annotation *annotation = gc_annotation_of(ref);
  if (!has_room(ref, annotation->bytes))
    return (const char *)&annotation->bytes;
  if (annotation->start_mark != mark_of(ref, START_MARK))
    return (const char *)&annotation->start_mark;
  if (*last_word_of(ref) != mark_of(ref, END_MARK))
    return (const char *)last_word_of(ref);
  return *end_word_of(ref) == mark_of(ref, END_MARK) ? NULL : (const char *)end_word_of(ref);
}

void
gc_annotation_retire(struct gc_ref ref) {
  put(&gc_annotation_of(ref)->bytes, ref.bytes);
  put(&gc_annotation_of(ref)->start_mark, mark_of(ref, START_MARK));
}

void
gc_annotation_fill(char *from, const char *limit) {
  for (uint64_t *word = (uint64_t *)(void *)from; (const char *)(word + 1) <= limit; word++)
    *word = GC_ANNOTATION_FILLER;
}

const char *
gc_annotation_use_after_free(struct gc_ref ref) {
  const uint64_t *word = (const uint64_t *)(const void *)body_of(ref);
  const uint64_t *limit = (const uint64_t *)(const void *)(ref.start + ref.bytes);
  while (word < limit && *word == GC_ANNOTATION_FILLER)
    word++;
  return word < limit ? (const char *)word : NULL;
}

void
gc_annotation_forget(struct gc_ref ref) {
  if (gc_annotation_state_of(ref) == GC_IS_PLAIN)
    return;
  put(&gc_annotation_of(ref)->start_mark, 0);
  put(last_word_of(ref), 0);
}
