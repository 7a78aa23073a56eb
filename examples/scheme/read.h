#ifndef SCHEME_READ_H
#define SCHEME_READ_H

#include "port.h"
#include "value.h"

// The next datum of port, or the end-of-file object.  Bad input raises a read error whose message starts with
// "NAME:LINE:COLUMN:".
value read_datum(struct port *port);

// Skip blanks and comments; afterwards port stands at the next datum or the end.
void read_skip(struct port *port);

extern const char *const char_names[][2]; // name and character, NULL-terminated

#endif
