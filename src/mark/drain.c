// The inner loop without vectors.
#include "mark/drain_inl.h"

GC_NO_SANITIZE size_t
gc_drain_scalar(struct gc_marker *marker, size_t budget) {
  return gc_drain_with(marker, budget, (struct gc_drain_vectors){.filter = GC_SMALL_FILTER_SCALAR});
}
