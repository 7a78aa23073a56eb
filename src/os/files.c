// Reading the kernel's small files, in /proc and /sys.  System calls are made directly: open, read and close
// would be points where a thread can be cancelled, with our locks held.
#include "os/files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

// What came, 0 at the end; tried again when a signal comes in between.
static size_t
read_some(int fd, char *text, size_t bytes) {
  long got;
  do
    got = syscall(SYS_read, fd, text, bytes);
  while (got < 0 && errno == EINTR);
  return got > 0 ? (size_t)got : 0;
}

static int
open_file(const char *path) {
  return (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
}

static void
close_file(int fd) {
  syscall(SYS_close, fd);
}

bool
gc_os_file_read(const char *path, char *text, size_t capacity) {
  size_t used = 0, got;
  text[0] = '\0';
  int fd = open_file(path);
  if (fd < 0)
    return false;
  while (used < capacity - 1 && (got = read_some(fd, text + used, capacity - 1 - used)) > 0)
    used += got;
  close_file(fd);
  text[used] = '\0';
  return used > 0;
}

bool
gc_os_lines_open(struct gc_os_lines *lines, const char *path) {
  lines->fd = open_file(path);
  lines->used = lines->next = 0;
  return lines->fd >= 0;
}

// Move what is left to the front and read more behind it.  false if nothing came.
static bool
refill(struct gc_os_lines *lines) {
  lines->used -= lines->next;
  memmove(lines->text, lines->text + lines->next, lines->used);
  lines->next = 0;
  size_t got = read_some(lines->fd, lines->text + lines->used, sizeof lines->text - 1 - lines->used);
  lines->used += got;
  return got > 0;
}

static char *
find_newline(struct gc_os_lines *lines) {
  return memchr(lines->text + lines->next, '\n', lines->used - lines->next);
}

// A line longer than the buffer: its head is the line, its tail is skipped.
static void
skip_tail(struct gc_os_lines *lines) {
  char byte;
  while (read_some(lines->fd, &byte, 1) == 1 && byte != '\n')
    ;
}

char *
gc_os_lines_next(struct gc_os_lines *lines) {
  char *newline;
  while (!(newline = find_newline(lines)) && refill(lines))
    ;
  if (!newline && lines->next == lines->used)
    return NULL;
  if (!newline && lines->used == sizeof lines->text - 1)
    skip_tail(lines);
  char *line = lines->text + lines->next;
  char *end = newline ? newline : lines->text + lines->used;
  *end = '\0';
  lines->next = newline ? (size_t)(end + 1 - lines->text) : lines->used;
  return line;
}

void
gc_os_lines_close(struct gc_os_lines *lines) {
  close_file(lines->fd);
}
