// Objects of kinds whose dead are asked about when they are swept (heap/kinds.h).
#pragma once

#include "base/types.h"

// After everything else has been marked: mark what dead objects refer to whose kind wants it kept.  In a
// minor cycle, of young ones.
void gc_disclaim_keep_stw(bool minor);
