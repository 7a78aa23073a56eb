/* libgc's old name for <gc/gc.h>. */

#include "gc/gc.h"
