// Files that nobody closes.  A handle is a few bytes, so a program that drops handles runs out of files long
// before it has made garbage enough for a collection.  This one therefore counts its files: when as many are
// open as may be it asks for a collection, and between requests it closes what was dropped, a few at a time,
// so that no request waits for many:
//
//   dropped --collection--> ready in the queue --drain, between requests--> closed
#include <stdio.h>
#include <stdlib.h>

#include "gc.h"

enum { REQUESTS = 5000, IN_USE = 16, MOST_OPEN = 64, CLOSED_AT_ONCE = 4 };

struct file {
  FILE *stream;
};

static GC_finalizer_queue *dropped;
static unsigned open_now, open_most;
static long bytes_written, bytes_saved;

// The finalizer.  A dropped file is still whole: what waits in its buffer is written now.
static void
close_file(void *object, void *unused) {
  (void)unused;
  struct file *file = object;
  long bytes = ftell(file->stream);
  if (fclose(file->stream) == 0)
    bytes_saved += bytes;
  open_now--;
}

static void
close_some(void) {
  GC_finalizer_queue_drain(dropped, CLOSED_AT_ONCE, 0);
}

// A new temporary file, or NULL if as many as may be are open and in use.
static struct file *
open_file(void) {
  close_some();
  if (open_now == MOST_OPEN) {
    GC_gcollect();
    close_some();
  }
  struct file *file = GC_malloc_atomic(sizeof *file); // no pointers to objects: a FILE is malloc's
  FILE *stream = file && open_now < MOST_OPEN ? tmpfile() : NULL;
  if (!stream)
    return NULL;
  file->stream = stream;
  if (GC_register_finalizer_on(dropped, file, GC_FINALIZER_ORDERED, close_file, NULL) != GC_SUCCESS) {
    fclose(stream);
    return NULL;
  }
  if (++open_now > open_most)
    open_most = open_now;
  return file;
}

// Each request opens a file, and writes to all that are in use.
static void
serve(unsigned request) {
  static struct file *in_use[IN_USE];
  struct file *file = open_file();
  if (!file) {
    fprintf(stderr, "request %u: no more files\n", request);
    exit(EXIT_FAILURE);
  }
  in_use[request % IN_USE] = file; // nobody closes the one that was here before
  for (unsigned i = 0; i < IN_USE && in_use[i]; i++)
    bytes_written += fprintf(in_use[i]->stream, "request %u\n", request);
}

int
main(void) {
  GC_INIT();
  dropped = GC_finalizer_queue_new(NULL, NULL);
  if (!dropped)
    return EXIT_FAILURE;
  for (unsigned request = 0; request < REQUESTS; request++)
    serve(request);
  printf("%d files opened, at most %u at once, %u still open\n", REQUESTS, open_most, open_now);

  GC_finalize_all(); // at exit nothing is finalized unless asked for; this makes ready what is in use, too
  GC_finalizer_queue_drain(dropped, 0, 0);
  printf("%u open at the end, %ld of %ld bytes saved\n", open_now, bytes_saved, bytes_written);
  return open_most <= MOST_OPEN && open_now == 0 && bytes_saved == bytes_written ? EXIT_SUCCESS
                                                                                 : EXIT_FAILURE;
}
