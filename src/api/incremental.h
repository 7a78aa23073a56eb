// Modes of collection as gc.h names them.
#pragma once

// Once, from GC_init, as its last step: the mode that the environment or the program has asked for.
void gc_incremental_init(void);
