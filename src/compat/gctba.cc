// libgctba: what gc_cpp.h's operator new calls when memory is short, for programs that want nothing else of
// libgccpp.

#include <new>

#include "compat/include/gc/gc_cpp.h"

GC_API void GC_CALL
GC_throw_bad_alloc() {
  throw std::bad_alloc();
}
