// Thread-local storage: what is the same on every machine.
#include "os/tls.h"

bool
gc_os_tls_layout_fits(size_t module, const char *block) {
  const struct gc_tls_entry *vector = gc_os_tls_vector(gc_os_thread_pointer());
  size_t capacity = (uintptr_t)vector[-1].block;
  return module <= capacity && vector[module].block == block &&
         (!vector[module].to_free || vector[module].to_free <= block);
}

// The table's first entry points to the first block, which ends where the table begins.
static bool
is_specifics_table(const char *address) {
  return *(const char *const *)address == address - GC_TLS_SPECIFIC_BLOCK_BYTES;
}

ptrdiff_t
gc_os_tls_find_specifics(void) {
  const char *thread_pointer = gc_os_thread_pointer();
  struct gc_range descriptor = gc_os_tls_descriptor(thread_pointer);
  ptrdiff_t found = 0;
  unsigned matches = 0;
  for (const char *word = descriptor.base; word < descriptor.limit; word += GC_WORD_BYTES)
    if (is_specifics_table(word)) {
      found = word - thread_pointer;
      matches++;
    }
  return matches == 1 ? found : 0;
}
