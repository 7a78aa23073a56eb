// How much of the machine this process may use.  No malloc, no stdio; where the kernel does not tell, there
// is no limit.
#pragma once

#include "base/types.h"

struct gc_limits {
  unsigned cpus;       // affinity mask and cgroup quota, rounded up; at least 1
  size_t memory_bytes; // physical memory and cgroup limit, whichever is less
};

// What the kernel says.  `root` goes before the names of all files: "" but in tests.
struct gc_limits gc_limits_read(const char *root);

// As read when first asked.  The tunable nprocs overrides the number of CPUs.
unsigned gc_limits_cpus(void);
size_t gc_limits_memory_bytes(void);
