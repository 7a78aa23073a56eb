/* libgc's old name for <gc/gc_cpp.h>. */

#include "gc/gc_cpp.h"
