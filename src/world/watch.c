// Static roots that are watched.  See watch.h.
//
//                 the second search of one marking             written pages only
//   UNWATCHED -------------------------------------> WATCHED -------------------+
//      ^   ^                                          |  |  ^                    |
//      |   +--- a marking that was searched once -----+  |  +--------------------+
//      +------- it was mapped anew ----------------------+
//
// What the system will not watch, or other mappings may change, is REFUSED until the ranges change.
#include "world/watch.h"

#include "base/check.h"
#include "base/sanitizer.h"
#include "base/tunables.h"
#include "os/probe.h"
#include "os/writes.h"
#include "world/ranges.h"

enum {
  LONG_BYTES = 32 * 1024, // less is soon read
  MARKINGS = 2            // the one under way and the one before
};

enum state { UNWATCHED, WATCHED, REFUSED };

struct watched {
  struct gc_range pages; // the whole OS pages of a range
  enum state state;
  bool known;           // it was read while it was watched, and since the marks have flipped
  uintptr_t *checksums; // of the pages when they were read; for LOAM_VERIFY
};

static GC_STATE struct watched_list {
  struct watched *items; // in the order of addresses
  size_t count, capacity;
} list, next_list;

// [stw]
static GC_STATE struct {
  size_t searches[MARKINGS];   // of each marking
  struct gc_range_array read;  // what the last one has read of the ranges
  struct gc_range_array found; // room
  size_t passed_over_bytes;
} search;

static struct gc_range
whole_pages(struct gc_range range) {
  return (struct gc_range){(const char *)gc_round_up((uintptr_t)range.base, gc_os_page_bytes()),
                           (const char *)gc_round_down((uintptr_t)range.limit, gc_os_page_bytes())};
}

static bool
is_long(struct gc_range pages) {
  return pages.base < pages.limit && gc_range_bytes(pages) >= LONG_BYTES;
}

// ---- The list ------------------------------------------------------------------------------------------

static size_t
checksums_bytes(struct gc_range pages) {
  return gc_range_bytes(pages) / gc_os_page_bytes() * sizeof(uintptr_t);
}

static void
unwatch(struct watched *watched) {
  if (watched->state == WATCHED)
    gc_writes_unwatch(watched->pages);
  watched->state = UNWATCHED;
  watched->known = false;
}

static void
drop(struct watched *watched) {
  unwatch(watched);
  if (watched->checksums)
    gc_os_unmap(watched->checksums, checksums_bytes(watched->pages));
  watched->checksums = NULL;
}

static bool
push_next(struct watched watched) {
  if (next_list.count == next_list.capacity) {
    void *grown = gc_os_grow(next_list.items, &next_list.capacity, sizeof *next_list.items);
    if (!grown)
      return false;
    next_list.items = grown;
  }
  next_list.items[next_list.count++] = watched;
  return true;
}

static void
drop_all(void) {
  for (size_t i = 0; i < list.count; i++)
    drop(&list.items[i]);
  list.count = 0;
}

// What is the same as before stays watched.  The others go before anything new is watched: it may share pages
// with them.
bool
gc_watch_set(const struct gc_range_array *ranges) {
  size_t old = 0;
  next_list.count = 0;
  for (size_t i = 0; i < ranges->count; i++) {
    struct gc_range pages = whole_pages(ranges->items[i]);
    if (!is_long(pages))
      continue;
    while (old < list.count && list.items[old].pages.base < pages.base)
      drop(&list.items[old++]);
    bool same = old < list.count && list.items[old].pages.base == pages.base &&
                list.items[old].pages.limit == pages.limit;
    if (!push_next(same ? list.items[old] : (struct watched){.pages = pages})) {
      drop_all();
      return false;
    }
    old += same;
  }
  while (old < list.count)
    drop(&list.items[old++]);
  struct watched_list swap = list;
  list = next_list;
  next_list = swap;
  return true;
}

// ---- Watching ------------------------------------------------------------------------------------------

// Other mappings of the same memory, this process's or another's, may change it unnoticed.
static void
refuse_shared(void) {
  gc_range_array_clear(&search.found);
  bool known = gc_os_find_shared_mappings(&search.found);
  for (size_t i = 0; i < list.count; i++) {
    struct watched *watched = &list.items[i];
    if (watched->state == UNWATCHED && (!known || gc_ranges_overlap(&search.found, watched->pages)))
      watched->state = REFUSED;
  }
}

static bool
is_any(enum state state) {
  for (size_t i = 0; i < list.count; i++)
    if (list.items[i].state == state)
      return true;
  return false;
}

// Ask what was written, which begins the next question.  What is not watched any more the program has mapped
// anew, perhaps.
static bool
find_written(struct watched *watched, struct gc_range_array *found) {
  if (gc_writes_find_watched(watched->pages, found))
    return true;
  watched->state = UNWATCHED;
  watched->known = false;
  return false;
}

// A program whose collections all stop it and search all is spared the faults.
static void
unwatch_all(void) {
  for (size_t i = 0; i < list.count; i++)
    if (list.items[i].state == WATCHED)
      unwatch(&list.items[i]);
}

// All will be read: notice what is written from here on.
static void
watch_all(void) {
  for (size_t i = 0; i < list.count; i++) {
    gc_range_array_clear(&search.found);
    if (list.items[i].state == WATCHED && !list.items[i].known)
      find_written(&list.items[i], &search.found);
  }
  if (gc_writes_kind() != GC_WRITES_USERFAULT || !is_any(UNWATCHED))
    return;
  refuse_shared();
  for (size_t i = 0; i < list.count; i++)
    if (list.items[i].state == UNWATCHED)
      list.items[i].state = gc_writes_watch(list.items[i].pages) ? WATCHED : REFUSED;
}

