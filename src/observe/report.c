// See report.h.
#include "observe/report.h"

#include "base/lock.h"
#include "cycle/cycle.h"
#include "world/world.h"

struct report {
  struct gc_text *text;
  gc_report_composer *compose;
  const void *argument;
};

static void
compose_stw(void *report_) {
  struct report *report = report_;
  report->compose(report->text, report->argument);
}

// [gc_cycle_lock, spilled]
static void *
compose_stopped(void *report) {
  if (gc_world_call_stopped(compose_stw, report))
    return NULL;
  gc_text_add(((struct report *)report)->text,
              "the world does not stop: figures of running threads may be a little off\n");
  gc_lock_acquire(&gc_lock);
  compose_stw(report);
  gc_lock_release(&gc_lock);
  return NULL;
}

void
gc_report(struct gc_text *text, gc_report_composer *compose, const void *argument) {
  struct report report = {text, compose, argument};
  gc_cycle_acquire();
  gc_world_call_spilled(compose_stopped, &report);
  gc_lock_release(&gc_cycle_lock);
  gc_text_log(text);
}
