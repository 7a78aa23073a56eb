// The loaded program and its libraries.
//
// The loader counts what it loads and unloads.  While the counts stand still the tables are right, and the
// walk ends at the first object, so that the cost does not grow with the number of libraries.  When they have
// changed, a second walk inside the first callback (the lock is recursive) reads all objects.
#include "os/images.h"

#include <link.h>
#include <string.h>

#include "os/tls.h"

struct gc_images gc_images;

static unsigned long long seen_adds, seen_subs;
static gc_images_filter *current_filter, *seen_filter; // as set; as when the list was read

struct call {
  void (*function)(void *argument);
  void *argument;
  bool done;
};

// ---- Reading one object.

static const ElfW(Phdr) * find_segment(const struct dl_phdr_info *info, ElfW(Word) type) {
  for (size_t i = 0; i < info->dlpi_phnum; i++)
    if (info->dlpi_phdr[i].p_type == type)
      return &info->dlpi_phdr[i];
  return NULL;
}

static struct gc_range
segment_range(const struct dl_phdr_info *info, const ElfW(Phdr) * segment) {
  const char *base = (const char *)(info->dlpi_addr + segment->p_vaddr);
  return (struct gc_range){base, base + segment->p_memsz};
}

// What the loader has made read-only: whole pages, rounded down at both ends as glibc does.
static struct gc_range
relro_range(const struct dl_phdr_info *info) {
  const ElfW(Phdr) *segment = find_segment(info, PT_GNU_RELRO);
  if (!segment)
    return (struct gc_range){NULL, NULL};
  struct gc_range range = segment_range(info, segment);
  range.base = (const char *)gc_round_down((uintptr_t)range.base, gc_os_page_bytes());
  range.limit = (const char *)gc_round_down((uintptr_t)range.limit, gc_os_page_bytes());
  return range;
}

static bool
push_part(struct gc_range_array *array, const char *base, const char *limit) {
  return base >= limit || gc_range_array_push(array, (struct gc_range){base, limit});
}

// `range` without `hole`, in up to two parts.
static bool
push_without(struct gc_range_array *array, struct gc_range range, struct gc_range hole) {
  if (hole.limit <= range.base || range.limit <= hole.base)
    return push_part(array, range.base, range.limit);
  return push_part(array, range.base, hole.base) && push_part(array, hole.limit, range.limit);
}

static bool
note_if_unwanted(const char *file, struct gc_range segment) {
  bool wanted = !seen_filter || seen_filter(file, (void *)(uintptr_t)segment.base, gc_range_bytes(segment));
  return wanted || gc_range_array_push(&gc_images.unwanted, segment);
}

static bool
read_segments(const struct dl_phdr_info *info, struct gc_range_array *array) {
  struct gc_range relro = relro_range(info);
  for (size_t i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
    bool wanted = segment->p_type == PT_LOAD && (~segment->p_flags & (PF_R | PF_W)) == 0;
    struct gc_range range = segment_range(info, segment);
    if (wanted && (!push_without(array, range, relro) || !note_if_unwanted(info->dlpi_name, range)))
      return false;
  }
  return true;
}

static bool
grow_tls_table(size_t module) {
  size_t old_bytes = gc_images.tls_bytes ? (gc_images.tls_modules + 1) * sizeof(size_t) : 0;
  size_t new_bytes = (module + 1) * sizeof(size_t);
  size_t *table = gc_images.tls_bytes;
  if (gc_round_up(old_bytes, gc_os_page_bytes()) < new_bytes)
    table = table ? gc_os_remap(table, old_bytes, new_bytes) : gc_os_map(new_bytes);
  if (!table)
    return false;
  memset(table + old_bytes / sizeof(size_t), 0, new_bytes - old_bytes);
  gc_images.tls_bytes = table;
  gc_images.tls_modules = module;
  return true;
}

static bool
read_tls(const struct dl_phdr_info *info) {
  const ElfW(Phdr) *segment = find_segment(info, PT_TLS);
  size_t module = info->dlpi_tls_modid;
  if (!segment || module == 0)
    return true;
  if (module > gc_images.tls_modules && !grow_tls_table(module))
    return false;
  gc_images.tls_bytes[module] = segment->p_memsz;
  if (info->dlpi_tls_data && !gc_os_tls_layout_fits(module, info->dlpi_tls_data))
    gc_images.tls_layout_fits = false;
  return true;
}

// ---- Reading them all.

struct walk {
  size_t objects;
  bool failed;
};

static int
read_object(struct dl_phdr_info *info, size_t bytes, void *walk_) {
  struct walk *walk = walk_;
  (void)bytes;
  struct gc_range_array *array = walk->objects++ == 0 ? &gc_images.program : &gc_images.libraries;
  walk->failed = !read_segments(info, array) || !read_tls(info);
  return walk->failed;
}

static bool
contains(const struct gc_range_array *array, struct gc_range range) {
  for (size_t i = 0; i < array->count; i++)
    if (array->items[i].base == range.base && array->items[i].limit == range.limit)
      return true;
  return false;
}

// Leave in `gone` the old library segments that are no longer there.
static void
find_gone(void) {
  struct gc_range_array *gone = &gc_images.gone;
  size_t kept = 0;
  for (size_t i = 0; i < gone->count; i++)
    if (!contains(&gc_images.libraries, gone->items[i]))
      gone->items[kept++] = gone->items[i];
  gone->count = kept;
}

static bool
reread(bool unloaded) {
  struct walk walk = {0, false};
  struct gc_range_array old = gc_images.libraries;
  gc_images.libraries = gc_images.gone;
  gc_images.gone = old;
  gc_range_array_clear(&gc_images.libraries);
  gc_range_array_clear(&gc_images.program);
  gc_range_array_clear(&gc_images.unwanted);
  if (gc_images.tls_bytes)
    memset(gc_images.tls_bytes, 0, (gc_images.tls_modules + 1) * sizeof(size_t));
  gc_images.tls_layout_fits = true;
  gc_images.tls_numbers_reused |= unloaded;
  gc_images.version++;
  dl_iterate_phdr(read_object, &walk);
  find_gone();
  return !walk.failed;
}

// dl_iterate_phdr's callback for the first object: the lock is held.
static int
call_at_first_object(struct dl_phdr_info *info, size_t bytes, void *call_) {
  struct call *call = call_;
  (void)bytes;
  gc_images_filter *filter = __atomic_load_n(&current_filter, __ATOMIC_RELAXED);
  bool current = gc_images.version != 0 && info->dlpi_adds == seen_adds && info->dlpi_subs == seen_subs &&
                 filter == seen_filter;
  seen_filter = filter;
  call->done = current || reread(info->dlpi_subs != seen_subs);
  if (!call->done)
    return 1;
  seen_adds = info->dlpi_adds;
  seen_subs = info->dlpi_subs;
  call->function(call->argument);
  return 1;
}

bool
gc_images_call(void (*function)(void *argument), void *argument) {
  struct call call = {function, argument, false};
  dl_iterate_phdr(call_at_first_object, &call);
  return call.done;
}

void
gc_images_set_filter(gc_images_filter *filter) {
  __atomic_store_n(&current_filter, filter, __ATOMIC_RELAXED);
}
