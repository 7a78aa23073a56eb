// Noticing which OS pages of the heap the program writes to, without its help.
//
//             arm                      a write                       harvest
//   (free) ---------> armed, clean ------------> armed, written -----------------> armed, clean
//      ^                    |                          |               its byte in gc_written becomes 1
//      +------- disarm -----+--------------------------+
//
// Three back ends keep this contract; one is chosen when the heap is made:
//
//   USERFAULT  userfaultfd's asynchronous write protection and PAGEMAP_SCAN (Linux 6.7): writes by the kernel
//              count like others, save what a device writes meanwhile (O_DIRECT); no signal is taken
//   PROTECT    mprotect and SIGSEGV, chained to the program's own handler: a system call that writes to armed
//              memory fails with EFAULT, and a thread that does so with SIGSEGV blocked dies of it
//   CARDS      the program itself says where it writes (its byte in gc_written): nothing is ever protected
//
// What was written before a harvest is reported by it or by an earlier one; what is written during it or
// later, by it or a later one; nothing is lost.  USERFAULT is exact to the OS page, PROTECT to the page.
// What is not armed is reported as nothing or as written, as it happens: the caller must count it as
// written.  So must it what was released (gc_os_release) since it was armed: that the contents are zero now
// is no write.
#pragma once

#include "base/types.h"
#include "os/memory.h"

enum gc_writes_kind { GC_WRITES_NONE, GC_WRITES_USERFAULT, GC_WRITES_PROTECT, GC_WRITES_CARDS };

#define GC_WRITES_SHIFT 12
#define GC_WRITES_BYTES ((size_t)1 << GC_WRITES_SHIFT) // what one byte of gc_written stands for

// What is armed and disarmed at once: Loam's page, GC_PAGE_BYTES, which this layer does not know.
#define GC_WRITES_ARM_SHIFT 16
#define GC_WRITES_ARM_BYTES ((size_t)1 << GC_WRITES_ARM_SHIFT)

// One byte for each GC_WRITES_BYTES of the reservation: not 0 if it was found written.  Harvests and,
// with CARDS, the program set bytes, the collector clears them.  NULL while no back end is chosen.
extern uint8_t *gc_written;

// Since the process began.
struct gc_writes_counts {
  size_t harvests;      // calls
  size_t written_pages; // OS pages that harvests reported
  size_t faults;        // signals that PROTECT took for writes
};

// Choose the back end `wanted` for the reservation [base, base + bytes), of which parts will be committed and
// released later.  false if it cannot be had here; gc_writes_reason then says why.  What was chosen before is
// given up.  [gc_lock, or before there are threads]
bool gc_writes_choose(char *base, size_t bytes, enum gc_writes_kind wanted);

// What was chosen; NONE at first.
enum gc_writes_kind gc_writes_kind(void);

// Why the last back end asked for could not be had; "" if it could.  For people.
const char *gc_writes_reason(void);

struct gc_writes_counts gc_writes_counts(void);

// All ranges lie in committed parts of the reservation and are multiples of GC_WRITES_ARM_BYTES.  One call
// at a time, while the program writes as it likes.  [gc_lock, or before there are threads]  Ranges
// that are armed already may be armed again: what was written there is forgotten.

// Notice writes from here on.  false if the system refuses: then the range is not armed.
bool gc_writes_arm(struct gc_range range);

// Report what was written in an armed range, and clear it there.  false if the system refuses: then the
// range is not armed any more, and all of it is reported as written.
bool gc_writes_harvest(struct gc_range range);

// Append to `found` what a harvest of `range`, and of what is not armed there, would report.  Harvesting only
// that is cheaper where armed and other ranges alternate.  false if it cannot be found out, or memory is
// refused.
bool gc_writes_find(struct gc_range range, struct gc_range_array *found);

// This has been released just now.  Where that would be reported as written for ever it is clean from here
// on, until it is written.  Any range of OS pages, armed or not.
void gc_writes_note_released(struct gc_range range);

// The descriptor that a back end has open on the pagemap (pagemap.h), of this process, or -1.  [no lock]
int gc_writes_pagemap(void);

// Notice writes no longer, so that they cost nothing.
void gc_writes_disarm(struct gc_range range);

// Memory outside the heap, in whole OS pages, mapped as long as it is watched: a long stack that nobody runs
// on, static data.  [gc_lock]

// Notice writes there from here on.  false if that cannot be.  May be called again.
bool gc_writes_watch(struct gc_range range);

// Whether nothing was written there since it was watched or since this was last asked.  After false, which
// may also mean that the system would not tell, it must be watched again.
bool gc_writes_is_clean(struct gc_range range);

// Append to `found` what was, in OS pages, in order.  false: it must be watched again, or memory is refused.
bool gc_writes_find_watched(struct gc_range range, struct gc_range_array *found);

// Notice writes there no longer.
void gc_writes_unwatch(struct gc_range range);

// In a forked child: nothing is armed nor watched, and the back end is made anew; if it cannot be, the kind
// becomes NONE.  The table is empty again.  [the child's only thread]
void gc_writes_after_fork_child(void);
