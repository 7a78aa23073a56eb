// Reading the kernel's small files: no malloc, no stdio, safe while the world is stopped.
#pragma once

#include "base/types.h"

// Read a file of at most `capacity` - 1 bytes into `text` and end it with a NUL.  false, and an empty text,
// if there is none.
bool gc_os_file_read(const char *path, char *text, size_t capacity);

// A file read line by line through a buffer of fixed size; what does not fit in it of a longer line is
// dropped.
struct gc_os_lines {
  int fd;
  size_t used, next; // bytes in `text`; where the next line begins
  char text[1024];   // small, since a thread may have no more than 16 KiB of stack
};

// false if the file cannot be opened.
bool gc_os_lines_open(struct gc_os_lines *lines, const char *path);

// The next line without its newline, valid until the next call; NULL at the end.
char *gc_os_lines_next(struct gc_os_lines *lines);

void gc_os_lines_close(struct gc_os_lines *lines);
