// Thread-local storage on aarch64: the descriptor below the thread pointer, then the TCB, then the static
// blocks.
#include "os/tls.h"

#include "os/memory.h"

// The descriptor is 1,856 bytes in glibc 2.36.
enum { DESCRIPTOR_SURE_BYTES = 1600 };

// glibc's surplus is 1,664 bytes unless a tunable makes it larger.
enum { SURPLUS_BYTES = 4096 };

const char *
gc_os_thread_pointer(void) {
  const char *thread_pointer;
  __asm__("mrs %0, tpidr_el0" : "=r"(thread_pointer));
  return thread_pointer;
}

const struct gc_tls_entry *
gc_os_tls_vector(const char *thread_pointer) {
  return *(const struct gc_tls_entry *const *)thread_pointer;
}

struct gc_range
gc_os_tls_descriptor(const char *thread_pointer) {
  return (struct gc_range){thread_pointer - DESCRIPTOR_SURE_BYTES, thread_pointer};
}

struct gc_range
gc_os_tls_block(const char *thread_pointer, size_t static_bytes) {
  uintptr_t last = (uintptr_t)thread_pointer + static_bytes;
  return (struct gc_range){thread_pointer - DESCRIPTOR_SURE_BYTES,
                           (const char *)gc_round_up(last, gc_os_page_bytes())};
}

struct gc_range
gc_os_tls_surplus(const char *thread_pointer, size_t static_bytes) {
  struct gc_range block = gc_os_tls_block(thread_pointer, static_bytes);
  return (struct gc_range){block.limit, block.limit + SURPLUS_BYTES};
}

bool
gc_os_tls_surplus_is_below(void) {
  return false;
}

size_t
gc_os_tls_static_bytes(const char *thread_pointer, const char *block, size_t bytes) {
  return (size_t)(block + bytes - thread_pointer);
}
