// The back end PROTECT.
#pragma once

#include "os/writes_backend.h"

extern const struct gc_writes_backend gc_writes_protect;

// Signals taken for writes since the process began.
size_t gc_writes_protect_faults(void);
