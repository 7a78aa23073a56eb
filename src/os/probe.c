// Memory that may not be there.  process_vm_readv on ourselves reads one byte of each page and stops, without
// a signal, at the first that has none.
#include "os/probe.h"

#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "os/files.h"
#include "os/memory.h"

enum { PAGES_AT_ONCE = 64 };

static char *
page_of(const char *address) {
  return (char *)gc_round_down((uintptr_t)address, gc_os_page_bytes());
}

// How many of `pages` pages from `first` on can be read, in steps of `step` bytes; `pages` at most
// PAGES_AT_ONCE.
static size_t
count_readable(char *first, ptrdiff_t step, size_t pages) {
  char bytes[PAGES_AT_ONCE];
  struct iovec local = {bytes, pages}, remote[PAGES_AT_ONCE];
  for (size_t i = 0; i < pages; i++)
    remote[i] = (struct iovec){first + (ptrdiff_t)i * step, 1};
  ssize_t got = process_vm_readv(getpid(), &local, 1, remote, pages, 0);
  return got >= 0 ? (size_t)got : 0;
}

// Whether the kernel answers at all: it must find this byte of our own.
static bool
can_probe(void) {
  char here = 0, there;
  struct iovec local = {&there, 1}, remote = {&here, 1};
  return process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == 1;
}

// Pages that can be read one after the other from `first` on, of `pages`.
static size_t
readable_run(char *first, ptrdiff_t step, size_t pages) {
  size_t done = 0;
  while (done < pages) {
    size_t wanted = gc_min(pages - done, PAGES_AT_ONCE);
    size_t got = count_readable(first + (ptrdiff_t)done * step, step, wanted);
    done += got;
    if (got < wanted)
      break;
  }
  return done > 0 || can_probe() ? done : pages;
}

static size_t
pages_of(struct gc_range range) {
  if (range.base >= range.limit)
    return 0;
  return (size_t)(page_of(range.limit - 1) - page_of(range.base)) / gc_os_page_bytes() + 1;
}

struct gc_range
gc_os_readable_prefix(struct gc_range range) {
  size_t page_bytes = gc_os_page_bytes(), pages = pages_of(range);
  size_t good = readable_run(page_of(range.base), (ptrdiff_t)page_bytes, pages);
  if (good < pages)
    range.limit = good ? page_of(range.base) + good * page_bytes : range.base;
  return range;
}

struct gc_range
gc_os_readable_suffix(struct gc_range range) {
  size_t page_bytes = gc_os_page_bytes(), pages = pages_of(range);
  char *last = page_of(range.limit - 1);
  size_t good = readable_run(last, -(ptrdiff_t)page_bytes, pages);
  if (good < pages)
    range.base = good ? last - (good - 1) * page_bytes : range.limit;
  return range;
}

// The range at the start of a line of /proc/self/maps: "55d0c0a000-55d0c0b000 r--p ...".
static struct gc_range
parse_mapping(const char *line) {
  char *end;
  uintptr_t base = strtoull(line, &end, 16);
  uintptr_t limit = *end == '-' ? strtoull(end + 1, NULL, 16) : base;
  return (struct gc_range){(const char *)base, (const char *)limit};
}

bool
gc_os_mapping_at(const void *address, struct gc_range *mapping) {
  struct gc_os_lines lines;
  const char *line;
  bool found = false;
  if (!gc_os_lines_open(&lines, "/proc/self/maps"))
    return false;
  while (!found && (line = gc_os_lines_next(&lines))) {
    *mapping = parse_mapping(line);
    found = mapping->base <= (const char *)address && (const char *)address < mapping->limit;
  }
  gc_os_lines_close(&lines);
  return found;
}