// ---- Searching -----------------------------------------------------------------------------------------

static void
begin_search(struct gc_range_array *later) {
  search.passed_over_bytes = 0;
  gc_range_array_clear(&search.read);
  search.searches[0]++;
  if (!later && search.searches[0] == 1 && search.searches[1] <= 1) // all may be like that
    unwatch_all();
  else
    watch_all();
}

GC_NO_SANITIZE static uintptr_t
checksum_of(const char *page) {
  uintptr_t sum = 0;
  for (size_t i = 0; i < gc_os_page_bytes() / sizeof(uintptr_t); i++)
    sum = (sum ^ ((const uintptr_t *)(const void *)page)[i]) * 0x9e3779b97f4a7c15u + (sum >> 29);
  return sum;
}

// Note what is read, and look at what is not: static-unchanged.
static void
verify(struct watched *watched, struct gc_range range, bool is_read) {
  size_t page_bytes = gc_os_page_bytes();
  if (!watched->checksums)
    watched->checksums = gc_os_map(checksums_bytes(watched->pages));
  if (!watched->checksums)
    return;
  for (const char *page = range.base; page < range.limit; page += page_bytes) {
    uintptr_t *checksum = &watched->checksums[(size_t)(page - watched->pages.base) / page_bytes];
    GC_CHECK(is_read || *checksum == checksum_of(page),
             "verify: static-unchanged violated: the page at %p was written to unnoticed",
             (const void *)page);
    *checksum = checksum_of(page);
  }
}

static void
verify_written(struct watched *watched, const struct gc_range *written, size_t count) {
  const char *unwritten = watched->pages.base;
  for (size_t i = 0; i < count; i++) {
    verify(watched, (struct gc_range){unwritten, written[i].base}, false);
    verify(watched, written[i], true);
    unwritten = written[i].limit;
  }
  verify(watched, (struct gc_range){unwritten, watched->pages.limit}, false);
}

// false: all must be read.
static bool
read_written(struct watched *watched) {
  size_t first = search.read.count, bytes = gc_range_bytes(watched->pages);
  if (!find_written(watched, &search.read)) {
    search.read.count = first;
    return false;
  }
  for (size_t i = first; i < search.read.count; i++)
    bytes -= gc_range_bytes(search.read.items[i]);
  search.passed_over_bytes += bytes;
  if (gc_tunables.verify)
    verify_written(watched, search.read.items + first, search.read.count - first);
  return true;
}

static bool
put_off(const struct watched *watched, struct gc_range_array *later) {
  if (!later || !watched->known || !gc_range_array_push(later, watched->pages))
    return false;
  search.passed_over_bytes += gc_range_bytes(watched->pages);
  return true;
}

static bool
read_watched(struct watched *watched, struct gc_range range, struct gc_range_array *later) {
  struct gc_range before = {range.base, watched->pages.base}, behind = {watched->pages.limit, range.limit};
  bool pass_over = watched->known && read_written(watched);
  if (!pass_over) {
    watched->known = watched->state == WATCHED;
    if (watched->known && gc_tunables.verify)
      verify(watched, watched->pages, true);
    pass_over = put_off(watched, later);
  }
  if (pass_over)
    return gc_range_array_push(&search.read, before) && gc_range_array_push(&search.read, behind);
  return gc_range_array_push(&search.read, range);
}

static bool
read_all(const struct gc_range_array *ranges, struct gc_range_array *later) {
  size_t next = 0;
  for (size_t i = 0; i < ranges->count; i++) {
    struct gc_range range = ranges->items[i];
    bool is_watched = next < list.count && list.items[next].pages.base < range.limit;
    if (!(is_watched ? read_watched(&list.items[next++], range, later)
                     : gc_range_array_push(&search.read, range)))
      return false;
  }
  return true;
}

bool
gc_watch_push_stw(const struct gc_range_array *ranges, struct gc_range_array *roots,
                  struct gc_range_array *later, enum gc_search_which which) {
  if (which == GC_SEARCH_ALL)
    return gc_ranges_push_all(ranges, roots);
  if (which == GC_SEARCH_CHANGED) {
    begin_search(later);
    if (!read_all(ranges, later))
      return false;
  }
  return gc_ranges_push_all(&search.read, roots);
}

// What is not written now may be at any moment: only a pause can verify that.
void
gc_watch_find_written(struct gc_range_array *later) {
  for (size_t i = 0; i < list.count; i++) {
    struct watched *watched = &list.items[i];
    size_t first = later->count;
    if (!watched->known)
      continue;
    if (!find_written(watched, later))
      later->count = first;
    for (size_t j = first; j < later->count && gc_tunables.verify; j++)
      verify(watched, later->items[j], true);
  }
}

bool
gc_watch_push_read(struct gc_range_array *later) {
  return gc_ranges_push_all(&search.read, later);
}

size_t
gc_watch_passed_over_bytes(void) {
  return search.passed_over_bytes;
}

void
gc_watch_forget(void) {
  for (size_t i = 0; i < list.count; i++)
    list.items[i].known = false;
}

void
gc_watch_forget_searched_stw(void) {
  search.searches[1] = search.searches[0];
  search.searches[0] = 0;
  gc_watch_forget();
}

void
gc_watch_after_fork_child(void) {
  gc_watch_forget_searched_stw();
  for (size_t i = 0; i < list.count; i++)
    list.items[i].state = UNWATCHED;
}
