// Noticing writes with userfaultfd and PAGEMAP_SCAN (Linux 6.7).  No signal, no thread that waits for faults.
//
// The whole reservation is registered once, without access as most of it is; its parts stay registered when
// they become accessible, and all mappings merge as before.  From then on the kernel keeps a bit in each
// entry of the page tables:
//
//            arm: PAGEMAP_SCAN sets the bit                      the first write clears it, in the kernel
//   written ----------------------------------------> protected ----------------------------------> written
//            harvest: PAGEMAP_SCAN reports, and sets it
//
// Reporting a page and protecting it are one step under the page table's lock.  A processor that still
// holds the page as writable can write until the kernel has told it not to, which it does before the call
// returns: such a write falls into a harvest that reports its page.  Nothing is lost.
//
// What was never touched is neither reported nor protected, because it is neither present nor swapped: its
// first use makes an entry without the bit, which reads as written.  Protecting it instead would make page
// tables, and the memory could not come in huge pages any more.  The price: the first *reading* there looks
// like a write, and a harvest of clean pages takes the kernel's longer way.
//
// A huge page is protected whole, and split by its first write: from then on its 4 KiB are noticed apart.
//
// The program may close our descriptors.  When the one of userfaultfd goes, the kernel clears all bits and
// lets go of the reservation, so that scans fail; the next arm then opens anew.
#include "os/writes_userfault.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "os/memory.h"
#include "os/pagemap.h"

// ---- What the headers of Linux before 6.7 lack ---------------------------------------------------------

#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif
#ifndef USERFAULTFD_IOC_NEW
#define USERFAULTFD_IOC_NEW _IO(0xAA, 0x00)
#endif
#ifndef UFFD_FEATURE_WP_UNPOPULATED
#define UFFD_FEATURE_WP_UNPOPULATED (1 << 13)
#endif
#ifndef UFFD_FEATURE_WP_ASYNC
#define UFFD_FEATURE_WP_ASYNC (1 << 15)
#endif

// ---- State ---------------------------------------------------------------------------------------------

enum { REGIONS_AT_ONCE = 512 };

// [lock of writes.h]
static GC_STATE struct {
  struct gc_range heap;
  pid_t pid;      // of the process that registered it
  int faults_fd;  // of userfaultfd
  int pagemap_fd; // of the pagemap; both mean the memory of the process that opened them
  struct gc_pagemap_region regions[REGIONS_AT_ONCE];
} userfault = {.faults_fd = -1, .pagemap_fd = -1};

// ---- Scanning ------------------------------------------------------------------------------------------

// Protect a range, and list what was written there if there is room for a list: at most `capacity` regions,
// then the kernel stops early.  Gives where it stopped, NULL if it failed.
static const char *
scan_with(uint64_t flags, uint64_t any_of, struct gc_range range, size_t capacity, size_t *count) {
  struct gc_pagemap_request request = {
      .size = sizeof request,
      .flags = flags,
      .base = (uintptr_t)range.base,
      .limit = (uintptr_t)range.limit,
      .regions = capacity ? (uintptr_t)userfault.regions : 0,
      .capacity = capacity,
      .all_of = GC_PAGEMAP_WRITTEN,
      .any_of = any_of,
      .returned = GC_PAGEMAP_WRITTEN,
  };
  int listed = ioctl(userfault.pagemap_fd, GC_PAGEMAP_SCAN, &request);
  if (listed < 0 || request.stopped_at <= request.base)
    return NULL;
  *count = (size_t)listed;
  return (const char *)(uintptr_t)request.stopped_at;
}

static const char *
scan(struct gc_range range, size_t capacity, size_t *count) {
  return scan_with(GC_PAGEMAP_PROTECT | GC_PAGEMAP_REFUSE_UNREGISTERED,
                   GC_PAGEMAP_PRESENT | GC_PAGEMAP_SWAPPED, range, capacity, count);
}

