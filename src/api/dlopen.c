// gc.h, GC_dlopen: a file of its own, so that a static program that does not use it needs no dlopen.
#define GC_THREADS
#define GC_NO_THREAD_REDIRECTS
#include "gc.h"

#include <dlfcn.h>

// No lock of ours is held while the loader runs, so there is nothing to do.
void *
GC_dlopen(const char *path, int mode) {
  return dlopen(path, mode);
}
