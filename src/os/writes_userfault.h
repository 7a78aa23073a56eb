// The back end USERFAULT.
#pragma once

#include "os/writes_backend.h"

extern const struct gc_writes_backend gc_writes_userfault;