static bool
protect_all(struct gc_range range) {
  size_t none;
  while (range.base && range.base < range.limit)
    range.base = scan(range, 0, &none);
  return range.base != NULL;
}

// The kernel has a quick way for this question, a third of the price.  It also finds what was never touched.
static bool
find_with(uint64_t flags, struct gc_range range, struct gc_range_array *found) {
  while (range.base && range.base < range.limit) {
    size_t count = 0;
    range.base = scan_with(flags, 0, range, REGIONS_AT_ONCE, &count);
    for (size_t i = 0; range.base && i < count; i++)
      if (!gc_range_array_push(found, gc_pagemap_range_of(&userfault.regions[i])))
        return false;
  }
  return range.base != NULL;
}

static bool
find(struct gc_range range, struct gc_range_array *found) {
  return find_with(0, range, found);
}

static bool
harvest(struct gc_range range) {
  while (range.base && range.base < range.limit) {
    size_t count = 0;
    range.base = scan(range, REGIONS_AT_ONCE, &count);
    for (size_t i = 0; range.base && i < count; i++)
      gc_writes_report(gc_pagemap_range_of(&userfault.regions[i]));
  }
  return range.base != NULL;
}

static void
write_protect(struct gc_range range, uint64_t mode) {
  struct uffdio_writeprotect request = {
      .range = {(uintptr_t)range.base, gc_range_bytes(range)},
      .mode = mode,
  };
  (void)ioctl(userfault.faults_fd, UFFDIO_WRITEPROTECT, &request);
}

static void
disarm(struct gc_range range) {
  write_protect(range, 0);
}

// The kernel remembers that of pages which are not there, too.
static void
note_released(struct gc_range range) {
  write_protect(range, UFFDIO_WRITEPROTECT_MODE_WP);
}

// ---- Opening -------------------------------------------------------------------------------------------

// The system call is forbidden in many containers, where the device may be open to some.
static int
open_userfaultfd(void) {
  int flags = O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY;
  int fd = (int)syscall(SYS_userfaultfd, flags);
  if (fd >= 0)
    return fd;
  int device = (int)syscall(SYS_openat, AT_FDCWD, "/dev/userfaultfd", O_RDWR | O_CLOEXEC);
  if (device < 0)
    return -1;
  fd = ioctl(device, USERFAULTFD_IOC_NEW, flags);
  syscall(SYS_close, device);
  return fd;
}

static bool
agree_on_features(void) {
  const uint64_t wanted = UFFD_FEATURE_WP_ASYNC | UFFD_FEATURE_WP_UNPOPULATED;
  struct uffdio_api request = {.api = UFFD_API, .features = wanted};
  return ioctl(userfault.faults_fd, UFFDIO_API, &request) == 0 && (request.features & wanted) == wanted;
}

static bool
register_range(struct gc_range range) {
  const uint64_t wanted = (uint64_t)1 << _UFFDIO_WRITEPROTECT;
  struct uffdio_register request = {
      .range = {(uintptr_t)range.base, gc_range_bytes(range)},
      .mode = UFFDIO_REGISTER_MODE_WP,
  };
  return ioctl(userfault.faults_fd, UFFDIO_REGISTER, &request) == 0 && (request.ioctls & wanted) == wanted;
}

// Of three pages the first is written before and after it is armed, the second only before, the third never.
static bool
scan_tells_written_from_clean(char *pages, size_t page_bytes) {
  struct gc_range range = {pages, pages + 3 * page_bytes};
  size_t count;
  *(volatile char *)pages = *(volatile char *)(pages + page_bytes) = 1;
  if (!register_range(range) || !protect_all(range))
    return false;
  *(volatile char *)pages = 2;
  if (scan(range, REGIONS_AT_ONCE, &count) != range.limit || count != 1)
    return false;
  struct gc_range found = gc_pagemap_range_of(&userfault.regions[0]);
  return found.base == pages && found.limit == pages + page_bytes;
}

