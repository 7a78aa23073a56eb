// Growing text.  See text.h.
#include "observe/text.h"

#include <stdarg.h>
#include <stdio.h>

#include "os/memory.h"

enum { ADD_BYTES_MAX = 512, INITIAL_BYTES = 64 * 1024 };

static bool
reserve(struct gc_text *text) {
  if (text->capacity - text->used >= ADD_BYTES_MAX)
    return true;
  size_t capacity = gc_max(INITIAL_BYTES, 2 * text->capacity);
  char *bytes = text->bytes ? gc_os_remap(text->bytes, text->capacity, capacity) : gc_os_map(capacity);
  if (!bytes)
    return false;
  text->bytes = bytes;
  text->capacity = capacity;
  return true;
}

void
gc_text_add(struct gc_text *text, const char *format, ...) {
  if (!reserve(text))
    return;
  va_list arguments;
  va_start(arguments, format);
  int wanted = vsnprintf(text->bytes + text->used, ADD_BYTES_MAX, format, arguments);
  va_end(arguments);
  if (wanted > 0)
    text->used += gc_min((size_t)wanted, ADD_BYTES_MAX - 1);
}

void
gc_text_log(struct gc_text *text) {
  gc_log_text(text->bytes, text->used);
  if (text->bytes)
    gc_os_unmap(text->bytes, text->capacity);
  *text = (struct gc_text){0};
}
