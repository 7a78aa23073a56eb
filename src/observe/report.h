// Reports that show the heap at one moment.
#pragma once

#include "observe/text.h"

typedef void gc_report_composer(struct gc_text *text, const void *argument);

// Let `compose` add to `text`, under gc_lock and with the world stopped; if that will not stop, the text says
// so and figures of running threads may be a little off.  Then write it to the log.  No lock may be held.
void gc_report(struct gc_text *text, gc_report_composer *compose, const void *argument);
