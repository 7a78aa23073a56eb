// Thread-local storage on x86-64: static blocks below the thread pointer, the descriptor from it on.
#include "os/tls.h"

// The descriptor is 2,304 bytes in glibc 2.36, and the start of one page more at most in any version.
enum { DESCRIPTOR_SURE_BYTES = 1536, DESCRIPTOR_REACH_BYTES = 4096 };

// Libraries that came with dlopen may have static blocks in a surplus of 1,664 bytes, glibc's default.
enum { SURPLUS_BYTES = 4096 };

const char *
gc_os_thread_pointer(void) {
  const char *thread_pointer;
  __asm__("movq %%fs:0, %0" : "=r"(thread_pointer));
  return thread_pointer;
}

const struct gc_tls_entry *
gc_os_tls_vector(const char *thread_pointer) {
  return ((const struct gc_tls_entry *const *)thread_pointer)[1];
}

struct gc_range
gc_os_tls_descriptor(const char *thread_pointer) {
  return (struct gc_range){thread_pointer, thread_pointer + DESCRIPTOR_SURE_BYTES};
}

struct gc_range
gc_os_tls_reach(const char *thread_pointer, size_t static_bytes) {
  return (struct gc_range){thread_pointer - static_bytes - SURPLUS_BYTES,
                           thread_pointer + DESCRIPTOR_REACH_BYTES};
}

size_t
gc_os_tls_static_bytes(const char *thread_pointer, const char *block, size_t bytes) {
  (void)bytes;
  return (size_t)(thread_pointer - block);
}
