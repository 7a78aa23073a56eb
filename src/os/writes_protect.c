// Noticing writes with mprotect and SIGSEGV: to come.
#include "os/writes_protect.h"

static bool
open_backend(struct gc_range whole, const char **reason) {
  (void)whole;
  *reason = "not built yet";
  return false;
}

static void
close_all(void) {
}

static bool
refuse(struct gc_range range) {
  (void)range;
  return false;
}

static void
disarm(struct gc_range range) {
  (void)range;
}

const struct gc_writes_backend gc_writes_protect = {open_backend, close_all, refuse, refuse, disarm};

size_t
gc_writes_protect_faults(void) {
  return 0;
}
