// Static roots that are watched.  See watch.h.
//
//                 the second search of one marking             written pages only
//   UNWATCHED -------------------------------------> WATCHED -------------------+
//      ^   ^                                         |  | |  ^                  |
//      |   +--- a marking that was searched once ----+  | |  +------------------+
//      |   +--- it was mapped anew ---------------------+ |
//      |                                                  | pauses find most of it written, several in a row
//      +--------- some markings later --- HOT <-----------+
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
  WATCHED_MAX = 512,      // each may make three mappings of one
  MARKINGS = 2,           // the one under way and the one before
  HOT_SEARCHES = 3,
  HOT_MARKINGS = 16
};

enum state { UNWATCHED, WATCHED, HOT, REFUSED };

struct watched {
  struct gc_range pages; // the whole OS pages of a range
  enum state state;
  bool known;           // it was read while it was watched, and since the marks have flipped
  unsigned hot;         // searches in a row that found most of it written; HOT: markings to come
  uintptr_t *checksums; // of the pages when they were read, 0: not known; for LOAM_VERIFY
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

static size_t
count_long(const struct gc_range_array *ranges, size_t least_bytes) {
  size_t count = 0;
  for (size_t i = 0; i < ranges->count; i++)
    count += gc_range_bytes(ranges->items[i]) >= least_bytes;
  return count;
}

// What is worth it: the longest, where there are many.
static size_t
least_bytes_for(const struct gc_range_array *ranges) {
  size_t least_bytes = LONG_BYTES;
  while (count_long(ranges, least_bytes) > WATCHED_MAX)
    least_bytes *= 2;
  return least_bytes;
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
  size_t old = 0, least_bytes = least_bytes_for(ranges);
  next_list.count = 0;
  for (size_t i = 0; i < ranges->count; i++) {
    struct gc_range pages = gc_os_whole_pages(ranges->items[i]);
    if (pages.base >= pages.limit || gc_range_bytes(ranges->items[i]) < least_bytes)
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

// Other mappings of the same memory, this process's or another's, may change it unnoticed.  false: these are
// not known.
static bool
refuse_shared(void) {
  gc_range_array_clear(&search.found);
  if (!gc_os_find_shared_mappings(&search.found))
    return false;
  for (size_t i = 0; i < list.count; i++) {
    struct watched *watched = &list.items[i];
    if (watched->state == UNWATCHED && gc_ranges_overlap(&search.found, watched->pages))
      watched->state = REFUSED;
  }
  return true;
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
  unwatch(watched);
  return false;
}

// Watching what is written all over between pauses costs the program a fault for each page and saves nothing.
static void
learn(struct watched *watched, size_t written_bytes) {
  watched->hot = written_bytes > gc_range_bytes(watched->pages) / 4 * 3 ? watched->hot + 1 : 0;
  if (watched->hot < HOT_SEARCHES)
    return;
  unwatch(watched);
  watched->state = HOT;
  watched->hot = HOT_MARKINGS;
}

static void
cool(struct watched *watched) {
  if (watched->state == HOT && --watched->hot == 0)
    watched->state = UNWATCHED;
}

// A program whose collections all stop it and search all is spared the faults.
static void
unwatch_all(void) {
  for (size_t i = 0; i < list.count; i++)
    if (list.items[i].state == WATCHED)
      unwatch(&list.items[i]);
}

static void
watch(struct watched *watched) {
  watched->state = WATCHED;
  if (gc_writes_watch(watched->pages))
    return;
  unwatch(watched);
  watched->state = REFUSED;
}

// All will be read: notice what is written from here on.
static void
watch_all(void) {
  for (size_t i = 0; i < list.count; i++) {
    gc_range_array_clear(&search.found);
    if (list.items[i].state == WATCHED && !list.items[i].known)
      find_written(&list.items[i], &search.found);
  }
  if (gc_writes_kind() != GC_WRITES_USERFAULT || !is_any(UNWATCHED) || !refuse_shared())
    return;
  for (size_t i = 0; i < list.count; i++)
    if (list.items[i].state == UNWATCHED)
      watch(&list.items[i]);
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

static uintptr_t *
checksum_at(struct watched *watched, const char *page) {
  return &watched->checksums[(size_t)(page - watched->pages.base) / gc_os_page_bytes()];
}

static void
note_checksums(struct watched *watched, struct gc_range range, bool known) {
  for (const char *page = range.base; page < range.limit && watched->checksums; page += gc_os_page_bytes())
    *checksum_at(watched, page) = known ? checksum_of(page) : 0;
}

// A thread that is not stopped may have written it just now: then it is found, and read.
static bool
is_written_by_now(const char *page) {
  size_t before = search.read.count;
  struct gc_range range = {page, page + gc_os_page_bytes()};
  return !gc_writes_find_watched(range, &search.read) || search.read.count > before;
}

// static-unchanged
static void
verify_unwritten(struct watched *watched, struct gc_range range) {
  for (const char *page = range.base; page < range.limit && watched->checksums; page += gc_os_page_bytes()) {
    uintptr_t noted = *checksum_at(watched, page);
    GC_CHECK(noted == 0 || noted == checksum_of(page) || is_written_by_now(page),
             "verify: static-unchanged violated: the page at %p was written to unnoticed",
             (const void *)page);
  }
  note_checksums(watched, range, true);
}

static void
verify_written(struct watched *watched, size_t first) {
  const char *unwritten = watched->pages.base;
  for (size_t i = first, end = search.read.count; i < end; i++) {
    struct gc_range written = search.read.items[i];
    verify_unwritten(watched, (struct gc_range){unwritten, written.base});
    note_checksums(watched, written, true);
    unwritten = written.limit;
  }
  verify_unwritten(watched, (struct gc_range){unwritten, watched->pages.limit});
}

static void
verify_read(struct watched *watched) {
  if (!watched->checksums)
    watched->checksums = gc_os_map(checksums_bytes(watched->pages));
  note_checksums(watched, watched->pages, true);
}

// false: all must be read.
static bool
read_written(struct watched *watched) {
  size_t first = search.read.count;
  if (!find_written(watched, &search.read)) {
    search.read.count = first;
    return false;
  }
  if (gc_tunables.verify)
    verify_written(watched, first);
  size_t written_bytes = gc_ranges_bytes(&search.read, first);
  search.passed_over_bytes += gc_range_bytes(watched->pages) - written_bytes;
  learn(watched, written_bytes);
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
      verify_read(watched);
    pass_over = put_off(watched, later);
  }
  if (pass_over)
    return gc_range_array_push(&search.read, before) && gc_range_array_push(&search.read, behind);
  bool read = gc_range_array_push(&search.read, range);
  watched->known &= read;
  return read;
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

// What is written, and what is not, may change at any moment: only a pause can verify that.
void
gc_watch_find_written(struct gc_range_array *later) {
  for (size_t i = 0; i < list.count; i++) {
    struct watched *watched = &list.items[i];
    size_t first = later->count;
    if (!watched->known)
      continue;
    if (!find_written(watched, later))
      later->count = first;
    for (size_t j = first; j < later->count; j++)
      note_checksums(watched, later->items[j], false);
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
gc_watch_forget(struct gc_range range) {
  for (size_t i = 0; i < list.count; i++)
    if (list.items[i].pages.base < range.limit && range.base < list.items[i].pages.limit)
      list.items[i].known = false;
}

void
gc_watch_forget_searched_stw(void) {
  search.searches[1] = search.searches[0];
  search.searches[0] = 0;
  for (size_t i = 0; i < list.count; i++) {
    list.items[i].known = false;
    cool(&list.items[i]);
  }
}

void
gc_watch_after_fork_child(void) {
  gc_watch_forget_searched_stw();
  for (size_t i = 0; i < list.count; i++)
    list.items[i].state = UNWATCHED;
}
