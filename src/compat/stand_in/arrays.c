// GC_arrays, in the stand-in for libgc.so.1 only: libgc keeps its own state there.  Nobody else has any
// business with it, and here nothing is in it; but the symbol, and how large it is, are part of what the
// library shows.
#include "base/types.h"
#include "world/roots.h"

enum { LIBGC_BYTES = 0x2c9f0 }; // in Debian's libgc 8.2.2 for x86-64

__attribute__((visibility("default"))) char GC_arrays[LIBGC_BYTES];

// It need not be searched; if there is no memory to remember that, it does no harm.
__attribute__((constructor)) static void
exclude(void) {
  gc_roots_exclude((struct gc_range){GC_arrays, GC_arrays + LIBGC_BYTES});
}
