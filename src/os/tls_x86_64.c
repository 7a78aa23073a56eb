// Thread-local storage on x86-64: static blocks below the thread pointer, the descriptor from it on.
#include "os/tls.h"

#include "os/memory.h"

// The descriptor is 2,304 bytes in glibc 2.36.
enum { DESCRIPTOR_SURE_BYTES = 1536 };

// glibc's surplus is 1,664 bytes unless a tunable makes it larger.
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
gc_os_tls_block(const char *thread_pointer, size_t static_bytes) {
  uintptr_t first = (uintptr_t)thread_pointer - static_bytes;
  return (struct gc_range){(const char *)gc_round_down(first, gc_os_page_bytes()),
                           thread_pointer + DESCRIPTOR_SURE_BYTES};
}

struct gc_range
gc_os_tls_surplus(const char *thread_pointer, size_t static_bytes) {
  struct gc_range block = gc_os_tls_block(thread_pointer, static_bytes);
  return (struct gc_range){block.base - SURPLUS_BYTES, block.base};
}

bool
gc_os_tls_surplus_is_below(void) {
  return true;
}

size_t
gc_os_tls_static_bytes(const char *thread_pointer, const char *block, size_t bytes) {
  (void)bytes;
  return (size_t)(thread_pointer - block);
}
