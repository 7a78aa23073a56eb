// Thread-local storage as glibc lays it out.
//
//   x86-64    | static TLS blocks ... | descriptor (struct pthread) |
//                                     ^thread pointer; the second word points to the dynamic thread vector
//   aarch64   | descriptor | TCB, 16 bytes | static TLS blocks ... |
//                          ^thread pointer; the first word points to the vector
//
// The vector has an entry for each loaded module with TLS, by module number; blocks of modules that came with
// dlopen are allocated when the thread first uses them.  Nobody promises this layout, so
// gc_os_tls_layout_fits is asked first.
#pragma once

#include "base/types.h"

// An entry of the vector.  Entry -1 holds the vector's capacity, entry 0 its generation.
struct gc_tls_entry {
  const char *block;   // or GC_TLS_UNALLOCATED
  const char *to_free; // what malloc returned, for blocks that are not static
};

#define GC_TLS_UNALLOCATED ((const char *)-1)

const char *gc_os_thread_pointer(void);

// The dynamic thread vector of the thread with this thread pointer.
const struct gc_tls_entry *gc_os_tls_vector(const char *thread_pointer);

// A part of the descriptor that every version of glibc has.
struct gc_range gc_os_tls_descriptor(const char *thread_pointer);

// What is surely there: the part of the descriptor above and the static blocks, which reach `static_bytes`
// from the thread pointer, with the rest of the farthest one's page.
struct gc_range gc_os_tls_block(const char *thread_pointer, size_t static_bytes);

// Where libraries that came with dlopen may have static blocks: beyond the others, as far as there is memory.
struct gc_range gc_os_tls_surplus(const char *thread_pointer, size_t static_bytes);

// Whether memory nearer to the static blocks is at the higher end of the surplus.
bool gc_os_tls_surplus_is_below(void);

// How far from the thread pointer a static block reaches.
size_t gc_os_tls_static_bytes(const char *thread_pointer, const char *block, size_t bytes);

// Whether the calling thread's vector says that `module` has its block where the loader says it has it.
bool gc_os_tls_layout_fits(size_t module, const char *block);

// glibc keeps pthread_setspecific's values in blocks of 32, the first within the descriptor, the others from
// malloc, with a table of all blocks in the descriptor.  The table's offset from the thread pointer, or 0 if
// the calling thread's descriptor does not look so.
ptrdiff_t gc_os_tls_find_specifics(void);

enum { GC_TLS_SPECIFIC_BLOCKS = 32, GC_TLS_SPECIFIC_BLOCK_BYTES = 512 };
