// See description.h.
#include "debug/description.h"

#include <stdio.h>
#include <string.h>

#include "heap/kinds.h"
#include "os/probe.h"

enum { NAME_BYTES = 200, KIND_BYTES = 41 };

struct gc_description
gc_description_of(struct gc_ref ref) {
  struct gc_description description = {
      .object = ref.start, .bytes = ref.bytes, .bytes_known = true, .kind = ref.kind};
  if (gc_annotation_state_of(ref) == GC_IS_PLAIN)
    return description;
  const struct gc_annotation *annotation = gc_annotation_of(ref);
  description.object += GC_ANNOTATION_BYTES;
  description.file = annotation->file;
  description.line = (int)annotation->line;
  description.bytes = ref.bytes - GC_ANNOTATION_BYTES - GC_WORD_BYTES;
  description.bytes_known =
      annotation->bytes <= description.bytes; // else overwritten, by us or by the program
  if (description.bytes_known)
    description.bytes = annotation->bytes;
  return description;
}

// The program's own words for an object of its kind, if it has some and the object is still there.
static bool
describe_type(const struct gc_description *description, char text[KIND_BYTES]) {
  struct gc_ref ref = gc_heap_resolve(description->object);
  if (!gc_kinds[description->kind].describe || !ref.start || *ref.byte != gc_heap.mark)
    return false;
  gc_kinds[description->kind].describe((void *)(uintptr_t)description->object, text);
  text[KIND_BYTES - 1] = '\0';
  return true;
}

static const char *
kind_name(const struct gc_description *description, char name[KIND_BYTES]) {
  unsigned kind = description->kind;
  if (describe_type(description, name))
    return name;
  if (gc_kind_is_uncollectable(kind))
    return gc_kind_is_pointer_free(kind) ? "pointer-free, uncollectable" : "uncollectable";
  return gc_kind_is_pointer_free(kind) ? "pointer-free" : "normal";
}

// The name of a file, of which the address may have been overwritten.  Where the kernel would not copy for us
// we must believe it.
static const char *
read_name(const char *file, char name[NAME_BYTES]) {
  size_t bytes = gc_os_copy_readable((struct gc_range){file, file + NAME_BYTES - 1}, false, name);
  name[bytes] = '\0';
  if (bytes == 0 && gc_os_can_copy())
    return "unknown";
  return bytes == 0 ? file : name;
}

const char *
gc_description_print(const struct gc_description *description, char text[GC_DESCRIPTION_BYTES]) {
  char name[NAME_BYTES], kind_text[KIND_BYTES];
  const char *kind = kind_name(description, kind_text);
  const char *about = description->bytes_known ? "" : "about ";
  if (description->file)
    snprintf(text, GC_DESCRIPTION_BYTES, "%p (%s:%d, %s%zu bytes, %s)", (const void *)description->object,
             read_name(description->file, name), description->line, about, description->bytes, kind);
  else
    snprintf(text, GC_DESCRIPTION_BYTES, "%p (%s%zu bytes, %s)", (const void *)description->object, about,
             description->bytes, kind);
  return text;
}
