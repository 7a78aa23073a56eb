// In the stand-in for libgc.so.1 only: programs that were built for libgc are used to what memory it takes,
// which follows what lives and roots alone, however fast they allocate.
#include "base/tunables.h"

__attribute__((constructor)) static void
be_lean(void) {
  if (!gc_tunables.said.lean)
    gc_tunables.lean = true;
}
