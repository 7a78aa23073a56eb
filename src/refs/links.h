// Links: words that become 0 when an object dies.
//
//   ordinary   when the object cannot be reached, before its finalizer is called
//   long       when it is gone, after that
//   soft       as ordinary, save that what was got lately counts as reached (soft.h)
//
// A link that lies in an object which dies is forgotten.  Invariant old-stays-old: of a link that is not
// young neither the object nor what the link lies in is new; so minor cycles look at young ones only.
//
// All [gc_lock]; the _stw ones with the world stopped, after marking.
#pragma once

#include "refs/scope.h"

enum gc_link_sort { GC_LINK_ORDINARY, GC_LINK_LONG, GC_LINK_SOFT, GC_LINK_SORTS };

enum gc_linked { GC_LINKED, GC_LINKED_BEFORE, GC_LINK_REFUSED, GC_LINK_UNKNOWN };

// Of a link that was registered the object is replaced: GC_LINKED_BEFORE.
enum gc_linked gc_links_register(enum gc_link_sort sort, void **link, const void *object);
enum gc_linked gc_links_move(enum gc_link_sort sort, void **link, void **new_link);
bool gc_links_unregister(enum gc_link_sort sort, void **link); // false: it was not registered

// The table of one sort: key is the link, object what it follows.
const struct gc_ref_table *gc_links_table(enum gc_link_sort sort);

size_t gc_links_count(enum gc_link_sort sort);
size_t gc_links_check(void); // faults in the tables
void gc_links_each(enum gc_link_sort sort, void (*visit)(void **link, void *object));

// Clear those whose objects are dead.  true if some of the others lie in objects that are dead, or gone.
bool gc_links_clear_stw(enum gc_link_sort sort, struct gc_ref_scope scope);

// Then, when those have been marked that finalizers need: forget the links that still lie in such objects.
void gc_links_forget_stw(enum gc_link_sort sort, struct gc_ref_scope scope);

// Nothing is young any more.
void gc_links_end_stw(void);

// As gc_finalizers_look_ahead and gc_finalizers_review.
bool gc_links_look_ahead(enum gc_link_sort sort, size_t *position, size_t nodes);
size_t gc_links_review(enum gc_link_sort sort, size_t *position, size_t nodes);
