// Running programs: what main.c puts together.
#ifndef SCHEME_INTERPRETER_H
#define SCHEME_INTERPRETER_H

#include "port.h"
#include "value.h"

void interpreter_start(void); // define everything, load the prelude
// Run all forms of a port, writing their values if `echo`; false after an error, which is reported.
bool interpreter_run_port(struct port *port, const char *path, bool echo);
void interpreter_repl(void);
_Noreturn void interpreter_exit(int status); // flush, write the statistics, leave

// prim_system.c
void system_set_arguments(int argc, char **argv);

// stats.c: when SCHEME_STATS names a file, one JSON line about this run is appended to it at exit.
void stats_start(const char *program);
void stats_finish(void);

// pauses.c: the collector's pauses, as far as the allocator tells.
enum { PAUSE_BUCKETS_MAX = 128 };

struct pause_bucket { // [low_ns, high_ns)
  uint64_t low_ns;
  uint64_t high_ns;
  uint64_t count;
};

struct pauses {
  uint64_t count;
  uint64_t p50_ns;
  uint64_t p99_ns;
  uint64_t max_ns;
  size_t bucket_count;
  struct pause_bucket buckets[PAUSE_BUCKETS_MAX];
};

void pauses_start(void);
void pauses_read(struct pauses *out);

#endif