// Sandboxes grant half of it, and emulations more than they can keep.
static bool
try_it_out(void) {
  size_t page_bytes = gc_os_page_bytes();
  char *pages = gc_os_map(3 * page_bytes);
  if (!pages)
    return false;
  bool works = scan_tells_written_from_clean(pages, page_bytes);
  gc_os_unmap(pages, 3 * page_bytes);
  return works;
}

// The reason why not, or NULL.
static const char *
open_all(struct gc_range heap) {
  userfault.heap = heap;
  userfault.pid = getpid();
  if ((userfault.faults_fd = open_userfaultfd()) < 0)
    return "userfaultfd is not permitted";
  if ((userfault.pagemap_fd = gc_pagemap_open()) < 0)
    return "/proc/self/pagemap cannot be opened";
  if (!agree_on_features())
    return "the kernel cannot protect from writes asynchronously (Linux 6.7)";
  if (!try_it_out())
    return "a trial of userfaultfd and PAGEMAP_SCAN has failed";
  return register_range(heap) ? NULL : "the heap cannot be registered with userfaultfd";
}

int
gc_writes_userfault_pagemap(void) {
  return userfault.pid == getpid() ? __atomic_load_n(&userfault.pagemap_fd, __ATOMIC_RELAXED) : -1;
}

// ---- Closing -------------------------------------------------------------------------------------------

// Close a descriptor unless the program has closed it and has something else there: what we opened knows the
// request, but not these contents of it.
static void
close_if_ours(int *fd, unsigned long request) {
  struct gc_pagemap_request nonsense = {0};
  if (*fd >= 0 && ioctl(*fd, request, &nonsense) < 0 && errno == EINVAL)
    syscall(SYS_close, *fd);
  *fd = -1;
}

// A child of fork has inherited descriptors that mean its parent's memory: it must only close them.  In the
// parent closing alone might not do, since a child may hold them, too.
static void
close_all(void) {
  struct uffdio_range range = {(uintptr_t)userfault.heap.base, gc_range_bytes(userfault.heap)};
  if (userfault.pid == getpid())
    (void)ioctl(userfault.faults_fd, UFFDIO_UNREGISTER, &range);
  close_if_ours(&userfault.faults_fd, UFFDIO_API);
  close_if_ours(&userfault.pagemap_fd, GC_PAGEMAP_SCAN);
}

static bool
open_backend(struct gc_range heap, const char **reason) {
  const char *why = open_all(heap);
  if (why) {
    close_all();
    *reason = why;
  }
  return !why;
}

// What was armed before, and is not any more after opening anew, reads as written.
static bool
arm(struct gc_range range) {
  const char *reason;
  if (protect_all(range))
    return true;
  close_all();
  return open_backend(userfault.heap, &reason) && protect_all(range);
}

// ---- Outside the heap ----------------------------------------------------------------------------------

// Registered anew each time: the program may have mapped something else there.
bool
gc_writes_userfault_watch(struct gc_range range) {
  return register_range(range) && protect_all(range);
}

// The first region found is answer enough.
bool
gc_writes_userfault_is_clean(struct gc_range range) {
  size_t count = 0;
  while (range.base && range.base < range.limit && count == 0)
    range.base = scan(range, 1, &count);
  return range.base && count == 0;
}

// A mapping that has come in between is not registered: it is refused, though it has no memory yet.
bool
gc_writes_userfault_find_watched(struct gc_range range, struct gc_range_array *found) {
  size_t first = found->count;
  bool done = find_with(GC_PAGEMAP_REFUSE_UNREGISTERED, range, found);
  for (size_t i = first; done && i < found->count; i++)
    done = protect_all(found->items[i]);
  return done;
}

void
gc_writes_userfault_unwatch(struct gc_range range) {
  struct uffdio_range request = {(uintptr_t)range.base, gc_range_bytes(range)};
  (void)ioctl(userfault.faults_fd, UFFDIO_UNREGISTER, &request);
}

const struct gc_writes_backend gc_writes_userfault = {open_backend, close_all, arm,          harvest,
                                                      disarm,       find,      note_released};
