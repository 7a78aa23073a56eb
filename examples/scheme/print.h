#ifndef SCHEME_PRINT_H
#define SCHEME_PRINT_H

#include "port.h"
#include "table.h"
#include "value.h"

enum print_style { PRINT_DISPLAY, PRINT_WRITE };

// Write v's external representation.  Circular structure is written with datum labels (#0=), as R7RS asks.
void print_value(struct port *port, value v, enum print_style style);

// What a person should read about an object that was raised and never caught.
void print_raised(struct port *port, value raised);

// print_cycles.c: a table with #t for each object of v through which a cycle closes, or NULL when there is
// none.
struct table *print_find_cycles(value v);

#endif
