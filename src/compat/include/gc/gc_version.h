/* The version of libgc's interface that these headers follow: GC_VERSION_MAJOR, GC_VERSION_MINOR and
   GC_VERSION_MICRO of gc.h, also by the names that libgc's gc_version.h has for them. */

#ifndef GC_VERSION_H
#define GC_VERSION_H

#include "gc.h"

#define GC_TMP_VERSION_MAJOR GC_VERSION_MAJOR
#define GC_TMP_VERSION_MINOR GC_VERSION_MINOR
#define GC_TMP_VERSION_MICRO GC_VERSION_MICRO

#endif
