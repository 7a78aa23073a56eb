// Memory that may not be there.  process_vm_readv on ourselves copies page after page and stops, without a
// signal, at the first that cannot be read.
#include "os/probe.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "os/files.h"
#include "os/memory.h"

enum { PIECES_AT_ONCE = 64 };

// Take the first or last page's part off a range.
static struct gc_range
take_piece(struct gc_range *rest, bool backwards) {
  size_t page_bytes = gc_os_page_bytes();
  struct gc_range piece = *rest;
  if (backwards) {
    const char *cut = (const char *)gc_round_down((uintptr_t)rest->limit - 1, page_bytes);
    rest->limit = piece.base = cut > rest->base ? cut : rest->base;
  } else {
    const char *cut = (const char *)gc_round_up((uintptr_t)rest->base + 1, page_bytes);
    rest->base = piece.limit = cut < rest->limit ? cut : rest->limit;
  }
  return piece;
}

// One call's worth.  false when it stopped early.
static bool
copy_some(struct gc_range *rest, bool backwards, char *copy, size_t *copied) {
  struct iovec remote[PIECES_AT_ONCE], local;
  size_t wanted = 0, pieces = 0;
  for (; pieces < PIECES_AT_ONCE && rest->base < rest->limit; pieces++) {
    struct gc_range piece = take_piece(rest, backwards);
    remote[pieces] = (struct iovec){(void *)(uintptr_t)piece.base, gc_range_bytes(piece)};
    wanted += gc_range_bytes(piece);
  }
  local = (struct iovec){copy, wanted};
  ssize_t got = process_vm_readv(getpid(), &local, 1, remote, pieces, 0);
  *copied = got > 0 ? (size_t)got : 0;
  return *copied == wanted;
}

size_t
gc_os_copy_readable(struct gc_range range, bool backwards, char *copy) {
  size_t total = 0, copied;
  bool more = true;
  while (more && range.base < range.limit) {
    more = copy_some(&range, backwards, copy + total, &copied);
    total += copied;
  }
  return total;
}

bool
gc_os_can_copy(void) {
  char here = 0, there;
  return gc_os_copy_readable((struct gc_range){&here, &here + 1}, false, &there) == 1;
}

// The range at the start of a line of /proc/self/maps: "55d0c0a000-55d0c0b000 r--p ...".
static struct gc_range
parse_mapping(const char *line) {
  char *end;
  uintptr_t base = strtoull(line, &end, 16);
  uintptr_t limit = *end == '-' ? strtoull(end + 1, NULL, 16) : base;
  return (struct gc_range){(const char *)base, (const char *)limit};
}

// Linux 6.11's question about one mapping; older headers lack it.
struct procmap_query {
  uint64_t size, flags, address;
  uint64_t start, end, vma_flags, page_bytes, offset, inode;
  uint32_t device_major, device_minor, name_bytes, build_id_bytes;
  uint64_t name, build_id;
};
#define PROCMAP_QUERY_ _IOWR('f', 17, struct procmap_query)

// false if the kernel does not answer.
static bool
ask_for_mapping(int maps, const void *address, struct gc_range *mapping) {
  struct procmap_query query = {.size = sizeof query, .address = (uintptr_t)address};
  if (ioctl(maps, PROCMAP_QUERY_, &query) != 0)
    return false;
  *mapping = (struct gc_range){(const char *)query.start, (const char *)query.end};
  return true;
}

static bool
look_for_mapping(const void *address, struct gc_range *mapping) {
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

bool
gc_os_mapping_at(const void *address, struct gc_range *mapping) {
  int maps = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
  bool found = maps >= 0 && ask_for_mapping(maps, address, mapping);
  if (maps >= 0)
    close(maps);
  return found || look_for_mapping(address, mapping);
}

static bool
is_shared(const char *line) {
  const char *permissions = strchr(line, ' ');
  return permissions && strnlen(permissions, 5) == 5 && permissions[4] == 's';
}

bool
gc_os_find_shared_mappings(struct gc_range_array *shared) {
  struct gc_os_lines lines;
  const char *line;
  bool done = true;
  if (!gc_os_lines_open(&lines, "/proc/self/maps"))
    return false;
  while (done && (line = gc_os_lines_next(&lines)))
    done = !is_shared(line) || gc_range_array_push(shared, parse_mapping(line));
  gc_os_lines_close(&lines);
  return done;
}
